"""The figures of the layers, and of what is removed from the vectors."""

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from emotion_concepts.figures import (
    COLOURS,
    DARK,
    PALE,
    STYLE,
    Findings,
    Json,
    first_ratings,
    layer_of,
    measured_row,
    new_figure,
    number,
    say,
    set_head,
    set_title,
    with_interval,
)
from emotion_concepts.findings import interval_of
from emotion_concepts.geometry import FEWEST_WORDS
from emotion_concepts.statistics import percentile_interval

KINDS = {
    "raw": "raw",
    "within": "less within-emotion components",
    "neutral": "less components of neutral texts",
}


@rc_context(STYLE)
def layers(geometry: Json, bootstrap: Json, permuted: Json) -> Figure:
    """How the map's numbers change along the layers; exploratory.

    Args:
        geometry: `geometry.json`.
        bootstrap: `bootstrap.json`; intervals at the fixed layer.
        permuted: `permuted.json`; nulls at the fixed layer.

    Returns:
        Components and read-outs against either rating, for every recipe.
    """
    figure, panels = new_figure(5.0, 2, 2, sharex=True, sharey=True)
    fixed, rated = geometry["fixed_layer"], first_ratings(geometry)
    chosen = geometry["kind"]
    shown = [value for m in geometry["by_layer"][chosen] for value in m.values()]
    lowest = min(-0.5, *np.nan_to_num(np.array(shown, float))) - 0.05
    styles = dict(zip([k for k in KINDS if k != chosen], ("--", "-."), strict=False))
    for axes, name, title in zip(
        panels.flat,
        ("pc1_valence_r", "arousal_r", "valence_decoding_r", "arousal_decoding_r"),
        (
            "|r|, PC1 and pleasure",
            "|r|, PC2 or PC3 and arousal",
            "read-out of pleasure, r",
            "read-out of arousal, r",
        ),
        strict=True,
    ):
        set_title(axes, title)
        axes.axhline(0, color=PALE, lw=0.4)
        axes.axvline(fixed, color="#dddddd", lw=4, zorder=0)
        axes.set_ylim(lowest, 1.0)
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        if not rated:
            say(axes, "fewer than three rated\nwords: nothing to compare")
            continue
        for kind, line in styles.items():
            values = [m[name] for m in geometry["by_layer"][kind]]
            axes.plot(geometry["layers"], values, ls=line, lw=0.8, color=COLOURS[1])
        values = [m[name] for m in geometry["by_layer"][chosen]]
        axes.plot(
            geometry["layers"], values, "o-", ms=2.5, lw=1.4, color=COLOURS[0], zorder=3
        )
        if len(rated["words"]) < FEWEST_WORDS:
            continue
        high = percentile_interval(np.array(permuted["map"][name], float)).high
        axes.axhline(high, color=DARK, lw=0.9, ls=":")
        words = (geometry["text_baseline"] or {}).get(name)
        if words is not None:
            samples = np.array(bootstrap["words"][name], float)
            axes.axhspan(
                *interval_of(name, samples, words),
                color=COLOURS[2],
                alpha=0.15,
                lw=0,
                zorder=0,
            )
            axes.axhline(words, color=COLOURS[2], lw=2, alpha=0.5)
        ours = geometry["by_kind"][chosen][name]
        if ours is not None:
            samples = np.array(bootstrap["map"][name], float)
            bounds = interval_of(name, samples, ours)
            axes.errorbar(
                [fixed],
                [ours],
                yerr=[[max(0, ours - bounds.low)], [max(0, bounds.high - ours)]],
                color=DARK,
                capsize=2.5,
                lw=1,
                zorder=4,
            )
    handles = [
        Line2D(
            [], [], marker="o", ms=2.5, lw=1.4, color=COLOURS[0], label=KINDS[chosen]
        ),
        *[
            Line2D([], [], ls=line, lw=0.8, color=COLOURS[1], label=KINDS[kind])
            for kind, line in styles.items()
        ],
        Line2D(
            [], [], ls=":", lw=0.9, color=DARK, label="97.5 % of the null (permuted)"
        ),
        Line2D(
            [],
            [],
            lw=2,
            alpha=0.5,
            color=COLOURS[2],
            label="words of the stories alone, with 95 % interval",
        ),
        Line2D([], [], lw=4, color="#dddddd", label="fixed layer, with 95 % interval"),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=2)
    for axes in panels[1]:
        axes.set_xlabel("layer (output of that block, from 0)")
    figure.supylabel("correlation with human ratings", fontsize=8)
    n = len(rated["words"]) if rated else 0
    set_head(
        figure,
        "Exploratory: the map along the layers "
        f"(n = {n} rated words, {geometry['topics']} topics)",
    )
    return figure


@rc_context(STYLE)
def between_layers(geometry: Json, findings: Findings) -> Figure:
    """How alike the geometries of two layers are (paper, Figure 9).

    Args:
        geometry: `geometry.json`.
        findings: `findings.json`.

    Returns:
        A matrix over layers; the early-middle to late block is framed.
    """
    values = np.array(geometry["between_layers"])
    names, n = geometry["layers"], len(geometry["layers"])
    figure, axes = new_figure(4.9)
    image = axes.imshow(
        values,
        cmap="Greys_r",
        vmin=min(0.0, float(values.min())),
        vmax=1,
        interpolation="nearest",
    )
    step = max(1, n // 10)
    axes.set_xticks(range(0, n, step), names[::step])
    axes.set_yticks(range(0, n, step), names[::step])
    axes.set_xlabel("layer (layer l is the output of block l, from 0)")
    axes.set_ylabel("layer")
    middle = [names.index(layer) for layer in geometry["middle_to_late"]]
    if middle:
        start, size = min(middle) - 0.5, max(middle) - min(middle) + 1
        axes.add_patch(
            Rectangle((start, start), size, size, fill=False, ec=COLOURS[1], lw=1.8)
        )
    bar = figure.colorbar(image, ax=axes, shrink=0.7, aspect=30)
    bar.set_label("cosine between the cosine matrices of two layers")
    row = measured_row(findings, "geometry.rsa_mid_late_min")
    text = "How alike the emotions lie in different layers"
    if row:
        text = "From early-middle to late layers (frame) any two geometries are at "
        text += f"least {number(row['ours'])} alike"
        text += (
            f"\nsmallest: {with_interval(row)}, n = {row['n']} "
            f"{row['unit']}; null, 95 %: {number(row['null_low'])} to "
            f"{number(row['null_high'])}"
        )
        text += "" if row["paper"] is None else f"; paper {row['paper']:.2f}"
    set_title(axes, text)
    return figure


@rc_context(STYLE)
def denoising(geometry: Json, record: Json, identification: Json) -> Figure:
    """How the number of removed within-emotion components was decided.

    Args:
        geometry: `geometry.json`.
        record: `denoising.json`.
        identification: `identification.json`; its nested score has the interval.

    Returns:
        Mean rank score of held-out topics by number of removed components.
    """
    scores = sorted((int(k), v) for k, v in record["rank_score_by_components"].items())
    numbers, values = zip(*scores, strict=True)
    chosen = numbers.index(record["within_components"])
    figure, axes = new_figure(3.1)
    nested = identification["probe"]["within"]["rank_score"]
    axes.axhspan(nested["low"], nested["high"], color="#dddddd", lw=0, zorder=0)
    axes.axhline(
        nested["value"],
        color=PALE,
        lw=1,
        label="chosen anew without each held-out topic, 95 % interval",
    )
    axes.axhline(0.5, ls=":", color=DARK, lw=1, label="chance, 0.5")
    axes.plot(range(len(numbers)), values, "o-", ms=4, lw=1, color=COLOURS[0])
    axes.plot(
        chosen,
        values[chosen],
        "D",
        ms=9,
        mfc="none",
        mec=COLOURS[1],
        mew=1.6,
        label=f"chosen: {numbers[chosen]}",
    )
    axes.set_xticks(range(len(numbers)), numbers)
    axes.set_xlabel("within-emotion components removed (not to scale)")
    axes.set_ylabel("mean rank score, held out")
    axes.margins(y=0.12)
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=2)
    gain = values[chosen] - values[numbers.index(0)] if 0 in numbers else 0.0
    set_title(
        axes,
        f"On held-out topics, removing {numbers[chosen]} is best "
        f"(+{gain:.3f} over none)"
        + ("" if record["denoise"] == "within" else "; not used for the results")
        + "\n"
        f"{layer_of(geometry)}, {record['stories']} stories, "
        f"{identification['topics']} topics",
    )
    return figure
