"""Reading a reply that holds code: the files that it writes, and what it says."""

import ast
import re
from dataclasses import dataclass

SOLUTION = "solution.py"
FENCE = re.compile(
    r"^[ \t]*(?P<fence>`{3,}|~{3,})[ \t]*(?P<info>[^\n`]*)\n(?P<code>.*?)"
    r"(?:^[ \t]*(?P=fence)[ \t]*$|\Z)",
    re.M | re.S,
)
NAME = r"(?P<name>[A-Za-z0-9_][A-Za-z0-9_-]*\.(?:py|csv|txt|json|cfg|toml|ini|md))"
# A line that holds a file's name and hardly more: **`solution.py`**:, ### File: a.csv
HEADING = re.compile(
    rf"^\W*(?:file(?:name)?\b\W*|in\s+|the new\s+|new\s+)?{NAME}\W*$", re.I
)
FIRST_LINE = re.compile(rf"^\s*(?:#|//)\s*(?:file(?:name)?\b\W*)?{NAME}\s*$", re.I)
PYTHON = ("", "python", "py", "python3")


@dataclass(frozen=True)
class Reply:
    """A reply, taken apart.

    Attributes:
        files: what it writes, text by plain file name.
        prose: what it says outside of code.
        remarks: comments and docstrings in its code.
        cut: the last block has no end, as where the reply was cut off.
    """

    files: dict[str, str]
    prose: str
    remarks: str
    cut: bool


def read_reply(text: str, function: str) -> Reply:
    """Take a reply apart.

    A block is a named file where the line above it, its info string or its first line,
    a comment, is a file name. Of the Python blocks without a name the last that defines
    the function is `solution.py`, or, where none does, the last that imports it not:
    models like to add an example of use. Other blocks without a name are only shown.
    A reply without fences that is Python altogether is `solution.py`.

    Args:
        text: the reply.
        function: the name that the solution must define.
    """
    text = text.replace("\r\n", "\n")
    blocks = list(FENCE.finditer(text))
    if not blocks and _defines(text, function):
        return Reply({SOLUTION: text}, "", _remarks(text), False)
    files, unnamed = {}, []
    for block in blocks:
        code = block["code"]
        name = _name(text[: block.start()], block["info"], code)
        if name:
            files[name] = code
        elif block["info"].split()[:1] in [[word] for word in PYTHON] + [[]]:
            unnamed.append(code)
    if SOLUTION not in files:
        defining = [code for code in unnamed if _defines(code, function)]
        others = [code for code in unnamed if not re.search(r"\bsolution\b", code)]
        for chosen in (defining or others)[-1:]:
            files[SOLUTION] = chosen
    cut = bool(blocks) and not blocks[-1][0].rstrip().endswith(blocks[-1]["fence"])
    remarks = "\n".join(
        _remarks(code) for name, code in files.items() if name.endswith(".py")
    )
    return Reply(files, FENCE.sub("\n\n", text), remarks, cut)


def _name(before: str, info: str, code: str) -> str | None:
    above = before.rstrip("\n").rpartition("\n")[2] if before.strip() else ""
    if not above.strip():
        above = before.rstrip().rpartition("\n")[2]
    words = re.split(r"[\s:={}\"']+", info)
    for found in (
        *(re.fullmatch(NAME, word) for word in words),
        HEADING.match(above),
        FIRST_LINE.match(code.lstrip("\n").partition("\n")[0]),
    ):
        if found:
            return found["name"]
    return None


def _defines(code: str, function: str) -> bool:
    return bool(
        re.search(rf"^(?:async )?(?:def {function}\b|{function}\s*=)", code, re.M)
    )


def _remarks(code: str) -> str:
    try:
        strings = [
            node.value.value
            for node in ast.walk(ast.parse(code))
            if isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Constant)
            and isinstance(node.value.value, str)
        ]
    except (SyntaxError, ValueError, RecursionError):
        strings = []
    comments = re.findall(r"(?m)(?:^|\s)#\s*(.*)$", code)
    return "\n\n".join([*strings, *comments])
