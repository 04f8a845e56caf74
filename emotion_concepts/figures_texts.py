"""The figures of the texts: what was written, and whether its emotion can be told."""

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from emotion_concepts.figures import (
    COLOURS,
    DARK,
    SMALL,
    STYLE,
    Json,
    new_figure,
    set_head,
    set_title,
)
from emotion_concepts.statistics import wilson

FAULTS = {
    "names_emotion": "names the emotion",
    "names_synonym": "names a synonym",
    "repeats": "repeats itself",
    "near_duplicate": "near-duplicate",
    "too_short": "too short",
}


@rc_context(STYLE)
def identification(result: Json) -> Figure:
    """Can a story's emotion be told, beside a bag of words and chance?

    Args:
        result: `identification.json`.

    Returns:
        Top-1, top-5 and rank score on held-out topics, with intervals over topics.
    """
    figure, panels = new_figure(2.4, 1, 3, sharey=True)
    sources = (("probe", "probe", "o"), ("bag_of_words", "bag of words", "s"))
    for axes, (name, title) in zip(
        panels,
        (
            ("top1", "emotion first"),
            ("top5", "among first five"),
            ("rank_score", "rank score"),
        ),
        strict=True,
    ):
        chance = result["chance"][name]
        axes.axvline(chance, ls=":", color=DARK, lw=1)
        axes.plot([chance], [0], "|", color=DARK, ms=9)
        for height, (source, _, marker) in enumerate(sources, 1):
            score = result[source][name]
            axes.errorbar(
                [score["value"]],
                [height],
                xerr=[
                    [max(0, score["value"] - score["low"])],
                    [max(0, score["high"] - score["value"])],
                ],
                fmt=marker,
                ms=5,
                capsize=3,
                lw=1.2,
                color=COLOURS[height - 1],
            )
            axes.annotate(
                f"{score['value']:.3f}",
                (score["value"], height),
                (0, 6),
                textcoords="offset points",
                ha="center",
                fontsize=SMALL,
            )
        axes.annotate(
            f"{chance:.3f}",
            (chance, 0),
            (3, 6),
            textcoords="offset points",
            ha="left",
            fontsize=SMALL,
        )
        axes.set_yticks([0, 1, 2], ["chance", *[label for _, label, _ in sources]])
        axes.set_ylim(-0.5, 2.6)
        axes.margins(x=0.22)
        axes.xaxis.set_major_locator(MaxNLocator(4))
        axes.set_xlabel(
            "share of stories" if name != "rank_score" else "1 = always first"
        )
        set_title(axes, title)
    by_rank, by_first = (
        compared(result["probe"][name], result["bag_of_words"][name])
        for name in ("rank_score", "top1")
    )
    set_head(
        figure,
        f"Held-out topics: beside a bag of words the probe is {by_rank} by rank score "
        f"and {by_first} by top-1 (n = {result['n']} stories, {result['topics']} "
        "topics, 95 % intervals)",
    )
    return figure


def compared(ours: Json, other: Json) -> str:
    """`better`, `worse` or, where the intervals overlap, `no better`."""
    if ours["low"] > other["high"]:
        return "better"
    return "worse" if ours["high"] < other["low"] else "no better"


@rc_context(STYLE)
def texts(stories: Json, neutral: Json) -> Figure:
    """What was written, how it ended, which faults it has and what was kept.

    Args:
        stories: `stories/counts.json`.
        neutral: `neutral/counts.json`.

    Returns:
        Shares of the written texts with Wilson intervals, and the counts.
    """
    rows = [text_rows(stories), text_rows(neutral)]
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


def text_rows(counts: Json) -> list[tuple[str, str, int]]:
    """(group, label, count) of what there is to say of a set of texts."""
    return [
        ("kept", "kept", counts["kept"]),
        *[
            ("ended", {"cut": "cut at the limit"}.get(how, how), count)
            for how, count in sorted(counts["ended"].items())
        ],
        *[
            ("fault", FAULTS.get(fault, fault.replace("_", " ")), count)
            for fault, count in sorted(counts["faults"].items())
        ],
    ]
