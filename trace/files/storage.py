"""Content-addressed storage in a local folder."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from ..errors import NotFound, Problem, Unavailable, not_found, say

_HEX = re.compile(r"[0-9a-f]{64}")
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Stored:
    """The name of some bytes (SHA-256, 64 lower-case hex digits) and how many they are."""

    sha256: str
    size: int


class LocalStorage:
    """Bytes kept under their own SHA-256, in files `sha256/aa/bb/<64 hex digits>` below `root`.

    The promise, which every other store of the project keeps too:

    - `put` returns after the bytes and their name are durable: a loss of power afterwards loses nothing. Before it
      returns, nobody sees a part of the file. It is written aside, synced, renamed, and the folders are synced.
    - The same bytes are one file, however often and from however many processes they are put. Putting them again
      also mends a file that was changed on the disk.
    - What is kept never changes and has no other name. Only `delete` takes it away, and only orphans may be deleted:
      the caller makes sure that no row names the bytes and that nobody is putting them at this moment.
    - A name is 64 lower-case hex digits; any other name is `NotFound`, so no name leads out of `root`.
    - `open` does not check the bytes; `verify` reads them all and raises when they are not those that were put.
    - A store that fails (disk full, no permission) raises `Unavailable` and leaves no half-written file under a name.

    Files have mode 0600 and folders 0700.
    """

    def __init__(self, root: Path) -> None:
        self._root = root.absolute()
        self._aside = self._root / "incoming"
        self._aside.mkdir(mode=0o700, parents=True, exist_ok=True)

    def put(self, source: BinaryIO | bytes | Path) -> Stored:
        """Keep all bytes of `source` (a stream is read from where it stands). Raises `Unavailable`."""
        aside = self._aside / secrets.token_hex(16)
        try:
            with _bytes_of(source) as stream:
                stored = _write_new(aside, stream)
            self._move_in(aside, stored.sha256)
        except OSError as error:
            raise _store_failed() from error
        finally:
            aside.unlink(missing_ok=True)
        return stored

    def open(self, sha256: str) -> BinaryIO:
        """The bytes, from their start. Raises `NotFound`, `Unavailable`."""
        try:
            return os.fdopen(os.open(self.path(sha256), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb")
        except FileNotFoundError:
            raise _no_such_file() from None
        except OSError as error:
            raise Unavailable(
                Problem(None, "file.store", say("The file could not be read just now. Try again in a few minutes."))
            ) from error

    def path(self, sha256: str) -> Path:
        """Where these bytes are or would be. Raises `NotFound` for a name that is no SHA-256."""
        if not _HEX.fullmatch(sha256):
            raise _no_such_file()
        return self._root / "sha256" / sha256[:2] / sha256[2:4] / sha256

    def exists(self, sha256: str) -> bool:
        """Whether bytes are kept under this name; False for what is no name at all."""
        return bool(_HEX.fullmatch(sha256)) and self.path(sha256).is_file()

    def verify(self, sha256: str) -> None:
        """Read the bytes and compare. Raises `NotFound`, or `Unavailable` (rule `file.changed`) if they differ."""
        digest = hashlib.sha256()
        with self.open(sha256) as stream:
            while chunk := stream.read(_CHUNK):
                digest.update(chunk)
        if digest.hexdigest() != sha256:
            raise Unavailable(
                Problem(
                    None,
                    "file.changed",
                    say("The stored file %(sha256)s was changed on the disk. Restore it from a backup.", sha256=sha256),
                )
            )

    def delete(self, sha256: str) -> None:
        """Take an orphan away; see the promise. Raises `NotFound`."""
        path = self.path(sha256)
        try:
            path.unlink()
        except FileNotFoundError:
            raise _no_such_file() from None
        _sync_folder(path.parent)

    def put_before(self, moment: datetime) -> Iterator[str]:
        """The names of all bytes that were last put before that moment."""
        for path in (self._root / "sha256").glob("??/??/*"):
            if _HEX.fullmatch(path.name) and path.stat().st_mtime < moment.timestamp():
                yield path.name

    def delete_orphan(self, sha256: str, *, before: datetime) -> bool:
        """Take bytes away that no row names, unless somebody has put them again since; says whether it did. While it
        looks, nobody else gives a file its name."""
        path = self.path(sha256)
        with self._moving(fcntl.LOCK_EX):
            try:
                if path.stat().st_mtime >= before.timestamp():
                    return False
                path.unlink()
            except FileNotFoundError:
                return False
        _sync_folder(path.parent)
        return True

    def forget_unfinished(self, *, before: datetime) -> int:
        """Remove what killed writers left aside, if last written before that moment; how many there were."""
        old = [path for path in self._aside.iterdir() if path.stat().st_mtime < before.timestamp()]
        for path in old:
            path.unlink(missing_ok=True)
        return len(old)

    def _move_in(self, aside: Path, sha256: str) -> None:
        final = self.path(sha256)
        final.parent.mkdir(parents=True, exist_ok=True)
        # mkdir(parents=True) gives its mode to the last folder only, hence the mode is set on each of the three.
        folders = list(final.parents)[:3]
        for folder in folders:
            folder.chmod(0o700)
        with self._moving(fcntl.LOCK_SH):
            os.replace(aside, final)
        # A folder that another process has just made is not durable until someone syncs its parent: sync them all.
        for folder in (*folders, self._root):
            _sync_folder(folder)

    @contextmanager
    def _moving(self, how: int) -> Iterator[None]:
        """Any number of processes may move files in, but none while an orphan is taken away."""
        descriptor = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, how)
            yield
        finally:
            os.close(descriptor)


@contextmanager
def _bytes_of(source: BinaryIO | bytes | Path) -> Iterator[BinaryIO]:
    if isinstance(source, Path):
        with source.open("rb") as stream:
            yield stream
    else:
        yield BytesIO(source) if isinstance(source, bytes) else source


def _write_new(path: Path, stream: BinaryIO) -> Stored:
    digest, size = hashlib.sha256(), 0
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as target:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
            target.write(chunk)
        target.flush()
        os.fsync(target.fileno())
    return Stored(digest.hexdigest(), size)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _no_such_file() -> NotFound:
    return not_found("file.unknown", say("There is no such file."))


def _store_failed() -> Unavailable:
    return Unavailable(
        Problem("file", "file.store", say("The file could not be stored just now. Try again in a few minutes."))
    )
