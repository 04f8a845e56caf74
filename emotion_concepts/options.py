"""Spelled-out options in balanced orders: the choice measure of behaviours (3.2-3.4).

A small model prefers a letter, or what stands first, over what an option says. So every
option stands in every place equally often, and the mean over the orders is read.
"""

from collections.abc import Sequence

LETTERS = "ABCDEFGH"
Message = dict[str, str]
ASK = """

---
These are replies that an assistant could give to what I wrote:
{options}
Which one would you give? Answer with its letter only."""


def balanced_orders(count: int) -> list[tuple[int, ...]]:
    """Orders of `count` options in which none is favoured: every option stands in every
    place, and before every other, equally often.

    An even number of options needs `count` orders (the rotations of a row that zigzags
    from both ends, Williams 1949; each is there backwards too), an odd number twice as
    many (the rotations, then each of them backwards). After the first `count` every
    option has stood once in every place.

    Args:
        count: how many options there are, two or more.

    Returns:
        The orders; `order[place]` is the number of the option in that place.
    """
    if count % 2:
        rotations = _rotations(range(count))
        return rotations + [order[::-1] for order in rotations]
    return _rotations(
        [n // 2 if n % 2 == 0 else count - 1 - n // 2 for n in range(count)]
    )


def _rotations(row: Sequence[int]) -> list[tuple[int, ...]]:
    return [tuple((i + s) % len(row) for i in row) for s in range(len(row))]


def lettered(options: list[str], order: tuple[int, ...]) -> str:
    """The options as lines "A) ...", in the order given."""
    rows = zip(LETTERS, order, strict=False)
    return "\n".join(f"{letter}) {options[number]}" for letter, number in rows)


def reply_choice(
    turns: list[Message], replies: list[str], order: tuple[int, ...]
) -> list[Message]:
    """A conversation that ends in the question which reply the assistant would give.

    Args:
        turns: the conversation, the user's turn last.
        replies: what could be replied.
        order: the order that the replies are shown in.

    Returns:
        The messages; the answer is a letter, "A" for the first reply shown.
    """
    last = turns[-1]
    asked = last["content"] + ASK.format(options=lettered(replies, order))
    return [*turns[:-1], {"role": last["role"], "content": asked}]
