"""Loading a model, and finding its parts."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from tiny import ARCHITECTURES, random_tokens, save_tiny, tiny_tokenizer
from torch import nn
from transformers import AutoConfig, AutoModelForCausalLM

from emotion_concepts.capture import mean_residuals
from emotion_concepts.errors import StudyError
from emotion_concepts.generation import Sampling, generate
from emotion_concepts.model import Model, find_blocks, fixed_layer, load, spaced_layers
from emotion_concepts.prefill import Prompt, prefilled
from emotion_concepts.steering import Steering

TEXTS = [random_tokens(n, n) for n in (20, 9, 13)]
SPANS = [[range(2, len(text))] for text in TEXTS]
PROMPTS = [Prompt(text) for text in TEXTS]
GREEDY = Sampling(temperature=0, top_k=1)


def test_every_block_is_found_in_order(model: Model, architecture: str) -> None:
    layers = ARCHITECTURES[architecture]["num_hidden_layers"]
    order: list[nn.Module] = []
    handles = [
        block.register_forward_hook(lambda module, *rest: order.append(module))
        for block in model.blocks
    ]
    model.network(torch.tensor(TEXTS[:1]))
    for handle in handles:
        handle.remove()
    assert len(order) == layers
    assert order == list(model.blocks)


def test_a_model_is_loaded_on_the_cpu_as_its_record_says(
    model: Model, architecture: str
) -> None:
    assert model.device == torch.device("cpu")
    assert {p.device.type for p in model.network.parameters()} == {"cpu"}
    assert {p.dtype for p in model.network.parameters()} == {torch.float32}
    assert not any(p.requires_grad for p in model.network.parameters())
    assert not model.network.training
    assert model.width == ARCHITECTURES[architecture]["hidden_size"]
    assert model.identity == f"tiny-{architecture}"


def test_stop_tokens_are_those_of_model_generation_and_tokenizer(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert model.stop_tokens() == {tiny_tokenizer().eos_token_id}
    monkeypatch.setattr(model.network.generation_config, "eos_token_id", [7, 9])
    assert model.stop_tokens() == {7, 9, tiny_tokenizer().eos_token_id}


@pytest.mark.parametrize("share", [0.0, 0.5, 0.9])
def test_a_model_offloaded_to_the_disk_gives_the_same_numbers(
    model: Model, architecture: str, weights: Callable[[str], Path], share: float
) -> None:
    size = sum(4 * p.numel() for p in model.network.parameters())
    offloaded = load(weights(architecture), {"cpu": int(size * share)})
    assert "meta" in {p.device.type for p in offloaded.network.parameters()}
    for ours, theirs in zip(
        mean_residuals(offloaded, TEXTS, SPANS, [0, 1, 2]),
        mean_residuals(model, TEXTS, SPANS, [0, 1, 2]),
        strict=True,
    ):
        assert torch.equal(ours, theirs)
    seeds = [0] * len(TEXTS)
    pushed = Steering((1,), torch.full((1, model.width), 0.5))
    for prompts in (PROMPTS, [Prompt(text, pushed, (1, 2), True) for text in TEXTS]):
        ours = generate(offloaded, prompts, seeds, 5, GREEDY)
        assert ours == generate(model, prompts, seeds, 5, GREEDY)


def test_memory_enough_for_all_keeps_the_model_whole(
    weights: Callable[[str], Path],
) -> None:
    whole = load(weights("llama"), {"cpu": "1GB"})
    assert {p.device.type for p in whole.network.parameters()} == {"cpu"}


def test_gpus_may_be_named_by_words_as_in_json(weights: Callable[[str], Path]) -> None:
    # Refused by accelerate if taken for the name of a device.
    whole = load(weights("llama"), {"0": 0, "cpu": "1GB"})
    assert {p.device.type for p in whole.network.parameters()} == {"cpu"}


def test_bfloat16_runs_and_stays_finite(architecture: str, tmp_path: Path) -> None:
    half = load(save_tiny(architecture, tmp_path, dtype="bfloat16"))
    assert {p.dtype for p in half.network.parameters()} == {torch.bfloat16}
    means, norms = mean_residuals(half, TEXTS, SPANS, [0, 1, 2])
    assert means.shape == (len(TEXTS), 1, 3, half.width)
    assert means.dtype == norms.dtype == torch.float32
    assert means.isfinite().all()
    assert norms.isfinite().all()
    with prefilled(half, [Prompt([5, 6, *text]) for text in TEXTS]) as batch:
        assert batch.logits.isfinite().all()
    sampling = Sampling(temperature=1.0, top_k=20)
    written = generate(half, PROMPTS, [1, 2, 3], 5, sampling)
    assert all(row.finished or len(row.tokens) == 5 for row in written)


@pytest.mark.parametrize("kind", ["bloom", "llama4_text"])
def test_an_architecture_with_other_attention_is_refused(
    kind: str, tmp_path: Path
) -> None:
    weights = save_tiny("llama", tmp_path)
    config = AutoConfig.for_model(
        kind, **ARCHITECTURES["llama"], vocab_size=400, pad_token_id=0, head_dim=8
    )
    AutoModelForCausalLM.from_config(config).save_pretrained(weights)
    with pytest.raises(StudyError, match=f"{kind}.*not supported"):
        load(weights)


def test_a_network_without_blocks_is_refused(one_model: Model) -> None:
    config = one_model.network.config
    network = type(one_model.network)(config)
    network.model.layers = nn.ModuleList()
    with pytest.raises(StudyError, match="no list of 3 decoder blocks"):
        find_blocks(network)


@pytest.mark.parametrize(
    ("count", "blocks", "layers"),
    [
        (None, 4, [0, 1, 2, 3]),
        (9, 4, [0, 1, 2, 3]),
        (1, 30, [29]),
        (2, 30, [14, 29]),
        (3, 30, [9, 19, 29]),
        (10, 30, list(range(2, 30, 3))),
    ],
)
def test_spaced_layers_are_even_and_end_at_the_last_block(
    count: int | None, blocks: int, layers: list[int]
) -> None:
    assert spaced_layers(count, blocks) == layers


@pytest.mark.parametrize("blocks", [3, 12, 28, 80])
def test_spaced_layers_are_as_many_as_asked_for_and_differ(blocks: int) -> None:
    for count in range(1, blocks + 1):
        layers = spaced_layers(count, blocks)
        assert layers == sorted(set(layers))
        assert len(layers) == count
        assert layers[0] >= 0
        assert layers[-1] == blocks - 1


def test_the_fixed_layer_is_the_captured_one_nearest_to_the_share() -> None:
    assert fixed_layer(2 / 3, list(range(30)), 30) == 19
    assert fixed_layer(2 / 3, [4, 14, 24], 30) == 14
    assert fixed_layer(1.0, list(range(30)), 30) == 29
    assert fixed_layer(0.5, [29], 30) == 29
