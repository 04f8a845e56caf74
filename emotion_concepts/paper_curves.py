"""The paper's own steering curves, to be drawn beside the reproduced ones."""

import csv
from pathlib import Path

Curves = dict[str, dict[str, list[tuple[float, float]]]]

# What each figure of the paper shows; Figure 35 names it in its panels.
FIGURES = {"28": "blackmail", "29": "blackmail", "31": "reward_hacking"}


def paper_curves(path: Path) -> Curves:
    """Read the curves: behaviour or panel, vector, and its (strength, rate) in order.

    Figures 28 and 29 both show blackmail under `desperate` and `calm`; the readings of
    the first are kept.

    Args:
        path: `paper_curves.csv`.
    """
    sources: dict[tuple[str, str], str] = {}
    curves: Curves = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            name = FIGURES.get(row["figure"], row["panel"])
            key = (name, row["vector"])
            if sources.setdefault(key, row["figure"]) == row["figure"]:
                point = float(row["strength"]), float(row["rate"])
                curves.setdefault(name, {}).setdefault(row["vector"], []).append(point)
    return {
        name: {vector: sorted(points) for vector, points in vectors.items()}
        for name, vectors in curves.items()
    }
