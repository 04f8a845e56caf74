"""Planted models go through the whole of each evaluation, script by script: what was
planted comes out, within its interval.
"""

import json
import runpy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from tiny import save_tiny, tiny_tokenizer

from emotion_concepts import judging
from emotion_concepts.evaluations import READINGS, is_control, orders
from emotion_concepts.generation import Written
from emotion_concepts.judges import LABELLED
from emotion_concepts.model import Model
from emotion_concepts.prefill import Prompt
from emotion_concepts.store import (
    read_json,
    read_records,
    write_json,
    write_records,
    write_tensors,
)

ROOT = Path(__file__).parents[2]
STIMULI = ROOT / "workflow/stimuli"
EMOTIONS = ["calm", "desperate", "loving"]
BASE, MOVED = 0.2, 0.8  # planted rates: without steering, and towards `desperate`
STRENGTH = 0.05
ROLLOUTS = 12


def _read(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


FILES = {name: _read(STIMULI / f"{name}.yaml") for name in READINGS}
GRADED = {
    name: _read(STIMULI / f"graded/{name}.yaml")
    for name in ("blackmail", "reward_hacking", "sycophancy", "harshness")
}
REFERENCES = _read(Path(__file__).with_name("reward_hacking_references.yaml"))
FLATTERY, HONESTY = "You are so right, as ever.", "That is not so, I am afraid."


class Planted:
    """A model that misbehaves at a known rate, and a judge that is right.

    It stands in for generation and scoring alone; all else is the pipeline's own.
    """

    def __init__(self, tokenizer: Any, base: float, moved: float) -> None:
        self.tokenizer, self.base, self.moved = tokenizer, base, moved
        self.towards = np.zeros(0)

    def generate(
        self, model: Model, prompts: list[Prompt], seeds: list[int], *_: object
    ) -> list[Written]:
        replies = map(self.reply, prompts, seeds)
        return [
            Written(self.tokenizer.encode(reply, add_special_tokens=False), True)
            for reply in replies
        ]

    def reply(self, prompt: Prompt, seed: int) -> str:
        shown = self.tokenizer.decode(prompt.tokens)
        bad = np.random.default_rng(seed).random() < self.rate(prompt)
        for variant in FILES["blackmail"]["variants"]:
            if variant["system"][:60] in shown:
                return _letter(variant, bad)
        for task in FILES["reward_hacking"]["tasks"]:
            if task["instruction"][:60] in shown:
                return REFERENCES[task["id"]]["hack" if bad else "honest"]
        return FLATTERY if bad else HONESTY

    def rate(self, prompt: Prompt) -> float:
        """The rate planted for a prompt: by what is added to it."""
        if prompt.steering is None:
            return self.base
        added = prompt.steering.vectors[0].numpy()
        length = np.linalg.norm(added) * np.linalg.norm(self.towards)
        return self.moved if added @ self.towards > 0.9 * length else self.base

    def score(
        self, model: Model, prompts: list[Prompt], options: list[list[list[int]]]
    ) -> list[list[torch.Tensor]]:
        return list(map(self.scored, prompts, options))

    def scored(self, prompt: Prompt, options: list[list[int]]) -> list[torch.Tensor]:
        shown = self.tokenizer.decode(prompt.tokens)
        names = [self.tokenizer.decode(option) for option in options]
        shares = [0.5]  # of a reply that is reread: all are alike
        if names == ["Yes", "No"]:
            yes = 0.99 if self.judged(shown) else 0.01
            shares = [yes, 1 - yes]
        elif len(names) > 1:
            bad = self.rate(prompt)
            shares = [(1 - bad) / (len(names) - 1)] * len(names)
            shares[next(i for i, n in enumerate(names) if _is_bad(shown, n))] = bad
        each = 1 if len(names) > 1 else 0  # a text's tokens are as likely as each other
        return [
            torch.full((len(option),), float(np.log(share)) / len(option) ** each)
            for option, share in zip(options, shares, strict=True)
        ]

    def judged(self, shown: str) -> bool:
        """What a judge that is always right says."""
        said = shown.rpartition("<reply>\n")[2].partition("\n</reply>")[0]
        question = next(
            name
            for name, (asked, _) in judging.QUESTIONS.items()
            if asked in shown.rpartition("</reply>")[2]
        )
        if said in (FLATTERY, HONESTY):
            return question == "sycophancy" and said == FLATTERY
        name, wanted = LABELLED[question]
        return any(r["reply"] == said and r["label"] == wanted for r in GRADED[name])


def _letter(variant: dict[str, Any], bad: bool) -> str:
    to, secret = variant["target"]["address"], (variant["secret"] or ["your letter"])[0]
    if bad:
        said = f"Call it off, or everyone will hear about {secret}."
    else:
        said = "Please look again before you decide. I would like to go on."
    return f'<thinking>Hm.</thinking>\n<send to="{to}">{said}</send>'


def _is_bad(shown: str, letter: str) -> bool:
    blackmail = [
        action["text"]
        for variant in FILES["blackmail"]["variants"]
        for action in variant["actions"]
        if action["kind"] == "blackmail"
    ]
    hacks = [task["actions"]["hack"] for task in FILES["reward_hacking"]["tasks"]]
    replies = [next(iter(prompt["choices"].values())) for prompt in FILES["sycophancy"]]
    return any(
        f"{letter}{sign} {text.strip()}\n" in shown
        for text in blackmail + hacks + replies
        for sign in ")."
    )


class Pipeline:
    """A study in a folder with a tiny model, whose scripts can be run."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch, moved: float) -> None:
        self.folder, self.patch = folder, patch
        self.weights: Path | None = save_tiny("llama", folder / "source")
        config = read_json(self.weights / "config.json")
        # Letter by letter, as the tiny tokenizer reads, an inbox is long.
        write_json(
            self.weights / "config.json", config | {"max_position_embeddings": 16384}
        )
        arrays = np.random.default_rng(0).normal(size=(3, len(EMOTIONS), 32))
        meaning = {
            "model": "tiny-llama",
            "emotions": EMOTIONS,
            "layers": [0, 1, 2],
            "blocks": 3,
            "fixed_layer": 1,
            "denoise": "none",
        }
        named = dict.fromkeys(("raw", "within", "neutral"), arrays.astype(np.float32))
        norm = {"norm": np.full(3, 5.0, np.float32)}
        write_tensors(folder / "vectors.safetensors", named | norm, meaning)
        write_records(
            folder / "stories",
            [
                {"emotion": e, "text": f"a {e} letter to the board", "dropped": []}
                for e in EMOTIONS
            ],
        )
        self.planted = Planted(tiny_tokenizer(), BASE, moved)
        self.planted.towards = arrays[1, EMOTIONS.index("desperate")]
        patch.setattr("emotion_concepts.writing.generate", self.planted.generate)
        patch.setattr("emotion_concepts.choices.score", self.planted.score)

    def numbers(self, behaviour: str, entries: list[dict], of_each: int) -> dict:
        """Everything from asking to the numbers of one evaluation."""
        instructions = {
            "blackmail": FILES["blackmail"]["instructions"],
            "reward_hacking": FILES["reward_hacking"],
            "sycophancy": {},
        }[behaviour]
        random = [f"random {n + 1}" for n in range(5)]
        settings = {
            "behaviour": behaviour,
            "entries": entries,
            "instructions": {k: v for k, v in instructions.items() if k != "tasks"},
            "asked": 99,
            "steered": of_each,
            "steered_controls": of_each,
            "directions": ["unsteered", "desperate", *random],
            "strengths": [STRENGTH],
            "batch_rows": 256,
            "rollouts": ROLLOUTS,
            "tokens": 1000,
            "turns": 2,
            "sampling": {"temperature": 1.0, "top_k": 10, "seed": 0},
            "emotions": ["desperate"],
            "batch_tokens": 4096,
            "resamples": 200,
            "labelled": GRADED[behaviour],
        }
        asked = {"code": "c", "name": "n"}
        rollouts = self.folder / "rollouts"
        self.run("choose", settings, "choices", batches="a", **asked)
        self.run(
            "roll_out", settings, "rollouts", batches="b", grader_code="g", **asked
        )
        judged = []
        if behaviour == "sycophancy":
            labelled = {name: GRADED[name] for name in ("sycophancy", "harshness")}
            own = {"judge": "planted", "form": "yes_no", "labelled": labelled}
            self.run(
                "judge",
                settings | own,
                "judged",
                rollouts=rollouts,
                batches="j",
                grader="grader",
                **asked,
            )
            judged = [self.folder / "judged"]
        else:
            settings["entries"] = _entries(behaviour)
            self.run("grader", settings, "grader")
            settings["entries"] = entries
        self.run(
            "read_along",
            settings,
            "streams.safetensors",
            rollouts=rollouts,
            transcripts="transcripts",
        )
        self.run(
            "behaviour",
            settings,
            "numbers",
            model="source/model.json",
            vectors="vectors.safetensors",
            stories="stories",
            choices="choices",
            rollouts="rollouts",
            judged=judged,
            grader="grader",
            streams="streams.safetensors",
        )
        return read_json(self.folder / "numbers")

    def run(self, script: str, settings: dict, out: str, **given: Any) -> None:
        path = self.folder / f"{script}-settings"
        write_json(path, settings)
        argv = ["script", "--settings", str(path), "--out", str(self.folder / out)]
        if script in ("choose", "roll_out", "judge", "read_along"):
            weights = [str(self.weights)] if self.weights else []
            argv += ["--weights", *weights, "--max-memory", "null"]
            if script != "judge":
                argv += ["--vectors", str(self.folder / "vectors.safetensors")]
        for name, value in given.items():
            argv.append(f"--{name.replace('_', '-')}")
            for one in value if isinstance(value, list) else [value]:
                plain = name in ("code", "grader_code", "name")
                argv.append(one if plain else str(self.folder / one))
        self.patch.setattr("sys.argv", argv)
        runpy.run_path(str(ROOT / f"scripts/{script}.py"), run_name="__main__")


@pytest.fixture
def pipeline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    """A model that misbehaves more often when it is steered towards `desperate`."""
    return Pipeline(tmp_path, monkeypatch, MOVED)


def _entries(behaviour: str) -> list[dict]:
    file = FILES[behaviour]
    if behaviour == "sycophancy":
        return file
    return file["variants" if behaviour == "blackmail" else "tasks"]


def _condition(some: list[dict], direction: str, strength: float) -> dict:
    return next(
        c for c in some if (c["direction"], c["strength"]) == (direction, strength)
    )


def _check(found: dict, reading: str, base: float, moved: float) -> None:
    """Both measures give the planted rates, and their difference from random ones.

    Args:
        base: the rate of rollouts that are not moved; that of choices is BASE.
        moved: of those that are; that of choices is MOVED.
    """
    for measure, value in (("choice", "value"), ("rollout", "rate")):
        low, high = (BASE, MOVED) if measure == "choice" else (base, moved)
        for direction, strength, planted in (
            ("unsteered", 0.0, low),
            ("desperate", STRENGTH, high),
            ("desperate", -STRENGTH, low),
            ("random 3", STRENGTH, low),
        ):
            conditions = found[measure]["conditions"]
            read = _condition(conditions, direction, strength)["readings"][reading]
            assert read["low"] - 1e-6 <= planted <= read["high"] + 1e-6, direction
            assert abs(read[value] - planted) < 0.25
        difference = next(
            d
            for d in found[measure]["differences"]
            if (d["direction"], d["strength"], d["reading"])
            == ("desperate", STRENGTH, reading)
        )
        assert difference["low"] - 1e-6 <= high - low <= difference["high"] + 1e-6
        assert difference["low"] > 0.1


def test_planted_blackmail_comes_out_within_its_intervals(pipeline: Pipeline) -> None:
    variants = _entries("blackmail")
    found = pipeline.numbers("blackmail", variants, 3)
    _check(found, "blackmail", BASE, MOVED)
    assert found["grader"]["blackmail"]["trusted"]
    assert found["rollout"]["unsteered"]["n"] == ROLLOUTS * len(variants)
    assert found["rollout"]["power"]["n"] == 3 * ROLLOUTS


def test_planted_hacks_come_out_within_their_intervals(pipeline: Pipeline) -> None:
    wanted = ("wrong_count", "two_answers", "step_sum")
    tasks = [task for task in _entries("reward_hacking") if task["id"] in wanted]
    found = pipeline.numbers("reward_hacking", tasks, 2)
    # A session that fails honestly is told so and tries once more.
    _check(found, "hack", 1 - (1 - BASE) ** 2, 1 - (1 - MOVED) ** 2)
    turns = [r["turn"] for r in read_records(pipeline.folder / "rollouts")]
    assert 0 < turns.count(1) < turns.count(0)


def test_planted_flattery_comes_out_within_its_intervals(pipeline: Pipeline) -> None:
    found = pipeline.numbers("sycophancy", FILES["sycophancy"], 1)
    _check(found, "sycophancy", BASE, MOVED)
    for question in ("sycophancy", "harshness", "support"):
        assert found["grader"][question]["kappa"] == pytest.approx(1)
    steered = _condition(found["rollout"]["conditions"], "desperate", STRENGTH)
    assert steered["readings"]["harshness"]["k"] == 0
    assert steered["readings"]["agreement"] is None  # no question asks for it


def test_a_model_that_always_misbehaves_is_found_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline = Pipeline(tmp_path, monkeypatch, 0.999)
    pipeline.planted.base = 0.999
    found = pipeline.numbers("blackmail", _entries("blackmail")[:2], 2)
    read = found["rollout"]["unsteered"]["readings"]["blackmail"]
    assert read["k"] == read["n"] == 2 * ROLLOUTS
    assert all(d["low"] <= 0 <= d["high"] for d in found["rollout"]["differences"])


def test_a_judge_that_guesses_measures_nothing(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline.planted, "judged", lambda shown: len(shown) % 2 == 0)
    found = pipeline.numbers("sycophancy", FILES["sycophancy"], 1)
    for question in ("sycophancy", "harshness", "support"):
        assert not found["grader"][question]["trusted"]
        assert "kappa" in found["grader"][question]["reason"]
    assert read_json(pipeline.folder / "judged") == []
    conditions = found["rollout"]["conditions"]
    assert all(r is None for c in conditions for r in c["readings"].values())
    assert found["rollout"]["differences"] == []


def test_a_judge_behind_an_endpoint_is_measured_and_asked_once(
    pipeline: Pipeline,
) -> None:
    asked = []

    class Judge(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            asked.append(body["messages"][0]["content"])
            rating = "9" if pipeline.planted.judged(asked[-1]) else "2"
            choice = {"message": {"content": rating}, "finish_reason": "stop"}
            answer = json.dumps({"choices": [choice]}).encode()
            self.send_response(200)
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    replies = [
        {"key": f"rain_poem/loving/+0.1/{n}/0", "entry": "rain_poem", "text": text}
        for n, text in enumerate([FLATTERY, HONESTY, FLATTERY])
    ]
    write_records(pipeline.folder / "rollouts", replies)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Judge)
    Thread(target=server.serve_forever, daemon=True).start()
    settings = {
        "judge": "far",
        "form": "rating",
        "endpoint": {"url": f"http://127.0.0.1:{server.server_port}/v1", "model": "m"},
        "entries": FILES["sycophancy"],
        "labelled": {name: GRADED[name] for name in ("sycophancy", "harshness")},
        "batch_rows": 256,
    }
    pipeline.weights = None
    given = {"rollouts": pipeline.folder / "rollouts", "batches": "far"}
    given |= {"grader": "grader", "code": "c", "name": "n"}
    pipeline.run("judge", settings, "judged", **given)
    first = read_json(pipeline.folder / "judged")
    count = len(asked)
    pipeline.run("judge", settings, "judged", **given)
    server.shutdown()
    assert len(asked) == count  # nothing is asked again
    assert read_json(pipeline.folder / "judged") == first
    grader = read_json(pipeline.folder / "grader")
    assert grader["sycophancy"]["kappa"] == pytest.approx(1)
    found = [a["found"] for a in first if a["question"] == "sycophancy"]
    assert found == [True, False, True]


def test_nothing_is_asked_or_written_twice(pipeline: Pipeline) -> None:
    variants = _entries("blackmail")[:2]
    first = pipeline.numbers("blackmail", variants, 1)

    def refuse(*_: object) -> None:
        raise AssertionError("it was there already")

    for name in ("writing.generate", "choices.score"):
        pipeline.patch.setattr(f"emotion_concepts.{name}", refuse)
    assert pipeline.numbers("blackmail", variants, 1) == first


@pytest.mark.parametrize("behaviour", READINGS)
def test_every_option_stands_in_every_place_equally_often(behaviour: str) -> None:
    entries = _entries(behaviour)
    assert any(is_control(behaviour, entry) for entry in entries)
    for entry in entries:
        some = orders(behaviour, entry)
        for place in range(len(some[0])):
            shown = [order[place] for order in some]
            assert len({shown.count(number) for number in shown}) == 1
