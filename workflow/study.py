"""The study as the Snakefile sees it: the config and stimuli, and what each rule is
handed.

A rule is handed a small JSON file with exactly the values that it needs. The file is
named after its content, so the rule's one parameter, that name, changes when and only
when a value does. Nothing here depends on which results exist or imports anything
heavy: it is read again on every node of a cluster.
"""

import hashlib
import json
import os
import sys
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from workflow.errors import ConfigError, shown
from workflow.reading import read_yaml
from workflow.validation import BEHAVIOURS, check_config, entries_of

SETTINGS = Path(".snakemake/settings")
# The libraries that decide what a model computes.
ENGINE = (
    "torch",
    "transformers",
    "accelerate",
    "safetensors",
    "tokenizers",
    "numpy",  # the draws are its
)
# The libraries that decide what the analyses of its activations give.
ANALYSIS = ("numpy", "scipy", "scikit-learn")
FIGURES = ("matplotlib",)
# What every study makes, whatever its size.
MADE = (
    "report.html",
    "findings.json",
    "model.json",
    "stories/stories.jsonl",
    "stories/counts.json",
    "neutral/shards/0.jsonl",
    "neutral/neutral.jsonl",
    "neutral/counts.json",
    "activations/neutral/0.safetensors",
    "vectors/vectors.safetensors",
    "vectors/cells.safetensors",
    "vectors/denoising.json",
    "identification/identification.json",
    "geometry/geometry.json",
    "geometry/bootstrap.json",
    "geometry/permuted.json",
    "geometry/layout.json",
    "readings/activities.safetensors",
    "readings/scenarios.safetensors",
    "readings/intensities.safetensors",
    "validation/lens.json",
    "validation/feeling_words.jsonl",
    "validation/continuations.jsonl",
    "validation/passages.json",
    "validation/validation.json",
    "preferences/preferences.json",
    *(
        f"{behaviour}/{file}"
        for behaviour in BEHAVIOURS
        for file in (
            f"{behaviour}.json",
            "grader.json",
            "probes.safetensors",
            "transcripts.jsonl",
        )
    ),
    "sycophancy/judged.json",
    "wild/wild.json",
    "wild/transcripts.json",
)
JUDGE = "judge"  # the folder of a judge's weights, beside those of the studied models
UNSTEERED = "unsteered"


class Study:
    """One config with its stimuli; what each rule needs of them."""

    def __init__(self, config: dict[str, Any], files: Iterable[str] = ()) -> None:
        try:
            for file in files:
                read_yaml(str(file), "--configfile")
            _take_away(config)
            self.stimuli = check_config(config)
        except ConfigError as error:
            sys.exit(f"error: {error}")
        self.config = config
        self.models = list(config["models"])
        chosen = config["emotions"]
        known = self.stimuli["emotions"]
        self.emotions = list(known) if chosen == "all" else chosen
        self.focus = [e for e in config["focus"] if e in self.emotions]
        self.topics = self.stimuli["topics"][: config["stories"]["topics"]]
        self.subjects = self.stimuli["neutral"][: config["neutral"]["dialogues"]]

    def files(self, figures: list[str]) -> list[str]:
        """Every result that a model's study leaves, below its folder, but the weights.

        The weights may be deleted to save space; nothing is made again for their sake.
        """
        shards = self.shards("stories")
        return [
            *MADE,
            *(f"stories/shards/{shard}.jsonl" for shard in shards),
            *(f"activations/stories/{shard}.safetensors" for shard in shards),
            *(
                f"preferences/{kind}/{shard}.jsonl"
                for kind in ("pairs", "steered")
                for shard in self.preference_shards(kind)
            ),
            *(
                f"{behaviour}/{kind}/{shard}.jsonl"
                for behaviour in BEHAVIOURS
                for kind in self.behaviour_steps(behaviour)
                for shard in self.behaviour_shards(behaviour)
            ),
            *(f"figures/{name}.{kind}" for name in figures for kind in ("svg", "png")),
        ]

    def shards(self, texts: str) -> list[str]:
        """The jobs that write and read these texts: those with at least one topic."""
        if texts == "neutral":
            return ["0"]
        return sorted({self._shard_of(topic["id"]) for topic in self.topics}, key=int)

    def _shard_of(self, name: str) -> str:
        """An item's job: by its name, so that no other item's coming or going moves
        it.
        """
        number = hashlib.sha256(name.encode()).hexdigest()
        return str(int(number, 16) % self.config["shards"])

    def named(self, model: str) -> dict[str, Any]:
        """A model's entry in the config."""
        if model == JUDGE:
            return self.config["behaviours"]["judge"]
        return self.config["models"][model]

    def model(self, model: str) -> dict[str, Any]:
        """Where a model comes from."""
        source = self.named(model)
        return {"source": {k: v for k, v in source.items() if k != "max_memory"}}

    def max_memory(self, model: str) -> str:
        """How much of each device a model may take, as JSON."""
        limits = self.named(model).get("max_memory")
        return json.dumps(limits)

    def write(self, texts: str, shard: str) -> dict[str, Any]:
        """What to write, and how."""
        common = {
            "sampling": self.config["sampling"],
            "prompt": self.stimuli["prompts"]["story" if texts == "stories" else texts],
            "max_tokens": self.config[texts]["tokens"],
            "batch_rows": self.config["batches"]["rows"],
        }
        if texts == "neutral":
            return common | {
                "subjects": self.subjects,
                "per_subject": self.config["neutral"]["per_subject"],
            }
        return common | {
            "emotions": self.emotions,
            "topics": [t for t in self.topics if self._shard_of(t["id"]) == shard],
            "per_topic": self.config["stories"]["per_topic"],
        }

    def keeping(self, texts: str) -> dict[str, Any]:
        """What decides which texts are kept."""
        wording = self.stimuli["emotions"]
        if texts == "neutral":
            # These name no emotion at all, of the study or not.
            texts = len(self.subjects) * self.config["neutral"]["per_subject"]
            return {"texts": texts, "wording": wording}
        crossed = len(self.emotions) * len(self.topics)
        return {
            "texts": crossed * self.config["stories"]["per_topic"],
            "wording": {emotion: wording[emotion] for emotion in self.emotions},
            "drop": self.config["stories"]["drop"],
        }

    def capture(self) -> dict[str, Any]:
        """How texts are read."""
        capture = self.config["capture"]
        return {
            "from_token": capture["from_token"],
            "min_tokens": capture["min_tokens"],
            "layers": None if capture["layers"] == "all" else capture["layers"],
            "batch_tokens": self.config["batches"]["tokens"],
        }

    def vectors(self) -> dict[str, Any]:
        """How vectors are made of activations."""
        return self.config["vectors"] | {
            "emotions": self.emotions,
            "topics": [topic["id"] for topic in self.topics],
        }

    def identification(self) -> dict[str, Any]:
        """What stories are told apart by."""
        return {
            "emotions": self.emotions,
            "topics": [topic["id"] for topic in self.topics],
            "resamples": self.config["geometry"]["resamples"],
        }

    def preference_shards(self, kind: str) -> list[str]:
        """The jobs that ask for preferences: `pairs` or `steered`."""
        if kind == "pairs":
            names = [activity["id"] for activity in self._activities()]
        else:
            names = self._steered_directions()
        return sorted({self._shard_of(name) for name in names}, key=int)

    def prefer(self, shard: str) -> dict[str, Any]:
        """Which pairs of activities are asked for."""
        activities = self._activities()
        return {
            "activities": activities,
            "prompt": self.stimuli["prompts"]["preference"],
            "first": [a["id"] for a in activities if self._shard_of(a["id"]) == shard],
            "batch_rows": self.config["batches"]["rows"],
        }

    def steer_preferences(self, shard: str) -> dict[str, Any]:
        """Which pairs are asked for while the model is steered, and by what."""
        section = self.config["preferences"]
        names = self._steered_directions()
        return {
            "activities": self._activities()[: section["steered_activities"]],
            "prompt": self.stimuli["prompts"]["preference"],
            "directions": [name for name in names if self._shard_of(name) == shard],
            "extremes": section["extremes"],
            "strengths": section["strengths"],
            "layer_ranges": section["layer_ranges"],
            "steered_range": section["steered_range"],
            "batch_rows": self.config["batches"]["rows"],
        }

    def preferences(self) -> dict[str, Any]:
        """What the preferences are compared with."""
        section = self.config["preferences"]
        return {
            "activities": self._activities(),
            "steered_activities": section["steered_activities"],
            "extremes": section["extremes"],
            "strengths": section["strengths"],
            "ratings": self._ratings(),
            "resamples": self.config["geometry"]["resamples"],
        }

    def behaviour_steps(self, behaviour: str) -> list[str]:
        """How an evaluation is measured: by `choices` and, if asked for, `rollouts`."""
        rollouts = self.config["behaviours"][behaviour]["rollouts"]
        return ["choices", "rollouts"] if rollouts else ["choices"]

    def behaviour_shards(self, behaviour: str) -> list[str]:
        """The jobs of an evaluation: a direction's is always in the same one."""
        names = self._behaviour_directions(behaviour)
        return sorted({self._shard_of(name) for name in names}, key=int)

    def choose(self, behaviour: str, shard: str) -> dict[str, Any]:
        """Which options are asked for, and under which steering."""
        names = self._behaviour_directions(behaviour)
        return self._shown(behaviour) | {
            **self._asked(behaviour),
            "directions": [name for name in names if self._shard_of(name) == shard],
            "strengths": self.config["behaviours"][behaviour]["strengths"],
            "batch_rows": self.config["batches"]["rows"],
        }

    def roll_out(self, behaviour: str, shard: str) -> dict[str, Any]:
        """What the model is to do in its own words, and under which steering."""
        section = self.config["behaviours"][behaviour]
        own = {k: section[k] for k in ("rollouts", "tokens", "turns") if k in section}
        sampling = {"sampling": self.config["sampling"]}
        return self.choose(behaviour, shard) | own | sampling

    def grader(self, behaviour: str) -> dict[str, Any]:
        """What a grader is measured on."""
        return self._shown(behaviour) | {"labelled": self.stimuli["graded"][behaviour]}

    def judge(self, model: str) -> dict[str, Any]:
        """Who judges replies, how, and what measures the judge."""
        judge = self.config["behaviours"]["judge"]
        far = isinstance(judge, dict) and "url" in judge
        graded = self.stimuli["graded"]
        name = model if judge == "self" else judge["model"] if far else JUDGE
        return {
            "judge": name,
            "form": "rating" if far else "yes_no",
            "endpoint": judge if far else None,
            "entries": self.stimuli["sycophancy"],
            "labelled": {name: graded[name] for name in ("sycophancy", "harshness")},
            "batch_rows": self.config["batches"]["rows"],
        }

    def judge_folder(self, model: str) -> str | None:
        """The folder in results/ of the judge's weights; None for an endpoint."""
        judge = self.config["behaviours"]["judge"]
        if judge == "self":
            return model
        return None if "url" in judge else JUDGE

    def judge_memory(self, model: str) -> str:
        """How much of each device the judge may take, as JSON."""
        folder = self.judge_folder(model)
        return self.max_memory(folder) if folder else json.dumps(None)

    def read_along(self, behaviour: str) -> dict[str, Any]:
        """What the probes are read along, and which are kept token by token."""
        return self._shown(behaviour) | {
            "asked": self.config["behaviours"][behaviour]["entries"],
            "emotions": self.config["behaviours"][behaviour]["steer"],
            "batch_tokens": self.config["batches"]["tokens"],
        }

    def behaviour(self, behaviour: str) -> dict[str, Any]:
        """What an evaluation's numbers are made of."""
        section = self.config["behaviours"][behaviour]
        return self._shown(behaviour) | {
            **self._asked(behaviour),
            "directions": self._behaviour_directions(behaviour)[1:],
            "strengths": section["strengths"],
            "rollouts": section["rollouts"],
            "emotions": section["steer"],
            "resamples": self.config["geometry"]["resamples"],
        }

    def _asked(self, behaviour: str) -> dict[str, int]:
        """How many entries of each kind are asked, and how many with steering."""
        section = self.config["behaviours"]
        return {
            "asked": section[behaviour]["entries"],
            "steered": section[behaviour]["steered"],
            "steered_controls": section["steered_controls"],
        }

    def _shown(self, behaviour: str) -> dict[str, Any]:
        """An evaluation's entries and its own wording."""
        file = self.stimuli[behaviour]
        instructions = {}
        if behaviour == "blackmail":
            instructions = file["instructions"]
        elif behaviour == "reward_hacking":
            instructions = {name: file[name] for name in ("prompt", "retry", "choice")}
        return {
            "behaviour": behaviour,
            "instructions": instructions,
            "entries": entries_of(self.stimuli, behaviour),
        }

    def _behaviour_directions(self, behaviour: str) -> list[str]:
        section = self.config["behaviours"]
        wanted = section[behaviour]["steer"]
        return [UNSTEERED, *self._directions(wanted, section["random"])]

    def _directions(self, wanted: list[str], random: int) -> list[str]:
        """The emotions to steer with that this study has, and the random directions."""
        emotions = [e for e in dict.fromkeys(wanted) if e in self.emotions]
        return emotions + [f"random {n + 1}" for n in range(random)]

    def prompts(self, prompts: str) -> dict[str, Any]:
        """Which prompts are read, and where."""
        capture = self.capture()
        both = ["assistant_start", "user_end"]
        listed, positions = {
            "activities": (self._activity_prompts(), ["activity"]),
            "scenarios": (self._scenario_prompts(), both),
            "intensities": (self._intensity_prompts(), both),
        }[prompts]
        return {
            "prompts": listed,
            "positions": positions,
            "layers": capture["layers"],
            "batch_tokens": capture["batch_tokens"],
        }

    def _scenario_prompts(self) -> list[dict[str, Any]]:
        """The messages that evoke an emotion."""
        return [{"key": s["id"], "user": s["text"]} for s in self.stimuli["scenarios"]]

    def _intensity_prompts(self) -> list[dict[str, Any]]:
        """Every message with a number, and its control, with each of its numbers."""
        return [
            {
                "key": f"{message['id']}/{kind}/{value}",
                "user": message[kind].replace("{x}", str(value)),
            }
            for message in self.stimuli["intensities"]
            for kind in ("text", "control")
            for value in message["values"]
        ]

    def lens(self) -> dict[str, Any]:
        """Which emotions are read through the lens at every layer."""
        return {"focus": self.focus}

    def feeling_words(self) -> dict[str, Any]:
        """Which words are scored, after what and under which steering."""
        section = self.config["validation"]
        return {
            "focus": self.focus,
            "openings": self.stimuli["openings"]["word_prompts"],
            "random": section["random"],
            "strength": section["strength"],
            "batch_rows": self.config["batches"]["rows"],
        }

    def continue_openings(self) -> dict[str, Any]:
        """What is continued, and under which steering."""
        section = self.config["validation"]
        return {
            "focus": self.focus,
            "openings": self.stimuli["openings"]["continuations"],
            "random": section["random"],
            "strengths": section["strengths"],
            "sampling": self.config["sampling"],
            "max_tokens": section["tokens"],
            "batch_rows": self.config["batches"]["rows"],
            "wording": {e: self.stimuli["emotions"][e] for e in self.focus},
        }

    def passages(self) -> dict[str, Any]:
        """What the probes are read along."""
        return {
            "focus": self.focus,
            "passages": self.config["validation"]["passages"],
            "batch_tokens": self.config["batches"]["tokens"],
            "wording": self.stimuli["emotions"],
        }

    def corpus(self) -> list[str]:
        """The file that passages come from, if the config names one."""
        corpus = self.config["validation"]["corpus"]
        return [corpus] if corpus else []

    def validation(self) -> dict[str, Any]:
        """What the tests of the vectors are held against."""
        return {
            "focus": self.focus,
            "forms": {e: self.stimuli["emotions"][e]["forms"] for e in self.focus},
            "scenarios": self.stimuli["scenarios"],
            "intensities": self.stimuli["intensities"],
            "strength": self.config["validation"]["strength"],
            "resamples": self.config["geometry"]["resamples"],
        }

    def wild(self) -> dict[str, Any]:
        """Which sessions are read, and what their probes are held against."""
        return {
            "focus": self.focus,
            "sessions": self.stimuli["wild"],
            "batch_tokens": self.config["batches"]["tokens"],
        }

    def benchmark(self, work: str) -> dict[str, Any]:
        """One kind of this study's work, in a size that takes minutes on a laptop."""
        batches, prompts = self.config["batches"], self.stimuli["prompts"]
        sizes = {
            "stories": {
                "rounds": 3,
                "emotions": self.emotions,
                "topics": self.topics[:1],
                "story_prompt": prompts["story"],
                "max_tokens": self.config["stories"]["tokens"],
                "batch_rows": batches["rows"],
            },
            "capture": {
                "rounds": 5,
                "texts": 96,
                "batch_tokens": batches["tokens"],
            },
            # Enough pairs for two batches of the default size, asked as all are.
            "pairs": {
                "rounds": 5,
                "activities": self.stimuli["activities"],
                "first": 8,
                "preference_prompt": prompts["preference"],
                "batch_rows": batches["rows"],
            },
            # A round for each strength: the peer does one of them in each.
            "dose_response": {
                "rounds": 5,
                "prompt_tokens": 1500,
                "new_tokens": 64,
                "strengths": [-0.1, -0.05, 0, 0.05, 0.1],
                "rollouts": 16,
            },
        }
        shared = {"work": work, "sampling": self.config["sampling"]}
        return shared | sizes[work]

    def _activity_prompts(self) -> list[dict[str, Any]]:
        """The question about each activity, and where the activity stands in it."""
        before, after = self.stimuli["prompts"]["feeling"].split("{activity}")
        return [
            {
                "key": a["id"],
                "user": before + a["activity"] + after,
                "marks": {"activity": [len(before), len(before) + len(a["activity"])]},
            }
            for a in self._activities()
        ]

    def _activities(self) -> list[dict[str, str]]:
        count = self.config["preferences"]["activities"]
        return self.stimuli["activities"][:count]

    def _steered_directions(self) -> list[str]:
        section = self.config["preferences"]
        wanted = section["extremes"] + section["steer"]
        return self._directions(wanted, section["random"])

    def geometry(self) -> dict[str, Any]:
        """What the map of the emotions is compared with."""
        return {
            "clusters": self.config["geometry"]["clusters"],
            "ratings": self._ratings(),
        }

    def resampling(self) -> dict[str, Any]:
        """How often the map is resampled; intervals are of the first ratings."""
        first = dict(list(self._ratings().items())[:1])
        return {"resamples": self.config["geometry"]["resamples"], "ratings": first}

    def _ratings(self) -> dict[str, dict[str, dict[str, float]]]:
        return {
            name: {e: terms[e] for e in self.emotions if e in terms}
            for name, terms in self.stimuli["ratings"].items()
        }


def readable(path: str) -> str:
    """The path itself, if it is that of a config that Snakemake can read; else one line
    that says why not.
    """
    try:
        config = read_yaml(path, "Snakefile")
        if not isinstance(config, dict):
            raise ConfigError(
                f"{path}: {shown(config)} is given; it must be a mapping with the "
                "keys of the shipped config.yaml"
            )
    except ConfigError as error:
        sys.exit(f"error: {error}")
    return path


def _take_away(config: dict[str, Any]) -> None:
    """Drop models and ratings that are null: an overlay adds, null takes one away."""
    stimuli = config.get("stimuli")
    ratings = stimuli.get("ratings") if isinstance(stimuli, dict) else None
    for table in (config.get("models"), ratings):
        # Anything else than a table is for the check to refuse.
        if isinstance(table, dict):
            for name in [name for name, value in table.items() if value is None]:
                del table[name]


def settings(rule: str, values: dict[str, Any]) -> str:
    """The path of a file that holds these values, named after them."""
    text = json.dumps(values, sort_keys=True, ensure_ascii=False, indent=1)
    name = hashlib.sha256(text.encode()).hexdigest()[:16]
    path = SETTINGS / f"{rule}-{name}.json"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(f".{os.getpid()}.part")
        partial.write_text(text + "\n", encoding="utf-8")
        partial.replace(path)
    return str(path)


def libraries(*names: str) -> str:
    """The installed versions of libraries, as one parameter."""
    return ", ".join(f"{name} {version(name)}" for name in names)


def use_this_python() -> None:
    """Let the rules' `python` be the one that runs Snakemake, activated or not, and
    find the package.
    """
    here = str(Path(sys.executable).parent)
    os.environ["PATH"] = os.pathsep.join([here, os.environ["PATH"]])
    os.environ["PYTHONPATH"] = str(Path(__file__).resolve().parent.parent)
