"""What is asked for, and which texts are kept."""

from pathlib import Path

import pytest
import yaml

from emotion_concepts.texts import (
    another,
    by_item,
    counts,
    neutral_items,
    repeats_itself,
    select_neutral,
    select_stories,
    story_items,
)

PROMPTS = Path(__file__).parents[2] / "workflow/stimuli/prompts.yaml"
WORDING = {
    "sad": {
        "forms": ["sad", "sadness", "sadly"],
        "synonyms": ["unhappy"],
        "not": ["sad sack"],
    },
    "at ease": {"forms": ["at ease"], "synonyms": ["i'm comfortable"]},
    "kind": {"forms": ["kind"], "synonyms": [], "not": ["kind of"]},
}
TOPICS = [{"id": "boat", "topic": "A boat."}, {"id": "tea", "topic": "Tea."}]


def story(text: str, emotion: str = "sad", number: int = 0) -> dict:
    return {
        "key": f"boat/{emotion}/{number}",
        "emotion": emotion,
        "topic": "boat",
        "text": text,
        "tokens": 5,
        "ended": "cut",
    }


def faults(text: str, emotion: str = "sad") -> list[str]:
    return select_stories([story(text, emotion)], WORDING, [])[0]["faults"]


@pytest.mark.parametrize(
    ("text", "emotion", "expected"),
    [
        ("She was sad.", "sad", ["names_emotion"]),
        ("SADLY, she left.", "sad", ["names_emotion"]),
        ("A saddle and a crusade.", "sad", []),
        ("He was a sad sack.", "sad", []),
        ("He was a sad sack, and sad.", "sad", ["names_emotion"]),
        ("She felt unhappy.", "sad", ["names_synonym"]),
        ("She felt at\u00a0ease.", "at ease", []),
        ("She felt at ease.", "at ease", ["names_emotion"]),
        ("\u201cI\u2019m comfortable,\u201d he said.", "at ease", ["names_synonym"]),
        ("It was a kind of boat.", "kind", []),
        ("He was kind. It was a kind of boat.", "kind", ["names_emotion"]),
        ("Sad people passed.", "kind", []),
    ],
)
def test_a_story_that_names_its_emotion_is_found(
    text: str, emotion: str, expected: list[str]
) -> None:
    assert faults(text, emotion) == expected


def test_a_text_that_repeats_itself_is_found() -> None:
    assert repeats_itself("and then she went home " * 3)
    assert not repeats_itself("and then she went home " * 2)
    assert not repeats_itself("no no no no no")
    assert repeats_itself("no " * 6)


def test_near_duplicates_are_judged_against_kept_stories_of_the_same_emotion() -> None:
    text = "The boat was blue and the rain fell on the old wooden pier all day."
    near = text.replace("blue", "green")
    other = "Nothing in this one is like any of the others that came before it."
    records = [story(text), story(near, number=1), story(other, number=2)]
    records += [story(text, "kind")]
    chosen = select_stories(records, WORDING, ["near_duplicate"])
    assert [r["dropped"] for r in chosen] == [[], ["near_duplicate"], [], []]


def test_only_the_named_rules_drop_a_story() -> None:
    chosen = select_stories([story("She was sad.")], WORDING, ["repeats"])[0]
    assert chosen["faults"] == ["names_emotion"]
    assert chosen["dropped"] == []


def test_the_control_emotion_is_never_the_storys_own() -> None:
    for number in range(50):
        assert another(story("", number=number), WORDING) != "sad"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A kind of nail.", []),
        ("Sadly, a nail.", ["names_emotion"]),
        ("The nail was unhappy.", ["names_synonym"]),
        ("Thank you for the nail.", ["pleasantry"]),
        ("Use a nail. I\u2019d be happy to help you further!", ["pleasantry"]),
        ("Please let me know which nail.", ["pleasantry"]),
        ("Sure, I can. You're welcome, unhappy man.", ["names_synonym", "pleasantry"]),
        ("print('Thanks')", []),
    ],
)
def test_neutral_texts_hold_no_emotion_and_no_courtesy(
    text: str, expected: list[str]
) -> None:
    judged = select_neutral([{"text": text}], WORDING)[0]
    assert judged["faults"] == judged["dropped"] == expected


def test_the_order_of_stories_does_not_depend_on_the_shards() -> None:
    records = [
        story("", emotion, number) | {"round": number, "topic": topic}
        for topic in ("boat", "tea")
        for emotion in ("kind", "sad")
        for number in (0, 2, 10)
    ]
    mixed = records[1::2] + records[-2::-2]
    assert by_item(mixed) == by_item(records) == records


def test_counts_add_up() -> None:
    records = select_stories(
        [story("She was sad."), story("The boat.", number=1)],
        WORDING,
        ["names_emotion"],
    )
    assert counts(records) == {
        "written": 2,
        "kept": 1,
        "ended": {"cut": 2},
        "faults": {"names_emotion": 1},
        "tokens": 10,
    }


def test_every_emotion_is_crossed_with_every_topic() -> None:
    groups = story_items(list(WORDING), TOPICS, 2, "{topic} {emotion}", 1)
    items = [item for group in groups for item in group]
    assert len(groups) == 4
    assert len({item["key"] for item in items}) == len({i["seed"] for i in items}) == 12
    assert items[1]["prompt"] == "A boat. at ease"


def test_an_items_seed_does_not_depend_on_the_others() -> None:
    alone = story_items(["kind"], TOPICS[1:], 1, "{topic} {emotion}", 1)[0][0]
    among = story_items(list(WORDING), TOPICS, 1, "{topic} {emotion}", 1)[1][2]
    assert alone == among


def test_the_prompt_puts_what_differs_last() -> None:
    prompts = yaml.safe_load(PROMPTS.read_text())
    shared = prompts["story"].index("{topic}")
    assert shared > len(prompts["story"]) / 3
    subject = {"id": "a", "kind": "code", "question": "Q?", "answer_start": "Use"}
    assert "Q?" in neutral_items([subject], 1, prompts["neutral"], 1)[0][0]["prompt"]


def test_more_dialogues_on_a_subject_leave_the_first_as_it_was() -> None:
    subjects = [
        {"id": i, "kind": "code", "question": f"{i}?", "answer_start": "It"}
        for i in ("a", "b")
    ]
    one = neutral_items(subjects, 1, "{question}", 7)
    three = neutral_items(subjects, 3, "{question}", 7)
    assert three[:2] == one
    items = [item for group in three for item in group]
    assert len({item["key"] for item in items}) == 6
    assert len({item["seed"] for item in items}) == 6
    assert {item["topic"] for item in items} == {"a", "b"}
