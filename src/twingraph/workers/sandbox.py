"""What a worker may do: no new connection, no other program, no large file, and no more memory than it is given.

The query text is read for SERVICE before it comes here; this is the wall behind that. Linux only; elsewhere, and where
the kernel does not allow it, the notes say what is missing.
"""

import ctypes
import os
import platform
import resource
import struct
import sys

_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _FILTER_MODE = 38, 22, 2
# seccomp(2): the filter sees the architecture and the number of a system call and says what becomes of it.
_ALLOW, _DENY = 0x7FFF0000, 0x00050000 | 1  # SECCOMP_RET_ALLOW; SECCOMP_RET_ERRNO with EPERM
_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06  # of the classic BPF machine
_NUMBER, _ARCHITECTURE = 0, 4  # offsets in struct seccomp_data
_X32 = 0x40000000
# socket, connect, bind, listen, accept, accept4, execve, execveat, ptrace, io_uring_setup, fork and vfork where it is.
_CALLS = {
    "x86_64": (0xC000003E, (41, 42, 49, 50, 43, 288, 59, 322, 101, 425, 57, 58)),
    "aarch64": (0xC00000B7, (198, 203, 200, 201, 202, 242, 221, 281, 117, 425)),
}
_LARGEST_FILE = 1 << 20
_STACK = 120 << 20


def deepen_stack() -> None:
    """Let the stack of the first thread grow: parsing and planning go as deep as a query nests.

    It grows as a query needs it. Linux keeps at least 128 MiB free for it, whatever the limit was at the start.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_STACK)
    wanted = _STACK if hard == resource.RLIM_INFINITY else min(_STACK, hard)
    resource.setrlimit(resource.RLIMIT_STACK, (wanted, hard))


def close_network() -> tuple[str, ...]:
    """Deny this process, for good, to open sockets and to start programs; return notes on what could not be done."""
    machine = platform.machine()
    if sys.platform != "linux" or machine not in _CALLS:
        return (f"no system call filter on {sys.platform} {machine}: workers could open sockets",)
    program = _program(*_CALLS[machine])
    library = ctypes.CDLL(None, use_errno=True)
    buffer = ctypes.create_string_buffer(program)
    header = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(buffer))
    if library.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or library.prctl(_PR_SET_SECCOMP, _FILTER_MODE, header, 0, 0):
        return (
            f"the kernel takes no system call filter ({os.strerror(ctypes.get_errno())}): workers could open sockets",
        )
    return ()


def limit_files() -> None:
    """Let this process write no core dump and no large file."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_LARGEST_FILE, _LARGEST_FILE))


def _program(architecture: int, denied: tuple[int, ...]) -> bytes:
    """Return the filter: allow everything but the denied calls, and nothing of another architecture."""
    count = len(denied)
    steps = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 0, count + 3, architecture),
        (_LOAD, 0, 0, _NUMBER),
        (_AT_LEAST, count + 1, 0, _X32),
        *((_EQUAL, count - place, 0, call) for place, call in enumerate(denied)),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _DENY),
    ]
    return b"".join(struct.pack("HBBI", *step) for step in steps)
