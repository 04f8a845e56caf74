"""What must be true of a rebuild, job by job, on the real DAG with a tiny model."""

import csv
import fcntl
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
import yaml
from study import (
    command,
    copy_project,
    edit_config,
    environment,
    make_project,
    pending,
    results,
    rules,
    snakemake,
)

DOWNSTREAM_OF_TEXTS = {"keep", "capture", "vectors", "identify", "geometry", "resample"}
SHOWN = {"findings", "figures", "report"}
PREFERENCES = {"steer_preferences", "preferences"}
UNDER_PRESSURE = {"choose", "roll_out", "judge", "read_along", "behaviour"}
STEERED = {"steer_preferences", "feeling_words", "continue_openings"}
PROBED = (
    STEERED | UNDER_PRESSURE | {"lens", "passages", "preferences", "validation", "wild"}
)
ANALYSES = {"vectors", "identify", "geometry", "resample", "layout"} | PROBED | SHOWN
WITHOUT_TEXTS = {"model", "read_prompts", "prefer", "grader"}
EVERYTHING = WITHOUT_TEXTS | {"write"} | DOWNSTREAM_OF_TEXTS | ANALYSES

STORIES = "results/llama/stories/shards/0.jsonl"


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that has run to the end. Never changed: tests work on copies."""
    project = make_project(tmp_path_factory.mktemp("finished") / "p", ["llama"])
    snakemake(project)
    return project


@pytest.fixture
def project(finished: Path, tmp_path: Path) -> Path:
    return copy_project(finished, tmp_path / "p")


def lines(path: Path) -> list[str]:
    # The last line has a mark of its own.
    return [line.rstrip() for line in path.read_text().splitlines()]


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_a_finished_study_has_nothing_to_do(project: Path) -> None:
    assert pending(project) == set()


def test_the_dry_run_of_a_new_study_names_every_rule(tmp_path: Path) -> None:
    project = make_project(tmp_path / "p", ["llama"])
    assert rules(pending(project)) == EVERYTHING


def test_a_second_run_of_everything_gives_the_same_bytes(
    finished: Path, tmp_path: Path
) -> None:
    again = make_project(tmp_path / "p", ["llama"])
    edit_config(again, {"models": {"llama": {"folder": source(finished)}}})
    snakemake(again)
    assert results(again) == results(finished)


def source(project: Path) -> str:
    config = yaml.safe_load((project / "config.yaml").read_text())
    return config["models"]["llama"]["folder"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"sampling": {"temperature": 0.5}}, EVERYTHING - WITHOUT_TEXTS),
        ({"sampling": {"seed": 2}}, EVERYTHING - WITHOUT_TEXTS),
        ({"stories": {"drop": ["repeats"]}}, ANALYSES | {"keep"}),
        ({"capture": {"from_token": 3}}, ANALYSES | {"capture"}),
        ({"capture": {"layers": 3}}, ANALYSES | {"capture", "read_prompts"}),
        ({"vectors": {"denoise": "neutral"}}, ANALYSES),
        ({"vectors": {"depth": 1.0}}, ANALYSES),
        ({"geometry": {"clusters": 4}}, {"geometry"} | SHOWN),
        (
            {"geometry": {"resamples": 120}},
            {"identify", "resample", "preferences", "validation", "behaviour"} | SHOWN,
        ),
        ({"batches": {"tokens": 1024}}, ANALYSES | {"capture", "read_prompts"}),
        (
            {"focus": ["sad", "calm"]},
            PROBED - PREFERENCES - UNDER_PRESSURE | SHOWN,
        ),
        ({"validation": {"strength": 0.4}}, {"feeling_words", "validation"} | SHOWN),
        (
            {"validation": {"tokens": 9}},
            {"continue_openings", "validation"} | SHOWN,
        ),
        ({"preferences": {"random": 6}}, PREFERENCES | SHOWN),
        (
            {"behaviours": {"judge": {"url": "https://host/v1", "model": "m"}}},
            {"judge", "behaviour"} | SHOWN,
        ),
        (
            {"behaviours": {"blackmail": {"rollouts": 2}}},
            {"roll_out", "read_along", "behaviour"} | SHOWN,
        ),
        (
            {"preferences": {"activities": 9}},
            {"read_prompts", "prefer", "preferences"} | SHOWN,
        ),
    ],
    ids=lambda value: str(value)[:50] if isinstance(value, dict) else "",
)
def test_a_config_value_reruns_only_the_rules_that_it_reaches(
    project: Path, change: dict, expected: set[str]
) -> None:
    edit_config(project, change)
    assert rules(pending(project)) == expected


def test_neutral_settings_leave_the_stories_alone(project: Path) -> None:
    edit_config(project, {"neutral": {"tokens": 40}})
    jobs = pending(project)
    assert ("write", "model=llama, texts=neutral, shard=0") in jobs
    assert not any("texts=stories" in wildcards for _, wildcards in jobs)


def leaves(config: dict, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found = []
    for key, value in config.items():
        if isinstance(value, dict) and key != "models":
            found += leaves(value, (*path, key))
        elif key not in ("models", "stimuli"):
            found.append((*path, key))
    return found


OTHER_VALUES = {
    "emotions": ["happy", "sad", "angry", "calm", "bored"],
    "drop": ["repeats"],
    "layers": 3,
    "denoise": "neutral",
    "depth": 1.0,
    "temperature": 0.5,
    "neutral_variance": 0.4,
    "shards": 5,
    "clusters": 2,
    "focus": ["happy", "sad"],
    "strengths": [0.2],
    "corpus": "corpus.txt",
    "extremes": ["calm"],
    "steer": ["sad"],
    "steered_activities": 6,
    "judge": {"url": "https://host/v1", "model": "m"},
}


def test_no_config_value_is_dead_or_untracked(project: Path) -> None:
    (project / "corpus.txt").write_text("A passage.\n")
    before = (project / "config.yaml").read_text()
    config = yaml.safe_load(before)
    for path in leaves({k: v for k, v in config.items() if k != "stimuli"}):
        value: object = config
        for key in path:
            value = value[key]
        other = OTHER_VALUES.get(path[-1])
        changed: object = other if other is not None else value + 1
        if path in (("stories", "topics"), ("neutral", "dialogues")):
            changed = value + 1
        for key in reversed(path):
            changed = {key: changed}
        (project / "config.yaml").write_text(before)
        edit_config(project, changed)
        assert pending(project), f"{'.'.join(path)} changes nothing"


def test_touching_every_file_reruns_nothing(project: Path) -> None:
    for path in project.rglob("*"):
        made = {"results", ".snakemake"} & set(path.relative_to(project).parts)
        if path.is_file() and not made:
            os.utime(path)
    assert pending(project) == set()


def test_a_function_reruns_the_rules_that_use_it(project: Path) -> None:
    replace(
        project / "emotion_concepts/geometry.py",
        "KMeans(count, n_init=20",
        "KMeans(count, n_init=21",
    )
    assert rules(pending(project)) == {"geometry"} | SHOWN


def test_a_function_of_the_engine_reruns_the_model_steps(project: Path) -> None:
    replace(
        project / "emotion_concepts/generation.py",
        "cumsum(-1)",
        "cumsum(dim=-1)",
    )
    assert rules(pending(project)) == EVERYTHING - WITHOUT_TEXTS


def test_a_function_of_the_figures_reruns_only_what_is_drawn(project: Path) -> None:
    path = project / "emotion_concepts/figures_map.py"
    text = path.read_text()
    start = text.index('"""', text.index("def emotion_map")) + 3
    end = text.index('"""', start) + 3
    path.write_text(text[:end] + "\n    assert True\n" + text[end:])
    assert rules(pending(project)) == {"figures", "report"}


def test_a_comment_or_docstring_reruns_nothing(project: Path) -> None:
    for path in [*project.glob("emotion_concepts/*.py"), *project.glob("scripts/*.py")]:
        text = path.read_text()
        text = text.replace('"""', '"""Said otherwise. ', 1)
        path.write_text("# A comment.\n" + text + "\n\n# Another.\n")
    assert pending(project) == set()


def test_an_unrelated_module_or_function_reruns_nothing(project: Path) -> None:
    (project / "emotion_concepts/unrelated.py").write_text("VALUE = 1\n")
    for path in project.glob("emotion_concepts/*.py"):
        path.write_text(path.read_text() + "\n\ndef unused() -> int:\n    return 1\n")
    (project / "README.md").write_text("Other words.\n")
    assert pending(project) == set()


def test_one_more_emotion_writes_only_its_own_stories(project: Path) -> None:
    old = set(lines(project / STORIES))
    config = yaml.safe_load((project / "config.yaml").read_text())
    edit_config(project, {"emotions": [*config["emotions"], "eager"]})
    assert rules(pending(project)) == EVERYTHING - WITHOUT_TEXTS
    output = snakemake(project)
    new = set(lines(project / STORIES))
    assert old < new
    assert all('"emotion": "eager"' in line for line in new - old)
    assert len(new - old) == config["stories"]["topics"]
    assert f"{len(old)} of {len(new)} are there already" in output
    assert pending(project) == set()


def test_one_more_topic_writes_only_its_own_stories(project: Path) -> None:
    old = set(lines(project / STORIES))
    edit_config(project, {"stories": {"topics": 4}})
    snakemake(project, STORIES)
    new = set(lines(project / STORIES))
    assert old < new
    assert len({re.search(r'"topic": "(\w+)"', line)[1] for line in new - old}) == 1


def test_growth_reads_only_the_new_texts(project: Path) -> None:
    edit_config(project, {"stories": {"topics": 4}})
    output = snakemake(project, "results/llama/activations/stories/0.safetensors")
    there, total = map(
        int, re.search(r"reading.*: (\d+) of (\d+) are", output).groups()
    )
    emotions = len(yaml.safe_load((project / "config.yaml").read_text())["emotions"])
    assert total - emotions <= there < total


def test_resharding_keeps_every_text(project: Path) -> None:
    old = set(lines(project / STORIES))
    edit_config(project, {"shards": 5})
    jobs = {wildcards for rule, wildcards in pending(project) if rule == "write"}
    shards = [w for w in jobs if "stories" in w]
    assert len(shards) > 1
    output = snakemake(project, "results/llama/stories/stories.jsonl")
    new = set()
    for path in project.glob("results/llama/stories/shards/*.jsonl"):
        if f"{path}" != f"{project / STORIES}" or any("shard=0" in w for w in shards):
            new |= set(lines(path))
    assert old == new
    assert "tokens/s" not in output


def test_one_more_model_leaves_the_first_alone(project: Path) -> None:
    config = yaml.safe_load((project / "config.yaml").read_text())
    edit_config(project, {"models": {"twin": config["models"]["llama"]}})
    jobs = pending(project)
    assert rules(jobs) == EVERYTHING
    assert all(wildcards.startswith("model=twin") for _, wildcards in jobs)


def test_a_deleted_result_is_made_again_and_what_follows(project: Path) -> None:
    (project / "results/llama/geometry/geometry.json").unlink()
    assert rules(pending(project)) == {"geometry"} | SHOWN


def test_deleting_the_weights_alone_makes_nothing_again(project: Path) -> None:
    shutil.rmtree(project / "results/llama/model")
    assert pending(project) == set()


def test_a_text_deleted_by_hand_is_missed(project: Path) -> None:
    path = project / STORIES
    path.write_text(path.read_text().partition("\n")[2])
    output = snakemake(project, check=False)
    assert re.search(r"error: .*0\.jsonl: 35 texts where there should be 36", output)


@pytest.mark.parametrize(
    ("path", "rule"),
    [
        ("vectors/vectors.safetensors", "vectors"),
        ("geometry/geometry.json", "geometry"),
        ("stories/shards/0.jsonl", "write"),
        ("figures/emotion_map.png", "figures"),
        ("figures/layers.svg", "figures"),
        ("report.html", "report"),
    ],
)
def test_a_truncated_result_is_made_again(
    project: Path, finished: Path, path: str, rule: str
) -> None:
    broken = project / "results/llama" / path
    size = broken.stat().st_size
    os.truncate(broken, size // 2 + 1)
    assert rule in rules(pending(project))
    snakemake(project, f"results/llama/{path}")
    assert broken.read_bytes() == (finished / "results/llama" / path).read_bytes()


def test_damage_is_only_reported_unless_the_results_are_held(project: Path) -> None:
    broken = project / "results/llama/geometry/geometry.json"
    os.truncate(broken, 99)
    before = results(project)
    said = "results/llama/geometry/geometry.json: cut short or damaged; to be made"
    assert said in snakemake(project, "--dry-run")
    for options in (["--lint"], ["--unlock"], ["--summary"]):
        snakemake(project, *options)
    with (project / ".snakemake/study.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        output = snakemake(project, check=False)
    assert "error: another run is at work on these results" in output
    assert results(project) == before


def test_a_part_of_the_study_is_done_without_a_page_to_open(project: Path) -> None:
    (project / "results/llama/report.html").unlink()
    (project / "results/llama/geometry/layout.json").unlink()
    output = snakemake(project, "results/llama/geometry/layout.json")
    assert "\ndone\n" in output
    assert "open results" not in output


def test_where_a_model_is_placed_reruns_nothing(project: Path) -> None:
    edit_config(project, {"models": {"llama": {"max_memory": {"cpu": "7GiB"}}}})
    assert pending(project) == set()
    output = snakemake(project, "--dry-run", "--printshellcmds", "--forceall")
    assert output.count("""--max-memory '{"cpu": "7GiB"}'""") == 24


def test_rules_for_the_stories_leave_the_neutral_texts_alone(project: Path) -> None:
    edit_config(project, {"stories": {"drop": ["repeats"]}})
    keeping = {wildcards for rule, wildcards in pending(project) if rule == "keep"}
    assert keeping == {"model=llama, texts=stories"}


def test_a_models_folder_is_followed_until_it_is_gone(project: Path) -> None:
    mine = shutil.copytree(source(project), project / "mine")
    edit_config(project, {"models": {"llama": {"folder": str(mine)}}})
    snakemake(project, "results/llama/model.json")
    weights = mine / "model.safetensors"
    original = weights.read_bytes()
    weights.write_bytes(original[:-1] + bytes([original[-1] ^ 1]))
    target = "results/llama/model.json"
    assert rules(pending(project, target)) == {"model"}
    weights.write_bytes(original)
    assert pending(project, target) == set()
    shutil.rmtree(mine)
    assert pending(project, target) == set()


def batches(project: Path) -> dict[Path, int]:
    """When each finished batch was written."""
    folders = ("stories/batches", "neutral/batches", "activations/*/batches")
    return {
        path: path.stat().st_mtime_ns
        for folder in folders
        for path in project.glob(f"results/llama/{folder}/*/*.*")
    }


def test_code_that_decides_no_text_leaves_the_batches_and_drawing_none(
    project: Path,
) -> None:
    package = project / "emotion_concepts"
    activations = "results/llama/activations/stories/0.safetensors"
    before = batches(project)
    replace(package / "progress.py", "are there already", "were there before")
    assert pending(project) == set()
    replace(package / "store.py", "another process is at work", "another is at work")
    assert {"write", "capture"} <= rules(pending(project))
    output = snakemake(project, activations)
    assert "were there before" in output
    assert batches(project) == before
    replace(package / "generation.py", "logits.argmax(-1)", "logits.argmax(dim=-1)")
    snakemake(project, STORIES)
    stories = {path for path in before if "llama/stories/batches" in str(path)}
    assert stories
    assert not stories & batches(project).keys()


def test_a_truncated_batch_is_not_taken_for_a_whole_one(
    project: Path, finished: Path
) -> None:
    batch = next(project.glob("results/llama/stories/batches/*/*.jsonl"))
    os.truncate(batch, batch.stat().st_size // 2)
    (project / STORIES).unlink()
    snakemake(project, STORIES)
    assert (project / STORIES).read_bytes() == (finished / STORIES).read_bytes()


def slow_project(folder: Path) -> Path:
    """A study whose stories take a good many batches."""
    project = make_project(folder, ["llama"])
    edit_config(
        project, {"stories": {"topics": 12, "tokens": 100}, "batches": {"rows": 12}}
    )
    return project


def kill_while_writing(project: Path, whole_group: bool) -> None:
    """Start the study and kill it with SIGKILL once some batches are finished."""
    run = subprocess.Popen(
        command(STORIES),
        cwd=project,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        for _ in range(1200):
            if len(list(project.glob("results/llama/stories/batches/*/*.jsonl"))) > 1:
                break
            time.sleep(0.05)
    finally:
        target = os.killpg if whole_group else os.kill
        target(run.pid, signal.SIGKILL)
        run.wait()
    assert not (project / STORIES).exists()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    project = slow_project(tmp_path_factory.mktemp("undisturbed") / "p")
    snakemake(project, STORIES)
    return (project / STORIES).read_bytes()


@pytest.mark.parametrize("whole_group", [True, False], ids=["all", "orphan"])
def test_a_killed_run_goes_on_and_gives_the_same_bytes(
    tmp_path: Path, undisturbed: bytes, whole_group: bool
) -> None:
    project = slow_project(tmp_path / "p")
    kill_while_writing(project, whole_group)
    output = snakemake(project, STORIES)
    assert "are there already" in output
    assert (project / STORIES).read_bytes() == undisturbed


def test_two_runs_at_once_do_no_harm(tmp_path: Path, undisturbed: bytes) -> None:
    project = slow_project(tmp_path / "p")
    first = subprocess.Popen(
        command(STORIES),
        cwd=project,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(1200):
            if list(project.glob("results/llama/stories/batches/*/*.jsonl")):
                break
            time.sleep(0.05)
        # However long the second takes to start, the first is not done by then.
        first.send_signal(signal.SIGSTOP)
        second = snakemake(project, STORIES, check=False)
        assert "error: another run is at work on these results" in second
    finally:
        first.send_signal(signal.SIGCONT)
        assert first.wait() == 0
    assert (project / STORIES).read_bytes() == undisturbed


def test_progress_and_time_are_recorded_for_every_step(finished: Path) -> None:
    for rule in EVERYTHING:
        tables = list(finished.glob(f"results/llama/benchmarks/{rule}*.tsv"))
        assert tables, rule
        with tables[0].open() as file:
            assert float(next(csv.DictReader(file, delimiter="\t"))["s"]) > 0
