"""The shipped stimuli of the experiments are of their form, balanced, and name no
emotion.
"""

import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from statistics import mean
from typing import Any

import pytest

from emotion_concepts.texts import plain
from workflow.errors import ConfigError
from workflow.reading import read_yaml
from workflow.validation import _check_schema

STIMULI = Path(__file__).resolve().parents[2] / "workflow" / "stimuli"
NAMES = ["activities", "intensities", "openings", "scenarios"]
CATEGORIES = [
    "helpful",
    "engaging",
    "social",
    "self_curiosity",
    "neutral",
    "aversive",
    "misaligned",
    "unsafe",
]
FOCUS = [
    "happy",
    "inspired",
    "loving",
    "proud",
    "calm",
    "desperate",
    "angry",
    "guilty",
    "sad",
    "afraid",
    "nervous",
    "surprised",
]


def stimuli(name: str) -> Any:
    return read_yaml(str(STIMULI / f"{name}.yaml"), name)


def openings() -> list[dict[str, str]]:
    return [entry for entries in stimuli("openings").values() for entry in entries]


def shown_texts(name: str) -> Iterator[str]:
    """All that a file shows the model."""
    entries = openings() if name == "openings" else stimuli(name)
    for entry in entries:
        for key in ("activity", "text", "control", "user", "start"):
            if key in entry:
                yield entry[key]


def named(text: str, words: dict[str, list[str]]) -> list[str]:
    """The forms and synonyms of an emotion that stand in a text, excuses aside."""
    text = plain(text)
    for phrase in words.get("not", []):
        text = re.sub(rf"(?<!\w){re.escape(plain(phrase))}(?!\w)", " ", text)
    given_away = [*words["forms"], *words.get("synonyms", [])]
    return [w for w in given_away if re.search(rf"(?<!\w){re.escape(w)}(?!\w)", text)]


def balanced(values: list[str]) -> bool:
    """Whether in every first so many the counts differ by at most one."""
    kinds = set(values)
    for size in range(1, len(values) + 1):
        counts = Counter(values[:size])
        if max(counts.values()) - min(counts[kind] for kind in kinds) > 1:
            return False
    return True


# The form.


@pytest.mark.parametrize("name", NAMES)
def test_every_file_matches_its_schema(name: str) -> None:
    _check_schema(stimuli(name), name, f"{name}.yaml")


ACTIVITY = {"id": "a", "category": "neutral", "activity": "sorting a list"}
SCENARIO = {"id": "a", "emotion": "sad", "set": "reserved", "text": "He is gone."}
INTENSITY = {
    "id": "a",
    "text": "I took {x} mg.",
    "control": "I weighed {x} mg.",
    "values": [1, 2, 3],
    "unit": "mg",
    "predictions": {"afraid": "up"},
}
OPENING = {"id": "a", "user": "And then?", "start": "Then she"}


def around(opening: dict[str, Any]) -> dict[str, Any]:
    return {"word_prompts": [opening], "continuations": [OPENING]}


# Which file, what it holds, and what is said.
WRONG = [
    (
        "activities",
        [ACTIVITY, ACTIVITY | {"activity": "sort a list"}],
        "entry 2 (a): activity: 'sort a list' is not allowed; it must be "
        "a phrase on one line that starts with a verb in -ing, in lower case",
    ),
    (
        "activities",
        [ACTIVITY, ACTIVITY | {"category": "neutrl"}],
        "entry 2 (a): category: 'neutrl' is not allowed; it must be one of helpful, ",
    ),
    ("activities", [ACTIVITY], "a list is not allowed; it must be a list of activ"),
    (
        "scenarios",
        [SCENARIO | {"set": "test"}],
        "entry 1 (a): set: 'test' is not allowed; it must be one of development and",
    ),
    (
        "scenarios",
        [SCENARIO | {"emotion": "Sad"}],
        "entry 1 (a): emotion: 'Sad' is not allowed; it must be a word of the",
    ),
    (
        "scenarios",
        [SCENARIO | {"tone": "b"}],
        "entry 1 (a): tone: unknown key; allowed are id, emotion, set",
    ),
    (
        "intensities",
        [INTENSITY | {"text": "I took 5 mg."}],
        "entry 1 (a): text: 'I took 5 mg.' is not allowed; "
        "it must be one line of text that holds {x} once and no other brace",
    ),
    (
        "intensities",
        [INTENSITY | {"control": "{x} of {x}"}],
        "entry 1 (a): control: '{x} of {x}' is not allowed; it must be one line",
    ),
    (
        "intensities",
        [INTENSITY | {"values": [1, 2, 2]}],
        "entry 1 (a): values: 2 stands twice; once is enough",
    ),
    (
        "intensities",
        [INTENSITY | {"values": [1, 2, True]}],
        "entry 1 (a): values: entry 3: true is not allowed; it must be a number",
    ),
    (
        "intensities",
        [INTENSITY | {"predictions": {"afraid": "rises"}}],
        "entry 1 (a): predictions.afraid: 'rises' is not allowed; "
        "it must be one of up and down",
    ),
    (
        "openings",
        around(OPENING | {"start": "Then she "}),
        "word_prompts: entry 1 (a): start: 'Then she ' is not allowed; "
        "it must be one line of text without a space at the end",
    ),
    (
        "openings",
        {"word_prompts": [OPENING]},
        "continuations: missing; it must be a list of openings, each with id, user",
    ),
]


@pytest.mark.parametrize(("name", "value", "expected"), WRONG)
def test_a_wrong_entry_is_named_with_what_is_allowed(
    name: str, value: Any, expected: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        _check_schema(value, name, "file")
    assert str(caught.value).startswith(f"file: {expected}")


@pytest.mark.parametrize("name", NAMES)
def test_no_id_and_no_text_stands_twice(name: str) -> None:
    entries = openings() if name == "openings" else stimuli(name)
    ids = [entry["id"] for entry in entries]
    assert len(set(ids)) == len(ids)
    texts = list(shown_texts(name))
    assert len(set(texts)) == len(texts)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_shown_names_an_emotion(name: str) -> None:
    found = {
        (emotion, word, text)
        for emotion, words in stimuli("emotions").items()
        for text in shown_texts(name)
        for word in named(text, words)
    }
    assert not found


def test_an_emotion_that_is_named_would_be_found() -> None:
    words = stimuli("emotions")
    assert named("I was Sadly late.", words["sad"]) == ["sadly"]
    assert named("Full of sorrow.", words["sad"]) == ["sorrow"]
    assert not named("It is a kind of tea.", words["kind"])
    assert named("A kind man, kind of.", words["kind"]) == ["kind"]


# Activities.


def test_the_categories_of_activities_take_turns() -> None:
    found = [entry["category"] for entry in stimuli("activities")]
    assert found == CATEGORIES * 8
    assert balanced(found)


def test_no_length_and_no_first_word_tells_an_activitys_category() -> None:
    lengths: dict[str, list[tuple[int, int]]] = {name: [] for name in CATEGORIES}
    verbs = []
    for entry in stimuli("activities"):
        words = entry["activity"].split()
        lengths[entry["category"]].append((len(words), len(entry["activity"])))
        verbs.append(words[0])
        assert 6 <= len(words) <= 12, entry
    for unit, most in ((0, 1.03), (1, 1.10)):  # words, characters
        means = [mean(pair[unit] for pair in pairs) for pairs in lengths.values()]
        assert max(means) / min(means) <= most, (unit, means)
    assert len(set(verbs)) == len(verbs)


def test_an_activity_does_not_blur_the_choice_that_it_stands_in() -> None:
    for entry in stimuli("activities"):
        assert not re.search(r"[,;:()]|\bor\b", entry["activity"]), entry


# Scenarios.


def test_both_sets_hold_every_focus_emotion_in_turn() -> None:
    for which in ("development", "reserved"):
        entries = [e for e in stimuli("scenarios") if e["set"] == which]
        assert [entry["emotion"] for entry in entries] == FOCUS * 2


def test_a_scenario_is_short_in_the_first_person_and_asks_nothing() -> None:
    for entry in stimuli("scenarios"):
        text = entry["text"]
        assert 1 <= len(re.findall(r"[.!](?= |$)", text)) <= 3, entry
        assert re.search(r"\b(I|my|me|we|our)\b", text, re.I), entry
        assert text.endswith(".") or text.endswith("!"), entry
        assert "?" not in text, entry


def test_the_sets_are_no_paraphrases_of_each_other() -> None:
    """No two scenarios share a run of five words; a set's length tells nothing."""
    seen: dict[tuple[str, ...], str] = {}
    lengths: dict[str, list[int]] = {}
    for entry in stimuli("scenarios"):
        words = re.findall(r"[\w']+", entry["text"].lower())
        lengths.setdefault(entry["set"], []).append(len(words))
        for start in range(len(words) - 4):
            run = tuple(words[start : start + 5])
            assert seen.setdefault(run, entry["id"]) == entry["id"], run
    means = sorted(map(mean, lengths.values()))
    assert means[1] / means[0] <= 1.1, means


# Intensities.


def test_the_numbers_of_an_intensity_rise_and_its_predictions_are_of_the_focus() -> (
    None
):
    entries = stimuli("intensities")
    assert len(entries) == 10
    for entry in entries:
        values = entry["values"]
        assert 6 <= len(values) <= 7, entry
        assert all(a < b for a, b in pairwise(values)), entry
        assert 2 <= len(entry["predictions"]) <= 5, entry
        assert set(entry["predictions"]) <= set(FOCUS), entry


def test_no_prediction_follows_from_numbers_alone() -> None:
    """Some emotions are to rise with the number and some to fall; most do either."""
    found: dict[str, set[str]] = {}
    for entry in stimuli("intensities"):
        assert len(set(entry["predictions"].values())) == 2, entry
        for emotion, direction in entry["predictions"].items():
            found.setdefault(emotion, set()).add(direction)
    assert all(len(found[e]) == 2 for e in ("afraid", "calm", "sad", "happy"))


def test_an_intensity_and_its_control_are_of_one_build() -> None:
    for entry in stimuli("intensities"):
        for key in ("text", "control"):
            assert entry[key].count("{x}") == 1, entry
            assert entry[key].endswith(" Tell me what you think."), entry
        numbers = [re.findall(r"\d+", entry[key]) for key in ("text", "control")]
        assert numbers[0] == numbers[1], entry
        text, control = (entry[key].split() for key in ("text", "control"))
        assert len(text) == len(control), entry
        assert text.index("{x}") == control.index("{x}"), entry


# Openings.


def test_the_openings_end_where_a_word_may_follow() -> None:
    found = stimuli("openings")
    assert len(found["word_prompts"]) == 4
    assert len(found["continuations"]) == 10
    for entry in openings():
        assert re.search(r"[a-z,]$", entry["start"]) or entry["start"] == "I", entry
