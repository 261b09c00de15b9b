"""The child program that parses one hostile file: `python -I -m lotseal.trace.files.child`.

Standard input is one JSON line `{"task": "document" | "picture" | "symbols" | "signatures", "path": …, "kind": …}`,
where the kind is "pdf", "png", "jpeg" or "webp". The task "signatures" also has `at`, a moment, and `roots`, a list of
`{"der": base64, "purpose": "signing" | "time-stamps"}`.
Standard output is one JSON line: facts, or `{"refused": rule, "values": {…}}`. Images go into the working folder.

The bounds are set before any parser is loaded: memory, processor time, wall-clock time, size of a file, open files, no
core dump, no new processes and, where the kernel allows it, a network name space of its own, which has no network.
Without that right (a container that forbids user name spaces) the child has the network of its parent: what is then
left is that none of the parsers opens a connection. Off Linux the memory bound may not bite.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import sys
from pathlib import Path

from . import bounds

_CLONE_NEWNET = 0x40000000
_CLONE_NEWUSER = 0x10000000
_PR_SET_NO_NEW_PRIVS = 38


def main() -> int:
    request = json.loads(sys.stdin.readline(bounds.MAX_REQUEST_CHARACTERS))
    # Whatever a parser prints must not stand in the answer.
    answer_to = os.dup(1)
    os.dup2(2, 1)
    bound_this_process()
    try:
        # The parsers are loaded under the bounds already, and a broken installation is told from a broken file.
        from .reading import answer
    except (ImportError, MemoryError):
        return bounds.CHILD_EXIT_CANNOT_START
    with os.fdopen(answer_to, "w", encoding="ascii") as stream:
        stream.write(json.dumps(answer(request, Path.cwd()) | {"peak_kib": _peak_kib()}) + "\n")
    return 0


def bound_this_process() -> None:
    """Take away what no parser needs. Hard limits as well, so that nothing below can raise them again."""
    limits = {
        resource.RLIMIT_AS: bounds.CHILD_ADDRESS_SPACE,
        resource.RLIMIT_CPU: bounds.CHILD_CPU_SECONDS,
        resource.RLIMIT_FSIZE: bounds.CHILD_FILE_BYTES,
        resource.RLIMIT_NOFILE: bounds.CHILD_OPEN_FILES,
        resource.RLIMIT_CORE: 0,
        # The super-user is not bound by this one.
        resource.RLIMIT_NPROC: 0,
    }
    _leave_the_network()
    for limit, value in limits.items():
        hard = resource.getrlimit(limit)[1]
        bound = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(limit, (bound, bound))
    # The parent has a clock, too; this one rings when the parent is gone.
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(bounds.CHILD_WALL_SECONDS + 1)


def _leave_the_network() -> None:
    """As far as the kernel lets us; see the module's text for what is left otherwise."""
    libc = ctypes.CDLL(None)
    if hasattr(libc, "unshare"):
        if libc.unshare(_CLONE_NEWNET) != 0:
            libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET)
        libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def _peak_kib() -> int:
    """The most memory this program ever held (VmHWM). The usual ru_maxrss would count the parent's before exec."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(status.partition("VmHWM:")[2].split()[0])


if __name__ == "__main__":
    sys.exit(main())
