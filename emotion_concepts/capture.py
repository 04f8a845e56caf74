"""Capture of the residual stream (paper, section 3, step 1).

One pass serves all layers. Means are taken on the device in float32 as the pass goes
by, so memory does not grow with the number of texts or layers kept. Texts are padded on
the right: causal attention never looks right, so no real token sees the padding, and a
token's rank in its text is its column.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager

import torch
from torch import Tensor, nn

from emotion_concepts.model import Model, hidden
from emotion_concepts.store import cut

Positions = Sequence[int]


@torch.no_grad()
def mean_residuals(
    model: Model,
    texts: list[list[int]],
    spans: list[list[Positions]],
    layers: list[int],
) -> tuple[Tensor, Tensor]:
    """Mean residual stream of spans of each text, at the given layers.

    Args:
        model: the loaded model.
        texts: token ids of each text.
        spans: for each text, the positions of each of its spans; as many spans for
            every text.
        layers: which blocks' outputs.

    Returns:
        (texts, spans, layers, width) float32 means, and (texts, spans, layers) the mean
        norm of the averaged tokens, both on the CPU.

    Raises:
        ValueError: a span is empty or reaches beyond its text.
    """
    weights = _weights(texts, spans)
    shape = (len(texts), weights.shape[1], len(layers))
    means, norms = torch.zeros(*shape, model.width), torch.zeros(*shape)

    def pool(slot: int, stream: Tensor) -> None:
        stream = stream.float()
        weight = weights.to(stream.device)
        means[:, :, slot] = torch.bmm(weight, stream).cpu()
        norms[:, :, slot] = (weight * stream.norm(dim=-1)[:, None]).sum(-1).cpu()

    with watching(model, layers, pool):
        _pass(model, texts)
    return means, norms


@torch.no_grad()
def token_residuals(model: Model, texts: list[list[int]], layer: int) -> list[Tensor]:
    """The residual stream of every token of each text, at one layer.

    Returns:
        For each text (tokens, width) float32 on the CPU.
    """
    kept: list[Tensor] = []

    def keep(slot: int, stream: Tensor) -> None:
        kept.extend(
            row[: len(text)].float().cpu()
            for row, text in zip(stream, texts, strict=True)
        )

    with watching(model, [layer], keep):
        _pass(model, texts)
    return kept


def by_length(texts: list[list[int]], batch_tokens: int) -> list[list[int]]:
    """The places of texts in batches of like length.

    Args:
        texts: token ids of each text.
        batch_tokens: tokens in a batch at most, padding included; a longer text makes a
            batch alone.
    """
    order = sorted(range(len(texts)), key=lambda place: len(texts[place]))

    def padded(some: list[int]) -> int:
        return len(some) * max(len(texts[place]) for place in some)

    return cut(order, padded, batch_tokens)


@contextmanager
def watching(
    model: Model, layers: list[int], see: Callable[[int, Tensor], None]
) -> Iterator[None]:
    """Within this context `see(slot, stream)` is told the output of each layer.

    Args:
        model: the loaded model.
        layers: the blocks; their places here are the slots.
        see: is given the residual stream (rows, tokens, width), on the block's device.
    """

    def watch(slot: int) -> Callable[..., None]:
        def hook(
            module: nn.Module, args: tuple, output: Tensor | tuple[Tensor, ...]
        ) -> None:
            see(slot, hidden(output))

        return hook

    blocks = model.blocks
    with ExitStack() as stack:
        for slot, layer in enumerate(layers):
            stack.callback(blocks[layer].register_forward_hook(watch(slot)).remove)
        yield


def _pass(model: Model, texts: list[list[int]]) -> None:
    """Read right-padded texts up to the last block."""
    longest = max(map(len, texts))
    tokens = torch.tensor([text + [0] * (longest - len(text)) for text in texts])
    model.network.base_model(input_ids=tokens.to(model.device), use_cache=False)


def _weights(texts: list[list[int]], spans: list[list[Positions]]) -> Tensor:
    """Of every token in the mean of each span: (texts, spans, longest text)."""
    weights = torch.zeros(len(texts), len(spans[0]), max(map(len, texts)))
    for row, (text, positions) in enumerate(zip(texts, spans, strict=True)):
        for span, places in enumerate(positions):
            if not len(places) or max(places) >= len(text) or min(places) < 0:
                raise ValueError(
                    f"text {row}: span {span} is empty or beyond its {len(text)} tokens"
                )
            weights[row, span, list(places)] = 1 / len(places)
    return weights
