"""Words beside their points, placed so that no two overlap."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from emotion_concepts.figures import DARK, PALE, SMALL


def label_points(
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
