"""Identify the emotion of every story, its topic held out; beside the words of the
stories and chance.
"""

import argparse
from pathlib import Path

import numpy as np

from emotion_concepts.cells import kept_stories
from emotion_concepts.command import run
from emotion_concepts.identification import identify, identify_by_words
from emotion_concepts.progress import Progress
from emotion_concepts.statistics import resampled_mean
from emotion_concepts.store import (
    read_json,
    read_meaning,
    read_records,
    read_tensor,
    same_model,
    write_json,
)
from emotion_concepts.vectors import KINDS, scores_of, stored_kind
from emotion_concepts.words import word_rows


def main() -> None:
    """Write the share of stories whose emotion is first, or among the first five, and
    the ranks.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--settings", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--stories", type=Path, required=True)
    parser.add_argument("--activations", type=Path, nargs="+", required=True)
    parser.add_argument("--vectors", type=Path, required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    settings, meaning = read_json(args.settings), read_meaning(args.vectors)
    same_model(read_json(args.model)["identity"], *args.activations, args.vectors)
    emotions, topics = settings["emotions"], settings["topics"]
    stories = kept_stories(
        read_records(args.stories), args.activations, emotions, topics
    )
    layer, kind = meaning["fixed_layer"], stored_kind(meaning["denoise"])
    rows = stories.at_layer(meaning["layers"].index(layer))
    words = word_rows([record["text"] for record in stories.records])
    neutral = read_tensor(args.vectors, f"neutral_components_{layer}")
    size = (len(emotions), len(topics))
    progress = Progress(args.name, len(topics) * (2 if words.size else 1))
    found = identify(stories, rows, *size, neutral, progress)
    # Neutral dialogues have no words to take out that stories are made of.
    told = words.size and identify(stories, words, *size, words[:0], progress)
    baselines = {}
    if told:
        baselines["words"] = told.ranks["within"]
        baselines["bag_of_words"] = identify_by_words(stories, *size)
    ranks = found.ranks | baselines
    scores = {name: measures(places, len(emotions)) for name, places in ranks.items()}

    def means(values: dict[str, np.ndarray]) -> dict[str, dict[str, float]]:
        return {
            name: mean(v, stories.topic, settings["resamples"])
            for name, v in values.items()
        }

    write_json(
        args.out,
        {
            "layer": layer,
            "kind": kind,
            "n": len(stories.records),
            "topics": len(topics),
            "chance": {
                "top1": 1 / len(emotions),
                "top5": min(1, 5 / len(emotions)),
                "rank_score": 0.5,
            },
            "probe": {k: means(scores[k]) for k in KINDS},
            "baselines": {name: means(scores[name]) for name in baselines},
            # Story by story, so that what is hard for both does not blur it.
            "probe_minus": {
                name: means({k: v - scores[name][k] for k, v in scores[kind].items()})
                for name in baselines
            },
            "removed_components": found.removed,
            "removed_from_words": told.removed if told else [],
            "stories": [
                {"key": record["key"]} | {k: int(v[i]) for k, v in ranks.items()}
                for i, record in enumerate(stories.records)
            ],
        },
    )


def measures(ranks: np.ndarray, emotions: int) -> dict[str, np.ndarray]:
    """What each story counts for, by measure."""
    return {
        "top1": (ranks <= 1).astype(float),
        "top5": (ranks <= 5).astype(float),
        "rank_score": scores_of(ranks, emotions),
    }


def mean(values: np.ndarray, topics: np.ndarray, resamples: int) -> dict[str, float]:
    """The mean over stories and its interval over topics."""
    interval = resampled_mean(values, topics, resamples, seed=0)
    return {
        "value": float(values.mean()),
        "low": interval.low,
        "high": interval.high,
    }


if __name__ == "__main__":
    run(main)
