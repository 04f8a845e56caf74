"""The analysis, script by script, on made-up texts and activations."""

import json
import runpy
from pathlib import Path

import numpy as np
import pytest
from made_up import preferences, validation, wild
from made_up_behaviours import behaviours

from emotion_concepts.activations import MEAN, NORM
from emotion_concepts.store import (
    digest,
    read_json,
    read_tensor,
    write_json,
    write_records,
    write_tensors,
)
from emotion_concepts.texts import dialogue

ROOT = Path(__file__).parents[2]
EMOTIONS = [f"feeling{i}" for i in range(14)]
TOPICS = ["boat", "dog", "tea", "train"]
WIDTH = 12
WORDING = {emotion: {"forms": [emotion], "synonyms": []} for emotion in EMOTIONS}


class Study:
    """A study in a folder, whose scripts can be run."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.patch = folder, monkeypatch

    def __truediv__(self, name: str) -> Path:
        return self.folder / name

    def run(self, script: str, **paths: object) -> None:
        argv = [f"{script}.py"]
        for name, value in paths.items():
            values = value if isinstance(value, list) else [value]
            argv += [f"--{name.replace('_', '-')}", *map(str, values)]
        self.patch.setattr("sys.argv", argv)
        runpy.run_path(str(ROOT / f"scripts/{script}.py"), run_name="__main__")

    def settings(self, **values: object) -> Path:
        path = self / f"settings-{digest(values)}.json"
        write_json(path, values)
        return path

    def keep(self, shards: list[Path], name: str = "stories.jsonl") -> None:
        settings = self.settings(
            texts=len(EMOTIONS) * len(TOPICS),
            wording=WORDING,
            drop=["near_duplicate", "names_emotion"],
        )
        self.run(
            "keep",
            settings=settings,
            shards=shards,
            out=self / name,
            counts=self / "counts.json",
        )

    def vectors(self, denoise: str = "within") -> None:
        settings = self.settings(
            emotions=EMOTIONS,
            topics=TOPICS,
            depth=0.667,
            denoise=denoise,
            neutral_variance=0.5,
        )
        self.run(
            "vectors",
            settings=settings,
            model=self / "model.json",
            stories=self / "stories.jsonl",
            activations=self / "stories.safetensors",
            neutral=self / "neutral.jsonl",
            neutral_activations=self / "neutral.safetensors",
            vectors=self / "vectors.safetensors",
            cells=self / "cells.safetensors",
            denoising=self / "denoising.json",
        )

    def identify(self) -> dict:
        settings = self.settings(emotions=EMOTIONS, topics=TOPICS, resamples=20)
        self.run(
            "identify",
            settings=settings,
            model=self / "model.json",
            stories=self / "stories.jsonl",
            activations=self / "stories.safetensors",
            vectors=self / "vectors.safetensors",
            name="identifying",
            out=self / "identification.json",
        )
        return read_json(self / "identification.json")

    def map(self, ratings: dict, first: str) -> dict[str, dict]:
        """Everything from the map to the page; the findings by id."""
        made = {"vectors": self / "vectors.safetensors"}
        made |= {"cells": self / "cells.safetensors"}
        settings = self.settings(clusters=3, ratings=ratings)
        out = self / "geometry.json"
        self.run("geometry", settings=settings, first=first, out=out, **made)
        settings = self.settings(resamples=10, ratings={first: ratings[first]})
        for how in ("bootstrap", "permuted"):
            out = self / f"{how}.json"
            self.run("resample", settings=settings, how=how, name=how, out=out, **made)
        shown = {
            name: self / f"{name}.json"
            for name in ("geometry", "bootstrap", "permuted", "identification")
        }
        chosen = self / "preferences.json"
        write_json(chosen, preferences(EMOTIONS))
        tested = self / "validation.json"
        write_json(tested, validation())
        sessions = self / "wild.json"
        write_json(sessions, wild())
        pressed = []
        for found in behaviours():
            pressed.append(self / f"{found['behaviour']}.json")
            write_json(pressed[-1], found)
        self.run(
            "findings",
            validation=tested,
            preferences=chosen,
            wild=sessions,
            behaviours=pressed,
            paper=ROOT / "workflow/stimuli/findings.csv",
            stories=self / "stories.jsonl",
            out=self / "findings.json",
            **shown,
        )
        places = np.random.default_rng(0).normal(size=(len(EMOTIONS), 2)).tolist()
        write_json(self / "layout.json", {"emotions": EMOTIONS, "places": places})
        common = {
            "findings": self / "findings.json",
            "denoising": self / "denoising.json",
            "story_counts": self / "counts.json",
            "neutral_counts": self / "counts.json",
            "validation": tested,
            "preferences": chosen,
            "behaviours": pressed,
        }
        curves = ROOT / "workflow/stimuli/paper_curves.csv"
        layout, figures = self / "layout.json", self / "figures"
        self.run(
            "figures",
            layout=layout,
            wild=sessions,
            curves=curves,
            out=figures,
            **common,
            **shown,
        )
        self.run(
            "report",
            name="made-up",
            template=ROOT / "workflow/report/page.html.j2",
            figures=figures,
            model=self / "model.json",
            geometry=shown["geometry"],
            identification=shown["identification"],
            out=self / "report.html",
            **common,
        )
        return {row["id"]: row for row in read_json(self / "findings.json")}


def stories(words: bool) -> list[dict]:
    """Stories of words that their emotion and their topic draw, or of none at all."""
    generator = np.random.default_rng(0)
    return [
        {
            "key": f"{topic}/{emotion}/0",
            "emotion": emotion,
            "topic": topic,
            "round": 0,
            "ended": "cut",
            "tokens": 30,
            "text": " ".join(
                f"{kind}{i}" for kind in (topic, f"hue{e}", "a") for i in drawn
            )
            if words
            else f"{e} {t}",
        }
        for t, topic in enumerate(TOPICS)
        for e, emotion in enumerate(EMOTIONS)
        for drawn in [generator.choice(30, 6, replace=False)]
    ]


def make(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    layers: tuple[int, ...] = (3, 5, 7),
    words: bool = True,
) -> Study:
    """Texts and activations of a made-up model of 9 blocks."""
    study, generator = Study(folder, monkeypatch), np.random.default_rng(1)
    records, identity = stories(words), "0123"
    write_json(study / "model.json", {"identity": identity, "width": WIDTH})
    write_records(study / "shard.jsonl", records)
    neutral = [
        {"question": "Q?", "text": f"A nail {i}.", "dropped": []} for i in range(8)
    ]
    write_records(study / "neutral.jsonl", neutral)
    meaning = {"model": identity, "layers": list(layers), "blocks": 9}
    emotion = generator.normal(size=(len(EMOTIONS), 1, WIDTH))
    read = {
        "stories": [r["text"] for r in records[:-1]],  # the last one is too short
        "neutral": [dialogue(r["question"], r["text"]) for r in neutral],
    }
    for name, texts in read.items():
        rows = generator.normal(size=(len(texts), len(layers), WIDTH))
        if name == "stories":
            rows += emotion[[i % len(EMOTIONS) for i in range(len(texts))]]
        norms = np.full(rows.shape[:2], 2.0)
        meaning["keys"] = [digest(text) for text in texts]
        path = study / f"{name}.safetensors"
        write_tensors(path, {MEAN: rows, NORM: norms}, meaning)
    study.keep([study / "shard.jsonl"])
    return study


def ratings(count: int) -> dict[str, dict[str, float]]:
    values = np.random.default_rng(2).uniform(-1, 1, (count, 2)).tolist()
    pairs = zip(EMOTIONS, values, strict=False)
    return {word: {"pleasure": p, "arousal": a} for word, (p, a) in pairs}


def test_the_kept_stories_are_the_same_however_the_work_was_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = make(tmp_path, monkeypatch)
    records = stories(words=True)
    # Two near-duplicates on different topics: which is kept must not depend on shards.
    records[-1]["text"] = records[13]["text"] + " more"
    kept = []
    for count in (1, 3):
        shards = [study / f"{count}-{i}.jsonl" for i in range(count)]
        for i, shard in enumerate(reversed(shards)):
            write_records(shard, records[i::count])
        study.keep(shards, f"kept-{count}.jsonl")
        kept.append((study / f"kept-{count}.jsonl").read_bytes())
    assert kept[0] == kept[1]
    assert kept[0].count(b'"dropped": ["near_duplicate"]') == 1


def test_every_number_of_the_map_has_its_baseline_and_the_page_shows_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    study = make(tmp_path, monkeypatch)
    study.vectors()
    identified = study.identify()
    found = study.map({"people": ratings(12)}, "people")
    for name in ("pc1_valence_r", "arousal_r", "valence_decoding_r"):
        row = found[f"geometry.{name}"]
        assert row["baseline"] is not None
        assert row["baseline_low"] <= row["baseline"] <= row["baseline_high"]
        assert row["difference"] == pytest.approx(row["ours"] - row["baseline"])
    row = found["vectors.heldout_topic_top1"]
    assert (row["n"], row["unit"], row["items"]) == (4, "topics", 55)
    assert row["ours"] == identified["probe"]["within"]["top1"]["value"]
    assert row["baseline"] > 0.5
    assert found["stories.leak_rate"]["n"] == 4
    assert found["stories.leak_rate"]["items"] == 56
    assert read_json(study / "denoising.json")["too_short"] == 1
    page = (study / "report.html").read_text()
    assert "1 is too short to be read and 55 enter" in page
    assert "100 % of those were cut at the limit" in page
    assert "identifying: 8 of 8" in capsys.readouterr().err


@pytest.mark.parametrize("denoise", ["none", "neutral", "within"])
def test_identification_uses_the_recipe_of_the_results(
    denoise: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = make(tmp_path, monkeypatch)
    study.vectors(denoise)
    identified = study.identify()
    kind = {"none": "raw"}.get(denoise, denoise)
    assert identified["kind"] == kind
    last = len(EMOTIONS) - 1
    ours, words = (
        np.mean([1 - (story[name] - 1) / last for story in identified["stories"]])
        for name in (kind, "words")
    )
    value = identified["probe"][kind]["rank_score"]["value"]
    assert value == pytest.approx(ours)
    more = identified["probe_minus"]["words"]["rank_score"]["value"]
    assert more == pytest.approx(ours - words)
    assert set(identified["probe"]) == {"raw", "within", "neutral"}


def test_another_models_activations_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = make(tmp_path, monkeypatch)
    study.vectors()
    write_json(study / "model.json", {"identity": "4567", "width": WIDTH})
    with pytest.raises(SystemExit, match="made by another model"):
        study.identify()


def test_few_layers_leave_the_comparison_of_layers_unmeasured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = make(tmp_path, monkeypatch, layers=(5, 8))
    study.vectors()
    study.identify()
    row = study.map({"people": ratings(12)}, "people")["geometry.rsa_mid_late_min"]
    assert row["verdict"] == "not measured"
    assert row["reason"].startswith("capture.layers leaves fewer than two layers")


@pytest.mark.parametrize("count", [0, 2, 5])
def test_too_few_first_ratings_are_a_reason_whatever_the_second_hold(
    count: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = make(tmp_path, monkeypatch)
    study.vectors()
    study.identify()
    found = study.map({"b": ratings(count), "a": ratings(13)}, "b")
    row = found["geometry.pc1_valence_r"]
    assert row["verdict"] == "not measured"
    assert row["reason"].startswith(f"{count} of the study's emotions have")


def test_stories_without_words_in_common_have_no_baseline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = make(tmp_path, monkeypatch, words=False)
    study.vectors()
    assert study.identify()["baselines"] == {}
    found = study.map({"people": ratings(12)}, "people")
    for name in ("geometry.pc1_valence_r", "vectors.heldout_topic_top1"):
        assert found[name]["verdict"] != "not measured"
        assert found[name]["baseline"] is None
    assert "share too few words" in (study / "report.html").read_text()
    json.dumps(found, allow_nan=False)


def test_the_unit_of_steering_is_that_of_the_kept_stories(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = make(tmp_path, monkeypatch)
    path = study / "stories.safetensors"
    rows, norms = read_tensor(path, MEAN), read_tensor(path, NORM)
    texts = [record["text"] for record in stories(words=True)[:-1]]
    more = ["loud but dropped", "loud and of no story"]
    rows = np.concatenate([rows, rows[:2]])
    norms = np.concatenate([norms, norms[:2] + 1000])
    meaning = {"model": "0123", "layers": [3, 5, 7], "blocks": 9}
    keys = [digest(text) for text in [*texts, *more]]
    write_tensors(path, {MEAN: rows, NORM: norms}, meaning | {"keys": keys})
    study.vectors()
    norm = read_tensor(study / "vectors.safetensors", "norm")
    assert norm == pytest.approx(np.full(3, 2.0))
