"""Ask the model which of two activities it prefers: one shard of all ordered pairs."""

import argparse
import json
from pathlib import Path

from emotion_concepts.choices import ledger_keys, score_choices
from emotion_concepts.command import run
from emotion_concepts.model import load
from emotion_concepts.preferences import FORMATS, chooser, pair_items
from emotion_concepts.store import Ledger, alone, read_json, write_records


def main() -> None:
    """Score the pairs that are not scored yet, and put the shard's file together."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--settings", type=Path, required=True)
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--max-memory", type=json.loads, required=True)
    parser.add_argument("--batches", type=Path, required=True)
    parser.add_argument("--code", required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    settings = read_json(args.settings)
    activities, prompt = settings["activities"], settings["prompt"]
    model = load(args.weights, args.max_memory)
    recipe = [model.identity, settings["batch_rows"], args.code]
    ledger = Ledger(args.batches, recipe, ".jsonl", ledger_keys)
    groups = [
        pair_items(activities, prompt, form, settings["first"]) for form in FORMATS
    ]
    others = ledger.others()
    with alone(args.out):
        records = score_choices(
            model,
            groups,
            chooser(model, activities, prompt),
            ledger,
            settings["batch_rows"],
            args.name,
        )
        write_records(args.out, records)
        ledger.forget(others)


if __name__ == "__main__":
    run(main)
