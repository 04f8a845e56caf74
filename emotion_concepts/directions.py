"""Directions to probe and to steer with: the emotion vectors, and random ones beside
them.

A random direction is the control of every steering result: it is as long as the real
one, because both are taken as shares of the residual norm. It is the same at every
layer, as the emotion vectors nearly are, so that what it adds at several layers adds up
as theirs does.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from emotion_concepts.store import read_meaning, read_tensor, same_model, seed_of
from emotion_concepts.vectors import stored_kind

RANDOM = "random"  # a random direction's name is this and a number


@dataclass(frozen=True)
class Directions:
    """The emotion vectors of a study at every captured layer.

    Attributes:
        emotions: their names.
        layers: the captured layers.
        blocks: number of blocks in the model.
        fixed: place in `layers` of the layer fixed before looking.
        vectors: (layers, emotions, width), of the recipe that the config chose.
        norms: (layers,) mean norm of the residual stream: the unit of strength.
    """

    emotions: list[str]
    layers: list[int]
    blocks: int
    fixed: int
    vectors: np.ndarray
    norms: np.ndarray

    def named(self, name: str) -> np.ndarray:
        """(layers, width) of an emotion, or of `random 1`, `random 2` ..."""
        if name in self.emotions:
            return self.vectors[:, self.emotions.index(name)]
        draw = np.random.default_rng(seed_of(name)).normal(size=self.vectors.shape[2])
        return np.broadcast_to(draw, (len(self.layers), len(draw)))

    def at(self, places: list[int]) -> list[int]:
        """The layers in these places."""
        return [self.layers[place] for place in places]


def read_directions(path: Path, identity: str) -> Directions:
    """Read the vectors that a model's study made.

    Raises:
        StudyError: another model made them.
    """
    same_model(identity, path)
    meaning = read_meaning(path)
    return Directions(
        meaning["emotions"],
        meaning["layers"],
        meaning["blocks"],
        meaning["layers"].index(meaning["fixed_layer"]),
        read_tensor(path, stored_kind(meaning["denoise"])),
        read_tensor(path, "norm"),
    )


def random_names(count: int) -> list[str]:
    """`random 1`, `random 2` ..."""
    return [f"{RANDOM} {number + 1}" for number in range(count)]


def is_random(name: str) -> bool:
    """Whether a direction is a random one."""
    return name.startswith(RANDOM + " ")


def layer_ranges(directions: Directions, count: int) -> list[list[int]]:
    """Places of the captured layers in each of so many equal parts of the depth, early
    to late.

    A part in which no layer was captured is empty.
    """
    parts: list[list[int]] = [[] for _ in range(count)]
    for place, layer in enumerate(directions.layers):
        parts[layer * count // directions.blocks].append(place)
    return parts
