"""Read every emotion's vector through the logit lens."""

import argparse
import json
from pathlib import Path

from emotion_concepts.command import run
from emotion_concepts.directions import read_directions
from emotion_concepts.lens import tokens_of
from emotion_concepts.model import load
from emotion_concepts.store import read_json, write_json


def main() -> None:
    """Write the tokens of all emotions at the fixed layer, and of the focus emotions at
    every layer.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--settings", type=Path, required=True)
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--max-memory", type=json.loads, required=True)
    parser.add_argument("--vectors", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    settings = read_json(args.settings)
    model = load(args.weights, args.max_memory)
    found = read_directions(args.vectors, model.identity)
    focus = [found.emotions.index(emotion) for emotion in settings["focus"]]
    every = tokens_of(model, found.vectors[found.fixed])
    write_json(
        args.out,
        {
            "layer": found.layers[found.fixed],
            "emotions": dict(zip(found.emotions, every, strict=True)),
            "by_layer": {
                layer: dict(
                    zip(
                        settings["focus"],
                        tokens_of(model, found.vectors[place][focus]),
                        strict=True,
                    )
                )
                for place, layer in enumerate(found.layers)
            },
        },
    )


if __name__ == "__main__":
    run(main)
