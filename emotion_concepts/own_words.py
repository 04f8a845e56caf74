"""Whether the logit lens of an emotion's vector shows the emotion's own word (paper,
section 4, Table 1).

The rule: a token counts if its letters, at least three, lower-cased, are a form of the
emotion in the stimulus file, or the beginning of one that covers at least half of it.
"""

from typing import Any

import numpy as np

from emotion_concepts.statistics import percentile_interval, wilson

Json = dict[str, Any]

AMONG = 5  # of the strongest tokens
FEWEST_LETTERS = 3
OF = 12  # the paper counts over so many emotions


def is_own(token: str, forms: list[str]) -> bool:
    """Whether a token is an emotion's word or its stem, by the rule above."""
    letters = "".join(filter(str.isalpha, token)).lower()
    return len(letters) >= FEWEST_LETTERS and any(
        form.startswith(letters) and 2 * len(letters) >= len(form) for form in forms
    )


def own_word(
    tokens: dict[str, list[str]], forms: dict[str, list[str]], resamples: int, seed: int
) -> Json:
    """How many emotions show their own word, beside emotions dealt to other vectors.

    Args:
        tokens: by emotion, the strongest tokens of its vector, the strongest first.
        forms: by emotion, its word and inflections.
        resamples: how often the emotions are dealt anew.
        seed: of the dealing.

    Returns:
        `value` of 12, its interval and null, and `found`: by emotion, its own tokens
        among the first five.
    """
    emotions = list(tokens)
    hits = np.array(
        [
            [any(is_own(t, forms[e]) for t in tokens[vector][:AMONG]) for e in emotions]
            for vector in emotions
        ]
    )
    generator = np.random.default_rng(seed)
    dealt = [
        hits[np.arange(len(hits)), generator.permutation(len(hits))].sum()
        for _ in range(resamples)
    ]
    found = int(hits.diagonal().sum())
    bounds, null = wilson(found, len(hits)), percentile_interval(np.array(dealt))
    return {
        "value": OF * found / len(hits),
        "low": OF * bounds.low,
        "high": OF * bounds.high,
        "null": OF * float(np.mean(dealt)) / len(hits),
        "null_low": OF * null.low / len(hits),
        "null_high": OF * null.high / len(hits),
        "n": len(hits),
        "found": {
            e: [t for t in tokens[e][:AMONG] if is_own(t, forms[e])] for e in emotions
        },
    }
