"""What the words of the stories alone give."""

import numpy as np
import pytest

from emotion_concepts import words
from emotion_concepts.vectors import cosines
from emotion_concepts.words import bag_of_words_ranks, word_rows

TRAIN = ["sun beach", "sun warm", "rain cold", "rain dark"]
LABELS = np.array([0, 0, 1, 1])


def made_up_texts(count: int) -> list[str]:
    """Each text has 12 of 60 words."""
    generator = np.random.default_rng(0)
    return [
        " ".join(f"word{i}" for i in generator.choice(60, 12, replace=False))
        for _ in range(count)
    ]


def test_rows_keep_the_words_angles_in_fewer_dimensions(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    texts = made_up_texts(40)
    whole = word_rows([*texts, texts[0]])
    assert cosines(whole, whole)[0, -1] == pytest.approx(1, abs=1e-5)
    monkeypatch.setattr(words, "WIDTH", 30)
    few = word_rows([*texts, texts[0]])
    assert few.shape == (41, 30)
    gap = np.abs(cosines(few, few) - cosines(whole, whole))
    assert gap.mean() < 0.1
    assert np.array_equal(few, word_rows([*texts, texts[0]]))


@pytest.mark.parametrize("texts", [["a", "b"], ["one two", "two three"], ["", ""]])
def test_tiny_stories_have_no_words_to_compare(texts: list[str]) -> None:
    assert word_rows(texts).shape == (2, 0)


def test_the_bag_of_words_uses_words_and_knows_only_the_training_topics() -> None:
    tests = ["sun", "rain", "nothing"]
    places = bag_of_words_ranks(TRAIN, LABELS, tests, np.array([0, 1, 0]), 3)
    assert places.tolist()[:2] == [1, 1]


def test_the_bag_of_words_ranks_among_all_emotions() -> None:
    assert bag_of_words_ranks(TRAIN, LABELS, ["sun"], np.array([4]), 6).tolist() == [6]
    gaps = np.array([1, 1, 5, 5])
    assert bag_of_words_ranks(TRAIN, gaps, ["rain"], np.array([5]), 6).tolist() == [1]


def test_a_bag_of_words_without_words_puts_the_right_emotion_last() -> None:
    assert bag_of_words_ranks(["a"], np.array([0]), ["a"], np.array([0]), 4) == [4]
