"""Read the focus emotions' probes along stories, and along a corpus, token by token."""

import argparse
import json
from pathlib import Path

import numpy as np

from emotion_concepts.command import run
from emotion_concepts.corpus import draw_stories, read_passages
from emotion_concepts.directions import read_directions
from emotion_concepts.model import Model, load
from emotion_concepts.passages import (
    along,
    emotional,
    on_spans,
    rendered_passages,
    span_effect,
    top_passages,
)
from emotion_concepts.store import Record, read_json, read_records, write_json


def main() -> None:
    """Write how the probes go along the stories, and their top passages."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--settings", type=Path, required=True)
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--max-memory", type=json.loads, required=True)
    parser.add_argument("--vectors", type=Path, required=True)
    parser.add_argument("--stories", type=Path, required=True)
    parser.add_argument("--corpus", type=Path, nargs="*", default=[])
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    settings = read_json(args.settings)
    focus, count = settings["focus"], settings["passages"]
    stories = draw_stories(read_records(args.stories), focus, count)
    model = load(args.weights, args.max_memory)
    found = read_directions(args.vectors, model.identity)
    layer = found.layers[found.fixed]
    rows = [found.emotions.index(emotion) for emotion in focus]
    vectors = found.vectors[found.fixed][rows]

    def read(records: list[Record]) -> tuple:
        return read_along(model, records, vectors, layer, settings["batch_tokens"])

    stories, passages, values = read(stories)
    spans = emotional(settings["wording"])
    effects = [
        {"key": record["key"], "emotion": record["emotion"]} | effect
        for record, passage, value in zip(stories, passages, values, strict=True)
        if (
            effect := span_effect(
                value, focus.index(record["emotion"]), on_spans(passage, spans)
            )
        )
    ]
    corpus = stories
    named = next(iter(args.corpus), None)
    if named:
        corpus, passages, values = read(read_passages(named, count))
    write_json(
        args.out,
        {
            "layer": layer,
            "stories": effects,
            "corpus": named.name if named else None,
            "read": {
                e: sum(r.get("emotion") == e for r in corpus)
                for e in ([] if named else focus)
            }
            | {"all": len(corpus)},
            "top": {
                emotion: top_passages(corpus, passages, values, probe)
                for probe, emotion in enumerate(focus)
            },
        },
    )


def read_along(
    model: Model,
    records: list[Record],
    vectors: np.ndarray,
    layer: int,
    batch_tokens: int,
) -> tuple:
    """The records that are long enough to be read, their passages and values."""
    passages = rendered_passages(model, [record["text"] for record in records])
    long = [place for place, one in enumerate(passages) if len(one.tokens) > 1]
    records, passages = [records[i] for i in long], [passages[i] for i in long]
    return records, passages, along(model, passages, vectors, layer, batch_tokens)


if __name__ == "__main__":
    run(main)
