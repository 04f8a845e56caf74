"""Panels of what steered replies are: whole or not, and how they end."""

from itertools import groupby

from matplotlib.axes import Axes

from emotion_concepts.directions import is_random
from emotion_concepts.figures import COLOURS, DARK, PALE, Json, say
from emotion_concepts.figures_steered import signed, spaced, title
from emotion_concepts.statistics import wilson

# Ten looks that differ without colour.
HATCHES = ("", "////", "....", "xxxx", "----", "\\\\\\\\", "oo", "||||", "++++", "**")
WHOLE = {"coherent": "o", "finished": "s", "graded": "^"}


def coherence(axes: Axes, found: Json) -> None:
    """How many rollouts are whole, by strength; without any, whether it answers."""
    axes.set(xlabel="strength", ylim=(-0.03, 1.03))
    axes.locator_params(axis="x", nbins=5)
    if found["rollout"] is None:
        _answered(axes, found["choice"]["conditions"])
        return
    conditions = found["rollout"]["conditions"]
    strengths = sorted({c["strength"] for c in conditions})
    top = max(map(abs, strengths)) or 1.0
    for random in (False, True):
        colour = PALE if random else COLOURS[0]
        for place, (name, marker) in enumerate(WHOLE.items()):
            line = [
                _pooled(conditions, strength, name, random) for strength in strengths
            ]
            shift = 0.07 * top * (place - 1) + 0.035 * top * (1 if random else -1)
            some = [
                (s + shift, *p) for s, p in zip(strengths, line, strict=True) if p[0]
            ]
            for x, n, k in some:
                axes.plot([x, x], wilson(k, n), color=colour, lw=0.8)
            axes.plot(
                [x for x, *_ in some],
                [k / n for _, n, k in some],
                marker,
                color=colour,
                mfc="white" if random else colour,
                ms=3.5,
                label=None if random else name,
            )
    if len(strengths) <= 5:
        axes.set_xticks(strengths, [signed(strength) for strength in strengths])
    # Below, where no point can lie.
    axes.legend(
        loc="upper center",
        bbox_to_anchor=(0.5, -0.28),
        ncols=3,
        columnspacing=0.8,
        handletextpad=0.1,
    )
    title(
        axes,
        "Whole rollouts: emotions pooled (filled; at 0 unsteered), random pooled "
        "(hollow); 95 % Wilson",
    )


def _pooled(
    conditions: list[Json], strength: float, name: str, random: bool
) -> tuple[int, int]:
    """(n, k) of a share over all emotions, or all random directions, at a strength.

    The unsteered model stands with the emotions, at 0.
    """
    some = [
        c[name]
        for c in conditions
        if c["strength"] == strength and is_random(c["direction"]) == random
    ]
    return sum(rate["n"] for rate in some), sum(rate["k"] for rate in some)


def _answered(axes: Axes, conditions: list[Json]) -> None:
    """The probability left on the options, for each direction."""
    for random in (True, False):
        some = [c for c in conditions if is_random(c["direction"]) == random]
        axes.plot(
            [c["strength"] for c in some],
            [c["answered"] for c in some],
            "x" if random else "o",
            color=PALE if random else COLOURS[0],
            ms=4,
            label="random directions" if random else "emotions; at 0 unsteered",
        )
    axes.legend()
    title(axes, "No rollouts. Does the model still answer? Probability of the options")


def bar_rows(found: Json) -> list[tuple[str, Json]]:
    """Each condition's name and counts of outcomes; random directions together."""
    if found["rollout"] is None:
        return []

    def name_of(condition: Json) -> tuple[str, float]:
        random = is_random(condition["direction"])
        return "random" if random else condition["direction"], condition["strength"]

    places = ["unsteered", *found["directions"], "random"]
    order = sorted(
        found["rollout"]["conditions"],
        key=lambda c: (places.index(name_of(c)[0]), c["strength"]),
    )
    rows = []
    for (name, strength), some in groupby(order, name_of):
        counts = dict.fromkeys(found["rollout"]["outcomes"], 0)
        for condition in some:
            for label, count in condition["outcomes"].items():
                counts[label] += count
        shown = name if name == "unsteered" else f"{name} {signed(strength)}"
        rows.append((shown, counts))
    return rows


def outcomes(axes: Axes, found: Json, rows: list[tuple[str, Json]]) -> None:
    """How the replies of each condition end, as stacked bars."""
    labels = found["rollout"]["outcomes"]
    totals = [sum(counts.values()) for _, counts in rows]
    if not any(totals):
        say(axes, "no replies")
        return
    left = [0.0] * len(rows)
    for place, label in enumerate(labels):
        shares = [
            counts[label] / total if total else 0
            for (_, counts), total in zip(rows, totals, strict=True)
        ]
        axes.barh(
            range(len(rows)),
            shares,
            left=left,
            height=0.78,
            color=COLOURS[place % len(COLOURS)],
            alpha=0.75,
            hatch=HATCHES[place % len(HATCHES)],
            edgecolor=DARK,
            lw=0.4,
            label=spaced(label),
        )
        left = [a + b for a, b in zip(left, shares, strict=True)]
    names = [f"{name} (n = {n})" for (name, _), n in zip(rows, totals, strict=True)]
    axes.set_yticks(range(len(rows)), names)
    axes.set(ylim=(len(rows) - 0.5, -0.5), xlim=(0, 1), xlabel="share of replies")
    axes.figure.legend(
        loc="outside lower center", ncols=4, handlelength=2.4, handleheight=1.1
    )
    title(
        axes,
        "How the replies end (counts of this sample; intervals of the main outcome "
        "above). Random directions together",
        letters=66,
    )
