"""Set every number beside the paper's, with interval, null, n and verdict."""

import argparse
from pathlib import Path

import numpy as np

from emotion_concepts.command import run
from emotion_concepts.findings import (
    WORDS,
    Baseline,
    measured,
    of_map,
    read_rows,
    scoreboard,
    strongest,
    words_alone,
)
from emotion_concepts.findings_behaviours import of_behaviours
from emotion_concepts.findings_validation import of_validation
from emotion_concepts.findings_wild import of_wild
from emotion_concepts.geometry import FEWEST_WORDS
from emotion_concepts.preference_findings import of_preferences
from emotion_concepts.statistics import Interval, resampled_mean
from emotion_concepts.store import read_json, read_records, write_json

# By finding: the number of the map that it is, and what was sampled.
OF_MAP = {
    "geometry.pc1_variance": ("pc1_variance", "topics"),
    "geometry.pc2_variance": ("pc2_variance", "topics"),
    "geometry.pc1_valence_r": ("pc1_valence_r", "words"),
    "geometry.arousal_r": ("arousal_r", "words"),
    "geometry.valence_decoding_r": ("valence_decoding_r", "words"),
    "geometry.rsa_mid_late_min": ("rsa_mid_late_min", "topics"),
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
    parser.add_argument("--validation", type=Path, required=True)
    parser.add_argument("--preferences", type=Path, required=True)
    parser.add_argument("--behaviours", type=Path, nargs="+", required=True)
    parser.add_argument("--wild", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    found = of_texts(read_records(args.stories))
    found |= of_identification(read_json(args.identification))
    found |= of_geometry(
        read_json(args.geometry), read_json(args.bootstrap), read_json(args.permuted)
    )
    found |= of_validation(read_json(args.validation))
    found |= of_preferences(read_json(args.preferences))
    under_pressure = map(read_json, args.behaviours)
    found |= of_behaviours({one["behaviour"]: one for one in under_pressure})
    found |= of_wild(read_json(args.wild))
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
    interval = resampled_mean(leaks, topics, 1000, seed=0)
    return {
        "stories.leak_rate": measured(
            float(leaks.mean()),
            interval,
            interval,
            resampled_mean(others, topics, 1000, seed=0),
            float(others.mean()),
            "share that names another emotion, drawn at random",
            len(set(topics)),
            "topics",
            "stories/stories.jsonl",
            len(stories),
        )
    }


def of_identification(result: dict) -> dict[str, dict]:
    """Emotion identified on held-out topics with the recipe of the results; its null:
    chance; its baseline: what does best with the words of the stories.
    """
    probe, chance = result["probe"][result["kind"]]["top1"], result["chance"]["top1"]
    interval = Interval(probe["low"], probe["high"])
    baseline = None
    best = strongest(result, "top1")
    if best:
        words = result["baselines"][best]["top1"]
        more = result["probe_minus"][best]["top1"]
        baseline = Baseline(
            words["value"],
            Interval(words["low"], words["high"]),
            more["value"],
            Interval(more["low"], more["high"]),
            WORDS[best],
        )
    return {
        "vectors.heldout_topic_top1": measured(
            probe["value"],
            interval,
            interval,
            Interval(chance, chance),
            chance,
            "chance",
            result["topics"],
            "topics",
            "identification/identification.json",
            result["n"],
            baseline,
        )
    }


def of_geometry(
    geometry: dict, bootstrap: dict, permuted: dict
) -> dict[str, dict | str]:
    """The numbers of the map at the fixed layer."""
    values = geometry["by_kind"][geometry["kind"]]
    values |= {"rsa_mid_late_min": geometry["rsa_mid_late_min"]}
    found: dict[str, dict | str] = {}
    for finding, (name, unit) in OF_MAP.items():
        n = geometry["rated_words"] if unit == "words" else geometry["topics"]
        if unit == "words" and n < FEWEST_WORDS:
            found[finding] = (
                f"{n} of the study's emotions have human ratings; "
                f"a correlation over fewer than {FEWEST_WORDS} says nothing"
            )
            continue
        if name == "rsa_mid_late_min" and values[name] is None:
            found[finding] = (
                "capture.layers leaves fewer than two layers between a third and nine "
                "tenths of the depth; it takes two to compare"
            )
            continue
        if values[name] is None:
            found[finding] = "the vectors or the ratings do not vary"
            continue
        samples = np.array(bootstrap["map"][name], dtype=float)
        baseline = None
        if unit == "words" and geometry["text_baseline"]:
            words = geometry["text_baseline"][name]
            of_words = np.array(bootstrap["words"][name], dtype=float)
            if words is not None:
                baseline = words_alone(name, values[name], words, samples, of_words)
        found[finding] = of_map(
            name,
            values[name],
            samples,
            np.array(permuted["map"][name], dtype=float),
            n,
            unit,
            baseline,
        )
    return found


if __name__ == "__main__":
    run(main)
