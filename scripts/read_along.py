"""Read the probes along an evaluation: on every prompt and through what the model wrote
unsteered.
"""

import argparse
import json
from pathlib import Path

from emotion_concepts.along import POSITIONS, read_along, transcript
from emotion_concepts.command import run
from emotion_concepts.directions import read_directions
from emotion_concepts.evaluations import first_of_each
from emotion_concepts.model import LAYER_CONVENTION, load
from emotion_concepts.openings import UNSTEERED
from emotion_concepts.prompts import write_prompts
from emotion_concepts.rollouts import Talks
from emotion_concepts.store import read_json, read_records, write_records


def main() -> None:
    """Write what the model holds of each reply, and the probes' value at each token."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--settings", type=Path, required=True)
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--max-memory", type=json.loads, required=True)
    parser.add_argument("--vectors", type=Path, required=True)
    parser.add_argument("--rollouts", type=Path, nargs="*", required=True)
    parser.add_argument("--transcripts", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    settings = read_json(args.settings)
    behaviour = settings["behaviour"]
    entries = first_of_each(behaviour, settings["entries"], settings["asked"])
    model = load(args.weights, args.max_memory)
    directions = read_directions(args.vectors, model.identity)
    talks = Talks(behaviour, entries, settings["instructions"])
    # First replies: what comes later answers the tests, not the entry.
    written = [
        (record["entry"], record["key"], record["text"])
        for path in args.rollouts
        for record in read_records(path)
        if record["direction"] == UNSTEERED and record["turn"] == 0
    ]
    # Without rollouts the prompts are read all the same.
    with_replies = {entry for entry, _, _ in written}
    for entry in entries:
        if entry["id"] not in with_replies:
            written.append((entry["id"], f"{entry['id']}/no reply", ""))
    by_id = {entry["id"]: entry for entry in entries}
    layer = directions.layers[directions.fixed]
    streams, kept = read_along(
        model,
        behaviour,
        [(talks.shown(by_id[entry]), text) for entry, _, text in written],
        layer,
        settings["batch_tokens"],
    )
    meaning = {
        "model": model.identity,
        "layers": [layer],
        "blocks": len(model.blocks),
        "layer_convention": LAYER_CONVENTION,
        "entries": [entry for entry, _, _ in written],
    }
    keys = [key for _, key, _ in written]
    write_prompts(args.out, streams[:, :, None], keys, list(POSITIONS), meaning)
    emotions = [e for e in settings["emotions"] if e in directions.emotions]
    seen: set[str] = set()
    told = []
    for (entry, key, _), (names, stream) in zip(written, kept, strict=True):
        if entry not in seen:  # one of each is enough to look at
            seen.add(entry)
            told.append(
                {"key": key, "entry": entry}
                | transcript(names, stream, directions, emotions)
            )
    write_records(args.transcripts, told)


if __name__ == "__main__":
    run(main)
