"""The measuring is right, and the peers do the work that they are timed at."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from tiny import random_tokens

from emotion_concepts import peers
from emotion_concepts.benchmark import Contest, Run, entries, hold, ratio
from emotion_concepts.capture import mean_residuals
from emotion_concepts.contests import WORKS
from emotion_concepts.generation import Sampling
from emotion_concepts.model import Model, load
from emotion_concepts.prefill import Prompt
from emotion_concepts.scoring import score

TEXTS = [random_tokens(n, n) for n in (4, 17, 9)]
SAMPLING = Sampling(0.6, 50)
SETTINGS = {
    "sampling": {"temperature": 0.6, "top_k": 50, "seed": 1},
    "emotions": ["happy", "sad"],
    "topics": [{"id": "rain", "topic": "She walked home in the rain."}],
    "story_prompt": "Write a story. {topic} {emotion}",
    "max_tokens": 4,
    "batch_rows": 256,
    "batch_tokens": 512,
    "texts": 2,
    "activities": [
        {"id": name, "category": "social", "activity": f"{name} a cat"}
        for name in ("feeding", "drawing", "finding")
    ],
    "first": 2,
    "preference_prompt": "Would you prefer (A) {first} or (B) {second}?",
    "prompt_tokens": 30,
    "new_tokens": 4,
    "strengths": [0, 0.1],
    "rollouts": 2,
}


@pytest.fixture(scope="module")
def folder(weights: Callable[[str], Path]) -> Path:
    return weights("llama")


def test_a_ratio_is_of_median_rates_with_an_interval_around_it() -> None:
    ours = [Run(10, seconds) for seconds in (1.0, 1.1, 0.9, 9.0, 1.0)]
    theirs = [Run(5, seconds) for seconds in (1.0, 1.2, 1.0, 1.0, 0.8)]
    value, low, high = ratio(ours, theirs)
    assert value == pytest.approx(2.0)
    assert low < 2.0 < high
    same = [Run(6, 2.0)] * 3
    assert ratio(same, same) == (1.0, 1.0, 1.0)


def test_a_contest_finds_each_peers_best_size_and_gives_it_its_part() -> None:
    given: list[tuple[list, int]] = []

    def peer(items: list, size: int) -> float:
        given.append((items, size))
        # Faster the larger the batch.
        torch.ones(2_000_000 // size).sum()
        return len(items) * size

    contest = Contest(
        "things", 2.0, lambda: 4.0, {"peer": peer}, list("abcd"), [1, 4], shares=2
    )
    record, profiles = hold(contest, 3)
    assert record["batch_size"] == {"peer": 4}
    assert [items for items, _ in given[-3:]] == [["a", "b"], ["c", "d"], ["a", "b"]]
    assert set(profiles) == {"ours", "peer"}
    (entry,) = entries("stories", record)
    assert list(entry) == [
        "work",
        "peer",
        "ratio",
        "ratio_low",
        "ratio_high",
        "target",
    ]


@torch.no_grad()
@pytest.mark.parametrize("name", ["hidden_states", "transformer_lens", "nnsight"])
def test_peers_capture_the_same_means(model: Model, name: str) -> None:
    if name != "hidden_states":
        pytest.importorskip(name)
    folder = Path(model.network.name_or_path)
    theirs = getattr(peers, name)(folder, model)(TEXTS)
    spans = [[range(len(text))] for text in TEXTS]
    ours, _ = mean_residuals(model, TEXTS, spans, list(range(len(model.blocks))))
    # The last of transformers' hidden states is after the final norm.
    end = -1 if name == "hidden_states" else None
    torch.testing.assert_close(theirs[:, :end], ours[:, 0, :end], atol=2e-4, rtol=2e-4)


@torch.no_grad()
def test_a_plain_forward_pass_scores_the_same(folder: Path) -> None:
    model = load(folder)
    choices = [(Prompt(text), [[7], [8]]) for text in TEXTS]
    theirs = peers.option_scores(peers.network(folder, model), choices)
    ours = score(model, [prompt for prompt, _ in choices], [[[7], [8]]] * len(choices))
    ours = torch.tensor([[float(tokens.sum()) for tokens in row] for row in ours])
    torch.testing.assert_close(theirs, ours, atol=2e-4, rtol=2e-4)


@torch.no_grad()
def test_rollouts_with_one_vector_are_written_together(folder: Path) -> None:
    model = load(folder)
    plain = peers.network(folder, model)
    rows: list[int] = []
    plain.base_model.layers[1].register_forward_hook(
        lambda module, args, output: rows.append(args[0].shape[0])
    )
    vector = torch.ones(model.width)
    count = peers.rollouts(
        plain, 1, TEXTS[1], {0}, SAMPLING, 3, [None, None, vector, vector], 2
    )
    assert count == 4
    assert set(rows) == {2}
    assert len(plain.base_model.layers[1]._forward_hooks) == 1


@pytest.mark.parametrize("work", WORKS)
def test_every_work_runs_with_all_its_peers(folder: Path, work: str) -> None:
    if work == "capture":
        pytest.importorskip("nnsight")
        pytest.importorskip("transformer_lens")
    texts = [f"She walked home in the rain {n} times." for n in range(9)]
    contest = WORKS[work](load(folder), folder, texts, SETTINGS)
    record, profiles = hold(contest, 2)
    assert set(record["runs"]) == {"ours", *contest.peers}
    assert all(count > 0 for count in record["flops_per_unit"].values())
    assert "aten::" in profiles["ours"]
    assert all(entry["ratio"] > 0 for entry in entries(work, record))


def test_a_missing_library_is_named_in_one_line() -> None:
    with pytest.raises(Exception, match="nonexistent is not installed; `make bench`"):
        peers._require("nonexistent")
