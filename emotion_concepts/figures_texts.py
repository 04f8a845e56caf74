"""The figures of the texts: what was written, and whether its emotion can be told."""

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from emotion_concepts.figures import (
    COLOURS,
    DARK,
    SMALL,
    STYLE,
    Json,
    compared,
    new_figure,
    set_head,
    set_title,
)
from emotion_concepts.findings import strongest
from emotion_concepts.statistics import wilson

FAULTS = {
    "names_emotion": "names the emotion",
    "names_synonym": "names a synonym",
    "repeats": "repeats itself",
    "near_duplicate": "near-duplicate",
    "pleasantry": "is courteous",
}
RECIPES = {
    "raw": "vectors, raw",
    "neutral": "less neutral",
    "within": "less within",
}
BASELINES = {"words": "words, treated alike", "bag_of_words": "words, naive Bayes"}
MEASURES = {
    "top1": "emotion first",
    "top5": "among first five",
    "rank_score": "rank score",
}


@rc_context(STYLE)
def identification(result: Json) -> Figure:
    """Can a story's emotion be told, beside its words alone and chance?

    Args:
        result: `identification.json`.

    Returns:
        Top-1, top-5 and rank score on held-out topics, with intervals over topics, for
        every recipe.
    """
    kinds = sorted(RECIPES, key=lambda kind: kind == result["kind"])
    rows = [("chance", "chance", None)]
    rows += [(n, BASELINES[n], result["baselines"][n]) for n in result["baselines"]]
    rows += [(kind, RECIPES[kind], result["probe"][kind]) for kind in kinds]
    figure, panels = new_figure(0.9 + 0.32 * len(rows), 1, 3, sharey=True)
    for axes, (name, title) in zip(panels, MEASURES.items(), strict=True):
        chance = result["chance"][name]
        axes.axvline(chance, ls=":", color=DARK, lw=1)
        for height, (source, _, scores) in enumerate(rows):
            if scores is None:
                axes.plot([chance], [height], "|", color=DARK, ms=9)
                value = chance
            else:
                _bar(axes, height, source, scores[name], source == result["kind"])
                value = scores[name]["value"]
            axes.annotate(
                f"{value:.3f}",
                (value, height),
                (0, 5) if scores else (3, 3),
                textcoords="offset points",
                ha="center" if scores else "left",
                fontsize=SMALL,
            )
        axes.set_yticks(range(len(rows)), [label for _, label, _ in rows])
        axes.set_ylim(-0.4, len(rows) - 0.4)
        axes.margins(x=0.16)
        axes.xaxis.set_major_locator(MaxNLocator(3))
        axes.set_xlabel(
            "share of stories" if name != "rank_score" else "1 = always first"
        )
        set_title(axes, title)
    set_head(figure, f"Held-out topics: {_told(result)}")
    return figure


def _bar(axes: Axes, height: int, source: str, score: Json, chosen: bool) -> None:
    axes.errorbar(
        [score["value"]],
        [height],
        xerr=[
            [max(0, score["value"] - score["low"])],
            [max(0, score["high"] - score["value"])],
        ],
        fmt="s" if source in BASELINES else "o",
        ms=5,
        mfc=None if chosen else "white",
        capsize=3,
        lw=1.6 if chosen else 0.9,
        color=COLOURS[2] if source in BASELINES else COLOURS[0],
    )


def _told(result: Json) -> str:
    topics = f"{result['topics']} topics, 95 % intervals over topics"
    n = f"{result['n']} stories on {topics}"
    by_rank, by_first = (words_beaten(result, m) for m in ("rank_score", "top1"))
    if by_rank is None:
        return f"the stories share too few words for a baseline ({n})"
    return (
        f"beside the words alone, the vectors are {by_rank} by rank score and "
        f"{by_first} by top-1 ({n})"
    )


def words_beaten(result: Json, measure: str) -> str | None:
    """`better`, `worse` or `no better` than the best that the words alone give, by the
    difference story by story; None without such a baseline.
    """
    best = strongest(result, measure)
    if best is None:
        return None
    difference = result["probe_minus"][best][measure]
    return compared(difference["low"], difference["high"])


@rc_context(STYLE)
def texts(stories: Json, neutral: Json, denoising: Json) -> Figure:
    """What was written, how it ended, which faults it has and what was kept.

    Args:
        stories: `stories/counts.json`.
        neutral: `neutral/counts.json`.
        denoising: `denoising.json`; how many of them were read.

    Returns:
        Shares of the written texts with Wilson intervals, and the counts.
    """
    rows = [
        text_rows(stories, denoising["too_short"]),
        text_rows(neutral, denoising["neutral_too_short"]),
    ]
    sizes = [len(r) for r in rows]
    height = 1.3 + 0.21 * sum(sizes)
    figure, panels = new_figure(height, 2, 1, height_ratios=sizes, sharex=True)
    hatches = {"kept": "", "ended": "....", "fault": "////"}
    for axes, counts, kind, entries in zip(
        panels, (stories, neutral), ("stories", "neutral texts"), rows, strict=True
    ):
        total = counts["written"]
        for place, (group, _, count) in enumerate(entries):
            share = count / total if total else 0.0
            axes.barh(
                place,
                share,
                height=0.66,
                color="#cfe0ee" if group != "kept" else COLOURS[5],
                edgecolor=DARK,
                lw=0.5,
                hatch=hatches[group],
            )
            high = share
            if total:
                low, high = wilson(count, total)
                axes.plot([low, high], [place, place], color=DARK, lw=1.3)
            axes.annotate(
                f"{count} ({share:.1%})",
                (high, place),
                (4, 0),
                textcoords="offset points",
                va="center",
                fontsize=SMALL,
            )
        axes.set_yticks(range(len(entries)), [label for _, label, _ in entries])
        axes.invert_yaxis()
        axes.set_xlim(0, 1.19)
        axes.set_xticks(np.arange(0, 1.1, 0.2))
        set_title(axes, f"{counts['kept']} of {total} {kind} kept")
    panels[1].set_xlabel(
        "share of the texts written, with 95 % Wilson interval (texts as independent)"
    )
    return figure


def text_rows(counts: Json, too_short: int) -> list[tuple[str, str, int]]:
    """(group, label, count) of what there is to say of a set of texts, of which so many
    were kept, but are too short to be read.
    """
    return [
        ("kept", "kept", counts["kept"]),
        ("kept", "kept and read", counts["kept"] - too_short),
        *[
            ("ended", {"cut": "cut at the limit"}.get(how, how), count)
            for how, count in sorted(counts["ended"].items())
        ],
        *[
            ("fault", FAULTS.get(fault, fault.replace("_", " ")), count)
            for fault, count in sorted(counts["faults"].items())
        ],
    ]
