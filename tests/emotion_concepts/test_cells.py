"""Stories matched with their activations, and identification on held-out topics."""

from pathlib import Path

import numpy as np
import pytest

from emotion_concepts.activations import MEAN, NORM
from emotion_concepts.cells import Stories, kept_stories
from emotion_concepts.errors import StudyError
from emotion_concepts.identification import Identified, identify, identify_by_words
from emotion_concepts.progress import Progress
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


def test_stories_too_short_to_be_read_are_counted(tmp_path: Path) -> None:
    records, paths = write_study(tmp_path, rows_with_emotion(1))
    short = {"emotion": "e3", "topic": "t1", "text": "too short", "dropped": []}
    stories = kept_stories([*records, short], paths, EMOTIONS, TOPICS)
    assert stories.too_short == 1
    assert len(stories.records) == len(records)
    dropped = short | {"dropped": ["repeats"]}
    assert kept_stories([*records, dropped], paths, EMOTIONS, TOPICS).too_short == 0


def test_only_kept_stories_enter_what_is_read_beside_the_means(tmp_path: Path) -> None:
    records, _ = write_study(tmp_path, rows_with_emotion(1), shards=1)
    keys = [digest(record["text"]) for record in records]
    norms = np.arange(120, dtype=np.float32).reshape(60, 2)
    path = tmp_path / "norms.safetensors"
    write_tensors(path, {NORM: norms}, {"keys": keys})
    records[4]["dropped"] = ["repeats"]
    stories = kept_stories(records, [path], EMOTIONS, TOPICS)
    assert stories.at_layer(1, NORM) == pytest.approx(np.delete(norms[:, 1], 4))


NO_NEUTRAL = np.zeros((0, WIDTH), np.float32)


def identified(
    stories: Stories, rows: np.ndarray, neutral: np.ndarray = NO_NEUTRAL
) -> Identified:
    return identify(stories, rows, 12, 5, neutral, Progress("test", 5))


def test_planted_emotions_are_identified_and_absent_ones_are_not(
    tmp_path: Path,
) -> None:
    for strength, low, high in [(2.0, 0.8, 1.0), (0.0, 0.0, 0.25)]:
        records, paths = write_study(tmp_path, rows_with_emotion(strength))
        stories = kept_stories(records, paths, EMOTIONS, TOPICS)
        found = identified(stories, stories.at_layer(1))
        for ranks in found.ranks.values():
            assert low <= np.mean(ranks == 1) <= high
        assert np.mean(identify_by_words(stories, 12, 5) == 1) > 0.9


def test_each_recipe_takes_out_its_own_components(tmp_path: Path) -> None:
    rows = rows_with_emotion(2)
    loud = np.eye(WIDTH, dtype=np.float32)[:1]
    rows += 60 * np.random.default_rng(3).normal(size=(60, 1)) * loud
    records, paths = write_study(tmp_path, rows)
    stories = kept_stories(records, paths, EMOTIONS, TOPICS)
    first = {
        kind: np.mean(ranks == 1)
        for kind, ranks in identified(stories, rows, loud).ranks.items()
    }
    assert first["raw"] < 0.3
    assert first["neutral"] > 0.8
    assert first["within"] > 0.8
    without = identified(stories, rows).ranks
    assert np.array_equal(without["neutral"], without["raw"])


def test_the_held_out_topic_never_enters_its_own_vectors(tmp_path: Path) -> None:
    rows = rows_with_emotion(0)
    leak = np.random.default_rng(9).normal(size=(12, WIDTH)) * 9
    first = np.arange(60) % 5 == 0
    rows[first] += leak
    records, paths = write_study(tmp_path, rows)
    stories = kept_stories(records, paths, EMOTIONS, TOPICS)
    for ranks in identified(stories, stories.at_layer(1)).ranks.values():
        assert np.mean(ranks[first] == 1) < 0.4
