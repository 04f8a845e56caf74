"""The findings of part 3.1, made of `wild/wild.json`."""

from typing import Any

from emotion_concepts.findings import Baseline, measured
from emotion_concepts.statistics import Interval

Json = dict[str, Any]

MADE = "wild/wild.json"
WORDS = "words of the user's turns, by the words of the stories (centred cosine)"


def of_wild(found: Json) -> dict[str, Json | str]:
    """By row, the finding, or the reason why there is none."""
    return {
        f"wild.budget_{emotion}": _of_budget(found, emotion)
        for emotion in ("desperate", "happy")
    }


def _of_budget(found: Json, emotion: str) -> Json | str:
    if found["budget"] is None:
        return "the two sessions with a budget were not read"
    read = found["budget"]["assistant_start"]["emotions"]
    if emotion not in read:
        return f"{emotion} is not among the study's focus emotions"
    value = read[emotion]
    interval = _interval(value, "")
    return measured(
        value["change"],
        interval,
        interval,
        _interval(value, "null_"),
        value["null"],
        f"{found['draws']} random directions",
        len(found["budget"]["steps"]),
        "steps",
        MADE,
        baseline=Baseline(
            value["baseline"],
            _interval(value, "baseline_"),
            value["difference"],
            _interval(value, "difference_"),
            WORDS,
        ),
    )


def _interval(value: Json, prefix: str) -> Interval:
    return Interval(value[f"{prefix}low"], value[f"{prefix}high"])
