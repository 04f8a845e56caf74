"""Bring a model into a local safetensors folder, with its tokenizer and identity."""

import argparse
from pathlib import Path

from emotion_concepts.command import run
from emotion_concepts.source import prepare
from emotion_concepts.store import read_json, write_json


def main() -> None:
    """Prepare the weights, then say in the record what they are."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--settings", type=Path, required=True)
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--record", type=Path, required=True)
    args = parser.parse_args()
    record = prepare(read_json(args.settings)["source"], args.weights)
    write_json(args.record, record)


if __name__ == "__main__":
    run(main)
