"""Say of every text which faults it has and whether it is kept, and count them."""

import argparse
from pathlib import Path

from emotion_concepts.command import run
from emotion_concepts.errors import StudyError
from emotion_concepts.store import read_json, read_records, write_json, write_records
from emotion_concepts.texts import by_item, counts, select_neutral, select_stories


def main() -> None:
    """Put the shards together and judge their texts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--settings", type=Path, required=True)
    parser.add_argument("--shards", type=Path, nargs="+", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--counts", type=Path, required=True)
    args = parser.parse_args()
    settings = read_json(args.settings)
    records = read_records(args.shards)
    wanted = settings["texts"]
    if len(records) != wanted:
        shards = ", ".join(map(str, args.shards))
        raise StudyError(
            f"{shards}: {len(records)} texts where there should be {wanted}; "
            "delete what was changed by hand and run again"
        )
    if "emotion" in records[0]:
        stories = by_item(records)
        records = select_stories(stories, settings["wording"], settings["drop"])
    else:
        records = select_neutral(records, settings["wording"])
    write_records(args.out, records)
    write_json(args.counts, counts(records))


if __name__ == "__main__":
    run(main)
