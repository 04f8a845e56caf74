"""Have the model, steered and not, act in an evaluation in its own words, and reread
what it wrote unsteered: one shard of the directions.
"""

from emotion_concepts import choices, writing
from emotion_concepts.behaviours import (
    asked,
    conditions,
    reply_prompt,
    rereading,
    rollout_items,
)
from emotion_concepts.command import run, steered_step
from emotion_concepts.directions import read_directions
from emotion_concepts.evaluations import first_of_each, steered_ids
from emotion_concepts.generation import Sampling
from emotion_concepts.model import file_digest, load
from emotion_concepts.rollouts import (
    Messages,
    Talks,
    coding_sessions,
    described,
    run_keys,
    running,
)
from emotion_concepts.sandbox import require_sandbox
from emotion_concepts.store import Ledger, Record, alone, read_json, write_records

# What decides an item's text, besides the item itself.
DECISIVE = ("sampling", "tokens", "batch_rows")


def main() -> None:
    """Write what is not written yet, and put the shard's file together."""
    parser = steered_step(__doc__)
    parser.add_argument("--grader-code", required=True)
    args = parser.parse_args()
    settings = read_json(args.settings)
    behaviour, instructions = settings["behaviour"], settings["instructions"]
    drawing = settings["sampling"]
    entries = first_of_each(behaviour, settings["entries"], settings["asked"])
    runs_code = behaviour == "reward_hacking"
    if runs_code:
        require_sandbox()
    model = load(args.weights, args.max_memory)
    directions = read_directions(args.vectors, model.identity)
    decisive = {name: settings[name] for name in DECISIVE}
    recipe = [decisive, file_digest(args.vectors), model.identity, args.code]
    # A grader that is mended grades anew what was written before.
    graded_by = [args.grader_code, entries]
    ledgers = {
        name: Ledger(args.batches / name, made_by, ".jsonl", keys)
        for name, made_by, keys in (
            ("texts", recipe, writing.ledger_keys),
            ("scores", recipe, choices.ledger_keys),
            ("runs", graded_by, run_keys),
        )
    }
    others = {name: ledger.others() for name, ledger in ledgers.items()}
    talks = Talks(behaviour, entries, instructions)
    some = conditions(settings["directions"], settings["strengths"])
    cases = asked(entries, steered_ids(behaviour, entries, settings), some)
    groups = rollout_items(cases, talks.shown, settings["rollouts"], drawing["seed"])

    def write(groups: list[list[Record]], messages: Messages) -> list[Record]:
        return writing.write_texts(
            model,
            groups,
            ledgers["texts"],
            Sampling(drawing["temperature"], drawing["top_k"]),
            settings["tokens"],
            settings["batch_rows"],
            args.name,
            reply_prompt(messages, directions),
        )

    with alone(args.out):
        if runs_code:
            grade = running(entries, ledgers["runs"])
            retry, turns = instructions["retry"], settings["turns"]
            texts = coding_sessions(groups, talks, write, grade, retry, turns)
        else:
            texts = write(groups, talks.messages)
        reread, choice = rereading(model, texts, talks.messages)
        scored = choices.score_choices(
            model,
            reread,
            choice,
            ledgers["scores"],
            settings["batch_rows"],
            f"{args.name}, reread",
        )
        write_records(args.out, described(texts, scored))
        for name, ledger in ledgers.items():
            ledger.forget(others[name])


if __name__ == "__main__":
    run(main)
