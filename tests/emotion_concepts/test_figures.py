"""Figures of made-up results: they draw, say what they lack, and repeat."""

import itertools
import warnings
from pathlib import Path

import numpy as np
import pytest
from made_up import RATED, draw, study
from matplotlib.figure import Figure

from emotion_concepts.figures import layer_of, number, ordinal, save
from emotion_concepts.figures_layers import layers
from emotion_concepts.figures_map import FOCUS, LABELS, emotion_map, people
from emotion_concepts.figures_texts import BASELINES, RECIPES, identification


@pytest.mark.parametrize(
    "size",
    [
        {},
        {"rated": 0},
        {"emotions": 3, "layers": 2, "topics": 3, "rated": 0},
        {"emotions": 4, "layers": 2, "topics": 3, "rated": 3},
    ],
    ids=["normal", "no ratings", "tiny", "tiny with ratings"],
)
def test_every_figure_draws_without_warnings(size: dict, tmp_path: Path) -> None:
    results = study(**size)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name, figure in draw(results).items():
            save(figure, tmp_path / f"{name}.png")


def test_panels_say_that_nobody_rated_the_words() -> None:
    results = study(rated=0)
    for figure in (
        people(results["geometry"], results["findings"]),
        layers(results["geometry"], results["bootstrap"], results["permuted"]),
    ):
        for axes in figure.axes:
            assert any("rated" in text.get_text() for text in axes.texts)


@pytest.fixture(scope="module")
def drawn() -> dict:
    return draw(study(emotions=171))


def boxes(figure: Figure) -> list:
    renderer = figure.canvas.get_renderer()
    return [
        (text.get_text(), text.get_window_extent(renderer))
        for axes in figure.axes
        for text in axes.texts
        if text.get_text()
    ]


@pytest.mark.parametrize("name", ["emotion_map", "people", "clusters"])
def test_labels_do_not_overlap(drawn: dict, name: str) -> None:
    labels = boxes(drawn[name])
    assert len(labels) > 10
    for (one, here), (other, there) in itertools.combinations(labels, 2):
        assert not here.overlaps(there), (one, other)


def test_the_map_names_the_focus_emotions_and_a_fair_number_of_others(
    drawn: dict,
) -> None:
    words = {word for word, _ in boxes(drawn["emotion_map"])}
    assert words >= set(FOCUS)
    assert 40 <= len(words) <= LABELS


def test_nothing_is_smaller_than_seven_points(drawn: dict) -> None:
    for name, figure in drawn.items():
        for text in figure.findobj(lambda artist: hasattr(artist, "get_fontsize")):
            if hasattr(text, "get_text") and text.get_text():
                assert text.get_fontsize() >= 7, (name, text.get_text())


def test_pleasant_words_lie_right_whatever_the_component_s_sign() -> None:
    results = study()
    geometry = results["geometry"]
    points = {}
    for sign in (1, -1):
        scores = (sign * np.array(geometry["scores"])).tolist()
        people = geometry["ratings"]["word_list"]
        flipped = {
            k: [sign * r for r in values] for k, values in people["components"].items()
        }
        turned = geometry | {
            "scores": scores,
            "ratings": {"word_list": people | {"components": flipped}},
        }
        figure = emotion_map(turned, results["findings"])
        points[sign] = figure.axes[0].collections[1].get_offsets()
    assert np.allclose(points[1], points[-1])


def test_two_runs_give_the_same_bytes(tmp_path: Path) -> None:
    results = study(emotions=RATED)
    for run in ("one", "two"):
        for name, figure in draw(results).items():
            for kind in ("svg", "png"):
                save(figure, tmp_path / run / f"{name}.{kind}")
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


def test_identification_shows_every_recipe_and_fills_the_chosen_one() -> None:
    result = study()["identification"] | {"kind": "neutral"}
    axes = identification(result).axes[0]
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert set(labels) == {"chance", *RECIPES.values(), *BASELINES.values()}
    filled = [
        labels[int(line.get_ydata()[0])]
        for line in axes.lines
        if line.get_marker() in ("o", "s") and line.get_markerfacecolor() != "white"
    ]
    assert filled == [RECIPES["neutral"]]


def test_figures_draw_where_there_are_no_baselines_and_few_ratings(
    tmp_path: Path,
) -> None:
    results = study(emotions=20, rated=5)
    results["identification"] |= {"baselines": {}, "probe_minus": {}}
    results["geometry"]["text_baseline"] = None
    results["bootstrap"].pop("words")
    for name, figure in draw(results).items():
        save(figure, tmp_path / f"{name}.png")


def test_a_layer_says_that_layers_count_from_nought() -> None:
    assert layer_of({"fixed_layer": 19, "blocks": 30}) == "layer 19 (the 20th of 30)"
    assert [ordinal(n) for n in (1, 2, 3, 4, 11, 12, 13, 21, 102, 111)] == [
        *("1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st"),
        *("102nd", "111th"),
    ]


def test_numbers_have_a_true_minus_sign_and_no_negative_zero() -> None:
    assert number(-0.456) == "−0.46"
    assert number(-0.001) == "0.00"
    assert number(float("nan")) == "–"
