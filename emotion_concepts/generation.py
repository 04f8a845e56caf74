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

from emotion_concepts.attention import PrefixCache, Rows, using
from emotion_concepts.model import Model, find_blocks

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


@torch.no_grad()
def generate(
    model: Model,
    prompts: list[list[int]],
    seeds: list[int],
    max_tokens: int,
    sampling: Sampling,
    on_step: Callable[[int], None] = lambda rows: None,
) -> list[Written]:
    """Continue every prompt, all of them in one batch.

    Args:
        model: the loaded model.
        prompts: token ids of each row's prompt.
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
    cache, logits = prefill(model, prompts)
    written = torch.zeros(len(prompts), max_tokens, dtype=torch.long)
    lengths = torch.full((len(prompts),), max_tokens)
    finished = torch.zeros(len(prompts), dtype=torch.bool)
    alive = torch.arange(len(prompts))
    for step in range(max_tokens):
        token = draw(logits, draws[alive, step], sampling).cpu()
        ends = torch.isin(token, stops) & ~finished[alive]
        finished[alive[ends]] = True
        lengths[alive[ends]] = step
        written[alive, step] = token
        on_step(len(alive))
        if finished.all() or step == max_tokens - 1:
            break
        gone = finished[alive]
        if gone.sum() * LEAVE_SHARE >= len(alive):
            stay = (~gone).nonzero()[:, 0]
            cache.keep(stay)
            alive, token = alive[stay], token[stay]
        logits = forward(model, cache, token[:, None])
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
    top, ids = torch.topk(logits.float(), min(sampling.top_k, logits.shape[-1]))
    cumulative = torch.softmax(top / sampling.temperature, -1).cumsum(-1)
    uniform = uniform.to(cumulative.device)[:, None] * cumulative[:, -1:]
    chosen = (cumulative <= uniform).sum(-1, keepdim=True).clamp(max=ids.shape[1] - 1)
    return ids.gather(1, chosen)[:, 0]


def prefill(model: Model, prompts: list[list[int]]) -> tuple[PrefixCache, Tensor]:
    """Read the prompts, their common prefix once.

    Returns:
        The batch's cache, and the logits (rows, vocabulary) after each prompt's last
        token.
    """
    shared = common_prefix(prompts)
    blocks = len(find_blocks(model.network))
    prefix = None
    if shared:
        alone = PrefixCache(blocks, Rows(torch.zeros(1, dtype=torch.long)))
        forward(model, alone, torch.tensor([prompts[0][:shared]]))
        prefix = alone.as_prefix()
    own = [prompt[shared:] for prompt in prompts]
    longest = max(map(len, own))
    padding = torch.tensor([longest - len(tokens) for tokens in own])
    tokens = torch.tensor([[0] * (longest - len(row)) + row for row in own])
    cache = PrefixCache(blocks, Rows(padding, shared), prefix)
    return cache, forward(model, cache, tokens)


def forward(model: Model, cache: PrefixCache, tokens: Tensor) -> Tensor:
    """Read more tokens (rows, columns); returns the logits (rows, vocabulary) after the
    last column.
    """
    rows = cache.rows
    column = rows.filled + torch.arange(tokens.shape[1])[None]
    place = rows.prefix + (column - rows.padding[:, None].cpu()).clamp(min=0)
    with using(cache):
        logits = model.network(
            input_ids=tokens.to(model.device),
            position_ids=place.to(model.device),
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
        ).logits
    rows.advance(tokens.shape[1])
    return logits[:, -1]


def common_prefix(prompts: list[list[int]]) -> int:
    """Number of leading tokens that all prompts share, leaving every prompt one of its
    own.
    """
    shortest = min(map(len, prompts)) - 1
    first = prompts[0]
    for place in range(shortest):
        if any(prompt[place] != first[place] for prompt in prompts):
            return place
    return shortest
