"""Messages that evoke an emotion without naming it: do the probes tell which (paper,
section 4, Figure 2)?

Cosines are of centred activations: less their mean over the messages of the same set.
A set holds several messages for each emotion; the first of each make a square matrix,
as the paper's, the second of each another, and so on. Counts are averages over these
matrices.
"""

from typing import Any

import numpy as np

from emotion_concepts.statistics import (
    percentile_interval,
    resampled_mean,
    wilson,
)
from emotion_concepts.vectors import cosines

Json = dict[str, Any]

OF = 12  # the paper counts over so many messages and probes
MEASURES = ("probe_own_scenario", "scenario_own_probe", "diagonal_margin")


def squares(labels: np.ndarray, emotions: int) -> np.ndarray:
    """Rows (matrices, emotions): the first message of each emotion, the second, ...

    Args:
        labels: (messages,) the emotion of each.
        emotions: how many there are.
    """
    by_emotion = [np.flatnonzero(labels == emotion) for emotion in range(emotions)]
    count = min(map(len, by_emotion))
    return np.array([[rows[k] for rows in by_emotion] for k in range(count)], int)


def measures(matrices: np.ndarray) -> dict[str, np.ndarray]:
    """What the probes say of each message.

    Args:
        matrices: (matrices, emotions, emotions), row: message, column: probe.

    Returns:
        (matrices, emotions) each: whether the probe is highest at its own message (of
        those of its matrix), whether the message has its own probe highest, and the own
        probe's value less the mean of the others.
    """
    own = np.arange(matrices.shape[1])
    diagonal = matrices[:, own, own]
    others = (matrices.sum(2) - diagonal) / max(1, len(own) - 1)
    return {
        "probe_own_scenario": (matrices.argmax(1) == own).astype(float),
        "scenario_own_probe": (matrices.argmax(2) == own).astype(float),
        "diagonal_margin": diagonal - others,
    }


def told(values: np.ndarray, rows: np.ndarray, resamples: int, seed: int) -> Json:
    """The three measures with intervals and nulls.

    Args:
        values: (messages, emotions) what each probe says.
        rows: (matrices, emotions) from `squares`.
        resamples: bootstrap samples and permutations.
        seed: of both.

    Returns:
        By measure, `value` (counts of 12), `low`, `high` (counts: Wilson over messages;
        the margin: bootstrap over emotions with their messages), and `null, null_low,
        null_high`: the emotions dealt out anew to the messages.
    """
    matrices = values[rows]
    found = measures(matrices)
    generator = np.random.default_rng(seed)
    dealt = [
        {
            name: m.mean()
            for name, m in measures(
                matrices[:, generator.permutation(rows.shape[1])]
            ).items()
        }
        for _ in range(resamples)
    ]
    emotion = np.tile(np.arange(rows.shape[1]), len(rows))
    result = {}
    for name, numbers in found.items():
        null = np.array([sample[name] for sample in dealt])
        if name == "diagonal_margin":
            scale = 1
            bounds = resampled_mean(numbers.ravel(), emotion, resamples, seed)
        else:
            scale, bounds = OF, wilson(int(numbers.sum()), numbers.size)
        result[name] = {
            "value": scale * float(numbers.mean()),
            "low": scale * bounds.low,
            "high": scale * bounds.high,
            "null": scale * float(null.mean()),
            "null_low": scale * percentile_interval(null).low,
            "null_high": scale * percentile_interval(null).high,
        }
    return result


def less_words(
    values: np.ndarray, words: np.ndarray, rows: np.ndarray, resamples: int, seed: int
) -> Json:
    """The three measures of the probes less those of the words alone.

    Args:
        values: (messages, emotions) what each probe says.
        words: (messages, emotions) what the words say.
        rows: (matrices, emotions) from `squares`.
        resamples: bootstrap samples, over emotions with their messages.
        seed: of them.

    Returns:
        By measure `value`, `low`, `high`; counts of 12, as in `told`.
    """
    of_probes, of_words = measures(values[rows]), measures(words[rows])
    emotion = np.tile(np.arange(rows.shape[1]), len(rows))
    found = {}
    for name, numbers in of_probes.items():
        scale = 1 if name == "diagonal_margin" else OF
        more = scale * (numbers - of_words[name])
        bounds = resampled_mean(more.ravel(), emotion, resamples, seed)
        found[name] = {
            "value": float(more.mean()),
            "low": bounds.low,
            "high": bounds.high,
        }
    return found


def probed(streams: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """Cosine (messages, emotions) of centred streams (messages, width) with vectors."""
    return cosines(streams - streams.mean(0), vectors)
