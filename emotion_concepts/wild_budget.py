"""A coding session whose budget runs out, against the same with budget to spare (paper,
section 8, Figure 24).

The two sessions have the same words but for the numbers of the budget, so at every step
the difference between them is what the model makes of these numbers.
"""

from typing import Any

import numpy as np

from emotion_concepts.statistics import percentile_interval
from emotion_concepts.store import Record
from emotion_concepts.vectors import unit
from emotion_concepts.wild import (
    RUNS_OUT,
    SEED,
    TO_SPARE,
    Reading,
    random_values,
)
from emotion_concepts.word_probes import word_probes

Json = dict[str, Any]

READ = ("assistant_start", "assistant")
# Not the config's: a number of the analysis must not send the model over it all again.
RESAMPLES = 1000


def change(curves: np.ndarray) -> np.ndarray:
    """Mean over the last half of the steps less that over the first half.

    Args:
        curves: (..., steps); with an odd number of steps the middle one is left out.
    """
    half = curves.shape[-1] // 2
    return curves[..., -half:].mean(-1) - curves[..., :half].mean(-1)


def resampled_changes(curves: np.ndarray, resamples: int, seed: int) -> np.ndarray:
    """Bootstrap samples of `change`: the steps of either half drawn anew from it.

    Args:
        curves: (curves, steps); all meet the same draws, so samples go in pairs.
        resamples: how many samples.
        seed: of the draws.

    Returns:
        (resamples, curves).
    """
    steps = curves.shape[-1]
    half = steps // 2
    early, late = np.random.default_rng(seed).integers(half, size=(2, resamples, half))
    late = late + steps - half
    return (curves[:, late].mean(-1) - curves[:, early].mean(-1)).T


def budget_steps(sessions: list[Record]) -> list[int] | None:
    """The numbers of the assistant's turns of the two sessions; None if one is missing,
    they do not have the same roles in turn, or there are fewer than two steps.
    """
    roles = {s["id"]: [turn["role"] for turn in s["turns"]] for s in sessions}
    if roles.get(RUNS_OUT) is None or roles[RUNS_OUT] != roles.get(TO_SPARE):
        return None
    steps = [n for n, role in enumerate(roles[RUNS_OUT]) if role == "assistant"]
    asked = all(n > 0 and roles[RUNS_OUT][n - 1] == "user" for n in steps)
    return steps if asked and len(steps) > 1 else None


def budget(
    readings: dict[str, Reading],
    steps: list[int],
    focus: list[str],
    vectors: np.ndarray,
    words: np.ndarray,
    resamples: int = RESAMPLES,
) -> Json:
    """How the focus probes' difference between the two sessions goes over the steps.

    Args:
        readings: by session's id.
        steps: from `budget_steps`.
        focus: names of the emotions.
        vectors: (focus, width) at the layer that was read.
        words: (focus, steps) the same difference by the words alone, see `by_words`.
        resamples: bootstrap samples.

    Returns:
        `steps`; for each position of `READ`, the middle 95 % of random directions at
        each step (`band`) and for each emotion its `curve`, the `change` along it with
        `low, high` (bootstrap over steps) and its `null, null_low, null_high` (random
        directions), the words' `baseline` with interval, and the `difference` from it
        with its interval from paired samples. The words' unit is a centred cosine, the
        probes' a share of the residual norm: the difference sets two shares of a
        length against each other, not the same quantity twice.
    """
    found: Json = {"steps": steps}
    for position in READ:
        places = [{"turn": turn, "position": position} for turn in steps]
        rows = np.stack(
            [readings[RUNS_OUT].at(p) - readings[TO_SPARE].at(p) for p in places]
        )
        curves = unit(vectors) @ rows.T
        random = random_values(rows, np.zeros(len(rows), int))
        null = change(random)
        bands = [percentile_interval(column) for column in random.T]
        samples = resampled_changes(np.concatenate([curves, words]), resamples, SEED)
        ours, theirs = np.split(samples, 2, axis=1)
        emotions = {}
        for place, emotion in enumerate(focus):
            value, said = float(change(curves)[place]), float(change(words)[place])
            gap = ours[:, place] - theirs[:, place]
            emotions[emotion] = {
                "curve": curves[place].round(6).tolist(),
                "change": value,
                **_bounds("", ours[:, place]),
                "null": float(null.mean()),
                **_bounds("null_", null),
                "baseline": said,
                **_bounds("baseline_", theirs[:, place]),
                "difference": value - said,
                **_bounds("difference_", gap),
            }
        found[position] = {
            "band": {"low": [b.low for b in bands], "high": [b.high for b in bands]},
            "emotions": emotions,
        }
    return found


def _bounds(prefix: str, samples: np.ndarray) -> dict[str, float]:
    low, high = percentile_interval(samples)
    return {f"{prefix}low": low, f"{prefix}high": high}


def by_words(
    sessions: list[Record],
    steps: list[int],
    stories: list[Record],
    emotions: list[str],
    focus: list[str],
) -> np.ndarray:
    """The difference between the two sessions that the words alone give.

    Args:
        sessions: with their `turns`.
        steps: from `budget_steps`; read is the user's turn before each.
        stories: the kept stories.
        emotions: of the stories.
        focus: whose difference.

    Returns:
        (focus, steps) differences of centred cosines.
    """
    said = {s["id"]: [turn["content"] for turn in s["turns"]] for s in sessions}
    texts = [said[name][turn - 1] for name in (RUNS_OUT, TO_SPARE) for turn in steps]
    read = word_probes(stories, emotions, texts)
    chosen = read[:, [emotions.index(emotion) for emotion in focus]]
    out, spare = np.split(chosen, 2)
    return (out - spare).T
