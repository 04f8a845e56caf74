"""Token positions in a conversation of any number of turns.

Where each message's words stand is read off the template around one private-use
character for each message, never searched for: messages may say what the template says
too ("assistant"), or what another message says.
"""

from itertools import pairwise

from transformers import PreTrainedTokenizerBase

from emotion_concepts.chat import Message, Rendered, tokenise, write_out
from emotion_concepts.errors import StudyError

FIRST_PLACEHOLDER = 0xE000  # private-use characters, in no template

Turns = list[dict[str, list[int]]]


def turns(
    tokenizer: PreTrainedTokenizerBase, messages: list[Message]
) -> tuple[Rendered, Turns]:
    """A conversation as the model sees it, and the positions of every turn.

    Args:
        tokenizer: the model's tokenizer, with a chat template.
        messages: `{"role": ..., "content": ...}` in order; the first may be the
            system's. If the last is not the assistant's, the text ends where the
            assistant would speak.

    Returns:
        The rendered conversation and, for each message, token indices: `content` (all
        of its words, without the space around them), `end` (the last of these) and
        `start` (the last token before the message, where the assistant would be asked
        to speak if the turn is its; the paper's ":").
        A message without words has an empty `content` and `end`. The last message, if
        not the assistant's, also has `assistant_start`: where the answer would start.

    Raises:
        StudyError: the tokenizer has no chat template, or the template refuses the
            messages or changes their words.
        ValueError: there are no messages.
    """
    if not messages:
        raise ValueError("a conversation needs at least one message")
    asks = messages[-1]["role"] != "assistant"
    rendered = tokenise(
        tokenizer, write_out(tokenizer, messages, asks), special_tokens=False
    )
    between = _between(tokenizer, messages, asks)
    found, place = [], len(between[0])
    for message, after in zip(messages, between[1:], strict=True):
        shown = _shown(rendered.text, place, message["content"], after)
        first = place + len(shown) - len(shown.lstrip())
        last = place + len(shown.rstrip())
        content = rendered.span(first, last) if shown.strip() else []
        before = _tokens_before(rendered, place)
        if content:  # a token may join the template's space with the first word
            before = min(before, content[0])
        start = [before - 1] if before else []
        found.append({"content": content, "end": content[-1:], "start": start})
        place += len(shown) + len(after)
    if place != len(rendered.text):
        raise StudyError(_changed(messages[-1]["content"]))
    if asks:
        found[-1]["assistant_start"] = [len(rendered.tokens) - 1]
    return rendered, found


def _tokens_before(rendered: Rendered, place: int) -> int:
    """How many tokens begin before a character's place."""
    offsets = enumerate(rendered.offsets)
    return next((i for i, (a, b) in offsets if a >= place < b), len(rendered.offsets))


def _between(
    tokenizer: PreTrainedTokenizerBase, messages: list[Message], asks: bool
) -> list[str]:
    """What the template writes before, between and after the messages' words."""
    marks = [chr(FIRST_PLACEHOLDER + number) for number in range(len(messages))]
    marked = [m | {"content": c} for m, c in zip(messages, marks, strict=True)]
    text = write_out(tokenizer, marked, asks)
    places = [text.find(mark) for mark in marks]
    if places[0] < 0 or any(b <= a for a, b in pairwise(places)):
        raise StudyError("the chat template leaves out messages or moves them")
    edges = [-1, *places, len(text)]
    return [text[a + 1 : b] for a, b in pairwise(edges)]


def _shown(text: str, place: int, content: str, after: str) -> str:
    """A message's words as they stand in the text: the template may strip them."""
    for shown in (content, content.strip(), content.lstrip(), content.rstrip()):
        if text.startswith(shown + after, place):
            return shown
    raise StudyError(_changed(content))


def _changed(content: str) -> str:
    return f"the chat template does not show a message unchanged: {content[:60]!r}"
