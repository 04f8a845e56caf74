"""Behaviours in words: no rate without interval, nothing claimed that was not read."""

import re

import pytest
from made_up_behaviours import behaviours
from test_figures_behaviours import VARIANTS

from emotion_concepts.report_behaviours import described_behaviour, stated

NUMBER = r"[−+]?\d+\.\d+"
RATE = re.compile(rf"{NUMBER} \({NUMBER} to {NUMBER}; n = \d+\)")
NOTHING = {"–", "not measured", "none (n = 0)"}


def plain(text: str) -> str:
    return text.replace("\N{NO-BREAK SPACE}", " ")


def all_said(told: dict) -> str:
    return " ".join([told["setting"], *told["headlines"], *told["trust"]])


@pytest.mark.parametrize("name", VARIANTS)
def test_no_rate_stands_without_its_interval(name: str) -> None:
    for found in map(VARIANTS[name], behaviours()):
        told = described_behaviour(found)
        for _, rows in told["tables"]:
            for row in rows:
                for key in ("choice", "rollout", "by_choice", "by_rollout", "coherent"):
                    assert plain(row[key]) in NOTHING or RATE.fullmatch(plain(row[key]))
        text = all_said(told)
        left = RATE.sub("", plain(text))
        # What is left: strengths, probabilities of answering, power, and kappa.
        left = re.sub(r"[±+−]0\.05|(rates|probability) of \d\.\d+", "", left)
        left = re.sub(r"least of any condition is \d\.\d+|kappa.*?n = \d+", "", left)
        left = re.sub(r"its kappa is below 0.6", "", left)
        assert not re.search(NUMBER, left), left
        assert "nan" not in text
        assert "None" not in text


def test_the_planted_effect_is_told_and_what_reaches_zero_is_named() -> None:
    blackmail, _, sycophancy = map(described_behaviour, behaviours())
    said = plain(" ".join(blackmail["headlines"]))
    assert "desperate +0.05: 0.200 (0.130 to 0.270; n = 6)" in said
    assert "calm +0.05: −0.200 (−0.270 to −0.130; n = 6)" in said
    assert "By choice" in said
    assert "In rollouts" in said
    said = plain(" ".join(sycophancy["headlines"]))
    assert "the intervals of sad −0.05 and sad +0.05 reach zero" in said
    assert "no emotion differs from random directions in harshness" in said


def test_power_coherence_and_grader_are_said() -> None:
    said = plain(" ".join(described_behaviour(behaviours()[0])["trust"]))
    assert "0.95 (0.88 to 0.98; n = 80) of the replies are coherent" in said
    assert "could be graded" in said
    assert "only a difference of rates of 0.29 or more" in said
    assert "rules: kappa 0.84 (0.70 to 0.95; n = 60)" in said
    assert "precision 0.90" in said


def test_an_untrusted_grader_gives_no_rate_but_its_reason() -> None:
    told = described_behaviour(VARIANTS["untrusted"](behaviours()[2]))
    for row in told["readings"]:
        assert row["rollout"] == "not measured"
        assert row["grader"].startswith("not measured: its kappa is below 0.6")
    assert "In rollouts, sycophancy could not be set against" in told["headlines"][1]
    assert "its kappa is below 0.6" in told["headlines"][1]


def test_without_rollouts_nothing_is_said_of_them() -> None:
    told = described_behaviour(VARIANTS["no rollouts"](behaviours()[0]))
    text = all_said(told)
    assert "No rollouts were asked for" in text
    assert "coherent" not in text
    assert {row["rollout"] for row in told["tables"][0][1]} == {"–"}


def test_a_rate_of_nothing_says_so() -> None:
    assert stated({"k": 0, "n": 0}) == "none (n = 0)"
    assert stated(None) == "not measured"
