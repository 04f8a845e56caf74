"""Choices between spelled-out options, scored in batches that can be resumed and grown
(see `store`).

A group of items is a batch: a condition of an experiment, say, whose prompts begin
alike. What the model gives each option is kept as a log-probability.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from emotion_concepts.model import Model
from emotion_concepts.planning import check_context, halving, rows_that_fit
from emotion_concepts.prefill import Prompt
from emotion_concepts.progress import Progress
from emotion_concepts.scoring import score
from emotion_concepts.store import (
    Ledger,
    Record,
    digest,
    read_records,
    write_records,
)

# A prompt, and the token ids of each option that may follow it.
Choice = tuple[Prompt, list[list[int]]]


def score_choices(
    model: Model,
    groups: list[list[Record]],
    choice: Callable[[Record], Choice],
    ledger: Ledger,
    batch_rows: int,
    what: str,
) -> list[Record]:
    """Score every item, but for those in finished batches.

    Args:
        model: the loaded model.
        groups: items with a `key` that says all of what each is; the items of a group
            are scored together, in parts of at most `batch_rows`.
        choice: makes an item's prompt and options.
        ledger: the finished batches, as records.
        batch_rows: items in a batch at most; fewer where memory is small.
        what: the step's name, for its progress.

    Returns:
        The items in order, each with `log_probability`: of each option, all tokens.
    """
    finished = ledger.finished()
    items = [item for group in groups for item in group]
    left = [[i for i in group if item_key(i) not in finished] for group in groups]
    progress = Progress(what, len(items), len(items) - sum(map(len, left)))

    def work(batch: list[Record]) -> list[Record]:
        choices = [choice(item) for item in batch]
        scores = score(model, *map(list, zip(*choices, strict=True)))
        return [
            item | {"log_probability": [float(option.sum()) for option in some]}
            for item, some in zip(batch, scores, strict=True)
        ]

    for group in filter(None, left):
        rows = _rows(model, [choice(item) for item in group], batch_rows)
        for start in range(0, len(group), rows):
            for batch, records in halving(group[start : start + rows], work):
                write_records(ledger.path([item_key(item) for item in batch]), records)
                progress.add(len(batch))
    return ledger.records([item_key(item) for item in items])


def perplexity(record: Record) -> float:
    """Of a scored text, its only option, of so many `tokens`."""
    return float(np.exp(-record["log_probability"][0] / record["tokens"]))


def item_key(item: Record) -> str:
    """What an item is."""
    return digest(item["key"])


def ledger_keys(path: Path) -> list[str]:
    """The keys of the items in a batch's file."""
    return [item_key(record) for record in read_records(path)]


def _rows(model: Model, choices: list[Choice], most: int) -> int:
    # Options that begin alike, as all of one token do, share a row.
    rows = max(len({tuple(o[:-1]) for o in options}) for _, options in choices)
    longest = max(len(tokens) for _, some in choices for tokens in some)
    tokens = max(len(prompt.tokens) for prompt, _ in choices) + longest
    check_context(model, tokens)
    return rows_that_fit(model, tokens * rows, longest * rows, most)
