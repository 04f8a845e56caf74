"""The digest follows what a script uses: never too little."""

import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from study import make_project, snakemake

from workflow import codedigest

ROOT = Path(__file__).resolve().parents[2]

FILES = {
    "scripts/run.py": """
'''Run.'''
from pkg.a import used
from pkg import b, handed_on
from pkg import e
import pkg.f
import json

def main():
    '''Main.'''
    used()
    b.through_module()
    handed_on()
    getattr(e, "by" + "_name")()
    pkg.f.dotted()
    json.dumps(1)
""",
    "pkg/__init__.py": "from .g import inner as handed_on\n",
    "pkg/e.py": "def by_name(): return 1\n",
    "pkg/f.py": """
from pkg.h import register, TABLE
def dotted(): return TABLE["x"]()
def beside(): return 2
@register
def entered(): return 3
""",
    "pkg/g.py": "def inner(): return 1\ndef outer(): return 2\n",
    "pkg/h.py": """
TABLE = {}
def register(function):
    TABLE["x"] = function
    return function
""",
    "pkg/a.py": """
from pkg.c import LIMIT, Thing as Renamed
SIDE_EFFECTS = []
SIDE_EFFECTS.append(helper_of_import())
def helper_of_import(): return 1
def used():
    '''Doc.'''
    x = LIMIT  # a comment
    return Renamed().method(x)
def unused(): return LIMIT + 1
""",
    "pkg/b.py": """
from .c import deep
def through_module(): return deep()
def other(): return 2
""",
    "pkg/c.py": """
import pkg.d
LIMIT = 3
OTHER = 4
class Thing:
    def method(self, x): return late()
def late():
    from pkg.d import inner
    return inner()
def deep(): return 5
""",
    "pkg/d.py": "def inner(): return 1\ndef outer(): return 2\n",
}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    monkeypatch.setattr(codedigest, "ROOT", tmp_path)
    codedigest._parsed.cache_clear()
    yield tmp_path
    codedigest._parsed.cache_clear()


def digest_after(project: Path, name: str, old: str, new: str) -> tuple[str, str]:
    before = codedigest.code_digest("scripts/run.py")
    path = project / name
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    codedigest._parsed.cache_clear()
    return before, codedigest.code_digest("scripts/run.py")


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("scripts/run.py", "used()\n", "used() or 1\n"),
        ("pkg/a.py", "x = LIMIT", "x = LIMIT + 1"),
        ("pkg/a.py", "helper_of_import(): return 1", "helper_of_import(): return 2"),
        ("pkg/b.py", "return deep()", "return deep() + 1"),
        ("pkg/c.py", "LIMIT = 3", "LIMIT = 4"),
        ("pkg/c.py", "return late()", "return late() + 1"),
        ("pkg/c.py", "return 5", "return 6"),
        ("pkg/d.py", "inner(): return 1", "inner(): return 3"),
        ("pkg/e.py", "return 1", "return 2"),
        ("pkg/f.py", "return TABLE", "return 1 or TABLE"),
        ("pkg/f.py", "return 3", "return 4"),
        ("pkg/g.py", "inner(): return 1", "inner(): return 3"),
        ("pkg/h.py", "return function", "return None"),
    ],
)
def test_a_change_in_used_code_changes_the_digest(
    project: Path, name: str, old: str, new: str
) -> None:
    before, after = digest_after(project, name, old, new)
    assert before != after


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("scripts/run.py", "'''Main.'''", "'''Another.'''"),
        ("scripts/run.py", "'''Run.'''", "'''Another.'''\n# and a comment"),
        ("pkg/a.py", "'''Doc.'''", "'''Other words.'''"),
        ("pkg/a.py", "# a comment", "# another"),
        ("pkg/a.py", "return LIMIT + 1", "return LIMIT + 2"),
        ("pkg/b.py", "return 2", "return 3"),
        ("pkg/c.py", "OTHER = 4", "OTHER = 5"),
        ("pkg/d.py", "outer(): return 2", "outer(): return 3"),
        ("pkg/f.py", "beside(): return 2", "beside(): return 3"),
        ("pkg/g.py", "outer(): return 2", "outer(): return 3"),
    ],
)
def test_a_change_elsewhere_does_not(
    project: Path, name: str, old: str, new: str
) -> None:
    before, after = digest_after(project, name, old, new)
    assert before == after


def test_a_script_that_is_not_there_is_named(project: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"scripts/none\.py"):
        codedigest.code_digest("scripts/none.py")


def test_a_definition_may_be_the_entry_and_a_file_left_out(project: Path) -> None:
    assert codedigest.definitions("pkg/b.py:through_module") == {
        ("pkg.b", "through_module"),
        ("pkg.c", "deep"),
    }
    whole = codedigest.code_digest("pkg/b.py:through_module")
    part = codedigest.code_digest("pkg/b.py:through_module", but="pkg/c.py")
    (project / "pkg/c.py").write_text("def deep(): return 6\n")
    codedigest._parsed.cache_clear()
    assert codedigest.code_digest("pkg/b.py:through_module") != whole
    assert codedigest.code_digest("pkg/b.py:through_module", but="pkg/c.py") == part


def test_an_entry_that_is_not_there_is_named(project: Path) -> None:
    with pytest.raises(LookupError, match=r"pkg/b\.py defines no renamed"):
        codedigest.code_digest("pkg/b.py:renamed")


TRACE = """
import runpy, sys, threading
seen = set()
def note(frame, event, arg):
    if event == "call":
        seen.add((frame.f_code.co_filename, frame.f_code.co_qualname))
sys.setprofile(note)
threading.setprofile(note)
sys.path[:0] = [{root!r}, {tests!r}]
sys.argv = [{script!r}, *{args!r}]
try:
    runpy.run_path({script!r}, run_name="__main__")
finally:
    sys.setprofile(None)
    for file, name in sorted(seen):
        if file.startswith({package!r}):
            print("CALLED", file, name.split(".")[0])
"""


def called(script: str, args: list[str], cwd: Path) -> set[tuple[str, str]]:
    """The top-level functions and classes of the package that a run really enters."""
    source = TRACE.format(
        root=str(ROOT),
        tests=str(ROOT / "tests"),
        script=str(ROOT / script),
        args=args,
        package=str(ROOT / "emotion_concepts"),
    )
    done = subprocess.run(
        [sys.executable, "-c", source], cwd=cwd, text=True, capture_output=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    entered = set()
    for line in done.stdout.splitlines():
        if line.startswith("CALLED"):
            _, file, name = line.split(" ", 2)
            if not name.startswith("<"):
                entered.add((f"emotion_concepts.{Path(file).stem}", name))
    return entered


def test_everything_that_a_model_step_enters_is_in_its_digest(tmp_path: Path) -> None:
    project = make_project(tmp_path / "p", ["llama"])
    snakemake(project, "results/llama/model.json")
    output = snakemake(
        project,
        "--dry-run",
        "--printshellcmds",
        "results/llama/activations/stories/0.safetensors",
    )
    commands = [
        line.removeprefix("Shell command: ").split(" 2>&1")[0]
        for line in output.splitlines()
        if line.startswith("Shell command: ")
    ]
    assert len(commands) == 2
    for command in sorted(commands, key=lambda text: "capture" in text):
        _, script, *args = shlex.split(command)
        entered = called(script, args, project)
        assert entered
        entered = {d for d in entered if d[0] not in codedigest.NEVER_DECIDES}
        assert entered <= codedigest.definitions(script), entered
