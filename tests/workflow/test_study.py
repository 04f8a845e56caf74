"""What the rules are handed."""

import copy
import json
from itertools import chain
from pathlib import Path

import pytest
import yaml

from workflow.study import Study, readable, settings

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
        shard: [t["id"] for t in study.write("stories", shard)["topics"]]
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
    assert one.capture() == two.capture()
    assert one.write("neutral", "0") == two.write("neutral", "0")
    assert one.write("stories", "0") != two.write("stories", "0")


def test_settings_are_named_after_their_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    one = settings("write", {"a": 7, "b": 2})
    assert settings("write", {"b": 2, "a": 7}) == one
    assert settings("write", {"a": 2, "b": 7}) != one
    assert settings("write", {"a": 7, "b": 2.0}) != one
    assert json.loads(Path(one).read_text()) == {"a": 7, "b": 2}


def test_a_models_share_of_the_devices_is_handed_over_apart_from_the_settings() -> None:
    made = study()
    before = made.write("neutral", "0"), made.capture()
    made.config["models"]["m"] = {"max_memory": {0: "20GiB", "cpu": "60GiB"}}
    assert (made.write("neutral", "0"), made.capture()) == before
    assert json.loads(made.max_memory("m")) == {"0": "20GiB", "cpu": "60GiB"}


def test_neutral_texts_are_kept_by_no_rule_of_the_stories() -> None:
    one, two = study(), study(stories={"drop": []})
    assert one.keeping("neutral") == two.keeping("neutral")
    assert one.keeping("stories") != two.keeping("stories")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "config.yaml: nothing is given; it must be a mapping"),
        ("[a]", "config.yaml: a list is given; it must be a mapping"),
        ("models:\n\ta: b", "config.yaml: line 2: a tab stands where YAML"),
        (None, "Snakefile: config.yaml does not exist"),
    ],
)
def test_a_config_that_is_none_is_one_clear_line(
    text: str | None, problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    if text is not None:
        Path("config.yaml").write_text(text)
    with pytest.raises(SystemExit) as stop:
        readable("config.yaml")
    assert str(stop.value).startswith(f"error: {problem}")


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
