"""Tiny models with random weights, one of each architecture, and their tokenizer."""

import json
from functools import cache
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    PretrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)

WINDOW = 8  # tokens seen by a sliding layer: fewer than the tests' texts have

CHAT_TEMPLATE = (
    "{{ bos_token }}"
    "{% for message in messages %}"
    "{% if message['role'] not in ['system', 'user', 'assistant'] %}"
    "{{ raise_exception('unknown role ' + message['role']) }}"
    "{% endif %}"
    "{{ '<|im_start|>' + message['role'] + '\n' + message['content'] }}"
    "{{ '<|im_end|>\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)

CORPUS = [
    "Write a story about a character who feels happy, sad, afraid, calm or desperate.",
    "She walked home in the rain and felt a deep sadness that would not leave her.",
    "system user assistant Hello, how are you today? I am fine, thank you.",
    "The quick brown fox jumps over the lazy dog while the cat sleeps in the sun.",
    "You are a helpful assistant. Answer shortly, in one word, yes or no.",
    "How do you feel about doing this activity? Which of the two would you prefer?",
]

_SMALL = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "max_position_embeddings": 1024,
}
_GROUPED = _SMALL | {"num_key_value_heads": 2}
_GEMMA = _GROUPED | {
    "num_hidden_layers": 4,
    "head_dim": 16,
    "query_pre_attn_scalar": 16,
    "sliding_window": WINDOW,
}

ARCHITECTURES: dict[str, dict[str, object]] = {
    "llama": _GROUPED,
    "qwen2": _GROUPED,
    "qwen3": _GROUPED | {"head_dim": 16},
    "gemma2": _GEMMA | {"attn_logit_softcapping": 2.0, "final_logit_softcapping": 20.0},
    "gemma3_text": _GEMMA
    | {
        "layer_types": [
            "sliding_attention",
            "sliding_attention",
            "full_attention",
            "sliding_attention",
        ]
    },
    "mistral": _GROUPED | {"head_dim": 8, "sliding_window": WINDOW},
    "phi": _SMALL | {"partial_rotary_factor": 0.5},
    "phi3": _GROUPED | {"original_max_position_embeddings": 1024},
    "olmo2": _GROUPED,
    "gpt_neox": _SMALL,
    "gpt2": _SMALL,
}


@cache
def tiny_tokenizer() -> PreTrainedTokenizerFast:
    """A byte-level tokenizer with a ChatML template, which also writes its own BOS."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=["<|pad|>", "<|bos|>", "<|im_start|>", "<|im_end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.post_processor = processors.Sequence(
        [
            processors.ByteLevel(trim_offsets=True),
            processors.TemplateProcessing(
                single="<|bos|> $A",
                special_tokens=[("<|bos|>", tokenizer.token_to_id("<|bos|>"))],
            ),
        ]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<|pad|>",
        bos_token="<|bos|>",
        eos_token="<|im_end|>",
        chat_template=CHAT_TEMPLATE,
    )


def tiny_model(architecture: str) -> PreTrainedModel:
    """A model of a few thousand random weights, in float32, always the same."""
    torch.manual_seed(0)
    network = AutoModelForCausalLM.from_config(_config(architecture)).float().eval()
    _randomise(network)
    return network


def save_tiny(architecture: str, folder: Path, **record: object) -> Path:
    """Write a model as the `model` rule does.

    Args:
        architecture: one of `ARCHITECTURES`.
        folder: gets `weights/` and `model.json`.
        record: what `model.json` says otherwise than usual.

    Returns:
        The folder of the weights.
    """
    weights = folder / "weights"
    tiny_model(architecture).save_pretrained(weights)
    tiny_tokenizer().save_pretrained(weights)
    usual = {
        "source": f"tiny:{architecture}",
        "identity": f"tiny-{architecture}",
        "dtype": "float32",
        "trust_remote_code": False,
    }
    (folder / "model.json").write_text(json.dumps(usual | record))
    return weights


def _config(architecture: str) -> PretrainedConfig:
    tokenizer = tiny_tokenizer()
    return AutoConfig.for_model(
        architecture,
        **ARCHITECTURES[architecture],
        vocab_size=len(tokenizer),
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )


def random_tokens(seed: int, length: int) -> list[int]:
    """Token ids, none of them special."""
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(4, len(tiny_tokenizer()), (length,), generator=generator)
    return ids.tolist()


@torch.no_grad()
def _randomise(network: PreTrainedModel) -> None:
    # As initialised, attention is flat and the logits nearly equal: a wrong mask would
    # not show.
    generator = torch.Generator().manual_seed(0)

    def normal(like: torch.Tensor, deviation: float) -> torch.Tensor:
        return torch.randn(like.shape, generator=generator) * deviation

    embedding = network.get_input_embeddings().weight
    # A large tied embedding makes every token predict itself.
    spread = 0.06 if network.config.tie_word_embeddings else 0.5
    for weight in network.parameters():
        if weight.dim() < 2:
            weight += normal(weight, 0.2)
        elif weight is embedding:
            weight.copy_(normal(weight, spread))
        else:
            weight.copy_(normal(weight, 2.0 * weight.shape[-1] ** -0.5))
