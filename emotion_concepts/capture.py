"""Capture of the residual stream, averaged over a text (paper, section 3, step 1).

One pass serves all layers. The mean is taken on the device in float32 as the pass goes
by, so memory does not grow with the number of texts or layers kept. Texts are padded on
the right: causal attention never looks right, so no real token sees the padding, and a
token's rank in its text is its column.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from emotion_concepts.model import Model, hidden


@torch.no_grad()
def mean_residuals(
    model: Model,
    texts: list[list[int]],
    from_token: int,
    layers: list[int],
) -> tuple[Tensor, Tensor]:
    """Mean residual stream of each text, from a given token on, at the given layers.

    Args:
        model: the loaded model.
        texts: token ids of each text, each longer than `from_token`.
        from_token: tokens at the start of each text that are read but not averaged.
        layers: which blocks' outputs.

    Returns:
        (texts, layers, width) float32 means, and (texts, layers) the mean norm of the
        averaged tokens, both on the CPU.
    """
    if any(len(text) <= from_token for text in texts):
        raise ValueError(f"a text has no token from {from_token} on to average")
    tokens, weights = _padded(texts, from_token)
    means = torch.zeros(len(texts), len(layers), model.width)
    norms = torch.zeros(len(texts), len(layers))

    def watch(slot: int) -> Callable[..., None]:
        def hook(
            module: nn.Module, args: tuple, output: Tensor | tuple[Tensor, ...]
        ) -> None:
            stream = hidden(output).float()
            weight = weights.to(stream.device)
            means[:, slot] = torch.bmm(weight[:, None], stream)[:, 0].cpu()
            norms[:, slot] = (weight * stream.norm(dim=-1)).sum(1).cpu()

        return hook

    blocks = model.blocks
    handles = [
        blocks[layer].register_forward_hook(watch(slot))
        for slot, layer in enumerate(layers)
    ]
    try:
        model.network.base_model(input_ids=tokens.to(model.device), use_cache=False)
    finally:
        for handle in handles:
            handle.remove()
    return means, norms


def _padded(texts: list[list[int]], from_token: int) -> tuple[Tensor, Tensor]:
    """Right-padded tokens (texts, longest), and their weights in the mean."""
    longest = max(map(len, texts))
    tokens = torch.tensor([text + [0] * (longest - len(text)) for text in texts])
    weights = torch.zeros(len(texts), longest)
    for row, text in enumerate(texts):
        weights[row, from_token : len(text)] = 1 / (len(text) - from_token)
    return tokens, weights
