"""Whole files, ledgers and batches."""

import json
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

from emotion_concepts.errors import StudyError
from emotion_concepts.store import (
    Ledger,
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
    write_records(other.path(["a"]), [{"key": "a"}])
    other.forget_others()
    assert ledger.finished() == {}
    assert set(other.finished()) == {"a"}


def test_what_is_left_is_cut_as_before() -> None:
    items = list(range(1, 40))
    batches = cut(items, sum, 60)
    assert [i for batch in batches for i in batch] == items
    assert all(sum(batch) <= 60 or len(batch) == 1 for batch in batches)
    for done in range(len(batches)):
        left = [i for batch in batches[done:] for i in batch]
        assert cut(left, sum, 60) == batches[done:]
