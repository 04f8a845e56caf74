"""The residual stream at named positions of prompts, at every captured layer.

Prompts are few and short, so all of them are read in one go, in batches of like length.
"""

from pathlib import Path

import numpy as np

from emotion_concepts.capture import by_length, mean_residuals
from emotion_concepts.chat import positions
from emotion_concepts.model import Model
from emotion_concepts.store import Record, read_meaning, read_tensor, write_tensors

STREAM = "residual"  # (prompts, positions, layers, width)


def read_prompts(
    model: Model,
    prompts: list[Record],
    names: list[str],
    layers: list[int],
    batch_tokens: int,
) -> np.ndarray:
    """Mean residual stream of each prompt at each named position.

    Args:
        model: the loaded model.
        prompts: records with `user`, what the user says, and, for positions of its own,
            `marks` (see `chat.positions`).
        names: the positions.
        layers: which blocks' outputs.
        batch_tokens: tokens in a batch at most, padding included.

    Returns:
        (prompts, positions, layers, width) float32.
    """
    rows = []
    for prompt in prompts:
        rendered, found = positions(
            model.tokenizer, prompt["user"], prompt.get("marks")
        )
        rows.append((rendered.tokens, [found[name] for name in names]))
    read = np.zeros((len(prompts), len(names), len(layers), model.width), np.float32)
    for places in by_length([tokens for tokens, _ in rows], batch_tokens):
        texts, spans = map(list, zip(*(rows[p] for p in places), strict=True))
        read[places] = mean_residuals(model, texts, spans, layers)[0].numpy()
    return read


def write_prompts(
    path: Path,
    read: np.ndarray,
    keys: list[str],
    names: list[str],
    meaning: dict[str, object],
) -> None:
    """Write what `read_prompts` gave, with what it means."""
    write_tensors(path, {STREAM: read}, meaning | {"keys": keys, "positions": names})


def stream_at(path: Path, position: str, layer: int) -> dict[str, np.ndarray]:
    """By prompt's key, the residual stream (width,) at a position and layer."""
    meaning = read_meaning(path)
    index = (
        slice(None),
        meaning["positions"].index(position),
        meaning["layers"].index(layer),
    )
    return dict(zip(meaning["keys"], read_tensor(path, STREAM, index), strict=True))
