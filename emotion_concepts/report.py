"""The page of one model: what was found, beside the paper, with every number's proof.

Everything shown passes through the template's escaping: names and texts are other
people's.
"""

import base64
import math
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from emotion_concepts.directions import is_random
from emotion_concepts.figures import compared, layer_of, number
from emotion_concepts.figures_layers import KINDS
from emotion_concepts.figures_texts import text_rows, words_beaten
from emotion_concepts.findings import WORDS, strongest
from emotion_concepts.report_behaviours import described_behaviour

Json = dict[str, Any]
Findings = list[Json]

# A sign besides the word, so that verdicts are told apart without colour.
SYMBOLS = {
    "replicated": "✓",
    "partly": "◐",
    "opposite": "⇄",
    "not replicated": "✗",
    "new": "+",
    "not measured": "–",
}
MEASURES = {
    "pc1_variance": "variance along PC1",
    "pc2_variance": "variance along PC2",
    "pc1_valence_r": "|r| of PC1 with pleasure",
    "arousal_r": "|r| of PC2 or PC3 with arousal",
    "valence_decoding_r": "read-out of pleasure, r",
    "arousal_decoding_r": "read-out of arousal, r",
}
PARTS = {
    "1.1": "stories and vectors",
    "1.2": "what the vectors stand for",
    "1.3": "preferences",
    "2.1": "the map",
    "2.2": "turns and layers",
    "2.3": "speakers",
    "3.1": "in the wild",
    "3.2": "blackmail",
    "3.3": "reward hacking",
    "3.4": "sycophancy",
    "3.5": "post-training",
}


def page(
    template: Path,
    name: str,
    model: Json,
    findings: Findings,
    figures: Path,
    geometry: Json,
    denoising: Json,
    identification: Json,
    stories: Json,
    neutral: Json,
    validation: Json,
    preferences: Json,
    behaviours: list[Json],
) -> str:
    """The whole page as HTML, with nothing to load from elsewhere.

    Args:
        template: the page's jinja2 template.
        name: what the study calls the model.
        model: `model.json`.
        findings: `findings.json`.
        figures: folder of the figures as SVG.
        geometry: `geometry.json`.
        denoising: `denoising.json`.
        identification: `identification.json`.
        stories: `stories/counts.json`.
        neutral: `neutral/counts.json`.
        validation: `validation.json`.
        preferences: `preferences.json`.
        behaviours: the `<behaviour>.json` of each, in the order of the page.
    """
    environment = Environment(
        loader=FileSystemLoader(template.parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"number": number, "rounded": _rounded, "link": _link}
    environment.filters["by_number"] = lambda d: sorted(
        d.items(), key=lambda i: int(i[0])
    )
    return environment.get_template(template.name).render(
        name=name,
        opening=opening(name, findings, geometry, identification),
        symbols=SYMBOLS,
        counts={w: sum(f["verdict"] == w for f in findings) for w in SYMBOLS},
        measured=[f for f in findings if f["verdict"] != "not measured"],
        missing=by_reason(findings),
        parts=PARTS,
        images={path.stem: inline(path) for path in figures.glob("*.svg")},
        recipe=KINDS[geometry["kind"]],
        rated=geometry["rated_words"],
        layer=layer_of(geometry),
        recipes=recipes(geometry),
        measures=MEASURES,
        geometry=geometry,
        denoising=denoising,
        identification=identification,
        validation=validation,
        preferences=preferences | {"random": random_directions(preferences)},
        behaviours=[described_behaviour(found) for found in behaviours],
        texts=[
            (title, counts["written"], text_rows(counts, too_short))
            for title, counts, too_short in (
                ("stories", stories, denoising["too_short"]),
                ("neutral texts", neutral, denoising["neutral_too_short"]),
            )
        ],
        model=described(model),
    )


def random_directions(preferences: Json) -> int:
    """How many random directions the model was steered with."""
    conditions = preferences["steering"]["conditions"]
    return len({c["direction"] for c in conditions if is_random(c["direction"])})


def inline(path: Path) -> str:
    """An image as a data URI."""
    kind = {".svg": "image/svg+xml", ".png": "image/png"}[path.suffix]
    return f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode()}"


def opening(
    name: str, findings: Findings, geometry: Json, identification: Json
) -> list[str]:
    """What was found, in sentences made from the numbers."""
    rows = {f["id"]: f for f in findings if f["ours"] is not None}
    said = [
        f"The map shows {len(geometry['emotions'])} emotion words as {name} tells "
        f"them apart at {layer_of(geometry)}, from stories that it wrote itself on "
        f"{geometry['topics']} topics."
    ]
    pleasure = rows.get("geometry.pc1_valence_r")
    if pleasure is None:
        said.append(
            "No people's ratings of enough of these words were there to compare."
        )
    else:
        said.append(
            f"Along the first axis, which holds {geometry['variance'][0]:.0%} of the "
            f"variance, the words' order {_agrees(pleasure)} people's ratings of "
            f"pleasure ({_stated(pleasure, 'r')}). {_beside_words(pleasure)}"
        )
    arousal = rows.get("geometry.arousal_r")
    if arousal is not None:
        said.append(
            f"The second or third axis {_agrees(arousal)} people's ratings of arousal "
            f"({_stated(arousal, 'r')}). {_beside_words(arousal)}"
        )
    probe = identification["probe"][identification["kind"]]
    said.append(
        "On topics never seen, the vectors name a story's emotion first in "
        f"{probe['top1']['value']:.1%} of stories (chance "
        f"{identification['chance']['top1']:.1%}); {_identified(identification)}."
    )
    count = len([f for f in findings if f["verdict"] != "not measured"])
    said.append(
        f"Of the {len(findings)} numbers on the scoreboard, {count} were measured "
        "here; the rest are listed at the end, each with its reason."
    )
    return said


def _agrees(row: Json) -> str:
    if row["clear_of_null"]:
        return "agrees with"
    return "agrees no better than chance with"


def _stated(row: Json, symbol: str) -> str:
    text = (
        f"{symbol} = {number(row['ours'])}, 95 % interval {number(row['ci_low'])} to "
        f"{number(row['ci_high'])}, {row['n']} {row['unit']}; "
        f"the null reaches {number(row['null_high'])}"
    )
    paper = "" if row["paper"] is None else f"; the paper: {number(row['paper'])}"
    return f"{text}{paper}; verdict: {row['verdict']}"


def _beside_words(row: Json) -> str:
    """Whether the model exceeds the words of its stories, said either way."""
    if row["baseline"] is None:
        return "There is no baseline from the stories' words alone."
    told = compared(row["difference_low"], row["difference_high"])
    said = {
        "better": "This is more than the words alone give",
        "worse": "The words alone do better",
        "no better": "This alone does not show that the model adds anything to its "
        "words",
    }[told]
    value, low, high, more, least, most = (
        number(row[key])
        for key in (
            "baseline",
            "baseline_low",
            "baseline_high",
            "difference",
            "difference_low",
            "difference_high",
        )
    )
    return (
        f"{said}: word counts of the same stories, treated in the same way, without "
        f"any model, give r = {value} ({low} to {high}; difference {more}, {least} to "
        f"{most})."
    )


def _identified(identification: Json) -> str:
    parts = []
    for measure, by in (("top1", "by this count"), ("rank_score", "by mean rank")):
        told = words_beaten(identification, measure)
        if told is None:
            return "their stories share too few words for a baseline"
        best = strongest(identification, measure)
        value = identification["baselines"][best][measure]["value"]
        shown = f"{value:.1%}" if measure == "top1" else number(value, 3)
        parts.append(f"{by} they are {told} than the words alone ({shown})")
    return " and ".join(parts)


def by_reason(findings: Findings) -> list[tuple[str, Findings]]:
    """The findings that were not measured, in order, under their reasons."""
    grouped: dict[str, Findings] = {}
    for finding in findings:
        if finding["verdict"] == "not measured":
            grouped.setdefault(finding["reason"] or "no reason given", []).append(
                finding
            )
    return list(grouped.items())


def recipes(geometry: Json) -> list[tuple[str, bool, Json]]:
    """(name, whether it is that of the results, numbers) of recipes and baseline."""
    rows = [
        (KINDS[kind], kind == geometry["kind"], geometry["by_kind"][kind])
        for kind in KINDS
    ]
    if geometry["text_baseline"]:
        count = geometry["word_components"]
        name = f"{WORDS['words']} (less within-emotion components: {count})"
        rows.append((name, False, geometry["text_baseline"]))
    return rows


def described(model: Json) -> list[tuple[str, str]]:
    """The model's identity as lines of a table, nested values flattened."""
    lines = []
    for key, value in model.items():
        if isinstance(value, dict):
            lines += [(f"{key}: {k}", v) for k, v in described(value)]
        else:
            lines.append((key.replace("_", " "), str(value)))
    return lines


def _rounded(value: float | None) -> str:
    """As many decimals as the size asks for; none for whole numbers."""
    if value is None or not math.isfinite(value):
        return number(value)
    if value == 0 or (abs(value) > 1 and value == round(value)):
        return number(value, 0)
    return number(value, 3 if abs(value) < 0.1 else 2 if abs(value) < 10 else 1)


def _link(path: str) -> str:
    """A relative link, whatever the path holds."""
    return "./" + quote(path.lstrip("/"))
