"""All or nothing: a demo grows in a sibling folder and gets its name only when it is finished.

A build that was killed leaves that sibling behind, never half a demo; the next build sweeps it away. A lock on the
sibling tells a dead one from one in which another process is still at work.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from glob import escape
from pathlib import Path

from ..errors import Problem, Unavailable, conflict, say
from ..settings import ENV_FILE
from .facts import load

KEY_OPENER = "passphrase"
"""Name of the file that opens the signing keys."""
POLICY = "witnesses"
"""Name of the file that says which witness is asked."""


def refuse_used(data: Path) -> None:
    """Raises `Conflict` unless `data` is missing or an empty folder."""
    if load(data) is not None:
        raise conflict(
            "demo.exists",
            say("There is a finished demo in %(path)s already; nothing was changed.", path=data),
            field="data",
        )
    if data.exists() and (not data.is_dir() or any(data.iterdir())):
        raise conflict(
            "demo.folder-used",
            say("The folder %(path)s is not empty. Name a new folder for the demo.", path=data),
            field="data",
        )


@contextmanager
def growing(data: Path) -> Iterator[Path]:
    """A new folder (0700) beside `data`. It becomes `data` when the block ends, and is gone when the block raises.

    Raises `Unavailable` when no folder can be made there, `Conflict` when someone else filled `data` in the meantime.
    """
    prefix = f".{data.name}.building-"
    try:
        data.parent.mkdir(parents=True, exist_ok=True)
        _sweep(data.parent, prefix)
        folder = Path(tempfile.mkdtemp(prefix=prefix, dir=data.parent))
    except OSError as error:
        raise Unavailable(
            Problem(
                "data",
                "demo.folder",
                say("No folder can be made in %(path)s: %(reason)s.", path=data.parent, reason=error.strerror or error),
            )
        ) from error
    lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder
        _keep_to_owner(folder)
        _name(folder, data)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    finally:
        os.close(lock)


def _sweep(parent: Path, prefix: str) -> None:
    """Remove what killed builds left: folders that nobody holds a lock on."""
    for folder in parent.glob(escape(prefix) + "*"):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue
        else:
            shutil.rmtree(folder, ignore_errors=True)
        finally:
            os.close(descriptor)


def _keep_to_owner(folder: Path) -> None:
    for path in folder.rglob("*"):
        path.chmod(0o700 if path.is_dir() else 0o600)


def _name(folder: Path, data: Path) -> None:
    try:
        os.rename(folder, data)
    except OSError:
        refuse_used(data)
        raise
    descriptor = os.open(data.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    os.fsync(descriptor)
    os.close(descriptor)


def write_settings(folder: Path, *, port: int) -> None:
    """`lotseal.env` and the passphrase file it names, so that every command works with `LOTSEAL_DATA` alone."""
    write_passphrase(folder)
    write(
        folder / ENV_FILE,
        "# A demo: fictional firms, laboratories and numbers. Never put real records here.\n"
        "LOTSEAL_MODE=demo\n"
        f"LOTSEAL_PUBLIC_URL=http://127.0.0.1:{port}\n"
        f"LOTSEAL_KEY_PASSPHRASE_FILE={KEY_OPENER}\n"
        f"LOTSEAL_WITNESSES={POLICY}\n",
    )


def write_passphrase(folder: Path) -> str:
    """A new one, in a file of this folder that only the owner reads."""
    secret = secrets.token_urlsafe(32)
    folder.mkdir(mode=0o700, exist_ok=True)
    write(folder / KEY_OPENER, f"{secret}\n")
    return secret


def write(path: Path, text: str) -> None:
    """A new file that only the owner reads."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
