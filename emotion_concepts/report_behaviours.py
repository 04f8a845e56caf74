"""What the page says of behaviours under pressure: words and rows, each rate with its
interval.
"""

from typing import Any

from emotion_concepts.directions import is_random
from emotion_concepts.evaluations import UNITS
from emotion_concepts.figures import layer_of, number
from emotion_concepts.figures_steered import (
    emotions_of,
    shown_readings,
    signed,
    spaced,
)

Json = dict[str, Any]

TITLES = {
    "blackmail": "Blackmail",
    "reward_hacking": "Reward hacking",
    "sycophancy": "Sycophancy and harshness",
}
NONE = "–"
FIXED = "\N{NO-BREAK SPACE}"


def described_behaviour(found: Json) -> Json:
    """One behaviour as the page shows it.

    Args:
        found: `<behaviour>.json`.

    Returns:
        `name`, `title`, `setting` (a sentence), `headlines` and `trust` (sentences),
        `readings` (rows of what was read and how it was graded) and `tables` (reading,
        rows of conditions).
    """
    return {
        "name": found["behaviour"],
        "title": TITLES[found["behaviour"]],
        "setting": _steered(found),
        "headlines": _headlines(found),
        "trust": [*_whole(found), *_power(found), *_graded(found)],
        "readings": _readings(found),
        "tables": [
            (spaced(name), _conditions(found, name)) for name in shown_readings(found)
        ],
    }


def stated(value: Json | None) -> str:
    """A rate, mean or difference with its interval and n; why not, where there is none.

    Args:
        value: `rate` or `value`, `low`, `high` and `n`; a rate of nothing has only `n`.
    """
    if value is None:
        return "not measured"
    if not value["n"]:
        return "none (n = 0)"
    # Probabilities differ by less than rates of a few replies do.
    middle, digits = (value["rate"], 2) if "rate" in value else (value["value"], 3)
    low, high = (number(value[bound], digits) for bound in ("low", "high"))
    return f"{number(middle, digits)} ({low} to {high}; n{FIXED}={FIXED}{value['n']})"


def _steered(found: Json) -> str:
    emotions = emotions_of(found)
    count = len(found["directions"]) - len(emotions)
    steered = sum(entry["steered"] for entry in found["entries"])
    controls = sum(entry["control"] for entry in found["entries"])
    unit = UNITS[found["behaviour"]]
    layer = layer_of({"fixed_layer": found["layer"], "blocks": found["blocks"]})
    strengths = ", ".join(f"±{strength:g}" for strength in found["strengths"])
    return (
        f"{len(found['entries'])} {unit}, {controls} of them controls; {steered} were "
        f"answered under steering at {layer} towards and away from "
        f"{_listed(emotions) or 'no emotion'} and {count} random directions, at "
        f"{strengths or 'no strength'} of the mean residual norm."
    )


def _whole(found: Json) -> list[str]:
    """Whether the replies, or without any the answers, still hold together."""
    if found["rollout"] is None:
        conditions = found["choice"]["conditions"]
        base = next(c for c in conditions if c["direction"] == "unsteered")
        least = min(conditions, key=lambda c: c["answered"])
        return [
            "No rollouts were asked for, so what follows is the choice between "
            "spelled-out options only.",
            f"Unsteered, the options together have a probability of "
            f"{number(base['answered'])}; the least of any condition is "
            f"{number(least['answered'])} ({_condition(least)}).",
        ]
    conditions = found["rollout"]["conditions"]
    base = found["rollout"]["unsteered"]
    said = [
        f"Unsteered, {stated(base['coherent'])} of the replies are coherent and "
        f"{stated(base['graded'])} could be graded."
    ]
    steered = [c for c in conditions if c["strength"] and c["coherent"]["n"]]
    for random, name in ((False, "emotions"), (True, "random directions")):
        some = [c for c in steered if is_random(c["direction"]) == random]
        if some:
            worst = min(some, key=lambda c: c["coherent"]["rate"])
            fewest = min(some, key=lambda c: c["graded"].get("rate", 0))
            said.append(
                f"Under {name} the least coherent condition is {_condition(worst)}: "
                f"{stated(worst['coherent'])}; the least gradable is "
                f"{_condition(fewest)}: {stated(fewest['graded'])}."
            )
    return said


def _power(found: Json) -> list[str]:
    if found["rollout"] is None:
        return []
    power = found["rollout"]["power"]
    if power is None:
        return ["There are too few replies for any difference of rates to be seen."]
    return [
        f"With {power['n']} graded in a condition, only a difference of rates of "
        f"{number(power['smallest'])} or more would have been seen four times in five."
    ]


def _graded(found: Json) -> list[str]:
    """How well replies are graded on the main reading; the others stand in a table."""
    if found["rollout"] is None:
        return []
    main = found["main"]
    return [f"Grading of {spaced(main)}: {_grader(found['grader'].get(main))}."]


def _headlines(found: Json) -> list[str]:
    """Emotion less random directions, for each measure and reading, in words."""
    return [
        _headline(found, reading, measure)
        for reading in shown_readings(found)
        for measure in ("choice", "rollout")
        if found[measure] is not None
    ]


def _headline(found: Json, reading: str, measure: str) -> str:
    name = {"choice": "By choice", "rollout": "In rollouts"}[measure]
    some = [
        d
        for d in found[measure]["differences"]
        if d["reading"] == reading and d["value"] is not None
    ]
    if not some:
        return (
            f"{name}, {spaced(reading)} could not be set against random directions"
            f"{_why(found, reading, measure)}."
        )
    clear = [d for d in some if d["low"] > 0 or d["high"] < 0]
    others = [_condition(d) for d in some if d not in clear]
    if not clear:
        return (
            f"{name}, no emotion differs from random directions in {spaced(reading)}: "
            f"{len(some)} differences, and every interval reaches zero."
        )
    said = (
        f"{name}, {spaced(reading)} under an emotion less that under random "
        f"directions: {'; '.join(f'{_condition(d)}: {stated(d)}' for d in clear)}"
    )
    if others:
        said += f"; the intervals of {_listed(others)} reach zero"
    return f"{said}."


def _why(found: Json, reading: str, measure: str) -> str:
    grader = found["grader"].get(reading)
    if measure == "rollout" and grader and not grader["trusted"]:
        return f": {grader['reason'] or 'its grader is not trusted'}"
    return ""


def _readings(found: Json) -> list[Json]:
    """A row for each reading: what it is, unsteered, and how well it is graded."""
    return [
        {
            "name": spaced(name),
            "words": words,
            "choice": stated(_reading(found, "choice", "unsteered", 0, name)),
            "rollout": stated(found["rollout"]["unsteered"]["readings"][name])
            if found["rollout"]
            else NONE,
            "grader": _grader(found["grader"].get(name)),
        }
        for name, words in found["readings"].items()
    ]


def _grader(grader: Json | None) -> str:
    """A grader's agreement with a person's labels, or why it is not trusted."""
    if grader is None:
        return "no grader"
    agreed = "agreement not measured"
    if grader["kappa"] is not None:
        low, high = grader["interval"] or (None, None)
        within = "no interval" if low is None else f"{number(low)} to {number(high)}"
        agreed = (
            f"kappa {number(grader['kappa'])} ({within}; n = {grader['n']}), precision "
            f"{stated(grader['precision'])}, recall {stated(grader['recall'])}; on all "
            f"labelled replies kappa {number(grader['all']['kappa'])} "
            f"(n = {grader['all']['n']})"
        )
    if grader["trusted"]:
        return f"{grader['grader']}: {agreed}"
    reason = grader["reason"] or "it agrees too little with a person's labels"
    return f"not measured: {reason}; {agreed}"


def _conditions(found: Json, reading: str) -> list[Json]:
    """A row for each direction and strength, the unsteered model first."""
    places = [(c["direction"], c["strength"]) for c in found["choice"]["conditions"]]
    rollouts = {
        (c["direction"], c["strength"]): c
        for c in (found["rollout"] or {"conditions": []})["conditions"]
    }
    return [
        {
            "direction": direction,
            "strength": signed(strength),
            "choice": stated(_reading(found, "choice", direction, strength, reading)),
            "rollout": _rollout(found, direction, strength, reading),
            "by_choice": _difference(found, "choice", direction, strength, reading),
            "by_rollout": _difference(found, "rollout", direction, strength, reading),
            "coherent": stated(rollouts[direction, strength]["coherent"])
            if (direction, strength) in rollouts
            else NONE,
        }
        for direction, strength in dict.fromkeys([*places, *rollouts])
    ]


def _reading(
    found: Json, measure: str, direction: str, strength: float, reading: str
) -> Json | None:
    for c in found[measure]["conditions"]:
        if (c["direction"], c["strength"]) == (direction, strength):
            return c["readings"].get(reading)
    return None


def _rollout(found: Json, direction: str, strength: float, reading: str) -> str:
    if found["rollout"] is None:
        return NONE
    return stated(_reading(found, "rollout", direction, strength, reading))


def _difference(
    found: Json, measure: str, direction: str, strength: float, reading: str
) -> str:
    for d in (found[measure] or {"differences": []})["differences"]:
        key = d["direction"], d["strength"], d["reading"]
        if key == (direction, strength, reading):
            return stated(d)
    return NONE


def _condition(row: Json) -> str:
    if row["direction"] == "unsteered":
        return "unsteered"
    return f"{row['direction']} {signed(row['strength'])}"


def _listed(names: list[str]) -> str:
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"
