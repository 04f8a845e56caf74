"""Conversations of several turns: where each turn's words and their edges are."""

import copy

import pytest
from test_chat import DROPS_SYSTEM, REFUSES_SYSTEM, SHOUTS, TRIMS
from tiny import CHAT_TEMPLATE, tiny_tokenizer
from transformers import PreTrainedTokenizerFast

from emotion_concepts.chat import Rendered, positions, render
from emotion_concepts.conversations import turns
from emotion_concepts.errors import StudyError

# No system role, words after a space, which the tokenizer joins with the first word.
BRACKETS = (
    "{{ bos_token }}{% for message in messages %}"
    "{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('roles must alternate') }}{% endif %}"
    "{% if message['role'] == 'user' %}"
    "{{ '[INST] ' + message['content'] + ' [/INST]' }}"
    "{% else %}{{ ' ' + message['content'] | trim + '<|im_end|>' }}{% endif %}"
    "{% endfor %}"
)
# What it writes before an answer depends on whether the answer is the last.
THINKS = CHAT_TEMPLATE.replace(
    " + message['content'] }}",
    " }}{% if loop.last and message['role'] == 'assistant' %}"
    "{{ '<think>\n\n</think>\n\n' }}{% endif %}{{ message['content'] }}",
)
TEMPLATES = {
    "thinks": THINKS,
    "tiny": CHAT_TEMPLATE,
    "strips": TRIMS,
    "refuses system": REFUSES_SYSTEM,
    "drops system": DROPS_SYSTEM,
    "brackets": BRACKETS,
}
SYSTEM = "You are calm."
# The same words again and again, the template's own, space around and an emoji.
SAID = [
    "How do you feel?",
    "assistant",
    "  user  ",
    "\nassistant\nuser <|im_end|>\n<|im_start|>assistant\n",
    "How do you feel?",
    "sad 😢 \n",
]


def with_template(template: str) -> PreTrainedTokenizerFast:
    tokenizer = copy.deepcopy(tiny_tokenizer())
    tokenizer.chat_template = template
    return tokenizer


def conversation(count: int, system: bool) -> list[dict[str, str]]:
    roles = ["user", "assistant"] * count
    said = [
        {"role": r, "content": c} for r, c in zip(roles, SAID[:count], strict=False)
    ]
    return [{"role": "system", "content": SYSTEM}] * system + said


def decoded(
    tokenizer: PreTrainedTokenizerFast, rendered: Rendered, some: list[int]
) -> str:
    return tokenizer.decode([rendered.tokens[token] for token in some])


@pytest.mark.parametrize("system", [False, True])
@pytest.mark.parametrize("count", range(1, 7))
@pytest.mark.parametrize("name", TEMPLATES)
def test_a_turns_tokens_spell_its_words_and_stand_in_order(
    name: str, count: int, system: bool
) -> None:
    tokenizer = with_template(TEMPLATES[name])
    messages = conversation(count, system)
    rendered, found = turns(tokenizer, messages)
    assert len(found) == len(messages)
    # The text without the turn's tokens, spelt out: what is before, between and after.
    spelt, reached = "", 0
    for message, turn in zip(messages, found, strict=True):
        content = turn["content"]
        assert content == list(range(content[0], content[-1] + 1))
        spelt += decoded(tokenizer, rendered, list(range(reached, content[0])))
        words = decoded(tokenizer, rendered, content)
        assert words.strip() == message["content"].strip()
        spelt, reached = spelt + words, content[-1] + 1
        assert turn["end"] == [content[-1]]
        (start,) = turn["start"]
        assert start < content[0]
        gap = decoded(tokenizer, rendered, list(range(start + 1, content[0])))
        assert not gap.strip()
    spelt += decoded(tokenizer, rendered, list(range(reached, len(rendered.tokens))))
    assert spelt == rendered.text


@pytest.mark.parametrize("name", ["tiny", "strips", "brackets"])
def test_an_assistants_words_start_where_the_template_lets_it_speak(name: str) -> None:
    """The slow reference: the conversation so far, as the model is asked to go on."""
    tokenizer = with_template(TEMPLATES[name])
    messages = conversation(6, system=False)
    rendered, found = turns(tokenizer, messages)
    for number in (1, 3, 5):
        asked = render(tokenizer, messages[:number]).tokens
        assert rendered.tokens[: len(asked)] == asked
        assert found[number]["start"] == [len(asked) - 1]


def test_behind_a_users_turn_the_answer_would_start_at_the_last_token() -> None:
    tokenizer = tiny_tokenizer()
    rendered, found = turns(tokenizer, conversation(3, system=True))
    assert rendered.text.endswith("<|im_start|>assistant\n")
    assert found[-1]["assistant_start"] == [len(rendered.tokens) - 1]
    assert not any("assistant_start" in turn for turn in found[:-1])
    closed, of_closed = turns(tokenizer, conversation(4, system=True))
    assert closed.text.endswith("<|im_end|>\n")
    assert not any("assistant_start" in turn for turn in of_closed)


@pytest.mark.parametrize("name", ["tiny", "strips", "brackets"])
@pytest.mark.parametrize("words", ["How do you feel?", "assistant", " two \n lines "])
def test_of_one_turn_it_says_what_the_positions_of_one_turn_say(
    name: str, words: str
) -> None:
    tokenizer = with_template(TEMPLATES[name])
    rendered, found = turns(tokenizer, [{"role": "user", "content": words}])
    same, named = positions(tokenizer, words)
    assert rendered == same
    assert found[0]["content"] == named["user"]
    assert found[0]["end"] == named["user_end"]
    assert found[0]["assistant_start"] == named["assistant_start"]


@pytest.mark.parametrize("name", ["refuses system", "drops system", "brackets"])
def test_without_a_system_role_the_systems_words_have_their_own_place(
    name: str,
) -> None:
    tokenizer = with_template(TEMPLATES[name])
    messages = conversation(2, system=True)
    rendered, found = turns(tokenizer, messages)
    assert SYSTEM + "\n\n" + SAID[0] in rendered.text
    assert decoded(tokenizer, rendered, found[0]["content"]).strip() == SYSTEM
    assert found[0]["end"][0] < found[1]["content"][0]


def test_words_that_the_template_puts_before_an_answer_are_none_of_it() -> None:
    tokenizer = with_template(THINKS)
    rendered, found = turns(tokenizer, conversation(2, system=False))
    assert "</think>" in rendered.text
    upto = decoded(tokenizer, rendered, list(range(found[1]["start"][0] + 1)))
    assert upto.endswith("</think>\n\n")


def test_an_empty_reply_has_a_start_and_no_words() -> None:
    tokenizer = tiny_tokenizer()
    messages = [*conversation(1, system=False), {"role": "assistant", "content": " "}]
    rendered, found = turns(tokenizer, messages)
    assert found[1]["content"] == found[1]["end"] == []
    upto = decoded(tokenizer, rendered, list(range(found[1]["start"][0] + 1)))
    assert upto.endswith("assistant\n")


def test_words_that_the_template_changes_are_refused() -> None:
    with pytest.raises(StudyError, match="unchanged"):
        turns(with_template(SHOUTS), conversation(2, system=False))


def test_a_template_that_leaves_out_a_turn_is_refused() -> None:
    only_last = CHAT_TEMPLATE.replace("in messages %}", "in messages[-1:] %}")
    with pytest.raises(StudyError, match="leaves out"):
        turns(with_template(only_last), conversation(3, system=False))


def test_roles_that_the_template_refuses_are_refused_in_one_line() -> None:
    two = [{"role": "user", "content": "one"}, {"role": "user", "content": "two"}]
    with pytest.raises(StudyError, match="must alternate") as caught:
        turns(with_template(BRACKETS), two)
    assert "\n" not in str(caught.value)
