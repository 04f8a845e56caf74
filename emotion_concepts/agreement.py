"""How far a grader can be trusted: its grades against a person's labels.

Cohen's kappa is the agreement beyond what two graders with the same habits would reach
by chance. A grader that stays below `TRUSTED` measures nothing that a report should
print.
"""

from typing import Any

import numpy as np
from sklearn.metrics import cohen_kappa_score

from emotion_concepts.statistics import percentile_interval, rate

TRUSTED = 0.6
RESAMPLES = 2000


def agreement(labels: list[str], grades: list[str], seed: int) -> dict[str, Any]:
    """Agreement of a grader with labels, item by item.

    Args:
        labels: what a person said of each item.
        grades: what the grader said of it.
        seed: of the resampling of items, for kappa's interval.

    Returns:
        `n`; `agree`, a rate; `kappa` with its `interval` (bootstrap over items) and
        whether it is `trusted`; `classes`: by class that either side uses, `labelled`
        and `graded` counts, and `precision` and `recall`; and `confusion`, counts by
        label and then grade. A rate is `{k, n, rate, low, high}`, Wilson's interval;
        where n is 0, only these two. Kappa is None where neither side varies.

    Raises:
        ValueError: the lists are empty or of different lengths.
    """
    if not labels or len(labels) != len(grades):
        raise ValueError(f"{len(labels)} labels and {len(grades)} grades")
    pairs = list(zip(labels, grades, strict=True))
    names = sorted({*labels, *grades})
    kappa = _kappa(labels, grades)
    return {
        "n": len(pairs),
        "agree": rate(sum(a == b for a, b in pairs), len(pairs)),
        "kappa": kappa,
        "interval": _kappa_interval(labels, grades, seed),
        "trusted": kappa is not None and kappa >= TRUSTED,
        "classes": {name: _class(name, pairs) for name in names},
        "confusion": {
            a: {b: pairs.count((a, b)) for b in names if (a, b) in pairs}
            for a in names
            if a in labels
        },
    }


def against_rest(classes: list[str], one: str) -> list[str]:
    """The same grades with two classes only, the one and `other`."""
    return [one if name == one else "other" for name in classes]


def _class(name: str, pairs: list[tuple[str, str]]) -> dict[str, Any]:
    labelled = sum(label == name for label, _ in pairs)
    graded = sum(grade == name for _, grade in pairs)
    both = pairs.count((name, name))
    return {
        "labelled": labelled,
        "graded": graded,
        "precision": rate(both, graded),
        "recall": rate(both, labelled),
    }


def _kappa(labels: list[str], grades: list[str]) -> float | None:
    if len({*labels, *grades}) < 2:
        return None
    return float(cohen_kappa_score(labels, grades))


def _kappa_interval(
    labels: list[str], grades: list[str], seed: int
) -> list[float] | None:
    names = sorted({*labels, *grades})
    if len(names) < 2:
        return None
    a, b = (np.searchsorted(names, side) for side in (labels, grades))
    draws = np.random.default_rng(seed).integers(len(a), size=(RESAMPLES, len(a)))
    observed = (a[draws] == b[draws]).mean(1)
    shares = [
        [(side[draws] == i).mean(1) for i in range(len(names))] for side in (a, b)
    ]
    expected = sum(p * q for p, q in zip(*shares, strict=True))
    with np.errstate(invalid="ignore", divide="ignore"):
        kappas = (observed - expected) / (1 - expected)
    return list(percentile_interval(kappas))
