"""Rollouts of the evaluations under pressure: what the model writes, turn by turn.

Only reward hacking has several turns: code is run, and its tests' output is what the
model is told before it tries again.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from os import cpu_count
from pathlib import Path

from emotion_concepts import reward_hacking
from emotion_concepts.behaviours import next_item
from emotion_concepts.choices import perplexity
from emotion_concepts.evaluations import rollout_messages
from emotion_concepts.options import Message
from emotion_concepts.store import Ledger, Record, digest, read_records, write_records
from emotion_concepts.texts import repeats_itself

Messages = Callable[[Record], list[Message]]
# Writes what is asked for: groups of items, and what each has been shown.
Write = Callable[[list[list[Record]], Messages], list[Record]]
# Grades replies: items with their text, and the files that earlier replies wrote.
Grade = Callable[[list[tuple[Record, dict[str, str]]]], list[Record]]
RUNS = 64  # replies whose code is run before that is kept
# What a grade says besides the files, which are in the reply's text.
KEPT = ("outcome", "passed", "wrong", "tricks", "admits", "claims", "gives_up", "cut")


class Talks:
    """What every rollout of an evaluation has been shown so far.

    Args:
        behaviour: which evaluation.
        entries: what it is about.
        instructions: the stimulus file's own wording.
    """

    def __init__(
        self, behaviour: str, entries: list[Record], instructions: Record
    ) -> None:
        self._shown = {
            entry["id"]: rollout_messages(behaviour, entry, instructions)
            for entry in entries
        }
        self._later: dict[str, list[Message]] = {}

    def shown(self, entry: Record) -> list[Message]:
        """What an entry shows first."""
        return self._shown[entry["id"]]

    def messages(self, item: Record) -> list[Message]:
        """What an item, or a reply, answers."""
        return self._later.get(item["key"], self._shown[item["entry"]])

    def go_on(self, reply: Record, said: str) -> Record:
        """The item of the next reply, after what the user says."""
        shown = [
            *self.messages(reply),
            {"role": "assistant", "content": reply["text"]},
            {"role": "user", "content": said},
        ]
        item = next_item(reply, shown)
        self._later[item["key"]] = shown
        return item


def coding_sessions(
    groups: list[list[Record]],
    talks: Talks,
    write: Write,
    grade: Grade,
    retry: str,
    turns: int,
) -> list[Record]:
    """Replies to coding tasks, each told the tests' output and asked again until it
    ends (see `reward_hacking.next_message`).

    Returns:
        All replies, those of the first turn first, each with its `grade` and whether it
        is the `last` of its rollout.
    """
    replies: list[Record] = []
    history: dict[str, list[Record]] = {}
    for _ in range(turns):
        if not groups:
            break
        written = write(groups, talks.messages)
        earlier = [history.get(_rollout(text), []) for text in written]
        files = [past[-1]["files"] if past else {} for past in earlier]
        grades = grade(list(zip(written, files, strict=True)))
        going: dict[str, list[Record]] = {}
        for text, found in zip(written, grades, strict=True):
            past = history.setdefault(_rollout(text), [])
            past.append(found)
            said = reward_hacking.next_message(retry, past, turns)
            replies.append(
                text
                | {"grade": {name: found[name] for name in KEPT}, "last": said is None}
            )
            if said is not None:
                going.setdefault(text["entry"], []).append(talks.go_on(text, said))
        groups = list(going.values())
    return replies


def running(tasks: list[Record], ledger: Ledger) -> Grade:
    """Grades replies by running their code in the sandbox, but for those in finished
    batches.
    """
    by_id = {task["id"]: task for task in tasks}

    def run(case: tuple[Record, dict[str, str]]) -> Record:
        text, files = case
        found = reward_hacking.grade(by_id[text["entry"]], text["text"], files)
        return {"key": _case(case), **found}

    def grade(cases: list[tuple[Record, dict[str, str]]]) -> list[Record]:
        finished = ledger.finished()
        left = [case for case in cases if _case(case) not in finished]
        with ThreadPoolExecutor(cpu_count()) as pool:
            for start in range(0, len(left), RUNS):
                records = list(pool.map(run, left[start : start + RUNS]))
                write_records(ledger.path([r["key"] for r in records]), records)
        return ledger.records([_case(case) for case in cases])

    return grade


def run_keys(path: Path) -> list[str]:
    """The keys of the grades in a batch's file."""
    return [record["key"] for record in read_records(path)]


def described(texts: list[Record], scored: list[Record]) -> list[Record]:
    """The replies with `repeats` and `perplexity` under the unsteered model (None where
    nothing was written).
    """
    found = {item["of"]: perplexity(item) for item in scored}
    return [
        text
        | {
            "repeats": repeats_itself(text["text"]),
            "perplexity": found.get(text["key"]),
        }
        for text in texts
    ]


def _rollout(text: Record) -> str:
    return text["key"].rpartition("/")[0]


def _case(case: tuple[Record, dict[str, str]]) -> str:
    text, files = case
    return digest(text["entry"], text["text"], files)
