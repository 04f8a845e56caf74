"""Rendered chats: which tokens they hold, and where the named positions are."""

import copy

import pytest
from tiny import CHAT_TEMPLATE, tiny_tokenizer
from transformers import PreTrainedTokenizerFast

from emotion_concepts.chat import Rendered, positions, render, split_options, tokenise
from emotion_concepts.errors import StudyError

SYSTEM = {"role": "system", "content": "Answer in one word."}
USER = {"role": "user", "content": "How do you feel?"}

REFUSES_SYSTEM = (
    "{% if messages[0]['role'] == 'system' %}"
    "{{ raise_exception('System role not supported') }}{% endif %}" + CHAT_TEMPLATE
)
DROPS_SYSTEM = CHAT_TEMPLATE.replace(
    "{{ '<|im_start|>' + message['role']",
    "{% if message['role'] == 'system' %}{% continue %}{% endif %}"
    "{{ '<|im_start|>' + message['role']",
)
NO_BOS = CHAT_TEMPLATE.removeprefix("{{ bos_token }}")
TRIMS = CHAT_TEMPLATE.replace("message['content']", "message['content'] | trim")
SHOUTS = CHAT_TEMPLATE.replace("message['content']", "message['content'] | upper")

WORDS = [
    "How do you feel?",
    "assistant",
    "user",
    "\n",
    "  spaces on both sides  ",
    "two\nlines, <|im_end|> and all",
    "sad 😢",
    "a",
]


def with_template(template: str | None) -> PreTrainedTokenizerFast:
    """The tiny tokenizer with another chat template."""
    tokenizer = copy.deepcopy(tiny_tokenizer())
    tokenizer.chat_template = template
    return tokenizer


def covered(rendered: Rendered, tokens: list[int]) -> str:
    """The characters that some tokens cover."""
    places = [rendered.offsets[token] for token in tokens]
    return rendered.text[places[0][0] : places[-1][1]]


@pytest.mark.parametrize(("template", "count"), [(CHAT_TEMPLATE, 1), (NO_BOS, 0)])
def test_there_are_as_many_bos_tokens_as_the_template_writes(
    template: str, count: int
) -> None:
    tokenizer = with_template(template)
    rendered = render(tokenizer, [SYSTEM, USER])
    assert rendered.text.count(tokenizer.bos_token) == count
    assert rendered.tokens.count(tokenizer.bos_token_id) == count
    raw = tokenise(tokenizer, "happy", special_tokens=True)
    assert raw.tokens.count(tokenizer.bos_token_id) == 1


def test_the_tokens_are_those_of_transformers_and_spell_the_text() -> None:
    tokenizer = tiny_tokenizer()
    rendered = render(tokenizer, [SYSTEM, USER])
    theirs = tokenizer.apply_chat_template([SYSTEM, USER], add_generation_prompt=True)
    assert rendered.tokens == theirs["input_ids"]
    assert tokenizer.decode(rendered.tokens) == rendered.text
    assert rendered.text.endswith("<|im_start|>assistant\n")


@pytest.mark.parametrize("template", [REFUSES_SYSTEM, DROPS_SYSTEM])
def test_without_a_system_role_its_words_head_the_users_turn(template: str) -> None:
    later = [{"role": "assistant", "content": "Fine."}, USER]
    text = render(with_template(template), [SYSTEM, USER, *later]).text
    merged = SYSTEM["content"] + "\n\n" + USER["content"]
    messages = [{"role": "user", "content": merged}, *later]
    assert text == render(tiny_tokenizer(), messages).text


def test_a_system_role_that_there_is_stays() -> None:
    text = render(tiny_tokenizer(), [SYSTEM, USER]).text
    assert "<|im_start|>system\nAnswer in one word.<|im_end|>" in text


def test_a_model_without_template_is_refused_in_one_line() -> None:
    with pytest.raises(StudyError, match="no chat template") as caught:
        render(with_template(None), [USER])
    assert "\n" not in str(caught.value)


def test_messages_that_the_template_refuses_are_refused_in_one_line() -> None:
    with pytest.raises(StudyError, match="unknown role tool") as caught:
        render(tiny_tokenizer(), [{"role": "tool", "content": "x"}])
    assert "\n" not in str(caught.value)


def test_a_prefill_is_appended_to_the_prompt() -> None:
    tokenizer = tiny_tokenizer()
    plain, begun = render(tokenizer, [USER]), render(tokenizer, [USER], "I feel")
    assert begun.text == plain.text + "I feel"
    assert begun.tokens[: len(plain.tokens)] == plain.tokens
    assert tokenizer.decode(begun.tokens[len(plain.tokens) :]) == "I feel"


@pytest.mark.parametrize("template", [CHAT_TEMPLATE, TRIMS])
@pytest.mark.parametrize("words", WORDS)
def test_positions_name_the_users_words_and_the_assistants_start(
    words: str, template: str
) -> None:
    tokenizer = with_template(template)
    rendered, named = positions(tokenizer, words)
    assert named["assistant_start"] == [len(rendered.tokens) - 1]
    assert rendered.text.endswith("assistant\n")
    before = rendered.text.index("user\n") + len("user\n")
    after = rendered.text.rindex("<|im_end|>\n<|im_start|>assistant\n")
    inside = {
        token
        for token, (start, end) in enumerate(rendered.offsets)
        if before <= start and end <= after
    }
    assert named["user_end"] == named["user"][-1:]
    assert set(named["user"]) <= inside
    if words.strip():
        assert covered(rendered, named["user"]).strip() == words.strip()
        decoded = tokenizer.decode([rendered.tokens[t] for t in named["user"]])
        assert decoded.strip() == words.strip()


def test_words_that_the_template_changes_are_refused() -> None:
    with pytest.raises(StudyError, match="unchanged"):
        positions(with_template(SHOUTS), "quiet words")


def test_special_tokens_in_the_users_words_are_read_as_such() -> None:
    """As in transformers: the words are not escaped, and nothing crashes."""
    tokenizer = tiny_tokenizer()
    user = {"role": "user", "content": "stop <|im_end|> now <|bos|>"}
    tokens = render(tokenizer, [user]).tokens
    assert tokens.count(tokenizer.eos_token_id) == 2
    assert tokens.count(tokenizer.bos_token_id) == 2


def test_a_span_holds_every_token_that_overlaps_it() -> None:
    rendered = tokenise(tiny_tokenizer(), "happy, sad and calm", special_tokens=False)
    for start in range(len(rendered.text)):
        for end in range(start + 1, len(rendered.text) + 1):
            part = rendered.text[start:end]
            tokens = rendered.span(start, end)
            assert tokens or part == " "
            assert not tokens or part.strip() in covered(rendered, tokens)


@pytest.mark.parametrize("plain", [False, True])
def test_marked_parts_and_positions_are_found_behind_a_begun_answer(
    plain: bool,
) -> None:
    user = "  Would you prefer (A) reading aloud or (B) reading aloud?"
    marks = {
        name: (user.index(f"({name}) ") + 4, user.index(f"({name}) ") + 17)
        for name in "AB"
    }
    tokenizer = tiny_tokenizer()
    rendered, found = positions(tokenizer, user, marks, start="(", plain=plain)
    for name in "AB":
        covered = [rendered.offsets[i] for i in found[name]]
        text = rendered.text[covered[0][0] : covered[-1][1]]
        assert text.strip(" ?") == "reading aloud"
    assert found["A"][-1] < found["B"][0]
    assert rendered.text.endswith("(")
    end = rendered.offsets[found["assistant_start"][0]][1]
    assert rendered.text[end:].strip() == "("
    assert rendered.text[: rendered.offsets[found["user_end"][0]][1]].endswith("?")
    bare, same = positions(tokenizer, user, marks, plain=plain)
    assert bare.tokens[: found["B"][-1]] == rendered.tokens[: found["B"][-1]]
    assert same["A"] == found["A"]


def test_options_are_tokenised_as_the_model_would_see_them() -> None:
    tokenizer = tiny_tokenizer()
    text, options = "She walked home in the r", ["ain and felt", "oad", "x"]
    shared, rest = split_options(tokenizer, text, options)
    for option, tokens in zip(options, rest, strict=True):
        whole = tokenizer(text + option, add_special_tokens=False)["input_ids"]
        assert shared + tokens == whole
        assert tokens
    # "rain" is one token of this tokenizer, so " r" belongs to the options.
    assert len(shared) < len(tokenizer(text, add_special_tokens=False)["input_ids"])
