"""The two routes of installation agree, and the project stands by its own rules."""

import re
import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PINS = PROJECT["dependencies"] + PROJECT["optional-dependencies"]["test"]


def test_conda_and_pip_give_the_same_versions() -> None:
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    pip = next(d["pip"] for d in environment["dependencies"] if isinstance(d, dict))
    assert pip == PINS
    assert "python=3.11" in environment["dependencies"]


@pytest.mark.parametrize("pin", PINS)
def test_what_is_installed_is_what_is_pinned(pin: str) -> None:
    name, wanted = re.fullmatch(r"([\w-]+)(?:\[\w+\])?==([\w.]+)(?:;.*)?", pin).groups()
    assert version(name).split("+")[0] == wanted


@pytest.mark.parametrize("pin", PROJECT["optional-dependencies"]["peers"])
def test_peers_are_as_pinned_where_they_are_installed(pin: str) -> None:
    name, wanted = pin.split("==")
    try:
        assert version(name) == wanted
    except PackageNotFoundError:
        pytest.skip(f"{name} is not installed")


def test_the_package_installs_its_own_version() -> None:
    assert version("emotion-concepts") == PROJECT["version"]


def test_every_rule_logs_is_timed_and_names_its_environment() -> None:
    for path in (ROOT / "workflow/rules").glob("*.smk"):
        text = path.read_text()
        count = len(re.findall(r"^rule ", text, re.MULTILINE))
        for directive in ("log", "benchmark", "conda", "resources", "params"):
            found = len(re.findall(rf"^    {directive}:", text, re.MULTILINE))
            assert found == count, f"{path.name}: {directive}"


def test_no_rule_reads_the_config() -> None:
    for path in (ROOT / "workflow/rules").glob("*.smk"):
        text = path.read_text()
        assert not re.search(r"\bconfig\[", text), path.name


def test_importing_the_snakefiles_helpers_loads_nothing_heavy() -> None:
    code = "import sys, workflow.study; print([m for m in ('torch', 'transformers', "
    code += "'sklearn', 'matplotlib') if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, text=True, capture_output=True
    )
    assert done.stdout.strip() == "[]", done.stderr


def test_the_study_carries_the_reference_data_that_it_uses() -> None:
    stimuli = ROOT / "workflow/stimuli"
    assert len(yaml.safe_load((stimuli / "emotions.yaml").read_text())) == 171
    assert len((stimuli / "findings.csv").read_text().splitlines()) == 70
