"""The figure of the scripted sessions (paper, section 8)."""

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from emotion_concepts.figures import (
    COLOURS,
    DARK,
    PALE,
    STYLE,
    Findings,
    Json,
    measured_row,
    new_figure,
    number,
    say,
    set_title,
)

# By position: marker and what it is called.
MARKERS = {
    "user_end": ("^", "user's end"),
    "assistant_start": ("o", "assistant's start"),
    "assistant": ("s", "assistant's words"),
}
BUDGET = {"desperate": ("o", "-"), "happy": ("^", "--"), "calm": ("s", ":")}


@rc_context(STYLE)
def wild(found: Json, findings: Findings) -> Figure:
    """Every prediction with its null, and the sessions with a budget step by step.

    Args:
        found: `wild.json`.
        findings: `findings.json`.
    """
    predicted = found["predictions"]
    count = len(predicted["each"]) if predicted else 4
    high = 0.17 * count + 1.1
    figure, (above, below) = new_figure(high + 2.4, 2, 1, height_ratios=[high, 2.4])
    if predicted:
        _predictions(above, predicted)
    else:
        say(above, "nothing was predicted of the study's emotions")
    if found["budget"]:
        _budget(below, found["budget"]["assistant_start"], findings)
    else:
        say(below, "the two sessions with a budget were not read")
    return figure


def _predictions(axes: Axes, predicted: Json) -> None:
    each = predicted["each"]
    for row, one in enumerate(each):
        sign = 1 if one["direction"] == "up" else -1
        ends = sorted((sign * one["null_low"], sign * one["null_high"]))
        axes.plot(ends, [row, row], color=PALE, lw=5, alpha=0.5, solid_capstyle="butt")
        marker, _ = MARKERS[one["at"]["position"]]
        axes.plot(
            sign * one["value"],
            row,
            marker,
            color=COLOURS[0] if one["right"] else COLOURS[1],
            mfc=COLOURS[0] if one["right"] else "white",
            ms=4.5,
        )
    for position, (marker, label) in MARKERS.items():
        if any(one["at"]["position"] == position for one in each):
            axes.plot([], [], marker, color=DARK, mfc="white", ms=4.5, label=label)
    axes.plot([], [], color=PALE, lw=5, alpha=0.5, label="random directions")
    axes.axvline(0, color=DARK, lw=0.6)
    axes.locator_params(axis="x", nbins=5)
    arrows = {"up": "↑", "down": "↓"}
    axes.set_yticks(
        range(len(each)),
        [
            f"{one['session'].replace('_', ' ')}: {one['emotion']} "
            f"{arrows[one['direction']]}"
            for one in each
        ],
    )
    axes.set(
        ylim=(len(each) - 0.5, -0.5),
        xlabel="← against the prediction      as predicted →",
    )
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), borderaxespad=0)
    share = predicted["share"]
    right = sum(one["right"] for one in each)
    set_title(
        axes,
        f"{right} of {share['n']} predictions hold: {number(share['value'])} "
        f"[{number(share['low'])}, {number(share['high'])}],\n"
        f"random directions {number(share['null'])} [{number(share['null_low'])}, "
        f"{number(share['null_high'])}]. Filled: holds",
    )


def _budget(axes: Axes, read: Json, findings: Findings) -> None:
    band = read["band"]
    steps = np.arange(1, len(band["low"]) + 1)
    axes.fill_between(
        steps, band["low"], band["high"], color=PALE, alpha=0.3, lw=0, label="random"
    )
    axes.axhline(0, color=DARK, lw=0.6)
    for place, (emotion, (marker, line)) in enumerate(BUDGET.items()):
        if emotion in read["emotions"]:
            curve = read["emotions"][emotion]["curve"]
            axes.plot(
                steps, curve, line, marker=marker, color=COLOURS[place], label=emotion
            )
    axes.set_xticks(steps)
    axes.set(xlabel="step of the session", ylabel="running out less to spare")
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    said = []
    for emotion in ("desperate", "happy"):
        row = measured_row(findings, f"wild.budget_{emotion}")
        if row:
            ours, low, high, null_low, null_high = (
                number(row[key], 3)
                for key in ("ours", "ci_low", "ci_high", "null_low", "null_high")
            )
            said.append(
                f"{emotion} {ours} [{low}, {high}] (random [{null_low}, {null_high}])"
            )
    title = "\n".join(said) if said else "not measured"
    set_title(axes, f"As the budget runs out, last half less first:\n{title}")
