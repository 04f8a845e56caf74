"""Make the emotion vectors of every layer: raw, and with the directions of no emotion
taken out.
"""

import argparse
from pathlib import Path

import numpy as np

from emotion_concepts.activations import MEAN, NORM
from emotion_concepts.cells import kept_stories
from emotion_concepts.command import run
from emotion_concepts.errors import StudyError
from emotion_concepts.model import fixed_layer
from emotion_concepts.store import (
    digest,
    read_json,
    read_meaning,
    read_records,
    read_tensor,
    same_model,
    tensors_on_disk,
    write_json,
)
from emotion_concepts.texts import dialogue
from emotion_concepts.vectors import (
    KINDS,
    centred,
    choose_components,
    emotion_vectors,
    neutral_components,
    remove,
    within_components,
)
from emotion_concepts.words import word_rows


def main() -> None:
    """Vectors and cells of every layer, and how the number of removed components was
    decided.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--settings", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--stories", type=Path, required=True)
    parser.add_argument("--activations", type=Path, nargs="+", required=True)
    parser.add_argument("--neutral", type=Path, required=True)
    parser.add_argument("--neutral-activations", type=Path, required=True)
    parser.add_argument("--vectors", type=Path, required=True)
    parser.add_argument("--cells", type=Path, required=True)
    parser.add_argument("--denoising", type=Path, required=True)
    args = parser.parse_args()
    settings = read_json(args.settings)
    emotions, topics = settings["emotions"], settings["topics"]
    identity = read_json(args.model)["identity"]
    same_model(identity, *args.activations, args.neutral_activations)
    meaning = read_meaning(args.activations[0])
    layers, width = meaning["layers"], read_json(args.model)["width"]
    stories = kept_stories(
        read_records(args.stories), args.activations, emotions, topics
    )
    neutral, neutral_too_short = neutral_rows(args.neutral, args.neutral_activations)
    fixed = fixed_layer(settings["depth"], layers, meaning["blocks"])
    cells = stories.cells(
        stories.at_layer(layers.index(fixed)), len(emotions), len(topics)
    )
    count, scores = choose_components(centred(cells))
    texts = [record["text"] for record in stories.records]
    word_cells = stories.cells(word_rows(texts), len(emotions), len(topics))
    has_words = word_cells.shape[2] > 0
    word_count = choose_components(centred(word_cells))[0] if has_words else 0
    meaning |= {"emotions": emotions, "fixed_layer": fixed, "width": width}
    del meaning["keys"]
    meaning |= {"within_components": count, "denoise": settings["denoise"]}
    neutral_bases = [
        neutral_components(
            read_tensor(args.neutral_activations, MEAN, (slice(None), place))[neutral],
            settings["neutral_variance"],
        )
        for place in range(len(layers))
    ]
    shapes = dict.fromkeys(KINDS, (len(layers), len(emotions), width))
    shapes["norm"] = (len(layers),)
    for layer, basis in zip(layers, neutral_bases, strict=True):
        shapes[f"neutral_components_{layer}"] = basis.shape
        shapes[f"within_components_{layer}"] = (count, width)
    lengths = np.array([[r["tokens"]] for r in stories.records], np.float32)
    cut = sum(record["ended"] == "cut" for record in stories.records)
    of_stories = {
        "stories": len(stories.records),
        "too_short": stories.too_short,
        "cut_at_limit": cut,
    }
    cell_shapes = {
        "cells": (len(layers), len(emotions), len(topics), width),
        "word_cells": word_cells.shape,
        "tokens": (len(emotions), len(topics), 1),
    }
    cell_meaning = meaning | of_stories | {"topics": topics}
    cell_meaning |= {"word_components": word_count}
    with (
        tensors_on_disk(args.vectors, shapes, meaning) as out,
        tensors_on_disk(args.cells, cell_shapes, cell_meaning) as by_cell,
    ):
        by_cell["word_cells"][:] = word_cells
        by_cell["tokens"][:] = stories.cells(lengths, len(emotions), len(topics))
        for place, layer in enumerate(layers):
            cells = stories.cells(stories.at_layer(place), len(emotions), len(topics))
            by_cell["cells"][place] = cells
            cells = centred(cells)
            raw = emotion_vectors(cells)
            within = within_components(cells, count)
            out["raw"][place] = raw
            out["neutral"][place] = remove(raw, neutral_bases[place])
            out["within"][place] = remove(raw, within)
            # The unit of steering strength.
            out["norm"][place] = stories.at_layer(place, NORM).mean()
            out[f"neutral_components_{layer}"][:] = neutral_bases[place]
            out[f"within_components_{layer}"][:] = within
    write_json(
        args.denoising,
        {
            "fixed_layer": fixed,
            "denoise": settings["denoise"],
            "within_components": count,
            "rank_score_by_components": scores,
            "neutral_components": dict(
                zip(layers, map(len, neutral_bases), strict=True)
            ),
            "neutral_texts": len(neutral),
            "neutral_too_short": neutral_too_short,
        }
        | of_stories,
    )


def neutral_rows(texts: Path, activations: Path) -> tuple[list[int], int]:
    """Rows of the activations that belong to kept neutral texts, and how many more were
    kept, but are too short to be read.
    """
    kept = [
        digest(dialogue(r["question"], r["text"]))
        for r in read_records(texts)
        if not r["dropped"]
    ]
    keys = read_meaning(activations)["keys"]
    wanted, readable = set(kept), set(keys)
    rows = [row for row, key in enumerate(keys) if key in wanted]
    if len(rows) < 2:
        raise StudyError(
            f"{texts}: {len(rows)} neutral texts were kept and are long enough; raise "
            "neutral.dialogues or neutral.tokens"
        )
    return rows, sum(key not in readable for key in kept)


if __name__ == "__main__":
    run(main)
