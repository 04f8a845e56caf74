"""Strict reading of YAML and of ratings: what other readers let pass is an error."""

import csv
import io
import math
from pathlib import Path
from typing import Any

import yaml

from workflow.errors import ConfigError, listed, nearest

COLUMNS = ("pleasure", "arousal")
HINTS = {
    "'\\t'": "a tab stands where YAML takes only spaces",
    "mapping values are not allowed": "a colon too many, or a line that is not "
    "indented as those above it; a text that holds a colon goes in quotes",
}


def read_yaml(path: str, named_by: str) -> Any:
    """Read a YAML file strictly: UTF-8, one document, no key twice.

    Args:
        path: the file.
        named_by: what names the file, for the error when there is none.

    Returns:
        What the file holds.

    Raises:
        ConfigError: with the file and, where there is one, the line.
    """
    text = _read_text(path, named_by)
    try:
        return yaml.load(text, _StrictLoader)  # a SafeLoader: no objects are built
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = str(error.problem or error.context)
        hint = next((h for sign, h in HINTS.items() if sign in problem), problem)
        raise ConfigError(f"{path}: line {mark.line + 1}: {hint}") from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        problem = "holds a character that cannot be printed"
        raise ConfigError(f"{path}: line {line}: {problem}") from error
    except (ValueError, RecursionError) as error:  # such as the 31st of February
        raise ConfigError(f"{path}: {error}") from error


def read_ratings(path: str, named_by: str) -> dict[str, dict[str, float]]:
    """Read a CSV file of human ratings strictly: every value there, no term twice.

    Args:
        path: the file.
        named_by: what names the file, for the error when there is none.

    Returns:
        By term in lower case, its `pleasure` and `arousal`.

    Raises:
        ConfigError: with the file and, where there is one, the line.
    """
    text = _read_text(path, named_by)
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    ratings: dict[str, dict[str, float]] = {}
    try:
        header = reader.fieldnames or []
        for column in ("term", *COLUMNS):
            if header.count(column) != 1:
                problem = f"the column {column} must stand here once; there are "
                raise ConfigError(
                    f"{path}: line 1: {problem}{listed(header) or 'none'}"
                )
        for row in reader:
            here = f"{path}: line {reader.line_num}"
            if None in row or None in row.values():
                problem = f"there must be {len(header)} values, one for each column"
                raise ConfigError(f"{here}: {problem}")
            term = row["term"].strip().lower()
            if not term or term in ratings:
                problem = f"{row['term']!r} stands twice" if term else "is empty"
                raise ConfigError(f"{here}: term: {problem}")
            ratings[term] = {c: _number(row[c], f"{here}: {c}") for c in COLUMNS}
    except csv.Error as error:
        raise ConfigError(f"{path}: line {reader.line_num}: {error}") from error
    if not ratings:
        raise ConfigError(f"{path}: there must be at least one row of ratings")
    return ratings


class _StrictLoader(yaml.SafeLoader):
    """PyYAML keeps the last of two equal keys and says nothing."""

    def compose_mapping_node(self, anchor: str | None) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        lines: dict[str, int] = {}
        for key, _ in node.value:
            line = key.start_mark.line + 1
            if isinstance(key, yaml.ScalarNode) and key.value in lines:
                problem = f"the key {key.value} stands in line {lines[key.value]} too"
                raise yaml.MarkedYAMLError(problem=problem, problem_mark=key.start_mark)
            lines[str(key.value)] = line
        return node


def _read_text(path: str, named_by: str) -> str:
    try:
        return Path(path).read_bytes().decode("utf-8-sig")
    except FileNotFoundError as error:
        beside = [str(p) for p in Path(path).parent.glob("*")]
        problem = f"{path} does not exist{nearest(path, beside)}"
        raise ConfigError(f"{named_by}: {problem}") from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        problem = "not UTF-8; save the file as UTF-8"
        raise ConfigError(f"{path}: line {line}: {problem}") from error
    except (OSError, ValueError) as error:
        problem = f"{path} cannot be read: {getattr(error, 'strerror', error)}"
        raise ConfigError(f"{named_by}: {problem}") from error


def _number(text: str, where: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ConfigError(f"{where}: {text!r} is not a number such as 0.44")
    return number
