"""Vectors on the crossed design, and what is taken out of them."""

import numpy as np
import pytest

from emotion_concepts import vectors as vectors_module
from emotion_concepts.vectors import (
    centred,
    choose_components,
    cosines,
    emotion_vectors,
    neutral_components,
    rank_scores,
    ranks,
    remove,
    top_components,
    within_components,
)

EMOTIONS, TOPICS, WIDTH = 20, 6, 24


def planted(seed: int = 0, noise: float = 0.3) -> tuple[np.ndarray, np.ndarray]:
    """Cells = emotion + topic + noise, and the emotions' true places."""
    generator = np.random.default_rng(seed)
    emotion = generator.normal(size=(EMOTIONS, 1, WIDTH))
    topic = 5 * generator.normal(size=(1, TOPICS, WIDTH))
    cells = emotion + topic + noise * generator.normal(size=(EMOTIONS, TOPICS, WIDTH))
    return cells.astype(np.float32), (emotion - emotion.mean(0))[:, 0]


def test_vectors_equal_a_slow_reference() -> None:
    cells, _ = planted()
    cells[3, 2] = np.nan
    cells[7] = np.nan
    expected = []
    for emotion in range(EMOTIONS):
        found = []
        for topic in range(TOPICS):
            if not np.isnan(cells[emotion, topic, 0]):
                others = [c for c in cells[:, topic] if not np.isnan(c[0])]
                found.append(cells[emotion, topic] - np.mean(others, axis=0))
        expected.append(np.mean(found, axis=0) if found else None)
    mean = np.mean([e for e in expected if e is not None], axis=0)
    vectors = emotion_vectors(centred(cells))
    for emotion, reference in enumerate(expected):
        wanted = np.zeros(WIDTH) if reference is None else reference - mean
        assert vectors[emotion] == pytest.approx(wanted, abs=1e-5)


def test_vectors_are_centred_over_all_emotions_and_free_of_topics() -> None:
    cells, truth = planted(noise=0)
    vectors = emotion_vectors(centred(cells))
    assert np.abs(vectors.mean(0)).max() < 1e-5
    assert vectors == pytest.approx(truth, abs=1e-4)


def test_a_missing_story_on_a_strong_topic_does_not_shift_its_emotion() -> None:
    cells, truth = planted(noise=0)
    cells[0, 0] = np.nan
    vectors = emotion_vectors(centred(cells))
    assert cosines(vectors[:1], truth[:1])[0, 0] > 0.95


def test_topic_weights_count_topics_as_copies_would() -> None:
    cells = centred(planted()[0])
    weights = np.array([2, 0, 1, 0, 3, 0])
    copies = np.repeat(np.arange(TOPICS), weights)
    assert emotion_vectors(cells, weights) == pytest.approx(
        emotion_vectors(cells[:, copies]), abs=1e-5
    )
    ours = within_components(cells, 3, weights)
    theirs = within_components(cells[:, copies], 3)
    assert np.abs(np.sum(ours * theirs, axis=1)) == pytest.approx(np.ones(3), abs=1e-3)


def test_within_components_find_what_varies_within_emotions() -> None:
    cells, _ = planted()
    direction = np.eye(WIDTH, dtype=np.float32)[0]
    shift = np.random.default_rng(1).normal(size=(EMOTIONS, TOPICS, 1))
    noisy = centred((cells + 10 * shift * direction).astype(np.float32))
    found = within_components(noisy, 2)
    assert abs(found[0] @ direction) > 0.99
    assert found @ found.T == pytest.approx(np.eye(2), abs=1e-5)
    assert np.abs(remove(emotion_vectors(noisy), found) @ found.T).max() < 1e-4


def test_wide_rows_give_the_same_components_faster(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    generator = np.random.default_rng(0)
    sizes = np.array([9, 7, 5, 4, *np.linspace(1, 0.1, 196)])
    rows = generator.normal(size=(300, 200)) * sizes
    exact = top_components(rows, 4)
    assert np.abs(rows @ exact.T).std(0).argmax() == 0
    monkeypatch.setattr(vectors_module, "WIDE", 100)
    wide = top_components(rows, 4)
    assert np.abs(np.sum(exact * wide, axis=1)) == pytest.approx(np.ones(4), abs=1e-4)
    assert np.array_equal(wide, top_components(rows, 4))


def test_neutral_components_are_the_fewest_that_explain_the_share() -> None:
    generator = np.random.default_rng(0)
    texts = generator.normal(size=(60, 10)) * np.array([6, 4, 2, *[1] * 7])
    components = neutral_components(texts, 0.5)
    rest = texts - texts.mean(0)
    explained = [
        np.sum((rest @ components[:k].T) ** 2) / np.sum(rest**2)
        for k in range(len(components) + 1)
    ]
    assert explained[-1] >= 0.5 > explained[-2]


def test_the_number_of_components_is_decided_by_held_out_topics() -> None:
    generator = np.random.default_rng(0)
    emotion = generator.normal(size=(EMOTIONS, 1, WIDTH))
    emotion[..., :3] = 0
    nuisance = np.zeros((EMOTIONS, TOPICS, WIDTH))
    nuisance[..., :3] = 6 * generator.normal(size=(EMOTIONS, TOPICS, 3))
    cells = emotion + nuisance + 0.5 * generator.normal(size=nuisance.shape)
    best, scores = choose_components(centred(cells))
    assert best == 3
    assert scores[3] > scores[0] + 0.05


def test_without_nuisance_nothing_is_removed_that_identifies() -> None:
    best, scores = choose_components(centred(planted(noise=0.1)[0]))
    assert scores[best] == 1.0
    assert best == 0


def test_without_emotion_the_score_is_chance() -> None:
    generator = np.random.default_rng(0)
    _, scores = choose_components(centred(generator.normal(size=(40, 6, WIDTH))))
    assert scores[0] == pytest.approx(0.5, abs=0.06)


def test_ranks_count_ties_against_the_right_emotion() -> None:
    vectors = np.eye(3)
    assert ranks(np.eye(3), vectors, np.arange(3)).tolist() == [1, 1, 1]
    assert ranks(np.zeros((1, 3)), vectors, np.array([0])).tolist() == [3]
    assert rank_scores(np.eye(3)[:1], vectors, np.array([1])).tolist() == [0.0]
