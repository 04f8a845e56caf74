"""Probes along scripted sessions, set against what was predicted beforehand (paper,
section 8).

A probe's value at a token is the projection of the residual stream on the emotion's
unit vector, divided by the layer's mean residual norm. That is the unit of steering
strength: two positions that differ by 0.1 differ as if one had been steered by 0.1.
Elsewhere in the study values are cosines of centred streams; here only differences
between two positions say anything, and in a difference any centre cancels.

The null of every number is what directions without meaning give in the emotion
vectors' place. All turns are scripted: this is reading, not cause.
"""

from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any

import numpy as np

from emotion_concepts.chat import Rendered
from emotion_concepts.conversations import Turns
from emotion_concepts.statistics import percentile_interval, wilson
from emotion_concepts.store import Record
from emotion_concepts.vectors import unit

Json = dict[str, Any]

DRAWS = 1000  # random directions
SEED = 0
# What the positions of a session's file are called by `conversations.turns`.
POSITIONS = {"user_end": "end", "assistant_start": "start", "assistant": "content"}
RUNS_OUT, TO_SPARE = "budget_runs_out", "budget_to_spare"


@dataclass(frozen=True)
class Reading:
    """A session as a model read it.

    Attributes:
        rendered: the session in the model's template.
        turns: the tokens of each turn, see `conversations.turns`.
        stream: (tokens, width) residual stream over the layer's mean residual norm.
    """

    rendered: Rendered
    turns: Turns
    stream: np.ndarray

    def at(self, place: Json) -> np.ndarray:
        """(width,) the stream at a `turn` and `position`; over words their mean."""
        tokens = self.turns[place["turn"]][POSITIONS[place["position"]]]
        return self.stream[tokens].mean(0)


def random_values(
    rows: np.ndarray, owners: np.ndarray, draws: int = DRAWS, seed: int = SEED
) -> np.ndarray:
    """What random directions make of differences between positions.

    Args:
        rows: (n, width) differences.
        owners: (n,) whose each is, an emotion, say: in one draw the rows of one owner
            meet the same direction, as they meet the same vector.
        draws: how often directions are drawn.
        seed: of the draws.

    Returns:
        (draws, n) projections on unit vectors.
    """
    generator = np.random.default_rng(seed)
    names, index = np.unique(owners, return_inverse=True)
    found = np.empty((draws, len(rows)))
    for draw in range(draws):
        directions = unit(generator.normal(size=(len(names), rows.shape[1])))
        found[draw] = (rows * directions[index]).sum(1)
    return found


def predictions(
    sessions: list[Record],
    readings: dict[str, Reading],
    emotions: list[str],
    vectors: np.ndarray,
) -> Json | None:
    """Whether each prediction came true.

    Args:
        sessions: with their `predictions`.
        readings: by session's id.
        emotions: those that the study has; predictions about others are left out.
        vectors: (emotions, width) at the layer that was read.

    Returns:
        `each`: the prediction with its `value` (the probe at `at` less that at `than`),
        the middle 95 % of random directions as `null_low`, `null_high`, whether the
        value lies the predicted way (`right`), and which share of the other emotions'
        probes moves less that way (`above`). `share` of right ones: `value, low, high`
        (Wilson, which takes the predictions as independent; several share a session),
        `null, null_low, null_high` (each emotion's vector replaced by a random
        direction) and `n`. None if nothing was predicted of these emotions.
    """
    listed = [
        {"session": session["id"], **prediction}
        for session in sessions
        for prediction in session["predictions"]
        if prediction["emotion"] in emotions
    ]
    if not listed:
        return None
    rows = np.stack(
        [
            readings[p["session"]].at(p["at"])
            - readings[p["than"]["session"]].at(p["than"])
            for p in listed
        ]
    )
    owners = np.array([emotions.index(p["emotion"]) for p in listed])
    signs = np.array([1 if p["direction"] == "up" else -1 for p in listed])
    moved = rows @ unit(vectors).T
    random = random_values(rows, owners)
    each, right = [], []
    for place, prediction in enumerate(listed):
        value, sign = moved[place, owners[place]], signs[place]
        others = np.delete(moved[place], owners[place])
        band = percentile_interval(random[:, place])
        right.append(bool(sign * value > 0))
        each.append(
            prediction
            | {
                "value": float(value),
                "null_low": band.low,
                "null_high": band.high,
                "right": right[-1],
                "above": float((sign * others < sign * value).mean()),
            }
        )
    shares = (random * signs > 0).mean(1)
    bounds, null = wilson(sum(right), len(right)), percentile_interval(shares)
    share = {
        "value": float(np.mean(right)),
        "low": bounds.low,
        "high": bounds.high,
        "null": float(shares.mean()),
        "null_low": null.low,
        "null_high": null.high,
        "n": len(right),
    }
    return {"each": each, "share": share}


def transcript(
    session: Record,
    reading: Reading,
    emotions: list[str],
    vectors: np.ndarray,
) -> Json:
    """A session token by token, for display.

    Args:
        session: with `id`, `about` and `turns`.
        reading: of it.
        emotions: whose probes are shown.
        vectors: (emotions, width).

    Returns:
        `tokens` (their strings, which joined are the text), `turns` (each with its role
        and the first and last token of its words) and by emotion `values`, rounded;
        None at the first token, which carries no text but a norm many times that of
        others.
    """
    values = (reading.stream @ unit(vectors).T).round(4).T.tolist()
    return {
        "id": session["id"],
        "about": session["about"],
        "tokens": token_strings(reading.rendered),
        "turns": [
            {"role": said["role"], "first": turn["content"][0], "last": turn["end"][0]}
            for said, turn in zip(session["turns"], reading.turns, strict=True)
            if turn["content"]
        ],
        "values": {
            emotion: [None, *row[1:]]
            for emotion, row in zip(emotions, values, strict=True)
        },
    }


def token_strings(rendered: Rendered) -> list[str]:
    """The text cut at its tokens' ends. Space that a token's offsets leave out belongs
    to the next; of tokens that share a character the first has it.
    """
    ends = list(accumulate((end for _, end in rendered.offsets), max))
    ends[-1:] = [len(rendered.text)]
    return [rendered.text[a:b] for a, b in pairwise([0, *ends])]


def shown_emotions(sessions: list[Record], name: str, emotions: list[str]) -> list[str]:
    """The study's emotions about which a session's predictions, or those of a session
    that is compared with it, say something.
    """
    named = {
        p["emotion"]
        for session in sessions
        for p in session["predictions"]
        if name in (session["id"], p["than"]["session"])
    }
    return [emotion for emotion in emotions if emotion in named]
