"""The system calls that sandboxed code is refused, as a filter for the kernel.

Namespaces hide what is outside; this filter bounds what is inside. Without `fork` and
`clone` there is one process with one thread, so its limit of memory is the sandbox's,
with no need for control groups, which an ordinary user rarely has. Memory that belongs
to no process (shared segments, files in memory) is refused for the same reason, and so
are the ways into kernel code that a Python program has no use for.
"""

import errno
import platform
import struct

# Numbers from the kernel's tables: x86_64, aarch64 (None: it has no such call).
TRY_AGAIN = {"fork": (57, None), "vfork": (58, None), "clone": (56, 220)}
UNKNOWN = {"clone3": (435, 435)}  # the C library then falls back on clone
FORBIDDEN = {
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "pidfd_getfd": (438, 438),
    "unshare": (272, 97),
    "setns": (308, 268),
    "chroot": (161, 51),
    "pivot_root": (155, 41),
    "mount": (165, 40),
    "umount2": (166, 39),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "shmget": (29, 194),
    "semget": (64, 190),
    "msgget": (68, 186),
    "mq_open": (240, 180),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "kexec_load": (246, 104),
    "init_module": (175, 105),
    "finit_module": (313, 273),
}
# platform.machine(): its column in the tables above and its AUDIT_ARCH.
MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}

LOAD, EQUAL, AT_LEAST, RETURN = 0x20, 0x15, 0x35, 0x06
ALLOW, REFUSE, KILL = 0x7FFF0000, 0x00050000, 0x80000000
NUMBER, ARCHITECTURE = 0, 4  # where they stand in the kernel's `struct seccomp_data`
FOREIGN = (
    0x40000000  # from here on x86_64 numbers are those of another calling convention
)


def known_machine() -> bool:
    """Whether there is a filter for this machine's processor."""
    return platform.machine() in MACHINES


def refusals() -> bytes:
    """The filter for this machine, as the kernel's seccomp takes it.

    A call in `TRY_AGAIN` fails as it does where a limit on processes is reached, one in
    `UNKNOWN` as it does on an old kernel, one in `FORBIDDEN` for want of permission. A
    call of another architecture kills the process.
    """
    column, architecture = MACHINES[platform.machine()]
    program = [
        (LOAD, 0, 0, ARCHITECTURE),
        (EQUAL, 1, 0, architecture),
        (RETURN, 0, 0, KILL),
        (LOAD, 0, 0, NUMBER),
        (AT_LEAST, 0, 1, FOREIGN),
        (RETURN, 0, 0, KILL),
    ]
    for calls, error in (
        (TRY_AGAIN, errno.EAGAIN),
        (UNKNOWN, errno.ENOSYS),
        (FORBIDDEN, errno.EPERM),
    ):
        for numbers in calls.values():
            if numbers[column] is not None:
                program += [
                    (EQUAL, 0, 1, numbers[column]),
                    (RETURN, 0, 0, REFUSE | error),
                ]
    program.append((RETURN, 0, 0, ALLOW))
    return b"".join(struct.pack("=HBBI", *step) for step in program)
