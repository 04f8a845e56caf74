"""The page of made-up results: whole, escaped, and in need of no other file."""

import re
from html import unescape
from pathlib import Path

import pytest
from made_up import draw, study

from emotion_concepts.figures import save
from emotion_concepts.report import SYMBOLS, by_reason, opening, page

TEMPLATE = Path(__file__).parents[2] / "workflow/report/page.html.j2"
ATTACK = "<script>alert('x')</script>"


@pytest.fixture(scope="module")
def results() -> dict:
    return study()


@pytest.fixture(scope="module")
def folder(results: dict, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("figures")
    for name, figure in draw(results).items():
        save(figure, folder / f"{name}.svg")
    return folder


def made(results: dict, folder: Path, name: str = "a-model", **changed: object) -> str:
    model = {"identity": "0123", "blocks": 6, "source": {"hub": "some/model"}}
    parts = {"model": model} | {k: v for k, v in results.items() if k != "layout"}
    for unused in ("bootstrap", "permuted", "wild"):
        parts.pop(unused)
    return page(template=TEMPLATE, name=name, figures=folder, **(parts | changed))


def test_every_finding_stands_there_with_its_verdict(
    results: dict, folder: Path
) -> None:
    text = made(results, folder)
    for finding in results["findings"]:
        row = re.search(rf'<tr id="{finding["id"]}">.*?</tr>', text, re.DOTALL)
        assert row, finding["id"]
        assert finding["quantity"] in row[0]
        assert f"</span> {finding['verdict']}</span>" in row[0]
        assert SYMBOLS[finding["verdict"]] in row[0]
        if finding["ours"] is not None:
            assert f'href="./{finding["evidence"]}"' in row[0]
            assert finding["null_name"] in row[0]


def test_what_was_not_measured_has_its_reason(results: dict, folder: Path) -> None:
    text = made(results, folder)
    for reason, findings in by_reason(results["findings"]):
        assert findings
        assert reason in unescape(text)


def test_every_figure_is_in_the_page(results: dict, folder: Path) -> None:
    text = made(results, folder)
    for name in draw(results):
        assert f'<figure id="{name}">' in text
    assert text.count('src="data:image/svg+xml;base64,') == len(draw(results))


def test_names_and_texts_are_escaped(results: dict, folder: Path) -> None:
    findings = [f | {"quantity": ATTACK} for f in results["findings"]]
    findings = [f | {"reason": f["reason"] and ATTACK} for f in findings]
    text = made(
        results,
        folder,
        name=ATTACK,
        findings=findings,
        model={ATTACK: ATTACK, "source": {"hub": ATTACK}},
    )
    assert "<script" not in text
    assert text.count("&lt;script&gt;") > len(findings)


def test_evidence_cannot_be_a_link_to_elsewhere(results: dict, folder: Path) -> None:
    findings = [
        f | {"evidence": f["evidence"] and "javascript:alert(1)"}
        for f in results["findings"]
    ]
    text = made(results, folder, findings=findings)
    assert 'href="javascript' not in text


def test_nothing_is_loaded_from_elsewhere(results: dict, folder: Path) -> None:
    text = made(results, folder)
    assert not re.search(r"""(src|href)\s*=\s*["']?\s*(https?:)?//""", text)
    assert not re.search(r"url\(|@import|<link|<script|<iframe", text)


def test_the_opening_follows_the_numbers(results: dict) -> None:
    geometry, findings = results["geometry"], results["findings"]
    said = " ".join(opening("a", findings, geometry, results["identification"]))
    assert "agrees with people's ratings of pleasure" in said
    assert "agrees no better than chance with people's ratings of arousal" in said
    assert "layer 4 (the 5th of 6)" in said
    assert "by mean rank they are better than the words alone (0.550)" in said
    assert "by this count they are no better than the words alone (5.0%)" in said


@pytest.mark.parametrize(
    ("difference", "said"),
    [
        ((0.1, 0.3), "This is more than the words alone give"),
        ((-0.3, 0.3), "This alone does not show that the model adds anything"),
        ((-0.3, -0.1), "The words alone do better"),
        (None, "There is no baseline from the stories' words alone."),
    ],
)
def test_the_opening_says_whether_the_model_exceeds_its_words(
    results: dict, difference: tuple | None, said: str
) -> None:
    low, high = difference or (0, 0)
    changed = {"difference_low": low, "difference_high": high}
    if difference is None:
        changed["baseline"] = None
    findings = [
        f | changed if f["id"] == "geometry.pc1_valence_r" else f
        for f in results["findings"]
        if f["id"] != "geometry.arousal_r"
    ]
    text = " ".join(
        opening("a", findings, results["geometry"], results["identification"])
    )
    assert said in text
    if difference:
        assert "without any model, give r = 0.50 (0.40 to 0.60;" in text


def test_baselines_intervals_and_units_stand_in_the_table(
    results: dict, folder: Path
) -> None:
    text = unescape(made(results, folder))
    rows = dict(re.findall(r'<tr id="([^"]+)">(.*?)</tr>', text, re.DOTALL))
    pleasure, leaks = rows["geometry.pc1_valence_r"], rows["stories.leak_rate"]
    assert "words alone" in pleasure
    assert "0.40 to 0.60" in pleasure
    assert "words alone" not in leaks.replace('data-label="Null, words alone"', "")
    assert "(100 stories)" in leaks
    assert "reaches the null" in leaks
    assert "2 are too short to be read and 79 enter" in text


def test_a_page_without_any_ratings(tmp_path: Path) -> None:
    results = study(emotions=3, layers=2, topics=3, rated=0)
    for name, figure in draw(results).items():
        save(figure, tmp_path / f"{name}.svg")
    text = made(results, tmp_path)
    assert "ratings of enough of these words" in unescape(text)
    assert "nan" not in re.sub(r'src="[^"]*"', "", text)


def test_what_happens_under_pressure_has_a_section(results: dict, folder: Path) -> None:
    text = made(results, folder)
    assert '<a href="#pressure">' in text
    section = text[text.index('<h2 id="pressure">') : text.index('<h2 id="recipes">')]
    for name in ("blackmail", "reward_hacking", "sycophancy", "pressure_probes"):
        assert f'<figure id="{name}">' in section
    assert section.count("desperate <span") == 2 * 4  # two signs, four readings
    for table in re.findall(r"<table[^>]*>", section):
        assert 'class="cards"' in table


def test_a_behaviour_s_words_are_escaped(results: dict, folder: Path) -> None:
    found = results["behaviours"][0]
    grader = {name: row | {"grader": ATTACK} for name, row in found["grader"].items()}
    changed = found | {"grader": grader, "readings": dict.fromkeys(grader, ATTACK)}
    text = made(results, folder, behaviours=[changed, *results["behaviours"][1:]])
    assert "<script" not in text
    assert text.count("&lt;script&gt;") > len(grader)
