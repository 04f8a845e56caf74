"""Elo of the activities, the probes set against it, and what steering does to it."""

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from emotion_concepts.command import run
from emotion_concepts.directions import Directions, is_random, read_directions
from emotion_concepts.geometry import rated
from emotion_concepts.preference_probes import (
    column_correlations,
    permuted_correlations,
    probe_values,
    random_correlations,
    resampled_correlations,
    with_ratings,
)
from emotion_concepts.preference_steering import (
    at,
    probes_against_changes,
    steered_changes,
)
from emotion_concepts.preferences import (
    FORMATS,
    between_orders,
    elo,
    position_bias,
    soft_wins,
    split_half,
)
from emotion_concepts.prompts import stream_at
from emotion_concepts.statistics import percentile_interval
from emotion_concepts.store import (
    Record,
    read_json,
    read_records,
    same_model,
    write_json,
)
from emotion_concepts.vectors import cosines
from emotion_concepts.word_probes import word_probes

RANDOM_PROBES = 1000


def main() -> None:
    """Write every number of this part, with its samples."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--settings", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--vectors", type=Path, required=True)
    parser.add_argument("--readings", type=Path, required=True)
    parser.add_argument("--stories", type=Path, required=True)
    parser.add_argument("--pairs", type=Path, nargs="+", required=True)
    parser.add_argument("--steered", type=Path, nargs="+", required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    settings = read_json(args.settings)
    identity = read_json(args.model)["identity"]
    same_model(identity, args.readings)
    directions = read_directions(args.vectors, identity)
    activities = settings["activities"]
    by_form = {
        form: [r for r in read_records(args.pairs) if r["form"] == form]
        for form in FORMATS
    }
    found = ranking(by_form, activities, settings["resamples"])
    ratings = np.array(found["elo"]["chat"])
    found |= probes(args.readings, directions, ratings, settings)
    words = word_probes(
        [r for r in read_records(args.stories) if not r["dropped"]],
        directions.emotions,
        [activity["activity"] for activity in activities],
    )
    # The seed of the probes' samples, for differences pair by pair.
    samples = resampled_correlations(words, ratings, settings["resamples"], seed=1)
    found["words"] = {
        "r": named(directions, column_correlations(words, ratings)),
        "bootstrap": of_extremes(samples, directions, settings),
    }
    found["steering"] = steering_of(
        read_records(args.steered), by_form["chat"], found["probe_r"], settings
    )
    write_json(args.out, found)


def ranking(
    by_form: dict[str, list[Record]], activities: list[Record], resamples: int
) -> dict[str, Any]:
    """How the activities are ranked, and how well that ranking is determined."""
    ids = [activity["id"] for activity in activities]
    wins = {form: soft_wins(records, ids) for form, records in by_form.items()}
    ranks = {form: elo(some) for form, some in wins.items()}
    orders = between_orders(by_form["chat"], ids, resamples, seed=1)
    bias = {form: position_bias(records) for form, records in by_form.items()}
    return {
        "activities": activities,
        "elo": {form: some.tolist() for form, some in ranks.items()},
        "formats_r": float(np.corrcoef(ranks["chat"], ranks["plain"])[0, 1]),
        "orders_r": spread(orders),
        "split_half": {
            form: spread(split_half(some, resamples, seed=0))
            for form, some in wins.items()
        },
        "position_bias": {
            form: {"mean": float(some.mean())} | spread(some)
            for form, some in bias.items()
        },
    }


def probes(
    readings: Path, directions: Directions, ratings: np.ndarray, settings: Record
) -> dict[str, Any]:
    """Every probe's correlation with the Elo, and theirs with people's ratings."""
    emotions, resamples = directions.emotions, settings["resamples"]

    def at(place: int) -> tuple[np.ndarray, np.ndarray]:
        found = stream_at(readings, "activity", directions.layers[place])
        streams = np.stack([found[a["id"]] for a in settings["activities"]])
        return streams, directions.vectors[place]

    streams, vectors = at(directions.fixed)
    values = probe_values(streams, vectors)
    correlations = column_correlations(values, ratings)
    bootstrap = resampled_correlations(values, ratings, resamples, seed=1)
    permuted = permuted_correlations(values, ratings, resamples, seed=2)
    people = rated(emotions, next(iter(settings["ratings"].values())))
    with_people = {
        name: {
            "words": len(people.index),
            "r": float(np.corrcoef(correlations[people.index], scale)[0, 1])
            if len(people.index) > 2
            else None,
            "bootstrap": with_ratings(bootstrap, scale, people.index, 3).tolist(),
            "permuted": with_ratings(permuted, scale, people.index, 4).tolist(),
        }
        for name, scale in (
            ("pleasure", people.pleasure),
            ("arousal", people.arousal),
        )
    }
    extremes = [e for e in settings["extremes"] if e in emotions]
    by_layer = [
        column_correlations(probe_values(*at(place)), ratings)
        for place in range(len(directions.layers))
    ]
    random = random_correlations(streams, ratings, RANDOM_PROBES, seed=5)
    return {
        "layers": directions.layers,
        "blocks": directions.blocks,
        "fixed_layer": directions.layers[directions.fixed],
        "probe_r": named(directions, correlations),
        "probe_r_raw": named(
            directions, column_correlations(cosines(streams, vectors), ratings)
        ),
        "probe_bootstrap": of_extremes(bootstrap, directions, settings),
        "random_r": random.tolist(),
        "by_layer": {
            e: [float(layer[emotions.index(e)]) for layer in by_layer] for e in extremes
        },
        "with_people": with_people,
    }


def steering_of(
    steered: list[Record],
    unsteered: list[Record],
    probe_r: dict[str, float],
    settings: Record,
) -> dict[str, Any]:
    """What steering does, and whether the probes foretell it."""
    resamples = settings["resamples"]
    found = steered_changes(
        steered,
        unsteered,
        settings["activities"][: settings["steered_activities"]],
        resamples,
    )
    strength = settings["strengths"][-1]
    # Random directions are steered only where all are.
    layers = next(c["layers"] for c in found["conditions"] if is_random(c["direction"]))
    main = at(found, strength, layers)
    return found | {
        "strength": strength,
        "layers": layers,
        "foretold": probes_against_changes(probe_r, main, resamples),
    }


def of_extremes(
    samples: np.ndarray, directions: Directions, settings: Record
) -> dict[str, list[float]]:
    """The columns (resamples,) of the emotions that are looked at most closely."""
    emotions = directions.emotions
    return {
        e: samples[:, emotions.index(e)].tolist()
        for e in settings["extremes"]
        if e in emotions
    }


def named(directions: Directions, values: np.ndarray) -> dict[str, float]:
    """One number for each emotion, by name."""
    return dict(zip(directions.emotions, map(float, values), strict=True))


def spread(samples: np.ndarray) -> dict[str, float]:
    """The middle of samples, and their middle 95 %."""
    low, high = percentile_interval(samples)
    return {"median": float(np.nanmedian(samples)), "low": low, "high": high}


if __name__ == "__main__":
    run(main)
