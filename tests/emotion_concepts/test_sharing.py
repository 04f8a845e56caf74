"""What prompts share, and that it is worth it."""

import numpy as np
import pytest

from emotion_concepts.sharing import Sharing, share


def keys(*texts: str) -> list[np.ndarray]:
    """One number for each letter."""
    return [np.array([ord(letter) for letter in text]) for text in texts]


@pytest.mark.parametrize(
    ("texts", "head"),
    [
        (("abc", "abd"), 2),
        (("abc", "abc"), 2),
        (("ab", "abc"), 1),
        (("e", "abc"), 0),
        (("abc",), 2),
    ],
)
def test_a_head_leaves_every_prompt_a_token_of_its_own(
    texts: tuple[str, ...], head: int
) -> None:
    sharing = share(keys(*texts), [1] * len(texts))
    whole = Sharing(list(range(len(texts))), head, [(0, len(texts), head)])
    assert sharing == whole


def test_prompts_that_share_more_are_grouped_and_keep_their_head() -> None:
    texts = [h + m * 20 + t for t in "123456" for h, m in (("aa", "b"), ("aa", "c"))]
    sharing = share(keys(*texts), [1] * 12)
    assert sharing.head == 2
    assert sharing.groups == [(0, 6, 22), (6, 12, 22)]
    ordered = [texts[place] for place in sharing.order]
    assert ordered == sorted(texts)


def test_groups_that_would_cost_more_than_they_spare_are_not_made() -> None:
    texts = [f"head{middle}{end}" for middle in "abcdef" for end in "12"]
    assert len(share(keys(*texts), [1] * 12).groups) == 1


def test_what_must_be_kept_is_never_shared() -> None:
    long = "a" * 50
    sharing = share(keys(long, long, long[:30] + "b" * 20), [1, 40, 1])
    for first, last, length in sharing.groups:
        for row in sharing.order[first:last]:
            assert length <= 50 - [1, 40, 1][row]


def test_every_prompt_begins_with_what_its_group_shares() -> None:
    generator = np.random.default_rng(0)
    for _ in range(200):
        count = int(generator.integers(1, 12))
        prompts = [
            generator.integers(0, 2, size=generator.integers(1, 30))
            for _ in range(count)
        ]
        own = [int(generator.integers(1, len(p) + 1)) for p in prompts]
        sharing = share(prompts, own)
        assert sorted(sharing.order) == list(range(count))
        ends = [0]
        for first, last, length in sharing.groups:
            assert first == ends[-1] < last
            ends.append(last)
            assert length >= sharing.head
            rows = sharing.order[first:last]
            begins = {tuple(prompts[row][:length]) for row in rows}
            assert len(begins) == 1
            assert all(length <= len(prompts[row]) - own[row] for row in rows)
        assert ends[-1] == count
