"""Where each turn of a conversation stands in what the model sees.

Found from the chat template's own offsets: the template is rendered once with the words
and once with a placeholder for each message's, which shows what it writes around them.
"""

from transformers import PreTrainedTokenizerBase

from emotion_concepts.chat import (
    Message,
    Rendered,
    apply_template,
    tokenise,
)
from emotion_concepts.errors import StudyError

FIRST = 0xE000  # private-use characters, in no template: one for each message

Turn = dict[str, list[int]]


def turns(
    tokenizer: PreTrainedTokenizerBase, messages: list[Message]
) -> tuple[Rendered, list[Turn]]:
    """Token positions of every turn of a conversation.

    Args:
        tokenizer: the model's tokenizer, with a chat template.
        messages: `{"role": ..., "content": ...}` in order, a system's first if at all.
            After a user's last turn the template goes on to where the assistant would
            speak.

    Returns:
        The rendered conversation and, for each message, token indices: `content` (all
        of its words), `end` (the last token of them) and `start` (the last token before
        its first word; of an assistant's turn, the paper's ":" after "Assistant"). If
        the last turn is not the assistant's, it also has `assistant_start`, the last
        token of all.

    Raises:
        StudyError: the template changes the words, so that they cannot be found.
    """
    text = apply_template(tokenizer, messages)
    signs = [chr(FIRST + place) for place in range(len(messages))]
    marked = [m | {"content": s} for m, s in zip(messages, signs, strict=True)]
    around = apply_template(tokenizer, marked)
    rendered = tokenise(tokenizer, text, special_tokens=False)
    found: list[Turn] = []
    at = 0  # how far the text has been matched
    for message, sign in zip(messages, signs, strict=True):
        between, seen, around = around.partition(sign)
        # The template may strip what is said.
        said = message["content"]
        shown = said if text.startswith(said, at + len(between)) else said.strip()
        first = at + len(between)
        if not seen or text[at:first] != between or not text.startswith(shown, first):
            raise StudyError(
                "the chat template does not show the words of a conversation "
                f"unchanged: {said[:60]!r}"
            )
        at = first + len(shown)
        begin = first + len(shown) - len(shown.lstrip())
        content = rendered.span(begin, first + len(shown.rstrip()))
        found.append(
            {
                "content": content,
                "end": content[-1:],
                "start": rendered.span(0, begin)[-1:],
            }
        )
    if text[at:] != around:
        raise StudyError(
            "the chat template does not end as it began: it sees the words"
        )
    if messages[-1]["role"] != "assistant":
        found[-1]["assistant_start"] = rendered.span(0, len(text))[-1:]
    return rendered, found
