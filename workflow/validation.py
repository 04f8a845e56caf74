"""Whether the config and the stimuli are valid, or one line that says why not.

The schemas in workflow/schemas/ say what each file may hold. What no schema can say,
such as that a listed emotion has its wording, is checked here.
"""

import json
import math
import re
from functools import cache
from pathlib import Path
from string import Formatter
from typing import Any

import yaml
from jsonschema import Draft202012Validator, ValidationError
from jsonschema.validators import extend

from workflow.errors import ConfigError, check_known, listed, nearest, shown
from workflow.reading import read_ratings, read_yaml
from workflow.sessions import check_sessions

SCHEMAS = Path(__file__).parent / "schemas"
PLACEHOLDERS = {
    "story": ("topic", "emotion"),
    "neutral": ("question",),
    "preference": ("first", "second"),
    "feeling": ("activity",),
}
FEWEST_EMOTIONS = 3
BEHAVIOURS = ("blackmail", "reward_hacking", "sycophancy")
# By labelled set: what its replies answer, and by which key they name it.
GRADED = {
    "blackmail": ("blackmail", "variant"),
    "reward_hacking": ("reward_hacking", "task"),
    "sycophancy": ("sycophancy", "prompt"),
    "harshness": ("sycophancy", "prompt"),
}
TOO = {
    "minimum": "is too small",
    "exclusiveMinimum": "is too small",
    "maximum": "is too large",
    "exclusiveMaximum": "is too large",
}


def check_config(config: dict[str, Any]) -> dict[str, Any]:
    """Refuse a config that could not run, before anything does.

    Args:
        config: the whole config, overlays laid over it.

    Returns:
        Its stimuli, as `load_stimuli` reads them.

    Raises:
        ConfigError: the first thing that is wrong, in the config or a stimulus file.
    """
    _check_schema(config, "config", "config")
    for name, model in config["models"].items():
        if not _is_made(Path("results", name, "model.json"), model):
            _check_model(f"config: models.{name}", model)
    judge = config["behaviours"]["judge"]
    if isinstance(judge, dict) and not _is_made(
        Path("results/judge/model.json"), judge
    ):
        _check_model("config: behaviours.judge", judge)
    stimuli = load_stimuli(config)
    chosen = _chosen_emotions(config, stimuli["emotions"])
    _check_steered(config, stimuli["emotions"])
    corpus = config["validation"]["corpus"]
    if corpus and not Path(corpus).is_file():
        raise ConfigError(f"config: validation.corpus: {corpus} is not a file")
    _check_sizes(config, stimuli, len(chosen))
    premises = stimuli["topics"][: config["stories"]["topics"]]
    _check_premises(premises, chosen, config["stimuli"]["topics"])
    return stimuli


def load_stimuli(config: dict[str, Any]) -> dict[str, Any]:
    """Read the stimulus files that a config names.

    Args:
        config: a config whose `stimuli` names its files.

    Returns:
        `emotions` (word to wording), `topics` and `neutral` (lists), `prompts`, and
        `ratings`: by name, then by term in lower case, its `pleasure` and `arousal`.

    Raises:
        ConfigError: a file is missing, unreadable or not of its form.
    """
    paths = config["stimuli"]
    stimuli = {}
    for name in (
        "emotions",
        "topics",
        "neutral",
        "prompts",
        "activities",
        "scenarios",
        "intensities",
        "openings",
        *BEHAVIOURS,
        "wild",
    ):
        stimuli[name] = read_yaml(paths[name], f"config: stimuli.{name}")
        _check_schema(stimuli[name], name, paths[name])
    for emotion, words in stimuli["emotions"].items():
        if words["forms"][0] != emotion:
            place = f"{paths['emotions']}: {emotion}.forms: entry 1"
            raise ConfigError(f"{place}: {words['forms'][0]!r} must be {emotion!r}")
    for name, key in (
        ("topics", "topic"),
        ("neutral", "question"),
        ("activities", "activity"),
        ("scenarios", "text"),
        ("intensities", "text"),
    ):
        _check_distinct(stimuli[name], "id", paths[name])
        _check_distinct(stimuli[name], key, paths[name])
    for name, prompt in stimuli["prompts"].items():
        _check_prompt(f"{paths['prompts']}: {name}", prompt, PLACEHOLDERS[name])
    _check_messages(stimuli, paths)
    _check_behaviours(stimuli, paths)
    _check_distinct(stimuli["wild"], "id", paths["wild"])
    check_sessions(stimuli["wild"], stimuli["emotions"], paths)
    stimuli["ratings"] = {
        name: read_ratings(path, f"config: stimuli.ratings.{name}")
        for name, path in paths["ratings"].items()
    }
    return stimuli


def entries_of(stimuli: dict[str, Any], behaviour: str) -> list[dict[str, Any]]:
    """What an evaluation is about: its inboxes, tasks or conversations."""
    listed_in = {"blackmail": "variants", "reward_hacking": "tasks"}
    file = stimuli[behaviour]
    return file[listed_in[behaviour]] if behaviour in listed_in else file


def _check_behaviours(stimuli: dict[str, Any], paths: dict[str, Any]) -> None:
    for behaviour in BEHAVIOURS:
        _check_distinct(entries_of(stimuli, behaviour), "id", paths[behaviour])
    stimuli["graded"] = {}
    for name, (behaviour, key) in GRADED.items():
        path = paths["graded"][name]
        replies = read_yaml(path, f"config: stimuli.graded.{name}")
        _check_schema(replies, f"graded_{name}", path)
        _check_distinct(replies, "id", path)
        known = [entry["id"] for entry in entries_of(stimuli, behaviour)]
        for number, reply in enumerate(replies, start=1):
            place = f"{path}: entry {number} ({reply['id']}): {key}"
            check_known(reply[key], known, place, paths[behaviour])
        stimuli["graded"][name] = replies


def _check_messages(stimuli: dict[str, Any], paths: dict[str, str]) -> None:
    openings = stimuli["openings"]
    both = openings["word_prompts"] + openings["continuations"]
    _check_distinct(both, "id", paths["openings"])
    known = stimuli["emotions"]
    for name in ("scenarios", "intensities"):
        for number, entry in enumerate(stimuli[name], start=1):
            place = f"{paths[name]}: entry {number} ({entry['id']})"
            for emotion in entry.get("predictions", [entry.get("emotion")]):
                check_known(emotion, known, place, paths["emotions"])
            values = entry.get("values", [])
            if values != sorted(set(values)):
                raise ConfigError(f"{place}: values: the numbers must increase")


def _check_schema(value: Any, schema: str, where: str) -> None:
    errors = list(_validator(schema).iter_errors(value))
    if errors:
        # A key that is missing and one that is unknown are often one key, misspelt.
        error = min(errors, key=lambda e: e.validator != "additionalProperties")
        path, problem = _explain(error)
        raise ConfigError(f"{_place(where, path, value)}: {problem}")


@cache
def _validator(name: str) -> Draft202012Validator:
    schema = yaml.safe_load((SCHEMAS / f"{name}.schema.yaml").read_text("utf-8"))
    # JSON Schema takes 3.0 for an integer, and nan lies within any range.
    types = Draft202012Validator.TYPE_CHECKER.redefine_many(
        {
            "integer": lambda _, value: type(value) is int,
            "number": lambda _, v: type(v) in (int, float) and abs(v) < math.inf,
        }
    )
    return extend(Draft202012Validator, type_checker=types)(schema)


def _explain(error: ValidationError) -> tuple[list[Any], str]:
    """Where in the value the error is, and the sentence about it."""
    path, value, schema = list(error.absolute_path), error.instance, error.schema
    rule = error.validator_value
    match error.validator:
        case "additionalProperties":
            known = schema["properties"]
            key = next(key for key in value if key not in known)
            near = nearest(key, known) or f"; allowed are {listed(known)}"
            return [*path, key], f"unknown key{near}"
        case "required":
            key = next(key for key in rule if key not in value)
            allowed = schema["properties"][key]["title"]
            return [*path, key], f"missing; it must be {allowed}"
        case "dependentRequired":
            key, needed = next(
                (key, n)
                for key in rule
                if key in value
                for n in rule[key]
                if n not in value
            )
            allowed = schema["properties"][needed]["title"]
            return [*path, needed], f"missing; {key} needs it, and it must be {allowed}"
        case "oneOf":
            sources = [option["required"][0] for option in rule]
            has = listed(s for s in sources if s in value) or "none"
            return path, f"has {has} of {listed(sources)}; it must have exactly one"
        case "anyOf":
            return path, schema["title"]
        case "uniqueItems":
            twice = next(item for item in value if value.count(item) > 1)
            return path, f"{shown(twice)} stands twice; once is enough"
    problem = (
        "is given" if value is None else TOO.get(error.validator, "is not allowed")
    )
    problem = f"{shown(value)} {problem}; it must be {schema['title']}"
    words = rule if error.validator == "enum" else [rule]
    if error.validator in ("enum", "const"):
        problem += nearest(value, words)
    if rule == "string" and isinstance(value, bool | int | float):
        problem += "; put it in quotes"
    return path, problem


def _place(where: str, path: list[Any], value: Any) -> str:
    """A path in words: `config: stories.topics`, `topics.yaml: entry 3 (id): tone`."""
    place, joint = where, ": "
    for key in path:
        if isinstance(value, list):
            value, name = value[key], f"entry {key + 1}"
            if isinstance(value, dict) and "id" in value:
                name += f" ({value['id']})"
            place, joint = f"{place}: {name}", ": "
        else:
            value = value.get(key)
            place, joint = f"{place}{joint}{key}", "."
    return place


def _is_made(record: Path, model: dict[str, Any]) -> bool:
    """Whether the model was made already: its source may be gone since."""
    try:
        made = json.loads(record.read_text(encoding="utf-8"))
        kind = made["source"].partition(" ")[0]
        return made == made | {
            "source": f"{kind} {model[kind]}",
            "dtype": model["dtype"],
            "trust_remote_code": model.get("trust_remote_code", False),
        }
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        return False


def _check_model(where: str, model: dict[str, Any]) -> None:
    sources = {"folder": "a folder that holds config.json", "gguf": "a file"}
    for kind, wanted in sources.items():
        if kind not in model:
            continue
        path = Path(model[kind])
        if not path.exists():
            raise ConfigError(f"{where}.{kind}: {path} does not exist")
        if not (path / "config.json" if kind == "folder" else path).is_file():
            raise ConfigError(f"{where}.{kind}: {path} must be {wanted}")


def _chosen_emotions(
    config: dict[str, Any], known: dict[str, dict[str, list[str]]]
) -> dict[str, dict[str, list[str]]]:
    chosen = list(known) if config["emotions"] == "all" else config["emotions"]
    form_of = {form: e for e, words in known.items() for form in words["forms"]}
    for emotion in chosen:
        if emotion not in known:
            file = config["stimuli"]["emotions"]
            near = nearest(form_of.get(emotion, emotion), known)
            raise ConfigError(f"config: emotions: {emotion!r} is not in {file}{near}")
    if len(chosen) < FEWEST_EMOTIONS:
        problem = f"{len(chosen)} are too few; there must be at least {FEWEST_EMOTIONS}"
        raise ConfigError(f"config: emotions: {problem}")
    return {emotion: known[emotion] for emotion in chosen}


def _check_sizes(
    config: dict[str, Any], stimuli: dict[str, Any], emotions: int
) -> None:
    for section, key, name in (
        ("stories", "topics", "topics"),
        ("neutral", "dialogues", "neutral"),
        ("preferences", "activities", "activities"),
    ):
        count, held = config[section][key], len(stimuli[name])
        if count > held:
            problem = f"{count} is too large; {config['stimuli'][name]} holds {held}"
            raise ConfigError(f"config: {section}.{key}: {problem}")
    skipped, read = config["capture"]["from_token"], config["capture"]["min_tokens"]
    for section in ("stories", "neutral"):
        tokens = config[section]["tokens"]
        if skipped + read >= tokens:
            raise ConfigError(
                f"config: {section}.tokens: {tokens} is too small; it must be above "
                f"capture.from_token + capture.min_tokens, {skipped} + {read}"
            )
    clusters = config["geometry"]["clusters"]
    if clusters >= emotions:
        problem = f"{clusters} is too large; it must be below the number of emotions"
        raise ConfigError(f"config: geometry.clusters: {problem}, {emotions}")


def _check_steered(
    config: dict[str, Any], known: dict[str, dict[str, list[str]]]
) -> None:
    section = config["preferences"]
    for key, emotions in (
        ("focus", config["focus"]),
        ("preferences.extremes", section["extremes"]),
        ("preferences.steer", section["steer"]),
        *(
            (f"behaviours.{name}.steer", config["behaviours"][name]["steer"])
            for name in BEHAVIOURS
        ),
    ):
        for emotion in emotions:
            file = config["stimuli"]["emotions"]
            check_known(emotion, known, f"config: {key}", file)
    for name in BEHAVIOURS:
        entries = config["behaviours"][name]["entries"]
        steered = config["behaviours"][name]["steered"]
        if steered > entries:
            raise ConfigError(
                f"config: behaviours.{name}.steered: {steered} is too large; it must "
                f"be at most behaviours.{name}.entries, {entries}"
            )
    for small, large in (
        ("steered_activities", "activities"),
        ("steered_range", "layer_ranges"),
    ):
        if section[small] > section[large]:
            raise ConfigError(
                f"config: preferences.{small}: {section[small]} is too large; it must "
                f"be at most preferences.{large}, {section[large]}"
            )


def _check_premises(
    topics: list[dict[str, str]], emotions: dict[str, dict[str, list[str]]], path: str
) -> None:
    for number, topic in enumerate(topics, start=1):
        for emotion, words in emotions.items():
            text = topic["topic"].lower()
            forms = [form for form in words["forms"] if form in text]
            for phrase in words.get("not", []) if forms else []:
                text = _whole(phrase).sub(" ", text)
            named = next((form for form in forms if _whole(form).search(text)), None)
            if named:
                place = f"{path}: entry {number} ({topic['id']}): topic"
                raise ConfigError(
                    f"{place}: {named!r} names the emotion {emotion}; "
                    "a premise must name none"
                )


def _whole(words: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w){re.escape(words)}(?!\w)")


def _check_distinct(entries: list[dict[str, str]], key: str, path: str) -> None:
    first: dict[str, int] = {}
    for number, entry in enumerate(entries, start=1):
        if entry[key] in first:
            problem = f"{shown(entry[key])} is also that of entry {first[entry[key]]}"
            raise ConfigError(f"{path}: entry {number}: {key}: {problem}")
        first[entry[key]] = number


def _check_prompt(where: str, prompt: str, needed: tuple[str, ...]) -> None:
    try:
        parts = list(Formatter().parse(prompt))
    except ValueError as error:
        problem = "a brace stands alone; write {{ or }} for a brace that is meant"
        raise ConfigError(f"{where}: {problem}") from error
    found = [
        field + (f"!{turned}" if turned else "") + (f":{form}" if form else "")
        for _, field, form, turned in parts
        if field is not None
    ]
    for field in found:
        if field not in needed:
            allowed = listed(f"{{{name}}}" for name in needed)
            near = nearest(field, needed)
            problem = f"{{{field}}} is not allowed; it must be {allowed}{near}"
            raise ConfigError(f"{where}: {problem}")
    for name in needed:
        if name not in found:
            raise ConfigError(f"{where}: {{{name}}} is missing; the prompt needs it")
    # The activities' places are found by cutting the prompt at them.
    if found != list(needed) and where.endswith((": preference", ": feeling")):
        order = listed(f"{{{name}}}" for name in needed)
        raise ConfigError(f"{where}: it must hold {order}, once each and in this order")
