"""The scoreboard: every number of the paper beside ours, with interval, null and
verdict.
"""

import csv
from pathlib import Path
from typing import Any

import numpy as np

from emotion_concepts.statistics import (
    LEVEL,
    Interval,
    percentile_interval,
    recentred_interval,
    verdict,
)

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


def measured(
    ours: float,
    interval: Interval,
    null: Interval,
    null_centre: float,
    null_name: str,
    n: int,
    unit: str,
    evidence: str,
) -> dict[str, Any]:
    """A number with everything that makes it a finding.

    Args:
        ours: the number.
        interval: its 95 % interval.
        null: the range of the control's value; both bounds equal it where it is one
            number.
        null_centre: the control's mean value.
        null_name: what the control is.
        n: how many units were sampled.
        unit: what they are.
        evidence: path of the raw records, from the model's results folder.
    """
    return {
        "ours": ours,
        "ci_low": interval.low,
        "ci_high": interval.high,
        "level": LEVEL,
        "null": null_centre,
        "null_low": null.low,
        "null_high": null.high,
        "null_name": null_name,
        "n": n,
        "unit": unit,
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
            empty = dict.fromkeys(
                measured(0, Interval(0, 0), Interval(0, 0), 0, "", 0, "", "")
            )
            entries.append(row | empty | {"reason": finding, "verdict": "not measured"})
            continue
        word = verdict(
            finding["ours"],
            Interval(finding["ci_low"], finding["ci_high"]),
            Interval(finding["null_low"], finding["null_high"]),
            finding["null"],
            row["paper"],
        )
        entries.append(row | finding | {"verdict": word})
    return entries


def of_map(
    name: str,
    ours: float,
    bootstrap: np.ndarray,
    permuted: np.ndarray,
    n: int,
    unit: str,
    bounds: tuple[float, float],
) -> dict[str, Any]:
    """A number of the map, with its interval over topics (and words) and its
    permutation null.
    """
    return measured(
        ours,
        recentred_interval(bootstrap, ours, bounds),
        percentile_interval(permuted),
        float(np.nanmean(permuted)),
        "emotions dealt out anew within each topic"
        if name != "rsa_mid_late_min"
        else "emotions of each layer named at random",
        n,
        unit,
        "geometry/geometry.json",
    )
