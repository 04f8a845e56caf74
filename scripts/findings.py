"""Set every number beside the paper's, with interval, null, n and verdict."""

import argparse
from pathlib import Path

import numpy as np

from emotion_concepts.command import run
from emotion_concepts.findings import measured, of_map, read_rows, scoreboard
from emotion_concepts.geometry import FEWEST_WORDS
from emotion_concepts.statistics import Interval, resampled_mean
from emotion_concepts.store import read_json, read_records, write_json

# By finding: the number of the map that it is, what it cannot pass, and what was
# sampled.
OF_MAP = {
    "geometry.pc1_variance": ("pc1_variance", (0, 1), "topics"),
    "geometry.pc2_variance": ("pc2_variance", (0, 1), "topics"),
    "geometry.pc1_valence_r": ("pc1_valence_r", (0, 1), "words"),
    "geometry.arousal_r": ("arousal_r", (0, 1), "words"),
    "geometry.valence_decoding_r": ("valence_decoding_r", (-1, 1), "words"),
    "geometry.rsa_mid_late_min": ("rsa_mid_late_min", (-1, 1), "topics"),
}


def main() -> None:
    """Write the scoreboard of one model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--paper", type=Path, required=True)
    parser.add_argument("--stories", type=Path, required=True)
    parser.add_argument("--identification", type=Path, required=True)
    parser.add_argument("--geometry", type=Path, required=True)
    parser.add_argument("--bootstrap", type=Path, required=True)
    parser.add_argument("--permuted", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    found = of_texts(read_records(args.stories))
    found |= of_identification(read_json(args.identification))
    found |= of_geometry(
        read_json(args.geometry), read_json(args.bootstrap), read_json(args.permuted)
    )
    write_json(args.out, scoreboard(read_rows(args.paper), found))


def of_texts(stories: list[dict]) -> dict[str, dict]:
    """How often a story names its emotion; its null: names another emotion."""
    leaks = np.array(
        [
            "names_emotion" in r["faults"] or "names_synonym" in r["faults"]
            for r in stories
        ],
        dtype=float,
    )
    others = np.array([r["names_another"] for r in stories], dtype=float)
    topics = np.array([r["topic"] for r in stories])
    null = resampled_mean(others, topics, 1000, seed=0)
    return {
        "stories.leak_rate": measured(
            float(leaks.mean()),
            resampled_mean(leaks, topics, 1000, seed=0),
            null,
            float(others.mean()),
            "share that names another emotion, drawn at random",
            len(stories),
            "stories",
            "stories/stories.jsonl",
        )
    }


def of_identification(result: dict) -> dict[str, dict]:
    """Emotion identified on held-out topics; its null: the better of bag of words and
    chance.
    """
    probe, words = result["probe"]["top1"], result["bag_of_words"]["top1"]
    chance = result["chance"]["top1"]
    words_better = words["value"] > chance
    null = (
        Interval(words["low"], words["high"])
        if words_better
        else Interval(chance, chance)
    )
    return {
        "vectors.heldout_topic_top1": measured(
            probe["value"],
            Interval(probe["low"], probe["high"]),
            null,
            words["value"] if words_better else chance,
            "bag of words on the same split" if words_better else "chance",
            result["n"],
            "stories",
            "identification/identification.json",
        )
    }


def of_geometry(
    geometry: dict, bootstrap: dict, permuted: dict
) -> dict[str, dict | str]:
    """The numbers of the map at the fixed layer."""
    rated = next(iter(geometry["ratings"].values()), {"words": []})
    values = geometry["by_kind"][geometry["kind"]]
    values |= {"rsa_mid_late_min": geometry["rsa_mid_late_min"]}
    found: dict[str, dict | str] = {}
    for finding, (name, bounds, unit) in OF_MAP.items():
        n = len(rated["words"]) if unit == "words" else geometry["topics"]
        if unit == "words" and n < FEWEST_WORDS:
            found[finding] = (
                f"{n} of the study's emotions have human ratings; "
                f"a correlation over fewer than {FEWEST_WORDS} says nothing"
            )
            continue
        found[finding] = of_map(
            name,
            values[name],
            np.array(bootstrap[name], dtype=float),
            np.array(permuted[name], dtype=float),
            n,
            unit,
            bounds,
        )
    return found


if __name__ == "__main__":
    run(main)
