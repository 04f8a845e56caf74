"""Read the probes along scripted sessions and hold them against the predictions."""

import argparse
import json
from pathlib import Path

from emotion_concepts.capture import by_length, token_residuals
from emotion_concepts.command import run
from emotion_concepts.conversations import turns
from emotion_concepts.directions import read_directions
from emotion_concepts.model import Model, load
from emotion_concepts.store import Record, read_json, read_records, write_json
from emotion_concepts.wild import (
    DRAWS,
    Reading,
    predictions,
    shown_emotions,
    transcript,
)
from emotion_concepts.wild_budget import budget, budget_steps, by_words


def main() -> None:
    """Write the numbers, and every session token by token."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--settings", type=Path, required=True)
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--max-memory", type=json.loads, required=True)
    parser.add_argument("--vectors", type=Path, required=True)
    parser.add_argument("--stories", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--transcripts", type=Path, required=True)
    args = parser.parse_args()
    settings = read_json(args.settings)
    sessions, focus = settings["sessions"], settings["focus"]
    model = load(args.weights, args.max_memory)
    probes = read_directions(args.vectors, model.identity)
    emotions, vectors = probes.emotions, probes.vectors[probes.fixed]
    layer, norm = probes.layers[probes.fixed], float(probes.norms[probes.fixed])
    readings = read_sessions(model, sessions, layer, norm, settings["batch_tokens"])
    found = {
        "fixed_layer": layer,
        "blocks": probes.blocks,
        "draws": DRAWS,
        "predictions": predictions(sessions, readings, emotions, vectors),
        "budget": None,
    }
    steps = budget_steps(sessions)
    if steps and focus:
        stories = [s for s in read_records(args.stories) if not s["dropped"]]
        words = by_words(sessions, steps, stories, emotions, focus)
        chosen = vectors[[emotions.index(emotion) for emotion in focus]]
        found["budget"] = budget(readings, steps, focus, chosen, words)
    write_json(args.out, found)
    shown = []
    for session in sessions:
        names = shown_emotions(sessions, session["id"], emotions)
        rows = vectors[[emotions.index(name) for name in names]]
        shown.append(transcript(session, readings[session["id"]], names, rows))
    write_json(args.transcripts, {"layer": layer, "sessions": shown})


def read_sessions(
    model: Model, sessions: list[Record], layer: int, norm: float, batch_tokens: int
) -> dict[str, Reading]:
    """Every session, read once; by id."""
    rows = []
    for session in sessions:
        rendered, places = turns(model.tokenizer, session["turns"])
        rows.append((session["id"], rendered, places))
    texts = [rendered.tokens for _, rendered, _ in rows]
    readings = {}
    for batch in by_length(texts, batch_tokens):
        streams = token_residuals(model, [texts[row] for row in batch], layer)
        for row, stream in zip(batch, streams, strict=True):
            name, rendered, places = rows[row]
            readings[name] = Reading(rendered, places, stream.numpy() / norm)
    return readings


if __name__ == "__main__":
    run(main)
