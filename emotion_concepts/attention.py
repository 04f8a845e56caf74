"""Attention over prefixes that rows share and the tokens that each has of its own.

Prompts of one batch mostly begin alike. A prefix that a group of rows shares is
computed once, as one row, and all rows of the group attend to that single copy: the
prefix costs one matrix product instead of one per row, and is never copied. The rows'
own tokens stand right-aligned in a buffer of their own: the last token of every prompt
is in the same column, so a decoding step writes one column for all rows.

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


Prefix = tuple[Tensor, Tensor]  # keys and values (kv heads, tokens, width)


@dataclass
class Rows:
    """Where the tokens of a batch stand, the same for all layers.

    Attributes:
        padding: (rows,) unused columns at the left of each row's own buffer.
        groups: rows [first, last) and the tokens of the prefix that they share, one
            group after the other; together all rows.
        filled: columns of the rows' buffers that hold tokens.
    """

    padding: Tensor
    groups: list[tuple[int, int, int]]
    filled: int = 0
    _bias: dict[tuple, Tensor] = field(default_factory=dict)

    @property
    def prefix(self) -> Tensor:
        """(rows,) tokens in the prefix of each row."""
        lengths = [length for _, _, length in self.groups]
        sizes = [last - first for first, last, _ in self.groups]
        return torch.tensor(lengths).repeat_interleave(torch.tensor(sizes))

    def advance(self, columns: int) -> None:
        """Say that a pass through all layers has filled `columns` more columns."""
        self.filled += columns
        self._bias.clear()

    def keep(self, rows: Tensor) -> list[int]:
        """Let all rows but these (in ascending order) leave.

        Returns:
            The places of the groups of which a row stays.
        """
        self.padding = self.padding[rows.to(self.padding.device)]
        self._bias.clear()
        staying, groups = [], []
        for place, (first, last, length) in enumerate(self.groups):
            count = int(((rows >= first) & (rows < last)).sum())
            if count:
                start = groups[-1][1] if groups else 0
                groups.append((start, start + count, length))
                staying.append(place)
        self.groups = groups
        return staying

    def own_bias(
        self, queries: int, columns: int, window: int | None, like: Tensor
    ) -> Tensor:
        """What to add to the scores of new tokens on the rows' own columns.

        Returns:
            (rows, queries, columns), 0 where a token may look, else -inf.
        """
        key = ("own", queries, columns, window, like.device, like.dtype)
        if key not in self._bias:
            padding = self.padding.to(like.device)[:, None, None]
            query = self._queries(queries, like)
            column = torch.arange(columns, device=like.device)[None, None, :]
            # A padding column sees itself, lest its softmax be 0 / 0 and spoil the
            # row's later layers.
            visible = (column <= query) & ((column >= padding) | (column == query))
            if window is not None:
                visible &= column > query - window
            self._bias[key] = _minus_infinity(visible, like.dtype)
        return self._bias[key]

    def prefix_bias(
        self, group: int, queries: int, window: int | None, like: Tensor
    ) -> Tensor | None:
        """The same on the prefix of a group: (its rows, queries, prefix), or None where
        all of it is visible.
        """
        if window is None:
            return None
        key = ("prefix", group, queries, window, like.device, like.dtype)
        if key not in self._bias:
            first, last, length = self.groups[group]
            padding = self.padding[first:last].to(like.device)[:, None, None]
            place = torch.arange(length, device=like.device)[None, None, :]
            own = self._queries(queries, like) - padding
            near = place > length + own - window
            self._bias[key] = _minus_infinity(near, like.dtype)
        return self._bias[key]

    def _queries(self, queries: int, like: Tensor) -> Tensor:
        columns = self.filled + torch.arange(queries, device=like.device)
        return columns[None, :, None]


def _minus_infinity(visible: Tensor, dtype: torch.dtype) -> Tensor:
    return torch.zeros(visible.shape, dtype=dtype, device=visible.device).masked_fill_(
        ~visible, float("-inf")
    )


class PrefixLayer(CacheLayerMixin):
    """Keys and values of one block.

    The shared ones are one `Prefix` for each group (None where empty), the rows' own
    (rows, heads, columns, width).
    """

    def __init__(self, rows: Rows, prefixes: list[Prefix | None]) -> None:
        super().__init__()
        self.rows, self.prefixes = rows, prefixes

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

    def keep(self, rows: Tensor, groups: list[int]) -> None:
        """Let all rows and groups but these leave."""
        self.keys = self.keys.index_select(0, rows.to(self.keys.device))
        self.values = self.values.index_select(0, rows.to(self.values.device))
        self.prefixes = [self.prefixes[place] for place in groups]

    def get_seq_length(self) -> int:
        """Tokens read so far, the longest row's."""
        return max(length for _, _, length in self.rows.groups) + self.rows.filled

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
    """What a batch has computed so far: one `PrefixLayer` for each block.

    Args:
        rows: where its tokens stand.
        prefixes: for each block, one `Prefix` for each group, None where it is empty.
    """

    def __init__(self, rows: Rows, prefixes: list[list[Prefix | None]]) -> None:
        super().__init__(layers=[PrefixLayer(rows, block) for block in prefixes])
        self.rows = rows

    def keep(self, rows: Tensor) -> None:
        """Let all rows but these (in ascending order) leave the batch."""
        groups = self.rows.keep(rows)
        for layer in self.layers:
            layer.keep(rows, groups)

    def as_prefixes(self) -> list[list[Prefix]]:
        """For each block, what each row has read so far, to be a group's prefix."""
        return [
            [
                self._whole(layer, row, group)
                for group, (first, last, _) in enumerate(self.rows.groups)
                for row in range(first, last)
            ]
            for layer in self.layers
        ]

    def _whole(self, layer: PrefixLayer, row: int, group: int) -> Prefix:
        own = slice(int(self.rows.padding[row]), self.rows.filled)
        keys, values = layer.keys[row, :, own], layer.values[row, :, own]
        shared = layer.prefixes[group]
        if shared is None:
            return keys.contiguous(), values.contiguous()
        return torch.cat([shared[0], keys], 1), torch.cat([shared[1], values], 1)


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
    grouped = (query * scaling).reshape(rows, kv_heads, -1, width)
    own_bias = cache.rows.own_bias(tokens, columns, sliding_window, query)
    parts = []
    for place, (first, last, _) in enumerate(cache.rows.groups):
        prefix_bias = cache.rows.prefix_bias(place, tokens, sliding_window, query)
        parts.append(
            _group_attention(
                grouped[first:last],
                (key[first:last], value[first:last], own_bias[first:last]),
                layer.prefixes[place],
                prefix_bias,
                softcap,
            )
        )
    out = parts[0] if len(parts) == 1 else torch.cat(parts)
    out = out.reshape(rows, heads, tokens, value.shape[-1])
    return out.transpose(1, 2).contiguous(), None


def _group_attention(
    grouped: Tensor,
    own: tuple[Tensor, Tensor, Tensor],
    prefix: Prefix | None,
    prefix_bias: Tensor | None,
    softcap: float | None,
) -> Tensor:
    """Attention of rows (rows, kv heads, heads of each x tokens, width) to a prefix and
    to themselves.
    """
    rows, kv_heads, queries, width = grouped.shape
    key, value, bias = own
    scores = _biased(torch.matmul(grouped, key.transpose(2, 3)), bias, softcap)
    if prefix is None:
        weights = torch.softmax(scores, -1, dtype=torch.float32).to(grouped.dtype)
        return torch.matmul(weights, value)
    prefix_key, prefix_value = prefix
    length = prefix_key.shape[1]
    flat = grouped.transpose(0, 1).reshape(kv_heads, rows * queries, width)
    shared = torch.matmul(flat, prefix_key.transpose(1, 2))
    shared = shared.view(kv_heads, rows, queries, length).transpose(0, 1)
    shared = _biased(shared, prefix_bias, softcap)
    weights = torch.softmax(
        torch.cat([shared, scores], -1), -1, dtype=torch.float32
    ).to(grouped.dtype)
    out = torch.matmul(weights[..., length:].contiguous(), value)
    common = weights[..., :length].transpose(0, 1)
    common = common.reshape(kv_heads, rows * queries, length)
    shared = torch.matmul(common, prefix_value)
    return out + shared.view(kv_heads, rows, queries, -1).transpose(0, 1)


def _biased(scores: Tensor, bias: Tensor | None, softcap: float | None) -> Tensor:
    """Scores (rows, kv heads, heads of each x tokens, keys), capped, with a bias (rows,
    tokens, keys).
    """
    if softcap is not None:
        scores = torch.tanh(scores / softcap) * softcap
    if bias is None:
        return scores
    if bias.shape[1] == 1:
        return scores + bias[:, None]
    # A view, not the bias repeated for every query head of a group.
    split = scores.unflatten(2, (-1, bias.shape[1]))
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
    scores = _biased(scores, _minus_infinity(visible, query.dtype)[None], softcap)
    weights = torch.softmax(scores, -1, dtype=torch.float32).to(query.dtype)
    return torch.matmul(weights, value).transpose(1, 2).contiguous()


AttentionInterface.register(NAME, shared_prefix_attention)
