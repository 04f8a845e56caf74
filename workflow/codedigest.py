"""Which code does a script use? A digest of just that, so that only its changes re-run
the script.

Starting from a script's own statements, or from functions, names are followed through
the imports to the functions, classes and constants of this repository that they stand
for, and from those onwards. The digest is taken over the syntax trees without
docstrings, so comments, docstrings, formatting and functions that the script never
reaches change nothing. A name counts as used wherever it appears, and all of a module
where the module itself is a value, as in `getattr(module, name)`: too much may be
followed, too little never, as long as first-party code is imported by name.
"""

import ast
import hashlib
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# How far a step is, told to the one who waits, decides no result.
NEVER_DECIDES = {"emotion_concepts.progress"}
BARE, ALL = "", "*"

Definition = tuple[
    str, str
]  # (module, name); BARE stands for a module's bare statements, ALL for all of it


def code_digest(*entries: str, but: str = "") -> str:
    """16 hexadecimal digits that change when, and only when, code that the entries use
    changes.

    Args:
        entries: each a script's path from the root of the repository, or a definition
            in a file, as in `emotion_concepts/chat.py:render`.
        but: the path of a file whose code does not count.
    """
    parts = [
        f"{module}.{name}: {ast.dump(node)}"
        for module, name, node in _reached(entries, but)
    ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def definitions(*entries: str) -> set[Definition]:
    """The (module, name) pairs of all first-party code that the entries may use."""
    return {(module, name) for module, name, _ in _reached(entries, "")}


def _reached(entries: tuple[str, ...], but: str) -> list[tuple[str, str, ast.AST]]:
    left_out = NEVER_DECIDES | {_module_name(but)}
    todo = [_definition(entry) for entry in entries]
    seen: set[Definition] = set()
    nodes = []
    while todo:
        module, name = definition = todo.pop()
        if definition in seen or module in left_out:
            continue
        seen.add(definition)
        parsed = _parsed(module)
        for node in parsed.nodes.get(name, []):
            nodes.append((module, name, node))
            todo += parsed.uses(node)
        if name == ALL:
            todo += [(module, each) for each in parsed.nodes]
        elif name not in parsed.nodes and name in parsed.imported:  # handed on
            todo.append(parsed.imported[name])
        todo.append((module, BARE))
    return sorted(nodes, key=lambda item: (item[0], item[1], ast.dump(item[2])))


def _definition(entry: str) -> Definition:
    script, _, name = entry.partition(":")
    module = _module_name(script)
    if name and name not in _parsed(module).nodes:
        raise LookupError(f"{script} defines no {name}")
    return module, name or ALL


class _Module:
    """The top-level definitions of a module, and what its imported names stand for."""

    def __init__(self, name: str, tree: ast.Module) -> None:
        self.name = name
        self.nodes: dict[str, list[ast.AST]] = {BARE: []}
        self.imported: dict[str, Definition] = {}
        body = _without_docstrings(tree).body
        for node in body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                self.imported.update(_first_party(node, self.name))
            else:
                for bound in _bound_names(node) or [BARE]:
                    self.nodes.setdefault(bound, []).append(node)
        # A decorator of ours may enter what it decorates into a table.
        self.nodes[BARE] += [
            node
            for node in body
            if any(self.uses(part) for part in getattr(node, "decorator_list", []))
        ]

    def uses(self, node: ast.AST) -> list[Definition]:
        """First-party definitions that a node mentions."""
        if isinstance(node, ast.Import):
            return [(a.name, ALL) for a in node.names if _file(a.name)]
        if isinstance(node, ast.ImportFrom):
            return [(m, name or ALL) for _, (m, name) in _first_party(node, self.name)]
        if isinstance(node, ast.Attribute | ast.Name) and (found := self._owner(node)):
            module, name = found
            return [(module, name or ALL)]
        return [d for part in ast.iter_child_nodes(node) for d in self.uses(part)]

    def _owner(self, node: ast.AST) -> Definition | None:
        """What `name` or `module.part.name` stands for, BARE for a module itself."""
        if isinstance(node, ast.Name):
            own = (self.name, node.id) if node.id in self.nodes else None
            return own or self.imported.get(node.id)
        owner = self._owner(node.value) if isinstance(node, ast.Attribute) else None
        if owner is None or owner[1] != BARE:
            return None
        inner = f"{owner[0]}.{node.attr}"
        return (inner, BARE) if _file(inner) else (owner[0], node.attr)


def _first_party(
    node: ast.Import | ast.ImportFrom, importer: str
) -> list[tuple[str, Definition]]:
    """(bound name, what it stands for) of the repository's own modules in an import."""
    if isinstance(node, ast.Import):
        # Without another name for it, `import a.b` binds `a`.
        return [
            (a.asname, (a.name, BARE)) if a.asname else (top, (top, BARE))
            for a in node.names
            if _file(a.name)
            for top in [a.name.partition(".")[0]]
        ]
    base = node.module or ""
    if node.level:
        file = _file(importer)
        up = node.level - (file is not None and file.name == "__init__.py")
        package = importer.split(".")[: -up or None]
        base = ".".join([*package, base] if base else package)
    found = []
    for alias in node.names:
        bound = alias.asname or alias.name
        if _file(f"{base}.{alias.name}"):
            found.append((bound, (f"{base}.{alias.name}", BARE)))
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
