"""Measure a judge on labelled replies and, where it can be trusted, have it judge what
the model wrote.
"""

import argparse
import json
from pathlib import Path

from emotion_concepts import choices, rollouts
from emotion_concepts.command import run
from emotion_concepts.endpoint import Endpoint
from emotion_concepts.judges import (
    Judge,
    ask_endpoint,
    from_scores,
    labelled_items,
    local_choice,
    measured_on,
    rollout_questions,
)
from emotion_concepts.judging import is_there
from emotion_concepts.model import load
from emotion_concepts.store import (
    Ledger,
    Record,
    alone,
    read_json,
    read_records,
    write_json,
)


def main() -> None:
    """Write how far the judge can be trusted, and what it said of every rollout."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--settings", type=Path, required=True)
    parser.add_argument("--weights", type=Path, nargs="*", required=True)
    parser.add_argument("--max-memory", type=json.loads, required=True)
    parser.add_argument("--rollouts", type=Path, nargs="*", required=True)
    parser.add_argument("--batches", type=Path, required=True)
    parser.add_argument("--code", required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--grader", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    settings = read_json(args.settings)
    entries, form = settings["entries"], settings["form"]
    texts = [record for path in args.rollouts for record in read_records(path)]
    with alone(args.out):
        judge, ledger = (
            local(args, settings) if args.weights else remote(args, settings)
        )
        others = ledger.others()
        labelled = labelled_items(settings["labelled"], entries)
        grader = measured_on(judge(labelled), settings["judge"], form)
        trusted = [question for question in grader if grader[question]["trusted"]]
        answers = judge(rollout_questions(texts, entries, trusted))
        # Not lines: where no judge is trusted there is none, and a file without lines
        # would be taken for a damaged one.
        write_json(
            args.out,
            [
                {name: answer[name] for name in ("of", "question", "value")}
                | {"found": _found(answer["value"], form)}
                for answer in answers
            ],
        )
        write_json(args.grader, grader)
        ledger.forget(others)


def local(args: argparse.Namespace, settings: Record) -> tuple[Judge, Ledger]:
    """A judge whose weights are here."""
    model = load(args.weights[0], args.max_memory)
    recipe = [settings["batch_rows"], model.identity, args.code]
    ledger = Ledger(args.batches, recipe, ".jsonl", choices.ledger_keys)

    def judge(items: list[Record]) -> list[Record]:
        scored = choices.score_choices(
            model,
            [items] if items else [],
            lambda item: local_choice(model, item),
            ledger,
            settings["batch_rows"],
            args.name,
        )
        return from_scores(items, scored)

    return judge, ledger


def remote(args: argparse.Namespace, settings: Record) -> tuple[Judge, Ledger]:
    """A judge behind an endpoint."""
    endpoint = Endpoint(**settings["endpoint"])
    recipe = [settings["endpoint"], args.code]
    ledger = Ledger(args.batches, recipe, ".jsonl", rollouts.run_keys)
    return lambda items: ask_endpoint(endpoint, items, ledger), ledger


def _found(value: float | None, form: str) -> bool | None:
    return None if value is None else is_there(value, form)


if __name__ == "__main__":
    run(main)
