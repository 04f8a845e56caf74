"""Is it real? The emotion of a story on a topic that no vector has seen (design; not in
the paper).

Every topic is held out in turn. Vectors, removed components and their number come from
the other topics alone; each held-out story is then given the emotion whose vector it
points along most. The words of the stories answer the same question in the same way
and by naive Bayes, see `words`; chance is one over the number of emotions.
"""

from dataclasses import dataclass

import numpy as np

from emotion_concepts.cells import Stories
from emotion_concepts.progress import Progress
from emotion_concepts.vectors import (
    centred,
    choose_components,
    emotion_vectors,
    ranks,
    remove,
    within_components,
)
from emotion_concepts.words import bag_of_words_ranks


@dataclass(frozen=True)
class Identified:
    """The rank that each story's emotion got among all emotions, 1 the best.

    Attributes:
        ranks: by recipe, see `vectors.KINDS`, (stories,).
        removed: (topics,) within-emotion components removed when each was held out.
    """

    ranks: dict[str, np.ndarray]
    removed: list[int]


def identify(
    stories: Stories,
    rows: np.ndarray,
    emotions: int,
    topics: int,
    neutral: np.ndarray,
    progress: Progress,
) -> Identified:
    """Rank the emotions for every story, its topic held out, with each recipe.

    Args:
        stories: the kept stories.
        rows: (stories, width) their activations at the fixed layer, or their words.
        emotions: how many there are.
        topics: how many there are.
        neutral: (components, width) of the neutral texts.
        progress: is told of every topic.
    """
    cells = stories.cells(rows, emotions, topics)
    nothing = np.zeros((0, rows.shape[1]), rows.dtype)
    found = {kind: np.zeros(len(rows), int) for kind in ("raw", "within", "neutral")}
    removed = []
    for topic in range(topics):
        seen = centred(cells[:, np.arange(topics) != topic])
        count, _ = choose_components(seen)
        vectors = emotion_vectors(seen)
        held = stories.topic == topic
        tests = rows[held] - rows[held].mean(0)
        for kind, components in (
            ("raw", nothing),
            ("within", within_components(seen, count)),
            ("neutral", neutral),
        ):
            found[kind][held] = ranks(
                remove(tests, components),
                remove(vectors, components),
                stories.emotion[held],
            )
        removed.append(count)
        progress.add(1)
    return Identified(found, removed)


def identify_by_words(stories: Stories, emotions: int, topics: int) -> np.ndarray:
    """Rank (stories,) of each story's emotion by naive Bayes on its words, learnt from
    the other topics.
    """
    texts = np.array([record["text"] for record in stories.records], object)
    ranks = np.zeros(len(texts), int)
    for topic in range(topics):
        held = stories.topic == topic
        ranks[held] = bag_of_words_ranks(
            list(texts[~held]),
            stories.emotion[~held],
            list(texts[held]),
            stories.emotion[held],
            emotions,
        )
    return ranks
