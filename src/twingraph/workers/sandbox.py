"""The sandbox of a worker: no new connections, no other programs, no large files, and limited memory.

Queries with SERVICE are refused before they are run; this is the second line of defence. It works on Linux only;
elsewhere, and where the kernel does not allow it, the functions return notes on what is missing.
"""

import ctypes
import os
import platform
import resource
import struct
import sys
from pathlib import Path

_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _FILTER_MODE = 38, 22, 2
# seccomp(2): the filter decides by the architecture and the number of a system call.
_ALLOW, _DENY = 0x7FFF0000, 0x00050000 | 1  # SECCOMP_RET_ALLOW; SECCOMP_RET_ERRNO with EPERM
_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06  # opcodes of classic BPF
_NUMBER, _ARCHITECTURE = 0, 4  # offsets in struct seccomp_data
_X32 = 0x40000000
# socket, connect, bind, listen, accept, accept4, execve, execveat, ptrace, io_uring_setup; fork and vfork on x86-64.
_DENIED_CALLS = {
    "x86_64": (0xC000003E, (41, 42, 49, 50, 43, 288, 59, 322, 101, 425, 57, 58)),
    "aarch64": (0xC00000B7, (198, 203, 200, 201, 202, 242, 221, 281, 117, 425)),
}
_MAX_FILE_BYTES = 1 << 20
_STACK_BYTES = 120 << 20


def deepen_stack() -> None:
    """Raise the limit of the main thread's stack, since the engine recurses as deeply as a query is nested.

    The stack grows on demand. Linux reserves at least 128 MiB of address space for it, whatever the limit was at exec.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_STACK)
    soft = _STACK_BYTES if hard == resource.RLIM_INFINITY else min(_STACK_BYTES, hard)
    resource.setrlimit(resource.RLIMIT_STACK, (soft, hard))


def close_network() -> tuple[str, ...]:
    """Irrevocably deny this process sockets and execution of programs; return notes on what could not be done."""
    machine = platform.machine()
    if sys.platform != "linux" or machine not in _DENIED_CALLS:
        return (f"no system call filter on {sys.platform} {machine}: workers could open sockets",)
    program = _program(*_DENIED_CALLS[machine])
    library = ctypes.CDLL(None, use_errno=True)
    buffer = ctypes.create_string_buffer(program)
    header = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(buffer))
    if library.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or library.prctl(_PR_SET_SECCOMP, _FILTER_MODE, header, 0, 0):
        reason = os.strerror(ctypes.get_errno())
        return (f"the kernel refuses the system call filter ({reason}): workers could open sockets",)
    return ()


def limit_files() -> None:
    """Prevent this process from writing core dumps and large files."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_MAX_FILE_BYTES, _MAX_FILE_BYTES))


def limit_memory(more: int) -> tuple[str, ...]:
    """Limit the memory of this process to ``more`` bytes beyond its present use; return notes as `close_network`."""
    data = memory("VmData")
    if data is None:
        return ("memory use cannot be measured on this system: the memory of queries is not limited",)
    # RLIMIT_DATA counts writable private memory, so files mapped for reading do not count (since Linux 4.7).
    resource.setrlimit(resource.RLIMIT_DATA, (data + more, data + more))
    size = memory("VmSize") or 0
    # A coarser limit as a fallback: allocators reserve more address space than they use.
    resource.setrlimit(resource.RLIMIT_AS, (size + 4 * more, size + 4 * more))
    return ()


def memory(kind: str) -> int | None:
    """Return a size from ``/proc/self/status`` in bytes (``VmData``, ``VmRSS``, ...), None where there is none."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{kind}:")), None)


def _program(architecture: int, denied: tuple[int, ...]) -> bytes:
    """Return the filter program: it allows all calls but the denied ones and those of other architectures."""
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
