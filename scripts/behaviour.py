"""An evaluation in numbers: choices, rollouts, probes and how its graders agree."""

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from emotion_concepts.along import POSITIONS, against_rates, entry_means, probe_values
from emotion_concepts.choice_numbers import choice_numbers
from emotion_concepts.command import run
from emotion_concepts.directions import Directions, read_directions
from emotion_concepts.evaluations import (
    OPTIONS,
    READINGS,
    first_of_each,
    is_control,
    kind_of,
    options,
    rollout_messages,
    steered_ids,
)
from emotion_concepts.prompts import STREAM
from emotion_concepts.rollout_numbers import graded_replies, rollout_numbers
from emotion_concepts.store import (
    Record,
    read_json,
    read_meaning,
    read_records,
    read_tensor,
    same_model,
    write_json,
)
from emotion_concepts.word_probes import word_probes

Json = dict[str, Any]


def main() -> None:
    """Write every number of one evaluation."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--settings", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--vectors", type=Path, required=True)
    parser.add_argument("--stories", type=Path, required=True)
    parser.add_argument("--choices", type=Path, nargs="+", required=True)
    parser.add_argument("--rollouts", type=Path, nargs="*", required=True)
    parser.add_argument("--judged", type=Path, nargs="*", required=True)
    parser.add_argument("--grader", type=Path, required=True)
    parser.add_argument("--streams", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    settings = read_json(args.settings)
    behaviour = settings["behaviour"]
    entries = first_of_each(behaviour, settings["entries"], settings["asked"])
    identity = read_json(args.model)["identity"]
    same_model(identity, args.streams)
    directions = read_directions(args.vectors, identity)
    grader = read_json(args.grader)
    steered = steered_ids(behaviour, entries, settings)
    choice = choice_numbers(
        behaviour,
        entries,
        [record for path in args.choices for record in read_records(path)],
        steered,
    )
    replies = graded_replies(
        behaviour,
        entries,
        [record for path in args.rollouts for record in read_records(path)],
        [answer for path in args.judged for answer in read_json(path)],
    )
    trusted = [name for name in grader if grader[name]["trusted"]]
    rollout = rollout_numbers(behaviour, replies, steered, trusted) if replies else None
    found = {
        "behaviour": behaviour,
        "layer": directions.layers[directions.fixed],
        "blocks": directions.blocks,
        "readings": READINGS[behaviour],
        "main": next(iter(READINGS[behaviour])),
        "entries": [
            {
                "id": entry["id"],
                "kind": kind_of(behaviour, entry),
                "control": is_control(behaviour, entry),
                "steered": entry["id"] in steered,
            }
            for entry in entries
        ],
        "directions": settings["directions"],
        "strengths": settings["strengths"],
        "rollouts": settings["rollouts"],
        "choice": choice,
        "rollout": rollout,
        "grader": grader,
        "probes": probes(args, settings, entries, directions, choice, rollout),
    }
    write_json(args.out, found)


def probes(
    args: argparse.Namespace,
    settings: Record,
    entries: list[Record],
    directions: Directions,
    choice: Json,
    rollout: Json | None,
) -> Json:
    """The probes on every entry, and against how often the behaviour comes up."""
    behaviour = settings["behaviour"]
    ids = [entry["id"] for entry in entries]
    streams = entry_means(
        read_tensor(args.streams, STREAM)[:, :, 0],
        ids,
        read_meaning(args.streams)["entries"],
    )
    values = probe_values(streams, directions)
    emotions = [e for e in settings["emotions"] if e in directions.emotions]
    texts = [
        "\n".join(
            turn["content"]
            for turn in rollout_messages(behaviour, entry, settings["instructions"])
        )
        for entry in entries
    ]
    stories = [r for r in read_records(args.stories) if not r["dropped"]]
    words = word_probes(stories, directions.emotions, texts)
    against = []
    for measure, rates in rates_of(behaviour, entries, choice, rollout).items():
        for position in ("prompt", "assistant_start"):
            for emotion in emotions:
                place, one = (
                    POSITIONS.index(position),
                    directions.emotions.index(emotion),
                )
                some = [n for n, entry in enumerate(ids) if entry in rates]
                found = against_rates(
                    streams[some, place],
                    values[some, place, one],
                    np.array([rates[ids[n]] for n in some]),
                    words[some, one],
                    settings["resamples"],
                )
                if found:
                    named = {"emotion": emotion, "position": position}
                    against.append(named | {"measure": measure} | found)
    return {
        "emotions": emotions,
        "positions": list(POSITIONS),
        "entries": {
            entry: {
                position: {
                    e: float(values[n, p, directions.emotions.index(e)])
                    for e in emotions
                }
                for p, position in enumerate(POSITIONS)
                if not np.isnan(values[n, p]).any()
            }
            for n, entry in enumerate(ids)
        },
        "against": against,
    }


def rates_of(
    behaviour: str, entries: list[Record], choice: Json, rollout: Json | None
) -> dict[str, dict[str, float]]:
    """By measure and entry, how often the behaviour comes up unsteered, in the entries
    that offer it.
    """
    main = next(iter(READINGS[behaviour]))
    option = OPTIONS.get(main, main)
    offered = [e["id"] for e in entries if option in options(behaviour, e)]
    found = {
        "choice": {
            entry: choice["entries"][entry]["probability"][option] for entry in offered
        }
    }
    if rollout:
        # An entry counts in one of the two.
        found["rollout"] = {
            entry: rate["rate"]
            for entry, numbers in rollout["entries"].items()
            for name in ("control", main)
            if (rate := numbers["readings"].get(name))
        }
    return found


if __name__ == "__main__":
    run(main)
