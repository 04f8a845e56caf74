"""Identify the emotion of every story, its topic held out; beside a bag of words and
chance.
"""

import argparse
from pathlib import Path

import numpy as np

from emotion_concepts.cells import kept_stories
from emotion_concepts.command import run
from emotion_concepts.identification import identify
from emotion_concepts.statistics import resampled_mean
from emotion_concepts.store import read_json, read_meaning, read_records, write_json
from emotion_concepts.vectors import scores_of


def main() -> None:
    """Write the share of stories whose emotion is first, or among the first five, and
    the ranks.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--settings", type=Path, required=True)
    parser.add_argument("--stories", type=Path, required=True)
    parser.add_argument("--activations", type=Path, nargs="+", required=True)
    parser.add_argument("--denoising", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    settings = read_json(args.settings)
    emotions, topics = settings["emotions"], settings["topics"]
    stories = kept_stories(
        read_records(args.stories), args.activations, emotions, topics
    )
    layer = read_json(args.denoising)["fixed_layer"]
    place = read_meaning(args.activations[0])["layers"].index(layer)
    found = identify(stories, stories.at_layer(place), len(emotions), len(topics))

    def mean(values: np.ndarray) -> dict[str, float]:
        interval = resampled_mean(values, stories.topic, settings["resamples"], seed=0)
        return {
            "value": float(values.mean()),
            "low": interval.low,
            "high": interval.high,
        }

    def summary(ranks: np.ndarray) -> dict[str, dict[str, float]]:
        return {
            "top1": mean((ranks <= 1).astype(float)),
            "top5": mean((ranks <= 5).astype(float)),
            "rank_score": mean(scores_of(ranks, len(emotions))),
        }

    write_json(
        args.out,
        {
            "layer": layer,
            "n": len(stories.records),
            "topics": len(topics),
            "chance": {
                "top1": 1 / len(emotions),
                "top5": min(1, 5 / len(emotions)),
                "rank_score": 0.5,
            },
            "probe": summary(found.probe),
            "bag_of_words": summary(found.words),
            "removed_components": found.removed,
            "stories": [
                {
                    "key": record["key"],
                    "probe_rank": int(p),
                    "bag_of_words_rank": int(w),
                }
                for record, p, w in zip(
                    stories.records, found.probe, found.words, strict=True
                )
            ],
        },
    )


if __name__ == "__main__":
    run(main)
