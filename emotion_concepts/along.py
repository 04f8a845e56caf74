"""Probes along the evaluations: on the prompt, where the assistant starts, through what
it writes (paper, section 9 and its Figure 27).

Read without steering: a steered direction would be found again by its own probe.
"""

from typing import Any

import numpy as np
import torch

from emotion_concepts.blackmail import SEND, THOUGHTS
from emotion_concepts.capture import by_length, token_residuals
from emotion_concepts.chat import tokenise
from emotion_concepts.code_replies import FENCE
from emotion_concepts.conversations import turns
from emotion_concepts.directions import Directions
from emotion_concepts.model import Model
from emotion_concepts.options import Message
from emotion_concepts.preference_probes import column_correlations
from emotion_concepts.statistics import (
    correlation,
    percentile_interval,
    recentred_interval,
)
from emotion_concepts.vectors import unit
from emotion_concepts.wild import token_strings

Json = dict[str, Any]
POSITIONS = ("prompt", "assistant_start", "reply", "reasoning", "action")
RANDOM_PROBES = 1000
FEWEST = 5  # entries that a correlation is taken over
DIGITS = 4  # of a token's probe value, as it is kept


def parts_of(behaviour: str, text: str) -> dict[str, list[tuple[int, int]]]:
    """Where a reply reasons and where it acts, as characters [start, end).

    Blackmail: its private thoughts, and what it sends. Reward hacking: its words, and
    its code. A reply to a user does neither.
    """
    if behaviour == "blackmail":
        return {
            "reasoning": [found.span("thought") for found in THOUGHTS.finditer(text)],
            "action": [found.span("body") for found in SEND.finditer(text)],
        }
    if behaviour == "reward_hacking":
        code = [found.span("code") for found in FENCE.finditer(text)]
        edges = [0, *(edge for span in code for edge in span), len(text)]
        words = list(zip(edges[::2], edges[1::2], strict=True))
        return {"reasoning": [(a, b) for a, b in words if b > a], "action": code}
    return {"reasoning": [], "action": []}


def read_along(
    model: Model,
    behaviour: str,
    replies: list[tuple[list[Message], str]],
    layer: int,
    batch_tokens: int,
) -> tuple[np.ndarray, list[tuple[list[str], torch.Tensor]]]:
    """The residual stream of replies and of what they answer, at one layer.

    Args:
        model: the loaded model.
        behaviour: which evaluation.
        replies: the messages shown, and the reply.
        layer: which block's output.
        batch_tokens: tokens in a batch at most, padding included.

    Returns:
        (replies, positions, width) float32 means at POSITIONS, nan where a reply has no
        such part; and for each reply its tokens, prompt included, with their streams.
    """
    rows = [_positions(model, behaviour, *reply) for reply in replies]
    texts = [tokens for tokens, _, _ in rows]
    means = np.full((len(replies), len(POSITIONS), model.width), np.nan, np.float32)
    kept: list[tuple[list[str], torch.Tensor]] = [([], torch.empty(0))] * len(replies)
    for batch in by_length(texts, batch_tokens):
        streams = token_residuals(model, [texts[place] for place in batch], layer)
        for place, stream in zip(batch, streams, strict=True):
            _, names, spans = rows[place]
            kept[place] = (names, stream)
            for slot, position in enumerate(POSITIONS):
                if spans[position]:
                    means[place, slot] = stream[spans[position]].mean(0).numpy()
    return means, kept


def probe_values(streams: np.ndarray, directions: Directions) -> np.ndarray:
    """Every probe's value (..., emotions) of residual streams (..., width) at the fixed
    layer: the projection on the unit vector, in shares of the mean residual norm, the
    unit of steering strength.
    """
    units = unit(directions.vectors[directions.fixed])
    return streams @ units.T / directions.norms[directions.fixed]


def entry_means(
    streams: np.ndarray, entries: list[str], replies_of: list[str]
) -> np.ndarray:
    """The mean (entries, positions, width) over the replies to each entry; nan where
    none has such a part.
    """
    found = np.full((len(entries), *streams.shape[1:]), np.nan)
    for place, entry in enumerate(entries):
        some = streams[[name == entry for name in replies_of]]
        known = ~np.isnan(some).any(axis=2)
        for slot in range(streams.shape[1]):
            if known[:, slot].any():
                found[place, slot] = some[known[:, slot], slot].mean(0)
    return found


def against_rates(
    streams: np.ndarray,
    values: np.ndarray,
    rates: np.ndarray,
    words: np.ndarray,
    resamples: int,
) -> Json | None:
    """Over entries, a probe's correlation with how often the behaviour comes up.

    Args:
        streams: (entries, width) what random directions read.
        values: (entries,) the probe.
        rates: (entries,).
        words: (entries,) what the words of the emotion's stories say of the entries.
        resamples: bootstrap samples, over entries.

    Returns:
        `r`, its recentred and its plain interval, the middle 95 % of random directions,
        `n`, and `baseline` with interval, the same of the words; None over fewer than
        five entries or where nothing varies.
    """
    if len(values) < FEWEST or np.ptp(rates) == 0 or np.ptp(values) == 0:
        return None
    draws = np.random.default_rng(0).integers(len(rates), size=(resamples, len(rates)))

    def sampled(some: np.ndarray) -> np.ndarray:
        return np.array([correlation(some[d], rates[d]) for d in draws])

    r, samples = correlation(values, rates), sampled(values)
    random = np.random.default_rng(1).normal(size=(streams.shape[1], RANDOM_PROBES))
    null = column_correlations(streams @ random, rates)
    low, high = recentred_interval(samples, r, (-1, 1), correlations=True)
    plain, (null_low, null_high) = map(percentile_interval, (samples, null))
    found = {
        "r": r,
        "low": low,
        "high": high,
        "percentile_low": plain.low,
        "percentile_high": plain.high,
        "null": float(np.nanmean(null)),
        "null_low": null_low,
        "null_high": null_high,
        "n": len(rates),
        "baseline": None,
    }
    if np.ptp(words) > 0:
        of_words = sampled(words)
        bounds, difference = map(percentile_interval, (of_words, samples - of_words))
        found["baseline"] = {
            "value": correlation(words, rates),
            "low": bounds.low,
            "high": bounds.high,
            "difference_low": difference.low,
            "difference_high": difference.high,
        }
    return found


def transcript(
    names: list[str],
    stream: torch.Tensor,
    directions: Directions,
    emotions: list[str],
) -> Json:
    """The tokens of a reply with what it answers, and the probes' value at each but the
    first (see `wild.transcript`).
    """
    values = probe_values(stream.numpy(), directions).round(DIGITS)
    return {
        "tokens": names,
        "values": {
            emotion: [None, *values[1:, directions.emotions.index(emotion)].tolist()]
            for emotion in emotions
        },
    }


def _positions(
    model: Model, behaviour: str, messages: list[Message], text: str
) -> tuple[list[int], list[str], dict[str, list[int]]]:
    prompt, places = turns(model.tokenizer, messages)
    whole = tokenise(model.tokenizer, prompt.text + text, special_tokens=False)
    first = len(prompt.text)
    spans = {
        "prompt": [i for turn in places for i in turn["content"]],
        "assistant_start": places[-1]["assistant_start"],
        "reply": whole.span(first, len(whole.text)),
    }
    for part, found in parts_of(behaviour, text).items():
        spans[part] = sorted(
            {i for a, b in found for i in whole.span(first + a, first + b)}
        )
    return whole.tokens, token_strings(whole), spans
