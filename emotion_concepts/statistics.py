"""Intervals, nulls and verdicts."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

LEVEL = 0.95


class Interval(NamedTuple):
    """Bounds of a 95 % interval."""

    low: float
    high: float


def percentile_interval(samples: np.ndarray) -> Interval:
    """The middle 95 % of bootstrap or permutation samples (those that are numbers)."""
    tail = 100 * (1 - LEVEL) / 2
    low, high = np.nanpercentile(samples, [tail, 100 - tail])
    return Interval(float(low), float(high))


def recentred_interval(
    samples: np.ndarray,
    estimate: float,
    bounds: tuple[float, float],
    correlations: bool = False,
) -> Interval:
    """The middle 95 % of bootstrap samples, moved so that their mean is the estimate.

    A bootstrap sample of topics holds some twice and others not at all, so its means
    are noisier than the study's own: shares of variance and correlations come out
    smaller in every sample. Only the spread is taken. This presumes that the estimate
    itself is not as biased; the plain percentile interval lies lower, so a number
    counts as clear of its null only where both are, see `side_of`.

    Args:
        samples: bootstrap values; those that are not numbers are left out.
        estimate: the value on all topics.
        bounds: what the quantity cannot pass.
        correlations: move on Fisher's z scale, where the spread of a correlation does
            not depend on its size.
    """
    if correlations:
        samples, estimate = fisher(samples), float(fisher(np.array(estimate)))
    low, high = percentile_interval(samples - np.nanmean(samples) + estimate)
    if correlations:
        low, high = float(np.tanh(low)), float(np.tanh(high))
    return Interval(max(low, bounds[0]), min(high, bounds[1]))


def fisher(r: np.ndarray) -> np.ndarray:
    """Fisher's z of correlations; finite at ±1."""
    return np.arctanh(np.clip(r, -1 + 1e-9, 1 - 1e-9))


def wider(one: Interval, other: Interval) -> Interval:
    """From the lower of the lower bounds to the higher of the upper."""
    return Interval(min(one.low, other.low), max(one.high, other.high))


def wilson(successes: float, trials: float) -> Interval:
    """Wilson's score interval for a rate (Wilson 1927).

    Args:
        successes: how many have it.
        trials: how many there are; both may be effective numbers, not whole ones.

    Raises:
        ValueError: there is not one trial.
    """
    if trials < 1:
        raise ValueError("a rate needs at least one trial")
    z = 1.959963984540054
    rate = successes / trials
    centre = rate + z**2 / (2 * trials)
    spread = z * np.sqrt(rate * (1 - rate) / trials + z**2 / (4 * trials**2))
    low, high = centre - spread, centre + spread
    # At a rate of 0 or 1 the bound is exact; rounding must not push it past.
    low = 0.0 if successes == 0 else low / (1 + z**2 / trials)
    high = 1.0 if successes == trials else high / (1 + z**2 / trials)
    return Interval(float(low), float(high))


def rate(successes: float, trials: float) -> dict[str, float]:
    """A rate as it is stored: `k, n, rate, low, high`, Wilson's interval; only `k` and
    `n` where there are no trials.
    """
    if not trials:
        return {"k": successes, "n": trials}
    low, high = wilson(successes, trials)
    return {
        "k": successes,
        "n": trials,
        "rate": successes / trials,
        "low": low,
        "high": high,
    }


def correlation(x: np.ndarray, y: np.ndarray) -> float:
    """Pearson's r, or nan where one side does not vary or there is nothing."""
    if not len(x):
        return float("nan")
    x, y = x - x.mean(), y - y.mean()
    size = np.sqrt((x @ x) * (y @ y))
    return float(x @ y / size) if size > 0 else float("nan")


def resampled_mean(
    values: np.ndarray, groups: np.ndarray, resamples: int, seed: int
) -> Interval:
    """Interval of the mean of values, by resampling the groups that they come from.

    Args:
        values: (n,) one for each item.
        groups: (n,) the sampled unit of each item, a topic, say.
        resamples: bootstrap samples.
        seed: of the resampling.
    """
    names, index = np.unique(groups, return_inverse=True)
    sums = np.bincount(index, values, len(names))
    sizes = np.bincount(index, minlength=len(names))
    generator = np.random.default_rng(seed)
    draws = generator.integers(len(names), size=(resamples, len(names)))
    return percentile_interval(sums[draws].sum(1) / sizes[draws].sum(1))


def side_of(null: Interval, intervals: Iterable[Interval]) -> int:
    """Where a number lies: 1 if all its intervals are above the null, -1 if all are
    below, 0 if any reaches it.
    """
    intervals = list(intervals)
    if all(interval.low > null.high for interval in intervals):
        return 1
    return -1 if all(interval.high < null.low for interval in intervals) else 0


def verdict(ours: float, side: int, null_centre: float, paper: float | None) -> str:
    """What a number says about the paper's, in one of the five words of the scoreboard.

    `replicated`: the paper's direction, clear of the null, at least half the paper's
    size; `partly`: the same but smaller; `opposite`: clear of the null, but not in the
    paper's direction; `not replicated`: an interval reaches the null; `new`: the paper
    has no number. Sizes and directions are counted from the null's centre; a paper's
    number that equals it has no direction.

    Args:
        ours: the number.
        side: of the null, see `side_of`; both the recentred and the plain interval
            must be clear of it.
        null_centre: the control's mean value.
        paper: the paper's number.
    """
    if paper is None:
        return "new"
    if not side:
        return "not replicated"
    if side != np.sign(paper - null_centre):
        return "opposite"
    share = (ours - null_centre) / (paper - null_centre)
    return "replicated" if share >= 0.5 else "partly"
