"""Attention over a prefix that all rows share and the tokens that each has of its own.

Prompts of one batch mostly begin alike. Their common prefix is computed once, as one
row, and every row attends to that single copy: the prefix costs one matrix product
instead of one per row, and is never copied. The rows' own tokens stand right-aligned in
a buffer of their own: the last token of every prompt is in the same column, so a
decoding step writes one column for all rows.

The buffers are kept whole (and masked) rather than sliced, because a product with a
slice first copies it, which on a CPU costs more than the product itself.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from transformers import AttentionInterface
from transformers.cache_utils import Cache, CacheLayerMixin

from emotion_concepts.errors import StudyError

NAME = "shared_prefix"
GROWTH = 32  # columns by which a full buffer grows


@dataclass
class Rows:
    """Where the tokens of a batch stand, the same for all layers.

    Attributes:
        padding: (rows,) unused columns at the left of each row's own buffer.
        prefix: tokens in the shared prefix.
        filled: columns of the rows' buffers that hold tokens.
    """

    padding: Tensor
    prefix: int = 0
    filled: int = 0
    _bias: dict[tuple, Tensor] = field(default_factory=dict)

    def advance(self, columns: int) -> None:
        """Say that a pass through all layers has filled `columns` more columns."""
        self.filled += columns
        self._bias.clear()

    def keep(self, rows: Tensor) -> None:
        """Let all rows but these leave."""
        self.padding = self.padding[rows.to(self.padding.device)]
        self._bias.clear()

    def bias(
        self, queries: int, columns: int, window: int | None, like: Tensor
    ) -> tuple[Tensor | None, Tensor]:
        """What to add to the scores of new tokens: 0 where they may look, else -inf.

        Returns:
            For the prefix (rows, queries, prefix), or None where all of it is visible,
            and for the row's own columns (rows, queries, columns).
        """
        key = (queries, columns, window, like.device, like.dtype)
        if key not in self._bias:
            self._bias[key] = self._make_bias(queries, columns, window, like)
        return self._bias[key]

    def _make_bias(
        self, queries: int, columns: int, window: int | None, like: Tensor
    ) -> tuple[Tensor | None, Tensor]:
        padding = self.padding.to(like.device)[:, None, None]
        query = self.filled + torch.arange(queries, device=like.device)[None, :, None]
        column = torch.arange(columns, device=like.device)[None, None, :]
        # A padding column sees itself, lest its softmax be 0 / 0 and spoil the row's
        # later layers.
        visible = (column <= query) & ((column >= padding) | (column == query))
        prefix_bias = None
        if window is not None:
            visible &= column > query - window
            place = torch.arange(self.prefix, device=like.device)[None, None, :]
            near = place > self.prefix + (query - padding) - window
            prefix_bias = _minus_infinity(near, like.dtype)
        return prefix_bias, _minus_infinity(visible, like.dtype)


def _minus_infinity(visible: Tensor, dtype: torch.dtype) -> Tensor:
    return torch.zeros(visible.shape, dtype=dtype, device=visible.device).masked_fill_(
        ~visible, float("-inf")
    )


class PrefixLayer(CacheLayerMixin):
    """Keys and values of one block.

    The shared ones are (1, heads, prefix, width), the rows' own (rows, heads, columns,
    width).
    """

    def __init__(self, rows: Rows, prefix: tuple[Tensor, Tensor] | None = None) -> None:
        super().__init__()
        self.rows, self.prefix = rows, prefix

    def lazy_initialization(self, key_states: Tensor, value_states: Tensor) -> None:
        """Make buffers without columns, on the device of the block's own keys."""
        self.keys = key_states.new_zeros(*key_states.shape[:2], 0, key_states.shape[3])
        self.values = value_states.new_zeros(
            *value_states.shape[:2], 0, value_states.shape[3]
        )
        self.is_initialized = True

    def update(
        self, key_states: Tensor, value_states: Tensor, *args: object, **kwargs: object
    ) -> tuple[Tensor, Tensor]:
        """Write new columns; returns the whole buffers (the bias hides the rest)."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        start, end = self.rows.filled, self.rows.filled + key_states.shape[2]
        if end > self.keys.shape[2]:
            self.keys, self.values = _grown(self.keys, end), _grown(self.values, end)
        self.keys[:, :, start:end] = key_states
        self.values[:, :, start:end] = value_states
        return self.keys, self.values

    def keep(self, rows: Tensor) -> None:
        """Let all rows but these leave."""
        self.keys = self.keys.index_select(0, rows.to(self.keys.device))
        self.values = self.values.index_select(0, rows.to(self.values.device))

    def get_seq_length(self) -> int:
        """Tokens read so far, the longest row's."""
        return self.rows.prefix + self.rows.filled

    def get_max_length(self) -> int:
        """No limit, in transformers' terms."""
        return -1

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        """Keys that a mask would cover, and where they start."""
        return self.get_seq_length() + query_length, 0


def _grown(buffer: Tensor, columns: int) -> Tensor:
    rows, heads, old, width = buffer.shape
    new = buffer.new_zeros(
        rows, heads, -(-columns // GROWTH) * GROWTH if old else columns, width
    )
    new[:, :, :old] = buffer
    return new


class PrefixCache(Cache):
    """What a batch has computed so far: one `PrefixLayer` for each block."""

    def __init__(
        self,
        layers: int,
        rows: Rows,
        prefix: list[tuple[Tensor, Tensor]] | None = None,
    ) -> None:
        super().__init__(
            layers=[
                PrefixLayer(rows, prefix[i] if prefix else None) for i in range(layers)
            ]
        )
        self.rows = rows

    def keep(self, rows: Tensor) -> None:
        """Let all rows but these leave the batch."""
        self.rows.keep(rows)
        for layer in self.layers:
            layer.keep(rows)

    def as_prefix(self) -> list[tuple[Tensor, Tensor]]:
        """The keys and values of a one-row pass, to be the shared prefix of a batch."""
        filled = self.rows.filled
        return [
            (
                layer.keys[:, :, :filled].contiguous(),
                layer.values[:, :, :filled].contiguous(),
            )
            for layer in self.layers
        ]


_active: list[PrefixCache] = []


@contextmanager
def using(cache: PrefixCache) -> Iterator[PrefixCache]:
    """Within this context the model's attention reads this cache."""
    _active.append(cache)
    try:
        yield cache
    finally:
        _active.pop()


def shared_prefix_attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    sliding_window: int | None = None,
    softcap: float | None = None,
    **kwargs: object,
) -> tuple[Tensor, None]:
    """Attention as transformers calls it.

    It takes queries (rows, heads, tokens, width) to (rows, tokens, heads, width).

    Without an active cache the rows are taken to be right-padded: causal attention
    never looks right, so the padding needs no mask. The softmax is in float32.
    """
    if kwargs.get("s_aux") is not None:
        raise StudyError("attention with sinks (as in gpt-oss) is not supported")
    scaling = query.shape[-1] ** -0.5 if scaling is None else scaling
    if not _active:
        return _causal(query, key, value, scaling, sliding_window, softcap), None
    cache = _active[-1]
    layer = cache.layers[module.layer_idx]
    rows, heads, tokens, width = query.shape
    kv_heads, columns = key.shape[1], key.shape[2]
    group = heads // kv_heads
    prefix_bias, own_bias = cache.rows.bias(tokens, columns, sliding_window, query)
    grouped = (query * scaling).reshape(rows, kv_heads, group * tokens, width)
    scores = torch.matmul(grouped, key.transpose(2, 3))
    scores = _biased(scores, own_bias, softcap, group)
    if layer.prefix is None:
        weights = torch.softmax(scores, -1, dtype=torch.float32).to(query.dtype)
        out = torch.matmul(weights, value)
    else:
        prefix_key, prefix_value = layer.prefix
        flat = grouped.transpose(0, 1).reshape(kv_heads, rows * group * tokens, width)
        shared = torch.matmul(flat, prefix_key[0].transpose(1, 2))
        shared = shared.view(kv_heads, rows, group * tokens, -1).transpose(0, 1)
        shared = _biased(shared, prefix_bias, softcap, group)
        weights = torch.softmax(
            torch.cat([shared, scores], -1), -1, dtype=torch.float32
        ).to(query.dtype)
        own, common = (
            weights[..., shared.shape[-1] :],
            weights[..., : shared.shape[-1]],
        )
        out = torch.matmul(own.contiguous(), value)
        common = common.transpose(0, 1).reshape(
            kv_heads, rows * group * tokens, shared.shape[-1]
        )
        out = out + torch.matmul(common, prefix_value[0]).view(
            kv_heads, rows, group * tokens, value.shape[-1]
        ).transpose(0, 1)
    out = out.reshape(rows, heads, tokens, value.shape[-1])
    return out.transpose(1, 2).contiguous(), None


def _biased(
    scores: Tensor, bias: Tensor | None, softcap: float | None, group: int
) -> Tensor:
    if softcap is not None:
        scores = torch.tanh(scores / softcap) * softcap
    if bias is None:
        return scores
    if bias.shape[1] == 1:
        return scores + bias[:, None]
    # A view, not the bias repeated for every query head of a group.
    split = scores.unflatten(2, (group, bias.shape[1]))
    return (split + bias[:, None, None]).flatten(2, 3)


def _causal(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    scaling: float,
    window: int | None,
    softcap: float | None,
) -> Tensor:
    group = query.shape[1] // key.shape[1]
    key, value = key.repeat_interleave(group, 1), value.repeat_interleave(group, 1)
    tokens = query.shape[2]
    if softcap is None and (window is None or window >= tokens):
        out = nn.functional.scaled_dot_product_attention(
            query, key, value, is_causal=True, scale=scaling
        )
        return out.transpose(1, 2).contiguous()
    place = torch.arange(tokens, device=query.device)
    visible = place[:, None] >= place[None, :]
    if window is not None:
        visible &= place[None, :] > place[:, None] - window
    scores = torch.matmul(query * scaling, key.transpose(2, 3))
    scores = _biased(scores, _minus_infinity(visible, query.dtype)[None], softcap, 1)
    weights = torch.softmax(scores, -1, dtype=torch.float32).to(query.dtype)
    return torch.matmul(weights, value).transpose(1, 2).contiguous()


AttentionInterface.register(NAME, shared_prefix_attention)
