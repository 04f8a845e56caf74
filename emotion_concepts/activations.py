"""Activations of texts, read in batches that can be resumed, grown and resharded (see
`store`).
"""

from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
import torch

from emotion_concepts.capture import mean_residuals
from emotion_concepts.chat import tokenise
from emotion_concepts.errors import StudyError
from emotion_concepts.model import Model
from emotion_concepts.planning import halving
from emotion_concepts.progress import Progress
from emotion_concepts.store import (
    Ledger,
    cut,
    digest,
    read_tensor,
    tensors_on_disk,
    write_tensors,
)

MEAN = "mean_residual"  # (texts, layers, width) float32
NORM = "mean_norm"  # (texts, layers) float32: mean norm of the averaged tokens


@dataclass(frozen=True)
class Reading:
    """How texts are read: the tokens skipped at the start, the fewest after them, which
    layers.
    """

    from_token: int
    min_tokens: int
    layers: list[int]


def capture_texts(
    model: Model,
    texts: list[str],
    ledger: Ledger,
    reading: Reading,
    batch_tokens: int,
    what: str,
) -> list[str]:
    """Capture every text that is long enough, but for those in finished batches.

    Texts of like length share a batch. They are read raw, as the model's tokenizer
    gives them by default, outside any chat (the paper does not say; see its section 3,
    step 7).

    Args:
        model: the loaded model.
        texts: the texts; the same text twice is read once.
        ledger: the finished batches, as tensors.
        reading: how to read.
        batch_tokens: tokens in a batch at most, padding included.
        what: the step's name, for its progress.

    Returns:
        The keys of the texts that are long enough, in order, without repeats.
    """
    shortest = reading.from_token + reading.min_tokens
    tokens = {
        digest(text): tokenise(model.tokenizer, text, special_tokens=True).tokens
        for text in texts
    }
    tokens = {key: ids for key, ids in tokens.items() if len(ids) >= shortest}
    finished = ledger.finished()
    left = [(key, ids) for key, ids in tokens.items() if key not in finished]
    left.sort(key=lambda item: (len(item[1]), item[0]))
    progress = Progress(what, len(tokens), len(tokens) - len(left))

    def read(batch: list[tuple[str, list[int]]]) -> tuple[torch.Tensor, torch.Tensor]:
        rows = [ids for _, ids in batch]
        spans = [[range(reading.from_token, len(ids))] for ids in rows]
        return mean_residuals(model, rows, spans, reading.layers)

    whole = cut(left, _padded_tokens, batch_tokens)
    for batch, (means, norms) in chain.from_iterable(
        halving(some, read) for some in whole
    ):
        if not torch.isfinite(means).all():
            raise StudyError(
                f"{model.identity}: the residual stream is not finite in "
                f"{model.network.dtype}; set the model's dtype to bfloat16 or float32"
            )
        arrays = {MEAN: means[:, 0].numpy(), NORM: norms[:, 0].numpy()}
        keys = [key for key, _ in batch]
        write_tensors(ledger.path(keys), arrays, {"keys": keys})
        progress.add(len(batch), sum(len(ids) for _, ids in batch))
    return list(tokens)


def gather(
    keys: list[str], ledger: Ledger, path: Path, meaning: dict[str, object]
) -> None:
    """Put the finished batches together into one file, in the order of the keys.

    The rows are copied one batch at a time into a file of the final size, so memory
    does not grow with the number of texts.

    Raises:
        StudyError: there is no text at all.
    """
    if not keys:
        raise StudyError(
            f"{path}: no text is long enough to be read; lower capture.from_token or "
            "raise the longest text"
        )
    found = ledger.finished()
    by_file: dict[Path, list[tuple[int, int]]] = {}
    for place, key in enumerate(keys):
        file, row = found[key]
        by_file.setdefault(file, []).append((place, row))
    _, layers, width = read_tensor(next(iter(by_file)), MEAN).shape
    shapes = {MEAN: (len(keys), layers, width), NORM: (len(keys), layers)}
    with tensors_on_disk(path, shapes, meaning | {"keys": keys}) as arrays:
        for file, pairs in by_file.items():
            places, rows = np.array(pairs).T
            for name in (MEAN, NORM):
                arrays[name][places] = read_tensor(file, name)[rows]


def _padded_tokens(batch: list[tuple[str, list[int]]]) -> int:
    return len(batch) * max(len(ids) for _, ids in batch)
