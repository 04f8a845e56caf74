"""Captured means against one unpadded text at a time."""

import gc
import weakref

import pytest
import torch
from tiny import WINDOW, random_tokens
from torch import Tensor, nn
from transformers import PreTrainedModel

from emotion_concepts.capture import mean_residuals, token_residuals
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
    """Means and norms from a token on, at every layer."""
    return one_span(model, texts, list(range(len(model.blocks))))


def one_span(
    model: Model, texts: list[list[int]], layers: list[int]
) -> tuple[Tensor, Tensor]:
    """Means and norms from a token on."""
    spans = [[range(FROM, len(text))] for text in texts]
    means, norms = mean_residuals(model, texts, spans, layers)
    return means[:, 0], norms[:, 0]


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
    some = one_span(model, TEXTS, [2, 0])
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
        one_span(model, [[10**6] * 9], [0])
    assert not any(block._forward_hooks for block in model.blocks)


@pytest.mark.parametrize("span", [[], [len(TEXTS[1])], [-1]])
def test_a_span_that_is_empty_or_beyond_its_text_is_refused(
    one_model: Model, span: list[int]
) -> None:
    with pytest.raises(ValueError, match="text 1: span 0"):
        mean_residuals(one_model, TEXTS[:2], [[[0]], [span]], [0])


def test_every_span_of_a_text_is_averaged_by_itself(
    model: Model, reference: PreTrainedModel
) -> None:
    spans = [[[0], [3, 1], range(len(text))] for text in TEXTS]
    means, norms = mean_residuals(model, TEXTS, spans, [1, 2])
    for row, text in enumerate(TEXTS):
        streams = slow_streams(reference, text)
        for span, places in enumerate(spans[row]):
            for slot, layer in enumerate((1, 2)):
                tokens = streams[layer][list(places)]
                torch.testing.assert_close(
                    means[row, span, slot], tokens.mean(0), atol=1e-4, rtol=1e-4
                )
                torch.testing.assert_close(
                    norms[row, span, slot],
                    tokens.norm(dim=-1).mean(),
                    atol=1e-4,
                    rtol=1e-4,
                )


def test_token_residuals_hold_every_token_of_the_layer_and_no_padding(
    model: Model, reference: PreTrainedModel
) -> None:
    for text, ours in zip(TEXTS, token_residuals(model, TEXTS, 1), strict=True):
        theirs = slow_streams(reference, text)[1]
        torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-4)
