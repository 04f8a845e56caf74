"""Recompute the map's numbers many times: over resampled topics and words, or with
permuted emotions.
"""

import argparse
from pathlib import Path

import numpy as np

from emotion_concepts.command import run
from emotion_concepts.geometry import (
    bootstrap,
    middle_to_late,
    permuted,
    permuted_rsa,
    rated,
    resampled_rsa,
    similarity,
    with_neutral,
    with_within,
)
from emotion_concepts.progress import Progress
from emotion_concepts.store import read_json, read_meaning, read_tensor, write_json
from emotion_concepts.vectors import centred, stored_kind

RSA_SHARE = 5  # the comparison of all layers is resampled a fifth as often


def main() -> None:
    """Write the samples of every number of the map."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--settings", type=Path, required=True)
    parser.add_argument("--vectors", type=Path, required=True)
    parser.add_argument("--cells", type=Path, required=True)
    parser.add_argument("--how", choices=("bootstrap", "permuted"), required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    settings, meaning = read_json(args.settings), read_meaning(args.vectors)
    emotions, layers, kind = meaning["emotions"], meaning["layers"], meaning["denoise"]
    times = settings["resamples"]
    people = rated(emotions, next(iter(settings["ratings"].values())))
    fixed = layers.index(meaning["fixed_layer"])
    cells = centred(read_tensor(args.cells, "cells", fixed))
    bases = [removed(args.vectors, kind, layer, meaning["width"]) for layer in layers]
    denoise = (
        with_within(meaning["within_components"])
        if kind == "within"
        else with_neutral(bases[fixed])
    )
    middle = middle_to_late(layers, meaning["blocks"])
    few = max(1, times // RSA_SHARE) if middle else 0
    if args.how == "bootstrap":
        words = centred(read_tensor(args.cells, "word_cells"))
        sources = {"map": (cells, denoise)}
        if words.size:
            count = read_meaning(args.cells)["word_components"]
            sources["words"] = (words, with_within(count))
        progress = Progress(args.name, times * len(sources) + few * len(middle))
        found = {
            # The same seed: the same topics and words are drawn for both.
            source: bootstrap(rows, recipe, people, times, 0, progress)
            for source, (rows, recipe) in sources.items()
        }
        each = (
            (centred(read_tensor(args.cells, "cells", i)), bases[i]) for i in middle
        )
        rsa = resampled_rsa(each, few, 0, progress)
    else:
        progress = Progress(args.name, times + few)
        found = {"map": permuted(cells, denoise, people, times, 0, progress)}
        stored = stored_kind(kind)
        rows = [similarity(read_tensor(args.vectors, stored, i)) for i in middle]
        rsa = permuted_rsa(np.array(rows), len(emotions), few, 0, progress)
    found["map"]["rsa_mid_late_min"] = rsa
    write_json(
        args.out,
        {
            source: {name: values.tolist() for name, values in samples.items()}
            for source, samples in found.items()
        },
    )


def removed(vectors: Path, kind: str, layer: int, width: int) -> np.ndarray:
    """The components that were taken out of the vectors at a layer."""
    if kind == "none":
        return np.zeros((0, width), np.float32)
    return read_tensor(vectors, f"{kind}_components_{layer}")


if __name__ == "__main__":
    run(main)
