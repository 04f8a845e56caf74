"""What is written to disk, and how work that was cut off goes on.

Whole or not at all: every file is written under another name and renamed when it is
complete.

The unit of work is the batch. In floating point an item's result depends in its last
bits on the batch that it was computed in, so a batch is computed as a whole, written as
one file and never recomputed in another composition. `Ledger` keeps the finished
batches of a step in a folder named after everything that decides its results (its
recipe: settings, code, libraries, model). What follows:

- resuming: the items left are cut into the same batches as before, since batches are
  cut in order;
- growing and resharding: finished items are found in their old batches and keep their
  bytes, and only new items are computed, in new batches;
- so a study that grew has the bytes of its history. Growth wins over equality with a
  study of the same size made at once, from which it differs as one more random draw
  would. Made twice in the same way, on the same machine, everything has the same bytes.
"""

import contextlib
import fcntl
import hashlib
import json
import math
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open

from emotion_concepts.errors import StudyError

Record = dict[str, Any]


def digest(*values: object) -> str:
    """16 hexadecimal digits that stand for the values."""
    text = json.dumps(values, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def seed_of(*values: object) -> int:
    """A random seed that belongs to the values: the same for ever, another for any
    other value.
    """
    return int(digest(*values), 16) >> 1


@contextlib.contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Write to the path given; the file appears under its own name only when all of it
    is there.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield partial
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        error.filename = error.filename or str(path)  # a full disk does not say where
        raise
    finally:
        partial.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file, whole or not at all."""
    with whole(path) as partial:
        partial.write_text(text, encoding="utf-8")


def write_json(path: Path, value: object) -> None:
    """Write JSON with sorted keys: equal values are equal bytes; nan is null."""
    text = json.dumps(_without_nan(value), sort_keys=True, indent=1, allow_nan=False)
    write_text(path, text + "\n")


def _without_nan(value: object) -> object:
    if isinstance(value, dict):
        return {str(key): _without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def read_json(path: Path) -> Any:
    """Read JSON.

    Raises:
        StudyError: the file is missing, cut short or damaged.
    """
    with _readable(path):
        return json.loads(path.read_text(encoding="utf-8"))


def write_records(path: Path, records: Iterable[Record]) -> None:
    """Write one JSON object a line.

    The last line has a space at its end, which JSON allows: a file that was cut short
    just where a line ends lacks it.
    """
    lines = [json.dumps(r, sort_keys=True, ensure_ascii=False) for r in records]
    write_text(path, "\n".join(lines) + " \n")


def read_records(paths: Path | Iterable[Path]) -> list[Record]:
    """Read the records of one file, or of several in order.

    Raises:
        StudyError: a file is missing, or a line is cut short or damaged.
    """
    records = []
    for path in [paths] if isinstance(paths, Path) else paths:
        with _readable(path):
            # Not splitlines: a text may hold characters that it takes for a line's end.
            lines = filter(str.strip, path.read_text(encoding="utf-8").split("\n"))
            records += map(json.loads, lines)
    return records


def write_tensors(
    path: Path, tensors: dict[str, np.ndarray], meaning: dict[str, object]
) -> None:
    """Write float32 safetensors with what they mean in the metadata."""
    shapes = {name: values.shape for name, values in tensors.items()}
    with tensors_on_disk(path, shapes, meaning) as arrays:
        for name, values in tensors.items():
            arrays[name][...] = values


@contextlib.contextmanager
def tensors_on_disk(
    path: Path, shapes: dict[str, tuple[int, ...]], meaning: dict[str, object]
) -> Iterator[dict[str, np.ndarray]]:
    """Write float32 safetensors part by part, so that they never stand in memory whole.

    The library's own writer orders the metadata at random; here equal content is equal
    bytes.

    Args:
        path: the file.
        shapes: by name, in the order in which they stand in the file.
        meaning: for the metadata, each value as JSON.

    Yields:
        Arrays of these shapes that live in the file, zero until written.
    """
    header: dict[str, object] = {
        "__metadata__": {
            k: json.dumps(v, ensure_ascii=False) for k, v in sorted(meaning.items())
        }
    }
    offsets, end = {}, 0
    for name, shape in shapes.items():
        offsets[name], end = end, end + 4 * int(np.prod(shape))
        header[name] = {
            "dtype": "F32",
            "shape": list(shape),
            "data_offsets": [offsets[name], end],
        }
    head = json.dumps(header, ensure_ascii=False).encode()
    head += b" " * (-len(head) % 8)
    with whole(path) as partial:
        with partial.open("wb") as file:
            file.write(len(head).to_bytes(8, "little") + head)
            file.flush()
            _reserve(file.fileno(), 8 + len(head) + end)
        yield {
            name: np.memmap(partial, "<f4", "r+", 8 + len(head) + offsets[name], shape)
            if np.prod(shape)
            else np.zeros(shape, np.float32)
            for name, shape in shapes.items()
        }


def _reserve(descriptor: int, size: int) -> None:
    # A write through a map into space that a full disk does not have kills the process
    # without a word; reserving it first fails in words.
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, size)
    else:
        os.truncate(descriptor, size)


def read_meaning(path: Path) -> dict[str, Any]:
    """The metadata of a file written by `write_tensors`."""
    with _opened(path) as file:
        return {k: json.loads(v) for k, v in (file.metadata() or {}).items()}


def read_tensor(path: Path, name: str, index: tuple | int | None = None) -> np.ndarray:
    """One tensor, or the part of it that `index` names, without reading the rest."""
    with _opened(path) as file:
        # A slice of everything fails where there is nothing.
        return file.get_tensor(name) if index is None else file.get_slice(name)[index]


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[Any]:
    with _readable(path):
        file = safe_open(path, framework="numpy")
    with file:
        yield file


@contextlib.contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise StudyError(f"{path}: missing; run again to have it made") from error
    except (ValueError, SafetensorError) as error:
        raise StudyError(
            f"{path}: damaged or cut short ({error}); delete it and run again"
        ) from error


def same_model(identity: str, *paths: Path) -> None:
    """Refuse inputs that another model made.

    Raises:
        StudyError: a file names another model's identity.
    """
    for path in paths:
        found = read_meaning(path).get("model")
        if found != identity:
            raise StudyError(
                f"{path}: made by another model (identity {found}, wanted {identity}); "
                "delete it and run again"
            )


@contextlib.contextmanager
def alone(path: Path) -> Iterator[None]:
    """Wait until no other process works on this file.

    A job that outlives a killed run may still be at it; what it finishes is then found
    finished.

    Raises:
        StudyError: the filesystem cannot lock files.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(f".{path.name}.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"{path}: another process is at work on it; waiting", file=sys.stderr)
            fcntl.flock(lock, fcntl.LOCK_EX)
        except OSError as error:
            raise StudyError(
                f"{path}: this filesystem cannot lock files ({error.strerror}); move "
                "the project to one that can, such as a local disk"
            ) from error
        yield


@dataclass(frozen=True)
class Ledger:
    """The finished batches of one step and recipe, each a file of its own.

    Attributes:
        folder: where the step keeps its batches.
        recipe: everything that decides an item's result, but for the item itself.
        suffix: what kind of file a batch is.
        keys: how to read the keys of the items in a batch's file.
    """

    folder: Path
    recipe: object
    suffix: str
    keys: Callable[[Path], list[str]]

    @property
    def _place(self) -> Path:
        return self.folder / digest(self.recipe)

    def finished(self) -> dict[str, tuple[Path, int]]:
        """By item key: the batch file that holds it, and its row there.

        A batch that is damaged or lacks an item is not finished.
        """
        found: dict[str, tuple[Path, int]] = {}
        for path in sorted(self._place.glob(f"*{self.suffix}")):
            with contextlib.suppress(StudyError):
                keys = self.keys(path)
                if path == self.path(keys):
                    for row, key in enumerate(keys):
                        found.setdefault(key, (path, row))
        return found

    def records(self, keys: list[str]) -> list[Record]:
        """The records of finished items, in the order of their keys; each batch is read
        once.
        """
        found = self.finished()
        places = [found[key] for key in keys]
        records_of = {path: read_records(path) for path in {path for path, _ in places}}
        return [records_of[path][row] for path, row in places]

    def path(self, keys: list[str]) -> Path:
        """The file for a batch of these items."""
        return self._place / f"{digest(keys)}{self.suffix}"

    def others(self) -> dict[Path, int]:
        """The folders of other recipes, and when each was last written into."""
        others = {}
        for folder in set(self.folder.glob("*")) - {self._place}:
            with contextlib.suppress(FileNotFoundError):  # another shard's job was here
                others[folder] = folder.stat().st_mtime_ns
        return others

    def forget(self, others: dict[Path, int]) -> None:
        """Remove the batches of other recipes, once this one's are complete.

        A job that outlives a killed run may have an older recipe than the run that is
        at work now: what was written into since the job began is another's, and stays.

        Args:
            others: what `others` said when this job began.
        """
        for folder, written in self.others().items():
            if others.get(folder) == written:
                shutil.rmtree(folder, ignore_errors=True)


def cut(items: list[Any], size: Callable[[list[Any]], int], limit: int) -> list[list]:
    """Cut items into batches in order, each as large as `limit` allows.

    Cut in order from the front: when a first part of the batches is finished, the rest
    is cut as before.

    Args:
        items: what to cut. An item may be a group that must not be parted.
        size: the size of a batch of these items.
        limit: the largest size; an item larger than it makes a batch alone.
    """
    batches: list[list] = []
    for item in items:
        if batches and size([*batches[-1], item]) <= limit:
            batches[-1].append(item)
        else:
            batches.append([item])
    return batches
