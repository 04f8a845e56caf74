"""The figures of what the vectors stand for: messages, numbers, words and continuations
under steering (paper, Figures 2, 3 and 52 to 53).
"""

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from emotion_concepts.figures import (
    COLOURS,
    DARK,
    PALE,
    STYLE,
    Findings,
    Json,
    measured_row,
    new_figure,
    number,
    say,
    set_head,
    set_title,
    with_interval,
)
from emotion_concepts.findings_validation import REPORTED

FEW = "too few of the focus emotions are studied"
MARKERS = "os^vDPX*<>"


@rc_context(STYLE)
def scenarios(found: Json, findings: Findings) -> Figure:
    """What each focus probe says of each message that evokes an emotion.

    Args:
        found: `validation.json`.
        findings: `findings.json`.
    """
    messages = found.get("scenarios", {}).get(REPORTED)
    if not messages:
        return _nothing(FEW)
    focus = found["focus"]
    rows = 0.15 * len(messages["messages"]) + 1.2
    figure, (left, right) = new_figure(rows + 2.0, 2, 1, height_ratios=[rows, 2.0])
    values = np.array(messages["assistant_start"]["cosines"])
    bound = float(np.abs(values).max())
    drawn = left.imshow(values, cmap="RdBu_r", vmin=-bound, vmax=bound, aspect="auto")
    for row, message in enumerate(messages["messages"]):
        own = focus.index(message["emotion"])
        left.plot(own, row, "s", mfc="none", mec=DARK, ms=6, mew=0.8)
        left.plot(values[row].argmax(), row, ".", color=DARK, ms=3)
    left.set_xticks(range(len(focus)), focus, rotation=90)
    left.set_yticks(
        range(len(values)),
        [m["id"].replace("_", " ") for m in messages["messages"]],
    )
    figure.colorbar(drawn, ax=left, label="centred cosine", shrink=0.6)
    set_title(
        left,
        "Rows: messages, columns: probes.\nSquare: the evoked emotion; dot: the "
        "highest probe",
    )
    _margins(right, messages, findings)
    return figure


def _margins(axes: Axes, messages: Json, findings: Findings) -> None:
    """The two counts, for the probes and for the words alone, with null."""
    names = {
        "probe_own_scenario": "probes whose own message\nis their highest",
        "scenario_own_probe": "messages whose own probe\nis the highest",
    }
    for place, name in enumerate(names):
        for shift, (kind, marker, colour) in enumerate(
            (
                ("assistant_start", "o", COLOURS[0]),
                ("user_end", "^", COLOURS[1]),
                ("words", "s", PALE),
            )
        ):
            value = messages[kind][name]
            y = place + 0.2 * (shift - 1)
            axes.plot([value["low"], value["high"]], [y, y], color=colour, lw=1.2)
            axes.plot(value["value"], y, marker, color=colour, ms=4)
        null = messages["assistant_start"][name]
        axes.fill_betweenx(
            [place - 0.4, place + 0.4],
            null["null_low"],
            null["null_high"],
            color=PALE,
            alpha=0.3,
            lw=0,
        )
    for marker, colour, label in (
        ("o", COLOURS[0], "assistant's start"),
        ("^", COLOURS[1], "user's end"),
        ("s", PALE, "words of the stories"),
    ):
        axes.plot([], [], marker, color=colour, ms=4, label=label)
    axes.set_yticks(range(len(names)), names.values())
    axes.set(xlim=(0, 12), ylim=(len(names) - 0.5, -0.5), xlabel="of 12")
    axes.legend(loc="center right")
    row = measured_row(findings, "implicit.diagonal_margin")
    set_title(
        axes,
        f"Own less other probes: {with_interval(row)}, null to "
        f"{number(row['null_high'])}"
        if row
        else "Own less other probes: not measured",
    )


@rc_context(STYLE)
def intensities(found: Json, findings: Findings) -> Figure:
    """How the probes move with a number that decides how serious a message is.

    Args:
        found: `validation.json`.
        findings: `findings.json`.
    """
    templates = found.get("intensities", {}).get("templates")
    if not templates:
        return _nothing(FEW)
    rows = -(-len(templates) // 3)
    figure, axes = new_figure(1.75 * rows + 0.7, rows, 3, squeeze=False)
    for place, template in enumerate(templates):
        _template(axes.flat[place], template, found["focus"])
    for empty in axes.flat[len(templates) :]:
        empty.set_axis_off()
    row = measured_row(findings, "intensity.predicted_signs")
    head = "not measured"
    if row:
        head = (
            f"{with_interval(row)} of {row['n']} predicted slopes have the predicted "
            f"sign; with the same numbers of something harmless {number(row['null'])}"
        )
    set_head(figure, head + ". Solid: message; dotted: control; bold: as predicted")
    return figure


def _template(axes: Axes, template: Json, focus: list[str]) -> None:
    shown = [e for e in template["predictions"] if e in focus]
    steps = range(len(template["values"]))
    for emotion in shown:
        place = focus.index(emotion)
        colour = COLOURS[place % len(COLOURS)]
        told = template["text"][emotion]
        arrow = {"up": "↑", "down": "↓"}[template["predictions"][emotion]]
        axes.plot(
            steps,
            told["curve"],
            marker=MARKERS[place % len(MARKERS)],
            ms=3,
            lw=1.8 if told["right"] else 0.7,
            color=colour,
            label=f"{emotion} {arrow}",
        )
        axes.plot(
            steps, template["control"][emotion]["curve"], ":", color=colour, lw=0.8
        )
    axes.set_xticks(steps, [f"{v:g}" for v in template["values"]], rotation=45)
    axes.set_xlabel(template["unit"])
    low, high = axes.get_ylim()
    axes.set_ylim(low, high + 0.3 * (high - low) * -(-len(shown) // 2))
    if shown:
        axes.legend(
            loc="upper left",
            ncols=2,
            handlelength=1.2,
            labelspacing=0.1,
            columnspacing=0.6,
            borderaxespad=0,
        )
    set_title(axes, template["id"].replace("_", " "))


@rc_context(STYLE)
def feeling_words(found: Json, findings: Findings) -> Figure:
    """What steering towards each emotion does to the probability of every emotion's
    word.

    Args:
        found: `validation.json`.
        findings: `findings.json`.
    """
    words = found.get("words")
    if not words:
        return _nothing(FEW)
    figure, axes = new_figure(3.9, 1, 2)
    for axes_of, sign in zip(axes, ("+", "-"), strict=True):
        steered = words["steered"][f"{sign}{words['strength']:g}"]
        change = np.array(steered["change"])
        bound = float(np.abs(change).max())
        drawn = axes_of.imshow(change, cmap="RdBu_r", vmin=-bound, vmax=bound)
        axes_of.set_xticks(range(len(words["words"])), words["words"], rotation=90)
        axes_of.set_yticks(range(len(change)), steered["directions"])
        figure.colorbar(drawn, ax=axes_of, shrink=0.55, orientation="horizontal")
        mass = np.mean(steered["usual_mass"])
        set_title(
            axes_of,
            f"Steered by {sign.replace('-', '−')}{number(words['strength'])}: change "
            f"of log-probability; usual words keep {mass:.0%} (unsteered "
            f"{words['usual_mass']:.0%})",
        )
    own = measured_row(findings, "steering.matching_logprob")
    other = measured_row(findings, "steering.other_logprob")
    if own and other:
        set_head(
            figure,
            f"Own word {with_interval(own)}, others' words {with_interval(other)}, any "
            f"word under random directions {number(own['null'])} "
            f"[{number(own['null_low'])}, {number(own['null_high'])}]",
        )
    return figure


@rc_context(STYLE)
def continuations(found: Json, findings: Findings) -> Figure:
    """How often steered texts name the emotion, and how whole they are, by strength.

    Args:
        found: `validation.json`.
        findings: `findings.json`.
    """
    doses = found.get("continuations", {}).get("doses")
    if not doses:
        return _nothing(FEW)
    figure, axes = new_figure(4.6, 2, 2)
    titles = {
        "names": "Name the steered emotion",
        "repeats": "Repeat themselves",
        "finished": "Come to an end",
        "perplexity": "Perplexity, unsteered model (median)",
    }
    for axes_of, (name, title) in zip(axes.flat, titles.items(), strict=True):
        for kind, marker, colour, label in (
            ("emotions", "o", COLOURS[0], "emotions"),
            ("random", "x", PALE, "random directions; at 0 unsteered"),
        ):
            some = [d for d in doses if d[kind] and d[kind][name] is not None]
            xs = [d["strength"] for d in some]
            axes_of.plot(
                xs, [d[kind][name] for d in some], marker, color=colour, label=label
            )
            if name != "perplexity":
                for d in some:
                    axes_of.plot(
                        [d["strength"]] * 2,
                        [d[kind][f"{name}_low"], d[kind][f"{name}_high"]],
                        color=colour,
                        lw=1,
                    )
        axes_of.set_xlabel("strength")
        set_title(axes_of, title)
    axes[0, 0].legend()
    return figure


def _nothing(why: str) -> Figure:
    figure, axes = new_figure(1.2)
    say(axes, why)
    return figure
