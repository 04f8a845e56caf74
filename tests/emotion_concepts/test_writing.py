"""Writing and reading in batches that are finished or redone, never half kept."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny import save_tiny

from emotion_concepts import writing
from emotion_concepts.activations import MEAN, Reading, capture_texts, gather
from emotion_concepts.chat import tokenise
from emotion_concepts.errors import StudyError
from emotion_concepts.generation import Sampling
from emotion_concepts.model import Model, load
from emotion_concepts.store import Ledger, read_meaning, read_records, read_tensor
from emotion_concepts.texts import story_items
from emotion_concepts.writing import batches, ledger_keys, write_texts

TOPICS = [{"id": name, "topic": f"Rain falls on {name}."} for name in ("a", "b", "c")]
EMOTIONS = ["happy", "sad", "calm"]
PROMPT = "Write a story. {topic} The character feels {emotion}."
SAMPLING = Sampling(0.8, 20)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return load(save_tiny("llama", tmp_path_factory.mktemp("llama")))


def groups(emotions: list[str], topics: list[dict]) -> list[list[dict]]:
    return story_items(emotions, topics, 1, PROMPT, seed=1)


def ledger(folder: Path, recipe: object = "recipe") -> Ledger:
    return Ledger(folder, recipe, ".jsonl", ledger_keys)


def write(model: Model, items: list[list[dict]], book: Ledger) -> list[dict]:
    return write_texts(model, items, book, SAMPLING, 12, 4, "test")


def test_groups_stay_together_while_they_fit() -> None:
    items = [[{"g": g, "i": i} for i in range(n)] for g, n in enumerate([2, 2, 3, 9])]
    sizes = [len(batch) for batch in batches(items, 4)]
    assert sizes == [4, 3, 4, 4, 1]
    flat = [item for batch in batches(items, 4) for item in batch]
    assert flat == [item for group in items for item in group]


def test_texts_come_back_in_the_order_of_the_items(
    model: Model, tmp_path: Path
) -> None:
    items = groups(EMOTIONS, TOPICS)
    texts = write(model, items, ledger(tmp_path))
    assert [t["key"] for t in texts] == [i["key"] for group in items for i in group]
    assert all(t["tokens"] <= 12 and t["ended"] in ("cut", "finished") for t in texts)
    assert len({t["text"] for t in texts}) > 5


def interrupted(after: int) -> Callable:
    """`generate`, but for the process dying in the middle of a batch."""
    calls = []

    def generate(*args: object) -> object:
        calls.append(1)
        if len(calls) > after:
            raise KeyboardInterrupt
        return original(*args)

    original = writing.generate
    return generate


@pytest.mark.parametrize("after", [0, 1, 2])
def test_after_an_interruption_the_texts_are_those_of_an_undisturbed_run(
    model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    items = groups(EMOTIONS, TOPICS)
    undisturbed = write(model, items, ledger(tmp_path / "one"))
    with monkeypatch.context() as patch:
        patch.setattr(writing, "generate", interrupted(after))
        with pytest.raises(KeyboardInterrupt):
            write(model, items, ledger(tmp_path / "two"))
    assert len(ledger(tmp_path / "two").finished()) == 3 * after
    assert write(model, items, ledger(tmp_path / "two")) == undisturbed


def test_growth_keeps_every_old_text_and_writes_only_the_new(
    model: Model, tmp_path: Path
) -> None:
    book = ledger(tmp_path)
    old = write(model, groups(EMOTIONS[:2], TOPICS[:2]), book)
    files = {path: path.read_bytes() for path in tmp_path.rglob("*.jsonl")}
    new = write(model, groups(EMOTIONS, TOPICS), book)
    assert [t for t in new if t["key"] in {o["key"] for o in old}] == sorted(
        old, key=lambda o: [n["key"] for n in new].index(o["key"])
    )
    for path, data in files.items():
        assert path.read_bytes() == data
    added = set(tmp_path.rglob("*.jsonl")) - set(files)
    written = [r["key"] for path in added for r in read_records(path)]
    assert sorted(written) == sorted({t["key"] for t in new} - {o["key"] for o in old})


def test_another_recipe_or_prompt_shares_nothing(model: Model, tmp_path: Path) -> None:
    write(model, groups(EMOTIONS, TOPICS), ledger(tmp_path))
    assert ledger(tmp_path, "other").finished() == {}
    other = story_items(EMOTIONS, TOPICS, 1, PROMPT + " Now.", seed=1)
    finished = ledger(tmp_path).finished()
    assert not any(writing.item_key(i) in finished for g in other for i in g)


TEXTS = [
    "She walked home in the rain and felt a deep sadness.",
    "The quick brown fox jumps over the lazy dog while the cat sleeps in the sun.",
    "Short.",
    "You are a helpful assistant. Answer shortly, in one word, yes or no. " * 2,
    "She walked home in the rain and felt a deep sadness.",
]
READING = Reading(from_token=4, min_tokens=3, layers=[0, 2])


def tensors(folder: Path) -> Ledger:
    return Ledger(folder, "r", ".safetensors", lambda p: read_meaning(p)["keys"])


@pytest.mark.parametrize("batch_tokens", [1, 60, 10_000])
def test_captured_means_are_those_of_each_text_alone(
    model: Model, tmp_path: Path, batch_tokens: int
) -> None:
    book = tensors(tmp_path / "batches")
    keys = capture_texts(model, TEXTS, book, READING, batch_tokens, "test")
    gather(keys, book, tmp_path / "out.safetensors", {"model": "m"})
    long = [t for t in dict.fromkeys(TEXTS) if t != "Short."]
    assert len(keys) == len(long) == 3
    means = read_tensor(tmp_path / "out.safetensors", MEAN)
    for row, text in enumerate(long):
        ids = tokenise(model.tokenizer, text, special_tokens=True).tokens
        states = model.network(
            torch.tensor([ids]), output_hidden_states=True, use_cache=False
        ).hidden_states
        expected = states[1][0, READING.from_token :].mean(0).numpy()
        assert means[row, 0] == pytest.approx(expected, abs=1e-5)


def test_a_grown_capture_keeps_the_old_rows_bit_for_bit(
    model: Model, tmp_path: Path
) -> None:
    book = tensors(tmp_path / "batches")
    old = capture_texts(model, TEXTS[:2], book, READING, 60, "test")
    gather(old, book, tmp_path / "old.safetensors", {})
    new = capture_texts(model, TEXTS, book, READING, 60, "test")
    gather(new, book, tmp_path / "new.safetensors", {})
    before = read_tensor(tmp_path / "old.safetensors", MEAN)
    after = read_tensor(tmp_path / "new.safetensors", MEAN)
    for row, key in enumerate(old):
        assert np.array_equal(before[row], after[new.index(key)])


def test_no_text_long_enough_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=r"no text is long enough.*from_token"):
        gather([], tensors(tmp_path), tmp_path / "out.safetensors", {})
