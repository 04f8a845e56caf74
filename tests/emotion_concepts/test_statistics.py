"""Intervals cover, nulls hold, verdicts are the design's."""

import numpy as np
import pytest

from emotion_concepts.statistics import (
    Interval,
    correlation,
    recentred_interval,
    resampled_mean,
    side_of,
    verdict,
    wider,
    wilson,
)


def test_wilson_matches_published_values() -> None:
    # Newcombe 1998, Statistics in Medicine 17:857-872, table I: 81/263, 15/148, 0/20.
    for k, n, low, high in [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0, 0.1611),
    ]:
        assert wilson(k, n) == pytest.approx((low, high), abs=5e-5)
    assert wilson(20, 20).high == 1
    with pytest.raises(ValueError, match="at least one"):
        wilson(0, 0)


def test_correlation_is_pearsons() -> None:
    x, y = np.random.default_rng(0).normal(size=(2, 30))
    assert correlation(x, y) == pytest.approx(np.corrcoef(x, y)[0, 1])
    assert np.isnan(correlation(x, np.ones(30)))


def test_the_interval_over_groups_covers_as_often_as_it_says() -> None:
    generator = np.random.default_rng(0)
    covered = 0
    for trial in range(200):
        groups = np.repeat(np.arange(30), 10)
        values = generator.normal(size=30)[groups] + generator.normal(size=300)
        low, high = resampled_mean(values, groups, 300, seed=trial)
        covered += low <= 0 <= high
    assert 0.88 <= covered / 200 <= 0.99


def test_the_interval_over_groups_is_wider_than_over_items() -> None:
    generator = np.random.default_rng(0)
    groups = np.repeat(np.arange(10), 100)
    values = generator.normal(size=10)[groups]
    by_group = resampled_mean(values, groups, 500, 0)
    by_item = resampled_mean(values, np.arange(1000), 500, 0)
    assert by_group.high - by_group.low > 3 * (by_item.high - by_item.low)


def test_a_recentred_interval_holds_the_estimate_and_keeps_its_bounds() -> None:
    samples = np.random.default_rng(0).normal(0.5, 0.1, 1000)
    low, high = recentred_interval(samples, 0.8, (-1, 1))
    assert low == pytest.approx(0.6, abs=0.02)
    assert high == pytest.approx(1.0, abs=0.02)
    assert recentred_interval(samples, 0.95, (-1, 1)).high == 1


def test_correlations_are_recentred_where_their_spread_is_even() -> None:
    z = np.random.default_rng(0).normal(0.3, 0.2, 2000)
    low, high = recentred_interval(np.tanh(z), 0.9, (-1, 1), correlations=True)
    around = np.arctanh(0.9)
    assert low == pytest.approx(np.tanh(around - 0.39), abs=0.01)
    assert high == pytest.approx(np.tanh(around + 0.39), abs=0.01)
    assert high < 1
    perfect = recentred_interval(np.array([0.2, 1.0]), 1.0, (-1, 1), correlations=True)
    assert np.isfinite(perfect).all()


def test_a_number_is_clear_of_its_null_only_if_both_intervals_are() -> None:
    above, across, below = Interval(0.4, 0.9), Interval(0.2, 0.8), Interval(-0.5, -0.2)
    assert side_of(NULL, [above, above]) == 1
    assert side_of(NULL, [below, below]) == -1
    for intervals in ([above, across], [across, above], [above, below]):
        assert side_of(NULL, intervals) == 0
    nothing = Interval(float("nan"), float("nan"))
    assert side_of(NULL, [nothing, above]) == 0


def test_the_wider_of_two_intervals_holds_both() -> None:
    assert wider(Interval(0, 2), Interval(-1, 1)) == Interval(-1, 2)


NULL = Interval(-0.1, 0.3)


@pytest.mark.parametrize(
    ("ours", "side", "paper", "expected"),
    [
        (0.8, 1, 0.81, "replicated"),
        (0.41, 1, 0.81, "partly"),
        (0.8, 0, 0.81, "not replicated"),
        (-0.5, -1, 0.81, "opposite"),
        (-0.5, -1, -0.6, "replicated"),
        (0.8, 1, None, "new"),
        (0.1, 0, None, "new"),
        # The paper's number is the null's centre: it has no direction to agree with.
        (0.8, 1, 0.1, "opposite"),
        (-0.8, -1, 0.1, "opposite"),
        (0.1, 0, 0.1, "not replicated"),
    ],
)
def test_verdicts(ours: float, side: int, paper: float | None, expected: str) -> None:
    assert verdict(ours, side, 0.1, paper) == expected
