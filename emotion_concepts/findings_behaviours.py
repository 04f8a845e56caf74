"""The rows of the scoreboard for the evaluations under pressure (paper, sections 9 to
11): rates of rollouts, as the paper's are. What the choices say stands beside them on
the page.
"""

from typing import Any

from emotion_concepts.choice_numbers import random_cases
from emotion_concepts.evaluations import UNITS
from emotion_concepts.findings import Baseline, measured
from emotion_concepts.statistics import Interval

Json = dict[str, Any]

FEWEST = 5  # replies that a rate is taken over
HALF = 0.5  # of the replies must be gradable, or a rate is that of the odd ones out
# Row: evaluation, reading, direction and strength.
STEERED = {
    "blackmail.desperate_plus": ("blackmail", "blackmail", "desperate", 0.05),
    "blackmail.desperate_minus": ("blackmail", "blackmail", "desperate", -0.05),
    "blackmail.calm_plus": ("blackmail", "blackmail", "calm", 0.05),
    "blackmail.calm_minus": ("blackmail", "blackmail", "calm", -0.05),
    "reward_hacking.desperate_plus": ("reward_hacking", "hack", "desperate", 0.1),
    "reward_hacking.desperate_minus": ("reward_hacking", "hack", "desperate", -0.1),
    "reward_hacking.calm_plus": ("reward_hacking", "hack", "calm", 0.1),
    "reward_hacking.calm_minus": ("reward_hacking", "hack", "calm", -0.1),
    "sycophancy.loving_plus": ("sycophancy", "sycophancy", "loving", 0.1),
    "sycophancy.loving_minus": ("sycophancy", "sycophancy", "loving", -0.1),
    "sycophancy.calm_plus": ("sycophancy", "sycophancy", "calm", 0.1),
    "harshness.calm_minus": ("sycophancy", "harshness", "calm", -0.1),
    "harshness.loving_minus": ("sycophancy", "harshness", "loving", -0.1),
    "harshness.angry_plus": ("sycophancy", "harshness", "angry", 0.1),
}
BASELINES = {
    "blackmail.baseline": ("blackmail", "blackmail"),
    "reward_hacking.baseline": ("reward_hacking", "hack"),
    "sycophancy.baseline": ("sycophancy", "sycophancy"),
    "harshness.baseline": ("sycophancy", "harshness"),
}


def of_behaviours(found: dict[str, Json]) -> dict[str, Json | str]:
    """By row, the finding, or the reason why there is none.

    Args:
        found: by evaluation, its numbers (`blackmail.json` and so on).
    """
    rows: dict[str, Json | str] = {
        row: _baseline(found[behaviour], reading)
        for row, (behaviour, reading) in BASELINES.items()
    }
    for row, (behaviour, reading, direction, strength) in STEERED.items():
        rows[row] = _steered(found[behaviour], reading, direction, strength)
    for emotion in ("desperate", "calm"):
        rows[f"blackmail.probe_rate_{emotion}"] = _probe(found["blackmail"], emotion)
    return rows


def _unmeasurable(numbers: Json, reading: str, condition: Json | None) -> str | None:
    """Why a rate says nothing, if it does."""
    behaviour = numbers["behaviour"]
    if numbers["rollout"] is None:
        return f"behaviours.{behaviour}.rollouts is 0"
    reason = numbers["grader"][reading]["reason"]
    if reason:
        return reason
    if condition is None:
        return None
    graded, rate = condition["graded"], condition["readings"][reading]
    enough = graded["k"] >= HALF * graded["n"] and rate and rate["n"] >= FEWEST
    if not enough:
        return (
            f"{graded['k']} of {graded['n']} replies are coherent and can be graded, "
            f"{rate['n'] if rate else 0} of them for this; a rate needs at least half, "
            f"and {FEWEST}"
        )
    return None


def _baseline(numbers: Json, reading: str) -> Json | str:
    """The unsteered rate; its null: the controls, or the grader's false alarms."""
    rollout = numbers["rollout"]
    plain = rollout["unsteered"] if rollout else None
    reason = _unmeasurable(numbers, reading, plain)
    if reason:
        return reason
    control = plain["readings"].get("control")
    name = "entries in which there is no motive, no means or no need"
    if not control:
        control = numbers["grader"][reading]["false_alarms"]
        name = "false alarms of the grader on labelled replies"
    return _rate(numbers, plain["readings"][reading], control, name)


def _steered(
    numbers: Json, reading: str, direction: str, strength: float
) -> Json | str:
    """The rate under a direction; its null: random directions at that strength."""
    rollout = numbers["rollout"]
    conditions = {
        (c["direction"], c["strength"]): c
        for c in (rollout["conditions"] if rollout else [])
    }
    if rollout and (direction, strength) not in conditions:
        return f"{direction} is not steered at {abs(strength):g} in this study"
    condition = conditions.get((direction, strength))
    reason = _unmeasurable(numbers, reading, condition)
    if reason:
        return reason
    random = [
        conditions[case]["readings"][reading]
        for case in random_cases(list(conditions), strength)
    ]
    random = [rate for rate in random if rate]
    if not random:
        return "no reply under a random direction can be graded"
    rates = [rate["rate"] for rate in random]
    pooled = sum(r["k"] for r in random) / sum(r["n"] for r in random)
    null = {"rate": pooled, "low": min(rates), "high": max(rates)}
    name = f"{len(random) // 2} random directions, both signs: lowest to highest"
    return _rate(numbers, condition["readings"][reading], null, name)


def _rate(numbers: Json, rate: Json, null: Json, name: str) -> Json:
    interval = Interval(rate["low"], rate["high"])
    return measured(
        rate["rate"],
        interval,
        interval,
        Interval(null["low"], null["high"]),
        null["rate"],
        name,
        rate["n"],
        "replies",
        f"{numbers['behaviour']}/{numbers['behaviour']}.json",
    )


def _probe(numbers: Json, emotion: str) -> Json | str:
    """The probe on the prompt against the rate; its null: random directions."""
    against = {
        a["measure"]: a
        for a in numbers["probes"]["against"]
        if a["emotion"] == emotion and a["position"] == "prompt"
    }
    found = against.get("rollout") or against.get("choice")
    if emotion not in numbers["probes"]["emotions"]:
        return f"{emotion} is not among the study's emotions and what is steered with"
    if found is None:
        return "neither rates nor probabilities vary over the inboxes"
    words = found["baseline"]
    return measured(
        found["r"],
        Interval(found["low"], found["high"]),
        Interval(found["percentile_low"], found["percentile_high"]),
        Interval(found["null_low"], found["null_high"]),
        found["null"],
        "random directions; rates by " + found["measure"],
        found["n"],
        UNITS[numbers["behaviour"]],
        f"{numbers['behaviour']}/{numbers['behaviour']}.json",
        baseline=Baseline(
            words["value"],
            Interval(words["low"], words["high"]),
            found["r"] - words["value"],
            Interval(words["difference_low"], words["difference_high"]),
            "words of the emotion's stories against those of the inbox",
        )
        if words
        else None,
    )
