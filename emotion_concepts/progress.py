"""How far a step is, told to the one who waits."""

import sys
import time


class Progress:
    """Lines like "stories: 342 of 2052, 1150 tokens/s, 2 min 5 s left", at most one
    every few seconds.
    """

    def __init__(
        self, what: str, total: int, done: int = 0, every: float = 5.0
    ) -> None:
        self.what, self.total, self.done = what, total, done
        self.every, self.start = every, time.monotonic()
        self.told = self.start  # an estimate needs some work to go by
        self.at_start, self.tokens = done, 0
        if done:
            print(f"{what}: {done} of {total} are there already", file=sys.stderr)

    def add(self, items: float, tokens: int = 0) -> None:
        """Say that more items are done, or parts of them, and how many tokens that
        took.
        """
        self.done += items
        self.tokens += tokens
        now = time.monotonic()
        if now - self.told >= self.every or self.done >= self.total:
            self.told = now
            print(self.line(now - self.start), file=sys.stderr, flush=True)

    def line(self, seconds: float) -> str:
        """The line to print after so many seconds of work."""
        new = self.done - self.at_start
        left = (self.total - self.done) * seconds / new if new else 0
        speed = (
            f", {self.tokens / max(seconds, 1e-9):.0f} tokens/s" if self.tokens else ""
        )
        done = f"{self.done:.0f} of {self.total}"
        return f"{self.what}: {done}{speed}, {duration(left)} left"


def duration(seconds: float) -> str:
    """Seconds as "2 min 5 s"."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
