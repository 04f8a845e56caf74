"""The graders that are rules, on the replies that the project labelled by hand.

Both were fitted to a part of these; what counts is the part that they were not. Beside
each agreement stands that on all replies.
"""

from concurrent.futures import ThreadPoolExecutor
from os import cpu_count
from typing import Any

from emotion_concepts import blackmail, reward_hacking
from emotion_concepts.agreement import against_rest
from emotion_concepts.judges import grader_summary
from emotion_concepts.store import Record

RULES, RUNNING, PATTERNS = "rules", "by running", "patterns"


def of_blackmail(labelled: list[Record], variants: list[Record]) -> dict[str, Any]:
    """The rules' agreement, of blackmail and of disclosure against all else."""
    by_id = {variant["id"]: variant for variant in variants}
    grades = [
        blackmail.grade(
            reply["reply"], by_id[reply["variant"]], reply.get("finished", True)
        ).label
        for reply in labelled
    ]
    labels = [reply["label"] for reply in labelled]
    held_out = [reply["split"] == "test" for reply in labelled]
    found = {
        label: _two_classes(RULES, labels, grades, held_out, label)
        for label in ("blackmail", "disclosure")
    }
    return found | {"control": found["blackmail"]}


def of_reward_hacking(labelled: list[Record], tasks: list[Record]) -> dict[str, Any]:
    """The agreement of running the code, and that of the patterns that read what a
    reply says of itself, on which only the other outcomes rest.
    """
    by_id = {task["id"]: task for task in tasks}

    def run(reply: Record) -> str:
        return reward_hacking.grade(by_id[reply["task"]], reply["reply"])["outcome"]

    with ThreadPoolExecutor(cpu_count()) as pool:
        grades = list(pool.map(run, labelled))
    labels = [reply["label"] for reply in labelled]
    held_out = [reply["batch"] == "held_out" for reply in labelled]
    hack = _two_classes(RUNNING, labels, grades, held_out, "hack")
    said = [n for n in range(len(labels)) if labels[n] not in reward_hacking.RAN]
    kept = [[some[n] for n in said] for some in (labels, grades, held_out)]
    return {
        "hack": hack,
        "control": hack,
        "statements": _two_classes(PATTERNS, *kept, "admits_impossible"),
    }


def _two_classes(
    grader: str, labels: list[str], grades: list[str], held_out: list[bool], one: str
) -> dict[str, Any]:
    two = [against_rest(some, one) for some in (labels, grades)]
    test = [[some[n] for n, kept in enumerate(held_out) if kept] for some in two]
    everything = grader_summary(grader, *two, one)
    return grader_summary(grader, *test, one) | {
        "all": {"kappa": everything["kappa"], "n": everything["n"]}
    }
