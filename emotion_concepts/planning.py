"""How large a batch may be: planned from the memory there is, halved where that was too
much.

The plan counts all memory of the device, not what happens to be free, so it is the same
for every run on a machine and a batch keeps its identity (see `store`). Halving is for
the case that others use the device too: it changes the composition of a batch, and so
the last bits of its items, but it finishes where the plan would fail.
"""

import sys
from collections.abc import Callable, Iterator
from typing import TypeVar

import psutil
import torch
from accelerate.utils.memory import clear_device_cache, should_reduce_batch_size

from emotion_concepts.errors import StudyError
from emotion_concepts.model import Model

Item = TypeVar("Item")
Result = TypeVar("Result")

SHARE = (
    0.6  # of the memory that the weights leave; the rest is for intermediate results
)


def rows_that_fit(model: Model, tokens: int, columns: int, most: int) -> int:
    """Rows of a batch that memory holds, at least one.

    Args:
        model: the loaded model.
        tokens: tokens of a row at most, its response included.
        columns: after how many of them the logits are kept at once.
        most: rows that are wanted at most.
    """
    config = model.network.config.get_text_config()
    heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    width = getattr(config, "head_dim", None) or (
        config.hidden_size // config.num_attention_heads
    )
    size = model.network.dtype.itemsize
    cached = 2 * config.num_hidden_layers * heads * width * size * tokens
    # The logits, and their softmax in float32.
    logits = columns * config.vocab_size * (size + 8)
    room = SHARE * (_memory(model.device) - model.network.get_memory_footprint())
    return max(1, min(most, int(room / (cached + logits))))


def check_context(model: Model, tokens: int) -> None:
    """See that a prompt with its answer is no longer than the model can read.

    Beyond that some models fail and others go on and write nonsense.

    Raises:
        StudyError: it is longer.
    """
    config = model.network.config.get_text_config()
    limit = getattr(config, "max_position_embeddings", None)
    if limit and tokens > limit:
        raise StudyError(
            f"{model.identity}: a prompt with its answer takes {tokens} tokens, and "
            f"the model reads {limit}; use another model, or shorter stimuli or answers"
        )


def _memory(device: torch.device) -> int:
    """All memory of a device, in bytes."""
    if device.type == "cuda":
        return torch.cuda.get_device_properties(device).total_memory
    return psutil.virtual_memory().total


def halving(
    batch: list[Item], work: Callable[[list[Item]], Result]
) -> Iterator[tuple[list[Item], Result]]:
    """Do a batch's work at once, or in halves where memory is too small for that.

    Yields:
        Parts of the batch in order, each with its result.
    """
    try:
        result = work(batch)
    except Exception as error:
        if len(batch) == 1 or not should_reduce_batch_size(error):
            raise
    else:
        yield batch, result
        return
    # Outside the handler: the error holds on to everything that the work had made.
    clear_device_cache(garbage_collection=True)
    middle = len(batch) // 2
    print(
        f"out of memory at a batch of {len(batch)}; going on with {middle}",
        file=sys.stderr,
    )
    for half in (batch[:middle], batch[middle:]):
        yield from halving(half, work)
