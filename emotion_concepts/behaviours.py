"""What the evaluations under pressure share: how the model is steered through them and
what it is asked (paper, sections 9 to 11).

Steering is at the fixed layer, on every token of the prompt and of the reply: the paper
says "throughout the evaluation" and names no layer. Each direction acts at every
strength with both signs, random directions of the same length beside the emotions.

Two measures. Choice: the probability of each spelled-out option, in balanced orders; it
needs no grader, and a small model can be read by it. Rollout: what the model writes.
"""

from collections.abc import Callable
from functools import cache

from emotion_concepts.chat import render, split_options
from emotion_concepts.choices import Choice
from emotion_concepts.directions import Directions
from emotion_concepts.evaluations import (
    choice_messages,
    options,
    orders,
)
from emotion_concepts.model import Model
from emotion_concepts.openings import UNSTEERED, Condition, steerings
from emotion_concepts.options import LETTERS, Message
from emotion_concepts.prefill import Prompt
from emotion_concepts.steering import Steering
from emotion_concepts.store import Record, digest, seed_of


def conditions(directions: list[str], strengths: list[float]) -> list[Condition]:
    """Every direction at every strength, both signs; `unsteered` once."""
    found: list[Condition] = []
    for name in directions:
        if name == UNSTEERED:
            found.append((name, 0.0))
            continue
        found += [(name, sign * s) for s in strengths for sign in (1, -1)]
    return found


def asked(
    entries: list[Record], steered: list[str], some: list[Condition]
) -> list[tuple[Record, Condition]]:
    """Which entry is asked under which condition: unsteered all, else those named."""
    return [
        (entry, condition)
        for entry in entries
        for condition in some
        if not condition[1] or entry["id"] in steered
    ]


def throughout(tokens: list[int], extra: Steering | None) -> Prompt:
    """A prompt that is steered on all of its tokens, and so what follows it."""
    everywhere = tuple(range(len(tokens))) if extra else ()
    return Prompt(tokens, extra, everywhere, response=extra is not None)


def choice_items(
    behaviour: str,
    instructions: Record,
    cases: list[tuple[Record, Condition]],
) -> list[list[Record]]:
    """What to ask: a group for each entry and condition, of all orders.

    Args:
        behaviour: one of `evaluations.READINGS`.
        instructions: the stimulus file's own wording, by name.
        cases: from `asked`.
    """
    return [
        [
            {
                "key": [direction, strength, list(order), shown],
                "entry": entry["id"],
                "direction": direction,
                "strength": strength,
                "order": list(order),
            }
            for order in orders(behaviour, entry)
            for shown in [
                digest(choice_messages(behaviour, entry, instructions, order))
            ]
        ]
        for entry, (direction, strength) in cases
    ]


def option_chooser(
    model: Model,
    behaviour: str,
    instructions: Record,
    entries: list[Record],
    directions: Directions,
) -> Callable[[Record], Choice]:
    """Makes the steered prompt of an item of `choice_items`, and its letters."""
    by_id = {entry["id"]: entry for entry in entries}
    extra = steerings(directions)

    @cache
    def lettered(
        entry: str, order: tuple[int, ...]
    ) -> tuple[list[int], list[list[int]]]:
        messages = choice_messages(behaviour, by_id[entry], instructions, order)
        text = render(model.tokenizer, messages).text
        letters = list(LETTERS[: len(options(behaviour, by_id[entry]))])
        return split_options(model.tokenizer, text, letters)

    def choose(item: Record) -> Choice:
        tokens, letters = lettered(item["entry"], tuple(item["order"]))
        return throughout(tokens, extra(item["direction"], item["strength"])), letters

    return choose


def rollout_items(
    cases: list[tuple[Record, Condition]],
    messages: Callable[[Record], list[Message]],
    rollouts: int,
    seed: int,
) -> list[list[Record]]:
    """What to write first: a group for each entry, whose prompts are of one length.

    Args:
        cases: from `asked`.
        messages: what an entry shows.
        rollouts: replies under each condition.
        seed: of the study's drawing.

    Returns:
        Items with `key, entry, direction, strength, number, turn, prompt, seed`;
        `prompt` stands for the messages, which are as long as an inbox.
    """
    groups: dict[str, list[Record]] = {}
    for entry, (direction, strength) in cases:
        shown = digest(messages(entry))
        groups.setdefault(entry["id"], []).extend(
            {
                "key": f"{entry['id']}/{direction}/{strength:+g}/{number}/0",
                "entry": entry["id"],
                "direction": direction,
                "strength": strength,
                "number": number,
                "turn": 0,
                "prompt": shown,
                "seed": seed_of(seed, entry["id"], direction, strength, number),
            }
            for number in range(rollouts)
        )
    return list(groups.values())


def next_item(item: Record, shown: list[Message]) -> Record:
    """The same rollout's next reply, after these messages."""
    turn = item["turn"] + 1
    key = f"{item['key'].rpartition('/')[0]}/{turn}"
    kept = ("entry", "direction", "strength", "number")
    return {
        **{name: item[name] for name in kept},
        "key": key,
        "turn": turn,
        "prompt": digest(shown),
        "seed": seed_of(item["seed"], turn),
    }


def reply_prompt(
    messages: Callable[[Record], list[Message]], directions: Directions
) -> Callable[[Model, Record], Prompt]:
    """Makes the steered prompt of an item.

    Args:
        messages: what an item has been shown.
        directions: by which it is steered.
    """
    extra = steerings(directions)

    def prompt(model: Model, item: Record) -> Prompt:
        tokens = render(model.tokenizer, messages(item)).tokens
        return throughout(tokens, extra(item["direction"], item["strength"]))

    return prompt


def rereading(
    model: Model, texts: list[Record], messages: Callable[[Record], list[Message]]
) -> tuple[list[list[Record]], Callable[[Record], Choice]]:
    """What to score for the perplexity under the unsteered model: every reply that
    holds anything.

    Returns:
        A group of items for each entry, each with `tokens`, how many are scored; and
        what makes an item's prompt and its one option.
    """
    by_key = {text["key"]: text for text in texts}

    def choice(item: Record) -> Choice:
        text = by_key[item["of"]]
        shown = render(model.tokenizer, messages(text)).text
        tokens, some = split_options(model.tokenizer, shown, [text["text"]])
        return Prompt(tokens), some

    groups: dict[str, list[Record]] = {}
    for text in texts:
        item = {"of": text["key"]}
        (tokens,) = choice(item)[1]
        if tokens:
            item |= {
                "key": [text["key"], text["prompt"], text["text"]],
                "tokens": len(tokens),
            }
            groups.setdefault(text["entry"], []).append(item)
    return list(groups.values()), choice
