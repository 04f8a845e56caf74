"""Measure the graders of blackmail and of reward hacking on labelled replies."""

import argparse
from pathlib import Path

from emotion_concepts.command import run
from emotion_concepts.graders import of_blackmail, of_reward_hacking
from emotion_concepts.store import read_json, write_json


def main() -> None:
    """Write a grader's agreement with the labels."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--settings", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    settings = read_json(args.settings)
    measure = {"blackmail": of_blackmail, "reward_hacking": of_reward_hacking}
    found = measure[settings["behaviour"]](settings["labelled"], settings["entries"])
    write_json(args.out, found)


if __name__ == "__main__":
    run(main)
