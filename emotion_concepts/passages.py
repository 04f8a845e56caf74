"""Probes along a text, token by token (paper, section 4, Figures 1 and 40 to 51).

Values are cosines of the centred residual stream: less its mean over tokens. The first
token is left out: it carries no text but a norm many times that of others.
"""

import re
from typing import Any

import numpy as np
import torch

from emotion_concepts.capture import by_length, mean_residuals, token_residuals
from emotion_concepts.chat import Rendered, tokenise
from emotion_concepts.model import Model
from emotion_concepts.store import Record
from emotion_concepts.texts import Wording, whole_words

Json = dict[str, Any]

LONGEST = 512  # tokens of a passage that are read
CENTRE = 64  # passages whose mean token is the centre
WINDOW = 20  # tokens in the stretch that a passage is ranked by
SHOWN = 5  # passages of each emotion that are kept with their tokens
RANKED = 20  # passages of each emotion that are counted


def rendered_passages(model: Model, texts: list[str]) -> list[Rendered]:
    """Texts as the model reads them, raw, up to a longest length."""
    found = []
    for text in texts:
        one = tokenise(model.tokenizer, text, special_tokens=True)
        found.append(Rendered(text, one.tokens[:LONGEST], one.offsets[:LONGEST]))
    return found


def along(
    model: Model,
    passages: list[Rendered],
    vectors: np.ndarray,
    layer: int,
    batch_tokens: int,
) -> list[np.ndarray]:
    """What each probe says at every token.

    Args:
        model: the loaded model.
        passages: what to read, each of at least two tokens.
        vectors: (probes, width).
        layer: the block whose output is read.
        batch_tokens: tokens in a batch at most, padding included.

    Returns:
        For each passage (tokens, probes) cosines; nan at the first token.
    """
    tokens = [passage.tokens for passage in passages]
    centre = _centre(model, passages[:CENTRE], layer, batch_tokens)
    unit = torch.from_numpy(vectors).float()
    unit = unit / unit.norm(dim=1, keepdim=True).clamp(min=1e-12)
    values: list[np.ndarray] = [np.zeros(0)] * len(passages)
    for batch in by_length(tokens, batch_tokens):
        texts = [tokens[place] for place in batch]
        for place, stream in zip(
            batch, token_residuals(model, texts, layer), strict=True
        ):
            moved = stream - centre
            cosine = (moved @ unit.T) / moved.norm(dim=1, keepdim=True).clamp(min=1e-12)
            cosine[0] = torch.nan
            values[place] = cosine.numpy()
    return values


def _centre(
    model: Model, passages: list[Rendered], layer: int, batch_tokens: int
) -> torch.Tensor:
    """Mean residual stream (width,) over the passages' tokens but the first."""
    total, count = torch.zeros(model.width), 0
    tokens = [passage.tokens for passage in passages]
    for batch in by_length(tokens, batch_tokens):
        texts = [tokens[place] for place in batch]
        spans = [[range(1, len(text))] for text in texts]
        means, _ = mean_residuals(model, texts, spans, [layer])
        lengths = torch.tensor([len(text) - 1.0 for text in texts])
        total += lengths @ means[:, 0, 0]
        count += int(lengths.sum())
    return total / max(1, count)


def emotional(wording: Wording) -> re.Pattern:
    """Any form or synonym of any emotion."""
    words = {
        word
        for entry in wording.values()
        for word in [*entry["forms"], *entry.get("synonyms", [])]
    }
    return re.compile(whole_words(sorted(words)).pattern, re.IGNORECASE)


def on_spans(passage: Rendered, spans: re.Pattern) -> np.ndarray:
    """(tokens,) whether each token belongs to a word that the pattern finds."""
    marked = np.zeros(len(passage.tokens), bool)
    for found in spans.finditer(passage.text.translate(_APOSTROPHES)):
        marked[passage.span(*found.span())] = True
    return marked


_APOSTROPHES = str.maketrans("’‘‐‑", "''--")


def span_effect(values: np.ndarray, own: int, marked: np.ndarray) -> Json | None:
    """How much higher a story's own probe, and the others, are on emotional words than
    elsewhere; None where the story has none of either.

    Args:
        values: (tokens, probes) from `along`.
        own: the story's own probe.
        marked: (tokens,) from `on_spans`.
    """
    rest = ~marked
    marked, rest = marked.copy(), rest
    marked[0] = rest[0] = False
    if not (marked.any() and rest.any()) or values.shape[1] < 2:
        return None
    gap = values[marked].mean(0) - values[rest].mean(0)
    level = values[marked | rest].mean(0)
    return {
        "own": float(gap[own]),
        "others": float(np.delete(gap, own).mean()),
        "own_level": float(level[own]),
        "others_level": float(np.delete(level, own).mean()),
        "tokens": int(marked.sum()),
    }


def best_window(values: np.ndarray) -> tuple[float, int, int]:
    """The stretch of a passage where a probe (tokens,) is highest: its mean, start and
    end; the first token is nan and left out.
    """
    rest = values[1:]
    width = min(WINDOW, len(rest))
    sums = np.cumsum(np.concatenate([[0.0], rest]))
    means = (sums[width:] - sums[:-width]) / width
    start = int(means.argmax())
    return float(means[start]), start + 1, start + 1 + width


def top_passages(
    records: list[Record],
    passages: list[Rendered],
    values: list[np.ndarray],
    probe: int,
) -> list[Json]:
    """The passages that a probe is highest in, the highest first.

    Returns:
        `key`, `score`, `emotion` (of a story, else None) of the first `RANKED`; the
        first `SHOWN` also have `window`, `tokens` and `values` for each token.
    """
    found = [best_window(value[:, probe]) for value in values]
    order = sorted(range(len(found)), key=lambda place: -found[place][0])[:RANKED]
    ranked = []
    for rank, place in enumerate(order):
        score, start, end = found[place]
        entry = {
            "key": records[place]["key"],
            "emotion": records[place].get("emotion"),
            "score": round(score, 6),
        }
        if rank < SHOWN:
            one = passages[place]
            entry["window"] = [start, end]
            entry["tokens"] = [one.text[a:b] for a, b in one.offsets]
            entry["values"] = values[place][:, probe].round(4).tolist()
        ranked.append(entry)
    return ranked
