"""The map of the emotions (paper, section 5): its axes, its neighbours, and what people
say.

Everything here starts from centred cells (emotions, topics, width), see `vectors`, so
that every number can be recomputed for a resampled set of topics. The number of removed
components is the one chosen beforehand; the within-emotion components themselves are
recomputed with each sample, but for the comparison of layers.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from scipy.cluster import hierarchy
from sklearn.cluster import KMeans
from sklearn.model_selection import KFold

from emotion_concepts.progress import Progress
from emotion_concepts.statistics import correlation
from emotion_concepts.vectors import cosines, emotion_vectors, remove, within_components

PENALTIES = np.logspace(-3, 5, 17)
FEWEST_WORDS = 10  # a correlation over fewer says nothing
CORRELATIONS = (
    "pc1_valence_r",
    "arousal_r",
    "valence_decoding_r",
    "arousal_decoding_r",
)
AROUSAL_COMPONENTS = (1, 2)  # PC2 and PC3: the paper's arousal is "a mix" of the two

Denoise = Callable[[np.ndarray, np.ndarray | None], np.ndarray]


@dataclass(frozen=True)
class Axes:
    """Principal components of a set of emotion vectors.

    Attributes:
        scores: (emotions, components) place of each emotion along each component.
        directions: (components, width) orthonormal.
        variance: (components,) share of the variance along each.
    """

    scores: np.ndarray
    directions: np.ndarray
    variance: np.ndarray


def principal_axes(vectors: np.ndarray, count: int = 10) -> Axes:
    """Principal components over emotions of vectors (emotions, width), whose mean is
    zero.
    """
    left, sizes, directions = np.linalg.svd(vectors, full_matrices=False)
    return Axes(
        (left * sizes)[:, :count],
        directions[:count],
        (sizes**2 / np.sum(sizes**2))[:count],
    )


def read_out(vectors: np.ndarray, ratings: np.ndarray, seed: int = 0) -> np.ndarray:
    """Ratings of each word as ridge regression on the other words' vectors predicts
    them.

    Ten folds; the penalty is chosen within the nine that are fitted.

    Args:
        vectors: (words, width).
        ratings: (words,).
        seed: of the folds.

    Returns:
        (words,) predictions, each from a fit without its word.
    """
    predicted = np.empty(len(ratings))
    folds = KFold(min(10, len(ratings)), shuffle=True, random_state=seed)
    scale = np.linalg.norm(vectors, axis=1).mean() or 1.0
    scaled = vectors.astype(float) / scale * 10
    for fit, test in folds.split(scaled):
        predicted[test] = _ridge(scaled[fit], ratings[fit], scaled[test])
    return predicted


def _ridge(fit: np.ndarray, ratings: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Predictions of a ridge regression whose penalty best predicts each fitted word
    from the other fitted ones (in closed form).

    There are fewer words than dimensions, and it is fitted thousands of times.
    """
    rest, centred = fit - fit.mean(0), ratings - ratings.mean()
    values, turn = np.linalg.eigh(rest @ rest.T)
    shrunk = 1 / (values.clip(min=0)[:, None] + PENALTIES)
    weights = turn @ (shrunk * (turn.T @ centred)[:, None])
    kept = PENALTIES * (turn**2 @ shrunk) - 1 / len(fit)
    best = np.argmin(np.mean((PENALTIES * weights / kept) ** 2, axis=0))
    return (test - fit.mean(0)) @ rest.T @ weights[:, best] + ratings.mean()


@dataclass(frozen=True)
class Rated:
    """The emotions that people have rated: their indices, pleasure and arousal."""

    index: np.ndarray
    pleasure: np.ndarray
    arousal: np.ndarray


def rated(emotions: list[str], ratings: dict[str, dict[str, float]]) -> Rated:
    """The human ratings of those emotions that have any."""
    words = [e for e in emotions if e in ratings]
    return Rated(
        np.array([emotions.index(w) for w in words], dtype=int),
        np.array([ratings[w]["pleasure"] for w in words]),
        np.array([ratings[w]["arousal"] for w in words]),
    )


def measure(
    vectors: np.ndarray,
    people: Rated,
    words: np.ndarray,
) -> dict[str, float]:
    """The numbers of the map, for one set of vectors and one sample of the rated words.

    The sign of a component means nothing, so correlations with components are absolute.

    Args:
        vectors: (emotions, width).
        people: the human ratings.
        words: (n,) which of the rated words count, by place, with repeats in a
            bootstrap sample.

    Returns:
        `pc1_variance`, `pc2_variance`, `pc1_valence_r`, `arousal_r` (the larger of PC2
        and PC3), `valence_decoding_r`, `arousal_decoding_r`.
    """
    axes = principal_axes(vectors, 4)
    pleasure, arousal = people.pleasure[words], people.arousal[words]
    scores = axes.scores[people.index[words]]
    predicted = read_outs(vectors, people)
    variance = {
        "pc1_variance": float(axes.variance[0]),
        "pc2_variance": float(axes.variance[1]),
    }
    if len(people.index) < FEWEST_WORDS:
        return variance | dict.fromkeys(CORRELATIONS, float("nan"))
    return variance | {
        "pc1_valence_r": abs(correlation(scores[:, 0], pleasure)),
        "arousal_r": max(
            abs(correlation(scores[:, c], arousal)) for c in AROUSAL_COMPONENTS
        ),
        "valence_decoding_r": correlation(predicted["pleasure"][words], pleasure),
        "arousal_decoding_r": correlation(predicted["arousal"][words], arousal),
    }


def read_outs(vectors: np.ndarray, people: Rated) -> dict[str, np.ndarray]:
    """Cross-validated predictions of both ratings; nan if too few words are rated."""
    if len(people.index) < FEWEST_WORDS:
        return dict.fromkeys(
            ("pleasure", "arousal"), np.full(len(people.index), np.nan)
        )
    return {
        "pleasure": read_out(vectors[people.index], people.pleasure),
        "arousal": read_out(vectors[people.index], people.arousal),
    }


def bootstrap(
    cells: np.ndarray,
    denoise: Denoise,
    people: Rated,
    resamples: int,
    seed: int,
    progress: Progress,
) -> dict[str, np.ndarray]:
    """The numbers of the map over resampled topics and, where people rated, resampled
    words.

    Args:
        cells: (emotions, topics, width) centred cells.
        denoise: vectors from cells and topic weights.
        people: the human ratings.
        resamples: how often.
        seed: of the resampling; with the same seed other cells of the same topics are
            resampled alike, so that the two can be compared sample by sample.
        progress: is told of every sample.

    Returns:
        By name, (resamples,) values.
    """
    generator = np.random.default_rng(seed)
    topics, samples = cells.shape[1], []
    for _ in range(resamples):
        drawn = generator.integers(topics, size=topics)
        weights = np.bincount(drawn, minlength=topics).astype(float)
        words = generator.integers(len(people.index), size=len(people.index))
        samples.append(measure(denoise(cells, weights), people, words))
        progress.add(1)
    return {name: np.array([s[name] for s in samples]) for name in samples[0]}


def permuted(
    cells: np.ndarray,
    denoise: Denoise,
    people: Rated,
    resamples: int,
    seed: int,
    progress: Progress,
) -> dict[str, np.ndarray]:
    """The numbers of the map when the emotions of the stories mean nothing.

    Within every topic the emotions are dealt out anew, so that a vector is the mean of
    stories of different emotions; what is left is what chance, the topics and the
    ratings give.
    """
    generator = np.random.default_rng(seed)
    emotions, topics, _ = cells.shape
    every = np.arange(len(people.index))
    samples = []
    for _ in range(resamples):
        deal = np.argsort(generator.random((emotions, topics)), axis=0)
        shuffled = np.take_along_axis(cells, deal[..., None], axis=0)
        samples.append(measure(denoise(shuffled, None), people, every))
        progress.add(1)
    return {name: np.array([s[name] for s in samples]) for name in samples[0]}


def leaf_order(vectors: np.ndarray) -> list[int]:
    """The emotions in hierarchical order, neighbours by cosine next to each other
    (Figure 5).
    """
    distances = 1 - cosines(vectors, vectors)
    condensed = distances[np.triu_indices(len(vectors), 1)].clip(min=0)
    tree = hierarchy.linkage(condensed, "average", optimal_ordering=True)
    return hierarchy.leaves_list(tree).tolist()


def pair_cosines(vectors: np.ndarray) -> dict[str, float]:
    """The mean cosine of two emotions, and the middle 95 % of all pairs."""
    pairs = similarity(vectors)
    low, high = np.percentile(pairs, [2.5, 97.5])
    return {"mean": float(pairs.mean()), "low": float(low), "high": float(high)}


def clusters(vectors: np.ndarray, count: int, seed: int) -> np.ndarray:
    """k-means cluster (emotions,) of each vector's direction (Table 12), the largest
    cluster 0.
    """
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    labels = KMeans(count, n_init=20, random_state=seed).fit_predict(unit)
    sizes = np.bincount(labels, minlength=count)
    return np.argsort(np.argsort(-sizes, kind="stable"))[labels]


def similarity(vectors: np.ndarray) -> np.ndarray:
    """Cosines between all pairs of emotions, as one row (the upper triangle)."""
    return cosines(vectors, vectors)[np.triu_indices(len(vectors), 1)]


def between_layers(similarities: np.ndarray) -> np.ndarray:
    """Cosine between the layers' similarity structures (Figure 9).

    Args:
        similarities: (layers, pairs), see `similarity`.

    Returns:
        (layers, layers).
    """
    return cosines(similarities, similarities)


def middle_to_late(layers: list[int], blocks: int) -> list[int]:
    """Places of the layers from early-middle to late: from a third of the depth to nine
    tenths.

    The paper compares the fifth to the fourteenth of 14 layers over "a central
    portion". None where there is only one: it takes two to compare.
    """
    places = [
        i for i, layer in enumerate(layers) if 1 / 3 <= (layer + 1) / blocks <= 0.9
    ]
    return places if len(places) > 1 else []


def resampled_rsa(
    layers: Iterable[tuple[np.ndarray, np.ndarray]],
    resamples: int,
    seed: int,
    progress: Progress,
) -> np.ndarray:
    """Smallest similarity between the layers' geometries, over resampled topics.

    Args:
        layers: for each layer, (emotions, topics, width) centred cells, and what is
            removed from its vectors. One layer at a time stands in memory.
        resamples: how often.
        seed: of the resampling.
        progress: is told of the samples as the layers go by.

    Returns:
        (resamples,).
    """
    rows = []
    for cells, components in layers:
        topics = cells.shape[1]
        drawn = np.random.default_rng(seed).integers(topics, size=(resamples, topics))
        rows.append(
            [
                similarity(
                    remove(
                        emotion_vectors(cells, np.bincount(d, minlength=topics)),
                        components,
                    )
                )
                for d in drawn
            ]
        )
        progress.add(resamples)
    return np.array(
        [between_layers(np.stack(sample)).min() for sample in zip(*rows, strict=True)]
    )


def permuted_rsa(
    similarities: np.ndarray,
    emotions: int,
    resamples: int,
    seed: int,
    progress: Progress,
) -> np.ndarray:
    """The same when the emotions of each layer are named at random.

    Args:
        similarities: (layers, pairs).
        emotions: how many there are.
        resamples: how often.
        seed: of the permutations.
        progress: is told of every sample.
    """
    generator = np.random.default_rng(seed)
    upper = np.triu_indices(emotions, 1)
    smallest = []
    for _ in range(resamples):
        rows = []
        for row in similarities:
            square = np.zeros((emotions, emotions), row.dtype)
            square[upper] = row
            square += square.T
            order = generator.permutation(emotions)
            rows.append(square[np.ix_(order, order)][upper])
        smallest.append(between_layers(np.stack(rows)).min())
        progress.add(1)
    return np.array(smallest)


def with_neutral(components: np.ndarray) -> Denoise:
    """Vectors less given components (the paper's recipe, or none)."""
    return lambda cells, weights: remove(emotion_vectors(cells, weights), components)


def with_within(count: int) -> Denoise:
    """Vectors less the top within-emotion components of the same sample."""

    def denoise(cells: np.ndarray, weights: np.ndarray | None) -> np.ndarray:
        components = within_components(cells, count, weights)
        return remove(emotion_vectors(cells, weights), components)

    return denoise
