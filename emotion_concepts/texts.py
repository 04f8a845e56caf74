"""The texts that vectors are made of: what is asked for, and which of them are kept.

Stories (paper, section 2): every emotion crossed with every topic, written by the model
itself, never to name the emotion. Neutral dialogues: the control texts, a question of
ours and the model's answer. A text's key names it for ever; its seed follows from its
key.
"""

import re
from collections import Counter
from collections.abc import Callable
from typing import Any

from emotion_concepts.store import Record, seed_of

Wording = dict[str, dict[str, list[str]]]

# Courtesies and chat that a plain answer does without (paper, section 2: "no
# pleasantries").
PLEASANTRIES = (
    "happy to help",
    "glad to help",
    "here to help",
    "hope this helps",
    "hope that helps",
    "you're welcome",
    "you are welcome",
    "my pleasure",
    "no problem",
    "great question",
    "good question",
    "thank you",
    "thanks for",
    "let me know",
    "feel free",
    "don't hesitate",
    "do not hesitate",
    "have a great day",
    "have a nice day",
    "good luck",
    "i'm sorry",
    "i am sorry",
    "i apologize",
    "i'd be happy",
    "i'm glad",
    "sure, i",
    "sure thing",
    "enjoy your",
)

RUN = 4  # words in a run that counts as repeated ...
REPEATS = 3  # ... when it stands so often in one text
SHARED_TRIPLES = 0.5  # share of word triples in common that makes a near-duplicate


def story_items(
    emotions: list[str], topics: list[Record], per_topic: int, prompt: str, seed: int
) -> list[list[Record]]:
    """What to write: one group of items for each topic and round, whose prompts begin
    alike.

    Returns:
        Groups in order; each item is a record with `key, emotion, topic, round, seed,
        prompt`.
    """
    return [
        [
            {
                "key": f"{topic['id']}/{emotion}/{number}",
                "emotion": emotion,
                "topic": topic["id"],
                "round": number,
                "seed": seed_of(seed, topic["id"], emotion, number),
                "prompt": prompt.format(topic=topic["topic"], emotion=emotion),
            }
            for emotion in emotions
        ]
        for topic in topics
        for number in range(per_topic)
    ]


def neutral_items(
    subjects: list[Record], per_subject: int, prompt: str, seed: int
) -> list[list[Record]]:
    """What to write for the neutral dialogues: so many items for each subject, each a
    group alone.
    """
    return [
        [
            {
                "key": "/".join([subject["id"], *name]),
                "topic": subject["id"],
                "kind": subject["kind"],
                "question": subject["question"],
                "seed": seed_of(seed, subject["id"], *name),
                "prompt": prompt.format(question=subject["question"]),
                "answer_start": subject["answer_start"],
            }
        ]
        for number in range(per_subject)
        # The first of a subject bears its name alone.
        for name in [(str(number),) if number else ()]
        for subject in subjects
    ]


def dialogue(question: str, answer: str) -> str:
    """A neutral dialogue as it is read, in the paper's form (section 2)."""
    return f"Human: {question}\n\nAssistant: {answer}"


def select_stories(
    records: list[Record], wording: Wording, rules: list[str]
) -> list[Record]:
    """Say of every story which faults it has and whether it is kept.

    Faults: `names_emotion` (the word or an inflection), `names_synonym` (a listed
        synonym),
    `repeats` (a run of words three times over) and `near_duplicate` (shares most word
    triples with an earlier story of its emotion that is kept).

    Args:
        records: stories with `emotion` and `text`.
        wording: by emotion, its `forms`, `synonyms` and (optional) `not`.
        rules: the faults for which a story is dropped.

    Returns:
        The records with `faults` (all found), `dropped` (those of them that are rules)
        and `names_another`: whether the story names an emotion drawn at random, not its
        own.
    """
    patterns = _patterns(wording)
    kept: dict[str, list[set]] = {}
    selected = []
    for record in records:
        forms, synonyms, excused = patterns[record["emotion"]]
        text = excused.sub(" ", plain(record["text"]))
        others = kept.setdefault(record["emotion"], [])
        triples = word_runs(text, 3)
        found = {
            "names_emotion": bool(forms.search(text)),
            "names_synonym": bool(synonyms.search(text)),
            "repeats": repeats_itself(text),
            "near_duplicate": any(
                _overlap(triples, o) > SHARED_TRIPLES for o in others
            ),
        }
        faults = [fault for fault, is_so in found.items() if is_so]
        dropped = [fault for fault in faults if fault in rules]
        if not dropped:
            others.append(set(triples))
        names_another = _names(
            plain(record["text"]), patterns[another(record, wording)]
        )
        judged = {"faults": faults, "dropped": dropped, "names_another": names_another}
        selected.append(record | judged)
    return selected


def another(record: Record, wording: Wording) -> str:
    """Another emotion of the study, drawn for this story: a control for how often it
    names its own.
    """
    others = sorted(emotion for emotion in wording if emotion != record["emotion"])
    return others[seed_of("another", record["key"]) % len(others)]


def by_item(records: list[Record]) -> list[Record]:
    """Stories in an order that does not depend on how the work was cut: which of two
    near-duplicates is kept must not.
    """
    return sorted(records, key=lambda r: (r["topic"], r["emotion"], r["round"]))


def select_neutral(records: list[Record], wording: Wording) -> list[Record]:
    """Keep the dialogues without any emotion or courtesy that do not repeat themselves.

    Faults: `names_emotion` and `names_synonym` (of any emotion), `pleasantry` (a listed
    courtesy) and `repeats`; each drops a dialogue.
    """
    forms, synonyms, excused = (
        whole_words(
            sorted({p for words in wording.values() for p in words.get(key, [])})
        )
        for key in ("forms", "synonyms", "not")
    )
    pleasantries = whole_words(list(PLEASANTRIES))
    selected = []
    for record in records:
        text = excused.sub(" ", plain(record["text"]))
        found = {
            "names_emotion": bool(forms.search(text)),
            "names_synonym": bool(synonyms.search(text)),
            "pleasantry": bool(pleasantries.search(text)),
            "repeats": repeats_itself(text),
        }
        faults = [fault for fault, is_so in found.items() if is_so]
        selected.append(record | {"faults": faults, "dropped": faults})
    return selected


def named_emotions(wording: Wording) -> Callable[[str], list[str]]:
    """What tells which emotions a text names, by a form or a synonym."""
    patterns = _patterns(wording)
    return lambda text: [e for e, some in patterns.items() if _names(plain(text), some)]


Patterns = tuple[re.Pattern, re.Pattern, re.Pattern]  # forms, synonyms, excused


def _patterns(wording: Wording) -> dict[str, Patterns]:
    return {
        emotion: (
            whole_words(words["forms"]),
            whole_words(words.get("synonyms", [])),
            whole_words(words.get("not", [])),
        )
        for emotion, words in wording.items()
    }


def _names(text: str, patterns: Patterns) -> bool:
    forms, synonyms, excused = patterns
    text = excused.sub(" ", text)
    return bool(forms.search(text) or synonyms.search(text))


def plain(text: str) -> str:
    """Lower case, with plain apostrophes and hyphens, for matching words."""
    return text.lower().translate(str.maketrans("’‘‐‑", "''--"))


def repeats_itself(text: str) -> bool:
    """Whether a run of words stands in the text three times or more."""
    return any(count >= REPEATS for count in word_runs(text, RUN).values())


def word_runs(text: str, length: int) -> Counter:
    """How often each run of so many words stands in a text."""
    words = re.findall(r"[\w']+", text)
    return Counter(tuple(words[i : i + length]) for i in range(len(words) - length + 1))


def counts(records: list[Record]) -> dict[str, Any]:
    """How many texts there are, how they ended, which faults they have and how many are
    kept.
    """
    faults = Counter(fault for record in records for fault in record["faults"])
    return {
        "written": len(records),
        "kept": sum(not record["dropped"] for record in records),
        "ended": dict(Counter(record["ended"] for record in records)),
        "faults": dict(faults),
        "tokens": sum(record["tokens"] for record in records),
    }


def _overlap(triples: Counter, other: set) -> float:
    return len(other & set(triples)) / max(1, min(len(triples), len(other)))


def whole_words(words: list[str]) -> re.Pattern:
    """Any of these words or phrases, as whole words."""
    if not words:
        return re.compile(r"(?!)")
    longest_first = sorted(map(plain, words), key=len, reverse=True)
    return re.compile(
        r"(?<!\w)(?:" + "|".join(map(re.escape, longest_first)) + r")(?!\w)"
    )
