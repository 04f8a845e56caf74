"""Batched generation against `model.generate`, one prompt at a time."""

from collections.abc import Callable

import pytest
import torch
from tiny import WINDOW, random_tokens
from transformers import PreTrainedModel

from emotion_concepts.generation import Sampling, Written, draw
from emotion_concepts.generation import generate as generate_prompts
from emotion_concepts.model import Model
from emotion_concepts.prefill import Prompt

GREEDY = Sampling(temperature=0, top_k=1)
SAMPLED = Sampling(temperature=1.0, top_k=50)

PREFIX = random_tokens(0, 5 * WINDOW)
BATCHES = {
    "different lengths": [random_tokens(n, n) for n in (2, 3 * WINDOW, 7, WINDOW)],
    "long shared prefix": [PREFIX + random_tokens(n, n) for n in (1, 4, 2 * WINDOW)],
    "one prompt is the head of another": [PREFIX[:12], PREFIX[:20]],
    "the same prompt twice": [PREFIX, PREFIX],
    "one row": [random_tokens(1, 6)],
    "one token": [random_tokens(1, 1)],
}


def slow(reference: PreTrainedModel, prompt: list[int], max_tokens: int) -> Written:
    """What transformers writes after one prompt."""
    ids = torch.tensor([prompt])
    new = reference.generate(
        ids,
        attention_mask=torch.ones_like(ids),
        max_new_tokens=max_tokens,
        do_sample=False,
    )[0, len(prompt) :].tolist()
    stops = reference.generation_config.eos_token_id
    finished = new[-1] in (stops if isinstance(stops, list) else [stops])
    return Written(new[:-1] if finished else new, finished)


def generate(
    model: Model,
    prompts: list[list[int]],
    seeds: list[int],
    max_tokens: int,
    sampling: Sampling,
    on_step: Callable[[int], None] = lambda rows: None,
) -> list[Written]:
    """Continuations of prompts that nothing steers."""
    rows = [Prompt(tokens) for tokens in prompts]
    return generate_prompts(model, rows, seeds, max_tokens, sampling, on_step)


def greedy(model: Model, prompts: list[list[int]], max_tokens: int) -> list[Written]:
    """Greedy continuations of a batch."""
    return generate(model, prompts, [0] * len(prompts), max_tokens, GREEDY)


@pytest.fixture
def stop_at(
    model: Model, reference: PreTrainedModel, monkeypatch: pytest.MonkeyPatch
) -> Callable[[set[int]], None]:
    """Let both models stop at these tokens too."""

    def add(tokens: set[int]) -> None:
        for network in (model.network, reference):
            stops = sorted(tokens | model.stop_tokens())
            monkeypatch.setattr(network.generation_config, "eos_token_id", stops)

    return add


@pytest.mark.parametrize("name", BATCHES)
def test_greedy_equals_generate_one_prompt_at_a_time(
    model: Model, reference: PreTrainedModel, name: str
) -> None:
    prompts = BATCHES[name]
    expected = [slow(reference, prompt, 10) for prompt in prompts]
    assert greedy(model, prompts, 10) == expected
    assert greedy(model, prompts[::-1], 10) == expected[::-1]


def test_greedy_equals_generate_past_every_growth_of_the_buffers(
    model: Model, reference: PreTrainedModel
) -> None:
    prompt = random_tokens(3, 6)
    assert greedy(model, [prompt], 70) == [slow(reference, prompt, 70)]


def test_rows_stop_at_a_stop_token_and_leave_the_others_as_alone(
    model: Model,
    reference: PreTrainedModel,
    stop_at: Callable[[set[int]], None],
) -> None:
    prompts = [PREFIX + random_tokens(n, 1 + n % 5) for n in range(12)]
    free = [row.tokens for row in greedy(model, prompts, 12)]
    stop_at({row[4 + i] for i, row in enumerate(free[:4]) if len(row) > 4 + i})
    at_work: list[int] = []
    rows = generate(model, prompts, [0] * 12, 12, GREEDY, at_work.append)
    assert rows == [slow(reference, prompt, 12) for prompt in prompts]
    assert rows == [greedy(model, [prompt], 12)[0] for prompt in prompts]
    assert any(row.finished for row in rows)
    for row, unstopped in zip(rows, free, strict=True):
        assert row.tokens == unstopped[: len(row.tokens)]
    assert at_work[0] == 12
    assert at_work == sorted(at_work, reverse=True)
    assert at_work[-1] < 12


def test_max_tokens_cuts_and_a_cut_row_is_not_finished(
    model: Model, stop_at: Callable[[set[int]], None]
) -> None:
    prompts = BATCHES["different lengths"]
    free = greedy(model, prompts, 10)
    for row, short in zip(free, greedy(model, prompts, 4), strict=True):
        assert short.tokens == row.tokens[:4]
        assert short.finished == (len(row.tokens) < 4)
    longest = max((row.tokens for row in free), key=len)
    stop_at({longest[-1]})
    end = longest.index(longest[-1])
    row = [r.tokens for r in free].index(longest)
    assert greedy(model, prompts, end + 1)[row] == Written(longest[:end], True)
    assert greedy(model, prompts, max(end, 1))[row].finished == (end == 0)


def test_the_same_seeds_write_the_same_and_other_seeds_something_else(
    model: Model,
) -> None:
    prompts = BATCHES["long shared prefix"]
    once = generate(model, prompts, [1, 2, 3], 12, SAMPLED)
    assert generate(model, prompts, [1, 2, 3], 12, SAMPLED) == once
    assert generate(model, prompts, [4, 5, 6], 12, SAMPLED) != once


def test_another_rows_seed_changes_nothing_in_this_row(model: Model) -> None:
    prompts = [PREFIX] * 3
    once = generate(model, prompts, [1, 2, 3], 12, SAMPLED)
    other = generate(model, prompts, [1, 9, 3], 12, SAMPLED)
    assert [once[0], once[2]] == [other[0], other[2]]
    assert once[1] != other[1]
    assert generate(model, prompts[:1], [3], 12, SAMPLED)[0] == once[2]


def test_sampled_rows_that_outlive_others_keep_their_own_draws(
    model: Model, stop_at: Callable[[set[int]], None]
) -> None:
    stop_at(set(range(4, 400, 8)))
    prompts = [PREFIX + random_tokens(n, 1 + n % 5) for n in range(12)]
    rows = generate(model, prompts, list(range(12)), 12, SAMPLED)
    assert len({len(row.tokens) for row in rows}) > 2
    for seed, (prompt, row) in enumerate(zip(prompts, rows, strict=True)):
        assert generate(model, [prompt], [seed], 12, SAMPLED) == [row]


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_draws_follow_the_softmax_among_the_likeliest(temperature: float) -> None:
    logits = torch.randn(30, generator=torch.Generator().manual_seed(0)) * 2
    count = 100_000
    even = (torch.arange(count) + 0.5) / count
    tokens = draw(logits.expand(count, -1), even, Sampling(temperature, 7))
    drawn = torch.bincount(tokens, minlength=30) / count
    allowed = logits >= logits.topk(7).values[-1]
    weights = torch.where(allowed, torch.exp(logits / temperature), 0)
    torch.testing.assert_close(drawn, weights / weights.sum(), atol=3e-5, rtol=0)


def test_draws_at_the_ends_of_the_interval_are_allowed_tokens() -> None:
    logits = torch.randn(5, 30, generator=torch.Generator().manual_seed(0)) * 9
    for uniform in (0.0, 1 - 2**-24, 1.0):
        ends = torch.full((5,), uniform)
        tokens = draw(logits, ends, Sampling(1.0, 4))
        allowed = logits.topk(4).indices
        assert (allowed == tokens[:, None]).any(1).all()


def test_a_temperature_of_zero_takes_the_likeliest() -> None:
    logits = torch.randn(5, 30, generator=torch.Generator().manual_seed(0))
    tokens = draw(logits, torch.full((5,), 0.99), Sampling(0, 30))
    assert tokens.tolist() == logits.argmax(-1).tolist()
