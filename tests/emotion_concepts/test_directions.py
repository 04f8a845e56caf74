"""The directions that are probed and steered with."""

from pathlib import Path

import numpy as np
import pytest

from emotion_concepts.directions import (
    Directions,
    is_random,
    layer_ranges,
    random_names,
    read_directions,
)
from emotion_concepts.errors import StudyError
from emotion_concepts.store import write_tensors


def directions(layers: list[int], blocks: int) -> Directions:
    """Three emotions' vectors at some layers."""
    vectors = np.random.default_rng(0).normal(size=(len(layers), 3, 64))
    return Directions(["a", "b", "c"], layers, blocks, 0, vectors, np.ones(len(layers)))


def test_random_directions_are_the_same_for_ever_and_unlike_each_other() -> None:
    some = directions([0, 1], 2)
    names = random_names(5)
    assert all(map(is_random, names))
    assert not is_random("randomness")
    first, second = some.named(names[0]), some.named(names[1])
    assert first.shape == (2, 64)
    assert np.array_equal(first[0], first[1])
    assert np.array_equal(first, directions([0, 1], 2).named(names[0]))
    assert abs(np.corrcoef(first[0], second[0])[0, 1]) < 0.5
    assert np.array_equal(some.named("b"), some.vectors[:, 1])


def test_ranges_part_the_depth_equally_by_the_layers_that_there_are() -> None:
    assert layer_ranges(directions(list(range(30)), 30), 6) == [
        list(range(5 * n, 5 * n + 5)) for n in range(6)
    ]
    few = layer_ranges(directions([3, 7, 11], 12), 6)
    assert few == [[], [0], [], [1], [], [2]]


def test_the_recipe_and_the_unit_of_strength_come_from_the_vectors_file(
    tmp_path: Path,
) -> None:
    path = tmp_path / "vectors.safetensors"
    arrays = {
        name: np.full((2, 3, 4), number, np.float32)
        for number, name in enumerate(("raw", "within", "neutral"))
    }
    meaning = {
        "model": "m",
        "emotions": ["a", "b", "c"],
        "layers": [4, 9],
        "blocks": 10,
        "fixed_layer": 9,
    }
    for denoise, number in (("none", 0), ("within", 1), ("neutral", 2)):
        norm = {"norm": np.array([2.0, 3.0], np.float32)}
        write_tensors(path, arrays | norm, meaning | {"denoise": denoise})
        found = read_directions(path, "m")
        assert (found.vectors == number).all()
        assert found.norms.tolist() == [2.0, 3.0]
        assert found.at([1]) == [9]
        assert found.fixed == 1
    with pytest.raises(StudyError, match="another model"):
        read_directions(path, "other")
