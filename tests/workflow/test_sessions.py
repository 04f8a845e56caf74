"""Scripted sessions whose positions or predictions point at nothing are refused."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from workflow.errors import ConfigError
from workflow.reading import read_yaml
from workflow.sessions import check_sessions

PATH = Path(__file__).parents[2] / "workflow/stimuli/wild.yaml"
PATHS = {"wild": "wild.yaml", "emotions": "emotions.yaml"}
SHIPPED = read_yaml(str(PATH), "wild")
EMOTIONS = {p["emotion"]: {} for s in SHIPPED for p in s["predictions"]}


def first(sessions: list[dict[str, Any]]) -> dict[str, Any]:
    return sessions[0]["predictions"][0]


def ask_last(sessions: list[dict[str, Any]]) -> None:
    sessions[0]["turns"].append({"role": "user", "content": "And now?"})


def read_beyond(sessions: list[dict[str, Any]]) -> None:
    sessions[0]["read"].append({"turn": 4, "position": "assistant"})


def read_another(sessions: list[dict[str, Any]]) -> None:
    sessions[0]["read"].append({"turn": 1, "position": "user_end"})


def misspell(sessions: list[dict[str, Any]]) -> None:
    first(sessions)["emotion"] = "surprise"


def lose_twin(sessions: list[dict[str, Any]]) -> None:
    first(sessions)["than"]["session"] = "attachment_their"


def read_not(sessions: list[dict[str, Any]]) -> None:
    first(sessions)["at"] = {"turn": 1, "position": "assistant"}


def compare_unread(sessions: list[dict[str, Any]]) -> None:
    first(sessions)["than"]["turn"] = 1


def compare_itself(sessions: list[dict[str, Any]]) -> None:
    first(sessions)["than"]["session"] = "missing_attachment"


WRONG = [
    (ask_last, "turns: the last is 'user'; it must be 'assistant'"),
    (read_beyond, "read: turn 4 is not a turn of the assistant"),
    (read_another, "read: turn 1 is not a turn of the user"),
    (misspell, "'surprise' is not in emotions.yaml; did you mean surprised?"),
    (lose_twin, "'attachment_their' is not a session; did you mean"),
    (read_not, "predictions: assistant of turn 1 is not read in missing_attachment"),
    (
        compare_unread,
        "predictions: assistant_start of turn 1 is not read in attachment_there",
    ),
    (compare_itself, "assistant_start of turn 3 is compared with itself"),
]


def test_the_shipped_sessions_hang_together() -> None:
    check_sessions(SHIPPED, EMOTIONS, PATHS)


@pytest.mark.parametrize(("spoil", "said"), WRONG)
def test_what_points_at_nothing_is_refused_in_one_line(
    spoil: Callable[[list[dict[str, Any]]], None], said: str
) -> None:
    # The lists of positions are shared between sessions in the file.
    sessions = [copy.deepcopy(session) for session in SHIPPED]
    spoil(sessions)
    with pytest.raises(ConfigError) as caught:
        check_sessions(sessions, EMOTIONS, PATHS)
    assert str(caught.value).startswith("wild.yaml: entry 1 (missing_attachment): ")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
