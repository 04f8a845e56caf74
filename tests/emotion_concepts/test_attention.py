"""The shared-prefix attention against transformers' own eager attention."""

from collections.abc import Callable

import pytest
import torch
from tiny import WINDOW, random_tokens
from torch import Tensor
from transformers import PreTrainedModel

from emotion_concepts.attention import shared_prefix_attention
from emotion_concepts.errors import StudyError
from emotion_concepts.model import Model
from emotion_concepts.prefill import Prompt, prefilled

LENGTHS = (1, 3 * WINDOW, WINDOW, 5)


def batch(shared: int) -> list[list[int]]:
    """Prompts of different lengths whose first `shared` tokens are the same."""
    common = random_tokens(0, shared)
    return [common + random_tokens(1 + n, n) for n in LENGTHS]


def slow_logits(reference: PreTrainedModel, tokens: list[int]) -> Tensor:
    """The logits after a text, read alone, without a cache."""
    with torch.no_grad():
        return reference(torch.tensor([tokens]), use_cache=False).logits[0, -1]


def nested(shared: int) -> list[list[int]]:
    """Three such batches with beginnings of different lengths, their rows mixed."""
    head = random_tokens(50, 7)
    rows = [
        head + random_tokens(60 + group, shared + 2 * group) + row
        for group in range(3)
        for row in batch(0)
    ]
    return rows[::2] + rows[1::2]


@pytest.mark.parametrize("build", [batch, nested])
@pytest.mark.parametrize("shared", [0, 3, 4 * WINDOW])
def test_logits_after_prefill_and_each_step_equal_a_plain_forward(
    model: Model,
    reference: PreTrainedModel,
    build: Callable[[int], list[list[int]]],
    shared: int,
) -> None:
    prompts = build(shared)
    with prefilled(model, [Prompt(tokens) for tokens in prompts]) as rows:
        assert len(rows.cache.rows.groups) == (3 if build is nested and shared else 1)
        logits = rows.logits[:, -1]
        for step in range(3):
            for place, ours in zip(rows.order, logits, strict=True):
                theirs = slow_logits(reference, prompts[place])
                torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-4)
            added = random_tokens(90 + step, len(prompts))
            prompts = [[*p, t] for p, t in zip(prompts, added, strict=True)]
            logits = rows.step(torch.tensor(added)[rows.order])


@pytest.mark.parametrize("stay", [[1, 3], [0, 1, 2, 5, 8], [11]])
def test_rows_that_stay_are_unmoved_when_others_leave(
    model: Model, reference: PreTrainedModel, stay: list[int]
) -> None:
    prompts = nested(WINDOW)
    with prefilled(model, [Prompt(tokens) for tokens in prompts]) as rows:
        rows.keep(torch.tensor(stay))
        logits = rows.step(torch.full((len(stay),), 7))
        for place, ours in zip(rows.order, logits, strict=True):
            theirs = slow_logits(reference, [*prompts[place], 7])
            torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-4)


def test_a_right_padded_batch_without_cache_equals_each_text_alone(
    model: Model, reference: PreTrainedModel
) -> None:
    texts = batch(WINDOW)
    longest = max(map(len, texts))
    padded = torch.tensor([t + [0] * (longest - len(t)) for t in texts])
    with torch.no_grad():
        logits = model.network(padded, use_cache=False).logits
    for text, ours in zip(texts, logits, strict=True):
        theirs = slow_logits(reference, text)
        torch.testing.assert_close(ours[len(text) - 1], theirs, atol=1e-4, rtol=1e-4)


def test_windows_and_caps_matter_in_the_tiny_models(
    model: Model, architecture: str
) -> None:
    """Else the tests above would pass with attention that ignores them."""
    text = random_tokens(0, 5 * WINDOW)
    far = [(text[0] + 1) % 300 + 4, *text[1:]]
    with torch.no_grad():
        near, moved = (
            model.network.base_model(torch.tensor([t])).last_hidden_state[0, -1]
            for t in (text, far)
        )
    change = (near - moved).abs().max()
    # Mistral's windows reach 3 * (WINDOW - 1) tokens back, through its three layers.
    assert (change < 1e-5) == (architecture == "mistral")


@pytest.mark.parametrize("window", [None, WINDOW])
@pytest.mark.parametrize("softcap", [None, 2.0])
def test_grouped_heads_windows_and_caps_follow_the_definition(
    window: int | None, softcap: float | None
) -> None:
    generator = torch.Generator().manual_seed(0)
    query = torch.randn(2, 4, 20, 8, generator=generator)
    key, value = torch.randn(2, 2, 2, 20, 8, generator=generator)
    out, _ = shared_prefix_attention(
        torch.nn.Module(),
        query,
        key,
        value,
        None,
        scaling=0.5,
        sliding_window=window,
        softcap=softcap,
    )
    for row in range(2):
        for head in range(4):
            for i in range(20):
                first = 0 if window is None else max(0, i - window + 1)
                keys = key[row, head // 2, first : i + 1]
                scores = keys @ query[row, head, i] * 0.5
                if softcap is not None:
                    scores = softcap * torch.tanh(scores / softcap)
                seen = value[row, head // 2, first : i + 1]
                expected = torch.softmax(scores, 0) @ seen
                torch.testing.assert_close(
                    out[row, i, head], expected, atol=1e-5, rtol=1e-5
                )


def test_attention_with_sinks_is_refused_and_not_computed_wrongly() -> None:
    states = torch.zeros(1, 1, 2, 4)
    with pytest.raises(StudyError, match="sinks"):
        shared_prefix_attention(
            torch.nn.Module(), states, states, states, None, s_aux=torch.zeros(1)
        )
