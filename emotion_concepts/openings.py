"""Answers begun for the model, under directions and strengths: what steered words and
steered continuations share (paper, section 4).

What is steered is the assistant's turn, from where it begins, at the fixed layer. Each
direction acts at every strength with both signs, and random directions of the same
length act beside the emotions.
"""

from collections.abc import Callable
from functools import cache

from emotion_concepts.chat import Rendered, positions
from emotion_concepts.directions import Directions, random_names
from emotion_concepts.model import Model
from emotion_concepts.prefill import Prompt
from emotion_concepts.steering import Steering, steering
from emotion_concepts.store import Record

UNSTEERED = "unsteered"
Condition = tuple[str, float]  # direction and signed strength


def conditions(
    emotions: list[str], random: int, strengths: list[float]
) -> list[Condition]:
    """Every direction at every strength, both signs."""
    return [
        (name, sign * strength)
        for strength in strengths
        for sign in (1, -1)
        for name in [*emotions, *random_names(random)]
    ]


def steerings(directions: Directions) -> Callable[[str, float], Steering | None]:
    """What to add for a direction at a strength, at the fixed layer: the same object
    for the same condition.
    """
    place = slice(directions.fixed, directions.fixed + 1)

    @cache
    def at_fixed(name: str, strength: float) -> Steering | None:
        if not strength:
            return None
        return steering(
            directions.named(name)[place],
            directions.norms[place],
            directions.layers[place],
            strength,
        )

    return at_fixed


def begun(model: Model, opening: Record) -> tuple[Rendered, int]:
    """An opening as the model sees it, and where the assistant's turn begins."""
    rendered, found = positions(
        model.tokenizer, opening["user"], start=opening["start"]
    )
    return rendered, found["assistant_start"][0]


def steered(tokens: list[int], first: int, extra: Steering | None) -> Prompt:
    """A prompt steered from a position on, and so what follows it."""
    return Prompt(tokens, extra, tuple(range(first, len(tokens))), response=True)
