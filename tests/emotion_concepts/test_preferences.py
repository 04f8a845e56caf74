"""Preferences: the pairs, the ranking, the steered halves, and planted answers."""

from collections import Counter

import numpy as np
import pytest
from made_up import preferences
from tiny import tiny_tokenizer

from emotion_concepts.directions import Directions
from emotion_concepts.model import Model
from emotion_concepts.preference_findings import of_preferences
from emotion_concepts.preference_steering import (
    answered,
    probes_against_changes,
    steered_changes,
)
from emotion_concepts.preferences import (
    Condition,
    between_orders,
    chooser,
    conditions,
    elo,
    halves,
    pair_items,
    position_bias,
    soft_wins,
    split_half,
    steered_items,
)
from emotion_concepts.steering import Steering
from emotion_concepts.store import Record

PROMPT = "Would you prefer (A) {first} or (B) {second}?"
CATEGORIES = ["kind", "dull", "bad"]
WORDS = ["walking", "reading", "singing", "sorting", "washing", "lying"]
WORDS += ["mending", "cooking", "counting"]
ACTIVITIES = [
    {"id": word, "category": CATEGORIES[i % 3], "activity": f"{word} with a friend"}
    for i, word in enumerate(WORDS)
]
IDS = [activity["id"] for activity in ACTIVITIES]
STRENGTHS = np.linspace(-1.5, 1.5, len(IDS))


def answer(items: list[Record], worth: dict[str, float], bias: float) -> list[Record]:
    """What a model would say that judges by worth and likes the first place."""
    return [
        item
        | {
            "log_probability": [
                worth[item["first"]] + bias - 5,
                worth[item["second"]] - 5,
            ]
        }
        for item in items
    ]


def asked(bias: float = 0.0, strengths: np.ndarray = STRENGTHS) -> list[Record]:
    """All pairs, answered by planted strengths."""
    worth = dict(zip(IDS, strengths, strict=True))
    return answer(pair_items(ACTIVITIES, PROMPT, "chat", IDS), worth, bias)


def test_every_ordered_pair_is_asked_once_and_shards_part_them() -> None:
    items = pair_items(ACTIVITIES, PROMPT, "chat", IDS)
    pairs = [(item["first"], item["second"]) for item in items]
    assert len(pairs) == len(set(pairs)) == 9 * 8
    parts = [pair_items(ACTIVITIES, PROMPT, "chat", [i]) for i in IDS]
    assert [item for part in parts for item in part] == items
    assert len({str(item["key"]) for item in items}) == len(items)


def test_a_planted_ranking_comes_out_on_the_elo_scale_without_the_position() -> None:
    for bias in (0.0, 2.0):
        ratings = elo(soft_wins(asked(bias), IDS))
        assert ratings.mean() == pytest.approx(1500)
        assert np.corrcoef(ratings, STRENGTHS)[0, 1] > 0.999
    exact = (STRENGTHS - STRENGTHS.mean()) * 400 / np.log(10) + 1500
    np.testing.assert_allclose(elo(soft_wins(asked(), IDS)), exact, atol=1)


def test_a_liking_for_the_first_place_is_reported() -> None:
    assert position_bias(asked()).mean() == pytest.approx(0.5)
    flat = np.zeros(len(IDS))
    expected = 1 / (1 + np.exp(-2.0))
    assert position_bias(asked(2.0, flat)) == pytest.approx([expected] * 36)


def test_a_determined_ranking_is_reliable_and_a_random_one_is_not() -> None:
    sure = split_half(soft_wins(asked(), IDS), 40, seed=0)
    generator = np.random.default_rng(0)
    noise = [
        record | {"log_probability": list(generator.normal(size=2))}
        for record in asked()
    ]
    unsure = split_half(soft_wins(noise, IDS), 40, seed=0)
    assert np.median(sure) > 0.95
    assert np.median(unsure) < 0.5


def test_the_orders_agree_where_the_place_does_not_decide() -> None:
    assert np.median(between_orders(asked(), IDS, 40, seed=0)) > 0.99
    # A liking for the first place disturbs, but does not turn the ranking round.
    assert np.median(between_orders(asked(1.0), IDS, 40, seed=0)) > 0.5
    flat = between_orders(asked(2.0, np.zeros(len(IDS))), IDS, 40, seed=0)
    assert np.median(flat) < 0


def test_halves_part_every_category_and_steer_every_activity_once() -> None:
    one, two = halves(ACTIVITIES)
    assert one | two == set(IDS)
    assert not one & two
    category = {a["id"]: a["category"] for a in ACTIVITIES}
    for half in (one, two):
        assert set(Counter(category[i] for i in half).values()) <= {1, 2}
    assert abs(len(one) - len(two)) == 1
    condition = Condition("happy", 0.5, (1, 2))
    items = steered_items(ACTIVITIES, PROMPT, condition)
    for half, ids in enumerate((one, two)):
        mine = [item for item in items if item["half"] == half]
        assert all(set(item["steered"]) <= ids for item in mine)
        assert all(item["steered"] for item in mine)
        without = len(IDS) - len(ids)
        assert len(mine) == 9 * 8 - without * (without - 1)


def test_the_steered_tokens_are_those_of_the_steered_activities(
    one_model: Model,
) -> None:
    choose = chooser(one_model, ACTIVITIES, PROMPT)
    pushed = Steering((0,), np.ones((1, one_model.width)))
    for form in ("chat", "plain"):
        item = {"form": form, "first": "walking", "second": "lying"}
        prompt, options = choose(item, pushed)
        assert prompt.at == ()
        prompt, _ = choose(item | {"steered": ["lying"]}, pushed)
        text = tiny_tokenizer().decode([prompt.tokens[i] for i in prompt.at])
        assert text.strip(" ?") == "lying with a friend"
        both, _ = choose(item | {"steered": ["walking", "lying"]}, pushed)
        assert set(prompt.at) < set(both.at)
        whole = [tiny_tokenizer().decode(prompt.tokens + o) for o in options]
        assert [text[-2:] for text in whole] == ["(A", "(B"]


def test_a_planted_push_comes_out_as_the_change_of_the_steered_activities() -> None:
    """And nothing where nothing was pushed, however the halves differ."""
    push = 0.6
    records = []
    for name, size in (("happy", push), ("random 1", 0.0)):
        condition = Condition(name, 0.5, (1,))
        for item in steered_items(ACTIVITIES, PROMPT, condition):
            worth = dict(zip(IDS, STRENGTHS, strict=True))
            for steered in item["steered"]:
                worth[steered] += size
            records += answer([item], worth, 0.0)
    found = steered_changes(records, asked(), ACTIVITIES, 200)
    pushed, left = found["conditions"]
    expected = push * 400 / np.log(10)
    # The mean of all stays 1500, so a half of four or five in nine moves by its share.
    one, two = (len(half) for half in halves(ACTIVITIES))
    share = (one * (1 - one / 9) + two * (1 - two / 9)) / 9
    assert pushed["mean"] == pytest.approx(expected * share, rel=0.05)
    assert pushed["low"] > 0
    assert left["mean"] == pytest.approx(0, abs=1)
    assert pushed["answered"] == answered(
        [r for r in records if r["direction"] == "happy"]
    )


def test_probes_that_foretell_the_change_correlate_with_it() -> None:
    generator = np.random.default_rng(0)
    names = [f"e{n}" for n in range(12)]
    probe_r = dict(zip(names, np.linspace(-1, 1, 12), strict=True))
    some = {
        name: {"changes": (200 * r + generator.normal(size=9)).tolist()}
        for name, r in probe_r.items()
    }
    some["random 1"] = {"changes": [1e6] * 9}
    found = probes_against_changes(probe_r, some, 200)
    assert found["emotions"] == names
    assert found["r"] > 0.99
    assert np.percentile(np.abs(found["permuted"]), 95) < 0.9
    few = {name: some[name] for name in ("e1", "e2", "random 1")}
    assert probes_against_changes(probe_r, few, 10) is None


def test_extremes_and_random_directions_are_steered_everywhere_else_at_the_last() -> (
    None
):
    directions = Directions(
        ["blissful", "sad"], [2, 5, 8, 11], 12, 2, np.ones((4, 2, 8)), np.ones(4)
    )
    some = conditions(
        directions, ["blissful", "sad", "random 1"], ["blissful"], [0.1, 0.5], 6, 3
    )
    counts = Counter(c.direction for c in some)
    # Of six parts four hold a layer; the third, where all are steered, holds layer 5.
    assert counts == {"blissful": 4 + 3, "sad": 2, "random 1": 4}
    assert {c.layers for c in some if c.direction == "sad"} == {(5,)}
    assert {c.strength for c in some if c.direction == "sad"} == {0.5, -0.5}
    assert len({str(c.key()) for c in some}) == len(some)


def test_every_finding_of_preferences_has_its_null_or_its_reason() -> None:
    found = preferences(["blissful", "hostile", "happy", "sad", "calm", "proud"])
    rows = of_preferences(found)
    random = [
        c["mean"]
        for c in found["steering"]["conditions"]
        if c["direction"].startswith("random") and abs(c["strength"]) == 0.5
    ]
    steered = rows["preference.steer_blissful_elo"]
    assert (steered["null_low"], steered["null_high"]) == (min(random), max(random))
    assert steered["n"] == 16
    probe = rows["preference.hostile_r"]
    assert probe["ours"] == found["probe_r"]["hostile"]
    assert probe["null_high"] == np.percentile(found["random_r"], 97.5)
    assert probe["baseline"] == 0.1
    assert rows["preference.valence_r"]["n"] == 44
    assert rows["preference.steering_r"] == "fewer than three emotions are steered"
    without = of_preferences(preferences(["happy", "sad", "calm", "proud", "shy", "x"]))
    reason = "blissful is not among the study's emotions and preferences.extremes"
    assert without["preference.blissful_r"] == reason
    assert without["preference.steer_blissful_elo"] == reason
