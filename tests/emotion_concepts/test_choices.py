"""Scored choices: what they are, and that finished ones are kept."""

from pathlib import Path

import pytest
from tiny import random_tokens

from emotion_concepts.choices import Choice, ledger_keys, score_choices
from emotion_concepts.model import Model
from emotion_concepts.prefill import Prompt
from emotion_concepts.scoring import score
from emotion_concepts.store import Ledger, Record

HEAD = random_tokens(0, 9)


def choice(item: Record) -> Choice:
    """A prompt of its own for every number, with two options."""
    number = item["key"][1]
    return Prompt(HEAD + random_tokens(number, 1 + number % 4)), [[7], [8, 9]]


def items(count: int, group: str = "a") -> list[Record]:
    """A group of items."""
    return [{"key": [group, number], "group": group} for number in range(count)]


def test_every_item_gets_the_sum_of_each_option(
    one_model: Model, tmp_path: Path
) -> None:
    ledger = Ledger(tmp_path, "recipe", ".jsonl", ledger_keys)
    groups = [items(5), items(3, "b")]
    found = score_choices(one_model, groups, choice, ledger, 4, "test")
    assert [r["key"] for r in found] == [i["key"] for group in groups for i in group]
    for record in found:
        prompt, options = choice(record)
        ((one, two),) = score(one_model, [prompt], [options])
        expected = [float(one.sum()), float(two.sum())]
        assert record["log_probability"] == pytest.approx(expected, abs=1e-4)


def test_finished_items_are_kept_and_only_new_ones_scored(
    one_model: Model, tmp_path: Path
) -> None:
    ledger = Ledger(tmp_path, "recipe", ".jsonl", ledger_keys)
    first = score_choices(one_model, [items(5)], choice, ledger, 4, "test")
    files = {p: p.stat().st_mtime_ns for p in tmp_path.glob("*/*.jsonl")}
    assert len(files) == 2
    grown = score_choices(
        one_model, [items(6), items(2, "b")], choice, ledger, 4, "test"
    )
    assert grown[:5] == first
    after = {p: p.stat().st_mtime_ns for p in tmp_path.glob("*/*.jsonl")}
    assert files.items() <= after.items()
    assert len(after) == 4
