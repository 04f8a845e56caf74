"""Is it real? The emotion of a story on a topic that no vector has seen (design; not in
the paper).

Every topic is held out in turn. Vectors, removed components and their number come from
the other topics alone; each held-out story is then given the emotion whose vector it
points along most. A bag-of-words classifier answers the same question on the same split
from the words alone, and chance is one over the number of emotions.
"""

from dataclasses import dataclass

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.naive_bayes import MultinomialNB

from emotion_concepts.cells import Stories
from emotion_concepts.vectors import (
    centred,
    choose_components,
    emotion_vectors,
    ranks,
    remove,
    within_components,
)


@dataclass(frozen=True)
class Identified:
    """The rank that each story's emotion got, 1 the best, by two judges.

    Attributes:
        probe: (stories,) by the emotion vectors.
        words: (stories,) by a bag of words.
        removed: (topics,) components removed when each topic was held out.
    """

    probe: np.ndarray
    words: np.ndarray
    removed: list[int]


def identify(
    stories: Stories, rows: np.ndarray, emotions: int, topics: int
) -> Identified:
    """Rank the emotions for every story, its topic held out.

    Args:
        stories: the kept stories.
        rows: (stories, width) their activations at the fixed layer.
        emotions: how many there are.
        topics: how many there are.
    """
    cells = stories.cells(rows, emotions, topics)
    probe = np.zeros(len(rows), dtype=int)
    words = np.zeros(len(rows), dtype=int)
    removed = []
    for topic in range(topics):
        train = np.arange(topics) != topic
        seen = centred(cells[:, train])
        count, _ = choose_components(seen)
        components = within_components(seen, count)
        vectors = remove(emotion_vectors(seen), components)
        test = stories.topic == topic
        tests = remove(rows[test] - rows[test].mean(0), components)
        probe[test] = ranks(tests, vectors, stories.emotion[test])
        words[test] = bag_of_words_ranks(
            [
                r["text"]
                for r, held in zip(stories.records, test, strict=True)
                if not held
            ],
            stories.emotion[~test],
            [r["text"] for r, held in zip(stories.records, test, strict=True) if held],
            stories.emotion[test],
        )
        removed.append(count)
    return Identified(probe, words, removed)


def bag_of_words_ranks(
    train: list[str], train_labels: np.ndarray, test: list[str], test_labels: np.ndarray
) -> np.ndarray:
    """Rank (tests,) of the right emotion by naive Bayes on weighted word counts.

    A tie counts against the right one, as it does for the vectors.
    """
    weigh = TfidfVectorizer(sublinear_tf=True, stop_words="english", min_df=2)
    judge = MultinomialNB(alpha=0.1).fit(weigh.fit_transform(train), train_labels)
    scores = judge.predict_log_proba(weigh.transform(test))
    column = {label: place for place, label in enumerate(judge.classes_)}
    right = scores[
        np.arange(len(test)), [column.get(label, 0) for label in test_labels]
    ]
    unseen = np.array([label not in column for label in test_labels])
    place = (scores >= right[:, None]).sum(1)
    return np.where(unseen, scores.shape[1], place)
