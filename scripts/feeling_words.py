"""Score every focus emotion's own word under every focus direction and random ones."""

from emotion_concepts.choices import ledger_keys, score_choices
from emotion_concepts.command import run, steered_step
from emotion_concepts.directions import read_directions
from emotion_concepts.feeling_words import Asked, word_items, word_record
from emotion_concepts.model import file_digest, load
from emotion_concepts.openings import UNSTEERED, conditions
from emotion_concepts.store import Ledger, alone, read_json, write_records


def main() -> None:
    """Score what is not scored yet, and put the records together."""
    args = steered_step(__doc__).parse_args()
    settings = read_json(args.settings)
    openings, words = settings["openings"], settings["focus"]
    steered = conditions(words, settings["random"], [settings["strength"]])
    model = load(args.weights, args.max_memory)
    directions = read_directions(args.vectors, model.identity)
    recipe = [file_digest(args.vectors), model.identity, args.code]
    ledger = Ledger(args.batches, recipe, ".jsonl", ledger_keys)
    others = ledger.others()
    with alone(args.out):
        scored = score_choices(
            model,
            word_items(openings, words, [(UNSTEERED, 0.0), *steered]),
            Asked(model, openings, directions).choice,
            ledger,
            settings["batch_rows"],
            args.name,
        )
        write_records(args.out, map(word_record, scored))
        ledger.forget(others)


if __name__ == "__main__":
    run(main)
