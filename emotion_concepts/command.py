"""How scripts are called and how every one ends: what the user can mend is one line,
never a traceback.
"""

import argparse
import contextlib
import errno
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path

from safetensors import SafetensorError

from emotion_concepts.errors import StudyError

INTERRUPTED = 130  # what a shell calls a command that Ctrl-C ended
_FILES = {
    errno.ENOSPC: "the disk is full; free some space and run again",
    errno.EDQUOT: "your quota of disk space is used up; free some and run again",
    errno.EFBIG: "larger than a file may be here; raise the limit (ulimit -f) or write "
    "to another filesystem",
    errno.EACCES: "permission denied; check who may read and write it",
    errno.EROFS: "this filesystem is read-only; put the results on another",
}


def steered_step(description: str | None) -> argparse.ArgumentParser:
    """What every step takes that runs the steered model in batches.

    Its settings, the model's weights and how much memory they may take, the vectors,
    the folder of finished batches and the code that they depend on, the step's name for
    its progress, and the file to write.
    """
    parser = argparse.ArgumentParser(description=description)
    for name in ("settings", "weights", "vectors", "batches", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--max-memory", type=json.loads, required=True)
    for name in ("code", "name"):
        parser.add_argument(f"--{name}", required=True)
    return parser


def run(main: Callable[[], None]) -> None:
    """Call a script's main function; end with status 1 and `error: <one line>` on
    stderr where the user can mend what is wrong, and with one line after Ctrl-C.

    Args:
        main: the script. Errors that are nobody's to mend but the author's keep their
            traceback.
    """
    try:
        main()
    except KeyboardInterrupt:
        # The pipe into the log ends with the same key.
        with contextlib.suppress(BrokenPipeError):
            print("interrupted; run again to go on", file=sys.stderr, flush=True)
        sys.exit(INTERRUPTED)
    except Exception as error:
        line = _mendable(error)
        if line is None:
            raise
        sys.exit("error: " + " ".join(line.split()))


def _mendable(error: Exception) -> str | None:
    if isinstance(error, StudyError):
        return str(error)
    if isinstance(error, OSError) and error.errno in _FILES:
        file = error.filename2 or error.filename or "a file could not be written"
        return f"{file}: {_FILES[error.errno]}"
    if isinstance(error, SafetensorError):
        number = re.search(r"os error (\d+)", str(error))
        reason = _FILES.get(int(number[1])) if number else None
        return reason and f"a safetensors file could not be written: {reason}"
    if _out_of_memory(error):
        reason = (str(error).strip().splitlines() or ["no memory left"])[0]
        return (
            f"out of memory ({reason}); choose a smaller model or smaller batches, or "
            "limit what the model takes with max_memory"
        )
    return None


def _out_of_memory(error: Exception) -> bool:
    # Scripts that need no torch must not spend seconds on importing it.
    torch = sys.modules.get("torch")
    return (
        isinstance(error, MemoryError)
        or (torch is not None and isinstance(error, torch.OutOfMemoryError))
        or (isinstance(error, RuntimeError) and "can't allocate memory" in str(error))
    )
