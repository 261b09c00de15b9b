"""What a loss of power can leave of SQLite's write-ahead log: cut off at any byte, or with other bytes in it.

A story is told to a real store: suppliers are added, the log is sealed and published, and after each commit it is noted
how long the write-ahead log was. A copy that is taken in the middle of the next transaction is then damaged and opened
again. It must hold exactly what was committed before the damage: never less, and nothing in part. And a log whose files
know more than the store goes on no more, instead of telling another history.
"""

from __future__ import annotations

import random
import shutil
import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import makers
import pytest
from fault_outsider import Outsider
from makers import a_supplier, settings_of
from sqlalchemy import select, text

from lotseal.trace.errors import Unavailable
from lotseal.trace.keys.ring import KeyRing
from lotseal.trace.log.models import LogCheckpoint, LogEntry
from lotseal.trace.log.sequencer import Sequencer
from lotseal.trace.log.shelf import Shelf
from lotseal.trace.suppliers.models import Supplier
from lotseal.trace.system import System, open_system

STORE, WAL, INDEX = "lotseal.db", "lotseal.db-wal", "lotseal.db-shm"
HEADER, FRAME_HEADER = 32, 24
BEFORE_RESET = 900
"""Frames; SQLite moves them into the store's file at a thousand, and begins the write-ahead log anew."""
AFTER_RESET = 250
KINDS = ("cut", "flip", "zeros", "noise")


@dataclass(frozen=True)
class Moment:
    """What was committed when the write-ahead log of this generation ended at `end`."""

    salt: bytes
    end: int
    suppliers: int
    sealed: int
    published: int


@dataclass(frozen=True)
class Copy:
    """The files as they lay on the disk at one moment, and the moments that they can be thrown back to."""

    folder: Path
    moments: list[Moment]
    ends: list[int]
    """Where each frame ends."""


def frames(wal: bytes) -> tuple[bytes, list[int], int]:
    """Salt, where each frame of this generation ends, and where the last committed one does
    (sqlite.org/fileformat2.html, section 4)."""
    size, salt = struct.unpack(">I", wal[8:12])[0], wal[16:24]
    ends, committed, place = [], HEADER, HEADER
    while place + FRAME_HEADER + size <= len(wal) and wal[place + 8 : place + 16] == salt:
        commit = wal[place + 4 : place + 8] != b"\0\0\0\0"
        place += FRAME_HEADER + size
        ends.append(place)
        committed = place if commit else committed
    return salt, ends, committed


class Story:
    """Tells the story and keeps two copies: one before and one after the write-ahead log was begun anew."""

    def __init__(self, system: System, folder: Path) -> None:
        self.system, self.folder = system, folder
        self.data = system.settings.data
        self.ring: KeyRing = system.ring
        self.suppliers: list[str] = []
        self.leaves: list[bytes] = []
        self.logs: dict[int, Path] = {}
        """The published files by the size of the log."""
        self._moments: list[Moment] = []
        self._sealed = 0
        with system.main.lock.held(), system.main.write_engine.connect() as connection:  # type: ignore[union-attr]  # SQLite
            connection.exec_driver_sql("COMMIT")
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        with system.main.read() as session:
            self.before = makers.rows(session, LogEntry)
        self.copies = list(self._tell())
        with system.main.read() as session:
            query = select(LogEntry.leaf_hash).where(LogEntry.index.is_not(None)).order_by(LogEntry.index)
            self.leaves = [leaf for leaf in session.scalars(query) if leaf]
            self.policy = system.log_policy(session).encode()

    def _tell(self) -> Iterator[Copy]:
        first = True
        begun = b""
        while True:
            for _ in range(3):
                self._add()
            self._seal()
            salt, ends, _committed = self._wal()
            if first and len(ends) > BEFORE_RESET:
                first, begun = False, salt
                yield self._copied("before")
            if not first and salt != begun and len(ends) > AFTER_RESET:
                yield self._copied("after")
                return

    def _add(self) -> None:
        with self.system.main.write() as session:
            supplier = a_supplier(session)
            ref = supplier.ref
        self.suppliers.append(ref)
        self._note()

    def _seal(self) -> None:
        """Two commits come of it: nobody writes beside this process, so the seal is the last one."""
        before = self._sealed
        self._sealed += self.system.sequencer().run_once()
        self._note(published=before)
        self.logs[self._sealed] = Path(shutil.copytree(self.data / "log", self.folder / f"log-{self._sealed}"))

    def _note(self, published: int | None = None) -> None:
        salt, _ends, committed = self._wal()
        shown = self._sealed if published is None else published
        self._moments.append(Moment(salt, committed, len(self.suppliers), self._sealed, shown))

    def _wal(self) -> tuple[bytes, list[int], int]:
        return frames((self.data / WAL).read_bytes())

    def _copied(self, name: str) -> Copy:
        folder = self.folder / name
        with self.system.main.write() as session:
            a_supplier(session)
            folder.mkdir()
            for file in (STORE, WAL, INDEX):
                shutil.copy(self.data / file, folder / file)
            session.rollback()
        salt, ends, _committed = frames((folder / WAL).read_bytes())
        base = [moment for moment in self._moments if moment.salt != salt]
        start = Moment(salt, 0, 0, 0, 0)
        if base:
            # What an earlier generation held was moved into the store's file before this one began.
            start = replace(base[-1], salt=salt, end=0)
        return Copy(folder, [start, *(moment for moment in self._moments if moment.salt == salt)], ends)

    # --- the other end ------------------------------------------------------------------------------------------------

    def cuts(self, count: int, seed: int) -> Iterator[tuple[Copy, str, int]]:
        """Every frame's end as often as it takes, then any byte; the kinds of damage in turns."""
        chosen = random.Random(seed)
        places = [(copy, end) for copy in self.copies for end in copy.ends]
        chosen.shuffle(places)
        for number in range(count):
            if number < count // 2 and number < len(places):
                copy, place = places[number]
                yield copy, "cut", place
            else:
                copy = chosen.choice(self.copies)
                yield copy, KINDS[number % len(KINDS)], chosen.randrange(copy.ends[-1])

    def open_damaged(self, copy: Copy, kind: str, place: int) -> str:
        """What came of it, in one word. Raises `AssertionError` or `SigningError` for what must not come of it."""
        data = self.folder / "data"
        shutil.rmtree(data, ignore_errors=True)
        data.mkdir(mode=0o700)
        shutil.copy(copy.folder / STORE, data / STORE)
        if place % 2:
            shutil.copy(copy.folder / INDEX, data / INDEX)
        whole = (copy.folder / WAL).read_bytes()
        damaged, same = _damage(whole, kind, place)
        (data / WAL).write_bytes(damaged)
        moment = _survives(copy, same)
        if moment.published:
            shutil.copytree(self.logs[moment.published], data / "log")
        system = replace(open_system(settings_of(data)), ring=self.ring)
        try:
            self._look(system, moment)
            return self._go_on(system, copy, moment)
        finally:
            system.close()

    def _look(self, system: System, moment: Moment) -> None:
        with system.main.write() as session:
            assert session.scalar(text("PRAGMA integrity_check")) == "ok"
            assert session.execute(text("PRAGMA foreign_key_check")).all() == []
            refs = list(session.scalars(select(Supplier.ref).order_by(Supplier.id)))
            assert refs == self.suppliers[: moment.suppliers]
            entries = session.scalars(select(LogEntry).order_by(LogEntry.id)).all()
            assert len(entries) == self.before + len(refs), "each fact has its entry"
            leaves = [entry.leaf_hash for entry in entries if entry.index is not None]
            assert leaves == self.leaves[: moment.sealed]
            shown = session.scalars(select(LogCheckpoint.size).order_by(LogCheckpoint.size)).all()
            assert (shown or [0])[-1] == moment.sealed

    def _go_on(self, system: System, copy: Copy, moment: Moment) -> str:
        """With the files as they were published then, the log goes on. With the newest ones it goes on only when the
        store knows of them."""
        newest = copy.moments[-1].published
        word = "goes on"
        if moment.sealed < newest:
            word = "refused"
            self._refuses(system, self.logs[newest])
        seen = Outsider(self.policy)
        if moment.published:
            seen.see((self.logs[moment.published] / "checkpoint").read_bytes())
        system.sequencer().run_once()
        last = seen.follow(system.shelf.read)
        assert (last.size if last else 0) == self.before + moment.suppliers
        return word

    def _refuses(self, system: System, files: Path) -> None:
        shelf = Shelf(files)
        before = shelf.read("checkpoint")
        with pytest.raises(Unavailable) as refused:
            Sequencer(system.main, shelf, system.settings.log_origin, system._log_signer).run_once()
        assert makers.rules(refused) == [(None, "log.rolled-back")]
        assert shelf.read("checkpoint") == before


def _damage(whole: bytes, kind: str, place: int) -> tuple[bytes, int]:
    """The damaged bytes, and the first place where they differ or end."""
    if kind == "cut":
        return whole[:place], place
    rest = len(whole) - place
    other = {
        "flip": lambda: bytes([whole[place] ^ 0x55]) + whole[place + 1 :],
        "zeros": lambda: bytes(rest),
        "noise": lambda: random.Random(place).randbytes(rest),
    }[kind]()
    same = next((at for at in range(rest) if other[at] != whole[place + at]), rest)
    return whole[:place] + other, place + same


def _survives(copy: Copy, same: int) -> Moment:
    """The last moment whose frames are all whole; none are behind a header that is not."""
    return [moment for moment in copy.moments if moment.end <= (same if same >= HEADER else 0)][-1]
