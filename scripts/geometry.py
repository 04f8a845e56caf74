"""Draw up the map of the emotions: axes, order, clusters, read-outs, every layer."""

import argparse
from pathlib import Path

import numpy as np

from emotion_concepts.command import run
from emotion_concepts.geometry import (
    Rated,
    between_layers,
    clusters,
    leaf_order,
    measure,
    middle_to_late,
    pair_cosines,
    principal_axes,
    rated,
    read_outs,
    similarity,
    with_within,
)
from emotion_concepts.statistics import correlation
from emotion_concepts.store import read_json, read_meaning, read_tensor, write_json
from emotion_concepts.vectors import KINDS, centred, cosines, stored_kind


def main() -> None:
    """Write everything that figures and findings say of the map, without intervals."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--settings", type=Path, required=True)
    parser.add_argument("--vectors", type=Path, required=True)
    parser.add_argument("--cells", type=Path, required=True)
    parser.add_argument("--first", required=True, help="the ratings that count")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    settings, meaning = read_json(args.settings), read_meaning(args.cells)
    emotions, layers = meaning["emotions"], meaning["layers"]
    fixed = layers.index(meaning["fixed_layer"])
    kind = stored_kind(meaning["denoise"])
    people = {n: rated(emotions, r) for n, r in settings["ratings"].items()}
    first = people[args.first]
    every = np.arange(len(first.index))
    by_kind = {k: read_tensor(args.vectors, k) for k in KINDS}
    vectors = by_kind[kind][fixed]
    axes = principal_axes(vectors)
    lengths = np.nanmean(read_tensor(args.cells, "tokens")[..., 0], axis=1)
    cells = read_tensor(args.cells, "cells", fixed)
    words = centred(read_tensor(args.cells, "word_cells"))
    middle = middle_to_late(layers, meaning["blocks"])
    rsa = between_layers(np.stack([similarity(v) for v in by_kind[kind]]))
    order = leaf_order(vectors)
    write_json(
        args.out,
        {
            "emotions": emotions,
            "layers": layers,
            "blocks": meaning["blocks"],
            "topics": len(meaning["topics"]),
            "stories": meaning["stories"],
            "too_short": meaning["too_short"],
            "cut_at_limit": meaning["cut_at_limit"],
            "fixed_layer": meaning["fixed_layer"],
            "kind": kind,
            "within_components": meaning["within_components"],
            "scores": axes.scores.tolist(),
            "variance": axes.variance.tolist(),
            "first_ratings": args.first,
            "rated_words": len(first.index),
            "ratings": {
                name: {
                    "words": [emotions[i] for i in p.index],
                    "pleasure": p.pleasure.tolist(),
                    "arousal": p.arousal.tolist(),
                    "components": components(axes.scores, p),
                    "read_out": {
                        k: v.tolist() for k, v in read_outs(vectors, p).items()
                    },
                    "measured": measure(vectors, p, np.arange(len(p.index))),
                }
                for name, p in people.items()
                if len(p.index) >= 3
            },
            "length_r": [
                correlation(axes.scores[:, c], lengths)
                for c in range(axes.scores.shape[1])
            ],
            "order": order,
            "cosines": cosines(vectors, vectors).round(6).tolist(),
            # Before anything is taken away, all emotions point the same way.
            "uncentred_cosine": pair_cosines(np.nanmean(cells, axis=1)),
            "centred_cosine": pair_cosines(vectors),
            "clusters": clusters(vectors, settings["clusters"], seed=0).tolist(),
            "by_kind": {k: measure(v[fixed], first, every) for k, v in by_kind.items()},
            "by_layer": {
                k: [measure(v, first, every) for v in by_kind[k]] for k in KINDS
            },
            "text_baseline": measure(
                with_within(meaning["word_components"])(words, None), first, every
            )
            if words.size
            else None,
            "word_components": meaning["word_components"],
            "between_layers": rsa.round(6).tolist(),
            "middle_to_late": [layers[i] for i in middle],
            "rsa_mid_late_min": float(rsa[np.ix_(middle, middle)].min())
            if middle
            else None,
        },
    )


def components(scores: np.ndarray, people: Rated) -> dict[str, list[float]]:
    """Correlation of every component with either rating, signed as components are."""
    rated_scores = scores[people.index]
    return {
        name: [correlation(column, ratings) for column in rated_scores.T]
        for name, ratings in (
            ("pleasure", people.pleasure),
            ("arousal", people.arousal),
        )
    }


if __name__ == "__main__":
    run(main)
