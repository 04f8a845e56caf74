"""The figures of which emotions are alike: their cosines and their clusters."""

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure

from emotion_concepts.figures import (
    COLOURS,
    DARK,
    SMALL,
    STYLE,
    Json,
    layer_of,
    new_figure,
    number,
    set_head,
    set_title,
    settle,
)
from emotion_concepts.labels import label_points

MARKERS = "os^vDPX*<>"


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
    figure, (axes, side) = new_figure(6.2, 1, 2, width_ratios=[10, 3], sharey=True)
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
    set_head(
        figure,
        f"Cosines between {n} emotion vectors, neighbours in hierarchical order; "
        + layer_of(geometry)
        + (f"; every {_ordinal(step)} word named" if step > 1 else "")
        + f". Not centred, any two would be alike: mean cosine {_pairs(geometry)}",
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
    figure, axes = new_figure(5.6)
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
    set_title(
        axes,
        f"{count} k-means clusters of {len(words)} emotion vectors\n"
        "numbered by size, with their most typical words; the plane (UMAP) is for "
        "display only",
    )
    settle(figure)
    rounds = [o[i] for i in range(5) for o in order if i < len(o)]
    label_points(axes, places, words, rounds, count, 5 * count)
    return figure


def _pairs(geometry: Json) -> str:
    pairs = {k: number(v, 3) for k, v in geometry["uncentred_cosine"].items()}
    return f"{pairs['mean']} (95 % of pairs {pairs['low']} to {pairs['high']})"


def _ordinal(n: int) -> str:
    return {2: "second", 3: "third"}.get(n, f"{n}th")
