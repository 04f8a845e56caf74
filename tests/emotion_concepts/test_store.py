"""Whole files, ledgers and batches."""

import errno
import fcntl
import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

from emotion_concepts.errors import StudyError
from emotion_concepts.store import (
    Ledger,
    alone,
    cut,
    read_json,
    read_meaning,
    read_records,
    read_tensor,
    same_model,
    seed_of,
    tensors_on_disk,
    whole,
    write_json,
    write_records,
    write_tensors,
)
from emotion_concepts.writing import item_key, ledger_keys


def write_half(path: Path) -> None:
    with whole(path) as partial:
        partial.write_text("half")
        raise RuntimeError


def test_a_file_appears_only_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a" / "file.txt"
    with pytest.raises(RuntimeError):
        write_half(path)
    assert list(path.parent.iterdir()) == []
    with whole(path) as partial:
        partial.write_text("all")
        assert not path.exists()
    assert path.read_text() == "all"


def test_an_old_file_survives_a_failed_write(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError):
        write_half(path)
    assert path.read_text() == "old"


@pytest.mark.parametrize("text", ["", '{"a": 1', '{"a"'])
def test_damaged_json_is_refused_in_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(StudyError, match=r"a\.json: damaged or cut short") as error:
        read_json(path)
    assert "\n" not in str(error.value)


def test_damaged_records_and_tensors_are_refused(tmp_path: Path) -> None:
    write_records(tmp_path / "a.jsonl", [{"a": 1}, {"a": 2}])
    text = (tmp_path / "a.jsonl").read_text()
    (tmp_path / "a.jsonl").write_text(text[:-4])
    with pytest.raises(StudyError, match="damaged"):
        read_records(tmp_path / "a.jsonl")
    write_tensors(tmp_path / "a.safetensors", {"x": np.zeros(100)}, {})
    data = (tmp_path / "a.safetensors").read_bytes()
    (tmp_path / "a.safetensors").write_bytes(data[:-8])
    with pytest.raises(StudyError, match="damaged"):
        read_tensor(tmp_path / "a.safetensors", "x")


@pytest.mark.parametrize("name", ["a.json", "folder/a.json"])
@pytest.mark.parametrize(
    "read", [read_json, read_records, read_meaning, lambda path: read_tensor(path, "x")]
)
def test_a_missing_file_is_called_missing(
    tmp_path: Path, name: str, read: Callable[[Path], object]
) -> None:
    with pytest.raises(StudyError, match=r"a\.json: missing; run again"):
        read(tmp_path / name)


@pytest.mark.parametrize("size", [0, 4, 30])
def test_tensors_cut_short_anywhere_are_refused(tmp_path: Path, size: int) -> None:
    write_tensors(tmp_path / "a.safetensors", {"x": np.zeros(100)}, {})
    os.truncate(tmp_path / "a.safetensors", size)
    with pytest.raises(StudyError, match="damaged"):
        read_tensor(tmp_path / "a.safetensors", "x")


def test_a_filesystem_without_locks_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*args: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refused)
    with (
        pytest.raises(StudyError, match=r"out\.jsonl: this filesystem cannot lock"),
        alone(tmp_path / "out.jsonl"),
    ):
        pass


def test_tensors_written_part_by_part_are_ordinary_safetensors(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    values = np.random.default_rng(0).normal(size=(5, 3, 2)).astype(np.float32)
    shapes = {"a": (5, 3, 2), "b": (2,), "empty": (0, 7)}
    with tensors_on_disk(path, shapes, {"meaning": ["α", 1]}) as arrays:
        for row in range(5):
            arrays["a"][row] = values[row]
        arrays["b"][:] = 1.5
    loaded = safetensors.numpy.load_file(path)
    assert np.array_equal(loaded["a"], values)
    assert np.array_equal(loaded["b"], [1.5, 1.5])
    assert loaded["empty"].shape == (0, 7)
    assert read_meaning(path) == {"meaning": ["α", 1]}
    assert np.array_equal(read_tensor(path, "a", (slice(None), 1)), values[:, 1])
    assert read_tensor(path, "empty").shape == (0, 7)


@pytest.mark.parametrize("mark", ["\u2028", "\u2029", "\x85", "\x0c", "\n", "\r"])
def test_a_text_may_hold_any_line_separator(tmp_path: Path, mark: str) -> None:
    records = [{"text": f"one{mark}two"}, {"text": "three"}]
    write_records(tmp_path / "a.jsonl", records)
    assert read_records(tmp_path / "a.jsonl") == records


def test_equal_content_is_equal_bytes(tmp_path: Path) -> None:
    meaning = {f"key{i}": i for i in range(30)}
    for name, pairs in (("a", meaning), ("b", dict(reversed(meaning.items())))):
        write_tensors(tmp_path / name, {"x": np.ones(3)}, pairs)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_json_never_holds_what_json_cannot(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"a": [float("nan"), 1.5], 3: float("inf")})
    assert (tmp_path / "a.json").read_text() == (
        '{\n "3": null,\n "a": [\n  null,\n  1.5\n ]\n}\n'
    )


def test_inputs_of_another_model_are_refused(tmp_path: Path) -> None:
    write_tensors(tmp_path / "a.safetensors", {"x": np.zeros(1)}, {"model": "one"})
    same_model("one", tmp_path / "a.safetensors")
    with pytest.raises(StudyError, match="made by another model"):
        same_model("two", tmp_path / "a.safetensors")


def test_seeds_differ_between_items_and_last_for_ever() -> None:
    seeds = {seed_of(1, "topic", emotion, n) for emotion in "abc" for n in range(50)}
    assert len(seeds) == 150
    assert seed_of(1, "rowing_boat", "afraid", 0) == 4163172767079869273


def keys(path: Path) -> list[str]:
    return [json.loads(line)["key"] for line in path.read_text().splitlines()]


def test_a_ledger_finds_items_of_its_own_recipe_only(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, {"temperature": 1}, ".jsonl", keys)
    write_records(ledger.path(["a", "b"]), [{"key": "a"}, {"key": "b"}])
    assert {key: row for key, (_, row) in ledger.finished().items()} == {"a": 0, "b": 1}
    other = Ledger(tmp_path, {"temperature": 2}, ".jsonl", keys)
    assert other.finished() == {}
    others = other.others()
    write_records(other.path(["a"]), [{"key": "a"}])
    other.forget(others)
    assert ledger.finished() == {}
    assert set(other.finished()) == {"a"}


def test_a_job_of_an_older_recipe_leaves_the_newer_ones_batches(tmp_path: Path) -> None:
    old = Ledger(tmp_path, "old", ".jsonl", keys)
    new = Ledger(tmp_path, "new", ".jsonl", keys)
    write_records(new.path(["a"]), [{"key": "a"}])  # of an earlier run
    seen_by_old, seen_by_new = old.others(), new.others()
    write_records(old.path(["a"]), [{"key": "a"}])
    write_records(new.path(["b"]), [{"key": "b"}])
    old.forget(seen_by_old)
    assert set(new.finished()) == {"a", "b"}
    new.forget(seen_by_new)
    assert set(old.finished()) == {"a"}
    new.forget(new.others())
    assert old.finished() == {}


def test_a_job_whose_batches_are_removed_goes_on_without_harm(tmp_path: Path) -> None:
    old = Ledger(tmp_path, "old", ".jsonl", keys)
    new = Ledger(tmp_path, "new", ".jsonl", keys)
    write_records(old.path(["a"]), [{"key": "a"}])
    write_records(new.path(["a"]), [{"key": "a"}])
    new.forget(new.others())
    write_records(old.path(["b"]), [{"key": "b"}])
    assert set(old.finished()) == {"b"}
    assert set(new.finished()) == {"a"}


def test_a_damaged_batch_is_not_finished(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, "r", ".jsonl", ledger_keys)
    records = [{"key": key, "prompt": "p", "seed": 1} for key in "abc"]
    path = ledger.path([item_key(record) for record in records])
    write_records(path, records)
    whole = path.read_text()
    assert len(ledger.finished()) == 3
    for text in ("", whole[:-9], whole.partition("\n")[2]):
        path.write_text(text)
        assert ledger.finished() == {}
    write_records(path, records)
    assert len(ledger.finished()) == 3


def test_what_is_left_is_cut_as_before() -> None:
    items = list(range(1, 40))
    batches = cut(items, sum, 60)
    assert [i for batch in batches for i in batch] == items
    assert all(sum(batch) <= 60 or len(batch) == 1 for batch in batches)
    for done in range(len(batches)):
        left = [i for batch in batches[done:] for i in batch]
        assert cut(left, sum, 60) == batches[done:]
