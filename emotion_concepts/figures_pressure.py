"""The figure of the probes under pressure: does the emotion on the prompt foretell what
the model does (paper, Figure 27)?
"""

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from emotion_concepts.evaluations import OPTIONS
from emotion_concepts.figures import (
    COLOURS,
    STYLE,
    Json,
    new_figure,
    number,
    say,
    set_head,
    settle,
)
from emotion_concepts.figures_steered import spaced, title
from emotion_concepts.labels import label_points

POSITION = "prompt"
LABELS = 12  # names in a panel, at most


@rc_context(STYLE)
def pressure_probes(behaviours: list[Json]) -> Figure:
    """Each probe on the prompt against the rate, for each behaviour.

    Args:
        behaviours: the `<behaviour>.json` of each.
    """
    panels = [
        (found, emotion)
        for found in behaviours
        for emotion in found["probes"]["emotions"]
    ]
    if not panels:
        figure, axes = new_figure(1.2)
        say(axes, "no probe was read under pressure")
        return figure
    rows = -(-len(panels) // 2)
    figure, axes = new_figure(2.5 * rows + 0.5, rows, 2, squeeze=False)
    labelled = [
        _panel(place, *panel) for place, panel in zip(axes.flat, panels, strict=False)
    ]
    for empty in axes.flat[len(panels) :]:
        empty.set_axis_off()
    set_head(
        figure,
        "The probe on the prompt against what the unsteered model does. Filled: by "
        "choice, hollow: in rollouts, 95 % Wilson; crosses: controls",
    )
    settle(figure)
    for place, (points, names) in zip(axes.flat, labelled, strict=False):
        if len(points):
            rates = points[: len(names), 1]
            order = np.argsort(-np.abs(rates - np.median(rates)))
            label_points(place, points, names, order.tolist(), 0, LABELS)
    return figure


def _panel(axes: Axes, found: Json, emotion: str) -> tuple[np.ndarray, list[str]]:
    """Draws the entries as points; returns their names, and their points (by choice,
    or in rollouts where there is no choice) followed by all points, to keep clear of.
    """
    main = spaced(found["main"])
    title(
        axes, "\n".join([f"{main.capitalize()}: {emotion}", *_told(found, emotion)]), 40
    )
    points, names, others = [], [], []
    for entry in found["entries"]:
        probe = found["probes"]["entries"].get(entry["id"], {}).get(POSITION, {})
        rates = rates_of(found, entry["id"])
        if probe.get(emotion) is None or not rates:
            continue
        x, marker = probe[emotion], "x" if entry["control"] else "o"
        for measure, (rate, low, high) in rates.items():
            colour = COLOURS[measure == "rollout"]
            face = colour if measure == "choice" else "white"
            axes.plot([x, x], [low, high], color=colour, lw=0.4, alpha=0.5, zorder=1)
            axes.plot(x, rate, marker, color=colour, mfc=face, ms=4)
            others.append((x, rate))
        points.append(others[-len(rates)])
        names.append(spaced(entry["id"]))
    if not points:
        say(axes, "nothing to set against the probe")
        return np.zeros((0, 2)), []
    axes.set(xlabel=f"{emotion} probe on the prompt", ylabel=f"rate of {main}")
    axes.margins(0.12)
    axes.locator_params(axis="x", nbins=4)
    return np.array(points + others), names


def rates_of(found: Json, entry: str) -> dict[str, tuple[float, float, float]]:
    """How often the unsteered model does it in an entry, by `choice` and `rollout`,
    with interval; a choice's probability is no sample and has none.
    """
    main, rates = found["main"], {}
    chosen = found["choice"]["entries"].get(entry, {}).get("probability", {})
    p = chosen.get(OPTIONS.get(main, main))
    if p is not None:
        rates["choice"] = p, p, p
    if found["rollout"] is not None and entry in found["rollout"]["entries"]:
        rate = found["rollout"]["entries"][entry]["readings"].get(main)
        if rate and rate["n"]:
            rates["rollout"] = rate["rate"], rate["low"], rate["high"]
    return rates


def _told(found: Json, emotion: str) -> list[str]:
    """The correlations with interval and null, as lines of a title."""
    lines = []
    for row in found["probes"]["against"]:
        if (row["emotion"], row["position"]) != (emotion, POSITION):
            continue
        if row["r"] is None:
            lines.append(f"{row['measure']}: r not measured")
            continue
        words = row["baseline"] and row["baseline"]["value"]
        beside = "" if words is None else f"\nwords alone {number(words)}"
        lines += [
            f"{row['measure']}: r = {number(row['r'])} "
            f"[{number(row['low'])}, {number(row['high'])}]",
            f"n = {row['n']}, null {number(row['null_low'])} to "
            f"{number(row['null_high'])}{beside}",
        ]
    return lines or ["r: not measured"]
