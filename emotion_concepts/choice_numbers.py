"""The choice measure of an evaluation in numbers: the probability of each option, with
and without steering (paper, sections 9 to 11).

Intervals are Student's t over the entries: inboxes, tasks or conversations. These are
few, and a bootstrap of two or three hardly spreads. The headline is the difference from
random directions at the same strength; how much these differ among themselves counts
towards its interval.
"""

from typing import Any

import numpy as np
from scipy import stats

from emotion_concepts.directions import is_random
from emotion_concepts.evaluations import READINGS, chosen, options, readings_of
from emotion_concepts.openings import UNSTEERED
from emotion_concepts.statistics import LEVEL
from emotion_concepts.store import Record

Json = dict[str, Any]
Case = tuple[str, float]  # direction and signed strength
FEWEST = 2  # entries that an interval is taken over


def choice_numbers(
    behaviour: str,
    entries: list[Record],
    records: list[Record],
    steered: list[str],
) -> Json:
    """Every number of the choice measure.

    Args:
        behaviour: which evaluation.
        entries: what it is about.
        records: the scored items of all shards.
        steered: the ids of the entries that are steered.

    Returns:
        `conditions`, `entries` and `differences`. A condition holds `direction`,
        `strength`, `answered` (the mean probability of any of the letters) and
        `readings`: by reading the mean over the steered entries that it counts in, with
        its interval; None over fewer than two. `entries`: unsteered, all of them.
        `differences`: real less the mean of the random directions at that strength.
    """
    by_id = {entry["id"]: entry for entry in entries}
    read = option_probabilities(records)
    cases = list(dict.fromkeys(case for _, case in read))
    values = {
        case: {
            name: _counted(behaviour, by_id, read, case, steered, name)
            for name in READINGS[behaviour]
        }
        for case in cases
    }
    return {
        "conditions": [
            {
                "direction": case[0],
                "strength": case[1],
                "answered": float(
                    np.mean([read[i, case][1] for i in steered if (i, case) in read])
                ),
                "readings": {name: _mean(some) for name, some in values[case].items()},
            }
            for case in cases
        ],
        "entries": {
            entry["id"]: {
                "answered": read[entry["id"], (UNSTEERED, 0.0)][1],
                "probability": dict(
                    zip(
                        options(behaviour, entry),
                        map(float, read[entry["id"], (UNSTEERED, 0.0)][0]),
                        strict=True,
                    )
                ),
            }
            for entry in entries
        },
        "differences": [
            {"direction": case[0], "strength": case[1], "reading": name} | found
            for case in cases
            if case[1] and not is_random(case[0])
            for name in READINGS[behaviour]
            for found in [_less_random(values, case, name)]
            if found
        ],
    }


def option_probabilities(
    records: list[Record],
) -> dict[tuple[str, Case], tuple[np.ndarray, float]]:
    """By entry and case, the probability of each option among the options (options,),
    and that of any letter at all; both means over the orders.
    """
    shares: dict[tuple[str, Case], list[np.ndarray]] = {}
    for record in records:
        case = (record["direction"], record["strength"])
        shares.setdefault((record["entry"], case), []).append(np.exp(chosen(record)))
    return {
        key: (
            np.mean([some / some.sum() for some in found], axis=0),
            float(np.mean([some.sum() for some in found])),
        )
        for key, found in shares.items()
    }


def mean_over(values: np.ndarray, among: np.ndarray | None = None) -> Json:
    """The mean over entries, with Student's interval.

    Args:
        values: (entries,) two at least.
        among: (random directions,) their means, if values are differences from these:
            their spread adds to the interval.
    """
    variance, fewest = values.var(ddof=1) / len(values), len(values)
    if among is not None:
        variance += among.var(ddof=1) / len(among)
        fewest = min(fewest, len(among))
    # The smaller side's degrees of freedom: on the safe side.
    spread = stats.t.ppf((1 + LEVEL) / 2, fewest - 1) * np.sqrt(variance)
    value = float(values.mean())
    return {
        "value": value,
        "low": float(value - spread),
        "high": float(value + spread),
        "n": len(values),
    }


def random_cases(cases: list[Case], strength: float) -> list[Case]:
    """The random directions at a strength; a random direction has no sign, so both
    count.
    """
    return [c for c in cases if is_random(c[0]) and abs(c[1]) == abs(strength)]


def _counted(
    behaviour: str,
    by_id: dict[str, Record],
    read: dict[tuple[str, Case], tuple[np.ndarray, float]],
    case: Case,
    steered: list[str],
    name: str,
) -> np.ndarray:
    """(entries,) the probability of what counts, in the steered entries."""
    found = []
    for entry in steered:
        option = readings_of(behaviour, by_id[entry]).get(name)
        if option and (entry, case) in read:
            place = options(behaviour, by_id[entry]).index(option)
            found.append(read[entry, case][0][place])
    return np.array(found, dtype=float)


def _mean(values: np.ndarray) -> Json | None:
    """The mean of probabilities, whose interval ends at 0 and 1."""
    if len(values) < FEWEST:
        return None
    found = mean_over(values)
    return found | {"low": max(0.0, found["low"]), "high": min(1.0, found["high"])}


def _less_random(
    values: dict[Case, dict[str, np.ndarray]], case: Case, name: str
) -> Json | None:
    random = np.array([values[c][name] for c in random_cases(list(values), case[1])])
    ours = values[case][name]
    if len(ours) < FEWEST or len(random) < FEWEST:
        return None
    return mean_over(ours - random.mean(0), random.mean(1))
