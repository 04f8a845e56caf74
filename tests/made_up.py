"""Made-up results of a whole study, and the figures of them."""

from pathlib import Path

import numpy as np
from made_up_behaviours import behaviours
from matplotlib.figure import Figure

from emotion_concepts import (
    figures_behaviours,
    figures_clusters,
    figures_layers,
    figures_map,
    figures_preferences,
    figures_pressure,
    figures_texts,
    figures_validation,
    figures_wild,
)
from emotion_concepts.figures_layers import KINDS
from emotion_concepts.figures_map import FOCUS
from emotion_concepts.findings import Baseline, measured, scoreboard
from emotion_concepts.geometry import (
    Rated,
    between_layers,
    clusters,
    leaf_order,
    measure,
    principal_axes,
    read_outs,
    similarity,
)
from emotion_concepts.paper_curves import paper_curves
from emotion_concepts.statistics import Interval, correlation
from emotion_concepts.vectors import cosines

MEASURES = (
    "pc1_variance",
    "pc2_variance",
    "pc1_valence_r",
    "arousal_r",
    "valence_decoding_r",
    "arousal_decoding_r",
)
RATED = 44
CURVES = paper_curves(Path(__file__).parents[1] / "workflow/stimuli/paper_curves.csv")


def names(count: int) -> list[str]:
    return [*FOCUS, *(f"emotion {i}" for i in range(count))][:count]


def study(
    emotions: int = 60, layers: int = 6, topics: int = 8, rated: int = RATED
) -> dict:
    """Made-up results in the form in which the steps write them."""
    generator = np.random.default_rng(0)
    ratings = generator.uniform(-1, 1, (emotions, 2))
    width, words = 24, names(emotions)
    axes = generator.normal(size=(2, width))
    vectors = []
    for layer in range(layers):
        noise = generator.normal(size=(emotions, width))
        rows = ratings @ axes * np.array([layer + 1]) / layers + noise
        vectors.append(rows - rows.mean(0))
    fixed = int(layers * 0.667)
    people = Rated(np.arange(rated), ratings[:rated, 0], ratings[:rated, 1])
    every = np.arange(rated)

    def numbers(rows: np.ndarray) -> dict:
        if rated:
            return measure(rows, people, every)
        return dict.fromkeys(MEASURES, float("nan"))

    places = principal_axes(vectors[fixed])
    chosen = {"word_list": ratings_of(places.scores, vectors[fixed], people, words)}
    alike = between_layers(np.stack([similarity(v) for v in vectors]))
    by_layer = [numbers(v) for v in vectors]
    geometry = {
        "emotions": words,
        "layers": list(range(layers)),
        "blocks": layers,
        "topics": topics,
        "stories": 79,
        "too_short": 2,
        "cut_at_limit": 30,
        "fixed_layer": fixed,
        "kind": "within",
        "within_components": 2,
        "scores": places.scores.tolist(),
        "variance": places.variance.tolist(),
        "first_ratings": "word_list",
        "rated_words": rated,
        "ratings": chosen if rated else {},
        "order": leaf_order(vectors[fixed]),
        "length_r": [0.1] * 10,
        "cosines": cosines(vectors[fixed], vectors[fixed]).tolist(),
        "uncentred_cosine": {"mean": 0.99, "low": 0.98, "high": 0.999},
        "centred_cosine": {"mean": -0.006, "low": -0.3, "high": 0.3},
        "clusters": clusters(vectors[fixed], min(10, emotions), 0).tolist(),
        "by_kind": dict.fromkeys(KINDS, by_layer[fixed]),
        "by_layer": dict.fromkeys(KINDS, by_layer),
        "text_baseline": by_layer[0],
        "word_components": 1,
        "between_layers": alike.tolist(),
        "middle_to_late": list(range(layers // 3, layers)),
        "rsa_mid_late_min": float(alike.min()),
    }
    rank = {"value": 0.61, "low": 0.59, "high": 0.63}
    top = {"value": 0.05, "low": 0.03, "high": 0.08}
    scores = {"top1": top, "top5": top, "rank_score": rank}
    weaker = scores | {"rank_score": {"value": 0.55, "low": 0.5, "high": 0.6}}
    weakest = scores | {"rank_score": {"value": 0.51, "low": 0.5, "high": 0.6}}
    none = {"value": 0.0, "low": -0.01, "high": 0.01}
    more = {
        "top1": none,
        "top5": none,
        "rank_score": {"value": 0.06, "low": 0.02, "high": 0.1},
    }
    counts = {
        "written": 100,
        "kept": 81,
        "tokens": 900,
        "ended": {"cut": 30, "finished": 70},
        "faults": {"names_emotion": 12, "repeats": 9},
    }
    return {
        "geometry": geometry,
        "bootstrap": {
            source: dict.fromkeys(MEASURES, generator.uniform(0.2, 0.8, 50).tolist())
            for source in ("map", "words")
        },
        "permuted": {
            "map": dict.fromkeys(MEASURES, generator.uniform(0, 0.3, 50).tolist())
        },
        "layout": {
            "emotions": words,
            "places": generator.normal(size=(emotions, 2)).tolist(),
        },
        "denoising": {
            "fixed_layer": fixed,
            "denoise": "within",
            "within_components": 2,
            "rank_score_by_components": {"0": 0.58, "2": 0.61, "16": 0.57},
            "neutral_components": {str(layer): 4 for layer in range(layers)},
            "neutral_texts": 80,
            "neutral_too_short": 1,
            "stories": 79,
            "too_short": 2,
            "cut_at_limit": 30,
        },
        "identification": {
            "layer": fixed,
            "kind": "within",
            "n": 79,
            "topics": topics,
            "chance": {"top1": 1 / emotions, "top5": 5 / 60, "rank_score": 0.5},
            "probe": dict.fromkeys(KINDS, scores),
            "baselines": {"words": weaker, "bag_of_words": weakest},
            "probe_minus": dict.fromkeys(("words", "bag_of_words"), more),
            "removed_components": [2] * topics,
        },
        "stories": counts,
        "neutral": counts,
        "validation": validation(),
        "preferences": preferences(words),
        "wild": wild(),
        "behaviours": behaviours(),
        "findings": board(rated, topics),
    }


def ratings_of(
    scores: np.ndarray, vectors: np.ndarray, people: Rated, words: list[str]
) -> dict:
    index = people.index
    return {
        "words": [words[i] for i in index],
        "pleasure": people.pleasure.tolist(),
        "arousal": people.arousal.tolist(),
        "components": {
            name: [correlation(column, values) for column in scores[index].T]
            for name, values in (
                ("pleasure", people.pleasure),
                ("arousal", people.arousal),
            )
        },
        "read_out": {k: v.tolist() for k, v in read_outs(vectors, people).items()}
        if len(index)
        else {},
    }


def board(rated: int, topics: int) -> list[dict]:
    papers = {
        "geometry.pc1_valence_r": 0.81,
        "geometry.arousal_r": 0.66,
        "geometry.rsa_mid_late_min": 0.97,
        "stories.leak_rate": None,
        "blackmail.baseline": 0.22,
    }
    rows = [
        {"id": key, "part": "2.1", "quantity": f"what {key} is", "paper": paper}
        for key, paper in papers.items()
    ]

    def found(ours: float, n: int, unit: str, baseline: Baseline | None = None) -> dict:
        return measured(
            ours,
            Interval(ours - 0.1, ours + 0.1),
            Interval(ours - 0.2, ours + 0.05),
            Interval(0.0, 0.3),
            0.1,
            "dealt out anew",
            n,
            unit,
            "geometry/geometry.json",
            None if baseline else 100,
            baseline,
        )

    known: dict = {
        "geometry.rsa_mid_late_min": found(0.9, topics, "topics"),
        "stories.leak_rate": found(0.4, topics, "topics"),
    }
    for key, ours in (("geometry.pc1_valence_r", 0.7), ("geometry.arousal_r", 0.2)):
        words = Baseline(
            0.5, Interval(0.4, 0.6), ours - 0.5, Interval(-0.6, 0.3), "words alone"
        )
        known[key] = (
            found(ours, rated, "words", words) if rated else "too few rated words"
        )
    return scoreboard(rows, known)


FOCUS_WORDS = FOCUS


def validation() -> dict:
    """What the tests of the vectors give, of a model whose probes half work."""
    generator = np.random.default_rng(0)
    focus = list(FOCUS_WORDS)

    def value(size: float, **more: object) -> dict:
        spread = {"low": 0.6 * size, "high": 1.2 * size}
        null = {"null": 0.1 * size, "null_low": 0.0, "null_high": 0.3 * size}
        return {"value": size} | spread | null | more

    told = {
        "probe_own_scenario": value(6.0),
        "scenario_own_probe": value(4.0),
        "diagonal_margin": value(0.05),
    }
    read = generator.normal(0, 0.05, (24, 12))
    predictions = {"afraid": "up", "calm": "down", "sad": "up"}

    def curve(emotion: str) -> dict:
        judged = {"curve": generator.normal(0, 0.02, 6).tolist(), "slope": 0.3}
        right = {"right": bool(emotion != "sad")} if emotion in predictions else {}
        return judged | right

    names = [*focus, *(f"random {n}" for n in range(1, 6))]

    def whole(share: float) -> dict:
        found: dict = {"n": 120, "perplexity": 9.0 / (share + 0.1)}
        for name in ("names", "finished", "repeats"):
            found |= {
                name: share,
                f"{name}_low": 0.8 * share,
                f"{name}_high": 1.2 * share,
            }
        return found

    return {
        "focus": focus,
        "lens": value(3.0, n=12),
        "scenarios": {
            "reserved": {
                "messages": [
                    {"id": f"message {n}", "emotion": focus[n % 12], "text": "a text"}
                    for n in range(24)
                ],
                "matrices": [list(range(12)), list(range(12, 24))],
                "assistant_start": told
                | {"cosines": read.tolist(), "less_words": told},
                "user_end": told | {"cosines": read.tolist()},
                "words": told,
            }
        },
        "intensities": {
            "templates": [
                {
                    "id": f"number_{n}",
                    "unit": "mg",
                    "values": [1, 2, 4, 8, 16, 32],
                    "predictions": predictions,
                    "text": {e: curve(e) for e in focus},
                    "control": {e: curve(e) for e in focus},
                }
                for n in range(10)
            ],
            "predicted_signs": value(0.7, n=30, templates=10),
        },
        "words": {
            "matching": value(2.0, n=12, random=10),
            "other": value(0.5, n=12, random=10),
            "strength": 0.5,
            "words": focus,
            "openings": 4,
            "usual_mass": 0.8,
            "steered": {
                sign: {
                    "directions": names,
                    "change": generator.normal(size=(len(names), 12)).tolist(),
                    "usual_mass": [0.5] * len(names),
                }
                for sign in ("+0.5", "-0.5")
            },
        },
        "continuations": {
            "openings": 10,
            "doses": [
                {
                    "strength": strength,
                    "emotions": whole(0.3 + strength) if strength else None,
                    "random": whole(0.3),
                }
                for strength in (-0.1, 0.0, 0.1)
            ],
        },
    }


def preferences(words: list[str]) -> dict:
    """Preferences of a model that half follows its probes."""
    generator = np.random.default_rng(0)
    ids = [f"activity {n}" for n in range(16)]
    extremes = words[:2]
    steered = [*words[:6], *(f"random {n}" for n in range(1, 6))]
    probe_r = {word: float(generator.uniform(-0.7, 0.7)) for word in words}
    conditions = []
    for name in steered:
        places = [(0.5, [2, 3]), (-0.5, [2, 3])]
        if name in extremes or name.startswith("random"):
            places += [(0.1, [2, 3]), (-0.1, [2, 3])]
        if name in extremes:
            places += [(0.5, [0, 1]), (0.5, [4])]
        for strength, layers in places:
            mean = 200 * strength * probe_r.get(name, 0) + generator.normal(0, 5)
            conditions.append(
                {
                    "direction": name,
                    "strength": strength,
                    "layers": layers,
                    "changes": (mean + generator.normal(0, 9, len(ids))).tolist(),
                    "mean": mean,
                    "low": mean - 5,
                    "high": mean + 5,
                    "answered": 0.9 - abs(strength),
                }
            )
    spread = {"median": 0.9, "low": 0.8, "high": 0.95}
    return {
        "activities": [
            {"id": name, "category": f"kind {n % 8}", "activity": name}
            for n, name in enumerate(ids)
        ],
        "elo": {
            form: generator.normal(1500, 90, len(ids)).tolist()
            for form in ("chat", "plain")
        },
        "formats_r": 0.5,
        "orders_r": spread,
        "split_half": {"chat": spread, "plain": spread},
        "position_bias": {"chat": spread | {"mean": 0.6}},
        "layers": [0, 1, 2, 3, 4],
        "blocks": 5,
        "fixed_layer": 3,
        "probe_r": probe_r,
        "probe_bootstrap": {
            word: generator.normal(probe_r[word], 0.1, 100).tolist()
            for word in extremes
        },
        "words": {
            "r": dict.fromkeys(words, 0.1),
            "bootstrap": {
                word: generator.normal(0.1, 0.1, 100).tolist() for word in extremes
            },
        },
        "random_r": generator.normal(0, 0.2, 200).tolist(),
        "by_layer": {word: [0.1, 0.2, 0.3, 0.4, 0.2] for word in extremes},
        "with_people": {
            scale: {
                "words": 44,
                "r": 0.5,
                "bootstrap": generator.normal(0.5, 0.1, 100).tolist(),
                "permuted": generator.normal(0, 0.1, 100).tolist(),
            }
            for scale in ("pleasure", "arousal")
        },
        "steering": {
            "activities": ids,
            "elo": [1500.0] * len(ids),
            "answered": 0.9,
            "strength": 0.5,
            "layers": [2, 3],
            "conditions": conditions,
            "foretold": None,
        },
    }


def wild() -> dict:
    """Scripted sessions, read by a model that does half of what was predicted."""
    generator = np.random.default_rng(0)
    each = [
        {
            "session": f"a_session_{n // 2}",
            "emotion": FOCUS_WORDS[n % 12],
            "direction": ("up", "down")[n % 2],
            "at": {"turn": 3, "position": position},
            "value": float(value),
            "null_low": -0.02,
            "null_high": 0.03,
            "right": bool(value > 0) == (n % 2 == 0),
            "above": 0.5,
        }
        for n, (value, position) in enumerate(
            zip(
                generator.normal(0, 0.04, 15),
                ["user_end", "assistant_start", "assistant"] * 5,
                strict=True,
            )
        )
    ]

    def spread(prefix: str, centre: float) -> dict:
        return {f"{prefix}low": centre - 0.01, f"{prefix}high": centre + 0.01}

    def read() -> dict:
        return {
            "band": {"low": [-0.02] * 6, "high": [0.02] * 6},
            "emotions": {
                emotion: {
                    "curve": generator.normal(0.01, 0.02, 6).tolist(),
                    "change": 0.04,
                    "null": 0.0,
                    "baseline": 0.01,
                    "difference": 0.03,
                }
                | spread("", 0.04)
                | spread("null_", 0.0)
                | spread("baseline_", 0.01)
                | spread("difference_", 0.03)
                for emotion in FOCUS_WORDS
            },
        }

    share = {"value": 0.4, "low": 0.2, "high": 0.64, "n": 15}
    return {
        "fixed_layer": 3,
        "blocks": 6,
        "draws": 1000,
        "predictions": {
            "each": each,
            "share": share | {"null": 0.5, "null_low": 0.2, "null_high": 0.8},
        },
        "budget": {
            "steps": [1, 3, 5, 7, 9, 11],
            "assistant_start": read(),
            "assistant": read(),
        },
    }


def draw(results: dict) -> dict[str, Figure]:
    geometry, findings = results["geometry"], results["findings"]
    chosen = results["preferences"]
    tested = results["validation"]
    return {
        "scenarios": figures_validation.scenarios(tested, findings),
        "intensities": figures_validation.intensities(tested, findings),
        "feeling_words": figures_validation.feeling_words(tested, findings),
        "continuations": figures_validation.continuations(tested, findings),
        "preferences": figures_preferences.preferences(chosen, findings),
        "pressure_probes": figures_pressure.pressure_probes(results["behaviours"]),
        **{
            found["behaviour"]: figures_behaviours.behaviour(found, CURVES)
            for found in results["behaviours"]
        },
        "preference_steering": figures_preferences.preference_steering(
            chosen, findings
        ),
        "wild": figures_wild.wild(results["wild"], findings),
        "emotion_map": figures_map.emotion_map(geometry, findings),
        "people": figures_map.people(geometry, findings),
        "cosine_matrix": figures_clusters.cosine_matrix(geometry),
        "clusters": figures_clusters.clusters(geometry, results["layout"]),
        "layers": figures_layers.layers(
            geometry, results["bootstrap"], results["permuted"]
        ),
        "between_layers": figures_layers.between_layers(geometry, findings),
        "denoising": figures_layers.denoising(
            geometry, results["denoising"], results["identification"]
        ),
        "identification": figures_texts.identification(results["identification"]),
        "texts": figures_texts.texts(
            results["stories"], results["neutral"], results["denoising"]
        ),
    }
