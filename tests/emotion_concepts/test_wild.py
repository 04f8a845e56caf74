"""Scripted sessions: what was planted is found, and what was not is not."""

import json
import runpy
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from made_up import wild as made_up_wild

from emotion_concepts.chat import Rendered
from emotion_concepts.conversations import turns
from emotion_concepts.figures_wild import wild as figure_of
from emotion_concepts.findings_wild import of_wild
from emotion_concepts.model import Model
from emotion_concepts.store import read_json, write_json, write_records, write_tensors
from emotion_concepts.vectors import unit
from emotion_concepts.wild import (
    POSITIONS,
    Reading,
    predictions,
    random_values,
    shown_emotions,
    token_strings,
    transcript,
)
from emotion_concepts.wild_budget import (
    budget,
    budget_steps,
    by_words,
    change,
    resampled_changes,
)
from workflow.reading import read_yaml

ROOT = Path(__file__).parents[2]
EMOTIONS = ["happy", "sad", "calm"]
WIDTH = 64
# By turn: two tokens of words, and the last token before them.
TURNS = [
    {"content": [4 * n + 2, 4 * n + 3], "end": [4 * n + 3], "start": [4 * n + 1]}
    for n in range(12)
]
TEXT = Rendered("x" * 48, [0] * 48, [(n, n + 1) for n in range(48)])
START = {"turn": 3, "position": "assistant_start"}
WORDS = {"turn": 3, "position": "assistant"}


def vectors() -> np.ndarray:
    """Three directions at right angles, of different lengths."""
    return np.eye(WIDTH)[:3] * np.array([[0.5], [2.0], [7.0]])


def reading(*planted: tuple[int, int, float]) -> Reading:
    """A session of noise with values planted along axes: (token, axis, value)."""
    stream = np.random.default_rng(0).normal(0, 0.01, (48, WIDTH))
    for token, axis, value in planted:
        stream[token, axis] += value
    return Reading(TEXT, TURNS, stream)


def session(name: str, *predicted: tuple[str, str, dict]) -> dict:
    return {
        "id": name,
        "about": "a session",
        "turns": [
            {"role": ("user", "assistant")[n % 2], "content": f"turn {n}"}
            for n in range(12)
        ],
        "predictions": [
            {
                "emotion": emotion,
                "direction": direction,
                "at": at,
                "than": {"session": "twin", **at},
                "why": "it was planted",
            }
            for emotion, direction, at in predicted
        ],
    }


def test_a_planted_reaction_is_found_where_and_which_way_it_was_planted() -> None:
    one = session(
        "one",
        ("happy", "up", START),
        ("happy", "down", START),
        ("sad", "down", WORDS),
        ("calm", "up", WORDS),
    )
    # The start of turn 3 is token 13, its words are tokens 14 and 15.
    readings = {
        "one": reading((13, 0, 0.3), (14, 1, -0.2), (15, 1, -0.6)),
        "twin": reading(),
    }
    found = predictions([one, session("twin")], readings, EMOTIONS, vectors())
    assert found is not None
    up, down, sad, calm = found["each"]
    assert up["value"] == down["value"] == pytest.approx(0.3)
    assert sad["value"] == pytest.approx(-0.4)
    assert calm["value"] == pytest.approx(0)
    assert [p["right"] for p in found["each"][:3]] == [True, False, True]
    for planted in (up, sad):
        inside = planted["null_low"] <= planted["value"] <= planted["null_high"]
        assert not inside
        assert planted["null_low"] < 0 < planted["null_high"]
        assert planted["above"] == 1
    assert down["above"] == 0
    assert (up["session"], up["at"], up["why"]) == ("one", START, "it was planted")
    right = sum(p["right"] for p in found["each"])
    share = found["share"]
    assert (share["n"], share["value"]) == (4, right / 4)
    assert share["low"] < share["value"] < share["high"]


def test_a_session_may_be_compared_with_its_own_beginning() -> None:
    one = session("one", ("happy", "up", START))
    one["predictions"][0]["than"] = {
        "session": "one",
        "turn": 1,
        "position": "assistant_start",
    }
    readings = {"one": reading((13, 0, 0.5), (5, 0, 0.2))}
    found = predictions([one], readings, EMOTIONS, vectors())
    assert found is not None
    assert found["each"][0]["value"] == pytest.approx(0.3, abs=0.05)


def test_predictions_about_emotions_that_are_not_studied_are_left_out() -> None:
    one = session("one", ("happy", "up", START), ("angry", "up", START))
    readings = {"one": reading(), "twin": reading()}
    found = predictions([one], readings, EMOTIONS, vectors())
    assert found is not None
    assert [p["emotion"] for p in found["each"]] == ["happy"]
    assert predictions([one], readings, EMOTIONS[1:], vectors()[1:]) is None


def test_random_directions_keep_as_much_of_a_difference_as_chance_says() -> None:
    """A unit vector in so many dimensions has a spread of one over their root."""
    rows = np.zeros((3, WIDTH))
    rows[:, 5] = 3.0
    values = random_values(rows, np.array([7, 7, 2]), draws=4000)
    assert values.mean(0) == pytest.approx(np.zeros(3), abs=0.03)
    assert values.std(0) == pytest.approx(np.full(3, 3 / np.sqrt(WIDTH)), rel=0.05)
    # One emotion has one direction in a draw, another has another.
    assert (values[:, 0] == values[:, 1]).all()
    assert abs(np.corrcoef(values[:, 0], values[:, 2])[0, 1]) < 0.1


def test_predictions_that_share_a_probe_are_right_by_chance_together() -> None:
    """Six alike of one probe: all or none, where six of their own are mostly half."""
    spots = [{"turn": 1 + 2 * n, "position": "assistant"} for n in range(6)]
    words = [token for spot in spots for token in TURNS[spot["turn"]]["content"]]
    readings = {"one": reading(*((t, 5, 1.0) for t in words)), "twin": reading()}
    names = [f"feeling {n}" for n in range(6)]
    nulls = {}
    for kind, emotions in (("one", [names[0]] * 6), ("own", names)):
        one = session(
            "one", *((e, "up", s) for e, s in zip(emotions, spots, strict=True))
        )
        found = predictions([one], readings, names, np.eye(WIDTH)[:6])
        assert found is not None
        share = found["share"]
        assert share["null"] == pytest.approx(0.5, abs=0.05)
        nulls[kind] = (share["null_low"], share["null_high"])
    assert nulls["one"] == (0, 1)
    assert 0 < nulls["own"][0] < nulls["own"][1] < 1


def test_the_change_is_the_last_half_less_the_first() -> None:
    curves = np.array([[1.0, 2, 9, 5, 6], [0.0, 0, 9, 0, 0]])
    assert change(curves).tolist() == [4, 0]
    assert change(np.array([1.0, 3])) == 2


def test_the_bootstrap_draws_steps_within_their_half() -> None:
    flat = np.array([[1.0, 1, 1, 5, 5, 5], [0.0, 3, 6, 0, 3, 6]])
    samples = resampled_changes(flat, 500, seed=0)
    assert samples.shape == (500, 2)
    # A half without spread has none in any sample, however steps are drawn.
    assert (samples[:, 0] == 4).all()
    assert samples[:, 1].std() > 1
    assert abs(samples[:, 1].mean()) < 0.3
    odd = np.array([[1.0, 1, 99, 5, 5]])
    assert (resampled_changes(odd, 50, seed=0) == 4).all()


def budget_sessions() -> list[dict]:
    return [session("budget_runs_out"), session("budget_to_spare")]


def test_a_planted_despair_over_the_budget_is_found_and_nothing_else() -> None:
    steps = budget_steps(budget_sessions())
    assert steps == [1, 3, 5, 7, 9, 11]
    # Rises by 0.1 a step at the starts; the words of the turns say nothing.
    planted = [(4 * t + 1, 0, 0.1 * place) for place, t in enumerate(steps)]
    readings = {
        "budget_runs_out": reading(*planted),
        "budget_to_spare": Reading(TEXT, TURNS, reading().stream + 0.001),
    }
    words = np.zeros((3, 6))
    words[0] = [0, 0, 0, 0.2, 0.2, 0.2]
    found = budget(readings, steps, EMOTIONS, vectors(), words, 200)
    happy = found["assistant_start"]["emotions"]["happy"]
    assert happy["change"] == pytest.approx(0.3)
    assert happy["low"] < 0.3 < happy["high"]
    assert happy["low"] > happy["null_high"]
    assert np.diff(happy["curve"]) == pytest.approx(np.full(5, 0.1))
    assert happy["baseline"] == pytest.approx(0.2)
    assert happy["difference"] == pytest.approx(0.1)
    # The words' halves have no spread: pairs differ from the change by a constant.
    assert happy["difference_low"] == pytest.approx(happy["low"] - 0.2)
    sad = found["assistant_start"]["emotions"]["sad"]
    assert sad["change"] == pytest.approx(0)
    of_words = found["assistant"]["emotions"]["happy"]
    assert of_words["change"] == pytest.approx(0)
    band = found["assistant_start"]["band"]
    assert band["low"][-1] < 0 < band["high"][-1] < 0.5
    assert band["high"][-1] > band["high"][1]


@pytest.mark.parametrize("wrong", ["missing", "roles", "too few"])
def test_without_two_like_sessions_there_is_no_budget(wrong: str) -> None:
    out, spare = budget_sessions()
    if wrong == "missing":
        assert budget_steps([out]) is None
        assert budget_steps([spare]) is None
        return
    if wrong == "roles":
        spare["turns"] = spare["turns"][:10]
    else:
        out["turns"] = spare["turns"] = out["turns"][:2]
    assert budget_steps([out, spare]) is None


def test_the_words_alone_see_the_words_of_the_users_turn() -> None:
    out, spare = budget_sessions()
    out["turns"][10]["content"] = "weeping and ruin"
    stories = [
        {"emotion": "happy", "text": "sunshine and picnic"},
        {"emotion": "sad", "text": "weeping in the ruin"},
        {"emotion": "calm", "text": "a quiet lake"},
    ]
    steps = [1, 3, 5, 7, 9, 11]
    found = by_words([out, spare], steps, stories, EMOTIONS, ["sad", "happy"])
    assert found.shape == (2, 6)
    assert found[0, 5] > 0.1
    assert found[1, 5] < 0
    assert found[:, :5] == pytest.approx(np.zeros((2, 5)), abs=1e-9)


def test_the_tokens_of_a_transcript_join_to_its_text() -> None:
    # Trimmed space, a character of two tokens, a token without any, space at the end.
    offsets = [(0, 2), (3, 6), (6, 7), (6, 7), (7, 7), (7, 9)]
    rendered = Rendered("ab cde😢fg \n", [0] * 6, offsets)
    strings = token_strings(rendered)
    assert strings == ["ab", " cde", "😢", "", "", "fg \n"]


def test_a_transcript_has_every_token_and_no_value_at_the_first() -> None:
    one = session("one", ("sad", "up", START))
    read = reading((13, 1, 0.25))
    shown = transcript(one, read, ["sad"], vectors()[1:2])
    assert len(shown["tokens"]) == len(shown["values"]["sad"]) == 48
    assert shown["values"]["sad"][0] is None
    expected = (read.stream @ np.eye(WIDTH)[1])[1:]
    assert shown["values"]["sad"][1:] == pytest.approx(expected, abs=5e-5)
    assert shown["turns"][3] == {"role": "assistant", "first": 14, "last": 15}


def test_a_session_shows_what_was_predicted_of_it_or_by_it() -> None:
    sessions = [
        session("one", ("sad", "up", START), ("angry", "up", START)),
        session("other", ("calm", "up", START)),
        session("twin"),
    ]
    assert shown_emotions(sessions, "one", EMOTIONS) == ["sad"]
    assert shown_emotions(sessions, "twin", EMOTIONS) == ["sad", "calm"]


def test_the_findings_are_the_changes_at_the_assistants_start() -> None:
    found = made_up_wild()
    read = found["budget"]["assistant_start"]["emotions"]["happy"]
    read["change"], read["low"], read["high"] = -0.04, -0.05, -0.03
    rows = of_wild(found)
    assert set(rows) == {"wild.budget_desperate", "wild.budget_happy"}
    happy = rows["wild.budget_happy"]
    assert isinstance(happy, dict)
    assert (happy["ours"], happy["n"], happy["unit"]) == (-0.04, 6, "steps")
    assert happy["clear_of_null"]
    assert (happy["baseline"], happy["difference"]) == (0.01, 0.03)
    desperate = rows["wild.budget_desperate"]
    assert isinstance(desperate, dict)
    assert desperate["ours"] == 0.04


def test_what_was_not_read_has_a_reason_and_the_figure_says_so() -> None:
    found = made_up_wild()
    del found["budget"]["assistant_start"]["emotions"]["happy"]
    assert "happy" in str(of_wild(found)["wild.budget_happy"])
    found |= {"budget": None, "predictions": None}
    for reason in of_wild(found).values():
        assert "not read" in str(reason)
    said = [t.get_text() for axes in figure_of(found, []).axes for t in axes.texts]
    assert len(said) == 2


def test_the_figure_shows_every_prediction_on_the_side_it_fell() -> None:
    found = made_up_wild()
    above = figure_of(found, []).axes[0]
    each = found["predictions"]["each"]
    assert len(above.get_yticks()) == len(each)
    points = [line for line in above.lines if len(line.get_xdata()) == 1]
    for one, point in zip(each, points, strict=True):
        assert (point.get_xdata()[0] > 0) == one["right"]
        filled = point.get_markerfacecolor() != "white"
        assert filled == one["right"]


def test_the_script_reads_what_the_model_holds_at_each_place(
    tmp_path: Path,
    weights: Callable[[str], Path],
    one_model: Model,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The slow reference: each session alone, transformers' own hidden states."""
    sessions = read_yaml(str(ROOT / "workflow/stimuli/wild.yaml"), "wild")
    emotions = ["happy", "desperate", "sad"]
    layers, fixed, norm = [0, 1, 2], 1, 2.5
    directions = np.random.default_rng(0).normal(size=(3, 3, one_model.width))
    write_tensors(
        tmp_path / "vectors.safetensors",
        {"raw": directions, "norm": np.full(3, norm)},
        {
            "model": one_model.identity,
            "emotions": emotions,
            "layers": layers,
            "blocks": 3,
            "fixed_layer": layers[fixed],
            "denoise": "none",
        },
    )
    stories = [
        {"emotion": emotion, "text": f"{emotion} tests pass", "dropped": False}
        for emotion in emotions
    ]
    write_records(tmp_path / "stories.jsonl", stories)
    settings = {
        "focus": ["happy", "desperate"],
        "sessions": sessions,
        "batch_tokens": 2048,
    }
    write_json(tmp_path / "settings.json", settings)
    arguments = {
        "settings": tmp_path / "settings.json",
        "weights": weights("llama"),
        "max-memory": "null",
        "vectors": tmp_path / "vectors.safetensors",
        "stories": tmp_path / "stories.jsonl",
        "out": tmp_path / "wild.json",
        "transcripts": tmp_path / "transcripts.json",
    }
    argv = [word for k, v in arguments.items() for word in (f"--{k}", str(v))]
    monkeypatch.setattr("sys.argv", ["wild.py", *argv])
    runpy.run_path(str(ROOT / "scripts/wild.py"), run_name="__main__")
    found = read_json(tmp_path / "wild.json")
    shown = {s["id"]: s for s in read_json(tmp_path / "transcripts.json")["sessions"]}

    unit_vectors = unit(directions[fixed])
    by_id = {s["id"]: s for s in sessions}

    def probe(name: str, place: dict, emotion: str) -> float:
        rendered, places = turns(one_model.tokenizer, by_id[name]["turns"])
        with torch.no_grad():
            states = one_model.network(
                torch.tensor([rendered.tokens]), output_hidden_states=True
            ).hidden_states[layers[fixed] + 1][0]
        values = states.float().numpy() @ unit_vectors[emotions.index(emotion)] / norm
        tokens = places[place["turn"]][POSITIONS[place["position"]]]
        if emotion in shown[name]["values"]:
            told = shown[name]["values"][emotion][1:]
            assert told == pytest.approx(values[1:], abs=1e-4)
            assert "".join(shown[name]["tokens"]) == rendered.text
        return float(values[tokens].mean())

    each = found["predictions"]["each"]
    wanted = [p for s in sessions for p in s["predictions"] if p["emotion"] in emotions]
    assert len(each) == len(wanted) == found["predictions"]["share"]["n"]
    for one, prediction in zip(each, wanted, strict=True):
        assert one["why"] == prediction["why"]
        than = one["than"]
        value = probe(one["session"], one["at"], one["emotion"])
        value -= probe(than["session"], than, one["emotion"])
        assert one["value"] == pytest.approx(value, abs=1e-4)
        assert one["right"] == ((value > 0) == (one["direction"] == "up"))
    assert found["fixed_layer"] == 1
    last = {"turn": 11, "position": "assistant_start"}
    gap = probe("budget_runs_out", last, "happy")
    gap -= probe("budget_to_spare", last, "happy")
    curve = found["budget"]["assistant_start"]["emotions"]["happy"]["curve"]
    assert curve[-1] == pytest.approx(gap, abs=1e-4)
    assert json.loads(json.dumps(found)) == found
