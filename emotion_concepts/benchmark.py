"""How fast the engine is beside its peers, on the same work in the same run.

Rounds alternate between us and every peer, so that what else happens on the machine
meets all alike; a ratio is that of the median rates, its interval a bootstrap over the
rounds. Every peer works at the batch size that is fastest for it.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import partial

import numpy as np
import torch
from torch.profiler import ProfilerActivity, profile
from torch.utils.flop_counter import FlopCounterMode

from emotion_concepts.statistics import percentile_interval

# How much of a work was done: given the items and the batch size.
Peer = Callable[[list, int], float]
SAMPLES = 10_000
TOP = 25  # operations in a profile's table


@dataclass(frozen=True)
class Contest:
    """One work, as we do it and as its peers do.

    Attributes:
        unit: what is counted.
        target: the ratio that is wanted.
        ours: does all of the work; returns how many units that was.
        peers: by name.
        items: what a peer is given.
        sizes: the batch sizes that are tried for a peer.
        trial: items that a batch size is tried on, one whole batch at least.
        shares: a round gives a peer one of so many equal parts of the items, in turn.
        notes: what else to keep beside the timings.
    """

    unit: str
    target: float
    ours: Callable[[], float]
    peers: dict[str, Peer]
    items: list
    sizes: list[int]
    trial: int = 0
    shares: int = 1
    notes: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Run:
    """Units done, and the seconds that took."""

    units: float
    seconds: float

    @property
    def rate(self) -> float:
        """Units in a second."""
        return self.units / self.seconds


def hold(contest: Contest, rounds: int) -> tuple[dict[str, object], dict[str, str]]:
    """Hold a contest.

    Args:
        contest: the work.
        rounds: how often everybody does it.

    Returns:
        All timings and counts, and by name a profile of everybody as text.
    """
    # These are the warm-up too.
    arithmetic, profiles = {}, {}
    arithmetic["ours"], profiles["ours"] = inspect(contest.ours)
    tried = {name: _tried(contest, peer) for name, peer in contest.peers.items()}
    best = {
        name: max(contest.sizes, key=lambda size: runs[size].rate if runs else 0)
        for name, runs in tried.items()
    }
    with _free():
        for name, peer in contest.peers.items():
            some = contest.items[: best[name]]
            work = partial(peer, some, best[name])
            arithmetic[name], profiles[name] = inspect(work)
    runs: dict[str, list[Run]] = {name: [] for name in ("ours", *contest.peers)}
    for number in range(rounds):
        runs["ours"].append(timed(contest.ours))
        for name, peer in contest.peers.items():
            with _free():
                run = timed(partial(peer, _part(contest, number), best[name]))
            runs[name].append(run)
    record = {
        "unit": contest.unit,
        "target": contest.target,
        "threads": torch.get_num_threads(),
        "rates": {name: median_rate(some) for name, some in runs.items()},
        "batch_size": best,
        "tried": {
            name: {str(size): run.rate for size, run in some.items()}
            for name, some in tried.items()
        },
        "flops_per_unit": arithmetic,
        "runs": {name: [asdict(run) for run in some] for name, some in runs.items()},
    }
    return record | contest.notes, profiles


def entries(work: str, record: dict) -> list[dict[str, object]]:
    """The summary's entries of a contest, one for each peer."""
    runs = {name: [Run(**run) for run in some] for name, some in record["runs"].items()}
    made = []
    for peer in record["batch_size"]:
        value, low, high = ratio(runs["ours"], runs[peer])
        made.append(
            {
                "work": work,
                "peer": peer,
                "ratio": value,
                "ratio_low": low,
                "ratio_high": high,
                "target": record["target"],
            }
        )
    return made


def ratio(ours: list[Run], theirs: list[Run]) -> tuple[float, float, float]:
    """Ratio of the median rates, and its interval over the rounds."""
    rates = np.array([[run.rate for run in some] for some in (ours, theirs)])
    drawn = np.random.default_rng(0).integers(
        rates.shape[1], size=(SAMPLES, rates.shape[1])
    )
    medians = np.median(rates[:, drawn], axis=2)
    low, high = percentile_interval(medians[0] / medians[1])
    first, second = np.median(rates, axis=1)
    return float(first / second), float(low), float(high)


def median_rate(runs: list[Run]) -> float:
    """The median of the rates."""
    return float(np.median([run.rate for run in runs]))


def timed(work: Callable[[], float]) -> Run:
    """One run; what a GPU still has to do counts."""
    start = time.perf_counter()
    units = work()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return Run(units, time.perf_counter() - start)


def inspect(work: Callable[[], float]) -> tuple[float, str]:
    """Floating-point operations of matrix products for each unit, and a profile."""
    with FlopCounterMode(display=False) as counter:
        units = work()
    kinds = [ProfilerActivity.CPU]
    if torch.cuda.is_available():
        kinds.append(ProfilerActivity.CUDA)
    with profile(activities=kinds) as seen:
        work()
    order = f"self_{'cuda' if len(kinds) > 1 else 'cpu'}_time_total"
    table = seen.key_averages().table(
        sort_by=order, row_limit=TOP, max_name_column_width=50
    )
    return counter.get_total_flops() / units, table


def _tried(contest: Contest, peer: Peer) -> dict[int, Run]:
    """A run of a peer at every batch size that there is to choose from; the first one
    twice, to warm up.
    """
    if len(contest.sizes) == 1:
        return {}
    with _free():
        peer(contest.items[: min(contest.sizes)], min(contest.sizes))
        return {
            size: timed(partial(peer, contest.items[: max(size, contest.trial)], size))
            for size in contest.sizes
        }


def _part(contest: Contest, number: int) -> list:
    """What a peer is given in a round."""
    length = len(contest.items) // contest.shares
    start = number % contest.shares * length
    return contest.items[start : start + length]


@contextmanager
def _free() -> Iterator[None]:
    """Let peers choose their algorithms; the engine asks for reproducible ones."""
    ours = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(False)
    try:
        with torch.no_grad():
            yield
    finally:
        torch.use_deterministic_algorithms(ours, warn_only=True)
