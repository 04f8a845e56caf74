"""Passages to read along: of a file that the user names, or of the study's own
stories.
"""

import heapq
import json
from collections.abc import Iterator
from pathlib import Path

from emotion_concepts.errors import StudyError
from emotion_concepts.store import Record, seed_of


def read_passages(path: Path, count: int) -> list[Record]:
    """Passages drawn from a file, the same ones every time.

    The file is read line by line, so its size does not matter.

    Args:
        path: `.txt` with one passage a paragraph, or `.jsonl` with `text` on each line.
        count: how many are drawn.

    Returns:
        Records of `key` and `text`.

    Raises:
        StudyError: a line is not of that form, or there is no passage at all.
    """
    passages = _paragraphs(path) if path.suffix == ".txt" else _lines(path)
    drawn = heapq.nsmallest(count, ((seed_of(t), n, t) for n, t in enumerate(passages)))
    if not drawn:
        raise StudyError(f"{path}: there is no passage in it")
    return [{"key": f"{path.name}/{number + 1}", "text": t} for _, number, t in drawn]


def draw_stories(
    stories: list[Record], emotions: list[str], count: int
) -> list[Record]:
    """Kept stories of these emotions, as many of each as possible, `count` at most."""
    each = max(1, count // max(1, len(emotions)))
    return [
        {name: story[name] for name in ("key", "text", "emotion")}
        for emotion in emotions
        for story in heapq.nsmallest(
            each,
            (s for s in stories if s["emotion"] == emotion and not s["dropped"]),
            key=lambda story: seed_of(story["key"]),
        )
    ]


def _paragraphs(path: Path) -> Iterator[str]:
    lines: list[str] = []
    with path.open(encoding="utf-8", errors="replace") as file:
        for line in file:
            if line.strip():
                lines.append(line.strip())
            elif lines:
                yield " ".join(lines)
                lines = []
    if lines:
        yield " ".join(lines)


def _lines(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8", errors="replace") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                text = json.loads(line)["text"].strip()
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                problem = 'must be an object with a "text"'
                raise StudyError(f"{path}: line {number}: {problem}") from error
            if text:
                yield text
