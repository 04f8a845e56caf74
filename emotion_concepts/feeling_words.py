"""How steering changes the probability of each emotion's own word (paper, section 4,
Figures 52 and 53).

Beside the words, the probability that is left on the unsteered model's likeliest next
tokens: where little is left, the model is broken rather than moved.
"""

from typing import Any

import numpy as np
import torch

from emotion_concepts.chat import split_options
from emotion_concepts.choices import Choice
from emotion_concepts.directions import Directions
from emotion_concepts.model import Model
from emotion_concepts.openings import Condition, begun, steered, steerings
from emotion_concepts.prefill import Prompt, prefilled
from emotion_concepts.store import Record

Json = dict[str, Any]

USUAL = 50  # next tokens of the unsteered model that a whole model stays near


def word_items(
    openings: list[Record], words: list[str], conditions: list[Condition]
) -> list[list[Record]]:
    """What to score: for each opening a group, unsteered first."""
    return [
        [
            {
                "key": [opening, words, direction, strength],
                "opening": opening["id"],
                "words": words,
                "direction": direction,
                "strength": strength,
            }
            for direction, strength in conditions
        ]
        for opening in openings
    ]


class Asked:
    """Makes the prompt and options of every item: the emotions' words, and the usual
    next tokens.
    """

    def __init__(
        self, model: Model, openings: list[Record], directions: Directions
    ) -> None:
        self.model = model
        self.openings = {opening["id"]: begun(model, opening) for opening in openings}
        self.steering = steerings(directions)
        self.usual = usual_tokens(
            model, {name: one.tokens for name, (one, _) in self.openings.items()}
        )

    def choice(self, item: Record) -> Choice:
        """See `choices.score_choices`."""
        rendered, first = self.openings[item["opening"]]
        options = [" " + word for word in item["words"]]
        tokens, words = split_options(self.model.tokenizer, rendered.text, options)
        extra = self.steering(item["direction"], item["strength"])
        # Where a tokenizer joins the opening's end with a word, what is usual after the
        # whole opening comes after that end.
        end = rendered.tokens[len(tokens) :]
        usual = [[*end, token] for token in self.usual[item["opening"]]]
        return steered(tokens, first, extra), words + usual


def usual_tokens(
    model: Model, prompts: dict[str, list[int]], count: int = USUAL
) -> dict[str, list[int]]:
    """By name, the likeliest next tokens after a prompt, the likeliest first."""
    names = list(prompts)
    with (
        torch.no_grad(),
        prefilled(model, [Prompt(prompts[name]) for name in names]) as batch,
    ):
        top = batch.logits[:, -1].float()
        top = top.topk(min(count, top.shape[-1])).indices.tolist()
        return {
            names[row]: top[place] for place, row in enumerate(batch.order.tolist())
        }


def word_record(item: Record) -> Record:
    """An item as it is kept: each word's log-probability, and what is left on the usual
    tokens.
    """
    words, scores = item["words"], item["log_probability"]
    return {
        "opening": item["opening"],
        "direction": item["direction"],
        "strength": item["strength"],
        "log_probability": dict(zip(words, scores[: len(words)], strict=True)),
        "usual_mass": float(np.exp(scores[len(words) :]).sum()),
    }
