"""Do the emotion probes say what the model prefers? (paper, section 7)

A probe's value is the cosine of an emotion's vector with the residual stream on the
activity's own tokens, less the mean over activities. It is set against the Elo of the
activities, over activities; the correlations so found, one for each emotion, are then
set against people's ratings of the emotions.
"""

import numpy as np

from emotion_concepts.statistics import correlation
from emotion_concepts.vectors import cosines


def probe_values(streams: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """Centred cosine (activities, emotions) of residual streams (activities, width) to
    vectors (emotions, width).
    """
    return cosines(streams - streams.mean(0), vectors)


def column_correlations(values: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Pearson's r of each column of values (n, columns) with a target (n,)."""
    values = values - values.mean(0)
    target = target - target.mean()
    sizes = np.linalg.norm(values, axis=0) * np.linalg.norm(target)
    with np.errstate(invalid="ignore", divide="ignore"):
        return target @ values / sizes


def resampled_correlations(
    values: np.ndarray, ratings: np.ndarray, resamples: int, seed: int
) -> np.ndarray:
    """Correlations (resamples, emotions) with the Elo over resampled activities, the
    same for a seed.
    """
    generator = np.random.default_rng(seed)
    draws = generator.integers(len(values), size=(resamples, len(values)))
    return np.array([column_correlations(values[d], ratings[d]) for d in draws])


def random_correlations(
    streams: np.ndarray, ratings: np.ndarray, count: int, seed: int
) -> np.ndarray:
    """Correlations (count,) with the Elo of random directions instead of emotions'."""
    generator = np.random.default_rng(seed)
    directions = generator.normal(size=(count, streams.shape[1]))
    return column_correlations(probe_values(streams, directions), ratings)


def permuted_correlations(
    values: np.ndarray, ratings: np.ndarray, resamples: int, seed: int
) -> np.ndarray:
    """Correlations (resamples, emotions) with the Elo dealt out anew."""
    generator = np.random.default_rng(seed)
    return np.array(
        [
            column_correlations(values, generator.permutation(ratings))
            for _ in range(resamples)
        ]
    )


def with_ratings(
    correlations: np.ndarray, people: np.ndarray, index: np.ndarray, seed: int
) -> np.ndarray:
    """Over emotions, r of (probe-Elo r) with people's ratings.

    Args:
        correlations: (resamples, emotions).
        people: (rated,) one rating for each rated emotion.
        index: (rated,) their places among the emotions.
        seed: of the resampling of the rated emotions; each row draws its own.

    Returns:
        (resamples,) correlations.
    """
    generator = np.random.default_rng(seed)
    draws = generator.integers(len(index), size=(len(correlations), len(index)))
    return np.array(
        [
            correlation(row[index[d]], people[d])
            for row, d in zip(correlations, draws, strict=True)
        ]
    )
