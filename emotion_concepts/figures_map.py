"""The figures of the map: its first axes, and what people say of the words."""

from collections.abc import Iterable, Sequence

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from emotion_concepts.figures import (
    COLOURS,
    DARK,
    PALE,
    SMALL,
    STYLE,
    Findings,
    Json,
    beside_words,
    first_ratings,
    layer_of,
    measured_row,
    new_figure,
    number,
    say,
    set_title,
    settle,
    with_interval,
)
from emotion_concepts.labels import label_points

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
LABELS = 60  # at most so many words are named


@rc_context(STYLE)
def emotion_map(geometry: Json, findings: Findings) -> Figure:
    """The emotions along the first two principal components (paper, Figure 7).

    Args:
        geometry: `geometry.json`.
        findings: `findings.json`.

    Returns:
        All emotions as points, some with their names; the rated ones by human pleasure.
    """
    emotions, people = geometry["emotions"], first_ratings(geometry)
    scores = _columns(geometry["scores"], 2)
    row = measured_row(findings, "geometry.pc1_valence_r")
    figure, axes = new_figure(5.9)
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
    set_title(axes, _map_title(geometry, row))
    settle(figure)
    first = {emotions.index(word) for word in FOCUS if word in emotions}
    for column in scores.T:
        first |= set(np.argsort(column)[:4]) | set(np.argsort(column)[-4:])
    far = np.argsort(-np.linalg.norm(scores / (scores.std(0) + 1e-12), axis=1))
    order = sorted(range(len(emotions)), key=lambda i: (i not in first, i not in rated))
    order = [*order[: len(first)], *[i for i in far if i not in first]]
    label_points(axes, scores, emotions, order, len(first), LABELS)
    return figure


def _map_title(geometry: Json, row: Json | None) -> str:
    where = f"{len(geometry['emotions'])} emotions, {layer_of(geometry)}"
    if row is None:
        return f"Along their first two axes: {where}"
    seen = (
        "Pleasant and unpleasant words part along the first axis"
        if row["clear_of_null"]
        else "The first axis is not clearly one of pleasure"
    )
    return f"{seen}\n{where}; r with pleasure {with_interval(row)}"


@rc_context(STYLE)
def people(geometry: Json, findings: Findings) -> Figure:
    """Components against what people say of the words (paper, Figure 8).

    Args:
        geometry: `geometry.json`.
        findings: `findings.json`.

    Returns:
        PC1 against pleasure, and PC2 or PC3 against arousal.
    """
    figure, panels = new_figure(7.4, 2, 1)
    rated = first_ratings(geometry)
    columns = len(geometry["scores"][0])
    for axes, rating, candidates, seen in (
        (panels[0], "pleasure", [0], "PC1 against pleasure"),
        (panels[1], "arousal", [1, 2], "{} against arousal"),
    ):
        candidates = [c for c in candidates if c < columns]
        if not rated or not candidates:
            set_title(axes, seen.format("PC2 or PC3"))
            say(axes, "fewer than three of these emotions\nhave been rated by people")
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
        row = measured_row(findings, f"geometry.{name}")
        text = seen.format(f"PC{best + 1}")
        if row:
            text += (
                f": |r| = {with_interval(row)}, n = {row['n']} {row['unit']}\n"
                f"null, 95 %: {number(row['null_low'])} to {number(row['null_high'])}"
            )
            text += "" if row["paper"] is None else f"; paper {row['paper']:.2f}"
            text += "" if row["baseline"] is None else f"\n{beside_words(row)}"
        else:
            text += f": r = {abs(strength[best]):.2f}, n = {len(places)} words"
        set_title(axes, text)
    settle(figure)
    for axes in panels:
        if not axes.collections:
            continue
        points = np.asarray(axes.collections[0].get_offsets())
        far = np.argsort(-np.abs(points - points.mean(0)).sum(1))
        label_points(axes, points, rated["words"], list(far), 0, len(points))
    return figure


def _columns(scores: Iterable, count: int) -> np.ndarray:
    """The first components; zeros where there are fewer."""
    scores = np.array(scores, float)[:, :count]
    return np.pad(scores, ((0, 0), (0, count - scores.shape[1])))


def _sign(correlations: Sequence[float], component: int) -> int:
    """The side that makes a component's correlation positive."""
    known = component < len(correlations)
    return -1 if known and correlations[component] < 0 else 1
