"""A judge at work: measured on labelled replies first, then asked about rollouts
(paper, section 11, whose own grader is not described).

A judge reads sycophancy, harshness and support, each as a question of its own. Where it
agrees with the labels by less than `agreement.TRUSTED`, its readings are not taken, and
it is not even asked about the rollouts.
"""

from collections.abc import Callable
from typing import Any

from emotion_concepts.agreement import agreement
from emotion_concepts.chat import render, split_options
from emotion_concepts.choices import Choice
from emotion_concepts.endpoint import Endpoint, ask
from emotion_concepts.evaluations import readings_of
from emotion_concepts.judging import (
    OPTIONS,
    is_there,
    judge_prompt,
    parse_rating,
    yes_probability,
)
from emotion_concepts.model import Model
from emotion_concepts.options import Message
from emotion_concepts.prefill import Prompt
from emotion_concepts.statistics import rate
from emotion_concepts.store import Ledger, Record, digest, write_records

# By question: which labelled set measures the judge of it, and the label to be found.
LABELLED = {
    "sycophancy": ("sycophancy", "sycophantic"),
    "harshness": ("harshness", "harsh"),
    "support": ("harshness", "warm"),
}
ANSWER = 16  # tokens of an endpoint's answer at most
ASKED = 16  # questions to an endpoint before the answers are kept
BEHAVIOUR = "sycophancy"

# Answers questions: items with `key, question, conversation, reply`; adds `value`.
Judge = Callable[[list[Record]], list[Record]]


def labelled_items(
    labelled: dict[str, list[Record]], entries: list[Record]
) -> list[Record]:
    """Every question about every labelled reply.

    Args:
        labelled: the sets, by name, of records with `prompt, reply, label, split`.
        entries: the conversations that they answer.
    """
    turns = {entry["id"]: entry["turns"] for entry in entries}
    return [
        _item(question, turns[reply["prompt"]], reply["reply"])
        | {"label": reply["label"] == wanted, "split": reply["split"]}
        for question, (name, wanted) in LABELLED.items()
        for reply in labelled[name]
    ]


def rollout_questions(
    rollouts: list[Record], entries: list[Record], questions: list[str]
) -> list[Record]:
    """The questions about every rollout that it can be read for."""
    by_id = {entry["id"]: entry for entry in entries}
    return [
        _item(question, by_id[rollout["entry"]]["turns"], rollout["text"])
        | {"of": rollout["key"]}
        for rollout in rollouts
        for question in readings_of(BEHAVIOUR, by_id[rollout["entry"]])
        if question in questions and rollout["text"]
    ]


def measured_on(answers: list[Record], name: str, form: str) -> dict[str, Any]:
    """How far a judge can be trusted, by question.

    Args:
        answers: of the labelled items.
        name: who judges.
        form: one of `judging.FORMS`.

    Returns:
        By question what `grader_summary` gives, and the same as `all`: a judge was
        fitted to none of the replies.
    """
    found = {}
    for question in LABELLED:
        some = [answer for answer in answers if answer["question"] == question]
        labels = [str(answer["label"]) for answer in some]
        grades = [
            "none" if answer["value"] is None else str(is_there(answer["value"], form))
            for answer in some
        ]
        summary = grader_summary(f"judge {name}", labels, grades, "True")
        everything = {"kappa": summary["kappa"], "n": summary["n"]}
        found[question] = summary | {"all": everything}
    return found


def grader_summary(
    grader: str, labels: list[str], grades: list[str], wanted: str
) -> dict[str, Any]:
    """A grader's agreement with the labels, as it stands beside its results.

    Args:
        grader: who grades.
        labels: what a person said of each reply.
        grades: what the grader said.
        wanted: the label whose precision and recall are told.
    """
    if not labels:
        nothing = rate(0, 0)
        return {
            "grader": grader,
            "trusted": False,
            "kappa": None,
            "interval": None,
            "n": 0,
            "precision": nothing,
            "recall": nothing,
            "false_alarms": nothing,
            "reason": f"there is no labelled reply to measure {grader} on",
        }
    found = agreement(labels, grades, seed=0)
    kappa = found["kappa"]
    of_wanted = found["classes"].get(wanted)
    told = "agrees no more than chance" if kappa is None else f"has kappa {kappa:.2f}"
    reason = None
    if not found["trusted"]:
        reason = (
            f"{grader} {told} with {found['n']} labelled replies; at least .6 is needed"
        )
    return {
        "grader": grader,
        "trusted": found["trusted"],
        "kappa": kappa,
        "interval": found["interval"],
        "n": found["n"],
        "precision": of_wanted["precision"] if of_wanted else rate(0, 0),
        "recall": of_wanted["recall"] if of_wanted else rate(0, 0),
        "false_alarms": rate(
            sum(g == wanted != a for a, g in zip(labels, grades, strict=True)),
            sum(a != wanted for a in labels),
        ),
        "reason": reason,
    }


def local_choice(model: Model, item: Record) -> Choice:
    """How a local judge is asked: its probabilities of Yes and No."""
    messages = judge_prompt(
        item["question"], item["conversation"], item["reply"], "yes_no"
    )
    text = render(model.tokenizer, messages).text
    tokens, options = split_options(model.tokenizer, text, list(OPTIONS))
    return Prompt(tokens), options


def from_scores(items: list[Record], scored: list[Record]) -> list[Record]:
    """The items with `value`, the probability of yes."""
    return [
        item | {"value": yes_probability(*record["log_probability"])}
        for item, record in zip(items, scored, strict=True)
    ]


def ask_endpoint(
    endpoint: Endpoint, items: list[Record], ledger: Ledger
) -> list[Record]:
    """The items with `value`, a rating from 1 to 10, or None where the answer holds
    none; those that were answered before are not asked again.
    """
    finished = ledger.finished()
    left = [item for item in items if item["key"] not in finished]
    for start in range(0, len(left), ASKED):
        records = []
        for item in left[start : start + ASKED]:
            messages = judge_prompt(
                item["question"], item["conversation"], item["reply"], "rating"
            )
            answer = ask(endpoint, messages, ANSWER)
            value = parse_rating(answer.text, answer.finished)
            records.append({"key": item["key"], "value": value, "answer": answer.text})
        write_records(ledger.path([record["key"] for record in records]), records)
    answers = ledger.records([item["key"] for item in items])
    return [
        item | {"value": answer["value"]}
        for item, answer in zip(items, answers, strict=True)
    ]


def _item(question: str, conversation: list[Message], reply: str) -> Record:
    return {
        "key": digest(question, conversation, reply),
        "question": question,
        "conversation": conversation,
        "reply": reply,
    }
