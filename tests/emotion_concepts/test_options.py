"""Options in balanced orders."""

from collections import Counter
from itertools import permutations

import pytest

from emotion_concepts.options import balanced_orders, lettered, reply_choice


@pytest.mark.parametrize("count", range(2, 7))
def test_every_option_stands_equally_often_in_every_place(count: int) -> None:
    orders = balanced_orders(count)
    assert len(orders) == (count if count % 2 == 0 else 2 * count)
    assert len(set(orders)) == len(orders)
    for some in (orders[:count], orders):
        places = Counter((number, at) for o in some for at, number in enumerate(o))
        assert len(places) == count * count
        assert len(set(places.values())) == 1


@pytest.mark.parametrize("count", range(2, 7))
def test_every_option_stands_equally_often_before_every_other(count: int) -> None:
    orders = balanced_orders(count)
    for one, other in permutations(range(count), 2):
        before = sum(order.index(one) < order.index(other) for order in orders)
        assert 2 * before == len(orders)


def test_letters_follow_the_order_shown() -> None:
    assert lettered(["x", "y", "z"], (2, 0, 1)) == "A) z\nB) x\nC) y"


def test_the_question_ends_the_last_turn_and_leaves_the_others_alone() -> None:
    turns = [
        {"role": "user", "content": "One?"},
        {"role": "assistant", "content": "Two."},
        {"role": "user", "content": "Three {not filled}?"},
    ]
    asked = reply_choice(turns, ["yes", "no"], (1, 0))
    assert asked[:2] == turns[:2]
    assert asked[2]["content"].startswith("Three {not filled}?\n")
    assert "A) no\nB) yes" in asked[2]["content"]
    assert turns[2]["content"] == "Three {not filled}?"
