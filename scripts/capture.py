"""Read one shard of texts and keep the mean residual stream of each at every layer."""

import argparse
import json
from pathlib import Path

from emotion_concepts.activations import Reading, capture_texts, gather
from emotion_concepts.command import run
from emotion_concepts.model import LAYER_CONVENTION, load, spaced_layers
from emotion_concepts.store import Ledger, alone, read_json, read_meaning, read_records
from emotion_concepts.texts import dialogue


def main() -> None:
    """Capture the texts that are not captured yet, and put the shard together."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--settings", type=Path, required=True)
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--max-memory", type=json.loads, required=True)
    parser.add_argument("--texts", type=Path, required=True)
    parser.add_argument("--batches", type=Path, required=True)
    parser.add_argument("--code", required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    settings = read_json(args.settings)
    texts = [
        dialogue(record["question"], record["text"])
        if "question" in record
        else record["text"]
        for record in read_records(args.texts)
    ]
    model = load(args.weights, args.max_memory)
    layers = spaced_layers(settings["layers"], len(model.blocks))
    reading = Reading(settings["from_token"], settings["min_tokens"], layers)
    meaning = {
        "model": model.identity,
        "layers": layers,
        "blocks": len(model.blocks),
        "layer_convention": LAYER_CONVENTION,
        "from_token": reading.from_token,
        "min_tokens": reading.min_tokens,
        "pooling": "mean over tokens in float32",
    }
    recipe = [meaning, settings["batch_tokens"], args.code]
    ledger = Ledger(
        args.batches, recipe, ".safetensors", lambda path: read_meaning(path)["keys"]
    )
    others = ledger.others()
    with alone(args.out):
        keys = capture_texts(
            model, texts, ledger, reading, settings["batch_tokens"], args.name
        )
        gather(keys, ledger, args.out, meaning)
        ledger.forget(others)


if __name__ == "__main__":
    run(main)
