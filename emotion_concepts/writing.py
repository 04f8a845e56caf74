"""Texts written by the model in batches that can be resumed, grown and resharded (see
`store`).
"""

from collections.abc import Callable
from pathlib import Path

from emotion_concepts.chat import render
from emotion_concepts.generation import Sampling, Written, generate
from emotion_concepts.model import Model
from emotion_concepts.planning import check_context, halving, rows_that_fit
from emotion_concepts.prefill import Prompt
from emotion_concepts.progress import Progress
from emotion_concepts.store import (
    Ledger,
    Record,
    cut,
    digest,
    read_records,
    write_records,
)


def chat_prompt(model: Model, item: Record) -> Prompt:
    """The item's prompt as the user's turn, and how the answer begins."""
    messages = [{"role": "user", "content": item["prompt"]}]
    start = item.get("answer_start", "")
    return Prompt(render(model.tokenizer, messages, start).tokens)


def write_texts(
    model: Model,
    groups: list[list[Record]],
    ledger: Ledger,
    sampling: Sampling,
    max_tokens: int,
    batch_rows: int,
    what: str,
    prompt: Callable[[Model, Record], Prompt] = chat_prompt,
) -> list[Record]:
    """Have the model write every item, but for those in finished batches.

    Args:
        model: the loaded model.
        groups: items with `key, prompt, seed` and, if the model's answer is begun for
            it, `answer_start`; the prompts of a group begin alike.
        ledger: the finished batches, as records.
        sampling: how tokens are drawn.
        max_tokens: new tokens of each text at most.
        batch_rows: texts in a batch at most; fewer where memory is small.
        what: the step's name, for its progress.
        prompt: makes an item's prompt, steered or not; the item's `key` says how.

    Returns:
        The items in order, each with `text`, `tokens` (their number) and `ended`:
        `finished` (the model stopped by itself) or `cut` (at `max_tokens`).
    """
    finished = ledger.finished()
    items = [item for group in groups for item in group]
    left = [[i for i in group if item_key(i) not in finished] for group in groups]
    progress = Progress(what, len(items), len(items) - sum(map(len, left)))
    prompts = {item_key(item): prompt(model, item) for item in items}
    # Of all items, so that what is finished already does not change the plan.
    longest = max(len(one.tokens) for one in prompts.values()) + max_tokens
    check_context(model, longest)
    rows = rows_that_fit(model, longest, 1, batch_rows)

    def write(batch: list[Record]) -> list[Written]:
        before = progress.done
        written = generate(
            model,
            [prompts[item_key(item)] for item in batch],
            [item["seed"] for item in batch],
            max_tokens,
            sampling,
            lambda rows: progress.add(len(batch) / max_tokens, rows),
        )
        progress.done = before + len(batch)
        return written

    for whole in batches([group for group in left if group], rows):
        for batch, written in halving(whole, write):
            pairs = zip(batch, written, strict=True)
            records = [_record(model, *pair) for pair in pairs]
            write_records(ledger.path([item_key(item) for item in batch]), records)
    return ledger.records([item_key(item) for item in items])


def batches(groups: list[list[Record]], rows: int) -> list[list[Record]]:
    """Whole groups together while they fit; a group larger than a batch is cut."""
    pieces = [
        group[i : i + rows] for group in groups for i in range(0, len(group), rows)
    ]
    packed = cut(pieces, lambda some: sum(map(len, some)), rows)
    return [[item for piece in batch for item in piece] for batch in packed]


def item_key(item: Record) -> str:
    """What an item is: the same text is asked for, in the same words, from the same
    seed.
    """
    return digest(item["key"], item["prompt"], item["seed"], item.get("answer_start"))


def ledger_keys(path: Path) -> list[str]:
    """The keys of the items in a batch's file."""
    return [item_key(record) for record in read_records(path)]


def _record(model: Model, item: Record, written: Written) -> Record:
    text = model.tokenizer.decode(written.tokens, skip_special_tokens=True)
    start = item.get("answer_start", "")
    return item | {
        "text": (start + text).strip(),
        "tokens": len(written.tokens),
        "ended": "finished" if written.finished else "cut",
    }
