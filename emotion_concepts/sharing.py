"""Which beginnings the prompts of a batch share, so that each is computed once.

Two prompts share a beginning where they have the same tokens and the same steering at
them. All prompts of a batch may share a head; groups of them may share more. Groups are
formed where they spare work, and not deeper: a second level costs one more pass.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

# A group costs some work of its own at every step, about as much as so many tokens.
GROUP_COST = 4


@dataclass(frozen=True)
class Sharing:
    """How the prompts of a batch share their beginnings.

    Attributes:
        order: (prompts,) their places in an order in which groups stand together.
        head: tokens that all of them share.
        groups: in that order, prompts [first, last) and the tokens that these share,
            the head included.
    """

    order: list[int]
    head: int
    groups: list[tuple[int, int, int]]


def share(keys: list[np.ndarray], own: list[int]) -> Sharing:
    """Find the groups that cost the fewest tokens.

    Args:
        keys: of each prompt, one number for each token; equal numbers share their work.
        own: how many tokens at the end of each prompt it must keep for itself (at least
            one).

    Returns:
        The cheapest sharing; one group, in the order given, if no other is cheaper.
    """
    room = [len(key) - kept for key, kept in zip(keys, own, strict=True)]
    order = sorted(range(len(keys)), key=lambda i: keys[i].tolist())
    common = [
        min(_common(keys[a], keys[b]), room[a], room[b]) for a, b in pairwise(order)
    ]
    head = min(common, default=room[0])
    one = Sharing(list(range(len(keys))), head, [(0, len(keys), head)])
    best, least = one, _cost(one, keys)
    for depth in sorted(set(common) - {head}):
        ends = [i + 1 for i, c in enumerate(common) if c < depth] + [len(keys)]
        groups = [
            (first, last, min(common[first : last - 1], default=room[order[first]]))
            for first, last in zip([0, *ends], ends, strict=False)
        ]
        sharing = Sharing(order, head, groups)
        cost = _cost(sharing, keys)
        if cost < least:
            best, least = sharing, cost
    return best


def _common(a: np.ndarray, b: np.ndarray) -> int:
    """Number of leading entries that are equal."""
    short = min(len(a), len(b))
    different = np.flatnonzero(a[:short] != b[:short])
    return int(different[0]) if len(different) else short


def _cost(sharing: Sharing, keys: list[np.ndarray]) -> int:
    """Tokens to compute, padding included, and what the groups cost besides."""
    own = max(
        len(keys[sharing.order[row]]) - length
        for first, last, length in sharing.groups
        for row in range(first, last)
    )
    longer = [length - sharing.head for _, _, length in sharing.groups]
    between = len(longer) * max(longer)
    groups = len(longer) * GROUP_COST if len(longer) > 1 else 0
    return sharing.head + between + groups + own * len(keys)
