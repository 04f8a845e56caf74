"""What steering does to the preferences (paper, section 7).

The change of an activity's Elo is that with the tokens of its own half steered, less
that without steering, both among the same activities and with a mean of 1500: what the
steered half gains the other half loses, as in the paper. Beside every change stands the
share of probability that is left on the two answers, so that a model that no longer
answers is not taken for one without preferences.
"""

from typing import Any

import numpy as np

from emotion_concepts.directions import is_random
from emotion_concepts.preferences import elo, soft_wins, steered_elo
from emotion_concepts.statistics import correlation, percentile_interval
from emotion_concepts.store import Record


def steered_changes(
    steered: list[Record],
    unsteered: list[Record],
    activities: list[Record],
    resamples: int,
) -> dict[str, Any]:
    """The Elo change of every activity under every condition.

    Args:
        steered: records of all conditions.
        unsteered: chat pairs without steering, of at least these activities.
        activities: those that are steered.
        resamples: bootstrap samples, over activities.

    Returns:
        `answered`, the mean probability of either answer without steering, and
        `conditions`: of each its direction, strength, layers, the changes
        (activities,), their mean with its interval, and `answered`.
    """
    ids = [activity["id"] for activity in activities]
    plain = [r for r in unsteered if {r["first"], r["second"]} <= set(ids)]
    before = elo(soft_wins(plain, ids))
    by_condition: dict[tuple, list[Record]] = {}
    for record in steered:
        key = (record["direction"], record["strength"], tuple(record["layers"]))
        by_condition.setdefault(key, []).append(record)
    draws = np.random.default_rng(0).integers(len(ids), size=(resamples, len(ids)))
    found = []
    for (direction, strength, layers), records in by_condition.items():
        changes = steered_elo(records, plain, activities) - before
        low, high = percentile_interval(changes[draws].mean(1))
        found.append(
            {
                "direction": direction,
                "strength": strength,
                "layers": list(layers),
                "changes": changes.tolist(),
                "mean": float(changes.mean()),
                "low": low,
                "high": high,
                "answered": answered(records),
            }
        )
    return {
        "activities": ids,
        "elo": before.tolist(),
        "answered": answered(plain),
        "conditions": found,
    }


def answered(records: list[Record]) -> float:
    """Mean probability that the model goes on with one of the two answers."""
    return float(
        np.mean([np.exp(record["log_probability"]).sum() for record in records])
    )


def at(
    steering: dict[str, Any], strength: float, layers: list[int]
) -> dict[str, dict[str, Any]]:
    """By direction, the condition at a strength and layers."""
    return {
        c["direction"]: c
        for c in steering["conditions"]
        if c["strength"] == strength and c["layers"] == layers
    }


def probes_against_changes(
    probe_r: dict[str, float],
    conditions: dict[str, dict[str, Any]],
    resamples: int,
) -> dict[str, Any] | None:
    """Over emotions, r of (probe-Elo r) with the mean Elo change when steered.

    Args:
        probe_r: by emotion.
        conditions: by direction, at one strength and layers.
        resamples: bootstrap samples over emotions and activities, and permutations.

    Returns:
        `r`, its `bootstrap` and `permuted` samples and the emotions; None with fewer
        than three emotions.
    """
    emotions = [name for name in conditions if not is_random(name)]
    if len(emotions) < 3:
        return None
    probes = np.array([probe_r[e] for e in emotions])
    changes = np.array([conditions[e]["changes"] for e in emotions])
    generator = np.random.default_rng(0)
    bootstrap, permuted = [], []
    for _ in range(resamples):
        some = generator.integers(len(emotions), size=len(emotions))
        on = generator.integers(changes.shape[1], size=changes.shape[1])
        bootstrap.append(correlation(probes[some], changes[some][:, on].mean(1)))
        dealt = generator.permutation(len(emotions))
        permuted.append(correlation(probes, changes[dealt].mean(1)))
    return {
        "emotions": emotions,
        "r": correlation(probes, changes.mean(1)),
        "bootstrap": bootstrap,
        "permuted": permuted,
    }
