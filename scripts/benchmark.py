"""Measure the engine against its peers on one kind of work."""

import argparse
import json
from pathlib import Path

from emotion_concepts.benchmark import hold
from emotion_concepts.command import run
from emotion_concepts.contests import WORKS
from emotion_concepts.model import load
from emotion_concepts.store import read_json, read_records, write_json, write_text


def main() -> None:
    """Hold the contest; write its timings and the profiles."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--settings", type=Path, required=True)
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--max-memory", type=json.loads, required=True)
    parser.add_argument("--texts", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--profile", type=Path, required=True)
    args = parser.parse_args()
    settings = read_json(args.settings)
    texts = [record["text"] for record in read_records(args.texts)]
    model = load(args.weights, args.max_memory)
    contest = WORKS[settings["work"]](model, args.weights, texts, settings)
    record, profiles = hold(contest, settings["rounds"])
    parts = [f"{name}\n{table}" for name, table in profiles.items()]
    write_text(args.profile, "\n\n".join(parts) + "\n")
    write_json(args.out, {"work": settings["work"], "model": model.identity} | record)


if __name__ == "__main__":
    run(main)
