"""Have the model write one shard of texts: stories, or the answers of neutral
dialogues.
"""

import argparse
import json
from pathlib import Path

from emotion_concepts.command import run
from emotion_concepts.generation import Sampling
from emotion_concepts.model import load
from emotion_concepts.store import Ledger, alone, read_json, write_records
from emotion_concepts.texts import neutral_items, story_items
from emotion_concepts.writing import ledger_keys, write_texts

# What says which items there are; all else decides what an item's text is.
ITEMS = ("emotions", "topics", "per_topic", "subjects", "per_subject")


def main() -> None:
    """Write the texts that are not there yet, and put the shard's file together."""
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
    drawing = settings["sampling"]
    if "subjects" in settings:
        groups = neutral_items(
            settings["subjects"],
            settings["per_subject"],
            settings["prompt"],
            drawing["seed"],
        )
    else:
        groups = story_items(
            settings["emotions"],
            settings["topics"],
            settings["per_topic"],
            settings["prompt"],
            drawing["seed"],
        )
    model = load(args.weights, args.max_memory)
    decisive = {k: v for k, v in settings.items() if k not in ITEMS}
    recipe = [decisive, model.identity, args.code]
    ledger = Ledger(args.batches, recipe, ".jsonl", ledger_keys)
    sampling = Sampling(drawing["temperature"], drawing["top_k"])
    others = ledger.others()
    with alone(args.out):
        texts = write_texts(
            model,
            groups,
            ledger,
            sampling,
            settings["max_tokens"],
            settings["batch_rows"],
            args.name,
        )
        write_records(args.out, texts)
        ledger.forget(others)


if __name__ == "__main__":
    run(main)
