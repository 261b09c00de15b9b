"""The log as static files: tiles, entry bundles and the checkpoint, which any server or mirror can hand out.

The store is the truth, the files follow it. They are written after the checkpoint that covers them is durable in the
store, tiles first and the checkpoint last, so that a reader finds everything that a checkpoint promises. A stop
anywhere in between is made up for by `catch_up`.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...signing import tiles
from ...signing.checkpoint import Checkpoint
from ...signing.errors import SigningError
from ...signing.notes import Note
from ...signing.tiles import ENTRIES, Tile
from ..errors import Message, Problem, Unavailable, say
from .models import LogCheckpoint, LogCosignature, LogEntry, LogHead

CHECKPOINT = "checkpoint"


class Shelf:
    """A folder that mirrors the log of one store. Files have mode 0644: all of it is public."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, path: str) -> bytes | None:
        """The bytes of a tile, bundle or checkpoint; None when there are none. Raises `Unavailable`."""
        try:
            return (self._folder / path).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _failed() from error

    def published(self) -> Checkpoint | None:
        """The checkpoint that readers see; None before the first. Raises `Unavailable` when it cannot be read."""
        data = self.read(CHECKPOINT)
        if data is None:
            return None
        try:
            return Checkpoint.parse(Note.parse(data).text)
        except SigningError as error:
            raise _broken(
                "log.file", say("The file log/checkpoint cannot be read. Restore it, or remove the folder log.")
            ) from error

    def refuse_ahead(self, session: Session) -> None:
        """Raises `Unavailable` when the files know more than the store, or something else.

        That is how a store looks that came back from an old backup: to seal anything in it would make a second history
        beside the one that others have seen.
        """
        published = self.published()
        if published is None:
            return
        known = session.get(LogCheckpoint, published.size)
        if known is None:
            size = session.scalar(select(LogHead.size)) or 0
            raise _broken(
                "log.rolled-back",
                say(
                    "The log was published up to entry %(published)d, but the store knows %(known)d. "
                    "It is an old copy, rolled back by %(behind)d: restore the newest backup.",
                    published=published.size,
                    known=size,
                    behind=published.size - size,
                ),
            )
        if known.root != published.root:
            raise _broken(
                "log.fork",
                say(
                    "The store holds another history than the one that was published. Restore the store that belongs "
                    "to the published log."
                ),
            )

    def catch_up(self, session: Session) -> int:
        """Publish every checkpoint of the store that is not yet; how many there were. Raises `Unavailable`."""
        with self._alone():
            return self._catch_up(session)

    def _catch_up(self, session: Session) -> int:
        published = self.published()
        size = published.size if published else 0
        behind = session.scalars(
            select(LogCheckpoint).where(LogCheckpoint.size > size).order_by(LogCheckpoint.size)
        ).all()
        for checkpoint in behind:
            self._write_tiles(session, size, checkpoint.size)
            size = checkpoint.size
        if behind:
            self._write(CHECKPOINT, note_of(session, behind[-1]).encode())
        return len(behind)

    def refresh(self, session: Session) -> None:
        """Show the published checkpoint with the cosignatures that are there by now."""
        with self._alone():
            published = self.published()
            checkpoint = session.get(LogCheckpoint, published.size) if published else None
            if checkpoint is not None:
                self._write(CHECKPOINT, note_of(session, checkpoint).encode())

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One process at a time: the checkpoint that readers see never goes back."""
        try:
            self._folder.mkdir(mode=0o755, parents=True, exist_ok=True)
            descriptor = os.open(self._folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise _failed() from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _write_tiles(self, session: Session, old: int, new: int) -> None:
        for tile in tiles.growth(old, new):
            if tile.level == ENTRIES:
                self._write(tile.path, tiles.encode_bundle(list(_envelopes(session, tile))))
        leaves = select(LogEntry.leaf_hash).where(LogEntry.index >= old, LogEntry.index < new).order_by(LogEntry.index)
        hashes = [found for found in session.scalars(leaves) if found is not None]
        for tile, data in tiles.grow(self.read, old, hashes):
            self._write(tile.path, data)

    def _write(self, path: str, data: bytes) -> None:
        """Write aside, sync, rename, sync the folder: nobody ever reads a part of a file."""
        final = self._folder / path
        aside = final.with_name(f".{secrets.token_hex(8)}")
        try:
            final.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
            descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(aside, final)
            _sync(final.parent)
        except OSError as error:
            raise _failed() from error
        finally:
            aside.unlink(missing_ok=True)


def note_of(session: Session, checkpoint: LogCheckpoint) -> str:
    """The checkpoint as a signed note: the log's own signature, then the cosignatures in the order of their names."""
    lines = session.scalars(
        select(LogCosignature.line).where(LogCosignature.size == checkpoint.size).order_by(LogCosignature.witness)
    )
    return checkpoint.note + "".join(f"{line}\n" for line in lines)


def _envelopes(session: Session, tile: Tile) -> Iterator[bytes]:
    start = tile.index * tiles.WIDTH
    query = select(LogEntry.envelope).where(LogEntry.index >= start, LogEntry.index < start + tile.width)
    for envelope in session.scalars(query.order_by(LogEntry.index)):
        assert envelope is not None
        yield envelope.encode()


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _failed() -> Unavailable:
    return _broken("log.store", say("The log's files cannot be read or written just now. Try again in a few minutes."))


def _broken(rule: str, sentence: Message) -> Unavailable:
    return Unavailable(Problem(None, rule, sentence))
