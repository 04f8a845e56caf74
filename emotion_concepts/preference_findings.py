"""The rows of the scoreboard for preferences (paper, section 7)."""

from typing import Any

import numpy as np

from emotion_concepts.directions import is_random
from emotion_concepts.findings import Baseline, measured
from emotion_concepts.preference_steering import at
from emotion_concepts.statistics import (
    Interval,
    percentile_interval,
    recentred_interval,
)

Json = dict[str, Any]

EVIDENCE = "preferences/preferences.json"
FEWEST_WORDS = 10  # a correlation over fewer says nothing
EXTREMES = ("blissful", "hostile")  # the two that the paper gives numbers for


def of_preferences(found: Json) -> dict[str, Json | str]:
    """The findings of this part, or the reasons why there are none.

    Args:
        found: `preferences.json`.
    """
    rows: dict[str, Json | str] = {}
    for emotion in EXTREMES:
        rows[f"preference.{emotion}_r"] = _probe(found, emotion)
        rows[f"preference.steer_{emotion}_elo"] = _steered(found["steering"], emotion)
    for row, scale in (("valence_r", "pleasure"), ("arousal_r", "arousal")):
        rows[f"preference.{row}"] = _with_people(found["with_people"][scale])
    rows["preference.steering_r"] = _foretold(found["steering"])
    return rows


def _probe(found: Json, emotion: str) -> Json | str:
    """A probe's correlation with the Elo; its null: random directions."""
    if emotion not in found["probe_bootstrap"]:
        return f"{emotion} is not among the study's emotions and preferences.extremes"
    ours = found["probe_r"][emotion]
    samples = np.array(found["probe_bootstrap"][emotion], dtype=float)
    interval = recentred_interval(samples, ours, (-1, 1), correlations=True)
    random = np.array(found["random_r"])
    return measured(
        ours,
        interval,
        percentile_interval(samples),
        percentile_interval(random),
        float(random.mean()),
        f"{len(random)} random directions",
        len(found["activities"]),
        "activities",
        EVIDENCE,
        baseline=_words(found, emotion),
    )


def _words(found: Json, emotion: str) -> Baseline:
    """What the words of the emotion's stories give for the same correlation."""
    words = found["words"]
    samples = np.array(words["bootstrap"][emotion], dtype=float)
    value = words["r"][emotion]
    ours = np.array(found["probe_bootstrap"][emotion], dtype=float)
    return Baseline(
        value,
        percentile_interval(samples),
        found["probe_r"][emotion] - value,
        percentile_interval(ours - samples),
        "words of the emotion's stories against those of the activity",
    )


def _with_people(found: Json) -> Json | str:
    """Over emotions, probe-Elo r against people's ratings; its null: Elo dealt anew."""
    if found["words"] < FEWEST_WORDS:
        return (
            f"{found['words']} of the study's emotions have human ratings; "
            f"a correlation over fewer than {FEWEST_WORDS} says nothing"
        )
    samples = np.array(found["bootstrap"], dtype=float)
    permuted = np.array(found["permuted"], dtype=float)
    return measured(
        found["r"],
        recentred_interval(samples, found["r"], (-1, 1), correlations=True),
        percentile_interval(samples),
        percentile_interval(permuted),
        float(np.nanmean(permuted)),
        "the activities' Elo dealt out anew",
        found["words"],
        "emotions",
        EVIDENCE,
    )


def _steered(steering: Json, emotion: str) -> Json | str:
    """The mean Elo change of steered activities; its null: random directions, both
    signs.
    """
    main = at(steering, steering["strength"], steering["layers"])
    if emotion not in main:
        return f"{emotion} is not among the study's emotions and preferences.extremes"
    interval = Interval(main[emotion]["low"], main[emotion]["high"])
    null = random_changes(steering, steering["strength"], steering["layers"])
    return measured(
        main[emotion]["mean"],
        interval,
        interval,
        Interval(float(null.min()), float(null.max())),
        float(null.mean()),
        f"{len(null) // 2} random directions, both signs: lowest to highest",
        len(steering["activities"]),
        "activities",
        EVIDENCE,
    )


def random_changes(steering: Json, strength: float, layers: list[int]) -> np.ndarray:
    """Mean Elo changes of all random directions at a strength, with both signs."""
    return np.array(
        [
            condition["mean"]
            for sign in (1, -1)
            for name, condition in at(steering, sign * strength, layers).items()
            if is_random(name)
        ]
    )


def _foretold(steering: Json) -> Json | str:
    """Over emotions, probe-Elo r against the Elo change."""
    found = steering["foretold"]
    if found is None:
        return "fewer than three emotions are steered"
    samples = np.array(found["bootstrap"], dtype=float)
    permuted = np.array(found["permuted"], dtype=float)
    return measured(
        found["r"],
        recentred_interval(samples, found["r"], (-1, 1), correlations=True),
        percentile_interval(samples),
        percentile_interval(permuted),
        float(np.nanmean(permuted)),
        "the emotions' changes dealt out anew",
        len(found["emotions"]),
        "emotions",
        EVIDENCE,
    )
