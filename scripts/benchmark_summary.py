"""Put the benchmark's ratios together, and print them."""

import argparse
from pathlib import Path

from emotion_concepts.benchmark import entries
from emotion_concepts.command import run
from emotion_concepts.store import read_json, write_json


def main() -> None:
    """One entry for each work and peer."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--works", type=Path, nargs="+", required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    records = [read_json(path) for path in args.works]
    summary = [entry for record in records for entry in entries(record["work"], record)]
    for entry in summary:
        print(
            "{work}: {ratio:.2f} times {peer} ({ratio_low:.2f} to {ratio_high:.2f}; "
            "target {target})".format(**entry)
        )
    write_json(args.out, summary)


if __name__ == "__main__":
    run(main)
