"""What steering did to the emotions' words (see `feeling_words`), with intervals and
nulls.
"""

from typing import Any

import numpy as np

from emotion_concepts.directions import is_random
from emotion_concepts.statistics import percentile_interval, resampled_mean
from emotion_concepts.store import Record

Json = dict[str, Any]


def changes(records: list[Record], words: list[str]) -> dict[float, Json]:
    """By signed strength, the change of every word's log-probability.

    Args:
        records: from `feeling_words.word_record`; at strength 0, unsteered.
        words: which words.

    Returns:
        For each strength `directions` (names), `change` (directions, words), the mean
        over openings, and `usual_mass` (directions,); for 0 only the last.
    """

    def values(record: Record) -> np.ndarray:
        return np.array([record["log_probability"][word] for word in words])

    before = {r["opening"]: values(r) for r in records if not r["strength"]}
    found: dict[float, Json] = {}
    for strength in sorted({record["strength"] for record in records}):
        some = [r for r in records if r["strength"] == strength]
        names = list(dict.fromkeys(r["direction"] for r in some))
        by_name = [[r for r in some if r["direction"] == name] for name in names]
        found[strength] = {
            "directions": names,
            "change": np.array(
                [
                    np.mean([values(r) - before[r["opening"]] for r in group], axis=0)
                    for group in by_name
                ]
            ),
            "usual_mass": np.array(
                [np.mean([r["usual_mass"] for r in group]) for group in by_name]
            ),
        }
    return found


def word_effects(
    found: dict[float, Json], words: list[str], strength: float, resamples: int
) -> Json:
    """The mean change of the steered emotion's word, and of the others'.

    Args:
        found: from `changes`.
        words: the emotions' words, which are also the names of their directions.
        strength: the strength that is reported.
        resamples: bootstrap samples, over emotions.

    Returns:
        `matching` and `other` at the positive strength, `matching_minus` and
        `other_minus` at the negative: each `value, low, high` and the null: the mean
        over all words under each random direction, of both signs, as `null, null_low,
        null_high`.
    """
    random = np.array(
        [
            row.mean()
            for sign in (strength, -strength)
            for name, row in zip(
                found[sign]["directions"], found[sign]["change"], strict=True
            )
            if is_random(name)
        ]
    )
    null = percentile_interval(random)
    beside = {
        "null": float(random.mean()),
        "null_low": null.low,
        "null_high": null.high,
        "random": len(random),
    }
    effects = {}
    for sign, suffix in ((strength, ""), (-strength, "_minus")):
        rows = [found[sign]["directions"].index(word) for word in words]
        square = found[sign]["change"][rows]
        matching = square.diagonal()
        other = (square.sum(1) - matching) / max(1, len(words) - 1)
        for name, values in (("matching", matching), ("other", other)):
            bounds = resampled_mean(values, np.arange(len(words)), resamples, seed=0)
            effects[name + suffix] = beside | {
                "value": float(values.mean()),
                "low": bounds.low,
                "high": bounds.high,
                "n": len(words),
            }
    return effects
