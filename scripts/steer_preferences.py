"""Ask for the model's preferences while it is steered on the tokens of half the
activities: one shard of the directions.
"""

from emotion_concepts.choices import Choice, ledger_keys, score_choices
from emotion_concepts.command import run, steered_step
from emotion_concepts.directions import read_directions
from emotion_concepts.model import file_digest, load
from emotion_concepts.preferences import Condition, chooser, conditions, steered_items
from emotion_concepts.steering import Steering, steering
from emotion_concepts.store import Ledger, Record, alone, read_json, write_records


def main() -> None:
    """Score the conditions that are not scored yet, and put the shard's file
    together.
    """
    args = steered_step(__doc__).parse_args()
    settings = read_json(args.settings)
    activities, prompt = settings["activities"], settings["prompt"]
    model = load(args.weights, args.max_memory)
    directions = read_directions(args.vectors, model.identity)
    some = conditions(
        directions,
        settings["directions"],
        settings["extremes"],
        settings["strengths"],
        settings["layer_ranges"],
        settings["steered_range"],
    )

    def added(condition: Condition) -> Steering | None:
        places = [directions.layers.index(layer) for layer in condition.layers]
        vectors = directions.named(condition.direction)[places]
        return steering(
            vectors, directions.norms[places], condition.layers, condition.strength
        )

    choose = chooser(model, activities, prompt)
    by_condition = {str(condition.key()): added(condition) for condition in some}

    def choice(item: Record) -> Choice:
        condition = [item["direction"], item["strength"], item["layers"]]
        return choose(item, by_condition[str(condition)])

    vectors = file_digest(args.vectors)
    recipe = [model.identity, settings["batch_rows"], vectors, args.code]
    ledger = Ledger(args.batches, recipe, ".jsonl", ledger_keys)
    groups = [steered_items(activities, prompt, condition) for condition in some]
    others = ledger.others()
    with alone(args.out):
        records = score_choices(
            model, groups, choice, ledger, settings["batch_rows"], args.name
        )
        write_records(args.out, records)
        ledger.forget(others)


if __name__ == "__main__":
    run(main)
