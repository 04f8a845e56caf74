"""Figures of made-up behaviours: what was planted is drawn, what lacks is said."""

import copy
import warnings
from pathlib import Path

import numpy as np
import pytest
from made_up import CURVES
from made_up_behaviours import behaviours, rate, untrusted, without_rollouts
from matplotlib.figure import Figure
from matplotlib.text import Text

from emotion_concepts.figures import save
from emotion_concepts.figures_behaviours import behaviour
from emotion_concepts.figures_pressure import pressure_probes, rates_of
from emotion_concepts.figures_steered import points


def without_emotions(found: dict) -> dict:
    """Only random directions were steered with, and no probe was read."""
    found = copy.deepcopy(found)
    found["directions"] = [d for d in found["directions"] if d.startswith("random")]
    kept = ["unsteered", *found["directions"]]
    for measure in ("choice", "rollout"):
        part = found[measure]
        part["conditions"] = [c for c in part["conditions"] if c["direction"] in kept]
        part["differences"] = []
    found["probes"] = {"emotions": [], "positions": [], "entries": {}, "against": []}
    return found


def unsteered(found: dict) -> dict:
    """Nothing was steered."""
    found = without_emotions(found)
    found |= {"directions": [], "strengths": []}
    for measure in ("choice", "rollout"):
        found[measure]["conditions"] = found[measure]["conditions"][:1]
    return found


def ungraded(found: dict) -> dict:
    """No reply under steering could be graded, nor is one of them whole."""
    found = copy.deepcopy(found)
    found["rollout"]["differences"] = [
        d | {"value": None, "low": None, "high": None, "n": 0}
        for d in found["rollout"]["differences"]
    ]
    for c in found["rollout"]["conditions"][1:]:
        c["readings"] = {name: rate(0, 0) for name in c["readings"]}
        c |= {"graded": rate(0, 40), "coherent": rate(0, 40), "perplexity": None}
    return found


def one_control(found: dict) -> dict:
    """One strength of one sign only, and one control."""
    found = copy.deepcopy(found)
    found["entries"] = found["entries"][:-1]
    for measure in ("choice", "rollout"):
        part = found[measure]
        for rows in ("conditions", "differences"):
            part[rows] = [row for row in part[rows] if row["strength"] >= 0]
    for row in found["probes"]["against"]:
        row |= dict.fromkeys(("r", "low", "high", "null_low", "null_high"))
    return found


def one_steered(found: dict) -> dict:
    """One entry of each kind is steered, too few for an interval of the choices."""
    found = copy.deepcopy(found)
    found["choice"]["differences"] = []
    for condition in found["choice"]["conditions"]:
        condition["readings"] = dict.fromkeys(condition["readings"])
    return found


VARIANTS = {
    "whole": lambda found: found,
    "no rollouts": without_rollouts,
    "untrusted": untrusted,
    "neither": lambda found: without_rollouts(untrusted(found)),
    "no emotions": without_emotions,
    "unsteered": unsteered,
    "ungraded": ungraded,
    "one control": one_control,
    "one steered": one_steered,
}


def words_of(figure: Figure) -> list[Text]:
    return [text for text in figure.findobj(Text) if text.get_text()]


@pytest.mark.parametrize("name", VARIANTS)
def test_every_behaviour_draws_whatever_is_missing(name: str, tmp_path: Path) -> None:
    results = [VARIANTS[name](found) for found in behaviours()]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        drawn = {found["behaviour"]: behaviour(found, CURVES) for found in results}
        drawn["pressure_probes"] = pressure_probes(results)
        for file, figure in drawn.items():
            save(figure, tmp_path / f"{file}.png")
            for text in words_of(figure):
                assert text.get_fontsize() >= 7, (file, text.get_text())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (without_rollouts, "no rollouts were asked for"),
        (untrusted, "the grader is not trusted"),
        (without_emotions, "no emotion beside"),
        (unsteered, "no emotion beside"),
        (one_steered, "an interval\nneeds two steered inboxes"),
    ],
)
def test_a_panel_says_why_it_is_empty(change: object, said: str) -> None:
    found = change(behaviours()[0])
    shown = " ".join(text.get_text() for text in words_of(behaviour(found, CURVES)))
    assert said in shown


def test_the_planted_effect_stands_beside_random_directions_and_the_paper() -> None:
    found = behaviours()[0]
    figure = behaviour(found, CURVES)
    for axes in figure.axes[:2]:
        lines = [np.column_stack(line.get_data()) for line in axes.lines]
        paper = np.array(CURVES["blackmail"]["desperate"])
        assert any(np.array_equal(line, paper) for line in lines)
        rising = [line for line in lines if line.shape == (3, 2) and line[2, 1] > 0.45]
        assert len(rising) == 1
        told = axes.get_title(loc="left")
        assert "n\N{NO-BREAK SPACE}=" in told or "mean of 6" in told
    names = {text.get_text() for text in words_of(figure)}
    assert names >= {"desperate", "calm", "the paper's rate of that emotion"}


def test_points_pass_through_the_unsteered_model_and_leave_out_what_is_ungraded() -> (
    None
):
    conditions = behaviours()[0]["choice"]["conditions"]
    line = points(conditions, "desperate", "blackmail")
    assert [strength for strength, *_ in line] == [-0.05, 0.0, 0.05]
    bare = ungraded(behaviours()[0])["rollout"]["conditions"]
    assert len(points(bare, "desperate", "blackmail")) == 1


def test_harshness_has_panels_and_curves_of_its_own() -> None:
    figure = behaviour(behaviours()[2], CURVES)
    shown = [axes.get_title(loc="left") for axes in figure.axes]
    assert sum(title.startswith("Harshness") for title in shown) == 3
    assert any("trade-off" in title for title in shown)
    paper = np.array(CURVES["harshness"]["calm"])
    panel = figure.axes[[title.startswith("Harshness by") for title in shown].index(1)]
    assert any(
        np.array_equal(np.column_stack(line.get_data()), paper) for line in panel.lines
    )


def test_no_point_lies_under_the_key_of_whole_rollouts() -> None:
    for found in behaviours():
        figure = behaviour(found, CURVES)
        figure.canvas.draw()
        (panel,) = (a for a in figure.axes if a.get_title("left").startswith("Whole"))
        key = panel.get_legend().get_window_extent()
        assert not key.overlaps(panel.get_window_extent())
        assert figure.bbox.containsx(key.x0)
        assert figure.bbox.containsx(key.x1)


def test_stacked_bars_are_told_apart_without_colour() -> None:
    for found in behaviours():
        bars = behaviour(found, CURVES).axes[-1].containers
        assert len(bars) == len(found["rollout"]["outcomes"])
        assert len({bar.patches[0].get_hatch() for bar in bars}) == len(bars)
        reach = [sum(bar.patches[row].get_width() for bar in bars) for row in range(3)]
        assert np.allclose(reach, 1)


def test_an_entry_s_rate_is_that_of_the_main_reading() -> None:
    found = behaviours()[2]
    rates = rates_of(found, "sycophancy_entry_0")
    option = found["choice"]["entries"]["sycophancy_entry_0"]["probability"]
    assert rates["choice"][0] == option["sycophantic"]
    assert rates["rollout"][1] < rates["rollout"][0] < rates["rollout"][2]
    assert "choice" not in rates_of(found, "sycophancy_entry_25")  # a true belief


def test_the_paper_s_curves_are_in_order_and_each_emotion_has_one() -> None:
    assert set(CURVES) == {"blackmail", "reward_hacking", "sycophancy", "harshness"}
    for vectors in CURVES.values():
        for line in vectors.values():
            strengths = [strength for strength, _ in line]
            assert strengths == sorted(set(strengths))
            assert all(0 <= value <= 1 for _, value in line)
    assert dict(CURVES["blackmail"]["desperate"])[0.05] == 0.443  # of Figure 28
