"""Ask the model, steered and not, which of the spelled-out options of an evaluation it
takes: one shard of the directions.
"""

from emotion_concepts.behaviours import (
    asked,
    choice_items,
    conditions,
    option_chooser,
)
from emotion_concepts.choices import ledger_keys, score_choices
from emotion_concepts.command import run, steered_step
from emotion_concepts.directions import read_directions
from emotion_concepts.evaluations import first_of_each, steered_ids
from emotion_concepts.model import file_digest, load
from emotion_concepts.store import Ledger, alone, read_json, write_records


def main() -> None:
    """Score what is not scored yet, and put the shard's file together."""
    args = steered_step(__doc__).parse_args()
    settings = read_json(args.settings)
    behaviour, instructions = settings["behaviour"], settings["instructions"]
    rows = settings["batch_rows"]
    entries = first_of_each(behaviour, settings["entries"], settings["asked"])
    model = load(args.weights, args.max_memory)
    directions = read_directions(args.vectors, model.identity)
    some = conditions(settings["directions"], settings["strengths"])
    cases = asked(entries, steered_ids(behaviour, entries, settings), some)
    choose = option_chooser(model, behaviour, instructions, entries, directions)
    recipe = [rows, file_digest(args.vectors), model.identity, args.code]
    ledger = Ledger(args.batches, recipe, ".jsonl", ledger_keys)
    others = ledger.others()
    with alone(args.out):
        groups = choice_items(behaviour, instructions, cases)
        records = score_choices(model, groups, choose, ledger, rows, args.name)
        write_records(args.out, records)
        ledger.forget(others)


if __name__ == "__main__":
    run(main)
