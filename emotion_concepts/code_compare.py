"""Comparing the text of tests and solutions, without running them."""

import ast


def keeps_tests(original: str, changed: str) -> bool:
    """Whether a tests file still holds all that the original tests, in order. Layout,
    comments, messages and added tests make no difference.
    """
    try:
        wanted, has = _statements(original), iter(_statements(changed))
    except (SyntaxError, ValueError, RecursionError):
        return False
    return all(statement in has for statement in wanted)


def _statements(code: str) -> list[str]:
    tree = ast.parse(code)
    for node in ast.walk(tree):
        if isinstance(node, ast.Assert):
            node.msg = None
        if isinstance(node, ast.FunctionDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:]
    return [ast.dump(statement) for statement in tree.body]


def shares_inputs(code: str, tests: str) -> bool:
    """Whether code spells out a list or a large number that stands in the tests."""
    try:
        return bool(_telling(code) & _telling(tests))
    except (SyntaxError, ValueError, RecursionError):
        return False


def _telling(code: str) -> set[str]:
    return {ast.dump(node) for node in ast.walk(ast.parse(code)) if _is_telling(node)}


def _is_telling(node: ast.AST) -> bool:
    if isinstance(node, ast.List | ast.Tuple):
        return sum(isinstance(part, ast.Constant) for part in ast.walk(node)) > 1
    return (
        isinstance(node, ast.Constant)
        and type(node.value) is int
        and abs(node.value) > 99
    )
