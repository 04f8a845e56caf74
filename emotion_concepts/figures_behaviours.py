"""The figures of a behaviour under steering: blackmail, reward hacking, sycophancy
(paper, Figures 26 to 35).

Every rate stands beside what random directions of the same length do, and beside the
paper's curve of that emotion.
"""

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D

from emotion_concepts.directions import is_random
from emotion_concepts.evaluations import UNITS
from emotion_concepts.figures import (
    DARK,
    PALE,
    STYLE,
    WIDTH,
    Json,
    layer_of,
    say,
    set_head,
)
from emotion_concepts.figures_outcomes import bar_rows, coherence, outcomes
from emotion_concepts.figures_steered import (
    emotions_of,
    error_bars,
    look_of,
    points,
    shown_readings,
    signed,
    spaced,
    title,
)
from emotion_concepts.paper_curves import Curves

NO_ROLLOUTS = "no rollouts were asked for"


@rc_context(STYLE)
def behaviour(found: Json, curves: Curves) -> Figure:
    """One behaviour by choice and in rollouts, emotions against random directions.

    Args:
        found: `<behaviour>.json`.
        curves: the paper's, see `paper_curves`.
    """
    shown, emotions = shown_readings(found), emotions_of(found)
    bars = bar_rows(found)
    steered = {(d["direction"], d["strength"]) for d in found["choice"]["differences"]}
    lines = 2.0 if len(emotions) < 4 else 2.8
    heights = [0.15 + 0.17 * -(-(len(emotions) + 3) // 3), *[lines] * len(shown)]
    heights += [1.25 + 0.2 * max(5, len(steered))]
    heights += [2.5] if len(shown) > 1 else []
    if bars:
        legend = -(-len(found["rollout"]["outcomes"]) // 4)
        heights.append(1.0 + 0.2 * legend + 0.16 * len(bars))
    figure = Figure(figsize=(WIDTH, sum(heights) + 0.4), layout="constrained")
    FigureCanvasAgg(figure)
    # Each row has its own margins, as wide as its own labels.
    top, *rows = figure.subfigures(len(heights), 1, height_ratios=heights)
    _legend(top, emotions)
    for row, reading in enumerate(shown):
        left, right = rows.pop(0).subplots(1, 2)
        curve = curves.get(found["behaviour"] if not row else reading, {})
        _choice(left, found, reading, curve)
        _rollout(right, found, reading, curve)
    left, right = rows.pop(0).subplots(1, 2)
    _differences(left, found, shown[0])
    if len(shown) > 1:
        _differences(right, found, shown[1])
        right.tick_params(labelleft=False)  # the rows are those of the left panel
        left, right = rows.pop(0).subplots(1, 2)
        _trade_off(left, found)
    coherence(right, found)
    if bars:
        outcomes(rows.pop(0).subplots(), found, bars)
    set_head(
        figure,
        f"{spaced(found['behaviour']).capitalize()} of the model steered at "
        f"{layer_of({'fixed_layer': found['layer'], 'blocks': found['blocks']})}; "
        "strengths are shares of the mean residual norm",
    )
    return figure


def _choice(axes: Axes, found: Json, reading: str, curve: dict) -> None:
    conditions = found["choice"]["conditions"]
    name, units = spaced(reading).capitalize(), UNITS[found["behaviour"]]
    if not _lines(axes, found, conditions, reading, curve):
        title(axes, f"{name} by choice")
        say(axes, f"not measured: an interval\nneeds two steered {units}")
        return
    n = max(c["readings"][reading]["n"] for c in conditions if c["readings"][reading])
    axes.set_ylabel("probability")
    title(
        axes,
        f"{name} by choice: mean of {n} {units}, 95 % t intervals over them",
    )


def _rollout(axes: Axes, found: Json, reading: str, curve: dict) -> None:
    name = spaced(reading).capitalize()
    title(axes, f"{name} in rollouts")
    if found["rollout"] is None:
        say(axes, NO_ROLLOUTS)
        return
    conditions = found["rollout"]["conditions"]
    if not _lines(axes, found, conditions, reading, curve):
        trusted = found["grader"][reading]["trusted"]
        why = "no reply could be graded" if trusted else "the grader is not trusted"
        say(axes, f"not measured:\n{why}")
        return
    graded = [c["readings"][reading] for c in conditions if c["readings"][reading]]
    sizes = sorted({rate["n"] for rate in graded})
    span = f"{sizes[0]} to {sizes[-1]}" if len(sizes) > 1 else str(sizes[0])
    axes.set_ylabel("share of graded replies")
    title(
        axes,
        f"{name} in rollouts: n = {span} replies a condition; bars: 95 % Wilson",
    )


def _lines(
    axes: Axes, found: Json, conditions: list[Json], reading: str, curve: dict
) -> bool:
    """The lines of all directions and the paper's; returns whether there are any."""
    emotions = emotions_of(found)
    top = max(abs(c["strength"]) for c in conditions) or 1.0
    some = False
    band: dict[float, tuple[float, float]] = {}
    for name in filter(is_random, found["directions"]):
        line = points(conditions, name, reading)
        axes.plot([p[0] for p in line], [p[1] for p in line], color=PALE, lw=0.6)
        for strength, _, low, high in line:
            least, most = band.get(strength, (low, high))
            band[strength] = min(low, least), max(high, most)
    if band:
        xs = sorted(band)
        axes.fill_between(
            xs, *zip(*(band[x] for x in xs), strict=True), color=PALE, alpha=0.25, lw=0
        )
    for place, name in enumerate(emotions):
        line = points(conditions, name, reading)
        some = some or bool(line)
        shift = (place - (len(emotions) - 1) / 2) * 0.07 * top
        error_bars(
            axes, [(s + shift * bool(s), *rest) for s, *rest in line], **look_of(place)
        )
        told = curve.get(name, [])
        look = look_of(place) | {"mfc": "white", "ms": 2.5, "lw": 0.7}
        if line:
            axes.plot(*zip(*told, strict=True), ls="--", zorder=1.5, **look)
    base = points(conditions, "unsteered", reading)
    error_bars(axes, base, color=DARK, marker="_", ms=7, lw=0, zorder=4)
    if not (some or base):
        return False
    axes.set(xlabel="strength")
    axes.locator_params(axis="x", nbins=5)
    return True


def _differences(axes: Axes, found: Json, reading: str) -> None:
    """Emotion less random directions, by choice (filled) and in rollouts (hollow)."""
    measured = {"choice": found["choice"]["differences"]}
    if found["rollout"] is not None:
        measured["rollouts"] = found["rollout"]["differences"]
    kept = {
        name: [d for d in rows if d["reading"] == reading and d["value"] is not None]
        for name, rows in measured.items()
    }
    emotions = emotions_of(found)
    rows = {
        (c["direction"], c["strength"])
        for c in found["choice"]["conditions"]
        if c["direction"] in emotions
    }
    order = sorted(rows, key=lambda row: (emotions.index(row[0]), row[1]))
    title(axes, f"{spaced(reading).capitalize()}: emotion minus random")
    if not any(kept.values()):
        say(axes, "no emotion beside\nrandom directions")
        return
    axes.axvline(0, color=DARK, lw=0.5)
    for shift, (name, some) in zip((-0.17, 0.17), kept.items(), strict=False):
        for d in some:
            y = order.index((d["direction"], d["strength"])) + shift
            look = look_of(emotions.index(d["direction"]))
            face = look["color"] if name == "choice" else "white"
            axes.plot([d["low"], d["high"]], [y, y], color=look["color"], lw=1)
            axes.plot(d["value"], y, **look | {"mfc": face, "lw": 0})
    axes.set_yticks(range(len(order)), [f"{d} {signed(s)}" for d, s in order])
    axes.set(ylim=(len(order) - 0.5, -0.5), xlabel="difference")
    axes.locator_params(axis="x", nbins=4)
    sizes = [
        f"{look} {name} n = {some[0]['n']}"
        for look, (name, some) in zip(
            ("filled:", "hollow:"), kept.items(), strict=False
        )
        if some
    ]
    count = sum(map(is_random, found["directions"]))
    title(
        axes,
        f"{spaced(reading).capitalize()}, emotion minus mean of {count} random "
        f"directions, 95 %; {'; '.join(sizes)}",
        letters=33,
    )


def _trade_off(axes: Axes, found: Json) -> None:
    """Agreeing where it is wrong against warmth where it is due, by choice."""
    conditions = found["choice"]["conditions"]
    axes.set(xlabel="support of people in distress", ylabel=spaced(found["main"]))
    axes.locator_params(nbins=4)
    title(
        axes,
        "The trade-off, by choice: means over entries, bars 95 %. Filled: steered "
        "towards the emotion, hollow: away",
    )
    for name in sorted(found["directions"], key=is_random, reverse=True):
        warm = points(conditions, name, "support")
        bad = points(conditions, name, found["main"])
        if not warm or len(warm) != len(bad):
            say(axes, "warmth was not measured")
            return
        if is_random(name):
            xs, ys = [p[1] for p in warm], [p[1] for p in bad]
            axes.plot(xs, ys, ".-", color=PALE, lw=0.6, ms=3, zorder=1)
            continue
        look = look_of(emotions_of(found).index(name))
        axes.plot([p[1] for p in warm], [p[1] for p in bad], color=look["color"], lw=1)
        for (strength, x, left, right), (_, y, low, high) in zip(
            warm, bad, strict=True
        ):
            face = look["color"] if strength > 0 else "white"
            axes.plot([left, right], [y, y], color=look["color"], lw=0.4)
            axes.plot([x, x], [low, high], color=look["color"], lw=0.4)
            if strength:
                axes.plot(x, y, **look | {"mfc": face})
    for x, y in zip(
        points(conditions, "unsteered", "support"),
        points(conditions, "unsteered", found["main"]),
        strict=True,
    ):
        axes.plot(x[1], y[1], "s", color=DARK, ms=5, zorder=4)


def _legend(top: SubFigure, emotions: list[str]) -> None:
    """What the lines are, over all panels."""
    handles = [
        Line2D([], [], label=name, **look_of(place))
        for place, name in enumerate(emotions)
    ]
    handles += [
        Line2D(
            [],
            [],
            ls="--",
            color=DARK,
            marker="o",
            mfc="white",
            ms=2.5,
            lw=0.7,
            label="the paper's rate of that emotion",
        ),
        Line2D([], [], color=PALE, lw=3, label="random directions, their intervals"),
        Line2D([], [], color=DARK, marker="_", ms=7, lw=0, label="unsteered"),
    ]
    top.legend(handles=handles, loc="upper left", ncols=3)
