"""What the vectors stand for: planted effects come out, and nothing comes out of
nothing.
"""

from pathlib import Path

import numpy as np
import pytest
import torch
from made_up import FOCUS_WORDS, validation
from tiny import tiny_tokenizer

from emotion_concepts.chat import Rendered
from emotion_concepts.continuations import continuation_items, doses, judged
from emotion_concepts.corpus import draw_stories, read_passages
from emotion_concepts.directions import Directions
from emotion_concepts.errors import StudyError
from emotion_concepts.feeling_words import Asked, word_items, word_record
from emotion_concepts.findings_validation import ROWS, of_validation
from emotion_concepts.implicit import less_words, squares, told
from emotion_concepts.intensities import curves, predicted_signs
from emotion_concepts.lens import tokens_of
from emotion_concepts.model import Model
from emotion_concepts.openings import UNSTEERED, conditions
from emotion_concepts.own_words import is_own, own_word
from emotion_concepts.passages import (
    along,
    best_window,
    emotional,
    on_spans,
    rendered_passages,
    span_effect,
    top_passages,
)
from emotion_concepts.scoring import score
from emotion_concepts.word_changes import changes, word_effects
from emotion_concepts.word_probes import word_probes

GENERATOR = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("token", "own"),
    [(" happy", True), ("Happ", True), ("hap", True), ("ha", False), ("un", False)],
)
def test_a_token_is_the_emotions_own_by_the_written_rule(token: str, own: bool) -> None:
    assert is_own(token, ["happy", "happier", "happiness"]) == own
    assert not is_own(token, ["nervous"])


def test_own_words_in_the_lens_are_counted_against_emotions_dealt_anew() -> None:
    forms = {word: [word] for word in FOCUS_WORDS}
    planted = {word: ["x", f" {word}", "y"] for word in FOCUS_WORDS}
    found = own_word(planted, forms, 200, seed=0)
    assert found["value"] == 12
    assert found["null_high"] < found["low"]
    late = {word: ["a", "b", "c", "d", "e", f" {word}"] for word in FOCUS_WORDS}
    assert own_word(late, forms, 200, seed=0)["value"] == 0


def test_the_lens_shows_the_tokens_that_a_vector_is_unembedded_to(
    model: Model,
) -> None:
    weights = model.network.get_output_embeddings().weight.float()
    wanted = [270, 320, 370]  # merged tokens, which no other is spelled like
    # Far out along a token's own row, less what all rows share.
    vectors = (weights[wanted] - weights.mean(0)).detach().numpy() * 50
    tokenizer = tiny_tokenizer()
    for token, shown in zip(wanted, tokens_of(model, vectors), strict=True):
        assert tokenizer.decode([token]) in shown["top"]
        assert tokenizer.decode([token]) not in shown["bottom"]


def test_planted_messages_are_told_and_random_ones_are_not() -> None:
    labels = np.repeat(np.arange(12), 2)
    rows = squares(labels, 12)
    assert rows.shape == (2, 12)
    assert (labels[rows] == np.arange(12)).all()
    noise = GENERATOR.normal(0, 0.05, (24, 12))
    planted = told(noise + 0.5 * np.eye(12)[labels], rows, 300, seed=0)
    assert planted["probe_own_scenario"]["value"] == 12
    assert planted["scenario_own_probe"]["low"] > 9
    margin = planted["diagonal_margin"]
    assert margin["low"] < 0.5 < margin["high"] + 0.05
    assert margin["low"] > margin["null_high"]
    nothing = told(noise, rows, 300, seed=0)["diagonal_margin"]
    assert nothing["null_low"] < nothing["value"] < nothing["null_high"]


def test_what_probes_know_more_than_words_is_told_in_pairs() -> None:
    labels = np.repeat(np.arange(12), 2)
    rows = squares(labels, 12)
    words = GENERATOR.normal(0, 0.05, (24, 12)) + 0.2 * np.eye(12)[labels]
    found = less_words(words + 0.3 * np.eye(12)[labels], words, rows, 300, seed=0)
    margin = found["diagonal_margin"]
    # The noise is the same on both sides, so a pair differs by what was planted alone.
    assert margin["low"] == pytest.approx(0.3)
    assert margin["high"] == pytest.approx(0.3)
    nothing = less_words(words, words, rows, 300, seed=0)
    assert all(value == 0 for measure in nothing.values() for value in measure.values())


def test_a_probe_that_loves_every_message_is_not_its_own_messages_best() -> None:
    values = np.tile([1.0, 0.0, 0.0], (3, 1))
    values += 0.01 * np.eye(3)[[1, 2, 0]]
    found = told(values, np.array([[0, 1, 2]]), 100, seed=0)
    assert found["scenario_own_probe"]["value"] == 12 / 3
    assert found["probe_own_scenario"]["value"] == 0


def test_the_words_of_the_stories_can_tell_a_message() -> None:
    stories = [
        {"emotion": "angry", "text": "the dog barked at the dog"},
        {"emotion": "calm", "text": "waves and a quiet sea"},
    ]
    messages = ["a dog ran", "the sea was quiet"]
    found = word_probes(stories, ["angry", "calm"], messages)
    assert found.argmax(1).tolist() == [0, 1]


TEMPLATES = [
    {
        "id": f"t{n}",
        "unit": "mg",
        "values": [1, 10, 100, 1000],
        "predictions": {"afraid": "up", "calm": "down"},
    }
    for n in range(6)
]


def readings(message: float, control: float) -> dict[str, np.ndarray]:
    """Probes afraid and calm, that move by so much with each number's place."""
    return {
        f"{t['id']}/{kind}/{value}": np.array([size * place, -size * place])
        for t in TEMPLATES
        for kind, size in (("text", message), ("control", control))
        for place, value in enumerate(t["values"])
    }


def test_predicted_slopes_are_held_against_the_same_numbers_of_something_harmless() -> (
    None
):
    emotions = ["afraid", "calm"]
    found = predicted_signs(curves(TEMPLATES, emotions, readings(1, -1)), 100, 0)
    assert (found["value"], found["null"], found["n"]) == (1, 0, 12)
    both = predicted_signs(curves(TEMPLATES, emotions, readings(1, 1)), 100, 0)
    assert (both["value"], both["null"]) == (1, 1)
    wrong = predicted_signs(curves(TEMPLATES, emotions, readings(-1, 1)), 100, 0)
    assert wrong["value"] == 0
    unforeseen = curves(TEMPLATES, ["sad", "proud"], readings(1, 1))
    assert predicted_signs(unforeseen, 100, 0) is None


def directions(model: Model) -> Directions:
    """Two emotions' vectors at the last but one layer."""
    vectors = np.random.default_rng(1).normal(size=(1, 2, model.width))
    layer = [len(model.blocks) - 2]
    return Directions(
        ["calm", "sad"], layer, len(model.blocks), 0, vectors, np.full(1, 5.0)
    )


OPENINGS = [
    {"id": "bus", "user": "How does she feel?", "start": "She feels"},
    {"id": "home", "user": "Say a word.", "start": "I am"},
]


def test_words_are_scored_beside_what_is_usual_and_unsteered_is_itself(
    one_model: Model,
) -> None:
    asked = Asked(one_model, OPENINGS, directions(one_model))
    steered = conditions(["calm", "sad"], 5, [0.5])
    groups = word_items(OPENINGS, ["calm", "sad"], [(UNSTEERED, 0.0), *steered])
    assert len(groups) == 2
    assert len(groups[0]) == 1 + 2 * 7
    records = []
    for group in groups:
        choices = [asked.choice(item) for item in group]
        scores = score(one_model, *map(list, zip(*choices, strict=True)))
        for item, some in zip(group, scores, strict=True):
            sums = [float(option.sum()) for option in some]
            records.append(word_record(item | {"log_probability": sums}))
    found = changes(records, ["calm", "sad"])
    assert set(found) == {0.0, 0.5, -0.5}
    assert np.allclose(found[0.0]["change"], 0)
    assert np.abs(found[0.5]["change"]).max() > 1e-3
    assert 0 < found[0.0]["usual_mass"][0] <= 1.001
    first = asked.choice(groups[0][1])[0]
    assert first.steering is not None
    assert first.at[-1] == len(first.tokens) - 1


def test_a_planted_push_of_the_own_word_comes_out_and_random_ones_are_the_null() -> (
    None
):
    words = list(FOCUS_WORDS)
    names = [*words, *(f"random {n}" for n in range(1, 6))]
    generator = np.random.default_rng(0)

    def steered(sign: float) -> dict:
        change = generator.normal(0, 0.1, (len(names), 12))
        change[:12] += 3 * sign * np.eye(12)
        return {"directions": names, "change": change}

    effects = word_effects({0.5: steered(1), -0.5: steered(-1)}, words, 0.5, 200)
    assert effects["matching"]["value"] == pytest.approx(3, abs=0.1)
    assert effects["matching"]["low"] > effects["matching"]["null_high"]
    assert effects["matching_minus"]["value"] == pytest.approx(-3, abs=0.1)
    assert effects["other"]["null_low"] < 0.1
    assert abs(effects["other"]["value"]) < 0.1
    assert effects["matching"]["random"] == 10


def test_texts_that_name_the_emotion_are_counted_beside_random_and_broken_ones() -> (
    None
):
    wording = {e: {"forms": [e]} for e in ("calm", "sad")}
    items = continuation_items(
        OPENINGS, conditions(["calm", "sad"], 5, [0.1]), unsteered=3, seed=1
    )
    texts = []
    for item in (item for group in items for item in group):
        named = item["direction"] in wording and item["strength"] > 0
        text = f"all was {item['direction']} then" if named else "a b c d " * 5
        texts.append(item | {"text": text, "ended": "cut", "tokens": 5})
    scored = [
        {"key": [t["key"], t["text"]], "tokens": 4, "log_probability": [-8.0]}
        for t in texts
    ]
    found = {
        d["strength"]: d
        for d in doses(judged(texts, scored, wording), list(wording), 50)
    }
    assert found[0.1]["emotions"]["names"] == 1
    assert found[-0.1]["emotions"]["names"] == 0
    assert found[0.1]["random"]["names"] == 0
    assert found[0.1]["emotions"]["repeats"] == 0
    assert found[-0.1]["emotions"]["repeats"] == 1
    assert found[0.0]["emotions"] is None
    assert found[0.0]["random"]["n"] == 2 * 3
    assert found[0.1]["emotions"]["perplexity"] == pytest.approx(np.exp(2))
    assert len({item["seed"] for group in items for item in group}) == len(texts)


def test_a_probe_that_sits_on_emotional_words_is_told_from_one_that_does_not(
    one_model: Model,
) -> None:
    spans = emotional({"sad": {"forms": ["sad", "sadness"], "synonyms": ["in tears"]}})
    text = "She walked home in tears, and a deep Sadness would not leave her."
    (passage,) = rendered_passages(one_model, [text])
    marked = on_spans(passage, spans)
    covered = "".join(
        passage.text[a:b]
        for (a, b), on in zip(passage.offsets, marked, strict=True)
        if on
    )
    assert "tears" in covered
    assert "Sadness" in covered
    assert "home" not in covered
    values = np.zeros((len(marked), 2))
    values[marked, 0] = 0.5
    values[0] = np.nan
    effect = span_effect(values, 0, marked)
    assert effect["own"] == pytest.approx(0.5)
    assert effect["others"] == 0
    assert span_effect(values, 0, np.zeros(len(marked), bool)) is None


def test_values_along_a_passage_are_cosines_of_its_own_tokens(
    one_model: Model,
) -> None:
    texts = ["How are you today? I am fine, thank you.", "The fox jumps.", "Yes or no."]
    passages = rendered_passages(one_model, texts)
    vectors = np.random.default_rng(0).normal(size=(2, one_model.width))
    together = along(one_model, passages, vectors, 1, 10_000)
    apart = along(one_model, passages, vectors, 1, 1)
    for one, two, passage in zip(together, apart, passages, strict=True):
        assert one.shape == (len(passage.tokens), 2)
        assert np.isnan(one[0]).all()
        assert (np.abs(one[1:]) <= 1).all()
        np.testing.assert_allclose(one, two, atol=1e-4)


def test_the_top_passages_are_those_with_the_highest_stretch() -> None:
    values = np.zeros(60)
    values[0] = np.nan
    values[30:50] = 1.0
    score, start, end = best_window(values)
    assert (score, start, end) == (pytest.approx(1.0), 30, 50)
    records = [{"key": str(n), "emotion": "sad"} for n in range(3)]
    tokens = torch.arange(60).tolist()
    passages = [Rendered("x" * 60, tokens, [(i, i + 1) for i in range(60)])] * 3
    rows = [np.column_stack([values * size, values]) for size in (0.2, 0.9, 0.5)]
    top = top_passages(records, passages, rows, 0)
    assert [entry["key"] for entry in top] == ["1", "2", "0"]
    assert len(top[0]["tokens"]) == len(top[0]["values"]) == 60


def test_a_users_corpus_is_drawn_from_the_same_way_every_time(tmp_path: Path) -> None:
    path = tmp_path / "corpus.txt"
    path.write_text("\n\n".join(f"passage\nnumber {n}" for n in range(30)))
    drawn = read_passages(path, 5)
    assert drawn == read_passages(path, 5)
    assert len({record["text"] for record in drawn}) == 5
    assert all(r["text"].startswith("passage number") for r in drawn)
    lines = tmp_path / "corpus.jsonl"
    lines.write_text('{"text": "one"}\n{"words": "two"}\n')
    with pytest.raises(StudyError, match="line 2"):
        read_passages(lines, 5)
    empty = tmp_path / "empty.txt"
    empty.write_text("\n")
    with pytest.raises(StudyError, match="no passage"):
        read_passages(empty, 5)
    stories = [
        {"key": f"{e}{n}", "text": "t", "emotion": e, "dropped": []}
        for e in ("sad", "calm")
        for n in range(9)
    ]
    some = draw_stories(stories, ["sad", "calm"], 8)
    assert [s["emotion"] for s in some] == ["sad"] * 4 + ["calm"] * 4


def test_every_finding_of_validation_has_its_null_or_its_reason() -> None:
    rows = of_validation(validation())
    assert set(rows) == set(ROWS)
    for row in rows.values():
        assert row["null_low"] <= row["null_high"]
        assert row["n"] > 0
    few = of_validation({"focus": ["sad"]})
    assert all("telling them apart" in reason for reason in few.values())
    without = validation() | {"scenarios": {"reserved": None}}
    assert "do not evoke every" in of_validation(without)["implicit.diagonal_margin"]
