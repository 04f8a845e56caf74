"""Emotion vectors from the residual streams of crossed stories (paper, section 3).

The stories cross every emotion with every topic, so that what a topic brings is the
same for all emotions. `cells` holds the mean of the stories of one emotion on one
topic; where none was kept it is nan. A vector is the mean over topics of an emotion's
cells, each less its topic's mean, minus the mean over emotions.

What does not belong to emotion can then be taken out of the vectors, in one of two
ways:

- `neutral` (the paper's): the top components of texts without emotion, to half their
  variance. It presumes a model whose neutral texts are neutral and as varied as its
  stories.
- `within`: the top components of how the cells of one emotion differ from each other.
  Whatever varies between stories of the same emotion is, by construction, not the
  emotion, and the model's own stories show it whatever the model writes; it is the
  shared covariance of a linear discriminant, with the largest directions removed
  instead of shrunk. How many are removed is the number that best identifies the emotion
  of stories on topics that were held out. The human ratings do not enter that choice,
  nor, in the identification, does the topic that is tested.
"""

import numpy as np
from scipy.linalg import eigh
from sklearn.utils.extmath import randomized_svd

KINDS = ("raw", "within", "neutral")  # what was taken out of the stored vectors
CANDIDATES = (0, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)
WIDE = 1024  # beyond this width, all components at once take too long
FOLDS = 12  # topics are held out one by one up to so many, in so many parts beyond


def stored_kind(denoise: str) -> str:
    """Which of the stored vectors the config's `denoise` names."""
    return "raw" if denoise == "none" else denoise


def unit(vectors: np.ndarray) -> np.ndarray:
    """Rows of length one; a row of zeros stays."""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)


def centred(cells: np.ndarray) -> np.ndarray:
    """Cells (emotions, topics, width) less their topic's mean over the emotions that it
    has.
    """
    return cells - np.nanmean(cells, axis=0, keepdims=True)


def emotion_vectors(cells: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """One vector for each emotion.

    Args:
        cells: (emotions, topics, width) centred cells, nan where there is no story.
        weights: (topics,) how often each topic counts, as a bootstrap sample says; all
            once if None.

    Returns:
        (emotions, width), whose mean over emotions is zero. An emotion without any cell
        is zero.
    """
    means, has = _emotion_means(cells, weights)
    means[has] -= means[has].mean(0)
    return means


def within_components(
    cells: np.ndarray, count: int, weights: np.ndarray | None = None
) -> np.ndarray:
    """The directions in which the cells of one emotion differ most.

    Args:
        cells: (emotions, topics, width) centred cells.
        count: how many directions.
        weights: (topics,) how often each topic counts.

    Returns:
        (count, width) orthonormal rows, the largest variance first.
    """
    if count == 0:
        return np.zeros((0, cells.shape[2]), cells.dtype)
    rest = np.nan_to_num(cells - _emotion_means(cells, weights)[0][:, None])
    if weights is not None:
        rest = rest * np.sqrt(weights)[None, :, None]
    return top_components(rest.reshape(-1, cells.shape[2]), count)


def neutral_components(texts: np.ndarray, variance: float) -> np.ndarray:
    """The fewest top components of neutral texts that explain a share of their
    variance.

    Args:
        texts: (texts, width) mean residual stream of each neutral text.
        variance: the share, .5 in the paper.

    Returns:
        (components, width) orthonormal rows.
    """
    rest = texts - texts.mean(0)
    _, sizes, directions = np.linalg.svd(rest, full_matrices=False)
    share = np.cumsum(sizes**2) / np.sum(sizes**2)
    return directions[: int(np.searchsorted(share, variance) + 1)]


def remove(vectors: np.ndarray, components: np.ndarray) -> np.ndarray:
    """Vectors (n, width) without what lies along orthonormal components (k, width)."""
    return vectors - vectors @ components.T @ components


def top_components(rows: np.ndarray, count: int) -> np.ndarray:
    """The `count` directions of largest second moment of the rows (n, width).

    Wide rows get a randomised decomposition with a fixed seed, since the exact one
    grows with the cube of the width.
    """
    if rows.shape[1] > WIDE:
        return randomized_svd(rows, count, n_iter=7, random_state=0)[2]
    top = (rows.shape[1] - count, rows.shape[1] - 1)
    _, directions = eigh(rows.T @ rows, subset_by_index=top)
    return directions[:, ::-1].T


def choose_components(
    cells: np.ndarray, candidates: tuple[int, ...] = CANDIDATES
) -> tuple[int, dict[int, float]]:
    """How many within-emotion components to remove, decided on held-out topics.

    Topics are held out in turn: vectors and components come from the others, and each
    held-out cell is ranked against all vectors. The best number has the highest mean
    rank score.

    Args:
        cells: (emotions, topics, width) centred cells.
        candidates: numbers to try.

    Returns:
        The best number (the smallest of equals), and the mean rank score by number.
    """
    topics = cells.shape[1]
    candidates = tuple(k for k in candidates if k < cells.shape[2] / 2)
    scores: dict[int, list[np.ndarray]] = {k: [] for k in candidates}
    for fold in np.array_split(np.arange(topics), min(topics, FOLDS)):
        train = np.setdiff1d(np.arange(topics), fold)
        vectors = emotion_vectors(cells[:, train])
        components = within_components(cells[:, train], max(candidates))
        tests, labels = _present(cells[:, fold])
        for k in candidates:
            ranks = rank_scores(
                remove(tests, components[:k]), remove(vectors, components[:k]), labels
            )
            scores[k].append(ranks)
    means = {k: float(np.concatenate(parts).mean()) for k, parts in scores.items()}
    return max(candidates, key=lambda k: (means[k], -k)), means


def cosines(rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Cosine (n, m) of every row (n, width) with every column vector (m, width)."""
    return unit(rows) @ unit(columns).T


def ranks(tests: np.ndarray, vectors: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Place of the right emotion (1 is first; a tie counts against it) by cosine.

    Args:
        tests: (n, width) centred texts.
        vectors: (emotions, width).
        labels: (n,) the right emotion's index.
    """
    similarity = cosines(tests, vectors)
    right = similarity[np.arange(len(labels)), labels]
    return (similarity >= right[:, None]).sum(1)


def rank_scores(
    tests: np.ndarray, vectors: np.ndarray, labels: np.ndarray
) -> np.ndarray:
    """Ranks on a scale from 0 (last) over .5 (chance) to 1 (first)."""
    return scores_of(ranks(tests, vectors, labels), len(vectors))


def scores_of(places: np.ndarray, emotions: int) -> np.ndarray:
    """Ranks among so many emotions as scores, see `rank_scores`."""
    return 1 - (places - 1) / max(1, emotions - 1)


def _emotion_means(
    cells: np.ndarray, weights: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """Mean over topics (emotions, width), zero where there is no cell; and which have
    one.
    """
    weight = (~np.isnan(cells[..., 0])).astype(cells.dtype)
    if weights is not None:
        weight = weight * weights.astype(cells.dtype)
    total = weight.sum(1)
    sums = np.einsum("et,etd->ed", weight, np.nan_to_num(cells), optimize=True)
    return sums / np.maximum(total, 1e-9)[:, None], total > 0


def _present(cells: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The cells that hold stories, as rows, and the emotion of each."""
    labels, topics = np.nonzero(~np.isnan(cells[..., 0]))
    return cells[labels, topics], labels
