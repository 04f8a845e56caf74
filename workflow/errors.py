"""The one error of a config or stimulus file, and the words that such errors share."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any


class ConfigError(Exception):
    """A config or stimulus file that cannot be run, in one line for its author."""

    def __init__(self, message: str) -> None:
        # Keys and YAML's own words may hold line breaks.
        super().__init__(" ".join(message.split()))


def nearest(word: Any, known: Iterable[str]) -> str:
    """The end of a sentence that asks for the nearest known word, if one is near."""
    near = get_close_matches(str(word).lower(), list(known), n=1)
    return f"; did you mean {near[0]}?" if near else ""


def check_known(word: Any, known: Iterable[str], place: str, path: str) -> None:
    """Refuse a word that is not among those of a file.

    Args:
        word: what is given.
        known: what the file holds.
        place: where the word stands.
        path: the file.

    Raises:
        ConfigError: with the nearest word, if one is near.
    """
    if word not in known:
        raise ConfigError(f"{place}: {word!r} is not in {path}{nearest(word, known)}")


def listed(words: Iterable[Any]) -> str:
    """`one, two and three`."""
    *most, last = [str(word) for word in words] or [""]
    return f"{', '.join(most)} and {last}" if most else last


def shown(value: Any) -> str:
    """A value as its author would know it again, in one short line."""
    if isinstance(value, str):
        return repr(value if len(value) <= 60 else value[:57] + "...")
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | dict):
        kind = "list" if isinstance(value, list) else "mapping"
        return f"a{'' if value else 'n empty'} {kind}"
    return "nothing" if value is None else str(value)
