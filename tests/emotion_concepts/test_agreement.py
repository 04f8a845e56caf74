"""A grader's agreement is what the definitions say."""

import pytest

from emotion_concepts.agreement import against_rest, agreement
from emotion_concepts.statistics import wilson


def test_kappa_is_cohens() -> None:
    # 20 of 20 and 15 of 30: observed .7, expected .5 (the textbook's example).
    labels = ["yes"] * 25 + ["no"] * 25
    grades = ["yes"] * 20 + ["no"] * 5 + ["yes"] * 10 + ["no"] * 15
    found = agreement(labels, grades, seed=0)
    assert found["kappa"] == pytest.approx(0.4)
    low, high = found["interval"]
    assert low < 0.4 < high
    assert not found["trusted"]
    assert found["confusion"]["yes"] == {"yes": 20, "no": 5}


def test_precision_and_recall_have_wilsons_interval() -> None:
    found = agreement(list("aaab"), list("aabb"), seed=0)["classes"]["a"]
    assert (found["labelled"], found["graded"]) == (3, 2)
    low, high = wilson(2, 3)
    recall = {"k": 2, "n": 3, "rate": 2 / 3, "low": low, "high": high}
    assert found["recall"] == recall
    assert found["precision"]["rate"] == 1


def test_a_class_that_is_never_graded_has_no_precision() -> None:
    found = agreement(list("aab"), list("aaa"), seed=0)["classes"]["b"]
    assert found["precision"] == {"k": 0, "n": 0}
    assert found["recall"]["rate"] == 0


def test_without_variation_there_is_no_kappa_and_no_trust() -> None:
    found = agreement(list("aaa"), list("aaa"), seed=0)
    assert (found["kappa"], found["interval"], found["trusted"]) == (None, None, False)


def test_the_same_seed_gives_the_same_interval() -> None:
    labels, grades = list("aabbab") * 5, list("abbbab") * 5
    assert agreement(labels, grades, 1) == agreement(labels, grades, 1)


def test_lists_that_do_not_match_are_refused() -> None:
    with pytest.raises(ValueError, match="2 labels and 1 grades"):
        agreement(["a", "b"], ["a"], seed=0)
    with pytest.raises(ValueError, match="0 labels"):
        agreement([], [], seed=0)


def test_one_class_against_the_rest() -> None:
    assert against_rest(["a", "b", "c"], "b") == ["other", "b", "other"]
