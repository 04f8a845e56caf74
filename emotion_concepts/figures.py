"""The figures: each a function from plain data, as the steps write it, to one figure.

All are readable in black and white (marker, line style or place besides colour) and
narrow enough for a phone and for a printed column and a half.
"""

import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from emotion_concepts.statistics import (
    percentile_interval,
    recentred_interval,
    wilson,
)
from emotion_concepts.store import whole

Json = dict[str, Any]
Findings = list[Json]

WIDTH = 5.6  # inches
SMALL = 7.0  # points, the smallest letters
STYLE = {
    "font.family": "DejaVu Sans",
    "font.size": 8,
    "axes.titlesize": 8.5,
    "axes.titlelocation": "left",
    "axes.labelsize": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "legend.fontsize": SMALL,
    "legend.frameon": False,
    "svg.hashsalt": "emotion-concepts",
}
# Okabe and Ito's palette, which colour-blind readers can tell apart, and two greys.
COLOURS = (
    "#0072b2",
    "#d55e00",
    "#009e73",
    "#cc79a7",
    "#e69f00",
    "#56b4e9",
    "#000000",
    "#f0e442",
    "#777777",
    "#bbbbbb",
)
MARKERS = "os^vDPX*<>"
DARK, PALE = "#222222", "#999999"
FOCUS = (
    "happy",
    "inspired",
    "loving",
    "proud",
    "calm",
    "desperate",
    "angry",
    "guilty",
    "sad",
    "afraid",
    "nervous",
    "surprised",
)
KINDS = {
    "raw": "raw",
    "within": "less within-emotion components",
    "neutral": "less components of neutral texts",
}
LAYER = "layer (layer l is the output of block l, from 0)"
LABELS = 60


def save(figure: Figure, path: Path) -> None:
    """Write a figure as SVG or PNG: the same figure gives the same bytes.

    Args:
        figure: any of the figures here.
        path: ends in `.svg` or `.png`.
    """
    kind = path.suffix.removeprefix(".")
    nothing = {"Date": None} if kind == "svg" else {"Software": None}
    with rc_context(STYLE), whole(path) as partial:
        figure.savefig(partial, format=kind, dpi=150, metadata=nothing)


@rc_context(STYLE)
def emotion_map(geometry: Json, findings: Findings) -> Figure:
    """The emotions along the first two principal components (paper, Figure 7).

    Args:
        geometry: `geometry.json`.
        findings: `findings.json`.

    Returns:
        All emotions as points, some with their names; the rated ones by human pleasure.
    """
    emotions, people = geometry["emotions"], _people(geometry)
    scores = _columns(geometry["scores"], 2)
    row = _measured(findings, "geometry.pc1_valence_r")
    figure, axes = _figure(5.9)
    rated, pleasure = [], []
    if people:
        pleasure = people["pleasure"]
        rated = [emotions.index(word) for word in people["words"]]
        scores[:, 0] *= _sign(people["components"]["pleasure"], 0)
        scores[:, 1] *= _sign(people["components"]["arousal"], 1)
    others = np.setdiff1d(np.arange(len(emotions)), rated)
    axes.scatter(*scores[others].T, s=9, color=PALE, linewidths=0)
    for marker, side in (("^", 1), ("v", -1)):
        chosen = [
            (place, value)
            for place, value in zip(rated, pleasure, strict=True)
            if (value >= 0) == (side > 0)
        ]
        if not chosen:
            continue
        places, values = map(list, zip(*chosen, strict=True))
        drawn = axes.scatter(
            *scores[places].T,
            c=values,
            cmap="RdBu",
            vmin=-1,
            vmax=1,
            s=30,
            marker=marker,
            edgecolors="black",
            linewidths=0.5,
        )
    if people:
        bar = figure.colorbar(drawn, ax=axes, shrink=0.4, aspect=22, pad=0.01)
        bar.set_label("human pleasure rating (−1 to 1)", fontsize=SMALL)
        bar.outline.set_linewidth(0.4)
    axes.axhline(0, color="#dddddd", lw=0.6, zorder=0)
    axes.axvline(0, color="#dddddd", lw=0.6, zorder=0)
    axes.margins(0.09)
    # The legend's own triangles, not the colour of whichever word comes first.
    signs = (
        ("^", "#4393c3", "rated pleasant"),
        ("v", "#d6604d", "rated unpleasant"),
        (".", PALE, "not rated by people"),
    )
    axes.legend(
        handles=[
            Line2D([], [], ls="", marker=m, color=c, label=name, mec=DARK, mew=0.4)
            for m, c, name in signs
        ],
        loc="upper left",
        bbox_to_anchor=(0, -0.08),
        ncols=3,
        handletextpad=0.2,
        borderaxespad=0,
    )
    share = [*geometry["variance"], 0.0, 0.0]
    axes.set_xlabel(f"PC1 ({share[0]:.0%} of the variance)")
    axes.set_ylabel(f"PC2 ({share[1]:.0%} of the variance)")
    _title(axes, _map_title(geometry, row))
    _settle(figure)
    first = {emotions.index(word) for word in FOCUS if word in emotions}
    for column in scores.T:
        first |= set(np.argsort(column)[:4]) | set(np.argsort(column)[-4:])
    far = np.argsort(-np.linalg.norm(scores / (scores.std(0) + 1e-12), axis=1))
    order = sorted(range(len(emotions)), key=lambda i: (i not in first, i not in rated))
    order = [*order[: len(first)], *[i for i in far if i not in first]]
    _label(axes, scores, emotions, order, len(first), LABELS)
    return figure


def _map_title(geometry: Json, row: Json | None) -> str:
    where = (
        f"{len(geometry['emotions'])} emotions, layer "
        f"{geometry['fixed_layer']} of {geometry['blocks']}"
    )
    if row is None:
        return f"Along their first two axes: {where}"
    seen = (
        "Pleasant and unpleasant words part along the first axis"
        if row["ci_low"] > row["null_high"]
        else "The first axis is not clearly one of pleasure"
    )
    return f"{seen}\n{where}; r of PC1 with pleasure {_with_interval(row)}"


@rc_context(STYLE)
def people(geometry: Json, findings: Findings) -> Figure:
    """Components against what people say of the words (paper, Figure 8).

    Args:
        geometry: `geometry.json`.
        findings: `findings.json`.

    Returns:
        PC1 against pleasure, and PC2 or PC3 against arousal.
    """
    figure, panels = _figure(7.4, 2, 1)
    rated = _people(geometry)
    columns = len(geometry["scores"][0])
    for axes, rating, candidates, seen in (
        (panels[0], "pleasure", [0], "PC1 against pleasure"),
        (panels[1], "arousal", [1, 2], "{} against arousal"),
    ):
        candidates = [c for c in candidates if c < columns]
        if not rated or not candidates:
            _title(axes, seen.format("PC2 or PC3"))
            _say(axes, "fewer than three of these emotions\nhave been rated by people")
            continue
        strength = rated["components"][rating]
        best = max(candidates, key=lambda c: abs(np.nan_to_num(strength[c])))
        places = [geometry["emotions"].index(word) for word in rated["words"]]
        score = _columns(geometry["scores"], best + 1)[places, best]
        score = score * _sign(strength, best)
        ratings = np.array(rated[rating])
        axes.scatter(ratings, score, s=11, color=COLOURS[0], linewidths=0)
        if len(set(ratings)) > 1:
            ends = np.array([ratings.min(), ratings.max()])
            axes.plot(
                ends,
                np.polyval(np.polyfit(ratings, score, 1), ends),
                lw=0.8,
                ls="--",
                color=PALE,
                zorder=0,
            )
        axes.margins(0.08)
        axes.set_xlabel(f"human {rating} rating (−1 to 1)")
        axes.set_ylabel(f"place along PC{best + 1}")
        name = {"pleasure": "pc1_valence_r", "arousal": "arousal_r"}[rating]
        row = _measured(findings, f"geometry.{name}")
        text = seen.format(f"PC{best + 1}")
        if row:
            text += (
                f": |r| = {_with_interval(row)}, n = {row['n']} {row['unit']}\n"
                f"null, 95 %: {number(row['null_low'])} to {number(row['null_high'])}"
            )
            text += "" if row["paper"] is None else f"; paper {row['paper']:.2f}"
        else:
            text += f": r = {abs(strength[best]):.2f}, n = {len(places)} words"
        _title(axes, text)
    _settle(figure)
    if rated:
        for axes in panels:
            if not axes.collections:
                continue
            points = np.asarray(axes.collections[0].get_offsets())
            far = np.argsort(-np.abs(points - points.mean(0)).sum(1))
            _label(axes, points, rated["words"], list(far), 0, len(points))
    return figure


@rc_context(STYLE)
def cosine_matrix(geometry: Json) -> Figure:
    """Cosines between all emotion vectors in hierarchical order (paper, Figure 5).

    Args:
        geometry: `geometry.json`.

    Returns:
        The matrix; beside it, a column for each k-means cluster that marks its words.
    """
    order = geometry["order"]
    cosines = np.array(geometry["cosines"])[np.ix_(order, order)]
    labels = np.array(geometry["clusters"])[order]
    count = int(labels.max()) + 1
    words = [geometry["emotions"][i] for i in order]
    n = len(words)
    figure, (axes, side) = _figure(6.2, 1, 2, width_ratios=[10, 3], sharey=True)
    off = cosines[~np.eye(n, dtype=bool)] if n > 1 else np.ones(1)
    limit = max(float(np.percentile(np.abs(off), 99)), 0.05)
    image = axes.imshow(
        cosines,
        cmap="RdBu_r",
        vmin=-limit,
        vmax=limit,
        aspect="auto",
        interpolation="nearest",
    )
    step = -(-n // 43)
    axes.set_yticks(range(0, n, step), words[::step], fontsize=SMALL)
    axes.set_xticks([])
    axes.tick_params(length=1.5, width=0.4)
    _head(
        figure,
        f"Cosines between {n} emotion vectors, neighbours in hierarchical order; layer "
        f"{geometry['fixed_layer']} of {geometry['blocks']}"
        + (f"; every {_ordinal(step)} word named" if step > 1 else ""),
    )
    # Which cluster is told by the column, so that no colour is needed.
    side.imshow(
        labels[:, None] == np.arange(count),
        cmap="Greys",
        vmin=0,
        vmax=1.1,
        aspect="auto",
        interpolation="nearest",
    )
    for edge in range(1, count):
        side.axvline(edge - 0.5, color="#dddddd", lw=0.5)
    side.set_xticks(range(count), range(1, count + 1), fontsize=SMALL)
    side.tick_params(left=False, labelleft=False, bottom=False, pad=1)
    side.set_xlabel("k-means cluster")
    bar = figure.colorbar(
        image, ax=axes, location="bottom", shrink=0.6, aspect=35, extend="both"
    )
    bar.set_label("cosine of two emotion vectors (centred)")
    return figure


@rc_context(STYLE)
def clusters(geometry: Json, layout: Json) -> Figure:
    """The k-means clusters laid out in the plane by UMAP (paper, Figure 6).

    Args:
        geometry: `geometry.json`.
        layout: `layout.json`.

    Returns:
        Every emotion at its place for display, with its cluster's marker and colour.
    """
    places, labels = np.array(layout["places"]), np.array(geometry["clusters"])
    words, count = layout["emotions"], int(labels.max()) + 1
    cosines = np.array(geometry["cosines"])
    figure, axes = _figure(5.6)
    order = []
    for cluster in range(count):
        members = np.flatnonzero(labels == cluster)
        # The most typical words: those most like the others of their cluster.
        alike = cosines[np.ix_(members, members)].mean(0)
        near = members[np.argsort(-alike, kind="stable")]
        order.append(near[:5])
        axes.scatter(
            *places[members].T,
            s=20,
            marker=MARKERS[cluster % len(MARKERS)],
            color=COLOURS[cluster % len(COLOURS)],
            edgecolors=DARK,
            linewidths=0.3,
            label=f"{cluster + 1}: "
            + ", ".join(words[i] for i in near[:2])
            + f" ({len(members)})",
        )
    axes.set(xticks=[], yticks=[], xlabel="UMAP 1 (no unit)", ylabel="UMAP 2 (no unit)")
    axes.margins(0.07)
    axes.legend(
        loc="upper center",
        bbox_to_anchor=(0.5, -0.06),
        ncols=2,
        handletextpad=0.1,
        columnspacing=1,
    )
    _title(
        axes,
        f"{count} k-means clusters of {len(words)} emotion vectors\n"
        "numbered by size, with their most typical words; the plane (UMAP) is for "
        "display only",
    )
    _settle(figure)
    rounds = [o[i] for i in range(5) for o in order if i < len(o)]
    _label(axes, places, words, rounds, count, 5 * count)
    return figure


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
    figure, panels = _figure(5.0, 2, 2, sharex=True, sharey=True)
    fixed, rated = geometry["fixed_layer"], _people(geometry)
    chosen = geometry["kind"]
    shown = [value for m in geometry["by_layer"][chosen] for value in m.values()]
    lowest = min(-0.5, *np.nan_to_num(shown)) - 0.05
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
        _title(axes, title)
        axes.axhline(0, color=PALE, lw=0.4)
        axes.axvline(fixed, color="#dddddd", lw=4, zorder=0)
        axes.set_ylim(lowest, 1.0)
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        if not rated:
            _say(axes, "fewer than three rated\nwords: nothing to compare")
            continue
        for kind, line in styles.items():
            values = [m[name] for m in geometry["by_layer"][kind]]
            axes.plot(geometry["layers"], values, ls=line, lw=0.8, color=COLOURS[1])
        values = [m[name] for m in geometry["by_layer"][chosen]]
        axes.plot(
            geometry["layers"], values, "o-", ms=2.5, lw=1.4, color=COLOURS[0], zorder=3
        )
        if name in permuted:
            high = percentile_interval(np.array(permuted[name], float)).high
            axes.axhline(high, color=DARK, lw=0.9, ls=":")
        axes.axhline(geometry["text_baseline"][name], color=COLOURS[2], lw=2, alpha=0.5)
        ours = geometry["by_kind"][chosen][name]
        if name in bootstrap and np.isfinite(ours):
            bounds = recentred_interval(np.array(bootstrap[name], float), ours, (-1, 1))
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
            label="words of the stories alone",
        ),
        Line2D([], [], lw=4, color="#dddddd", label="fixed layer, with 95 % interval"),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=2)
    for axes in panels[1]:
        axes.set_xlabel("layer (output of that block, from 0)")
    figure.supylabel("correlation with human ratings", fontsize=8)
    n = len(rated["words"]) if rated else 0
    _head(
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
    figure, axes = _figure(4.9)
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
    axes.set(xlabel=LAYER, ylabel="layer")
    middle = [names.index(layer) for layer in geometry["middle_to_late"]]
    if middle:
        start, size = min(middle) - 0.5, max(middle) - min(middle) + 1
        axes.add_patch(
            Rectangle((start, start), size, size, fill=False, ec=COLOURS[1], lw=1.8)
        )
    bar = figure.colorbar(image, ax=axes, shrink=0.7, aspect=30)
    bar.set_label("cosine between the cosine matrices of two layers")
    row = _measured(findings, "geometry.rsa_mid_late_min")
    text = "How alike the emotions lie in different layers"
    if row:
        text = "From early-middle to late layers (frame) any two geometries are at "
        text += f"least {number(row['ours'])} alike"
        text += (
            f"\nsmallest: {_with_interval(row)}, n = {row['n']} "
            f"{row['unit']}; null, 95 %: {number(row['null_low'])} to "
            f"{number(row['null_high'])}"
        )
        text += "" if row["paper"] is None else f"; paper {row['paper']:.2f}"
    _title(axes, text)
    return figure


@rc_context(STYLE)
def denoising(record: Json, identification: Json) -> Figure:
    """How the number of removed within-emotion components was decided.

    Args:
        record: `denoising.json`.
        identification: `identification.json`; its nested score has the interval.

    Returns:
        Mean rank score of held-out topics by number of removed components.
    """
    scores = sorted((int(k), v) for k, v in record["rank_score_by_components"].items())
    numbers, values = zip(*scores, strict=True)
    chosen = numbers.index(record["within_components"])
    figure, axes = _figure(3.1)
    nested = identification["probe"]["rank_score"]
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
    _title(
        axes,
        f"On held-out topics, removing {numbers[chosen]} is best "
        f"(+{gain:.3f} over none)"
        + ("" if record["denoise"] == "within" else "; not used for the results")
        + "\n"
        f"layer {record['fixed_layer']}, {record['stories']} stories, "
        f"{identification['topics']} topics",
    )
    return figure


@rc_context(STYLE)
def identification(result: Json) -> Figure:
    """Can a story's emotion be told, beside a bag of words and chance?

    Args:
        result: `identification.json`.

    Returns:
        Top-1, top-5 and rank score on held-out topics, with intervals over topics.
    """
    figure, panels = _figure(2.4, 1, 3, sharey=True)
    sources = (("probe", "probe", "o"), ("bag_of_words", "bag of words", "s"))
    for axes, (name, title) in zip(
        panels,
        (
            ("top1", "emotion first"),
            ("top5", "among first five"),
            ("rank_score", "rank score"),
        ),
        strict=True,
    ):
        chance = result["chance"][name]
        axes.axvline(chance, ls=":", color=DARK, lw=1)
        axes.plot([chance], [0], "|", color=DARK, ms=9)
        for height, (source, _, marker) in enumerate(sources, 1):
            score = result[source][name]
            axes.errorbar(
                [score["value"]],
                [height],
                xerr=[
                    [max(0, score["value"] - score["low"])],
                    [max(0, score["high"] - score["value"])],
                ],
                fmt=marker,
                ms=5,
                capsize=3,
                lw=1.2,
                color=COLOURS[height - 1],
            )
            axes.annotate(
                f"{score['value']:.3f}",
                (score["value"], height),
                (0, 6),
                textcoords="offset points",
                ha="center",
                fontsize=SMALL,
            )
        axes.annotate(
            f"{chance:.3f}",
            (chance, 0),
            (3, 6),
            textcoords="offset points",
            ha="left",
            fontsize=SMALL,
        )
        axes.set_yticks([0, 1, 2], ["chance", *[label for _, label, _ in sources]])
        axes.set_ylim(-0.5, 2.6)
        axes.margins(x=0.22)
        axes.xaxis.set_major_locator(MaxNLocator(4))
        axes.set_xlabel(
            "share of stories" if name != "rank_score" else "1 = always first"
        )
        _title(axes, title)
    by_rank, by_first = (
        compared(result["probe"][name], result["bag_of_words"][name])
        for name in ("rank_score", "top1")
    )
    _head(
        figure,
        f"Held-out topics: beside a bag of words the probe is {by_rank} by rank score "
        f"and {by_first} by top-1 (n = {result['n']} stories, {result['topics']} "
        "topics, 95 % intervals)",
    )
    return figure


def compared(ours: Json, other: Json) -> str:
    """`better`, `worse` or, where the intervals overlap, `no better`."""
    if ours["low"] > other["high"]:
        return "better"
    return "worse" if ours["high"] < other["low"] else "no better"


FAULTS = {
    "names_emotion": "names the emotion",
    "names_synonym": "names a synonym",
    "repeats": "repeats itself",
    "near_duplicate": "near-duplicate",
    "too_short": "too short",
}


@rc_context(STYLE)
def texts(stories: Json, neutral: Json) -> Figure:
    """What was written, how it ended, which faults it has and what was kept.

    Args:
        stories: `stories/counts.json`.
        neutral: `neutral/counts.json`.

    Returns:
        Shares of the written texts with Wilson intervals, and the counts.
    """
    rows = [text_rows(stories), text_rows(neutral)]
    sizes = [len(r) for r in rows]
    figure = Figure(figsize=(WIDTH, 1.3 + 0.21 * sum(sizes)), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(2, 1, height_ratios=sizes, sharex=True)
    hatches = {"kept": "", "ended": "....", "fault": "////"}
    for axes, counts, kind, entries in zip(
        panels, (stories, neutral), ("stories", "neutral texts"), rows, strict=True
    ):
        total = counts["written"]
        for place, (group, _, count) in enumerate(entries):
            share = count / total if total else 0.0
            axes.barh(
                place,
                share,
                height=0.66,
                color="#cfe0ee" if group != "kept" else COLOURS[5],
                edgecolor=DARK,
                lw=0.5,
                hatch=hatches[group],
            )
            high = share
            if total:
                low, high = wilson(count, total)
                axes.plot([low, high], [place, place], color=DARK, lw=1.3)
            axes.annotate(
                f"{count} ({share:.1%})",
                (high, place),
                (4, 0),
                textcoords="offset points",
                va="center",
                fontsize=SMALL,
            )
        axes.set_yticks(range(len(entries)), [label for _, label, _ in entries])
        axes.invert_yaxis()
        axes.set_xlim(0, 1.19)
        axes.set_xticks(np.arange(0, 1.1, 0.2))
        _title(axes, f"{counts['kept']} of {total} {kind} kept")
    panels[1].set_xlabel(
        "share of the texts written, with 95 % Wilson interval (texts as independent)"
    )
    return figure


def text_rows(counts: Json) -> list[tuple[str, str, int]]:
    """(group, label, count) of what there is to say of a set of texts."""
    return [
        ("kept", "kept", counts["kept"]),
        *[
            ("ended", {"cut": "cut at the limit"}.get(how, how), count)
            for how, count in sorted(counts["ended"].items())
        ],
        *[
            ("fault", FAULTS.get(fault, fault.replace("_", " ")), count)
            for fault, count in sorted(counts["faults"].items())
        ],
    ]


def _figure(height: float, rows: int = 1, columns: int = 1, **kwargs: Any) -> tuple:
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.subplots(rows, columns, **kwargs)


def _settle(figure: Figure) -> None:
    """Fix the layout, so that labels can be placed in what are the final axes."""
    figure.draw_without_rendering()
    figure.set_layout_engine("none")


def _title(axes: Axes, text: str) -> None:
    """A title as wide as its axes allow."""
    width = axes.get_subplotspec().get_position(axes.figure).width
    letters = max(24, int(width * WIDTH * 16.5))
    lines = [textwrap.fill(line, letters) for line in text.split("\n")]
    axes.set_title("\n".join(lines))


def _head(figure: Figure, text: str) -> None:
    figure.suptitle(textwrap.fill(text, 78), fontsize=8.5, x=0.01, ha="left")


def _say(axes: Axes, text: str) -> None:
    axes.set(xticks=[], yticks=[])
    axes.text(0.5, 0.5, text, ha="center", va="center", transform=axes.transAxes)


def _ordinal(n: int) -> str:
    return {2: "second", 3: "third"}.get(n, f"{n}th")


def _people(geometry: Json) -> Json | None:
    """The first ratings, if enough words have any."""
    return next(iter(geometry["ratings"].values()), None)


def _columns(scores: Iterable, count: int) -> np.ndarray:
    """The first components; zeros where there are fewer."""
    scores = np.array(scores, float)[:, :count]
    return np.pad(scores, ((0, 0), (0, count - scores.shape[1])))


def _sign(correlations: Sequence[float], component: int) -> int:
    """The side that makes a component's correlation positive."""
    known = component < len(correlations)
    return -1 if known and correlations[component] < 0 else 1


def _measured(findings: Findings, name: str) -> Json | None:
    found = [row for row in findings if row["id"] == name]
    return found[0] if found and found[0]["ours"] is not None else None


def _with_interval(row: Json) -> str:
    low, high = number(row["ci_low"]), number(row["ci_high"])
    return f"{number(row['ours'])} [{low}, {high}]"


def number(value: float | None, digits: int = 2) -> str:
    """A number as it is printed: a true minus sign, no minus before zero."""
    if value is None or not np.isfinite(value):
        return "–"
    text = f"{value:.{digits}f}"
    return text.replace("-", "" if float(text) == 0 else "−")


def _label(
    axes: Axes,
    points: np.ndarray,
    words: list[str],
    order: Sequence[int],
    needed: int,
    most: int,
) -> None:
    """Write words beside their points so that no two words overlap.

    Greedy: each word takes the nearest free place, with a line to its point where that
    is further off. The first `needed` may go far; others are left out for lack of room.

    Args:
        axes: where; its place in the figure must be final.
        points: (n, 2) in data units.
        words: n names.
        order: which points to label, the most important first.
        needed: how many of these must be labelled.
        most: how many labels at most.
    """
    figure = axes.figure
    renderer, scale = figure.canvas.get_renderer(), 72 / figure.dpi
    pixels = axes.transData.transform(points)
    frame = axes.get_window_extent(renderer)
    obstacles = np.concatenate([pixels - 3.2, pixels + 3.2], axis=1)
    taken = np.zeros((0, 4))
    for rank, index in enumerate(order):
        if len(taken) >= most:
            break
        text = axes.annotate(
            words[index],
            points[index],
            (0, 0),
            textcoords="offset points",
            ha="center",
            va="center",
            fontsize=SMALL,
            color=DARK,
        )
        extent = text.get_window_extent(renderer)
        size = np.array([extent.width, extent.height]) + 2
        found = _place(pixels[index], size, frame, taken, obstacles, far=rank < needed)
        if found is None:
            text.remove()
            continue
        box, gap = found
        offset = (box[:2] + box[2:]) / 2 - pixels[index]
        text.set_position(tuple(offset * scale))
        taken = np.vstack([taken, box])
        if gap > 8:
            end = np.clip(pixels[index], box[:2], box[2:])
            axes.annotate(
                "",
                points[index],
                tuple((end - pixels[index]) * scale),
                textcoords="offset points",
                arrowprops={"arrowstyle": "-", "lw": 0.4, "color": PALE},
                annotation_clip=False,
            )
            line = pixels[index] + np.linspace(0, 1, 8)[:, None] * (end - pixels[index])
            obstacles = np.vstack(
                [obstacles, np.concatenate([line - 1, line + 1], axis=1)]
            )


def _place(
    point: np.ndarray,
    size: np.ndarray,
    frame: Any,
    taken: np.ndarray,
    obstacles: np.ndarray,
    far: bool,
) -> tuple[np.ndarray, float] | None:
    """The best free box for a label and its gap from the point, in pixels."""
    best, least = None, np.inf
    for gap in (4, 7, 12, 18, 26, 36, 48, 64) if far else (4, 7, 13, 20):
        for angle in np.arange(16) * np.pi / 8:
            towards = np.array([np.cos(angle), np.sin(angle)])
            centre = point + towards * (gap + size / 2)
            box = np.concatenate([centre - size / 2, centre + size / 2])
            outside = (
                box[0] < frame.x0
                or box[1] < frame.y0
                or box[2] > frame.x1
                or box[3] > frame.y1
            )
            if outside or _hits(box, taken):
                continue
            cost = 6 * _hits(box, obstacles) + gap / 4
            if cost < least and (far or not _hits(box, obstacles)):
                best, least = (box, float(gap)), cost
    return best


def _hits(box: np.ndarray, boxes: np.ndarray) -> int:
    """How many boxes a box overlaps."""
    apart = (
        (boxes[:, 0] >= box[2])
        | (boxes[:, 2] <= box[0])
        | (boxes[:, 1] >= box[3])
        | (boxes[:, 3] <= box[1])
    )
    return int((~apart).sum())
