"""What the one who waits is told."""

import pytest

from emotion_concepts.progress import Progress, duration


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (59.4, "59 s"), (125, "2 min 5 s"), (7260, "2 h 1 min")],
)
def test_durations_read_as_people_say_them(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_the_time_left_is_estimated_from_new_work_alone() -> None:
    progress = Progress("stories", 100, done=50, every=1e9)
    progress.add(25, tokens=1000)
    line = progress.line(50.0)
    assert line == "stories: 75 of 100, 20 tokens/s, 50 s left"


def test_the_end_is_always_told(capsys: pytest.CaptureFixture) -> None:
    progress = Progress("stories", 2, every=1e9)
    progress.add(1)
    assert capsys.readouterr().err == ""
    progress.add(1)
    assert capsys.readouterr().err == "stories: 2 of 2, 0 s left\n"


def test_what_is_there_already_is_told_first(capsys: pytest.CaptureFixture) -> None:
    Progress("stories", 9, done=4)
    assert capsys.readouterr().err == "stories: 4 of 9 are there already\n"
