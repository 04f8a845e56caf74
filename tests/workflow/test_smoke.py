"""The smoke preset, end to end, on the embedded model: the one test that downloads."""

import json
from pathlib import Path

import pytest
from study import copy_parts, pending, snakemake

MODEL = "smollm2-135m-instruct"
PRESET = ("--configfile", "workflow/presets/smoke.yaml")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = copy_parts(tmp_path_factory.mktemp("smoke") / "p")
    snakemake(made, *PRESET)
    return made


def test_the_embedded_model_is_what_the_config_says(project: Path) -> None:
    record = json.loads((project / f"results/{MODEL}/model.json").read_text())
    assert (record["layers"], record["width"]) == (30, 576)
    assert record["dtype"] == "bfloat16"


def test_its_stories_are_stories(project: Path) -> None:
    counts = json.loads((project / f"results/{MODEL}/stories/counts.json").read_text())
    assert counts["written"] == 36
    assert counts["kept"] >= 20
    text = (project / f"results/{MODEL}/stories/stories.jsonl").read_text()
    stories = [json.loads(line)["text"] for line in text.splitlines()]
    assert sum(" the " in story for story in stories) > 30


def test_every_measured_finding_has_its_interval_null_n_and_evidence(
    project: Path,
) -> None:
    results = project / "results" / MODEL
    findings = json.loads((results / "findings.json").read_text())
    measured = [f for f in findings if f["verdict"] != "not measured"]
    assert len(measured) >= 12
    for finding in measured:
        assert finding["ci_low"] <= finding["ours"] <= finding["ci_high"], finding
        assert finding["null_low"] <= finding["null"] <= finding["null_high"]
        assert finding["null_name"]
        assert finding["n"] > 0
        assert (results / finding["evidence"]).is_file()
    for finding in findings:
        assert finding["reason"] or finding["verdict"] != "not measured"


def test_nothing_is_left_to_do(project: Path) -> None:
    assert pending(project, *PRESET) == set()
