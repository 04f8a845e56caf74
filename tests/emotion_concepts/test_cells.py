"""Stories matched with their activations, and identification on held-out topics."""

from pathlib import Path

import numpy as np
import pytest

from emotion_concepts.activations import MEAN
from emotion_concepts.cells import kept_stories
from emotion_concepts.errors import StudyError
from emotion_concepts.identification import bag_of_words_ranks, identify
from emotion_concepts.store import digest, write_tensors

EMOTIONS = [f"e{i}" for i in range(12)]
TOPICS = [f"t{i}" for i in range(5)]
WIDTH = 16


def write_study(folder: Path, rows: np.ndarray, shards: int = 2) -> tuple[list, list]:
    """Records of a crossed study, and its activations in shuffled shards."""
    records = [
        {"emotion": e, "topic": t, "text": f"{e} word{e} {t} topic{t}", "dropped": []}
        for e in EMOTIONS
        for t in TOPICS
    ]
    order = np.random.default_rng(0).permutation(len(records))
    paths = []
    for shard, part in enumerate(np.array_split(order, shards)):
        path = folder / f"{shard}.safetensors"
        keys = [digest(records[i]["text"]) for i in part]
        values = np.stack([rows[part] - 1, rows[part]], axis=1).astype(np.float32)
        write_tensors(path, {MEAN: values}, {"keys": keys})
        paths.append(path)
    return records, paths


def rows_with_emotion(strength: float) -> np.ndarray:
    generator = np.random.default_rng(1)
    emotion = generator.normal(size=(12, WIDTH)).repeat(5, axis=0)
    topic = np.tile(generator.normal(size=(5, WIDTH)), (12, 1)) * 3
    return strength * emotion + topic + generator.normal(size=(60, WIDTH))


def test_every_story_gets_its_own_activations_whatever_the_sharding(
    tmp_path: Path,
) -> None:
    rows = rows_with_emotion(1)
    for shards in (1, 3):
        folder = tmp_path / str(shards)
        records, paths = write_study(folder, rows, shards)
        stories = kept_stories(records, paths, EMOTIONS, TOPICS)
        assert stories.at_layer(1) == pytest.approx(rows, abs=1e-6)
        assert stories.at_layer(0) == pytest.approx(rows - 1, abs=1e-6)


def test_cells_are_means_and_dropped_stories_leave_holes(tmp_path: Path) -> None:
    rows = rows_with_emotion(1)
    records, paths = write_study(tmp_path, rows)
    records[7]["dropped"] = ["repeats"]
    stories = kept_stories(records, paths, EMOTIONS, TOPICS)
    cells = stories.cells(stories.at_layer(1), 12, 5)
    assert np.isnan(cells[1, 2]).all()
    assert cells[0, 0] == pytest.approx(rows[0], abs=1e-6)
    assert np.isnan(cells[..., 0]).sum() == 1


def test_an_emotion_without_stories_is_named_in_one_line(tmp_path: Path) -> None:
    records, paths = write_study(tmp_path, rows_with_emotion(1))
    for record in records[5:10]:
        record["dropped"] = ["repeats"]
    with pytest.raises(StudyError, match="no usable story for the emotion e1: raise"):
        kept_stories(records, paths, EMOTIONS, TOPICS)


def test_planted_emotions_are_identified_and_absent_ones_are_not(
    tmp_path: Path,
) -> None:
    for strength, low, high in [(2.0, 0.8, 1.0), (0.0, 0.0, 0.25)]:
        records, paths = write_study(tmp_path, rows_with_emotion(strength))
        stories = kept_stories(records, paths, EMOTIONS, TOPICS)
        found = identify(stories, stories.at_layer(1), 12, 5)
        assert low <= np.mean(found.probe == 1) <= high
        assert np.mean(found.words == 1) > 0.9


def test_the_held_out_topic_never_enters_its_own_vectors(tmp_path: Path) -> None:
    rows = rows_with_emotion(0)
    leak = np.random.default_rng(9).normal(size=(12, WIDTH)) * 9
    first = np.arange(60) % 5 == 0
    rows[first] += leak
    records, paths = write_study(tmp_path, rows)
    stories = kept_stories(records, paths, EMOTIONS, TOPICS)
    found = identify(stories, stories.at_layer(1), 12, 5)
    assert np.mean(found.probe[first] == 1) < 0.4


def test_the_bag_of_words_uses_words_and_knows_only_the_training_topics() -> None:
    train = ["sun beach", "sun warm", "rain cold", "rain dark"]
    labels = np.array([0, 0, 1, 1])
    places = bag_of_words_ranks(train, labels, ["sun", "rain", "nothing"], [0, 1, 0])
    assert places.tolist()[:2] == [1, 1]
    assert bag_of_words_ranks(train, labels, ["sun"], [2]).tolist() == [2]
