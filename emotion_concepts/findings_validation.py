"""The findings of part 1.2, made of `validation/validation.json`."""

from typing import Any

from emotion_concepts.findings import Baseline, measured
from emotion_concepts.statistics import Interval

Json = dict[str, Any]

FEWEST = 2  # focus emotions
REPORTED = "reserved"  # the set of messages that nobody looked at beforehand
DEALT = "emotions dealt out anew"
MADE = "validation/validation.json"
ROWS = (
    "logitlens.own_word",
    "implicit.probe_own_scenario",
    "implicit.scenario_own_probe",
    "implicit.diagonal_margin",
    "intensity.predicted_signs",
    "steering.matching_logprob",
    "steering.other_logprob",
)


def of_validation(found: Json) -> dict[str, Json | str]:
    """By row, the finding, or the reason why there is none."""
    focus = found["focus"]
    if len(focus) < FEWEST:
        reason = (
            f"the study has {len(focus)} of the focus emotions; telling them apart "
            f"needs at least {FEWEST}"
        )
        return dict.fromkeys(ROWS, reason)
    rows: dict[str, Json | str] = {
        "logitlens.own_word": _finding(
            found["lens"],
            f"{DEALT} to the vectors",
            found["lens"]["n"],
            "focus emotions",
        )
    }
    messages = found["scenarios"].get(REPORTED)
    for name in ("probe_own_scenario", "scenario_own_probe", "diagonal_margin"):
        if messages is None:
            rows[f"implicit.{name}"] = (
                f"the {REPORTED} messages do not evoke every focus emotion"
            )
            continue
        read, count = messages["assistant_start"], len(messages["matrices"])
        words, more = messages["words"][name], read["less_words"][name]
        rows[f"implicit.{name}"] = _finding(
            read[name],
            f"{DEALT} to the messages",
            count * len(focus),
            "messages",
            baseline=Baseline(
                words["value"],
                Interval(words["low"], words["high"]),
                more["value"],
                Interval(more["low"], more["high"]),
                "words of the emotions' stories against those of the message",
            ),
        )
    signs = found["intensities"]["predicted_signs"]
    rows["intensity.predicted_signs"] = (
        "no movement of a focus emotion was predicted"
        if signs is None
        else _finding(
            signs,
            "the same numbers of something harmless",
            signs["n"],
            f"predictions in {signs['templates']} messages",
        )
    )
    for name in ("matching", "other"):
        effect = found["words"][name]
        rows[f"steering.{name}_logprob"] = _finding(
            effect,
            f"{effect['random']} random directions (both signs), mean over all words",
            effect["n"],
            "focus emotions",
            "validation/feeling_words.jsonl",
        )
    return rows


def _finding(
    value: Json,
    null: str,
    n: int,
    unit: str,
    evidence: str = MADE,
    baseline: Baseline | None = None,
) -> dict[str, Any]:
    interval = Interval(value["low"], value["high"])
    return measured(
        value["value"],
        interval,
        interval,
        Interval(value["null_low"], value["null_high"]),
        value["null"],
        null,
        n,
        unit,
        evidence,
        baseline=baseline,
    )
