"""Log-probabilities of whole continuations, however many tokens they have.

A choice between answers is read from what the model gives each of them, not from what
it happens to write. What a prompt's continuations share is computed once.
"""

import torch
from torch import Tensor

from emotion_concepts.model import Model
from emotion_concepts.prefill import Prompt, prefilled


def score(
    model: Model, prompts: list[Prompt], continuations: list[list[list[int]]]
) -> list[list[Tensor]]:
    """Log-probability of every token of every continuation, all in one batch.

    Args:
        model: the loaded model.
        prompts: what comes before.
        continuations: for each prompt, the token ids of each of its continuations.

    Returns:
        For each prompt and continuation, (tokens,) float32 natural logarithms on the
        CPU; their sum is the continuation's.

    Raises:
        ValueError: a continuation has no token.
    """
    if not all(tokens for some in continuations for tokens in some):
        raise ValueError("a continuation needs at least one token")
    rows: dict[tuple[int, tuple[int, ...]], int] = {}
    wanted = [
        [(rows.setdefault((i, tuple(c[:-1])), len(rows)), c) for c in some]
        for i, some in enumerate(continuations)
    ]
    extended = [_extended(prompts[i], list(begun)) for i, begun in rows]
    keep = [1 + len(begun) for _, begun in rows]
    with prefilled(model, extended, keep) as batch:
        place = {int(row): n for n, row in enumerate(batch.order)}
        scores = {
            row: batch.logits[place[row], -columns:].float().log_softmax(-1)
            for row, columns in enumerate(keep)
        }
        return [[_of_tokens(scores[row], c) for row, c in some] for some in wanted]


def _extended(prompt: Prompt, begun: list[int]) -> Prompt:
    """The prompt with the first tokens of a continuation, steered like a response."""
    start = len(prompt.tokens)
    at = prompt.at + tuple(range(start, start + len(begun))) * prompt.response
    return Prompt(prompt.tokens + begun, prompt.steering, at)


def _of_tokens(scores: Tensor, continuation: list[int]) -> Tensor:
    """Log-probability of each token, from those of all (tokens, vocabulary)."""
    tokens = torch.tensor(continuation, device=scores.device)[:, None]
    return scores.gather(1, tokens)[:, 0].cpu()
