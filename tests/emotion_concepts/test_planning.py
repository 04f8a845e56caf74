"""Batches that fit, and what happens when they do not."""

import pytest
import torch

from emotion_concepts import planning
from emotion_concepts.model import Model
from emotion_concepts.planning import halving, rows_that_fit


def memory(model: Model, monkeypatch: pytest.MonkeyPatch, room: int) -> None:
    """Let there be so many bytes beside the weights."""
    total = model.network.get_memory_footprint() + room
    monkeypatch.setattr(planning, "_memory", lambda device: total)


def test_rows_are_as_many_as_keys_values_and_logits_leave_room_for(
    one_model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = one_model.network.config
    heads, width = config.num_key_value_heads, config.head_dim
    cache = 2 * config.num_hidden_layers * heads * width * 4 * 100
    logits = 3 * config.vocab_size * 12
    memory(one_model, monkeypatch, int(7.5 * (cache + logits) / planning.SHARE))
    assert rows_that_fit(one_model, 100, 3, 1000) == 7
    assert rows_that_fit(one_model, 100, 3, 5) == 5
    assert rows_that_fit(one_model, 200, 3, 1000) < 7
    memory(one_model, monkeypatch, 0)
    assert rows_that_fit(one_model, 100, 3, 1000) == 1


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: x"),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
    ],
)
def test_a_batch_too_large_is_done_in_halves_in_order(
    error: RuntimeError, capsys: pytest.CaptureFixture[str]
) -> None:
    tried: list[int] = []

    def work(items: list[int]) -> int:
        tried.append(len(items))
        if len(items) > 3:
            raise error
        return sum(items)

    parts = list(halving(list(range(10)), work))
    assert [item for part, _ in parts for item in part] == list(range(10))
    assert all(sum(part) == result for part, result in parts)
    assert tried == [10, 5, 2, 3, 5, 2, 3]
    assert "out of memory at a batch of 10; going on with 5" in capsys.readouterr().err


def test_one_item_too_large_and_other_errors_are_errors() -> None:
    def too_large(items: list[int]) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried")

    def wrong(items: list[int]) -> None:
        raise RuntimeError("shapes differ")

    with pytest.raises(torch.OutOfMemoryError):
        list(halving([1, 2], too_large))
    with pytest.raises(RuntimeError, match="shapes"):
        list(halving([1, 2], wrong))
