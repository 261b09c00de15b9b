"""One advisory writer lock per SQLite file, across threads and processes.

SQLite 3.7.0 to 3.51.2 can lose a commit when a checkpoint of one connection races a commit of another (the WAL-reset
bug). While every write transaction and every checkpoint holds this lock, the two never meet.
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from zlib import crc32

from sqlalchemy import func, select
from sqlalchemy.orm import Session


class WriterLock:
    """`with lock.held():` lets one writer of one file through at a time; not re-entrant."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = threading.Lock()
        self._owner: int | None = None

    @property
    def mine(self) -> bool:
        """Whether the calling thread holds the lock."""
        return self._owner == threading.get_ident()

    @contextmanager
    def held(self) -> Iterator[None]:
        if self.mine:
            raise RuntimeError("a write transaction may not be opened inside another one")
        with self._thread:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                self._owner = threading.get_ident()
                yield
            finally:
                self._owner = None
                os.close(descriptor)


def alone(session: Session, work: str) -> None:
    """One transaction at a time does this work, until it ends. SQLite has one writer anyway."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(crc32(work.encode()))))
