"""Draw every figure, as SVG and as PNG."""

import argparse
from pathlib import Path

from emotion_concepts.command import run
from emotion_concepts.figures import save
from emotion_concepts.figures_behaviours import behaviour
from emotion_concepts.figures_clusters import clusters, cosine_matrix
from emotion_concepts.figures_layers import between_layers, denoising, layers
from emotion_concepts.figures_map import emotion_map, people
from emotion_concepts.figures_preferences import preference_steering, preferences
from emotion_concepts.figures_pressure import pressure_probes
from emotion_concepts.figures_texts import identification, texts
from emotion_concepts.figures_validation import (
    continuations,
    feeling_words,
    intensities,
    scenarios,
)
from emotion_concepts.figures_wild import wild
from emotion_concepts.paper_curves import paper_curves
from emotion_concepts.store import read_json


def main() -> None:
    """Write `<name>.svg` and `<name>.png` of each figure into one folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--geometry", type=Path, required=True)
    parser.add_argument("--bootstrap", type=Path, required=True)
    parser.add_argument("--permuted", type=Path, required=True)
    parser.add_argument("--layout", type=Path, required=True)
    parser.add_argument("--denoising", type=Path, required=True)
    parser.add_argument("--identification", type=Path, required=True)
    parser.add_argument("--story-counts", type=Path, required=True)
    parser.add_argument("--neutral-counts", type=Path, required=True)
    parser.add_argument("--validation", type=Path, required=True)
    parser.add_argument("--preferences", type=Path, required=True)
    parser.add_argument("--wild", type=Path, required=True)
    parser.add_argument("--behaviours", type=Path, nargs="+", required=True)
    parser.add_argument("--curves", type=Path, required=True)
    parser.add_argument("--findings", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    geometry, findings = read_json(args.geometry), read_json(args.findings)
    identified = read_json(args.identification)
    removed = read_json(args.denoising)
    preferred, tested = read_json(args.preferences), read_json(args.validation)
    stories, neutral = read_json(args.story_counts), read_json(args.neutral_counts)
    behaviours = [read_json(path) for path in args.behaviours]
    curves = paper_curves(args.curves)
    drawn = {
        "emotion_map": emotion_map(geometry, findings),
        "people": people(geometry, findings),
        "cosine_matrix": cosine_matrix(geometry),
        "clusters": clusters(geometry, read_json(args.layout)),
        "layers": layers(geometry, read_json(args.bootstrap), read_json(args.permuted)),
        "between_layers": between_layers(geometry, findings),
        "denoising": denoising(geometry, removed, identified),
        "identification": identification(identified),
        "texts": texts(stories, neutral, removed),
        "scenarios": scenarios(tested, findings),
        "intensities": intensities(tested, findings),
        "feeling_words": feeling_words(tested, findings),
        "continuations": continuations(tested, findings),
        "preferences": preferences(preferred, findings),
        "preference_steering": preference_steering(preferred, findings),
        "wild": wild(read_json(args.wild), findings),
        "pressure_probes": pressure_probes(behaviours),
    }
    drawn |= {found["behaviour"]: behaviour(found, curves) for found in behaviours}
    for name, figure in drawn.items():
        for kind in ("svg", "png"):
            save(figure, args.out / f"{name}.{kind}")


if __name__ == "__main__":
    run(main)
