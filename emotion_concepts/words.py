"""The words of the stories alone: what a claim about the model has to exceed.

The authors' own caveat is that an embedding of the stories might give the same map
(paper, section 5). So the words get the very treatment of the activations: a row for
each story, cells, centring by topic, within-emotion components whose number held-out
topics decide, vectors. See `vectors`.
"""

import numpy as np
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.naive_bayes import MultinomialNB

WIDTH = 300  # dimensions kept; the map of 171 emotions hardly changes beyond
FEWEST_TERMS = 10  # with fewer words in common there is nothing to compare


def word_rows(texts: list[str]) -> np.ndarray:
    """Weighted word counts (TF-IDF) of each text, in few dimensions.

    Weights and dimensions come from all texts, held-out ones too, but never from their
    emotions, as the model's own knowledge of words does: if anything, this helps the
    words.

    Args:
        texts: the stories.

    Returns:
        (texts, at most 300) float32; without columns where the texts share fewer than
        `FEWEST_TERMS` words.
    """
    weigh = _weigher()
    try:
        counts = weigh.fit_transform(texts)
    except ValueError:  # how the library says that no word is left
        return np.zeros((len(texts), 0), np.float32)
    if counts.shape[1] < FEWEST_TERMS:
        return np.zeros((len(texts), 0), np.float32)
    if min(counts.shape) <= WIDTH:
        return _few(counts.toarray())
    reduced = TruncatedSVD(WIDTH, random_state=0).fit_transform(counts)
    return reduced.astype(np.float32)


def bag_of_words_ranks(
    train: list[str],
    train_labels: np.ndarray,
    test: list[str],
    test_labels: np.ndarray,
    emotions: int,
) -> np.ndarray:
    """Rank (tests,) of the right one of all emotions by naive Bayes on weighted word
    counts: the usual classifier beside the treatment above.

    A tie counts against the right one, as it does for the vectors; an emotion without
    any story to learn from is last.
    """
    weigh = _weigher()
    try:
        counts = weigh.fit_transform(train)
    except ValueError:  # no word is left
        return np.full(len(test), emotions)
    judge = MultinomialNB(alpha=0.1).fit(counts, train_labels)
    scores = np.full((len(test), emotions), -np.inf)
    scores[:, judge.classes_] = judge.predict_log_proba(weigh.transform(test))
    right = scores[np.arange(len(test)), test_labels]
    return (scores >= right[:, None]).sum(1)


def _weigher() -> TfidfVectorizer:
    return TfidfVectorizer(sublinear_tf=True, stop_words="english", min_df=2)


def _few(counts: np.ndarray) -> np.ndarray:
    """The same rows turned into as few dimensions as hold them wholly."""
    left, sizes, _ = np.linalg.svd(counts, full_matrices=False)
    return (left * sizes).astype(np.float32)
