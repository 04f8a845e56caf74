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
    principal_axes,
    rated,
    read_outs,
    similarity,
    text_vectors,
)
from emotion_concepts.statistics import correlation
from emotion_concepts.store import (
    read_json,
    read_meaning,
    read_records,
    read_tensor,
    write_json,
)
from emotion_concepts.vectors import KINDS, cosines, stored_kind


def main() -> None:
    """Write everything that figures and findings say of the map, without intervals."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--settings", type=Path, required=True)
    parser.add_argument("--vectors", type=Path, required=True)
    parser.add_argument("--stories", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    settings = read_json(args.settings)
    meaning = read_meaning(args.vectors)
    emotions, layers = meaning["emotions"], meaning["layers"]
    fixed = layers.index(meaning["fixed_layer"])
    kind = stored_kind(meaning["denoise"])
    people = {n: rated(emotions, r) for n, r in settings["ratings"].items()}
    first = next(iter(people.values()))
    every = np.arange(len(first.index))
    by_kind = {k: read_tensor(args.vectors, k) for k in KINDS}
    vectors = by_kind[kind][fixed]
    axes = principal_axes(vectors)
    stories = [r for r in read_records(args.stories) if not r["dropped"]]
    lengths = np.array(
        [np.mean([r["tokens"] for r in stories if r["emotion"] == e]) for e in emotions]
    )
    middle = middle_to_late(layers, meaning["blocks"])
    rsa = between_layers(np.stack([similarity(v) for v in by_kind[kind]]))
    order = leaf_order(vectors)
    write_json(
        args.out,
        {
            "emotions": emotions,
            "layers": layers,
            "blocks": meaning["blocks"],
            "topics": len({r["topic"] for r in stories}),
            "fixed_layer": meaning["fixed_layer"],
            "kind": kind,
            "within_components": meaning["within_components"],
            "scores": axes.scores.tolist(),
            "variance": axes.variance.tolist(),
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
            "clusters": clusters(vectors, settings["clusters"], seed=0).tolist(),
            "by_kind": {k: measure(v[fixed], first, every) for k, v in by_kind.items()},
            "by_layer": {
                k: [measure(v, first, every) for v in by_kind[k]] for k in KINDS
            },
            "text_baseline": measure(text_vectors(stories, emotions), first, every),
            "between_layers": rsa.round(6).tolist(),
            "middle_to_late": [layers[i] for i in middle],
            "rsa_mid_late_min": float(rsa[np.ix_(middle, middle)].min()),
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
