"""What the rules are handed."""

import copy
import json
from itertools import chain
from pathlib import Path

import pytest
import yaml

from workflow.study import Study, set_aside_damaged, settings

ROOT = Path(__file__).resolve().parents[2]
CONFIG = yaml.safe_load((ROOT / "config.yaml").read_text())


def study(**changes: dict) -> Study:
    config = copy.deepcopy(CONFIG)
    for key, value in changes.items():
        if isinstance(value, dict):
            config[key] |= value
        else:
            config[key] = value
    return Study(config)


def topics_by_shard(study: Study) -> dict[str, list[str]]:
    shards = study.shards("stories")
    return {
        shard: [t["id"] for t in study.write("m", "stories", shard)["topics"]]
        for shard in shards
    }


@pytest.fixture(autouse=True)
def _models(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CONFIG, "models", {"m": next(iter(CONFIG["models"].values()))})


def test_shards_part_the_topics_and_none_is_empty() -> None:
    shards = topics_by_shard(study(stories={"topics": 100}, shards=7))
    assert len(shards) == 7
    assert sorted(chain(*shards.values())) == sorted(
        t["id"] for t in study(stories={"topics": 100}).topics
    )
    few = topics_by_shard(study(stories={"topics": 3}, shards=50))
    assert all(few.values())


def test_a_topics_shard_does_not_depend_on_the_other_topics() -> None:
    few = topics_by_shard(study(stories={"topics": 10}, shards=7))
    many = topics_by_shard(study(stories={"topics": 100}, shards=7))
    for shard, topics in few.items():
        assert set(topics) <= set(many[shard])


def test_more_emotions_change_no_other_steps_settings() -> None:
    one = study(emotions=["happy", "sad", "calm"], geometry={"clusters": 2})
    two = study(emotions=["happy", "sad", "calm", "angry"], geometry={"clusters": 2})
    assert one.capture("m") == two.capture("m")
    assert one.write("m", "neutral", "0") == two.write("m", "neutral", "0")
    assert one.write("m", "stories", "0") != two.write("m", "stories", "0")


def test_settings_are_named_after_their_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    one = settings("write", {"a": 7, "b": 2})
    assert settings("write", {"b": 2, "a": 7}) == one
    assert settings("write", {"a": 2, "b": 7}) != one
    assert settings("write", {"a": 7, "b": 2.0}) != one
    assert json.loads(Path(one).read_text()) == {"a": 7, "b": 2}


@pytest.mark.parametrize(
    ("name", "whole", "broken"),
    [
        ("a.json", b'{"a": 1}\n', b'{"a": '),
        ("a.jsonl", b'{"a": 1}\n{"b": 2}\n', b'{"a": 1}\n{"b'),
        ("a.svg", b"<svg></svg>\n", b"<svg>"),
        ("a.html", b"<html></html>\n", b"<html>"),
        ("a.png", b"\x89PNG....IEND\xaeB`\x82", b"\x89PNG...."),
        ("a.json", b"[]\n", b""),
        ("a.safetensors", b"\x02\0\0\0\0\0\0\0{}", b"\x09\0\0\0\0\0\0\0{}"),
        ("a.safetensors", b"\x02\0\0\0\0\0\0\0{}", b"\x02\0\0"),
        ("a.safetensors", b"\x02\0\0\0\0\0\0\0{}", b"\x02\0\0\0\0\0\0\0{]"),
    ],
)
def test_damaged_files_are_set_aside_and_whole_ones_are_not(
    tmp_path: Path,
    name: str,
    whole: bytes,
    broken: bytes,
    capsys: pytest.CaptureFixture,
) -> None:
    folder = tmp_path / "m" / "step"
    folder.mkdir(parents=True)
    (folder / name).write_bytes(whole)
    set_aside_damaged(tmp_path)
    assert (folder / name).read_bytes() == whole
    (folder / name).write_bytes(broken)
    set_aside_damaged(tmp_path)
    assert not (folder / name).exists()
    assert (folder / f"{name}.damaged").read_bytes() == broken
    assert "set aside" in capsys.readouterr().err


@pytest.mark.parametrize("folder", [".model.part/weights", "model.damaged"])
def test_what_is_being_made_or_was_set_aside_is_left_alone(
    tmp_path: Path, folder: str, capsys: pytest.CaptureFixture
) -> None:
    half = tmp_path / "m" / folder / "config.json"
    half.parent.mkdir(parents=True)
    half.write_text('{"half')
    set_aside_damaged(tmp_path)
    assert half.read_text() == '{"half'
    assert capsys.readouterr().err == ""


def test_devices_may_be_numbers_and_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = study()
    made.config["models"]["m"] = {"max_memory": {0: "20GiB", "cpu": "60GiB"}}
    monkeypatch.chdir(tmp_path)
    path = settings("write", made.write("m", "neutral", "0"))
    limits = json.loads(Path(path).read_text())["max_memory"]
    assert limits == {"0": "20GiB", "cpu": "60GiB"}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("models", None),
        ("models", ["a", "b"]),
        ("models", "x"),
        ("stimuli", None),
        ("stimuli", "x"),
        ("stimuli", {"ratings": "a.csv"}),
    ],
)
def test_a_section_of_the_wrong_kind_is_one_clear_line(key: str, value: object) -> None:
    config = copy.deepcopy(CONFIG) | {key: value}
    with pytest.raises(SystemExit) as stop:
        Study(config)
    assert str(stop.value).startswith(f"error: config: {key}")
    assert "\n" not in str(stop.value)
