"""The engine against TransformerLens and nnsight, one row at a time.

`make test` installs both (the group `peers` of pyproject.toml); where they are missing,
as in the conda environment, these tests are skipped.
"""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from test_steering import push
from tiny import ARCHITECTURES, WINDOW, random_tokens
from torch import Tensor
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel

from emotion_concepts.capture import token_residuals
from emotion_concepts.generation import Sampling, generate
from emotion_concepts.model import Model, find_blocks, hidden
from emotion_concepts.prefill import Prompt, prefilled

nnsight = pytest.importorskip("nnsight")
bridge = pytest.importorskip("transformer_lens.model_bridge")

GREEDY = Sampling(temperature=0, top_k=1)
STEPS = 8
HEAD = random_tokens(0, 9)
NEAR = {"atol": 2e-4, "rtol": 2e-4}


class Lens:
    """TransformerLens around a network: residual streams, and steered logits."""

    def __init__(self, folder: Path, network: PreTrainedModel) -> None:
        self.model = bridge.TransformerBridge.boot_transformers(
            str(folder),
            hf_model=network,
            tokenizer=AutoTokenizer.from_pretrained(folder),
            dtype=torch.float32,
            device="cpu",
        )

    def streams(self, tokens: list[int]) -> list[Tensor]:
        names = [f"blocks.{i}.hook_resid_post" for i in range(len(self.model.blocks))]
        _, cache = self.model.run_with_cache(
            torch.tensor([tokens]), names_filter=lambda name: name in names
        )
        return [cache[name][0] for name in names]

    def logits(self, prompt: Prompt, tokens: list[int]) -> Tensor:
        hooks = []
        for layer, vector in added(prompt):

            def add(stream: Tensor, hook: object, vector: Tensor = vector) -> Tensor:
                for place in places(prompt, tokens):
                    stream[0, place] += vector
                return stream

            hooks.append((f"blocks.{layer}.hook_resid_post", add))
        return self.model.run_with_hooks(torch.tensor([tokens]), fwd_hooks=hooks)[0]


class Sight:
    """nnsight around a network: the same."""

    def __init__(self, folder: Path, network: PreTrainedModel) -> None:
        self.model = nnsight.NNsight(network)
        path = next(n for n, m in network.named_modules() if m is find_blocks(network))
        self.blocks = self.model
        for name in path.split("."):
            self.blocks = getattr(self.blocks, name)

    def streams(self, tokens: list[int]) -> list[Tensor]:
        with self.model.trace(torch.tensor([tokens])):
            outputs = nnsight.save([block.output for block in self.blocks])
        return [hidden(output)[0] for output in outputs]

    def logits(self, prompt: Prompt, tokens: list[int]) -> Tensor:
        steered, at = added(prompt), places(prompt, tokens)
        with self.model.trace(torch.tensor([tokens])):
            for layer, vector in steered:
                stream = hidden(self.blocks[layer].output)
                for place in at:
                    stream[0, place] += vector
            logits = nnsight.save(self.model.output.logits)
        return logits[0]


Peer = Lens | Sight


def added(prompt: Prompt) -> list[tuple[int, Tensor]]:
    """The layers that are steered, in order, and what is added there."""
    if prompt.steering is None:
        return []
    return list(zip(prompt.steering.layers, prompt.steering.vectors, strict=True))


def places(prompt: Prompt, tokens: list[int]) -> list[int]:
    """The positions that are steered, when tokens have come after the prompt."""
    response = range(len(prompt.tokens), len(tokens)) if prompt.response else ()
    return [*prompt.at, *response]


@pytest.fixture(scope="session", params=[Lens, Sight])
def peer(
    request: pytest.FixtureRequest,
    architecture: str,
    weights: Callable[[str], Path],
) -> Peer:
    """Each peer around a network of its own, with transformers' eager attention."""
    network = AutoModelForCausalLM.from_pretrained(
        weights(architecture), dtype=torch.float32, attn_implementation="eager"
    ).eval()
    return request.param(weights(architecture), network.requires_grad_(False))


@torch.no_grad()
def test_the_residual_stream_is_theirs_at_every_layer(model: Model, peer: Peer) -> None:
    texts = [random_tokens(n, n) for n in (1, 3 * WINDOW, 11)]
    ours = [token_residuals(model, texts, layer) for layer in range(len(model.blocks))]
    for row, text in enumerate(texts):
        for layer, theirs in enumerate(peer.streams(text)):
            torch.testing.assert_close(ours[layer][row], theirs, **NEAR)


def conditions(width: int) -> list[Prompt]:
    """A batch that mixes directions, layers and positions."""
    one, two = push(1, (0,), width, 1.0), push(2, (0, 2), width, 0.7)
    long = HEAD + random_tokens(3, 2 * WINDOW)
    return [
        Prompt(long),
        Prompt(long, one, tuple(range(len(long))), True),
        Prompt(long, two, (3, 12), False),
        Prompt(HEAD, one, (len(HEAD) - 1,), True),
        Prompt(HEAD, two, (), True),
    ]


@torch.no_grad()
def test_steered_logits_are_theirs_at_every_position_of_the_prompt(
    model: Model, peer: Peer
) -> None:
    prompts = conditions(model.width)
    every = [len(prompt.tokens) for prompt in prompts]
    with prefilled(model, prompts, every) as batch:
        for place, ours in zip(batch.order.tolist(), batch.logits, strict=True):
            theirs = peer.logits(prompts[place], prompts[place].tokens)
            torch.testing.assert_close(ours[-every[place] :], theirs, **NEAR)


@torch.no_grad()
def test_steered_greedy_writing_is_theirs(model: Model, peer: Peer) -> None:
    prompts = conditions(model.width)
    rows = generate(model, prompts, [0] * len(prompts), STEPS, GREEDY)
    for prompt, row in zip(prompts, rows, strict=True):
        tokens = list(prompt.tokens)
        while len(tokens) < len(prompt.tokens) + STEPS:
            token = int(peer.logits(prompt, tokens)[-1].argmax())
            if token in model.stop_tokens():
                break
            tokens.append(token)
        assert row.tokens == tokens[len(prompt.tokens) :]


def test_steering_changes_what_they_write(weights: Callable[[str], Path]) -> None:
    # Else the tests above would pass with hooks that do nothing.
    folder = weights(next(iter(ARCHITECTURES)))
    for kind in (Lens, Sight):
        network = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
        peer = kind(folder, network.eval().requires_grad_(False))
        plain, steered, *_ = conditions(network.config.hidden_size)
        change = peer.logits(plain, plain.tokens) - peer.logits(steered, plain.tokens)
        assert change.abs().max() > 0.1
