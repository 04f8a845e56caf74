"""The scoreboard: no number without interval, null and n, and none without its
baseline where there is one.
"""

import numpy as np
import pytest

from emotion_concepts.findings import (
    NOT_BUILT,
    Baseline,
    measured,
    of_map,
    scoreboard,
    strongest,
    words_alone,
)
from emotion_concepts.statistics import Interval

ROW = {"id": "a", "part": "1", "quantity": "q", "paper": 0.8}
NULL = Interval(0.0, 0.3)


def found(interval: tuple, percentile: tuple, **more: object) -> dict:
    return measured(
        0.6,
        Interval(*interval),
        Interval(*percentile),
        NULL,
        0.1,
        "null",
        16,
        "topics",
        "path",
        **more,
    )


def verdict_of(finding: dict | str, paper: float | None = 0.8) -> dict:
    return scoreboard([ROW | {"paper": paper}], {"a": finding})[0]


@pytest.mark.parametrize(
    ("interval", "percentile", "expected"),
    [
        ((0.5, 0.7), (0.4, 0.6), "replicated"),
        ((0.5, 0.7), (0.2, 0.6), "not replicated"),
        ((0.2, 0.7), (0.4, 0.6), "not replicated"),
    ],
)
def test_both_intervals_must_be_clear_of_the_null(
    interval: tuple, percentile: tuple, expected: str
) -> None:
    entry = verdict_of(found(interval, percentile))
    assert entry["verdict"] == expected
    assert entry["clear_of_null"] == (expected == "replicated")
    assert (entry["ci_low"], entry["ci_high"]) == interval
    assert (entry["percentile_low"], entry["percentile_high"]) == percentile


def test_a_new_number_says_whether_it_is_clear_of_its_null() -> None:
    clear = verdict_of(found((0.5, 0.7), (0.4, 0.6)), None)
    unclear = verdict_of(found((0.2, 0.7), (0.2, 0.6)), None)
    assert clear["verdict"] == unclear["verdict"] == "new"
    assert clear["clear_of_null"] is True
    assert unclear["clear_of_null"] is False


def test_every_entry_has_the_same_fields() -> None:
    baseline = Baseline(0.5, Interval(0.4, 0.6), 0.1, Interval(-0.1, 0.3), "words")
    entries = [
        verdict_of(found((0.5, 0.7), (0.4, 0.6))),
        verdict_of(found((0.5, 0.7), (0.4, 0.6), baseline=baseline, items=99)),
        verdict_of("too few topics"),
        scoreboard([ROW], {})[0],
    ]
    assert len({frozenset(entry) for entry in entries}) == 1
    assert [entry["baseline"] for entry in entries] == [None, 0.5, None, None]
    assert entries[1]["baseline_high"] == 0.6
    assert entries[1]["difference_low"] == -0.1
    assert [entry["reason"] for entry in entries[2:]] == ["too few topics", NOT_BUILT]


def test_the_difference_from_the_words_is_taken_in_pairs() -> None:
    generator = np.random.default_rng(0)
    shared = generator.normal(0, 0.1, 400)
    ours = 0.6 + shared + generator.normal(0, 0.01, 400)
    words = words_alone("pc1_valence_r", 0.6, 0.5, ours, 0.5 + shared)
    assert words.difference == pytest.approx(0.1)
    assert 0.05 < words.difference_interval.low < words.difference_interval.high < 0.15
    assert words.interval.high - words.interval.low > 0.25


def test_the_difference_counts_only_where_both_its_intervals_do() -> None:
    generator = np.random.default_rng(0)
    ours, words = generator.normal(0.3, 0.02, (2, 400))
    low, high = words_alone("arousal_r", 0.7, 0.5, ours, words).difference_interval
    assert low < 0 < 0.2 < high


def test_a_number_of_the_map_keeps_its_bounds() -> None:
    generator = np.random.default_rng(0)
    samples, null = generator.uniform(0.2, 0.9, 200), generator.uniform(0, 0.2, 200)
    for name in ("pc1_variance", "pc1_valence_r"):
        entry = of_map(name, 0.95, samples, null, 44, "words")
        assert 0 <= entry["ci_low"] <= 0.95 <= entry["ci_high"] <= 1


def test_the_strongest_baseline_is_the_one_to_beat() -> None:
    scores = {
        "words": {"top1": {"value": 0.2}, "rank_score": {"value": 0.6}},
        "bag_of_words": {"top1": {"value": 0.3}, "rank_score": {"value": 0.5}},
    }
    assert strongest({"baselines": scores}, "top1") == "bag_of_words"
    assert strongest({"baselines": scores}, "rank_score") == "words"
    assert strongest({"baselines": {}}, "top1") is None
