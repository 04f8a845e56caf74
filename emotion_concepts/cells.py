"""The crossed design: the kept stories with their activations, and the mean of each
cell.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from emotion_concepts.activations import MEAN
from emotion_concepts.errors import StudyError
from emotion_concepts.store import Record, digest, read_meaning, read_tensor


@dataclass(frozen=True)
class Stories:
    """The kept stories that were read, in one order for all layers.

    Attributes:
        records: the stories.
        emotion: (stories,) index of each one's emotion.
        topic: (stories,) index of its topic.
        places: by activation file, (row in the file, row here) pairs.
        too_short: how many more were kept, but are too short to be read.
    """

    records: list[Record]
    emotion: np.ndarray
    topic: np.ndarray
    places: dict[Path, np.ndarray]
    too_short: int

    def at_layer(self, place: int, name: str = MEAN) -> np.ndarray:
        """Mean residual stream (stories, width) at the layer in this place, or what
        else of the activations is named.
        """
        rows = None
        for path, pairs in self.places.items():
            layer = read_tensor(path, name, (slice(None), place))
            if rows is None:
                shape = (len(self.records), *layer.shape[1:])
                rows = np.empty(shape, np.float32)
            rows[pairs[:, 1]] = layer[pairs[:, 0]]
        return rows

    def cells(self, rows: np.ndarray, emotions: int, topics: int) -> np.ndarray:
        """Mean of each cell (emotions, topics, width) of rows (stories, width); nan
        where empty.
        """
        cell = self.emotion * topics + self.topic
        sums = np.zeros((emotions * topics, rows.shape[1]), np.float32)
        np.add.at(sums, cell, rows)
        sizes = np.bincount(cell, minlength=emotions * topics).astype(np.float32)
        sums[sizes == 0] = np.nan
        means = sums / np.maximum(sizes, 1)[:, None]
        return means.reshape(emotions, topics, rows.shape[1])


def kept_stories(
    records: list[Record], files: list[Path], emotions: list[str], topics: list[str]
) -> Stories:
    """The stories to make vectors of: those kept, long enough to be read, of this
    study.

    Raises:
        StudyError: an emotion has no such story, or a topic has none at all.
    """
    where = {
        key: (path, row)
        for path in files
        for row, key in enumerate(read_meaning(path)["keys"])
    }
    chosen = [record for record in records if not record["dropped"]]
    kept = [record for record in chosen if digest(record["text"]) in where]
    _check(kept, "emotion", emotions, "emotions")
    _check(kept, "topic", topics, "stories.topics")
    pairs: dict[Path, list[tuple[int, int]]] = {}
    for place, record in enumerate(kept):
        path, row = where[digest(record["text"])]
        pairs.setdefault(path, []).append((row, place))
    return Stories(
        kept,
        np.array([emotions.index(r["emotion"]) for r in kept]),
        np.array([topics.index(r["topic"]) for r in kept]),
        {path: np.array(p) for path, p in pairs.items()},
        len(chosen) - len(kept),
    )


def _check(kept: list[Record], what: str, wanted: list[str], key: str) -> None:
    missing = sorted(set(wanted) - {record[what] for record in kept})
    if missing:
        raise StudyError(
            f"no usable story for the {what} {', '.join(missing[:5])}"
            f"{' ...' if len(missing) > 5 else ''}: raise stories.topics or "
            f"stories.per_topic, shorten capture.from_token, or take it out of {key}"
        )
