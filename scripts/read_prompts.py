"""Read the residual stream at named positions of a set of prompts, at every captured
layer.
"""

import argparse
import json
from pathlib import Path

from emotion_concepts.command import run
from emotion_concepts.model import LAYER_CONVENTION, load, spaced_layers
from emotion_concepts.prompts import read_prompts, write_prompts
from emotion_concepts.store import read_json


def main() -> None:
    """Write what the model holds of each prompt."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--settings", type=Path, required=True)
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--max-memory", type=json.loads, required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    settings = read_json(args.settings)
    prompts, names = settings["prompts"], settings["positions"]
    model = load(args.weights, args.max_memory)
    layers = spaced_layers(settings["layers"], len(model.blocks))
    read = read_prompts(model, prompts, names, layers, settings["batch_tokens"])
    meaning = {
        "model": model.identity,
        "layers": layers,
        "blocks": len(model.blocks),
        "layer_convention": LAYER_CONVENTION,
    }
    write_prompts(args.out, read, [p["key"] for p in prompts], names, meaning)


if __name__ == "__main__":
    run(main)
