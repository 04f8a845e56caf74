"""Passes of a batch of prompts through the model: what they share first, and once.

Every row may be steered by something else, at other positions; see `steering`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from emotion_concepts.attention import Prefix, PrefixCache, Rows, using
from emotion_concepts.model import Model
from emotion_concepts.sharing import Sharing, share
from emotion_concepts.steering import Adding, Steering, adding

# Tokens read in one pass, on a CPU (what its cache holds) and on a GPU.
PASS = (2048, 65536)


@dataclass(frozen=True)
class Prompt:
    """What a row of a batch begins with, and how it is steered.

    Attributes:
        tokens: its token ids.
        steering: what is added to its residual stream, if anything.
        at: the positions of the prompt where it is added.
        response: whether it is added to every token after the prompt as well.
    """

    tokens: list[int]
    steering: Steering | None = None
    at: tuple[int, ...] = ()
    response: bool = False


@dataclass
class Batch:
    """A batch of which the prompts have been read.

    Attributes:
        model: the loaded model.
        cache: what has been computed so far.
        order: (rows,) which prompt each row is.
        logits: (rows, columns, vocabulary) after the last columns of the prompts.
        added: what the next pass adds.
        response: (rows,) whether the tokens after the prompt are steered.
    """

    model: Model
    cache: PrefixCache
    order: Tensor
    logits: Tensor
    added: Adding
    response: Tensor

    def keep(self, rows: Tensor) -> None:
        """Let all rows but these (in ascending order) leave."""
        self.cache.keep(rows)
        self.order, self.response = self.order[rows], self.response[rows]
        self.added.rows = self.added.rows[rows]

    def step(self, tokens: Tensor) -> Tensor:
        """Read one more token for each row; returns the logits (rows, vocabulary)."""
        self.added.where = self.response[:, None]
        return _forward(self.model, self.cache, tokens[:, None], 1)[:, -1]


@contextmanager
def prefilled(
    model: Model, prompts: list[Prompt], keep: list[int] | None = None
) -> Iterator[Batch]:
    """Read the prompts of a batch; within the context it can be continued.

    Args:
        model: the loaded model.
        prompts: one for each row.
        keep: for each prompt, after how many of its last tokens the logits are wanted;
            after the last one if None.

    Yields:
        The batch, its rows in an order in which those that share a beginning stand
        together.
    """
    keep = keep or [1] * len(prompts)
    # By identity: rows that share a condition share the object.
    used = {id(p.steering): p.steering for p in prompts if p.steering is not None}
    places = {key: place for place, key in enumerate(used)}
    keys = [_key(p, places) for p in prompts]
    sharing = share(keys, keep)
    with torch.no_grad(), adding(model, list(used.values())) as added:
        row_of = torch.tensor([places.get(id(p.steering), 0) for p in prompts])
        prefixes = _prefixes(model, prompts, sharing, added, row_of)
        rows = [prompts[place] for place in sharing.order]
        starts = [
            length for first, last, length in sharing.groups for _ in range(first, last)
        ]
        added.rows = row_of[sharing.order]
        cache, logits = _read(
            model,
            rows,
            starts,
            [len(p.tokens) for p in rows],
            (sharing.groups, prefixes),
            added,
            max(keep),
        )
        order = torch.tensor(sharing.order)
        response = torch.tensor(
            [p.response and p.steering is not None for p in rows], dtype=torch.bool
        )
        yield Batch(model, cache, order, logits, added, response)


def _key(prompt: Prompt, places: dict[int, int]) -> np.ndarray:
    """One number for each token: what it is, and what is added to it."""
    key = np.array(prompt.tokens, dtype=np.int64)
    if prompt.steering is not None and prompt.at:
        key[list(prompt.at)] += (1 + places[id(prompt.steering)]) << 32
    return key


def _prefixes(
    model: Model, prompts: list[Prompt], sharing: Sharing, added: Adding, row_of: Tensor
) -> list[list[Prefix | None]]:
    """For each block, the keys and values of each group's prefix."""
    first = [sharing.order[group[0]] for group in sharing.groups]
    prefixes: list[list[Prefix | None]] = [[None] for _ in model.blocks]
    if sharing.head:
        added.rows = row_of[first[:1]]
        head = [prompts[first[0]]]
        cache, _ = _read(
            model, head, [0], [sharing.head], ([(0, 1, 0)], prefixes), added, 1
        )
        prefixes = cache.as_prefixes()
    longer = [
        place
        for place, (_, _, length) in enumerate(sharing.groups)
        if length > sharing.head
    ]
    grouped = [[block[0]] * len(sharing.groups) for block in prefixes]
    if longer:
        rows = [first[place] for place in longer]
        added.rows = row_of[rows]
        cache, _ = _read(
            model,
            [prompts[row] for row in rows],
            [sharing.head] * len(rows),
            [sharing.groups[place][2] for place in longer],
            ([(0, len(rows), sharing.head)], prefixes),
            added,
            1,
        )
        for block, found in zip(grouped, cache.as_prefixes(), strict=True):
            for place, prefix in zip(longer, found, strict=True):
                block[place] = prefix
    return grouped


def _read(
    model: Model,
    prompts: list[Prompt],
    starts: list[int],
    ends: list[int],
    shared: tuple[list[tuple[int, int, int]], list[list[Prefix | None]]],
    added: Adding,
    columns: int,
) -> tuple[PrefixCache, Tensor]:
    """Read tokens [start, end) of each prompt after what it shares, right-aligned.

    Not in one pass but in several of at most PASS tokens: a batch may be much larger.

    Returns:
        The cache, and the logits (rows, columns, vocabulary) after the last columns.
    """
    spans = list(zip(prompts, starts, ends, strict=True))
    longest = max(end - start for _, start, end in spans)
    padding = torch.tensor([longest - (end - start) for _, start, end in spans])
    tokens = torch.zeros(len(prompts), longest, dtype=torch.long)
    where = torch.zeros(len(prompts), longest, dtype=torch.bool)
    for row, (prompt, start, end) in enumerate(spans):
        pad = int(padding[row])
        tokens[row, pad:] = torch.tensor(prompt.tokens[start:end])
        if prompt.steering is not None:
            at = [pad + p - start for p in prompt.at if start <= p < end]
            where[row, at] = True
    groups, prefixes = shared
    cache = PrefixCache(Rows(padding, groups), prefixes)
    # A few columns at a time: what a pass makes in between stays small.
    step = max(1, PASS[model.device.type == "cuda"] // len(prompts))
    starts = list(range(0, max(1, longest - columns + 1), step))
    for start, end in zip(starts, [*starts[1:], longest], strict=True):
        added.where = where[:, start:end]
        kept = min(columns, longest) if end == longest else 1
        logits = _forward(model, cache, tokens[:, start:end], kept)
    return cache, logits


def _forward(model: Model, cache: PrefixCache, tokens: Tensor, columns: int) -> Tensor:
    """Read more tokens (rows, columns); returns the logits (rows, columns, vocabulary)
    after the last so many columns.
    """
    rows = cache.rows
    column = rows.filled + torch.arange(tokens.shape[1])[None]
    own = (column - rows.padding[:, None].cpu()).clamp(min=0)
    with using(cache):
        logits = model.network(
            input_ids=tokens.to(model.device),
            position_ids=(rows.prefix[:, None] + own).to(model.device),
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=columns,
        ).logits
    rows.advance(tokens.shape[1])
    return logits
