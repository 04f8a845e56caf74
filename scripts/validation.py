"""Put together whether the vectors stand for their emotions, with intervals and
nulls.
"""

import argparse
from pathlib import Path

from emotion_concepts.command import run
from emotion_concepts.directions import read_directions
from emotion_concepts.store import read_json, read_records, same_model, write_json
from emotion_concepts.validation import (
    FEWEST,
    of_continuations,
    of_intensities,
    of_lens,
    of_passages,
    of_scenarios,
    of_words,
)


def main() -> None:
    """Write every number of part 1.2; without two focus emotions there are none."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--settings", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--vectors", type=Path, required=True)
    parser.add_argument("--stories", type=Path, required=True)
    parser.add_argument("--scenarios", type=Path, required=True)
    parser.add_argument("--intensities", type=Path, required=True)
    parser.add_argument("--lens", type=Path, required=True)
    parser.add_argument("--words", type=Path, required=True)
    parser.add_argument("--continuations", type=Path, required=True)
    parser.add_argument("--passages", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    settings = read_json(args.settings)
    focus, resamples = settings["focus"], settings["resamples"]
    found = {"focus": focus}
    if len(focus) >= FEWEST:
        identity = read_json(args.model)["identity"]
        same_model(identity, args.scenarios, args.intensities)
        probes = read_directions(args.vectors, identity)
        stories = [s for s in read_records(args.stories) if not s["dropped"]]
        words = read_records(args.words)
        texts = read_records(args.continuations)
        found |= {
            "lens": of_lens(read_json(args.lens), focus, settings["forms"], resamples),
            "scenarios": of_scenarios(
                args.scenarios, settings["scenarios"], probes, focus, stories, resamples
            ),
            "intensities": of_intensities(
                args.intensities, settings["intensities"], probes, focus, resamples
            ),
            "words": of_words(words, focus, settings["strength"], resamples),
            "continuations": of_continuations(texts, focus, resamples),
            "passages": of_passages(read_json(args.passages), focus, resamples),
        }
    write_json(args.out, found)


if __name__ == "__main__":
    run(main)
