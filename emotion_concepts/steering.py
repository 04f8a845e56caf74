"""Steering: directions added to the residual stream (paper, section 3, step 6).

What is added after a block is `strength x mean residual norm of the layer x unit
direction`, so a strength means the same at every layer and for every direction. Every
row of a batch has a direction, strength and positions of its own: a whole dose-response
curve is one batch.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn

from emotion_concepts.model import Model, hidden


@dataclass(frozen=True, eq=False)
class Steering:
    """One thing that is added to the residual stream.

    Attributes:
        layers: the blocks after which it is added.
        vectors: (layers, width) float32, what is added after each of them.
    """

    layers: tuple[int, ...]
    vectors: Tensor


def steering(
    directions: np.ndarray, norms: np.ndarray, layers: list[int], strength: float
) -> Steering | None:
    """A direction at a strength.

    Args:
        directions: (layers, width) the direction at each layer, of any length.
        norms: (layers,) mean norm of the residual stream at each layer.
        layers: the blocks that these rows belong to.
        strength: what is added, as a share of the norm; negative away from the
            direction.

    Returns:
        None at strength 0: nothing is added, so nothing changes by a bit.

    Raises:
        ValueError: a direction or a norm is zero or not finite, and would silently do
            nothing or spoil everything.
    """
    lengths = np.linalg.norm(directions, axis=1)
    for what, values in (("direction", lengths), ("mean norm", norms)):
        if not (np.isfinite(values) & (values > 0)).all():
            raise ValueError(f"a {what} to steer with is zero or not finite")
    if strength == 0:
        return None
    scale = strength * norms / lengths
    return Steering(
        tuple(layers), torch.from_numpy(directions * scale[:, None]).float()
    )


@dataclass
class Adding:
    """What the next pass through the model adds, and to which of its tokens.

    Attributes:
        rows: (rows,) for each row the place of its steering in `tables`.
        where: (rows, columns) the tokens of the pass that are steered.
        tables: by layer, what each steering adds there (steerings, width).
    """

    tables: dict[int, Tensor]
    rows: Tensor = field(default_factory=lambda: torch.zeros(0, dtype=torch.long))
    where: Tensor = field(default_factory=lambda: torch.zeros(0, 0, dtype=torch.bool))

    def hook(self, layer: int) -> Callable[..., object]:
        """The forward hook that adds to a block's output."""

        def add(
            module: nn.Module, args: tuple, output: Tensor | tuple[Tensor, ...]
        ) -> Tensor | tuple[Tensor, ...] | None:
            if not self.where.any():
                return None
            stream = hidden(output)
            table = self.tables[layer] = self.tables[layer].to(stream)
            extra = table[self.rows.to(stream.device)][:, None]
            where = self.where.to(stream.device)[..., None]
            # Unsteered tokens are passed on, not given a zero: -0 + 0 is another bit.
            steered = torch.where(where, stream + extra, stream)
            return (steered, *output[1:]) if isinstance(output, tuple) else steered

        return add


@contextmanager
def adding(model: Model, steerings: list[Steering]) -> Iterator[Adding]:
    """Within this context the model's blocks add what the yielded `Adding` says.

    Args:
        model: the loaded model.
        steerings: all that the passes to come will use.
    """
    layers = sorted({layer for one in steerings for layer in one.layers})
    tables = {}
    for layer in layers:
        tables[layer] = torch.zeros(len(steerings), model.width)
        for place, one in enumerate(steerings):
            if layer in one.layers:
                tables[layer][place] = one.vectors[one.layers.index(layer)]
    state = Adding(tables)
    blocks = model.blocks
    with ExitStack() as stack:
        for layer in layers:
            handle = blocks[layer].register_forward_hook(state.hook(layer))
            stack.callback(handle.remove)
        yield state
