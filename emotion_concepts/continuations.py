"""What a steered model writes after neutral openings (paper, section 4, Tables 6 to 8).

How often it names the steered emotion stands beside how whole it is: whether it comes
to an end, repeats itself, and how unlikely the unsteered model finds what it wrote. A
broken model is never counted as a moved one.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from emotion_concepts.chat import split_options
from emotion_concepts.choices import Choice, perplexity
from emotion_concepts.directions import Directions, is_random
from emotion_concepts.model import Model
from emotion_concepts.openings import UNSTEERED, Condition, begun, steered, steerings
from emotion_concepts.prefill import Prompt
from emotion_concepts.statistics import resampled_mean, wilson
from emotion_concepts.store import Record, seed_of
from emotion_concepts.texts import Wording, named_emotions, repeats_itself

Json = dict[str, Any]


def continuation_items(
    openings: list[Record], conditions: list[Condition], unsteered: int, seed: int
) -> list[list[Record]]:
    """What to write: a group for each opening, unsteered as often as is said."""
    plain = [(f"{UNSTEERED} {number + 1}", 0.0) for number in range(unsteered)]
    return [
        [
            {
                "key": f"{opening['id']}/{direction}/{strength:+g}",
                "opening": opening["id"],
                "direction": direction,
                "strength": strength,
                "prompt": opening["user"],
                "answer_start": opening["start"],
                "seed": seed_of(seed, opening["id"], direction, strength),
            }
            for direction, strength in [*plain, *conditions]
        ]
        for opening in openings
    ]


def steered_prompt(
    openings: list[Record], directions: Directions
) -> Callable[[Model, Record], Prompt]:
    """Makes the steered prompt of every item."""
    extra = steerings(directions)
    by_id = {opening["id"]: opening for opening in openings}

    def prompt(model: Model, item: Record) -> Prompt:
        rendered, first = begun(model, by_id[item["opening"]])
        added = extra(item["direction"], item["strength"])
        return steered(rendered.tokens, first, added)

    return prompt


def rereading(
    model: Model, openings: list[Record], texts: list[Record]
) -> tuple[list[list[Record]], Callable[[Record], Choice]]:
    """What to score for the perplexity under the unsteered model: every text that the
    model wrote anything of.

    Returns:
        A group of items for each opening, each with `tokens`, how many are scored; and
        what makes an item's prompt and its one option.
    """
    by_id = {opening["id"]: opening for opening in openings}

    def choice(item: Record) -> Choice:
        opening = by_id[item["opening"]]
        rendered, _ = begun(model, opening)
        tokens, options = split_options(
            model.tokenizer, rendered.text, [item["text"][len(opening["start"]) :]]
        )
        return Prompt(tokens), options

    groups: dict[str, list[Record]] = {}
    for text in texts:
        item = {"opening": text["opening"], "text": text["text"]}
        (tokens,) = choice(item)[1]
        if tokens:
            item |= {"key": [text["key"], text["text"]], "tokens": len(tokens)}
            groups.setdefault(text["opening"], []).append(item)
    return list(groups.values()), choice


def judged(texts: list[Record], scored: list[Record], wording: Wording) -> list[Record]:
    """The texts with `names` (the emotions that they name by form or synonym),
    `repeats` and `perplexity` (None where nothing was written).
    """
    found = {tuple(item["key"]): perplexity(item) for item in scored}
    names = named_emotions(wording)
    return [
        text
        | {
            "names": names(text["text"]),
            "repeats": repeats_itself(text["text"]),
            "perplexity": found.get((text["key"], text["text"])),
        }
        for text in texts
    ]


def doses(texts: list[Record], emotions: list[str], resamples: int) -> list[Json]:
    """By signed strength, how often texts name the steered emotion, and how whole they
    are.

    Args:
        texts: from `judged`.
        emotions: the steered ones.
        resamples: bootstrap samples, for rates over pairs of text and emotion.

    Returns:
        For each strength: `emotions` and `random`, each with `n` texts, `names` (the
        steered emotion; of random directions, the mean over emotions, and the interval
        over directions), `finished`, `repeats` and the median `perplexity`. At strength
        0 there is only `random`: the unsteered texts.
    """
    found = []
    for strength in sorted({text["strength"] for text in texts}):
        some = [text for text in texts if text["strength"] == strength]
        own = [text for text in some if text["direction"] in emotions]
        others = [
            text
            for text in some
            if is_random(text["direction"]) or text["direction"].startswith(UNSTEERED)
        ]
        record: Json = {"strength": strength, "emotions": None, "random": None}
        if own:
            hits = [text["direction"] in text["names"] for text in own]
            record["emotions"] = _whole(own) | _rate(sum(hits), len(own), "names")
            record["emotions"]["names_others"] = float(
                np.mean([len(set(t["names"]) - {t["direction"]}) for t in own])
                / max(1, len(emotions) - 1)
            )
        if others:
            shares = np.array(
                [len(set(t["names"]) & set(emotions)) for t in others], float
            ) / max(1, len(emotions))
            groups = np.array([text["direction"] for text in others])
            bounds = resampled_mean(shares, groups, resamples, seed=0)
            record["random"] = _whole(others) | {
                "names": float(shares.mean()),
                "names_low": bounds.low,
                "names_high": bounds.high,
            }
        found.append(record)
    return found


def _whole(texts: list[Record]) -> Json:
    known = [text["perplexity"] for text in texts if text["perplexity"] is not None]
    finished = sum(text["ended"] == "finished" for text in texts)
    repeats = sum(text["repeats"] for text in texts)
    return (
        {"n": len(texts), "perplexity": float(np.median(known)) if known else None}
        | _rate(finished, len(texts), "finished")
        | _rate(repeats, len(texts), "repeats")
    )


def _rate(count: int, total: int, name: str) -> Json:
    bounds = wilson(count, total)
    return {
        name: count / total,
        f"{name}_low": bounds.low,
        f"{name}_high": bounds.high,
    }
