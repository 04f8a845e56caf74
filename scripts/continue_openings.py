"""Have the steered model continue neutral openings, and reread what it wrote
unsteered.
"""

from emotion_concepts import choices, writing
from emotion_concepts.command import run, steered_step
from emotion_concepts.continuations import (
    continuation_items,
    judged,
    rereading,
    steered_prompt,
)
from emotion_concepts.directions import read_directions
from emotion_concepts.generation import Sampling
from emotion_concepts.model import file_digest, load
from emotion_concepts.openings import conditions
from emotion_concepts.store import Ledger, alone, read_json, write_records

# What says which items there are; all else decides what an item's text is.
ITEMS = ("focus", "openings", "random", "strengths", "wording")


def main() -> None:
    """Write the texts that are not there yet, and judge them."""
    args = steered_step(__doc__).parse_args()
    settings = read_json(args.settings)
    openings, drawing = settings["openings"], settings["sampling"]
    random, rows = settings["random"], settings["batch_rows"]
    items = continuation_items(
        openings,
        conditions(settings["focus"], random, settings["strengths"]),
        random,
        drawing["seed"],
    )
    model = load(args.weights, args.max_memory)
    directions = read_directions(args.vectors, model.identity)
    decisive = {k: v for k, v in settings.items() if k not in ITEMS}
    recipe = [decisive, file_digest(args.vectors), model.identity, args.code]
    texts = Ledger(args.batches / "texts", recipe, ".jsonl", writing.ledger_keys)
    scores = Ledger(args.batches / "scores", recipe, ".jsonl", choices.ledger_keys)
    others = [ledger.others() for ledger in (texts, scores)]
    with alone(args.out):
        written = writing.write_texts(
            model,
            items,
            texts,
            Sampling(drawing["temperature"], drawing["top_k"]),
            settings["max_tokens"],
            rows,
            args.name,
            steered_prompt(openings, directions),
        )
        groups, choice = rereading(model, openings, written)
        scored = choices.score_choices(
            model, groups, choice, scores, rows, f"{args.name}, reread"
        )
        write_records(args.out, judged(written, scored, settings["wording"]))
        for ledger, old in ((texts, others[0]), (scores, others[1])):
            ledger.forget(old)


if __name__ == "__main__":
    run(main)
