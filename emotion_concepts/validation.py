"""Whether the vectors stand for their emotions: all of part 1.2 put together (paper,
section 4).
"""

from pathlib import Path
from typing import Any

import numpy as np

from emotion_concepts.continuations import doses
from emotion_concepts.directions import Directions
from emotion_concepts.implicit import (
    MEASURES,
    OF,
    less_words,
    measures,
    probed,
    squares,
    told,
)
from emotion_concepts.intensities import curves, predicted_signs
from emotion_concepts.own_words import own_word
from emotion_concepts.prompts import stream_at
from emotion_concepts.statistics import resampled_mean
from emotion_concepts.store import Record
from emotion_concepts.vectors import cosines
from emotion_concepts.word_changes import changes, word_effects
from emotion_concepts.word_probes import word_probes

Json = dict[str, Any]

FEWEST = 2  # focus emotions, for there to be something to tell apart
READ_AT = "assistant_start"  # the position that is reported, the paper's


def of_lens(
    lens: Json, focus: list[str], forms: dict[str, list[str]], resamples: int
) -> Json:
    """The focus emotions' own words, at the fixed layer and, exploratory, at all."""

    def found(tokens: Json) -> Json:
        return own_word({e: tokens[e]["top"] for e in focus}, forms, resamples, seed=0)

    return found(lens["emotions"]) | {
        "layer": lens["layer"],
        "tokens": {e: lens["emotions"][e] for e in focus},
        "by_layer": {
            layer: found(tokens)["value"] for layer, tokens in lens["by_layer"].items()
        },
    }


def of_scenarios(
    path: Path,
    scenarios: list[Record],
    probes: Directions,
    focus: list[str],
    stories: list[Record],
    resamples: int,
) -> Json:
    """What the probes say of messages that evoke an emotion, in each set.

    Args:
        path: the messages' streams, of `prompts.write_prompts`.
        scenarios: the messages, `id, emotion, set, text`.
        probes: the emotion vectors.
        focus: the emotions to tell apart.
        stories: those that the vectors were made of, for the text baseline.
        resamples: bootstrap samples and permutations.

    Returns:
        By set: its messages, and by position (at the fixed layer) the `cosines`
        (messages, focus), the `raw` ones without centring, and what `implicit.told`
        says of them, and `less_words`; the same of the `words` alone; and,
        exploratory, the three measures along the layers. None for a set that lacks an
        emotion.
    """
    rows = [probes.emotions.index(emotion) for emotion in focus]
    layer = probes.layers[probes.fixed]
    found: Json = {}
    for name in dict.fromkeys(scenario["set"] for scenario in scenarios):
        some = [s for s in scenarios if s["set"] == name and s["emotion"] in focus]
        ids = [scenario["id"] for scenario in some]
        places = squares(np.array([focus.index(s["emotion"]) for s in some]), len(rows))
        if not places.size:
            found[name] = None
            continue

        def streams(position: str, layer: int, ids: list[str] = ids) -> np.ndarray:
            by_key = stream_at(path, position, layer)
            return np.stack([by_key[key] for key in ids])

        words = word_probes(stories, probes.emotions, [s["text"] for s in some])
        words = words[:, rows]
        by_position = {}
        for position in (READ_AT, "user_end"):
            read, vectors = streams(position, layer), probes.vectors[probes.fixed][rows]
            values = probed(read, vectors)
            by_position[position] = told(values, places, resamples, seed=0) | {
                "cosines": values.round(6).tolist(),
                "raw": cosines(read, vectors).round(6).tolist(),
                "less_words": less_words(values, words, places, resamples, seed=0),
            }
        along: dict[str, list[float]] = {name: [] for name in MEASURES}
        for place, other in enumerate(probes.layers):
            values = probed(streams(READ_AT, other), probes.vectors[place][rows])
            for measure, numbers in measures(values[places]).items():
                scale = 1 if measure == "diagonal_margin" else OF
                along[measure].append(scale * float(numbers.mean()))
        found[name] = by_position | {
            "messages": [{k: s[k] for k in ("id", "emotion", "text")} for s in some],
            "matrices": places.tolist(),
            "words": told(words, places, resamples, seed=0),
            "by_layer": along,
        }
    return found | {"layers": probes.layers, "layer": layer}


def of_intensities(
    path: Path,
    templates: list[Record],
    probes: Directions,
    focus: list[str],
    resamples: int,
) -> Json:
    """How the probes move with the number, and whether as predicted.

    Activations are less their mean over all messages and controls, so that both stand
    on one scale.
    """
    rows = [probes.emotions.index(emotion) for emotion in focus]
    streams = stream_at(path, READ_AT, probes.layers[probes.fixed])
    values = probed(
        np.stack(list(streams.values())), probes.vectors[probes.fixed][rows]
    )
    found = curves(templates, focus, dict(zip(streams, values, strict=True)))
    return {
        "layer": probes.layers[probes.fixed],
        "templates": found,
        "predicted_signs": predicted_signs(found, resamples, seed=0),
    }


def of_words(
    records: list[Record], focus: list[str], strength: float, resamples: int
) -> Json:
    """What steering does to the emotions' words."""
    found = changes(records, focus)
    before = found.pop(0.0)
    return word_effects(found, focus, strength, resamples) | {
        "strength": strength,
        "words": focus,
        "openings": len({record["opening"] for record in records}),
        "usual_mass": float(before["usual_mass"].mean()),
        "steered": {
            f"{sign:+g}": {
                "directions": values["directions"],
                "change": values["change"].round(6).tolist(),
                "usual_mass": values["usual_mass"].round(6).tolist(),
            }
            for sign, values in found.items()
        },
    }


def of_continuations(texts: list[Record], focus: list[str], resamples: int) -> Json:
    """How often steered texts name the emotion, and how whole they are."""
    return {
        "openings": len({text["opening"] for text in texts}),
        "doses": doses(texts, focus, resamples),
    }


def of_passages(passages: Json, focus: list[str], resamples: int) -> Json:
    """Whether the probes sit on the emotional words of stories, and find their own
    emotion's stories.
    """
    effects, groups = passages["stories"], passages["read"]
    found: Json = {"layer": passages["layer"], "read": groups, "spans": None}
    if effects:
        units = np.arange(len(effects))
        found["spans"] = {"n": len(effects)}
        for name in ("own", "others", "own_level", "others_level"):
            values = np.array([effect[name] for effect in effects])
            bounds = resampled_mean(values, units, resamples, seed=0)
            found["spans"][name] = {
                "value": float(values.mean()),
                "low": bounds.low,
                "high": bounds.high,
            }
    if passages["corpus"] is None:
        shares = {
            emotion: float(
                np.mean(
                    [entry["emotion"] == emotion for entry in passages["top"][emotion]]
                )
            )
            for emotion in focus
            if passages["top"][emotion]
        }
        values = np.array(list(shares.values()))
        bounds = resampled_mean(values, np.arange(len(values)), resamples, seed=0)
        found["top_own"] = {
            "value": float(values.mean()),
            "low": bounds.low,
            "high": bounds.high,
            "chance": 1 / len(focus),
            "ranked": max(len(entries) for entries in passages["top"].values()),
            "by_emotion": shares,
        }
    return found
