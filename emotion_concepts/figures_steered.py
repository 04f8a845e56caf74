"""What the figures of behaviours under steering share: names, looks, points."""

import textwrap
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from emotion_concepts.directions import is_random
from emotion_concepts.figures import COLOURS, Json

MARKERS = "os^vDPX*<>"


def shown_readings(found: Json) -> list[str]:
    """The main reading, and harshness where it is one: they trade off."""
    return [found["main"], *(["harshness"] if "harshness" in found["readings"] else [])]


def emotions_of(found: Json) -> list[str]:
    """The emotions that the model was steered with."""
    return [name for name in found["directions"] if not is_random(name)]


def spaced(name: str) -> str:
    """A name as words."""
    return name.replace("_", " ")


def signed(strength: float) -> str:
    """A strength with its sign, as printed; as many digits as it has."""
    return f"{strength:+g}".replace("-", "−") if strength else "0"


def points(
    conditions: list[Json], direction: str, reading: str
) -> list[tuple[float, float, float, float]]:
    """(strength, value, low, high) of a direction, with the unsteered model at 0.

    Rates of no graded reply, and readings whose grader is not trusted, are left out.
    """
    some = []
    for c in conditions:
        value = c["readings"].get(reading)
        if c["direction"] in (direction, "unsteered") and value and value["n"]:
            middle = value["value"] if "value" in value else value["rate"]
            some.append((c["strength"], middle, value["low"], value["high"]))
    return sorted(some)


def look_of(place: int) -> dict[str, Any]:
    """The colour and marker of the emotion in this place."""
    return {
        "color": COLOURS[place % len(COLOURS)],
        "marker": MARKERS[place % len(MARKERS)],
        "ms": 4,
        "lw": 1.2,
    }


def error_bars(axes: Axes, line: list[tuple], **look: Any) -> None:
    """Points with intervals; `line` has (x, value, low, high)."""
    if not line:
        return
    x, value, low, high = np.array(line).T
    spread = np.clip([value - low, high - value], 0, None)
    axes.errorbar(x, value, yerr=spread, elinewidth=0.8, **look)


def title(axes: Axes, text: str, letters: int = 37) -> None:
    """A title of lines so short that it fits over half of a figure."""
    text = text.replace(" = ", "\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}")
    lines = [textwrap.fill(line, letters) for line in text.split("\n")]
    axes.set_title("\n".join(lines))
