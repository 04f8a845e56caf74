"""The figures of the preferences: the ranking, the probes beside it, what steering does
(paper, Figures 4, 54 and 55).
"""

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from emotion_concepts.directions import is_random
from emotion_concepts.figures import (
    COLOURS,
    DARK,
    PALE,
    SMALL,
    STYLE,
    Findings,
    Json,
    layer_of,
    measured_row,
    new_figure,
    number,
    say,
    set_head,
    set_title,
    settle,
    with_interval,
)
from emotion_concepts.labels import label_points
from emotion_concepts.preference_findings import random_changes
from emotion_concepts.preference_steering import at

MARKERS = "os^vDPX*"


@rc_context(STYLE)
def preferences(found: Json, findings: Findings) -> Figure:
    """The activities by Elo, and every probe's correlation with it.

    Args:
        found: `preferences.json`.
        findings: `findings.json`.
    """
    figure, (left, right) = new_figure(
        0.145 * len(found["activities"]) + 1.2, 1, 2, width_ratios=[1.25, 1]
    )
    elo = np.array(found["elo"]["chat"])
    order = np.argsort(elo)
    categories = list(dict.fromkeys(a["category"] for a in found["activities"]))
    for place, index in enumerate(order):
        activity = found["activities"][index]
        kind = categories.index(activity["category"])
        left.plot(
            elo[index],
            place,
            MARKERS[kind % len(MARKERS)],
            color=COLOURS[kind % len(COLOURS)],
            ms=4,
        )
        left.plot(found["elo"]["plain"][index], place, "|", color=PALE, ms=5)
    for kind, name in enumerate(categories):
        left.plot(
            [],
            [],
            MARKERS[kind % len(MARKERS)],
            color=COLOURS[kind % len(COLOURS)],
            ms=4,
            label=name.replace("_", " "),
        )
    left.plot([], [], "|", color=PALE, label="as plain text")
    left.set_yticks(
        range(len(order)),
        [found["activities"][i]["id"].replace("_", " ") for i in order],
        fontsize=SMALL,
    )
    left.set(xlabel="Elo", ylim=(-1, len(order)))
    left.legend(loc="upper left", fontsize=SMALL, handletextpad=0.2)
    half = found["split_half"]["chat"]
    bias = found["position_bias"]["chat"]
    set_title(
        left,
        f"{len(order)} activities. Split-half reliability {number(half['median'])} "
        f"[{number(half['low'])}, {number(half['high'])}]; the two orders agree "
        f"with r = {number(found['orders_r']['median'])}; first place taken "
        f"{number(bias['mean'])} (no bias: .5)",
    )
    points, names = _probes(right, found, findings)
    settle(figure)
    extremes = [names.index(name) for name in found["probe_bootstrap"]]
    ends = [*range(4), *range(len(names) - 4, len(names))]
    order = [i for i in dict.fromkeys(extremes + ends) if 0 <= i < len(names)]
    label_points(right, points, names, order, len(extremes), len(order))
    return figure


def _probes(
    axes: Axes, found: Json, findings: Findings
) -> tuple[np.ndarray, list[str]]:
    """All probes' correlations with the Elo, in order, beside random directions;
    returns the points (probes, 2) and their names.
    """
    names = sorted(found["probe_r"], key=found["probe_r"].get)
    values = [found["probe_r"][name] for name in names]
    low, high = np.percentile(found["random_r"], [2.5, 97.5])
    axes.axvspan(low, high, color=PALE, alpha=0.3, lw=0)
    axes.axvline(0, color=DARK, lw=0.5)
    axes.plot(values, range(len(names)), ".", color=DARK, ms=3)
    for name in found["probe_bootstrap"]:
        row = measured_row(findings, f"preference.{name}_r")
        if row:
            axes.plot(
                [row["ci_low"], row["ci_high"]],
                [names.index(name) - 2.5] * 2,
                color=COLOURS[0],
                lw=1.2,
            )
    axes.set(xlim=(-1, 1), yticks=[], xlabel="r of the probe with Elo")
    set_title(
        axes,
        f"{len(names)} probes at {layer_of(found)}. Grey: middle 95 % of "
        f"{len(found['random_r'])} random directions; bars: 95 % intervals",
    )
    return np.column_stack([values, np.arange(len(names))]), names


@rc_context(STYLE)
def preference_steering(found: Json, findings: Findings) -> Figure:
    """The probes' correlations with Elo against what steering does; the dose; the
    layers.

    Args:
        found: `preferences.json`.
        findings: `findings.json`.
    """
    figure, axes = new_figure(5.4, 2, 2)
    steering = found["steering"]
    points, emotions = _against(axes[0, 0], found, findings)
    _dose(axes[0, 1], steering)
    _by_range(axes[1, 0], found)
    _answered(axes[1, 1], steering)
    set_head(
        figure,
        f"Steering on the tokens of {len(steering['activities'])} activities, half at "
        f"a time, at layers {_span(steering['layers'])} of {found['blocks']}",
    )
    settle(figure)
    every = range(len(emotions))
    label_points(axes[0, 0], points, emotions, every, len(emotions), len(emotions))
    return figure


def _against(
    axes: Axes, found: Json, findings: Findings
) -> tuple[np.ndarray, list[str]]:
    """Draws the emotions as points; returns these (emotions, 2) and their names."""
    steering = found["steering"]
    main = at(steering, steering["strength"], steering["layers"])
    emotions = [name for name in main if not is_random(name)]
    null = random_changes(steering, steering["strength"], steering["layers"])
    axes.axhspan(null.min(), null.max(), color=PALE, alpha=0.3, lw=0)
    axes.axhline(0, color=DARK, lw=0.5)
    points = np.array([[found["probe_r"][e], main[e]["mean"]] for e in emotions])
    points = points.reshape(-1, 2)
    for (x, y), e in zip(points, emotions, strict=True):
        axes.plot([x, x], [main[e]["low"], main[e]["high"]], color=COLOURS[0], lw=0.8)
        axes.plot(x, y, "o", color=COLOURS[0], ms=3.5)
    axes.set(
        xlabel="r of the probe with Elo",
        ylabel=f"Elo change at {number(steering['strength'])}",
    )
    axes.margins(0.12)
    row = measured_row(findings, "preference.steering_r")
    set_title(
        axes,
        f"r = {with_interval(row)}, null to {number(row['null_high'])}"
        if row
        else "r: not measured",
    )
    return points, emotions


def _dose(axes: Axes, steering: Json) -> None:
    strengths = sorted(
        {
            c["strength"]
            for c in steering["conditions"]
            if c["layers"] == steering["layers"]
        }
    )
    by_strength = {s: at(steering, s, steering["layers"]) for s in strengths}
    names = dict.fromkeys(n for some in by_strength.values() for n in some)
    lines = [n for n in names if all(n in some for some in by_strength.values())]
    real = [name for name in lines if not is_random(name)]
    for name in lines:
        some = [by_strength[s][name] for s in strengths]
        xs, ys = [0, *strengths], [0, *(c["mean"] for c in some)]
        order = np.argsort(xs)
        xs, ys = np.array(xs)[order], np.array(ys)[order]
        if is_random(name):
            axes.plot(xs, ys, color=PALE, lw=0.8, zorder=1)
            continue
        number_of = real.index(name)
        axes.plot(
            xs,
            ys,
            marker=MARKERS[number_of],
            color=COLOURS[number_of],
            ms=4,
            lw=1.2,
            label=name,
        )
        for strength, c in zip(strengths, some, strict=True):
            axes.plot(
                [strength] * 2, [c["low"], c["high"]], color=COLOURS[number_of], lw=0.8
            )
    axes.plot([], [], color=PALE, lw=0.8, label="random directions")
    axes.axhline(0, color=DARK, lw=0.5)
    axes.set(xlabel="strength", ylabel="Elo change")
    axes.legend(fontsize=SMALL)
    set_title(axes, "By strength")


def _by_range(axes: Axes, found: Json) -> None:
    """The effect of steering in each range of layers, and the probes' correlations."""
    steering = found["steering"]
    top = steering["strength"]
    names = list(found["by_layer"])
    if not names:
        say(axes, "no emotion is steered in every range")
        return
    for place, name in enumerate(names):
        some = [
            c
            for c in steering["conditions"]
            if c["direction"] == name and c["strength"] == top
        ]
        some.sort(key=lambda c: c["layers"])
        xs = [np.mean(c["layers"]) for c in some]
        axes.errorbar(
            xs,
            [c["mean"] for c in some],
            yerr=[
                [c["mean"] - c["low"] for c in some],
                [c["high"] - c["mean"] for c in some],
            ],
            marker=MARKERS[place],
            color=COLOURS[place],
            ms=4,
            lw=1.2,
            elinewidth=0.8,
            label=f"{name}, steered",
        )
    null = random_changes(steering, top, steering["layers"])
    middle = np.mean(steering["layers"])
    axes.plot([middle] * 2, [null.min(), null.max()], color=PALE, lw=4, zorder=0)
    axes.axhline(0, color=DARK, lw=0.5)
    axes.set(xlabel="mean steered layer", ylabel=f"Elo change at {number(top)}")
    right = axes.twinx()
    for place, name in enumerate(names):
        right.plot(
            found["layers"],
            found["by_layer"][name],
            ":",
            color=COLOURS[place],
            lw=1,
        )
    right.set(ylim=(-1, 1), ylabel="dotted: r of the probe")
    right.spines["right"].set_visible(True)
    axes.legend(fontsize=SMALL)
    set_title(axes, "By range of layers (exploratory); grey: random directions")


def _answered(axes: Axes, steering: Json) -> None:
    """How much probability is left on the two answers."""
    for random in (False, True):
        some = [
            c
            for c in steering["conditions"]
            if is_random(c["direction"]) == random and c["layers"] == steering["layers"]
        ]
        axes.plot(
            [c["strength"] for c in some],
            [c["answered"] for c in some],
            "x" if random else "o",
            color=PALE if random else COLOURS[0],
            ms=4,
            label="random directions" if random else "emotions",
        )
    axes.axhline(steering["answered"], color=DARK, lw=0.8, ls="--", label="unsteered")
    axes.set(ylim=(0, 1.02), xlabel="strength", ylabel="probability of A or B")
    axes.legend(fontsize=SMALL)
    set_title(axes, "Does the model still answer?")


def _span(layers: list[int]) -> str:
    return str(layers[0]) if len(layers) == 1 else f"{layers[0]} to {layers[-1]}"
