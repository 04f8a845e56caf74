"""The smoke preset on tiny random models of eight architectures, as one DAG.

Every step that knows the architecture runs on all of them, and two of them go on to the
findings. What analyses texts and numbers does not know it any more.
"""

import json
from pathlib import Path

import numpy as np
import pytest
from study import make_project, pending, snakemake

ARCHITECTURES = (
    "llama",
    "qwen2",
    "qwen3",
    "gemma2",
    "gemma3_text",
    "mistral",
    "gpt_neox",
    "gpt2",
)
TO_FINDINGS = ("llama", "gemma2")
STEPS = (
    "geometry/geometry.json",
    "validation/lens.json",
    "preferences/steered/0.jsonl",
    "preferences/pairs/0.jsonl",
)
TARGETS = [
    *(f"results/{name}/findings.json" for name in TO_FINDINGS),
    *(f"results/{name}/{step}" for name in ARCHITECTURES for step in STEPS),
]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("architectures") / "p"
    made = make_project(folder, list(ARCHITECTURES))
    snakemake(made, *TARGETS)
    return made


def records(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_step_with_the_model_runs(project: Path, architecture: str) -> None:
    results = project / "results" / architecture
    record = json.loads((results / "model.json").read_text())
    assert record["model_type"] == architecture
    lens = json.loads((results / "validation/lens.json").read_text())
    assert len(lens["by_layer"]) == record["layers"]
    plain = {
        (r["first"], r["second"]): r["log_probability"]
        for r in records(results / "preferences/pairs/0.jsonl")
        if r["form"] == "chat"
    }
    steered = records(results / "preferences/steered/0.jsonl")
    moved = set()
    for record in steered:
        before = plain[record["first"], record["second"]]
        if not np.allclose(record["log_probability"], before, atol=1e-3):
            moved.add(record["direction"])
    # Through Mistral's short windows only what the first layer adds comes so far.
    everything = {record["direction"] for record in steered}
    assert moved == ({"calm", "angry"} if architecture == "mistral" else everything)


@pytest.mark.parametrize("architecture", TO_FINDINGS)
def test_the_analyses_run_to_the_findings(project: Path, architecture: str) -> None:
    results = project / "results" / architecture
    findings = json.loads((results / "findings.json").read_text())
    verdicts = {f["id"]: f["verdict"] for f in findings}
    assert len(verdicts) == 69
    assert verdicts["geometry.pc1_variance"] != "not measured"


def test_nothing_is_left_to_do(project: Path) -> None:
    assert pending(project, *TARGETS) == set()
