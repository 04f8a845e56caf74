"""The scoreboard: every number of the paper beside ours, with interval, null and
verdict.
"""

import csv
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from emotion_concepts.statistics import (
    LEVEL,
    Interval,
    percentile_interval,
    recentred_interval,
    side_of,
    verdict,
    wider,
)

# What the words of the stories alone give, in two ways.
WORDS = {
    "words": "words of the stories alone, treated like activations",
    "bag_of_words": "words of the stories alone, naive Bayes",
}
# What the numbers of the map cannot pass.
BOUNDS = {
    "pc1_variance": (0, 1),
    "pc2_variance": (0, 1),
    "pc1_valence_r": (0, 1),
    "arousal_r": (0, 1),
    "valence_decoding_r": (-1, 1),
    "arousal_decoding_r": (-1, 1),
    "rsa_mid_late_min": (-1, 1),
}
NOT_BUILT = "this part of the paper is not part of the study yet"


def read_rows(path: Path) -> list[dict[str, Any]]:
    """The paper's numbers: `id, part, quantity, paper`, the last a number or None."""
    with path.open(encoding="utf-8", newline="") as file:
        return [
            {
                "id": row["id"],
                "part": row["part"],
                "quantity": row["quantity"],
                "paper": float(row["paper"]) if row["paper"] else None,
            }
            for row in csv.DictReader(file)
        ]


class Baseline(NamedTuple):
    """What something simpler than the model gives for the same number.

    Attributes:
        value: its number.
        interval: its 95 % interval.
        difference: the model's number less the baseline's.
        difference_interval: its 95 % interval, from samples taken in pairs.
        name: what the baseline is.
    """

    value: float
    interval: Interval
    difference: float
    difference_interval: Interval
    name: str


def measured(
    ours: float,
    interval: Interval,
    percentile: Interval,
    null: Interval,
    null_centre: float,
    null_name: str,
    n: int,
    unit: str,
    evidence: str,
    items: int | None = None,
    baseline: Baseline | None = None,
) -> dict[str, Any]:
    """A number with everything that makes it a finding.

    Args:
        ours: the number.
        interval: its 95 % interval.
        percentile: the plain percentile interval, where that is another.
        null: the range of the control's value; both bounds equal it where it is one
            number.
        null_centre: the control's mean value.
        null_name: what the control is.
        n: how many units were sampled.
        unit: what they are.
        evidence: path of the raw records, from the model's results folder.
        items: how many stories the units hold, where the number is a mean over them.
        baseline: what the words of the stories alone give, where there is such a thing.
    """
    known = baseline or Baseline(*[None] * 5)
    low, high = known.interval or (None, None)
    difference_low, difference_high = known.difference_interval or (None, None)
    return {
        "ours": ours,
        "ci_low": interval.low,
        "ci_high": interval.high,
        "percentile_low": percentile.low,
        "percentile_high": percentile.high,
        "level": LEVEL,
        "null": null_centre,
        "null_low": null.low,
        "null_high": null.high,
        "null_name": null_name,
        "clear_of_null": bool(side_of(null, [interval, percentile])),
        "baseline": known.value,
        "baseline_low": low,
        "baseline_high": high,
        "baseline_name": known.name,
        "difference": known.difference,
        "difference_low": difference_low,
        "difference_high": difference_high,
        "n": n,
        "unit": unit,
        "items": items,
        "reason": None,
        "evidence": evidence,
    }


def scoreboard(
    rows: list[dict[str, Any]], found: dict[str, dict[str, Any] | str]
) -> list[dict[str, Any]]:
    """One entry for every row of the paper's numbers.

    Args:
        rows: from `read_rows`.
        found: by id, a finding from `measured`, or the reason why there is none.
    """
    entries = []
    for row in rows:
        finding = found.get(row["id"], NOT_BUILT)
        if isinstance(finding, str):
            nothing = Interval(0, 0)
            empty = dict.fromkeys(
                measured(0, nothing, nothing, nothing, 0, "", 0, "", "")
            )
            entries.append(row | empty | {"reason": finding, "verdict": "not measured"})
            continue
        side = side_of(
            Interval(finding["null_low"], finding["null_high"]),
            [
                Interval(finding["ci_low"], finding["ci_high"]),
                Interval(finding["percentile_low"], finding["percentile_high"]),
            ],
        )
        word = verdict(finding["ours"], side, finding["null"], row["paper"])
        entries.append(row | finding | {"verdict": word})
    return entries


def of_map(
    name: str,
    ours: float,
    bootstrap: np.ndarray,
    permuted: np.ndarray,
    n: int,
    unit: str,
    baseline: Baseline | None = None,
) -> dict[str, Any]:
    """A number of the map, with its interval over topics (and words) and its
    permutation null.
    """
    return measured(
        ours,
        interval_of(name, bootstrap, ours),
        percentile_interval(bootstrap),
        percentile_interval(permuted),
        float(np.nanmean(permuted)),
        "emotions dealt out anew within each topic"
        if name != "rsa_mid_late_min"
        else "emotions of each layer named at random",
        n,
        unit,
        "geometry/geometry.json",
        baseline=baseline,
    )


def interval_of(name: str, samples: np.ndarray, ours: float) -> Interval:
    """The interval of a number of the map, see `recentred_interval`."""
    return recentred_interval(
        samples, ours, BOUNDS[name], not name.endswith("variance")
    )


def words_alone(
    name: str, ours: float, words: float, bootstrap: np.ndarray, of_words: np.ndarray
) -> Baseline:
    """What the words give for a number of the map, beside the model's.

    Args:
        name: of the number.
        ours: the model's.
        words: that of the words.
        bootstrap: (resamples,) samples of the model's.
        of_words: (resamples,) samples of the words' on the same topics and words.
    """
    difference, pairs = ours - words, bootstrap - of_words
    return Baseline(
        words,
        interval_of(name, of_words, words),
        difference,
        wider(
            recentred_interval(pairs, difference, (-2, 2)), percentile_interval(pairs)
        ),
        WORDS["words"],
    )


def strongest(identification: dict[str, Any], measure: str) -> str | None:
    """Which baseline does best by a measure; None where there is none."""
    baselines = identification["baselines"]
    return max(
        sorted(baselines), key=lambda n: baselines[n][measure]["value"], default=None
    )
