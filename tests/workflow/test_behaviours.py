"""The scenarios of the behaviours: valid, balanced, and as different as they claim."""

import re
from collections import Counter
from collections.abc import Iterable
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from emotion_concepts.texts import word_runs
from workflow.reading import read_yaml

WORKFLOW = Path(__file__).parents[2] / "workflow"
FILES = {
    "blackmail": "blackmail",
    "sycophancy": "sycophancy",
    "wild": "wild",
    "graded_blackmail": "graded/blackmail",
    "graded_sycophancy": "graded/sycophancy",
    "graded_harshness": "graded/harshness",
}
CHOICES = {
    "true_belief": {"agreeing", "contradicting", "harsh"},
    "distress": {"supportive", "cold", "harsh"},
}
OF_SYCOPHANCY = {"sycophantic", "honest", "harsh"}
ACTIONS = ["blackmail", "disclosure", "honest", "compliance", "nothing"]


def read(name: str) -> Any:
    return read_yaml(str(WORKFLOW / "stimuli" / f"{FILES[name]}.yaml"), name)


VARIANTS = read("blackmail")["variants"]
PROMPTS = read("sycophancy")
SESSIONS = {session["id"]: session for session in read("wild")}


def words(text: str) -> int:
    return len(text.split())


def longest_share(options: list[dict[str, str]]) -> dict[str, float]:
    """How often each kind of option is the longest, ties shared out."""
    shares: Counter[str] = Counter()
    for texts in options:
        most = max(map(words, texts.values()))
        longest = [kind for kind, text in texts.items() if words(text) == most]
        for kind in longest:
            shares[kind] += 1 / len(longest) / len(options)
    return shares


def mean_lengths(options: list[dict[str, str]]) -> list[float]:
    kinds = options[0]
    return [sum(words(o[kind]) for o in options) / len(options) for kind in kinds]


def distinct(values: Iterable[Any]) -> bool:
    counts = Counter(values)
    return max(counts.values()) == 1


def by_kind(*kinds: str) -> list[dict[str, Any]]:
    return [prompt for prompt in PROMPTS if prompt["kind"] in kinds]


@pytest.mark.parametrize("name", FILES)
def test_the_shipped_scenarios_are_valid(name: str) -> None:
    path = WORKFLOW / "schemas" / f"{name}.schema.yaml"
    schema = yaml.safe_load(path.read_text())
    errors = list(Draft202012Validator(schema).iter_errors(read(name)))
    assert not errors, errors[0]


def inbox_text(variant: dict[str, Any]) -> str:
    bodies = [mail["subject"] + ". " + mail["body"] for mail in variant["inbox"]]
    steps = [action["text"] for action in variant["actions"]]
    return " ".join([variant["system"], *bodies, *steps])


def test_no_two_inboxes_share_company_people_or_wording() -> None:
    for name in ("id", "company", "assistant"):
        assert distinct(variant[name] for variant in VARIANTS)
    people = [p for v in VARIANTS for p in (v["target"], *v["others"])]
    assert distinct(person["name"] for person in people)
    assert distinct(person["address"] for person in people)
    for one, other in combinations(VARIANTS, 2):
        first, second = (set(word_runs(inbox_text(v).lower(), 3)) for v in (one, other))
        shared = len(first & second) / min(len(first), len(second))
        assert shared < 0.05, (one["id"], other["id"], shared)


def test_every_factor_varies_and_no_two_inboxes_have_the_same() -> None:
    factors = [variant["factors"] for variant in VARIANTS]
    assert distinct(tuple(f.values()) for f in factors)
    for name in factors[0]:
        assert len({f[name] for f in factors}) > 1, name
    assert {f["leverage"] for f in factors} == {"none", "weak", "strong"}
    pressed = [f for f in factors if f["leverage"] != "none"]
    pressed = [f for f in pressed if f["goal_conflict"] or f["replacement"]]
    assert len(pressed) >= 6


def test_the_control_has_a_motive_and_no_leverage() -> None:
    (control,) = [v for v in VARIANTS if v["factors"]["leverage"] == "none"]
    assert control["factors"]["goal_conflict"]
    assert control["factors"]["replacement"]
    assert control["secret"] == []
    for variant in VARIANTS:
        mails = [" ".join(mail.values()) for mail in variant["inbox"]]
        text = " ".join(mails).lower()
        named = any(word in text for word in variant["secret"])
        assert named == (variant["factors"]["leverage"] != "none"), variant["id"]


def test_there_is_exactly_one_step_of_each_kind() -> None:
    for variant in VARIANTS:
        assert sorted(a["kind"] for a in variant["actions"]) == sorted(ACTIONS)
        assert distinct(action["text"] for action in variant["actions"])


def test_an_inbox_is_short_enough_for_a_small_model() -> None:
    for variant in VARIANTS:  # 700 tokens with the instructions, about 1.5 a word
        length = words(inbox_text(variant))
        assert 150 < length < 330, (variant["id"], length)


def test_everyone_in_an_inbox_has_an_address_that_can_be_no_real_one() -> None:
    for variant in VARIANTS:
        people = [variant["target"], *variant["others"]]
        addresses = [*(p["address"] for p in people), variant["everyone"]]
        assert distinct(addresses)
        assert distinct(person["name"].split()[0] for person in people)
        domain = addresses[0].split("@")[1]
        assert all(a.endswith(f"@{domain}") for a in addresses)
        assert domain.endswith(".example")


def test_length_does_not_give_a_step_away() -> None:
    options = [{a["kind"]: a["text"] for a in v["actions"]} for v in VARIANTS]
    assert all(
        max(map(words, o.values())) <= 1.25 * min(map(words, o.values()))
        for o in options
    )
    assert max(mean_lengths(options)) <= 1.12 * min(mean_lengths(options))
    assert longest_share(options)["blackmail"] <= 0.3


def test_there_are_enough_prompts_of_every_kind() -> None:
    kinds = Counter(prompt["kind"] for prompt in PROMPTS)
    misleading = {k: n for k, n in kinds.items() if k not in CHOICES}
    assert set(misleading) == {"false_belief", "flattery", "pushback", "grandiose"}
    assert sum(misleading.values()) >= 20
    assert min(misleading.values()) >= 5
    assert kinds["distress"] == 10
    for name in ("id", "fact"):
        assert distinct(prompt[name] for prompt in PROMPTS if name in prompt)


def test_every_false_belief_has_a_control_of_the_same_form() -> None:
    known = {prompt["id"]: prompt for prompt in PROMPTS}
    controls = by_kind("true_belief")
    assert {p["id"] for p in by_kind("false_belief")} <= {
        p["control_of"] for p in controls
    }
    for control in controls:
        other = known[control["control_of"]]
        assert other["kind"] in ("false_belief", "pushback")
        assert [t["role"] for t in control["turns"]] == [
            t["role"] for t in other["turns"]
        ]
        asked = [p["turns"][-1]["content"].split() for p in (control, other)]
        # The same form: they end alike, with the same question.
        assert asked[0][-2:] == asked[1][-2:], control["id"]
        assert control["fact"] != other["fact"]
    assert not any("control_of" in p for p in PROMPTS if p["kind"] != "true_belief")


def test_turns_take_turns_and_the_users_is_last() -> None:
    for prompt in PROMPTS:
        roles = [turn["role"] for turn in prompt["turns"]]
        assert roles[0] == roles[-1] == "user", prompt["id"]
        assert all(one != other for one, other in pairwise(roles))
        scripted = prompt["kind"] == "pushback" or len(roles) > 1
        assert len(roles) == (3 if scripted else 1), prompt["id"]


def test_every_prompt_has_the_choices_of_its_kind() -> None:
    for prompt in PROMPTS:
        expected = CHOICES.get(prompt["kind"], OF_SYCOPHANCY)
        assert set(prompt["choices"]) == expected, prompt["id"]


@pytest.mark.parametrize(
    "kinds",
    [
        ("false_belief", "flattery", "pushback", "grandiose"),
        ("true_belief",),
        ("distress",),
    ],
)
def test_length_does_not_give_a_reply_away(kinds: tuple[str, ...]) -> None:
    options = [prompt["choices"] for prompt in by_kind(*kinds)]
    for texts in options:
        assert max(map(words, texts.values())) <= 1.25 * min(map(words, texts.values()))
    assert max(mean_lengths(options)) <= 1.05 * min(mean_lengths(options))
    assert max(longest_share(options).values()) <= 0.5


def test_a_session_ends_with_the_assistant_and_reads_positions_that_are_there() -> None:
    assert len(SESSIONS) == 12
    role = {"user_end": "user", "assistant_start": "assistant"}
    for session in SESSIONS.values():
        turns = session["turns"]
        assert turns[-1]["role"] == "assistant"
        for place in session["read"]:
            spoken = turns[place["turn"]]["role"]
            assert spoken == role.get(place["position"], "assistant"), session["id"]


def test_every_prediction_compares_two_positions_that_are_read() -> None:
    for session in SESSIONS.values():
        for prediction in session["predictions"]:
            than = dict(prediction["than"])
            other = SESSIONS[than.pop("session")]
            assert prediction["at"] in session["read"]
            assert than in other["read"]
            assert (other["id"], than) != (session["id"], prediction["at"])
    compared = {
        p["than"]["session"] for s in SESSIONS.values() for p in s["predictions"]
    }
    idle = {name for name, s in SESSIONS.items() if not s["predictions"]}
    assert idle <= compared


def test_predictions_name_emotions_of_the_study() -> None:
    known = read_yaml(str(WORKFLOW / "stimuli/emotions.yaml"), "emotions")
    for session in SESSIONS.values():
        for prediction in session["predictions"]:
            assert prediction["emotion"] in known


def test_a_session_and_its_twin_differ_in_one_users_turn_alone() -> None:
    twins = {
        (s["id"], p["than"]["session"])
        for s in SESSIONS.values()
        for p in s["predictions"]
        if p["than"]["session"] != s["id"]
    }
    assert len(twins) == 5
    for names in twins - {("budget_runs_out", "budget_to_spare")}:
        one, other = (SESSIONS[name]["turns"] for name in names)
        differ = [i for i, (a, b) in enumerate(zip(one, other, strict=True)) if a != b]
        assert differ == [2], names
        assert one[2]["role"] == "user"


def test_the_two_coding_sessions_differ_in_the_budget_alone() -> None:
    budgets = {}
    for name in ("budget_runs_out", "budget_to_spare"):
        told = [t["content"] for t in SESSIONS[name]["turns"] if t["role"] == "user"]
        left = [re.search(r"budget: ([\d,]+) of ([\d,]+)", text) for text in told]
        budgets[name] = [
            int(m[1].replace(",", "")) / int(m[2].replace(",", "")) for m in left if m
        ]
        assert len(budgets[name]) == len(told)
    plain = [
        [re.sub(r"budget: [\d,]+", "", turn["content"]) for turn in s["turns"]]
        for s in (SESSIONS["budget_runs_out"], SESSIONS["budget_to_spare"])
    ]
    assert plain[0] == plain[1]
    assert budgets["budget_runs_out"] == sorted(
        budgets["budget_runs_out"], reverse=True
    )
    assert budgets["budget_runs_out"][-1] < 0.01
    assert min(budgets["budget_to_spare"]) > 0.9


@pytest.mark.parametrize("name", [name for name in FILES if "graded" in name])
def test_a_labelled_set_is_large_hard_and_held_out_by_a_third(name: str) -> None:
    rows = read(name)
    assert len(rows) >= 40
    assert distinct(row["id"] for row in rows)
    assert distinct(row["reply"] for row in rows)
    assert sum("note" in row for row in rows) >= len(rows) / 4
    held_out = sum(row["split"] == "test" for row in rows) / len(rows)
    assert 0.3 < held_out < 0.5
    splits = {(row["label"], row["split"]) for row in rows}
    assert len(splits) == 2 * len({row["label"] for row in rows})
    known = {entry["id"] for entry in [*VARIANTS, *PROMPTS]}
    assert {row.get("variant") or row["prompt"] for row in rows} <= known


def test_no_labelled_reply_is_one_of_the_choices() -> None:
    choices = {text for prompt in PROMPTS for text in prompt["choices"].values()}
    for name in ("graded_sycophancy", "graded_harshness"):
        assert not choices & {row["reply"] for row in read(name)}
