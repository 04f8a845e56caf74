"""Write the page that shows what was found with one model."""

import argparse
from pathlib import Path

from emotion_concepts.command import run
from emotion_concepts.report import page
from emotion_concepts.store import read_json, write_text


def main() -> None:
    """Write one HTML page that needs no other file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--name", required=True)
    parser.add_argument("--template", type=Path, required=True)
    parser.add_argument("--findings", type=Path, required=True)
    parser.add_argument("--figures", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--denoising", type=Path, required=True)
    parser.add_argument("--geometry", type=Path, required=True)
    parser.add_argument("--identification", type=Path, required=True)
    parser.add_argument("--story-counts", type=Path, required=True)
    parser.add_argument("--neutral-counts", type=Path, required=True)
    parser.add_argument("--validation", type=Path, required=True)
    parser.add_argument("--preferences", type=Path, required=True)
    parser.add_argument("--behaviours", type=Path, nargs="+", required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    text = page(
        template=args.template,
        name=args.name,
        model=read_json(args.model),
        findings=read_json(args.findings),
        figures=args.figures,
        geometry=read_json(args.geometry),
        denoising=read_json(args.denoising),
        identification=read_json(args.identification),
        stories=read_json(args.story_counts),
        neutral=read_json(args.neutral_counts),
        validation=read_json(args.validation),
        preferences=read_json(args.preferences),
        behaviours=[read_json(path) for path in args.behaviours],
    )
    write_text(args.out, text)


if __name__ == "__main__":
    run(main)
