"""The logit lens: the tokens that a vector speaks for and against (paper, section 4,
Table 1).

A vector is read as if it were the whole residual stream: through the final norm and the
unembedding, less what these make of nothing, so that a norm's or a head's own bias
names no token.
"""

from collections.abc import Iterator

import numpy as np
import torch
from accelerate.utils import align_module_device
from torch import Tensor, nn

from emotion_concepts.errors import StudyError
from emotion_concepts.model import Model

SHOWN = 10  # tokens of each vector that are kept at either end
SLICE = 32768  # tokens of the vocabulary that are multiplied at once


@torch.no_grad()
def logits_of(model: Model, vectors: np.ndarray) -> Tensor:
    """What vectors add to the logits.

    Args:
        model: the loaded model.
        vectors: (vectors, width).

    Returns:
        (vectors, vocabulary) float32 on the CPU.
    """
    norm, head = final_norm(model), model.network.get_output_embeddings()
    dtype = model.network.dtype
    nothing = np.zeros((1, vectors.shape[1]), vectors.dtype)
    stream = torch.from_numpy(np.concatenate([vectors, nothing])).to(dtype)
    normed = norm(stream.to(model.device)).float()
    change = normed[:-1] - normed[-1:]
    # Offloaded weights are on no device until they are wanted.
    with align_module_device(head):
        # In float32: bfloat16 would tie tokens that are not equal.
        parts = [change.to(w.device) @ w.float().T for w in head.weight.split(SLICE)]
    return torch.cat([part.cpu() for part in parts], dim=1)


def final_norm(model: Model) -> nn.Module:
    """The norm between the last block and the unembedding.

    Raises:
        StudyError: beside the blocks there is none.
    """
    blocks = model.blocks
    for module in model.network.get_decoder().modules():
        children = list(module.children())
        if any(child is blocks for child in children):
            norms = [c for c in children if "norm" in type(c).__name__.lower()]
            if norms:
                return norms[-1]
    kind = model.network.config.model_type
    raise StudyError(f"{kind}: no final norm found beside the blocks")


def tokens_of(model: Model, vectors: np.ndarray) -> Iterator[dict[str, list[str]]]:
    """For each vector (vectors, width), the tokens at either end, the strongest first.

    Yields:
        `top` and `bottom`, token texts; and `top_logits`, `bottom_logits`.
    """
    logits = logits_of(model, vectors)
    spelled = [model.tokenizer.decode([i]) for i in range(len(model.tokenizer))]
    # Padding rows of the unembedding stand for no token.
    logits = logits[:, : len(spelled)]
    for row in logits:
        record = {}
        for end, largest in (("top", True), ("bottom", False)):
            values, ids = row.topk(min(SHOWN, len(row)), largest=largest)
            record[end] = [spelled[i] for i in ids.tolist()]
            record[f"{end}_logits"] = [round(v, 4) for v in values.tolist()]
        yield record
