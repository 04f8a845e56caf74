"""What all figures share: style, panels, titles and numbers, and how they are saved.

The figures themselves are in `figures_map`, `figures_clusters`, `figures_layers` and
`figures_texts`: each a function from plain data, as the steps write it, to one figure.
All are readable in black and white (marker, line style or place besides colour) and
narrow enough for a phone and for a printed column and a half.
"""

import textwrap
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.transforms import Bbox

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
DARK, PALE = "#222222", "#999999"


def save(figure: Figure, path: Path) -> None:
    """Write a figure as SVG or PNG: the same figure gives the same bytes.

    Args:
        figure: any figure.
        path: ends in `.svg` or `.png`.
    """
    kind = path.suffix.removeprefix(".")
    nothing = {"Date": None} if kind == "svg" else {"Software": None}
    with rc_context(STYLE), whole(path) as partial:
        settle(figure)
        figure.savefig(partial, format=kind, dpi=150, metadata=nothing)


def new_figure(height: float, rows: int = 1, columns: int = 1, **kwargs: Any) -> tuple:
    """A figure of the common width, and its axes."""
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.subplots(rows, columns, **kwargs)


def settle(figure: Figure) -> None:
    """Fix the layout, so that labels can be placed in what are the final axes."""
    if not isinstance(figure.get_layout_engine(), ConstrainedLayoutEngine):
        return  # it is fixed already
    # Letters are a little wider at the files' own resolutions than in this draw.
    figure.get_layout_engine().set(rect=(0.02, 0, 0.96, 1))
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    # The layout's last bits differ from run to run; the files must not.
    for part in figure.subfigs:
        bounds = np.round(part.bbox_relative.bounds, 6)
        part._redo_transform_rel_fig(Bbox.from_bounds(*bounds))
    for axes in figure.axes:
        axes.set_position(np.round(axes.get_position().bounds, 6))


def set_title(axes: Axes, text: str) -> None:
    """A title as wide as its axes allow."""
    width = axes.get_subplotspec().get_position(axes.figure).width
    letters = max(24, int(width * WIDTH * 16.5))
    lines = [textwrap.fill(line, letters) for line in text.split("\n")]
    axes.set_title("\n".join(lines))


def set_head(figure: Figure, text: str) -> None:
    """A title over all panels."""
    figure.suptitle(textwrap.fill(text, 78), fontsize=8.5, x=0.01, ha="left")


def say(axes: Axes, text: str) -> None:
    """Words in the place of a panel that has nothing to show."""
    axes.set(xticks=[], yticks=[])
    axes.text(0.5, 0.5, text, ha="center", va="center", transform=axes.transAxes)


def first_ratings(geometry: Json) -> Json | None:
    """The first ratings, if enough words have any."""
    return geometry["ratings"].get(geometry["first_ratings"])


def layer_of(result: Json) -> str:
    """The fixed layer in words: layers count from 0, and blocks are counted from 1."""
    layer = result["fixed_layer"]
    return f"layer {layer} (the {ordinal(layer + 1)} of {result['blocks']})"


def ordinal(n: int) -> str:
    """A number as "21st"."""
    teens = 10 <= n % 100 < 20
    return f"{n}{'th' if teens else {1: 'st', 2: 'nd', 3: 'rd'}.get(n % 10, 'th')}"


def beside_words(row: Json) -> str:
    """What the words alone give for a finding, and the difference, as printed."""
    low, high = number(row["baseline_low"]), number(row["baseline_high"])
    return (
        f"words alone: {number(row['baseline'])} [{low}, {high}]; difference "
        f"{number(row['difference'])} [{number(row['difference_low'])}, "
        f"{number(row['difference_high'])}]"
    )


def compared(low: float, high: float) -> str:
    """What the interval of a difference says: `better`, `worse` or `no better`."""
    return "better" if low > 0 else "worse" if high < 0 else "no better"


def measured_row(findings: Findings, name: str) -> Json | None:
    """The finding of that name, if it was measured."""
    found = [row for row in findings if row["id"] == name]
    return found[0] if found and found[0]["ours"] is not None else None


def with_interval(row: Json) -> str:
    """A finding's value and interval as they are printed."""
    low, high = number(row["ci_low"]), number(row["ci_high"])
    return f"{number(row['ours'])} [{low}, {high}]"


def number(value: float | None, digits: int = 2) -> str:
    """A number as it is printed: a true minus sign, no minus before zero."""
    if value is None or not np.isfinite(value):
        return "–"
    text = f"{value:.{digits}f}"
    return text.replace("-", "" if float(text) == 0 else "−")
