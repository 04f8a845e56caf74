"""A chat model from a local folder: its parts, its identity, and where its blocks are.

Layer l is the output of block l, counted from 0: the residual stream after the block,
before any final norm. Every artefact says so in its metadata.
"""

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    logging,
)

from emotion_concepts import attention
from emotion_concepts.errors import StudyError

LAYER_CONVENTION = (
    "layer l is the output of block l, counted from 0, before the final norm"
)

LAYER_TYPES = {"full_attention", "sliding_attention"}


@dataclass(frozen=True)
class Model:
    """A loaded model: network, tokenizer and the identity that its artefacts carry."""

    network: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    identity: str

    @property
    def blocks(self) -> nn.ModuleList:
        """The decoder blocks, first to last."""
        return find_blocks(self.network)

    @property
    def width(self) -> int:
        """Width of the residual stream."""
        return self.network.config.get_text_config().hidden_size

    @property
    def device(self) -> torch.device:
        """Where the tokens enter."""
        device = self.network.get_input_embeddings().weight.device
        # An offloaded embedding is nowhere; accelerate moves what it is given to where
        # it runs.
        return torch.device("cpu") if device.type == "meta" else device

    def stop_tokens(self) -> set[int]:
        """The ids that end the assistant's turn."""
        ends = [
            self.network.generation_config.eos_token_id,
            self.network.config.get_text_config().eos_token_id,
            self.tokenizer.eos_token_id,
        ]
        flat = [e for end in ends for e in (end if isinstance(end, list) else [end])]
        return {int(e) for e in flat if e is not None}


def load(folder: Path, max_memory: dict[str, str] | None = None) -> Model:
    """Load a model that the `model` rule has prepared.

    accelerate places it: on the GPUs that there are, else on the CPU; with `max_memory`
    (device to size, as accelerate takes it) what does not fit goes to the CPU, if it is
    named, and the rest to the disk.

    Args:
        folder: a folder with safetensors weights and tokenizer, and `model.json` beside
            it.
        max_memory: limits for each device, or None for accelerate's own plan.

    Raises:
        StudyError: this engine cannot run a model of this architecture, or weights are
            missing, which transformers would fill with random numbers.
    """
    torch.manual_seed(0)
    record = json.loads((folder.parent / "model.json").read_text())
    place = "auto" if torch.cuda.is_available() or max_memory else None
    logging.disable_progress_bar()
    # On a GPU some products add up in an order that changes from run to run.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True, warn_only=True)
    # With it torch fills all new memory, in case somebody reads what nobody wrote.
    torch.utils.deterministic.fill_uninitialized_memory = False
    network, loading = AutoModelForCausalLM.from_pretrained(
        folder,
        output_loading_info=True,
        dtype=getattr(torch, record["dtype"]),
        device_map=place,
        max_memory=max_memory and _by_device(max_memory),
        offload_folder=str(folder.parent / "offload") if place else None,
        attn_implementation=attention.NAME,
        local_files_only=True,
        trust_remote_code=record["trust_remote_code"],
    )
    if loading["missing_keys"]:
        raise StudyError(
            f"{folder}: the weights lack {min(loading['missing_keys'])}; delete the "
            "folder and run again, or mend the source"
        )
    network.eval()
    _refuse_other_attention(network)
    tokenizer = AutoTokenizer.from_pretrained(
        folder,
        local_files_only=True,
        trust_remote_code=record["trust_remote_code"],
    )
    network.requires_grad_(False)
    network.get_output_embeddings().register_forward_pre_hook(_contiguous)
    return Model(network, tokenizer, record["identity"])


def _by_device(max_memory: dict[str, str]) -> dict[int | str, str]:
    # accelerate knows GPUs by number, and JSON has no keys but words.
    return {int(k) if str(k).isdigit() else k: v for k, v in max_memory.items()}


def _refuse_other_attention(network: PreTrainedModel) -> None:
    """Refuse models whose blocks would not do as `attention` does."""
    config = network.config.get_text_config()
    kinds = set(getattr(config, "layer_types", None) or []) - LAYER_TYPES
    if kinds or not network._supports_attention_backend:
        raise StudyError(
            f"{config.model_type}: this architecture's attention is not supported"
            + (f" ({', '.join(sorted(kinds))})" if kinds else "")
        )


def _contiguous(module: nn.Module, args: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    # The last token's slice of the stream is not contiguous, and torch then multiplies
    # it as a batch, with a copy of the whole vocabulary matrix for every row.
    return (args[0].contiguous(), *args[1:])


def find_blocks(network: nn.Module) -> nn.ModuleList:
    """The list of decoder blocks of any decoder-only transformer.

    Raises:
        StudyError: there is no list of as many modules as the config says there are
            layers.
    """
    count = network.config.get_text_config().num_hidden_layers
    for module in network.get_decoder().modules():
        if isinstance(module, nn.ModuleList) and len(module) == count:
            return module
    raise StudyError(
        f"{network.config.model_type}: no list of {count} decoder blocks found"
    )


def hidden(output: Tensor | tuple[Tensor, ...]) -> Tensor:
    """The residual stream (rows, tokens, width) in what a block returns."""
    return output[0] if isinstance(output, tuple) else output


def fixed_layer(depth: float, layers: list[int], blocks: int) -> int:
    """The layer fixed before looking: the captured one nearest to a share of the depth.

    Args:
        depth: share of the blocks, 2/3 in the paper (section 3, step 4).
        layers: the captured layers.
        blocks: number of blocks in the model.
    """
    return min(layers, key=lambda layer: abs((layer + 1) - depth * blocks))


def spaced_layers(count: int | None, blocks: int) -> list[int]:
    """All layers, or `count` evenly spaced ones, the last block always among them."""
    if count is None or count >= blocks:
        return list(range(blocks))
    return [round((i + 1) * blocks / count) - 1 for i in range(count)]


def file_digest(path: Path) -> str:
    """sha256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
