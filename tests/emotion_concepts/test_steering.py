"""Steered batches against one row at a time, recomputed whole, with a plain hook."""

import numpy as np
import pytest
import torch
from tiny import WINDOW, random_tokens
from torch import Tensor, nn
from transformers import PreTrainedModel

from emotion_concepts.generation import Sampling, generate
from emotion_concepts.model import Model, find_blocks, hidden
from emotion_concepts.prefill import Prompt, prefilled
from emotion_concepts.steering import Steering, adding, steering

GREEDY = Sampling(temperature=0, top_k=1)
HEAD = random_tokens(0, 9)
STEPS = 6


def push(seed: int, layers: tuple[int, ...], width: int, size: float) -> Steering:
    """Something random to add."""
    generator = torch.Generator().manual_seed(seed)
    vectors = torch.randn(len(layers), width, generator=generator) * size
    return Steering(layers, vectors)


def conditions(width: int) -> list[Prompt]:
    """A batch that mixes tokens, directions, layers, strengths and positions."""
    one, two = push(1, (0,), width, 1.0), push(2, (0, 2), width, 0.7)
    long = HEAD + random_tokens(3, 2 * WINDOW)
    return [
        Prompt(long),
        Prompt(long, one, tuple(range(len(long))), True),
        Prompt(long, one, tuple(range(len(long))), True),
        Prompt(long, two, (len(long) - 1,), True),
        Prompt(HEAD, two, (2, 3)),
        Prompt(HEAD + random_tokens(4, 1), two, (2, 3)),
        Prompt(HEAD, one, (), True),
        Prompt(random_tokens(5, 1), two, (0,), True),
        Prompt(HEAD + random_tokens(6, 5), one, (0, 11)),
    ]


def slow_logits(reference: PreTrainedModel, prompt: Prompt, added: list[int]) -> Tensor:
    """Logits after a prompt and more tokens, read alone and whole."""
    tokens = prompt.tokens + added
    places = list(prompt.at)
    if prompt.response:
        places += range(len(prompt.tokens), len(tokens))
    handles = []
    for layer, vector in (
        zip(prompt.steering.layers, prompt.steering.vectors, strict=True)
        if prompt.steering
        else ()
    ):

        def add(
            module: nn.Module,
            args: tuple,
            output: Tensor | tuple[Tensor, ...],
            vector: Tensor = vector,
        ) -> None:
            for place in places:
                hidden(output)[0, place] += vector

        handles.append(find_blocks(reference)[layer].register_forward_hook(add))
    with torch.no_grad():
        logits = reference(torch.tensor([tokens]), use_cache=False).logits[0, -1]
    for handle in handles:
        handle.remove()
    return logits


def test_logits_equal_the_slow_reference_in_prompt_and_response(
    model: Model, reference: PreTrainedModel
) -> None:
    prompts = conditions(model.width)
    for rows in (prompts, prompts[::-1], prompts[4:7]):
        new: list[list[int]] = [[] for _ in rows]
        with prefilled(model, rows) as batch:
            logits = batch.logits[:, -1]
            for step in range(3):
                for place, ours in zip(batch.order.tolist(), logits, strict=True):
                    theirs = slow_logits(reference, rows[place], new[place])
                    torch.testing.assert_close(ours, theirs, atol=2e-4, rtol=2e-4)
                added = random_tokens(90 + step, len(rows))
                new = [[*n, t] for n, t in zip(new, added, strict=True)]
                logits = batch.step(torch.tensor(added)[batch.order])


def test_greedy_steered_writing_equals_the_slow_reference(
    model: Model, reference: PreTrainedModel
) -> None:
    prompts = conditions(model.width)
    rows = generate(model, prompts, [0] * len(prompts), STEPS, GREEDY)
    for prompt, row in zip(prompts, rows, strict=True):
        added: list[int] = []
        while len(added) < STEPS:
            token = int(slow_logits(reference, prompt, added).argmax())
            if token in model.stop_tokens():
                break
            added.append(token)
        assert row.tokens == added


def test_rows_of_one_condition_share_their_steered_beginning(model: Model) -> None:
    pushed = push(1, (0,), model.width, 1.0)
    long = HEAD + random_tokens(3, 2 * WINDOW)
    everywhere = tuple(range(len(long)))
    prompts = [Prompt(long), Prompt(long, pushed, everywhere, True)] * 3
    seen: list[tuple[int, int]] = []

    def count(module: nn.Module, args: tuple[Tensor, ...]) -> None:
        seen.append(tuple(args[0].shape))

    embedding = model.network.get_input_embeddings()
    handle = embedding.register_forward_pre_hook(count)
    with prefilled(model, prompts):
        pass
    handle.remove()
    tokens = sum(rows * columns for rows, columns in seen)
    assert tokens == 2 * (len(long) - 1) + len(prompts)


def test_strength_zero_is_no_hook_bit_for_bit(model: Model) -> None:
    directions = np.random.default_rng(0).normal(size=(2, model.width))
    norms = np.array([3.0, 5.0])
    assert steering(directions, norms, [0, 1], 0.0) is None
    tokens = [HEAD + random_tokens(n, 4) for n in range(3)]
    places = tuple(range(len(tokens[0])))
    with prefilled(model, [Prompt(t) for t in tokens]) as batch:
        plain = batch.logits.clone()
    with prefilled(model, [Prompt(t, None, places, True) for t in tokens]) as batch:
        assert torch.equal(batch.logits, plain)


def test_unsteered_tokens_beside_steered_ones_keep_every_bit(model: Model) -> None:
    pushed = push(1, (1,), model.width, 1.0)
    with adding(model, [pushed]) as added:
        added.rows = torch.zeros(2, dtype=torch.long)
        added.where = torch.tensor([[False], [True]])
        # A zero that is added turns -0 into 0.
        after = added.hook(1)(
            model.blocks[1], (), torch.full((2, 1, model.width), -0.0)
        )
    assert torch.signbit(after[0]).all()
    assert torch.equal(after[1, 0], pushed.vectors[0])


def test_what_is_added_is_the_strength_times_the_norm_along_the_direction() -> None:
    directions = np.random.default_rng(0).normal(size=(3, 8)) * 17
    norms = np.array([2.0, 4.0, 8.0])
    for strength in (0.5, -0.1):
        added = steering(directions, norms, [1, 2, 5], strength)
        assert added.layers == (1, 2, 5)
        assert added.vectors.dtype == torch.float32
        sizes = added.vectors.norm(dim=1).numpy()
        np.testing.assert_allclose(sizes, abs(strength) * norms, rtol=1e-6)
        along = (added.vectors.numpy() * directions).sum(1)
        assert (np.sign(along) == np.sign(strength)).all()


@pytest.mark.parametrize("spoil", ["direction", "mean norm"])
@pytest.mark.parametrize("value", [0.0, float("nan"), float("inf")])
@pytest.mark.parametrize("strength", [0.0, 0.1])
def test_a_steering_that_would_do_nothing_or_spoil_all_is_refused(
    spoil: str, value: float, strength: float
) -> None:
    directions, norms = np.ones((2, 4)), np.ones(2)
    (directions if spoil == "direction" else norms)[1] = value
    with pytest.raises(ValueError, match=f"a {spoil} to steer with"):
        steering(directions, norms, [0, 1], strength)


def test_no_hook_is_left_behind_when_a_pass_fails(model: Model) -> None:
    pushed = push(1, (0, 1), model.width, 1.0)
    with pytest.raises(IndexError), prefilled(model, [Prompt([10**6], pushed, (0,))]):
        pass
    assert not any(block._forward_hooks for block in model.blocks)
