"""Which code does a script use? A digest of just that, so that only its changes re-run
the script.

Starting from a script's own statements, names are followed through the imports to the
functions, classes and constants of this repository that they stand for, and from those
onwards. The digest is taken over the syntax trees without docstrings, so comments,
docstrings, formatting and functions that the script never reaches change nothing. A
name counts as used wherever it appears: too much may be followed, too little never, as
long as first-party code is imported by name.
"""

import ast
import hashlib
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

Definition = tuple[
    str, str
]  # (module, name); the name "" stands for a module's bare statements


def code_digest(script: str) -> str:
    """16 hexadecimal digits that change when, and only when, code that the script uses
    changes.

    Args:
        script: path from the root of the repository.
    """
    parts = [
        f"{module}.{name}: {ast.dump(node)}"
        for module, name, node in _reached(_module_name(script))
    ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def definitions(script: str) -> set[Definition]:
    """The (module, name) pairs of all first-party code that the script may use."""
    return {(module, name) for module, name, _ in _reached(_module_name(script))}


def _reached(entry: str) -> list[tuple[str, str, ast.AST]]:
    todo: list[Definition] = [(entry, name) for name in _parsed(entry).names()]
    seen: set[Definition] = set()
    nodes = []
    while todo:
        module, name = definition = todo.pop()
        if definition in seen:
            continue
        seen.add(definition)
        parsed = _parsed(module)
        for node in parsed.nodes.get(name, []):
            nodes.append((module, name, node))
            todo += parsed.uses(node)
        todo.append((module, ""))
    return sorted(nodes, key=lambda item: (item[0], item[1], ast.dump(item[2])))


class _Module:
    """The top-level definitions of a module, and what its imported names stand for."""

    def __init__(self, name: str, tree: ast.Module) -> None:
        self.name = name
        self.nodes: dict[str, list[ast.AST]] = {"": []}
        self.imported: dict[str, Definition] = {}
        for node in _without_docstrings(tree).body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                self._add_import(node)
            else:
                for name in _bound_names(node) or [""]:
                    self.nodes.setdefault(name, []).append(node)

    def names(self) -> list[str]:
        return list(self.nodes)

    def uses(self, node: ast.AST) -> list[Definition]:
        """First-party definitions that a node mentions."""
        found: list[Definition] = []
        for part in ast.walk(node):
            if isinstance(part, ast.Import | ast.ImportFrom):
                found += [d for _, d in _first_party(part, self.name)]
            elif isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name):
                module, name = self.imported.get(part.value.id, ("", ""))
                if module and not name:
                    found.append((module, part.attr))
            elif isinstance(part, ast.Name):
                if part.id in self.nodes:
                    found.append((self.name, part.id))
                elif part.id in self.imported and self.imported[part.id][1]:
                    found.append(self.imported[part.id])
        return found

    def _add_import(self, node: ast.Import | ast.ImportFrom) -> None:
        self.imported.update(_first_party(node, self.name))


def _first_party(
    node: ast.Import | ast.ImportFrom, importer: str
) -> list[tuple[str, Definition]]:
    """(bound name, what it stands for) of the repository's own modules in an import."""
    if isinstance(node, ast.Import):
        return [(a.asname or a.name, (a.name, "")) for a in node.names if _file(a.name)]
    base = node.module or ""
    if node.level:
        package = importer.split(".")[: -node.level]
        base = ".".join([*package, base] if base else package)
    found = []
    for alias in node.names:
        bound = alias.asname or alias.name
        if _file(f"{base}.{alias.name}"):
            found.append((bound, (f"{base}.{alias.name}", "")))
        elif _file(base):
            found.append((bound, (base, alias.name)))
    return found


def _bound_names(node: ast.AST) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else []
    if isinstance(node, ast.AnnAssign | ast.AugAssign):
        targets = [node.target]
    return [
        part.id
        for target in targets
        for part in ast.walk(target)
        if isinstance(part, ast.Name)
    ]


def _without_docstrings(tree: ast.Module) -> ast.Module:
    owners = (ast.Module, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    for node in ast.walk(tree):
        if isinstance(node, owners) and ast.get_docstring(node, clean=False):
            node.body = node.body[1:] or [ast.Pass()]
    return tree


def _module_name(script: str) -> str:
    return script.removesuffix(".py").replace("/", ".")


def _file(module: str) -> Path | None:
    path = ROOT.joinpath(*module.split("."))
    for candidate in (path.with_suffix(".py"), path / "__init__.py"):
        if candidate.is_file():
            return candidate
    return None


@cache
def _parsed(module: str) -> _Module:
    path = _file(module)
    if path is None:
        raise FileNotFoundError(f"{module.replace('.', '/')}.py is not in {ROOT}")
    return _Module(module, ast.parse(path.read_text(encoding="utf-8")))
