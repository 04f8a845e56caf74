"""Spelled-out options in balanced orders: the choice measure of behaviours (3.2-3.4).

A small model prefers a letter, or what stands first, over what an option says. So every
option stands in every place equally often, and the mean over the orders is read.
"""

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
    many (the rotations, then each of them backwards).

    Args:
        count: how many options there are, two or more.

    Returns:
        The orders; `order[place]` is the number of the option in that place.
    """
    even = count % 2 == 0
    row = [i // 2 if i % 2 == 0 else count - 1 - i // 2 for i in range(count)]
    first = row if even else range(count)
    rotations = [tuple((i + s) % count for i in first) for s in range(count)]
    return rotations if even else rotations + [order[::-1] for order in rotations]


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
