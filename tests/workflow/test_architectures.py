"""The smoke preset on tiny random models of eight architectures, as one DAG.

To the findings: what follows them, and UMAP, does not know the architecture any more.
"""

import json
from pathlib import Path

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
TARGETS = [f"results/{architecture}/findings.json" for architecture in ARCHITECTURES]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("architectures") / "p"
    made = make_project(folder, list(ARCHITECTURES))
    snakemake(made, *TARGETS)
    return made


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_step_runs_to_its_findings(project: Path, architecture: str) -> None:
    results = project / "results" / architecture
    record = json.loads((results / "model.json").read_text())
    assert record["model_type"] == architecture
    findings = json.loads((results / "findings.json").read_text())
    verdicts = {f["id"]: f["verdict"] for f in findings}
    assert len(verdicts) == 69
    assert verdicts["geometry.pc1_variance"] != "not measured"


def test_nothing_is_left_to_do(project: Path) -> None:
    assert pending(project, *TARGETS) == set()
