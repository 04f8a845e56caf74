"""The map's axes, read-outs, intervals and nulls, on planted data."""

from itertools import pairwise

import numpy as np
import pytest
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import KFold

from emotion_concepts.geometry import (
    between_layers,
    bootstrap,
    clusters,
    leaf_order,
    measure,
    middle_to_late,
    pair_cosines,
    permuted,
    permuted_rsa,
    principal_axes,
    rated,
    read_out,
    resampled_rsa,
    similarity,
    with_neutral,
    with_within,
)
from emotion_concepts.progress import Progress
from emotion_concepts.vectors import centred, emotion_vectors

EMOTIONS, TOPICS, WIDTH = 60, 6, 32
NAMES = [f"e{i}" for i in range(EMOTIONS)]
RATINGS = {
    name: {"pleasure": float(p), "arousal": float(a)}
    for name, (p, a) in zip(
        NAMES[:44], np.random.default_rng(5).normal(size=(44, 2)), strict=False
    )
}
PEOPLE = rated(NAMES, RATINGS)
EVERY = np.arange(44)
QUIET = Progress("test", 10**9)
NOTHING_REMOVED = with_neutral(np.zeros((0, WIDTH)))


def planted(strength: float) -> np.ndarray:
    """Cells whose first axis is pleasure and second arousal, as strong as asked."""
    generator = np.random.default_rng(0)
    cells = generator.normal(size=(EMOTIONS, TOPICS, WIDTH))
    affect = np.random.default_rng(5).normal(size=(44, 2))
    affect = np.vstack([affect, generator.normal(size=(EMOTIONS - 44, 2))])
    cells[..., 0] += strength * affect[:, :1]
    cells[..., 1] += 0.6 * strength * affect[:, 1:]
    return centred(cells)


def test_axes_are_principal_components() -> None:
    vectors = emotion_vectors(planted(2))
    axes = principal_axes(vectors, 5)
    values = np.linalg.eigvalsh(np.cov(vectors.T))[::-1]
    assert axes.variance == pytest.approx(values[:5] / values.sum(), abs=1e-9)
    assert axes.scores == pytest.approx(vectors @ axes.directions.T, abs=1e-9)


def test_planted_affect_is_found() -> None:
    found = measure(emotion_vectors(planted(4)), PEOPLE, EVERY)
    assert found["pc1_valence_r"] > 0.9
    assert found["arousal_r"] > 0.9
    assert found["valence_decoding_r"] > 0.8


def test_absent_affect_is_not_found() -> None:
    found = measure(emotion_vectors(planted(0)), PEOPLE, EVERY)
    null = permuted(planted(0), NOTHING_REMOVED, PEOPLE, 60, 0, QUIET)
    assert found["pc1_valence_r"] < np.quantile(null["pc1_valence_r"], 0.99)
    assert found["valence_decoding_r"] < 0.4


def test_the_read_out_never_sees_the_word_that_it_predicts() -> None:
    generator = np.random.default_rng(0)
    vectors, ratings = generator.normal(size=(40, 100)), generator.normal(size=40)
    predicted = read_out(vectors, ratings)
    changed = ratings.copy()
    changed[7] += 100
    assert read_out(vectors, changed)[7] == pytest.approx(predicted[7], abs=1e-9)
    assert abs(np.corrcoef(predicted, ratings)[0, 1]) < 0.5


def test_the_read_out_is_ridge_regression_with_a_left_out_penalty() -> None:
    generator = np.random.default_rng(1)
    for width in (6, 80):
        vectors = generator.normal(size=(30, width))
        ratings = vectors[:, 0] + 0.5 * generator.normal(size=30) + 3
        scaled = vectors / np.linalg.norm(vectors, axis=1).mean() * 10
        expected = np.empty(30)
        for fit, test in KFold(10, shuffle=True, random_state=0).split(vectors):
            ridge = RidgeCV(np.logspace(-3, 5, 17)).fit(scaled[fit], ratings[fit])
            expected[test] = ridge.predict(scaled[test])
        assert read_out(vectors, ratings) == pytest.approx(expected, abs=1e-6)


def test_the_same_seed_draws_the_same_topics_and_words_for_any_cells() -> None:
    def topics_seen(cells: np.ndarray) -> list[tuple]:
        seen = []

        def denoise(cells: np.ndarray, weights: np.ndarray | None) -> np.ndarray:
            seen.append(tuple(weights))
            return emotion_vectors(cells, weights)

        bootstrap(cells, denoise, PEOPLE, 6, 0, QUIET)
        return seen

    assert topics_seen(planted(4)) == topics_seen(planted(1)[..., :9])


def test_centring_takes_away_what_all_emotions_share() -> None:
    vectors = emotion_vectors(planted(2))
    assert pair_cosines(vectors + 50)["mean"] > 0.95
    assert abs(pair_cosines(vectors)["mean"]) < 0.05


def test_the_bootstrap_spreads_around_the_number_and_repeats() -> None:
    denoise = with_within(2)
    samples = bootstrap(planted(4), denoise, PEOPLE, 40, 0, QUIET)
    again = bootstrap(planted(4), denoise, PEOPLE, 40, 0, QUIET)
    for name, values in samples.items():
        assert np.array_equal(values, again[name])
        assert values.std() > 0
    assert np.median(samples["pc1_valence_r"]) > 0.85


def test_the_null_destroys_the_emotions_but_keeps_the_stories() -> None:
    denoise = NOTHING_REMOVED
    null = permuted(planted(4), denoise, PEOPLE, 60, 0, QUIET)
    real = measure(denoise(planted(4), None), PEOPLE, EVERY)
    assert np.quantile(null["pc1_valence_r"], 0.95) < 0.5 < real["pc1_valence_r"]
    assert np.max(null["pc1_variance"]) < real["pc1_variance"]


def test_neighbours_stand_together_in_hierarchical_order() -> None:
    generator = np.random.default_rng(0)
    centres = np.eye(3)[np.tile([0, 1, 2], 5)] * 5
    order = leaf_order(centres + 0.1 * generator.normal(size=(15, 3)))
    groups = [place % 3 for place in order]
    assert sum(a != b for a, b in pairwise(groups)) == 2


def test_clusters_are_found_and_numbered_by_size() -> None:
    generator = np.random.default_rng(0)
    truth = np.repeat([0, 1, 2], [10, 6, 3])
    vectors = np.eye(8)[truth] + 0.05 * generator.normal(size=(19, 8))
    assert clusters(vectors, 3, seed=0).tolist() == truth.tolist()


def test_layers_of_one_geometry_are_alike_and_renamed_ones_are_not() -> None:
    vectors = emotion_vectors(planted(3))
    turn, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(WIDTH, WIDTH)))
    rows = np.stack([similarity(vectors), similarity(vectors @ turn)])
    assert between_layers(rows)[0, 1] == pytest.approx(1)
    assert permuted_rsa(rows, EMOTIONS, 20, 0, QUIET).max() < 0.5


def test_the_geometry_between_layers_is_resampled_over_topics() -> None:
    none = np.zeros((0, WIDTH))
    alike = [(planted(3), none), (planted(3)[..., ::-1], none)]
    values = resampled_rsa(iter(alike), 5, 0, QUIET)
    assert values == pytest.approx(np.ones(5))
    assert resampled_rsa([], 5, 0, QUIET).size == 0


def test_middle_to_late_layers_lie_between_a_third_and_nine_tenths() -> None:
    assert middle_to_late(list(range(30)), 30) == list(range(9, 27))
    assert middle_to_late([2, 5, 8, 11], 12) == [1, 2]


def test_one_middle_layer_alone_is_not_compared() -> None:
    assert middle_to_late([0, 6, 11], 12) == []
    assert middle_to_late([11], 12) == []


def test_unrated_words_are_left_out() -> None:
    people = rated(["x", "e3", "y", "e0"], RATINGS)
    assert people.index.tolist() == [1, 3]
    assert people.pleasure.tolist() == [
        RATINGS["e3"]["pleasure"],
        RATINGS["e0"]["pleasure"],
    ]
