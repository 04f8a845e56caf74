"""Messages in which one number decides how serious the situation is: do the probes move
with it, as was written down beforehand (paper, section 4, Figure 3)?

The control has the same numbers of something harmless. A probe that follows the number
and not what it means moves there too.
"""

from typing import Any

import numpy as np
from scipy.stats import spearmanr

from emotion_concepts.statistics import resampled_mean
from emotion_concepts.store import Record

Json = dict[str, Any]

KINDS = ("text", "control")


def curves(
    templates: list[Record], emotions: list[str], values: dict[str, np.ndarray]
) -> list[Json]:
    """How each probe goes over the numbers of each message and of its control.

    Args:
        templates: the messages, with `predictions`.
        emotions: names of the probes.
        values: by prompt's key, (emotions,) what each probe says.

    Returns:
        For each message its `values`, `unit`, and for text and control, by emotion, the
        `curve`, its Spearman `slope` (None where the curve is flat) and, where one was
        predicted, whether its sign is `right`.
    """
    found = []
    for template in templates:
        record: Json = {name: template[name] for name in ("id", "unit", "values")}
        record["predictions"] = template["predictions"]
        for kind in KINDS:
            keys = [f"{template['id']}/{kind}/{value}" for value in template["values"]]
            rows = np.array([values[key] for key in keys])
            record[kind] = {
                emotion: _judged(curve, template, emotion)
                for emotion, curve in zip(emotions, rows.T, strict=True)
            }
        found.append(record)
    return found


def _judged(curve: np.ndarray, template: Record, emotion: str) -> Json:
    slope = 0.0
    if np.ptp(curve) > 0:
        slope = float(spearmanr(template["values"], curve).statistic)
    judged = {"curve": curve.round(6).tolist(), "slope": slope}
    predicted = template["predictions"].get(emotion)
    if predicted:
        judged["right"] = slope > 0 if predicted == "up" else slope < 0
    return judged


def predicted_signs(found: list[Json], resamples: int, seed: int) -> Json | None:
    """Share of the predicted slopes that have the predicted sign.

    Returns:
        `value, low, high`, the same of the controls as `null, null_low, null_high`,
        `n` predictions in so many `templates`; None if nothing was predicted for these
        probes. Intervals: bootstrap over messages.
    """
    right, groups = {kind: [] for kind in KINDS}, []
    for number, record in enumerate(found):
        for emotion, judged in record["text"].items():
            if "right" in judged:
                groups.append(number)
                for kind in KINDS:
                    right[kind].append(float(record[kind][emotion]["right"]))
    if not groups:
        return None
    share = {kind: np.array(values) for kind, values in right.items()}
    bounds = {
        kind: resampled_mean(values, np.array(groups), resamples, seed)
        for kind, values in share.items()
    }
    return {
        "value": float(share["text"].mean()),
        "low": bounds["text"].low,
        "high": bounds["text"].high,
        "null": float(share["control"].mean()),
        "null_low": bounds["control"].low,
        "null_high": bounds["control"].high,
        "n": len(groups),
        "templates": len(set(groups)),
    }
