"""Results as they lie on disk: who is at work on them, and which of them must be made
again although their rules, settings and code are as they were.
"""

import fcntl
import hashlib
import json
import sys
from collections.abc import Callable, Iterable
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

# What a model is made of beside its weights (`emotion_concepts.source` takes these).
BESIDE = ("*.json", "*.jinja", "*.txt", "*.model")
LOCK = Path(".snakemake/study.lock")

_held: list[Any] = []


def hold_results() -> None:
    """Let no second run work on these results. The lock goes when this process does,
    however it ends.
    """
    LOCK.parent.mkdir(exist_ok=True)
    file = LOCK.open("a")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.exit(
            "error: another run is at work on these results; wait for it, or end it"
        )
    except OSError as error:
        sys.exit(
            f"error: {LOCK}: this filesystem cannot lock files ({error.strerror}); "
            "move the project to one that can, such as a local disk"
        )
    _held.append(file)


def to_make_again(
    results: Path, source: dict[str, Any], files: Iterable[str]
) -> dict[str, str]:
    """What must be made again though nothing that Snakemake compares has changed.

    Our own files appear whole or not at all; but a disk that fills up or a copy that is
    interrupted can shorten one later, and a model's folder can be changed by its owner.
    Nothing is touched: another run may be at work here.

    Args:
        results: a model's results.
        source: where the model comes from.
        files: the results to look at, below that folder.

    Returns:
        By path, the reason.
    """
    reasons = {}
    for file in files:
        if _is_broken(results / file):
            reasons[f"{results / file}"] = "cut short or damaged"
    # A model is one result, and only as whole as its files.
    for path in sorted(results.glob("model/*")):
        if _is_broken(path):
            reasons[f"{path.parent}"] = f"{path.name} is cut short or damaged"
    if _has_changed(source, results / "model.json"):
        reasons[f"{results / 'model.json'}"] = f"{source['folder']} has changed"
    return reasons


def _has_changed(source: dict[str, Any], record: Path) -> bool:
    """Whether a model's folder holds something else than when the model was made of it.

    It may be gone since. The other kinds of source cannot change: a commit or checksum
    belongs to them.
    """
    folder = Path(source.get("folder", ""))
    try:
        made = json.loads(record.read_text(encoding="utf-8"))
        if made["source"] != f"folder {source['folder']}":
            return False
        names = {path.name for path in folder.iterdir() if path.is_file()}
        since = record.stat().st_mtime_ns
        beside = BESIDE + ("*.py",) * made["trust_remote_code"]
        new = {n for n in names - made["files"].keys() if _matches(n, beside)}
        return bool(new) or any(
            name not in names or _is_other(folder / name, digest, since)
            for name, digest in made["files"].items()
        )
    except (OSError, ValueError, KeyError):
        return False


def _matches(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatch(name, pattern) for pattern in patterns)


def _is_other(path: Path, digest: str, since: int) -> bool:
    # Weights take long to read; most have not been written to. A file that was moved
    # here keeps the time of its last change, but not that of its inode's.
    status = path.stat()
    if max(status.st_mtime_ns, status.st_ctime_ns) <= since:
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() != digest


def _is_broken(path: Path) -> bool:
    check = _WHOLE.get(path.suffix)
    try:
        return check is not None and not check(path)
    except (FileNotFoundError, NotADirectoryError):  # not made yet, or just removed
        return False


def _ends_with(*ends: bytes) -> Callable[[Path], bool]:
    return lambda path: _tail(path).rstrip().endswith(ends)


def _tail(path: Path) -> bytes:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 16))
        return file.read()


def _whole_tensors(path: Path) -> bool:
    with path.open("rb") as file:
        start = file.read(8)
        length = int.from_bytes(start, "little")
        size = path.stat().st_size
        if len(start) < 8 or length > size - 8:
            return False
        try:
            header = json.loads(file.read(length))
        except ValueError:
            return False
    ends = [v["data_offsets"][1] for k, v in header.items() if k != "__metadata__"]
    return size == 8 + length + max(ends, default=0)


_WHOLE = {
    ".json": _ends_with(b"}", b"]"),
    # The space is the mark of the last line (`emotion_concepts.store.write_records`).
    ".jsonl": lambda path: _tail(path).endswith(b"} \n"),
    ".safetensors": _whole_tensors,
    ".svg": _ends_with(b"</svg>"),
    ".png": _ends_with(b"IEND\xaeB`\x82"),
    ".html": _ends_with(b"</html>"),
}
