"""Captured means against one unpadded text at a time."""

import gc
import weakref

import pytest
import torch
from tiny import WINDOW, random_tokens
from torch import Tensor, nn
from transformers import PreTrainedModel

from emotion_concepts.capture import mean_residuals
from emotion_concepts.model import Model, find_blocks, hidden

FROM = 3
TEXTS = [random_tokens(n, n) for n in (FROM + 1, 4 * WINDOW, 11, 2 * WINDOW, 5)]


def slow_streams(reference: PreTrainedModel, text: list[int]) -> list[Tensor]:
    """The output (tokens, width) of every block for one text."""
    last: list[Tensor] = []

    def watch(module: nn.Module, args: tuple, output: Tensor) -> None:
        last.append(hidden(output)[0])

    handle = find_blocks(reference)[-1].register_forward_hook(watch)
    with torch.no_grad():
        states = reference(
            torch.tensor([text]), output_hidden_states=True
        ).hidden_states
    handle.remove()
    # The last of transformers' hidden states is after the final norm.
    return [state[0] for state in states[1:-1]] + last


def capture(model: Model, texts: list[list[int]]) -> tuple[Tensor, Tensor]:
    """Means and norms at every layer."""
    return mean_residuals(model, texts, FROM, list(range(len(model.blocks))))


def test_means_and_norms_equal_one_unpadded_text_at_a_time(
    model: Model, reference: PreTrainedModel
) -> None:
    means, norms = capture(model, TEXTS)
    assert means.dtype == norms.dtype == torch.float32
    for text, mean, norm in zip(TEXTS, means, norms, strict=True):
        kept = [stream[FROM:] for stream in slow_streams(reference, text)]
        expected = torch.stack([stream.mean(0) for stream in kept])
        torch.testing.assert_close(mean, expected, atol=1e-4, rtol=1e-4)
        expected = torch.stack([stream.norm(dim=-1).mean() for stream in kept])
        torch.testing.assert_close(norm, expected, atol=1e-4, rtol=1e-4)


def test_order_and_batch_size_change_nothing(model: Model) -> None:
    means, norms = capture(model, TEXTS)
    order = [3, 0, 4, 2, 1]
    for size in (1, 2, 5):
        batches = [order[i : i + size] for i in range(0, len(order), size)]
        for rows in batches:
            some = capture(model, [TEXTS[row] for row in rows])
            torch.testing.assert_close(some[0], means[rows], atol=1e-4, rtol=1e-4)
            torch.testing.assert_close(some[1], norms[rows], atol=1e-4, rtol=1e-4)


def test_chosen_layers_come_in_the_order_asked_for(model: Model) -> None:
    means, norms = capture(model, TEXTS)
    some = mean_residuals(model, TEXTS, FROM, [2, 0])
    assert torch.equal(some[0], means[:, [2, 0]])
    assert torch.equal(some[1], norms[:, [2, 0]])


def test_early_tokens_and_padding_never_enter(model: Model) -> None:
    means, norms = capture(model, TEXTS)
    ends = [len(text) for text in TEXTS]

    def spoil(module: nn.Module, args: tuple, output: Tensor) -> None:
        stream = hidden(output)
        stream[:, :FROM] = 1e9
        for row, end in enumerate(ends):
            stream[row, end:] = 1e9

    # Only the last block's output can be spoilt without reaching other tokens by
    # attention.
    handle = model.blocks[-1].register_forward_hook(spoil)
    spoilt = capture(model, TEXTS)
    handle.remove()
    assert torch.equal(spoilt[0], means)
    assert torch.equal(spoilt[1], norms)


def test_the_last_layer_is_before_the_final_norm(model: Model) -> None:
    seen: list[Tensor] = []

    def watch(module: nn.Module, args: tuple[Tensor, ...]) -> None:
        seen.append(args[0])

    parts = model.network.get_decoder().named_children()
    norms = [part for name, part in parts if "norm" in name or name == "ln_f"]
    handle = norms[-1].register_forward_pre_hook(watch)
    means, _ = capture(model, TEXTS[1:2])
    handle.remove()
    torch.testing.assert_close(
        means[0, -1], seen[0][0, FROM:].mean(0), atol=1e-4, rtol=1e-4
    )


def test_no_tokens_and_no_hooks_are_left_behind(model: Model) -> None:
    streams: list[weakref.ref] = []

    def watch(module: nn.Module, args: tuple, output: Tensor) -> None:
        streams.append(weakref.ref(hidden(output)))

    handles = [block.register_forward_hook(watch) for block in model.blocks]
    kept = capture(model, TEXTS)
    for handle in handles:
        handle.remove()
    gc.collect()
    assert len(streams) == len(model.blocks)
    assert all(stream() is None for stream in streams)
    assert not any(block._forward_hooks for block in model.blocks)
    shape = (len(TEXTS), len(model.blocks), model.width)
    assert kept[0].shape == shape
    assert kept[0].untyped_storage().nbytes() == 4 * kept[0].numel()


def test_a_pass_that_fails_leaves_no_hook_behind(model: Model) -> None:
    with pytest.raises(IndexError):
        mean_residuals(model, [[10**6] * 9], FROM, [0])
    assert not any(block._forward_hooks for block in model.blocks)


def test_a_text_with_nothing_to_average_is_refused(one_model: Model) -> None:
    with pytest.raises(ValueError, match="no token from 3"):
        capture(one_model, [TEXTS[1], [5] * FROM])
