"""The study's work of four kinds, as contests between the engine and its peers.

The engine does each as the study does, through the same functions, from the words to
the written files; its peers are handed tokens and keep nothing.
"""

import resource
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch

from emotion_concepts import peers
from emotion_concepts.activations import Reading, capture_texts
from emotion_concepts.benchmark import Contest
from emotion_concepts.capture import mean_residuals
from emotion_concepts.chat import render, tokenise
from emotion_concepts.choices import ledger_keys as choice_keys
from emotion_concepts.choices import score_choices
from emotion_concepts.generation import Sampling, generate
from emotion_concepts.model import Model, fixed_layer
from emotion_concepts.preferences import chooser, pair_items
from emotion_concepts.prefill import Prompt
from emotion_concepts.steering import steering
from emotion_concepts.store import Ledger, Record, read_meaning
from emotion_concepts.texts import story_items
from emotion_concepts.writing import ledger_keys as text_keys
from emotion_concepts.writing import write_texts

DEPTH = 2 / 3  # where rollouts are steered, as a share of the depth


def stories(model: Model, folder: Path, texts: list[str], settings: Record) -> Contest:
    """Stories of every emotion on one topic, against `generate`."""
    drawing = settings["sampling"]
    sampling = Sampling(drawing["temperature"], drawing["top_k"])
    groups = story_items(
        settings["emotions"],
        settings["topics"],
        1,
        settings["story_prompt"],
        drawing["seed"],
    )

    def ours(place: Path) -> float:
        records = write_texts(
            model,
            groups,
            Ledger(place, None, ".jsonl", text_keys),
            sampling,
            settings["max_tokens"],
            settings["batch_rows"],
            "stories",
        )
        return sum(record["tokens"] for record in records)

    prompts = [
        render(model.tokenizer, [{"role": "user", "content": item["prompt"]}]).tokens
        for group in groups
        for item in group
    ]
    generate = partial(
        peers.written,
        peers.network(folder, model),
        model.tokenizer,
        model.stop_tokens(),
        sampling,
        settings["max_tokens"],
    )
    return Contest(
        "tokens",
        2.0,
        _in_new_folder(ours),
        {"transformers generate": generate},
        prompts,
        [16, 32, 64, 128],
    )


def capture(model: Model, folder: Path, texts: list[str], settings: Record) -> Contest:
    """The mean residual stream of texts at all layers, against three libraries."""
    texts = list(dict.fromkeys(texts))
    reading = Reading(0, 1, list(range(len(model.blocks))))

    def read(some: list[str], place: Path) -> None:
        ledger = Ledger(
            place, None, ".safetensors", lambda path: read_meaning(path)["keys"]
        )
        capture_texts(model, some, ledger, reading, settings["batch_tokens"], "capture")

    some = texts[: settings["texts"]]
    tokens = [tokenise(model.tokenizer, text, True).tokens for text in some]

    def ours(place: Path) -> float:
        read(some, place)
        return sum(map(len, tokens))

    memory = {}
    for count in (settings["texts"] * 2**n for n in range(3)):
        _in_new_folder(partial(read, texts[:count]))()
        memory[str(min(count, len(texts)))] = _peak_memory(model)
    means = {
        "transformers output_hidden_states": peers.hidden_states,
        "TransformerLens": peers.transformer_lens,
        "nnsight": peers.nnsight,
    }
    return Contest(
        "tokens",
        1.25,
        _in_new_folder(ours),
        {n: partial(peers.captured, m(folder, model)) for n, m in means.items()},
        tokens,
        [4, 16, 32, 64],
        trial=64,
        notes={"peak_memory_mib_by_texts": memory},
    )


def pairs(model: Model, folder: Path, texts: list[str], settings: Record) -> Contest:
    """Ordered pairs of activities, against plain forward passes."""
    activities, prompt = settings["activities"], settings["preference_prompt"]
    shown_first = [activity["id"] for activity in activities[: settings["first"]]]
    items = pair_items(activities, prompt, "chat", shown_first)

    def ours(place: Path) -> float:
        records = score_choices(
            model,
            [items],
            chooser(model, activities, prompt),
            Ledger(place, None, ".jsonl", choice_keys),
            settings["batch_rows"],
            "pairs",
        )
        return len(records)

    choose = chooser(model, activities, prompt)
    return Contest(
        "pairs",
        2.5,
        _in_new_folder(ours),
        {"transformers forward": partial(peers.chosen, peers.network(folder, model))},
        [choose(item) for item in items],
        [4, 16, 64, 256],
        trial=128,
    )


def dose_response(
    model: Model, folder: Path, texts: list[str], settings: Record
) -> Contest:
    """Rollouts of a long prompt at several strengths, against `generate` with hooks,
    one strength at a time. All tokens are steered, so no strength shares the prompt
    with another.
    """
    drawing = settings["sampling"]
    sampling = Sampling(drawing["temperature"], drawing["top_k"])
    user = [{"role": "user", "content": "\n\n".join(texts)}]
    tokens = render(model.tokenizer, user).tokens[-settings["prompt_tokens"] :]
    blocks = len(model.blocks)
    layer = fixed_layer(DEPTH, list(range(blocks)), blocks)
    _, norms = mean_residuals(model, [tokens], [[range(len(tokens))]], [layer])
    direction = torch.randn(
        1, model.width, generator=torch.Generator().manual_seed(drawing["seed"])
    )
    added = [
        steering(direction.numpy(), norms[0, 0].numpy(), [layer], strength)
        for strength in settings["strengths"]
    ]
    everywhere = tuple(range(len(tokens)))
    prompts = [
        Prompt(tokens, one, everywhere, True)
        for one in added
        for _ in range(settings["rollouts"])
    ]

    def ours() -> float:
        generate(
            model, prompts, list(range(len(prompts))), settings["new_tokens"], sampling
        )
        return len(prompts)

    vectors = [one and one.vectors[0] for one in added]
    rollouts = partial(
        peers.rollouts,
        peers.network(folder, model),
        layer,
        tokens,
        model.stop_tokens(),
        sampling,
        settings["new_tokens"],
    )
    return Contest(
        "rollouts",
        4.0,
        ours,
        {"transformers generate with hooks": rollouts},
        [vector for vector in vectors for _ in range(settings["rollouts"])],
        [settings["rollouts"]],
        shares=len(vectors),
    )


WORKS: dict[str, Callable[[Model, Path, list[str], Record], Contest]] = {
    "stories": stories,
    "capture": capture,
    "pairs": pairs,
    "dose_response": dose_response,
}


def _in_new_folder(work: Callable[[Path], float]) -> Callable[[], float]:
    """The work in a folder of its own each time, so that it finds nothing finished."""

    def run() -> float:
        with tempfile.TemporaryDirectory() as folder:
            return work(Path(folder))

    return run


def _peak_memory(model: Model) -> float:
    """The most memory used so far, in MiB: of the GPU, or else of this process."""
    if model.device.type == "cuda":
        return torch.cuda.max_memory_allocated(model.device) / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
