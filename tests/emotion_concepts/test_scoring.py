"""Scored continuations against one text at a time, read whole."""

import pytest
import torch
from tiny import WINDOW, random_tokens
from transformers import PreTrainedModel

from emotion_concepts.model import Model
from emotion_concepts.prefill import Prompt
from emotion_concepts.scoring import score
from emotion_concepts.steering import Steering

HEAD = random_tokens(0, 9)
PROMPTS = [HEAD + random_tokens(n, n) for n in (1, 2 * WINDOW, 5)]
CONTINUATIONS = [
    [[7], [8], [9, 10, 11]],
    [random_tokens(20, 12)],
    [[7, 8], [7, 9], [7, 8, 4], [7]],
]


@pytest.mark.parametrize("tokens_of_a_pass", [6, 40, 10_000])
def test_every_token_has_the_log_probability_of_a_plain_forward(
    model: Model,
    reference: PreTrainedModel,
    tokens_of_a_pass: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("emotion_concepts.prefill.PASS", [tokens_of_a_pass] * 2)
    scores = score(model, [Prompt(tokens) for tokens in PROMPTS], CONTINUATIONS)
    for prompt, some, ours in zip(PROMPTS, CONTINUATIONS, scores, strict=True):
        assert len(ours) == len(some)
        for tokens, found in zip(some, ours, strict=True):
            with torch.no_grad():
                logits = reference(torch.tensor([prompt + tokens])).logits[0]
            before = logits[len(prompt) - 1 : -1].log_softmax(-1)
            expected = before[torch.arange(len(tokens)), tokens]
            torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)


def test_continuations_of_one_token_cost_no_row_of_their_own(
    one_model: Model,
) -> None:
    seen: list[int] = []
    embedding = one_model.network.get_input_embeddings()
    handle = embedding.register_forward_pre_hook(
        lambda module, args: seen.append(args[0].numel())
    )
    score(one_model, [Prompt(HEAD)], [[[token] for token in range(4, 40)]])
    handle.remove()
    assert sum(seen) == len(HEAD)


@pytest.mark.parametrize("tokens_of_a_pass", [4, 10_000])
def test_the_response_of_a_steered_prompt_is_steered_while_it_is_scored(
    one_model: Model, tokens_of_a_pass: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("emotion_concepts.prefill.PASS", [tokens_of_a_pass] * 2)
    pushed = Steering((0,), torch.randn(1, one_model.width))
    everywhere = tuple(range(len(HEAD) + 2))
    rows = [Prompt(HEAD, pushed, everywhere[: len(HEAD)], on) for on in (True, False)]
    steered, unsteered = score(one_model, rows, [[[7, 8, 9]]] * 2)
    whole = Prompt([*HEAD, 7, 8], pushed, everywhere)
    ((last,),) = score(one_model, [whole], [[[9]]])
    torch.testing.assert_close(steered[0][2:], last, atol=1e-5, rtol=1e-5)
    assert abs(unsteered[0][2] - last[0]) > 1e-3
    torch.testing.assert_close(steered[0][0], unsteered[0][0], atol=1e-5, rtol=1e-5)


def test_a_continuation_without_a_token_is_refused(one_model: Model) -> None:
    with pytest.raises(ValueError, match="at least one token"):
        score(one_model, [Prompt(HEAD)], [[[7], []]])
