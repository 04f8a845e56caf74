"""Generation in batches whose rows share a prefix, each row with its own seed.

The batch that an item is computed in belongs to its identity (see `store`): a batch is
generated as a whole or not at all, so what leaves it when, and with which neighbours,
is always the same. Within a batch every row draws its own numbers from its own seed.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from emotion_concepts.model import Model
from emotion_concepts.prefill import Prompt, prefilled

LEAVE_SHARE = 8  # finished rows leave once they are this part (1/8) of the batch


@dataclass(frozen=True)
class Sampling:
    """How the next token is drawn: among the `top_k` likeliest at `temperature`; 0 is
    greedy.
    """

    temperature: float
    top_k: int


@dataclass(frozen=True)
class Written:
    """What a row wrote: its new tokens, without the stop token, and whether it stopped
    by itself.
    """

    tokens: list[int]
    finished: bool


def generate(
    model: Model,
    prompts: list[Prompt],
    seeds: list[int],
    max_tokens: int,
    sampling: Sampling,
    on_step: Callable[[int], None] = lambda rows: None,
) -> list[Written]:
    """Continue every prompt, all of them in one batch.

    Args:
        model: the loaded model.
        prompts: what each row begins with, and how it is steered.
        seeds: one for each row.
        max_tokens: new tokens for each row at most.
        sampling: how to draw.
        on_step: told after each step how many rows were at work.

    Returns:
        One `Written` for each prompt, in order.
    """
    draws = np.stack([np.random.default_rng(s).random(max_tokens) for s in seeds])
    draws = torch.from_numpy(draws).float()
    stops = torch.tensor(sorted(model.stop_tokens()), dtype=torch.long)
    written = torch.zeros(len(prompts), max_tokens, dtype=torch.long)
    lengths = torch.full((len(prompts),), max_tokens)
    finished = torch.zeros(len(prompts), dtype=torch.bool)
    with prefilled(model, prompts) as batch:
        logits = batch.logits[:, -1]
        for step in range(max_tokens):
            token = draw(logits, draws[batch.order, step], sampling).cpu()
            ends = torch.isin(token, stops) & ~finished[batch.order]
            finished[batch.order[ends]] = True
            lengths[batch.order[ends]] = step
            written[batch.order, step] = token
            on_step(len(batch.order))
            if finished.all() or step == max_tokens - 1:
                break
            gone = finished[batch.order]
            if gone.sum() * LEAVE_SHARE >= len(gone):
                stay = (~gone).nonzero()[:, 0]
                batch.keep(stay)
                token = token[stay]
            logits = batch.step(token)
    return [
        Written(written[i, : lengths[i]].tolist(), bool(finished[i]))
        for i in range(len(prompts))
    ]


def draw(logits: Tensor, uniform: Tensor, sampling: Sampling) -> Tensor:
    """One token for each row, by inverting the cumulative distribution at a given
    number.

    Args:
        logits: (rows, vocabulary).
        uniform: (rows,) numbers in [0, 1), one for each row.
        sampling: temperature 0 takes the likeliest.

    Returns:
        (rows,) token ids.
    """
    if sampling.temperature == 0:
        return logits.argmax(-1)
    top, ids = torch.topk(logits, min(sampling.top_k, logits.shape[-1]))
    cumulative = torch.softmax(top.float() / sampling.temperature, -1).cumsum(-1)
    uniform = uniform.to(cumulative.device)[:, None] * cumulative[:, -1:]
    chosen = (cumulative <= uniform).sum(-1, keepdim=True).clamp(max=ids.shape[1] - 1)
    return ids.gather(1, chosen)[:, 0]
