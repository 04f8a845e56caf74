"""Running code that a model wrote, where it can do no harm.

bubblewrap (`bubblewrap.py`) gives each run namespaces of its own: no network, no other
process, no device, and a file system that holds nothing but the Python interpreter with
its standard library (read only) and an empty scratch folder in memory, which vanishes
with the run. What is left is bounded: one process with one thread (`syscalls.py`), its
memory, processor time and file sizes by the kernel, the scratch by its size; wall time,
output and the number of files are watched from outside. Nothing of the user's
environment is passed on, and the interpreter is the one under any virtual environment,
so that no installed package can be imported.

What the code does inside its own process is not contained and need not be: whoever
reads a result must not trust a word that the code itself could have written.
"""

import json
import os
import re
import selectors
import signal
import socket
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache

from emotion_concepts.bubblewrap import ENVIRONMENT, command
from emotion_concepts.errors import StudyError
from emotion_concepts.syscalls import known_machine, refusals

LOOK = 0.02  # seconds between two looks at the clock and the scratch
START = 30.0  # seconds that the sandbox may take to stand
# The first program inside, ours: it takes the limits upon itself, hands the scratch
# folder out through a socket, waits until the files are in it, and becomes the program
# that was asked for.
DOOR = """
import json, os, resource, socket, sys
door, limits = socket.socket(fileno=int(sys.argv[1])), json.loads(sys.argv[2])
for name, bounds in limits.items():
    resource.setrlimit(getattr(resource, name), bounds)
socket.send_fds(door, [b"."], [os.open(".", os.O_RDONLY | os.O_DIRECTORY)])
if door.recv(1):
    door.close()
    os.closerange(3, 64)
    os.execv(sys.executable, [sys.executable, *sys.argv[3:]])
"""
# How a program's last words say which limit it met.
LAST_WORDS = {
    "memory": re.compile(r"^MemoryError\b|Cannot allocate memory"),
    "disk": re.compile(r"No space left on device|File too large"),
    "processes": re.compile(r"can't start new thread|Resource temporarily unavailable"),
}
# What steers a terminal or reorders text.
CONTROL = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]"
)


@dataclass(frozen=True)
class Limits:
    """What one run may use. It always has one process with one thread.

    Attributes:
        seconds: of the clock on the wall.
        cpu_seconds: of the processor, whole seconds.
        memory: bytes of address space.
        disk: bytes in the scratch folder, and of any one file.
        files: files in the scratch folder.
        output: bytes of standard output and standard error together.
    """

    seconds: float = 10.0
    cpu_seconds: int = 8
    memory: int = 512 * 2**20
    disk: int = 16 * 2**20
    files: int = 200
    output: int = 64 * 2**10


@dataclass(frozen=True)
class Ran:
    r"""How a run ended.

    Attributes:
        code: exit status; negative for a signal, as in `subprocess`; None where it was
            stopped from outside.
        limit: what ended it: `seconds`, `cpu`, `output` or `files`, or by its own last
            words `memory`, `disk` or `processes`; None for none of them.
        stdout: what it printed, up to `Limits.output`; characters that steer a terminal
            or reorder text are written out (`\x1b`).
        stderr: the same of standard error.
        seconds: from when its files were in place to its end.
        files: the ordinary files directly in the scratch folder afterwards, as text, by
            name.
    """

    code: int | None
    limit: str | None
    stdout: str
    stderr: str
    seconds: float
    files: dict[str, str] = field(default_factory=dict)


def run_code(files: dict[str, str], argv: list[str], limits: Limits) -> Ran:
    """Run Python in a sandbox of its own.

    Args:
        files: what the scratch folder, its working directory, holds: text by plain file
            name.
        argv: what follows `python` on the command line: `["test_solution.py"]`, say.
        limits: what it may use.

    Returns:
        How it ended, what it printed and what it left.

    Raises:
        StudyError: no sandbox can be had here, or the files do not fit in it.
        ValueError: a file's name is no plain name.
    """
    with _standing(argv, limits) as (process, door, scratch):
        _write(scratch, files)
        started = time.monotonic()
        door.sendall(b".")
        stdout, stderr, limit = _watch(process, scratch, started, limits)
        seconds = time.monotonic() - started
        left = _read(scratch, limits)
    code = None if limit else process.returncode
    if code is not None and 128 < code <= 128 + signal.NSIG:
        code = 128 - code  # bubblewrap's way to name a signal
    if code == -signal.SIGXCPU:
        limit = "cpu"
    if code and not limit:
        last = stderr.rstrip().rpartition("\n")[2]
        met = (name for name, words in LAST_WORDS.items() if words.search(last))
        limit = next(met, None)
    return Ran(code, limit, stdout, stderr, seconds, left)


@cache
def require_sandbox() -> None:
    """See that code can be sandboxed here, by running some.

    Raises:
        StudyError: bubblewrap is missing, or this machine does not let it work.
    """
    ran = run_code({}, ["-c", "print('stands')"], Limits())
    if ran.stdout.strip() != "stands":
        raise StudyError(f"the sandbox's Python does not run: {_one_line(ran.stderr)}")


def _own_limits(limits: Limits) -> dict[str, tuple[int, int]]:
    """What the kernel holds the process to, soft and hard."""
    return {
        "RLIMIT_AS": (limits.memory, limits.memory),
        # One second to be told by SIGXCPU, which is how we know; then SIGKILL.
        "RLIMIT_CPU": (limits.cpu_seconds, limits.cpu_seconds + 1),
        "RLIMIT_FSIZE": (limits.disk, limits.disk),
        "RLIMIT_NOFILE": (64, 64),
        "RLIMIT_MEMLOCK": (0, 0),
        # One byte and not none: a host that pipes core dumps to a program ignores none.
        "RLIMIT_CORE": (1, 1),
    }


@contextmanager
def _standing(
    argv: list[str], limits: Limits
) -> Iterator[tuple[subprocess.Popen, socket.socket, int]]:
    """A sandbox that waits at the door: its process, the door, its scratch folder."""
    if not known_machine():
        raise StudyError("the sandbox knows only processors of type x86_64 and aarch64")
    ours, theirs = socket.socketpair()
    with ours, theirs, tempfile.TemporaryFile() as calls:
        calls.write(refusals())
        calls.seek(0)
        own = json.dumps(_own_limits(limits))
        inside = ["-I", "-c", DOOR, str(theirs.fileno()), own, *argv]
        process = subprocess.Popen(
            command(inside, limits.disk, calls.fileno()),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=ENVIRONMENT,
            pass_fds=(theirs.fileno(), calls.fileno()),
        )
        theirs.close()
        with process:
            try:
                scratch = _handed_out(ours, process)
                try:
                    yield process, ours, scratch
                finally:
                    os.close(scratch)
            finally:
                process.kill()


def _handed_out(door: socket.socket, process: subprocess.Popen) -> int:
    """The descriptor of the scratch folder."""
    door.settimeout(START)
    try:
        _, handed, _, _ = socket.recv_fds(door, 1, 1)
    except TimeoutError:
        handed = []
    if not handed:
        process.kill()
        said = process.stderr.read().decode(errors="replace")
        raise StudyError(
            f"bubblewrap cannot make a sandbox here: {_one_line(said)}; user "
            "namespaces must be allowed (sysctl user.max_user_namespaces, kernel."
            "apparmor_restrict_unprivileged_userns, the container's seccomp profile)"
        )
    return handed[0]


def _write(scratch: int, files: dict[str, str]) -> None:
    for name, text in files.items():
        if name in ("", ".", "..") or "/" in name or "\0" in name:
            raise ValueError(f"{name!r} is no plain file name")
        try:
            made = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, dir_fd=scratch)
            with os.fdopen(made, "wb") as file:
                file.write(text.encode(errors="replace"))
        except OSError as error:
            problem = f"{name[:60]!r} cannot be put into the sandbox: {error.strerror}"
            raise StudyError(problem) from error


def _watch(
    process: subprocess.Popen, scratch: int, started: float, limits: Limits
) -> tuple[str, str, str | None]:
    """Standard output and error to the end, and the limit that was passed, if any."""
    heard = {process.stdout: bytearray(), process.stderr: bytearray()}
    limit = None
    with selectors.DefaultSelector() as selector:
        for stream in heard:
            os.set_blocking(stream.fileno(), False)
            selector.register(stream, selectors.EVENT_READ)
        while limit is None and (selector.get_map() or process.poll() is None):
            if not selector.get_map():
                time.sleep(LOOK)  # it closed both and lives on
            for key, _ in selector.select(LOOK) if selector.get_map() else ():
                said = key.fileobj.read(2**16)
                heard[key.fileobj] += said or b""
                if said == b"":
                    selector.unregister(key.fileobj)
            used = os.fstatvfs(scratch)
            if time.monotonic() - started > limits.seconds:
                limit = "seconds"
            elif sum(map(len, heard.values())) > limits.output:
                limit = "output"
            elif (
                used.f_files - used.f_ffree > limits.files + 1
            ):  # and the folder itself
                limit = "files"
    if limit:
        process.kill()
    process.wait()
    out, err = (_shown(bytes(said[: limits.output])) for said in heard.values())
    return out, err, limit


def _read(scratch: int, limits: Limits) -> dict[str, str]:
    """The ordinary files in the scratch folder. Whoever ran in it chose what they are,
    so no link is followed, nothing is waited for, and no more is read than it can hold.
    """
    left, room = {}, limits.disk
    for name in sorted(os.listdir(scratch))[: limits.files]:
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
        try:
            with os.fdopen(os.open(name, flags, dir_fd=scratch), "rb") as file:
                if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                    continue
                content = file.read(room)
        except OSError:
            continue  # a link, a folder, or not to be read
        room -= len(content)
        left[_shown(os.fsencode(name))] = content.decode(errors="replace")
    return left


def _shown(said: bytes) -> str:
    text = said.decode(errors="replace").replace("\r\n", "\n")
    return CONTROL.sub(lambda found: ascii(found[0])[1:-1], text)


def _one_line(said: str) -> str:
    return " ".join(said.split())[-300:] or "it says nothing"
