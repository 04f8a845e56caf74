"""Lay the emotions out in the plane by UMAP, for display only (paper, Figure 6)."""

import argparse
from pathlib import Path

from emotion_concepts.command import run
from emotion_concepts.store import read_meaning, read_tensor, write_json
from emotion_concepts.vectors import stored_kind


def main() -> None:
    """Write a place for every emotion."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--vectors", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    from umap import UMAP

    meaning = read_meaning(args.vectors)
    kind = stored_kind(meaning["denoise"])
    place = meaning["layers"].index(meaning["fixed_layer"])
    vectors = read_tensor(args.vectors, kind, place)
    layout = UMAP(
        n_neighbors=min(15, len(vectors) - 1),
        metric="cosine",
        init="pca",
        random_state=0,
        n_jobs=1,
    )
    places = layout.fit_transform(vectors)
    write_json(
        args.out, {"emotions": meaning["emotions"], "places": places.round(4).tolist()}
    )


if __name__ == "__main__":
    run(main)
