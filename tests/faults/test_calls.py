"""Every call that appending, sealing, publishing and storing make can fail in two ways: it fails and nothing of it is
there, or it fails although it was done. Afterwards the same is tried again, as people and the sequencer do."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import makers
import psycopg
import pytest
from fault_outsider import Outsider
from makers import a_supplier
from sqlalchemy import Engine, select
from sqlalchemy.exc import DBAPIError

from lotseal.signing import tiles
from lotseal.signing.ed25519 import Ed25519Key
from lotseal.trace.errors import Unavailable
from lotseal.trace.files import storage as storage_module
from lotseal.trace.files.storage import LocalStorage
from lotseal.trace.log import shelf as shelf_module
from lotseal.trace.log.models import LogCheckpoint, LogEntry, LogHead
from lotseal.trace.suppliers.models import Supplier
from lotseal.trace.system import System

WAYS = ("failed and lost", "failed but persisted")


class Faulty:
    """Counts the calls of one scenario by name, and lets one of them fail: before it does anything, or after."""

    def __init__(self, fail: tuple[str, int] | None = None, way: str = WAYS[0]) -> None:
        self.calls: list[tuple[str, int]] = []
        self._fail, self._way = fail, way

    def wrapped(self, name: str, call: Callable[..., Any], error: Callable[[], Exception]) -> Callable[..., Any]:
        def instead(*arguments: Any, **more: Any) -> Any:
            here = (name, sum(1 for called, _ in self.calls if called == name))
            self.calls.append(here)
            if here != self._fail:
                return call(*arguments, **more)
            if self._way == "failed but persisted":
                call(*arguments, **more)
            raise error()

        return instead


def _disk() -> OSError:
    return OSError(5, "Input/output error")


def _signer() -> OSError:
    return OSError(5, "the token does not answer")


@contextmanager
def faults(system: System, faulty: Faulty) -> Iterator[None]:
    """Every call to the disk by the shelf and the storage, every commit, every signature of the log key."""
    refused = sqlite3.OperationalError if system.main.dialect == "sqlite" else psycopg.OperationalError
    with pytest.MonkeyPatch.context() as patched:
        for name, module in (("shelf", shelf_module), ("storage", storage_module)):
            patched.setattr(module, "os", _disk_of(faulty, name))
        patched.setattr(Path, "mkdir", faulty.wrapped("mkdir", Path.mkdir, _disk))
        patched.setattr(Ed25519Key, "sign", faulty.wrapped("log key", Ed25519Key.sign, _signer))
        engine: Engine = system.main.write_engine
        commit = faulty.wrapped("commit", engine.dialect.do_commit, lambda: refused("disk I/O error"))
        patched.setattr(engine.dialect, "do_commit", commit)
        yield


def _disk_of(faulty: Faulty, who: str) -> SimpleNamespace:
    """`os` as the module sees it, with its writing calls counted."""
    made = SimpleNamespace(**vars(os))
    for name in ("open", "fsync", "replace"):
        setattr(made, name, faulty.wrapped(f"{who} {name}", getattr(os, name), _disk))

    def fdopen(*arguments: Any, **more: Any) -> Any:
        file = os.fdopen(*arguments, **more)
        return _File(file, faulty, who)

    made.fdopen = fdopen
    return made


class _File:
    """An open file whose writes and flushes are counted."""

    def __init__(self, file: Any, faulty: Faulty, who: str) -> None:
        self._file = file
        self.write = faulty.wrapped(f"{who} write", file.write, _disk)
        self.flush = faulty.wrapped(f"{who} flush", file.flush, _disk)
        self.fileno = file.fileno

    def __enter__(self) -> _File:
        return self

    def __exit__(self, *_error: object) -> None:
        self._file.close()


# --- the log ----------------------------------------------------------------------------------------------------------


class Desk:
    """Adds suppliers and remembers which of them were acknowledged."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.acknowledged: set[str] = set()

    def add(self) -> None:
        with self.system.main.write() as session:
            ref = a_supplier(session).ref
        self.acknowledged.add(ref)

    def work(self) -> None:
        """Two acts, then the log; whoever is refused tries again later."""
        for _ in range(2):
            with suppress(DBAPIError, OSError):
                self.add()
        with suppress(DBAPIError, OSError, Unavailable):
            self.system.sequencer().run_once()


def calls_of(system: System, work: Callable[[], object]) -> list[tuple[str, int]]:
    """What the scenario calls when nothing fails."""
    counting = Faulty()
    with faults(system, counting):
        work()
    return counting.calls


def check(system: System, desk: Desk, outsider: Outsider) -> None:
    """Nothing acknowledged is lost, nothing is there in part, and the log is one history in the bytes it must have."""
    with system.main.read() as session:
        suppliers = set(session.scalars(select(Supplier.ref)))
        entries = session.scalars(select(LogEntry).order_by(LogEntry.index)).all()
        head = session.get_one(LogHead, 1)
        notes = {row.size: row.note for row in session.scalars(select(LogCheckpoint))}
    assert desk.acknowledged <= suppliers
    assert {entry.chain.partition(":")[2] for entry in entries} == suppliers
    assert [entry.index for entry in entries] == list(range(head.size)) == list(range(len(suppliers)))
    newest = outsider.follow(system.shelf.read)
    assert newest is not None
    assert newest.size == head.size
    assert (system.shelf.read("checkpoint") or b"").decode() == notes[head.size]
    for tile in tiles.growth(0, head.size):
        if tile.level == tiles.ENTRIES:
            part = entries[tile.index * tiles.WIDTH :][: tile.width]
            assert system.shelf.read(tile.path) == tiles.encode_bundle([(one.envelope or "").encode() for one in part])
    assert not [path for path in system.settings.log_folder.rglob(".*") if path.name != ".lock"]


@pytest.mark.parametrize("way", WAYS)
def test_no_call_of_appending_sealing_and_publishing_can_lose_or_fork(system: System, way: str) -> None:
    desk = Desk(system)
    desk.work()
    with system.main.read() as session:
        outsider = Outsider(system.log_policy(session).encode())
    check(system, desk, outsider)
    table = calls_of(system, desk.work)
    assert {name for name, _ in table} == {
        "commit", "log key", "mkdir", "shelf open", "shelf write", "shelf flush", "shelf fsync", "shelf replace",
    }  # fmt: skip
    for cell in table:
        with faults(system, Faulty(cell, way)):
            desk.work()
        system.sequencer().run_once()
        check(system, desk, outsider)
    with system.main.read() as session:
        assert makers.rows(session, Supplier) >= 2 * len(table)
    newest = outsider.follow(system.shelf.read)
    assert newest is not None
    outsider.prove_all(system.shelf.read, newest)


# --- uploads ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS)
def test_no_call_of_the_storage_can_lose_or_halve_a_file(sqlite_system: System, tmp_path: Path, way: str) -> None:
    table = calls_of(sqlite_system, lambda: LocalStorage(tmp_path / "first").put(b"report"))
    assert {name for name, _ in table} == {
        "mkdir", "storage open", "storage write", "storage flush", "storage fsync", "storage replace",
    }  # fmt: skip
    opened = table.index(("storage open", 0))
    for number, cell in enumerate(table[opened:]):
        storage = LocalStorage(tmp_path / f"store {number}")
        # The store's own folder is made when it is opened, before anything is put.
        fail = (cell[0], cell[1] - sum(name == cell[0] for name, _ in table[:opened]))
        with faults(sqlite_system, Faulty(fail, way)), pytest.raises(Unavailable) as refused:
            storage.put(b"report")
        assert makers.rules(refused) == [("file", "file.store")], cell
        assert _half_files(storage) == [], cell
        storage.verify(storage.put(b"report").sha256)


def _half_files(storage: LocalStorage) -> list[Path]:
    """Files with a name that is not that of their bytes, and files aside."""
    found = [path for path in storage._root.rglob("*") if path.is_file()]
    wrong = []
    for path in found:
        if path.parent.name == "incoming":
            wrong.append(path)
            continue
        with suppress(Unavailable):
            storage.verify(path.name)
            continue
        wrong.append(path)
    return wrong
