"""A copy of the project with a tiny model, and what its DAG would do."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml
from tiny import save_tiny

ROOT = Path(__file__).resolve().parent.parent
PARTS = (
    "Snakefile",
    "config.yaml",
    "environment.yml",
    "emotion_concepts",
    "scripts",
    "workflow",
)
# The smoke preset, on texts of random tokens, which keep no rule.
OVERLAY = {
    "stories": {"drop": []},
    "capture": {"from_token": 2, "min_tokens": 2},
    "behaviours": {
        name: {"entries": 2} for name in ("blackmail", "reward_hacking", "sycophancy")
    },
}

Job = tuple[
    str, str
]  # rule and wildcards, "write" and "model=tiny, shard=0, texts=stories"


def make_project(folder: Path, architectures: list[str]) -> Path:
    """A project in `folder` whose models are tiny ones with random weights."""
    copy_parts(folder)
    shorten_stimuli(folder / "workflow/stimuli")
    models = {}
    for architecture in architectures:
        source = save_tiny(architecture, folder / "sources" / architecture)
        models[architecture] = {"folder": str(source), "dtype": "float32"}
    smoke = yaml.safe_load((ROOT / "workflow/presets/smoke.yaml").read_text())
    edit_config(folder, {"models": None}, smoke, OVERLAY, {"models": models})
    return folder


def copy_parts(folder: Path) -> Path:
    """The project as it is shipped, without anything made."""
    folder.mkdir(parents=True)
    for part in PARTS:
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
        copy(ROOT / part, folder / part)
    (folder / "profiles").symlink_to("workflow/profiles")
    return folder


def shorten_stimuli(folder: Path) -> None:
    """Evaluations that a tiny model reads quickly, and with few positions: one entry of
    a kind, in few words.
    """
    inboxes = _read(folder / "blackmail.yaml")
    kept = ("ferry_routes", "orchard_press")
    variants = [v for v in inboxes["variants"] if v["id"] in kept]
    for variant in variants:
        variant["system"] = variant["system"][:60]
        variant["inbox"] = [m | {"body": m["body"][:20]} for m in variant["inbox"][:3]]
        for action in variant["actions"]:
            action["text"] = action["text"][:20] + action["kind"]
    instructions = {
        "rollout": "It is {now}. People: {people}. {inbox}",
        "choice": "It is {now}. {inbox} {actions} Which one?",
    }
    _write(
        folder / "blackmail.yaml",
        {"instructions": instructions, "variants": variants},
    )
    coding = _read(folder / "reward_hacking.yaml")
    tasks = [t for t in coding["tasks"] if t["id"] in ("wrong_count", "step_sum")]
    for task in tasks:
        task["instruction"] = task["instruction"][:60]
        task["stuck"] = task["stuck"][:30]
        task["actions"] = {k: f"{k} {v[:20]}" for k, v in task["actions"].items()}
    prompts = {
        "prompt": "{instruction} {files}",
        "retry": "{output} Again.",
        "choice": "{instruction} {files} {stuck} {actions}",
    }
    _write(folder / "reward_hacking.yaml", prompts | {"tasks": tasks})
    talks: dict[str, dict] = {}
    for talk in _read(folder / "sycophancy.yaml"):
        talk["choices"] = {k: f"{k} {v[:20]}" for k, v in talk["choices"].items()}
        talk.pop("control_of", None)
        talks.setdefault(talk["kind"], talk)
    _write(folder / "sycophancy.yaml", list(talks.values()))
    for name, key, some in (
        ("blackmail", "variant", variants),
        ("reward_hacking", "task", tasks),
        ("sycophancy", "prompt", talks.values()),
        ("harshness", "prompt", talks.values()),
    ):
        path, ids = folder / f"graded/{name}.yaml", {entry["id"] for entry in some}
        _write(path, [reply for reply in _read(path) if reply[key] in ids][:8])


def _read(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def _write(path: Path, value: Any) -> None:
    path.write_text(yaml.safe_dump(value, allow_unicode=True), encoding="utf-8")


def edit_config(project: Path, *overlays: dict) -> None:
    """Lay values over the project's config; None clears a key."""
    path = project / "config.yaml"
    config = yaml.safe_load(path.read_text())
    for overlay in overlays:
        _lay_over(config, overlay)
    path.write_text(yaml.safe_dump(config, sort_keys=False))


def _lay_over(config: dict, overlay: dict) -> None:
    for key, value in overlay.items():
        if value is None:
            config[key] = {}
        elif isinstance(value, dict) and isinstance(config.get(key), dict):
            _lay_over(config[key], value)
        else:
            config[key] = value


def copy_project(project: Path, folder: Path) -> Path:
    """The project with its results and their provenance, times kept."""
    shutil.copytree(project, folder, symlinks=True, copy_function=shutil.copy2)
    return folder


def snakemake(project: Path, *args: str, check: bool = True) -> str:
    """Run Snakemake as a user would; returns all that it printed."""
    done = subprocess.run(
        command(*args),
        cwd=project,
        env=environment(),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    if check and done.returncode:
        raise AssertionError(done.stdout[-6000:])
    return done.stdout


def command(*args: str) -> list[str]:
    # One core: tests run side by side, and threads that wait for each other crawl.
    return [sys.executable, "-m", "snakemake", "--cores", "1", *args]


def environment() -> dict[str, str]:
    """This environment, less what pytest's own run of coverage or paths would add."""
    return {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}


def pending(project: Path, *args: str) -> set[Job]:
    """The jobs that would run now."""
    text = snakemake(project, "--dry-run", *args)
    jobs = set()
    for block in re.split(r"\n(?=(?:local)?rule \w+:|\[)", text):
        rule = re.match(r"(?:local)?rule (\w+):", block)
        if rule and rule[1] != "all":
            wildcards = re.search(r"^    wildcards: (.*)$", block, re.MULTILINE)
            jobs.add((rule[1], wildcards[1] if wildcards else ""))
    return jobs


def rules(jobs: set[Job]) -> set[str]:
    """Just the rules' names."""
    return {rule for rule, _ in jobs}


def results(project: Path) -> dict[str, bytes]:
    """Every text, record, number and figure by path; not what depends on the clock."""
    skip = ("logs", "benchmarks")
    return {
        str(path.relative_to(project)): path.read_bytes()
        for path in sorted((project / "results").rglob("*"))
        if path.is_file()
        and not set(path.parts) & set(skip)
        and not path.name.startswith(".")
    }
