"""What the model prefers, and whether steering moves it (paper, section 7).

All ordered pairs of activities are asked, so each stands in the first place as often as
in the second. What counts is the probability that the model gives an activity, not
which one is likelier: soft wins, which Bradley and Terry's model turns into one number
for each activity, on the Elo scale.

Steering is on the tokens of half the activities in each pair that holds one of them. If
all were steered alike, no comparison could show it; so the activities are split in two
halves, and each half is steered in turn. Every activity then has an Elo with its tokens
steered, among others whose tokens are not.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import permutations

import choix
import numpy as np

from emotion_concepts.chat import positions, split_options
from emotion_concepts.choices import Choice
from emotion_concepts.directions import Directions, is_random, layer_ranges
from emotion_concepts.model import Model
from emotion_concepts.prefill import Prompt
from emotion_concepts.steering import Steering
from emotion_concepts.store import Record

MEAN_ELO = 1500
SCALE = 400 / np.log(10)  # Elo points of a natural logarithm of odds
START, OPTIONS = "(", ["A", "B"]  # the answer is begun; its next token decides
FORMATS = ("chat", "plain")
SURE = 1e-4  # a probability is at least so far from 0 and 1


@dataclass(frozen=True)
class Condition:
    """One way of steering the choices.

    Attributes:
        direction: whose direction is added.
        strength: as a share of the mean residual norm.
        layers: after which blocks.
    """

    direction: str
    strength: float
    layers: tuple[int, ...]

    def key(self) -> list[object]:
        """What stands for it in a record."""
        return [self.direction, self.strength, list(self.layers)]


def pair_items(
    activities: list[Record], prompt: str, form: str, shown_first: list[str]
) -> list[Record]:
    """All ordered pairs of activities, of which those in `shown_first` come first.

    Args:
        activities: records with `id` and `activity`.
        prompt: the question, with {first} and {second}.
        form: `chat` for the model's template, `plain` for plain text.
        shown_first: ids.
    """
    return [
        {
            "key": [form, prompt, first["activity"], second["activity"]],
            "form": form,
            "first": first["id"],
            "second": second["id"],
        }
        for first, second in permutations(activities, 2)
        if first["id"] in shown_first
    ]


def steered_items(
    activities: list[Record], prompt: str, condition: Condition
) -> list[Record]:
    """The pairs of a condition that hold a steered activity, for either half."""
    return [
        item
        | {
            "key": [*condition.key(), half, *item["key"]],
            "direction": condition.direction,
            "strength": condition.strength,
            "layers": list(condition.layers),
            "half": half,
            "steered": steered,
        }
        for half, ids in enumerate(halves(activities))
        for item in pair_items(
            activities, prompt, "chat", [a["id"] for a in activities]
        )
        if (steered := [i for i in (item["first"], item["second"]) if i in ids])
    ]


def halves(activities: list[Record]) -> tuple[set[str], set[str]]:
    """The ids of the activities in two halves, each with half of every category."""
    members: dict[str, list[str]] = {}
    for activity in activities:
        members.setdefault(activity["category"], []).append(activity["id"])
    parts: tuple[set[str], set[str]] = (set(), set())
    # Where a category has an odd number, the surplus goes to either half in turn.
    for number, ids in enumerate(members.values()):
        for place, name in enumerate(ids):
            parts[(number + place) % 2].add(name)
    return parts


def chooser(
    model: Model, activities: list[Record], prompt: str
) -> Callable[[Record, Steering | None], Choice]:
    """How an item of `pair_items` or `steered_items` is asked."""
    text = {activity["id"]: activity["activity"] for activity in activities}

    @cache
    def asked(
        form: str, first: str, second: str
    ) -> tuple[list[int], list[list[int]], dict[str, list[int]]]:
        before, middle, after = _around(prompt)
        a, b = text[first], text[second]
        second_at = len(before + a + middle)
        marks = {
            first: (len(before), len(before + a)),
            second: (second_at, second_at + len(b)),
        }
        plain = form == "plain"
        rendered, found = positions(
            model.tokenizer, before + a + middle + b + after, marks, START, plain
        )
        tokens, options = split_options(
            model.tokenizer, rendered.text, OPTIONS, special_tokens=plain
        )
        return tokens, options, found

    def choose(item: Record, steering: Steering | None = None) -> Choice:
        tokens, options, found = asked(item["form"], item["first"], item["second"])
        at = tuple(i for name in item.get("steered", ()) for i in found[name])
        return Prompt(tokens, steering, at if steering else ()), options

    return choose


def _around(prompt: str) -> tuple[str, str, str]:
    """The question before, between and after the two activities."""
    before, rest = prompt.split("{first}")
    return (before, *rest.split("{second}"))


def first_probability(record: Record) -> float:
    """Of the first activity against the second, from the two options."""
    first, second = record["log_probability"]
    return float(np.clip(1 / (1 + np.exp(second - first)), SURE, 1 - SURE))


def soft_wins(records: list[Record], ids: list[str]) -> np.ndarray:
    """How often each activity (row) is taken over each other (column), as a sum of
    probabilities.
    """
    place = {name: i for i, name in enumerate(ids)}
    wins = np.zeros((len(ids), len(ids)))
    for record in records:
        first, second = place[record["first"]], place[record["second"]]
        probability = first_probability(record)
        wins[first, second] += probability
        wins[second, first] += 1 - probability
    return wins


def elo(wins: np.ndarray) -> np.ndarray:
    """Bradley-Terry strengths (activities,) on the Elo scale, their mean 1500."""
    strengths = choix.ilsr_pairwise_dense(wins)
    return MEAN_ELO + SCALE * (strengths - strengths.mean())


def split_half(wins: np.ndarray, resamples: int, seed: int) -> np.ndarray:
    """Correlation of the Elo from one half of the pairs with that from the other half,
    stepped up to the whole by Spearman and Brown's formula.

    Args:
        wins: (activities, activities) soft wins in both orders.
        resamples: random splits.
        seed: of the splits.

    Returns:
        (resamples,) reliabilities; nan where a split leaves nothing that varies.
    """
    found = []
    for part in _halves_of_pairs(len(wins), resamples, seed):
        part |= part.T
        r = _correlation(np.where(part, wins, 0), np.where(part, 0, wins))
        found.append(2 * r / (1 + r) if r > -1 else np.nan)
    return np.array(found)


def between_orders(
    records: list[Record], ids: list[str], resamples: int, seed: int
) -> np.ndarray:
    """Correlation of the Elo from one order of every pair with that from the other.

    Which order goes to which side is drawn for every pair, so that either side shows
    every activity about as often first: else a liking for the first place would rank
    the activities by their places in the list.

    Returns:
        (resamples,) correlations.
    """
    place = {name: i for i, name in enumerate(ids)}
    first = np.full((len(ids), len(ids)), np.nan)
    for record in records:
        pair = place[record["first"]], place[record["second"]]
        first[pair] = first_probability(record)
    found = []
    for part in _halves_of_pairs(len(ids), resamples, seed):
        # A pair's other order stands across the diagonal.
        other = np.tril(~part.T, -1)
        sides = []
        for shown in (part | other, (part | other).T):
            asked = np.where(shown, first, 0)
            sides.append(asked + np.where(shown, 1 - first, 0).T)
        found.append(_correlation(*sides))
    return np.array(found)


def _halves_of_pairs(count: int, resamples: int, seed: int) -> Iterator[np.ndarray]:
    """Random halves of the unordered pairs, marked above the diagonal."""
    generator = np.random.default_rng(seed)
    upper = np.triu_indices(count, 1)
    for _ in range(resamples):
        part = np.zeros((count, count), dtype=bool)
        part[upper] = generator.permutation(len(upper[0])) % 2 == 0
        yield part


def _correlation(one: np.ndarray, two: np.ndarray) -> float:
    # A little of a draw keeps activities comparable that a half leaves apart.
    draw = 0.01 * (1 - np.eye(len(one)))
    return float(np.corrcoef(elo(one + draw), elo(two + draw))[0, 1])


def position_bias(records: list[Record]) -> np.ndarray:
    """Probability of whatever stands first, for each unordered pair, in both orders: .5
    without a bias.
    """
    pairs: dict[frozenset, list[float]] = {}
    for record in records:
        pair = frozenset((record["first"], record["second"]))
        pairs.setdefault(pair, []).append(first_probability(record))
    return np.array([np.mean(both) for both in pairs.values()])


def steered_elo(
    records: list[Record], unsteered: list[Record], activities: list[Record]
) -> np.ndarray:
    """Elo of each activity (activities,) with its own half steered.

    Args:
        records: all of one condition, from `steered_items`.
        unsteered: the pairs of the same activities without steering, for those that
            hold no steered one.
        activities: in order.
    """
    ids = [activity["id"] for activity in activities]
    found = np.zeros(len(ids))
    for half, steered in enumerate(halves(activities)):
        control = [
            r for r in unsteered if not steered.intersection((r["first"], r["second"]))
        ]
        mine = [r for r in records if r["half"] == half]
        ratings = elo(soft_wins(mine + control, ids))
        for place, name in enumerate(ids):
            if name in steered:
                found[place] = ratings[place]
    return found


def conditions(
    directions: Directions,
    names: list[str],
    extremes: list[str],
    strengths: list[float],
    ranges: int,
    main: int,
) -> list[Condition]:
    """All ways of steering that the study tries, each with both signs.

    Args:
        directions: the study's directions.
        names: the emotions and random directions to steer with.
        extremes: those of them, the random ones apart, that are steered at every
            strength and in every range of layers.
        strengths: the last is the one at which all are steered.
        ranges: equal parts of the depth.
        main: the part (1 is the earliest) in which all are steered; where no layer of
            it was captured, the nearest part.
    """
    parts = {n: p for n, p in enumerate(layer_ranges(directions, ranges), 1) if p}
    here = min(parts, key=lambda part: (abs(part - main), part))
    found = []
    for name in names:
        every = name in extremes or is_random(name)
        for strength in strengths if every else strengths[-1:]:
            found += [(name, sign * strength, here) for sign in (1, -1)]
        if name in extremes:
            found += [(name, strengths[-1], part) for part in parts if part != here]
    return [
        Condition(name, strength, tuple(directions.at(parts[part])))
        for name, strength, part in found
    ]
