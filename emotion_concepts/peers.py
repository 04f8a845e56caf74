"""The study's work as one would do it with other libraries, each at its best.

Texts are padded on the right and read without a mask: no real token sees the padding.
Nothing here makes logits that nobody wants. Every peer has a network of its own, with
the attention that it chooses itself.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import torch
from torch import Tensor, nn
from transformers import AutoModelForCausalLM, PreTrainedModel, PreTrainedTokenizerBase

from emotion_concepts.choices import Choice
from emotion_concepts.errors import StudyError
from emotion_concepts.generation import Sampling
from emotion_concepts.model import Model, find_blocks, hidden

# (texts, layers, width): the mean of every text at every layer, in float32.
Means = Callable[[list[list[int]]], Tensor]


def network(folder: Path, model: Model) -> PreTrainedModel:
    """The model's network again, as transformers loads it by itself."""
    loaded = AutoModelForCausalLM.from_pretrained(
        folder, dtype=model.network.dtype, local_files_only=True
    )
    return loaded.eval().requires_grad_(False).to(model.device)


def hidden_states(folder: Path, model: Model) -> Means:
    """Means by transformers' `output_hidden_states`."""
    plain = network(folder, model).base_model

    def means(texts: list[list[int]]) -> Tensor:
        tokens, weights = padded(texts, model.device)
        states = plain(tokens, use_cache=False, output_hidden_states=True).hidden_states
        # The last one is after the final norm; it costs the same.
        return _pooled(weights, states[1:])

    return means


def transformer_lens(folder: Path, model: Model) -> Means:
    """Means by TransformerLens' `run_with_cache`."""
    _require("transformer_lens")
    from transformer_lens.model_bridge import TransformerBridge

    bridge = TransformerBridge.boot_transformers(
        str(folder),
        hf_model=network(folder, model),
        tokenizer=model.tokenizer,
        dtype=model.network.dtype,
        device=str(model.device),
    )
    names = [f"blocks.{i}.hook_resid_post" for i in range(len(model.blocks))]
    wanted = set(names)

    def means(texts: list[list[int]]) -> Tensor:
        tokens, weights = padded(texts, model.device)
        _, cache = bridge.run_with_cache(
            tokens,
            return_type=None,
            names_filter=lambda name: name in wanted,
            use_cache=False,
            logits_to_keep=1,
        )
        return _pooled(weights, [cache[name] for name in names])

    return means


def nnsight(folder: Path, model: Model) -> Means:
    """Means taken within a trace of nnsight."""
    _require("nnsight")
    from nnsight import NNsight, save

    plain = network(folder, model).base_model
    traced = NNsight(plain)
    path = next(n for n, m in plain.named_modules() if m is find_blocks(plain))
    blocks = traced.get(path)

    def means(texts: list[list[int]]) -> Tensor:
        tokens, weights = padded(texts, model.device)
        with traced.trace(tokens, use_cache=False):
            pooled = save(
                [torch.bmm(weights, hidden(b.output).float())[:, 0] for b in blocks]
            )
        return torch.stack(pooled, 1).cpu()

    return means


def captured(means: Means, texts: list[list[int]], size: int) -> float:
    """Read all texts, those of like length together; returns their tokens."""
    for batch in batched(sorted(texts, key=len), size):
        means(batch)
    return sum(map(len, texts))


def written(
    plain: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    stops: set[int],
    sampling: Sampling,
    max_tokens: int,
    prompts: list[list[int]],
    size: int,
) -> float:
    """Continue all prompts with `generate`; returns the tokens written."""
    count = 0
    for batch in batched(prompts, size):
        longest = max(map(len, batch))
        padding = [longest - len(prompt) for prompt in batch]
        pad = tokenizer.pad_token_id or 0
        rows = [[pad] * n + prompt for n, prompt in zip(padding, batch, strict=True)]
        masks = [[0] * n + [1] * (longest - n) for n in padding]
        out = plain.generate(
            input_ids=torch.tensor(rows, device=plain.device),
            attention_mask=torch.tensor(masks, device=plain.device),
            **_drawing(sampling),
            max_new_tokens=max_tokens,
            eos_token_id=sorted(stops),
            pad_token_id=pad,
        )
        new = out[:, longest:].cpu()
        ended = torch.isin(new, torch.tensor(sorted(stops))).cumsum(1) > 0
        count += int((~ended).sum())
    return count


def rollouts(
    plain: PreTrainedModel,
    layer: int,
    prompt: list[int],
    stops: set[int],
    sampling: Sampling,
    max_tokens: int,
    vectors: list[Tensor | None],
    size: int,
) -> float:
    """Continue one prompt with `generate`, as often as there are vectors, each added by
    a hook to every token. Those with the same vector are written together.

    Returns:
        How many rollouts.
    """
    block = find_blocks(plain)[layer]
    for vector in {id(v): v for v in vectors}.values():
        same = [v for v in vectors if v is vector]
        handle = vector is not None and block.register_forward_hook(
            partial(_add, vector.to(plain.device, plain.dtype))
        )
        for batch in batched(same, size):
            plain.generate(
                input_ids=torch.tensor([prompt], device=plain.device),
                attention_mask=torch.ones(
                    1, len(prompt), dtype=torch.long, device=plain.device
                ),
                **_drawing(sampling),
                max_new_tokens=max_tokens,
                num_return_sequences=len(batch),
                eos_token_id=sorted(stops),
                pad_token_id=sorted(stops)[0],
            )
        if handle:
            handle.remove()
    return len(vectors)


def chosen(plain: PreTrainedModel, choices: list[Choice], size: int) -> float:
    """Score all choices; returns how many."""
    ordered = sorted(choices, key=lambda choice: len(choice[0].tokens))
    for batch in batched(ordered, size):
        option_scores(plain, batch)
    return len(choices)


def option_scores(plain: PreTrainedModel, choices: list[Choice]) -> Tensor:
    """Log-probability of each option (choices, options), of one token each."""
    if any(len(option) != 1 for _, options in choices for option in options):
        raise StudyError(
            "the benchmark of pairs needs a tokenizer in which A and B are one token"
        )
    texts = [prompt.tokens for prompt, _ in choices]
    tokens, _ = padded(texts, plain.device)
    stream = plain.base_model(tokens, use_cache=False).last_hidden_state
    rows = torch.arange(len(texts), device=stream.device)
    last = stream[rows, [len(text) - 1 for text in texts]]
    logits = plain.get_output_embeddings()(last).float()
    options = torch.tensor([[o[0] for o in options] for _, options in choices])
    return logits.log_softmax(-1).gather(1, options.to(logits.device)).cpu()


def batched(items: list, size: int) -> Iterator[list]:
    """Parts of a list, in order."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def padded(texts: list[list[int]], device: torch.device) -> tuple[Tensor, Tensor]:
    """Right-padded tokens (texts, longest) and the weights of their mean (texts, 1,
    longest).
    """
    longest = max(map(len, texts))
    tokens = torch.tensor([text + [0] * (longest - len(text)) for text in texts])
    weights = torch.zeros(len(texts), 1, longest)
    for row, text in enumerate(texts):
        weights[row, 0, : len(text)] = 1 / len(text)
    return tokens.to(device), weights.to(device)


def _pooled(weights: Tensor, streams: Sequence[Tensor]) -> Tensor:
    means = [torch.bmm(weights, stream.float())[:, 0] for stream in streams]
    return torch.stack(means, 1).cpu()


def _drawing(sampling: Sampling) -> dict[str, object]:
    return {
        "do_sample": True,
        "temperature": sampling.temperature,
        "top_k": sampling.top_k,
        "top_p": 1.0,
    }


def _add(
    vector: Tensor, module: nn.Module, args: tuple, output: Tensor | tuple[Tensor, ...]
) -> Tensor | tuple[Tensor, ...]:
    stream = hidden(output) + vector
    return (stream, *output[1:]) if isinstance(output, tuple) else stream


def _require(library: str) -> None:
    if find_spec(library) is None:
        raise StudyError(
            f"{library} is not installed; `make bench` installs what the engine is "
            "measured against"
        )
