"""Chat templates: messages to tokens, and the named positions in them.

Tokens come from the rendered template and nothing else: the template writes the special
tokens itself, so tokenising its text with special tokens again would double the first
one. Positions are found from the template's own character offsets, never by counting
from an end.
"""

from dataclasses import dataclass

from transformers import PreTrainedTokenizerBase

from emotion_concepts.errors import StudyError

PLACEHOLDER = "\ue000"  # a private-use character, in no template
Message = dict[str, str]


@dataclass(frozen=True)
class Rendered:
    """A conversation as the model sees it.

    Attributes:
        text: the rendered template.
        tokens: its token ids.
        offsets: for each token, the characters [start, end) of `text` that it covers.
    """

    text: str
    tokens: list[int]
    offsets: list[tuple[int, int]]

    def span(self, start: int, end: int) -> list[int]:
        """Indices of the tokens that overlap the characters [start, end)."""
        return [i for i, (a, b) in enumerate(self.offsets) if a < end and b > start]


def render(
    tokenizer: PreTrainedTokenizerBase,
    messages: list[Message],
    prefill: str = "",
) -> Rendered:
    """Render messages with the model's template, to where the assistant would speak.

    Special tokens written out in the messages ("<|im_end|>") become those tokens, as
    with transformers itself.

    Args:
        tokenizer: the model's tokenizer, with a chat template.
        messages: `{"role": ..., "content": ...}` in order, the last one not the
            assistant's.
        prefill: the first words of the assistant's turn, put into its mouth.

    Returns:
        The text, its tokens and their character offsets.

    Raises:
        StudyError: the tokenizer has no chat template, or the template refuses the
            messages.
    """
    text = write_out(tokenizer, messages) + prefill
    return tokenise(tokenizer, text, special_tokens=False)


def tokenise(
    tokenizer: PreTrainedTokenizerBase, text: str, special_tokens: bool
) -> Rendered:
    """Tokens of a text with the characters that each covers."""
    encoded = tokenizer(
        text, add_special_tokens=special_tokens, return_offsets_mapping=True
    )
    offsets = [(a, b) for a, b in encoded["offset_mapping"]]
    return Rendered(text, list(encoded["input_ids"]), offsets)


def positions(
    tokenizer: PreTrainedTokenizerBase,
    user: str,
    marks: dict[str, tuple[int, int]] | None = None,
    start: str = "",
    plain: bool = False,
) -> tuple[Rendered, dict[str, list[int]]]:
    """Token positions of a one-turn conversation, by name.

    Args:
        tokenizer: the model's tokenizer.
        user: what the user says.
        marks: names of parts of it, and the characters [start, end) that they cover.
        start: the first words of the assistant's turn, put into its mouth.
        plain: as plain text, "Human: ... Assistant: ", instead of the model's template.

    Returns:
        The rendered conversation and, by name, token indices: `user` (all of the user's
        words), `user_end` (the last token of them), `assistant_start` (the last token
        before the assistant's first word; the paper's ":" after "Assistant") and every
        mark.

    Raises:
        StudyError: the template changed the user's words, so that they cannot be found.
    """
    if plain:
        before, shown, after = "Human: ", user, "\n\nAssistant: "
    else:
        before, shown, after = _around(tokenizer, user)
    rendered = tokenise(tokenizer, before + shown + after + start, plain)
    # The template may strip the user's words.
    moved = len(before) + len(shown) - len(shown.lstrip())
    moved -= len(user) - len(user.lstrip())
    everything = (len(user) - len(user.lstrip()), len(user.rstrip()))
    found = {
        name: rendered.span(moved + first, moved + last)
        for name, (first, last) in ({"user": everything} | (marks or {})).items()
    }
    turn = len(before + shown + after.rstrip() if plain else before + shown + after)
    found["user_end"] = found["user"][-1:]
    found["assistant_start"] = rendered.span(0, turn)[-1:]
    return rendered, found


def split_options(
    tokenizer: PreTrainedTokenizerBase,
    text: str,
    options: list[str],
    special_tokens: bool = False,
) -> tuple[list[int], list[list[int]]]:
    """Tokens of a text and of each of its continuations.

    Where a tokenizer joins the text's end with an option's beginning, the joint token
    belongs to the option, so that every option is tokenised as the model would see it.

    Returns:
        The tokens that all continuations begin with, and the rest of each.
    """
    whole = [
        tokenise(tokenizer, text + option, special_tokens).tokens for option in options
    ]
    alone = tokenise(tokenizer, text, special_tokens).tokens
    shared = min(_common(alone, tokens) for tokens in whole)
    return alone[:shared], [tokens[shared:] for tokens in whole]


def _common(a: list[int], b: list[int]) -> int:
    pairs = enumerate(zip(a, b, strict=False))
    return next((i for i, (x, y) in pairs if x != y), min(len(a), len(b)))


def _around(tokenizer: PreTrainedTokenizerBase, user: str) -> tuple[str, str, str]:
    """What the template writes before the user's words, the words, and what after."""
    text = write_out(tokenizer, [{"role": "user", "content": user}])
    # The user may say what the template says too ("assistant"), so where its words
    # stand is read off the template around a placeholder.
    around = write_out(tokenizer, [{"role": "user", "content": PLACEHOLDER}])
    before, _, after = around.partition(PLACEHOLDER)
    shown = text.removeprefix(before).removesuffix(after)
    if before + shown + after != text or shown.strip() != user.strip():
        raise StudyError(
            f"the chat template does not show the user's words unchanged: {user[:60]!r}"
        )
    return before, shown, after


def write_out(
    tokenizer: PreTrainedTokenizerBase, messages: list[Message], asks: bool = True
) -> str:
    """The text that the model's template makes of messages.

    Args:
        tokenizer: the model's tokenizer, with a chat template.
        messages: in order. A system's words that the template has no role for head the
            user's first turn.
        asks: end where the assistant would speak.

    Raises:
        StudyError: the tokenizer has no chat template, or the template refuses the
            messages.
    """
    if not getattr(tokenizer, "chat_template", None):
        raise StudyError(
            f"{tokenizer.name_or_path}: this model has no chat template; "
            "the study needs a chat model"
        )
    # Reasoning models write their thoughts first unless told not to; templates without
    # the switch ignore it.
    options = {
        "tokenize": False,
        "add_generation_prompt": asks,
        "enable_thinking": False,
    }
    merged = _without_system(messages)
    try:
        text = tokenizer.apply_chat_template(messages, **options)
    except Exception as error:
        if merged == messages:
            raise StudyError(
                f"{tokenizer.name_or_path}: its chat template refuses the messages: "
                + str(error).partition("\n")[0]
            ) from error
        return write_out(tokenizer, merged, asks)
    # Some templates leave out a role that they do not know, and say nothing.
    lost = merged != messages and messages[0]["content"].strip() not in text
    return write_out(tokenizer, merged, asks) if lost else text


def _without_system(messages: list[Message]) -> list[Message]:
    """The messages, with the system's words at the head of the user's first turn."""
    if len(messages) < 2 or messages[0]["role"] != "system":
        return messages
    first = messages[1]
    content = messages[0]["content"] + "\n\n" + first["content"]
    return [{"role": first["role"], "content": content}, *messages[2:]]
