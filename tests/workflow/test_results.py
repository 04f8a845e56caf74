"""Which results must be made again, and who may work on them."""

import errno
import fcntl
import json
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from emotion_concepts import source as source_module
from emotion_concepts.source import prepare
from emotion_concepts.store import write_records
from workflow import results
from workflow.results import hold_results, to_make_again

NO_MODEL = {"hub": "a/b"}


@pytest.mark.parametrize(
    ("name", "whole", "broken"),
    [
        ("a.json", b'{"a": 1}\n', b'{"a": '),
        ("a.svg", b"<svg></svg>\n", b"<svg>"),
        ("a.html", b"<html></html>\n", b"<html>"),
        ("a.png", b"\x89PNG....IEND\xaeB`\x82", b"\x89PNG...."),
        ("a.json", b"[]\n", b""),
        ("a.safetensors", b"\x02\0\0\0\0\0\0\0{}", b"\x09\0\0\0\0\0\0\0{}"),
        ("a.safetensors", b"\x02\0\0\0\0\0\0\0{}", b"\x02\0\0"),
        ("a.safetensors", b"\x02\0\0\0\0\0\0\0{}", b"\x02\0\0\0\0\0\0\0{]"),
    ],
)
def test_damaged_results_are_to_be_made_again_and_whole_ones_are_not(
    tmp_path: Path, name: str, whole: bytes, broken: bytes
) -> None:
    path = tmp_path / "step" / name
    path.parent.mkdir()
    path.write_bytes(whole)
    assert to_make_again(tmp_path, NO_MODEL, [f"step/{name}"]) == {}
    path.write_bytes(broken)
    again = to_make_again(tmp_path, NO_MODEL, [f"step/{name}"])
    assert again == {str(path): "cut short or damaged"}
    assert path.read_bytes() == broken


def test_records_cut_short_anywhere_are_noticed(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    write_records(path, [{"a": 1}, {"b": [2]}])
    assert to_make_again(tmp_path, NO_MODEL, ["a.jsonl"]) == {}
    for size in reversed(range(path.stat().st_size)):
        os.truncate(path, size)
        assert to_make_again(tmp_path, NO_MODEL, ["a.jsonl"]), size


def test_a_damaged_file_of_a_model_condemns_the_model(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text('{"half')
    again = to_make_again(tmp_path, NO_MODEL, ["model.json"])
    assert list(again) == [str(tmp_path / "model")]


def test_what_is_removed_meanwhile_is_not_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.json").write_text("{}")
    (tmp_path / "step").write_text("a file where a folder was")
    really = Path.open

    def removed(path: Path, *args: Any, **options: Any) -> object:
        path.unlink(missing_ok=True)
        return really(path, *args, **options)

    monkeypatch.setattr(Path, "open", removed)
    assert to_make_again(tmp_path, NO_MODEL, ["a.json"]) == {}
    monkeypatch.undo()
    assert to_make_again(tmp_path, NO_MODEL, ["step/b.json"]) == {}


@pytest.fixture
def folder(weights: Callable[[str], Path], tmp_path: Path) -> Path:
    return Path(shutil.copytree(weights("llama"), tmp_path / "given"))


def made_of(folder: Path, made: Path) -> dict[str, str]:
    """A model made from a folder, as the `model` rule makes it."""
    source = {"folder": str(folder), "dtype": "float32"}
    record = prepare(source, made / "model")
    (made / "model.json").write_text(json.dumps(record))
    an_hour_ago = time.time() - 3600
    os.utime(made / "model.json", (an_hour_ago, an_hour_ago))
    return source


def test_a_models_folder_that_changed_is_noticed(folder: Path, tmp_path: Path) -> None:
    made = tmp_path / "made"
    source = made_of(folder, made)
    assert to_make_again(made, source, []) == {}
    weights = folder / "model.safetensors"
    os.utime(weights, (2**31, 2**31))
    assert to_make_again(made, source, []) == {}
    original = weights.read_bytes()
    weights.write_bytes(original[:-1] + bytes([original[-1] ^ 1]))
    changed = {str(made / "model.json"): f"{folder} has changed"}
    # `mv` and `cp -p` bring other files here with an old time.
    for when in (2**31, 0):
        os.utime(weights, (when, when))
        assert to_make_again(made, source, []) == changed
    weights.write_bytes(original)
    assert to_make_again(made, source, []) == {}
    (folder / "chat_template.jinja").unlink()
    assert to_make_again(made, source, []) == changed


@pytest.mark.parametrize("pattern", source_module._BESIDE)
def test_a_new_file_that_the_model_would_take_is_a_change(
    pattern: str, folder: Path, tmp_path: Path
) -> None:
    source = made_of(folder, tmp_path / "made")
    (folder / "README.md").write_text("Not taken.")
    (folder / "consolidated.safetensors").write_text("Not taken.")
    assert to_make_again(tmp_path / "made", source, []) == {}
    (folder / pattern.replace("*", "new")).write_text("{}")
    assert to_make_again(tmp_path / "made", source, []) != {}


def test_a_models_folder_that_is_gone_is_no_change(
    folder: Path, tmp_path: Path
) -> None:
    source = made_of(folder, tmp_path / "made")
    shutil.rmtree(folder)
    assert to_make_again(tmp_path / "made", source, []) == {}


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (errno.EWOULDBLOCK, "error: another run is at work on these results; wait"),
        (errno.ENOLCK, "error: .snakemake/study.lock: this filesystem cannot lock"),
    ],
)
def test_a_lock_that_is_not_had_is_one_line_with_its_reason(
    number: int, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*args: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(fcntl, "flock", refused)
    with pytest.raises(SystemExit) as stop:
        hold_results()
    assert str(stop.value).startswith(expected)
    assert "\n" not in str(stop.value)
    assert not results._held
