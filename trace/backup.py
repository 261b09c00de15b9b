"""A copy of a whole data folder, made while the service runs.

What is written first is copied last, so that nothing in the copy names what is not in it:

- the log's checkpoint before its tiles, and both before the stores: a store that knows less than its log would not be
  sealed again;
- the look-ups before the main store: they name codes by number, and a later store gives the same numbers anew;
- keys and files after the store that names them.

Each store is copied by SQLite itself, as one reader sees it, whoever writes meanwhile.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from . import clock
from .db.engines import Database
from .errors import Message, Problem, Unavailable, conflict, invalid, say
from .log import reading
from .log.shelf import CHECKPOINT
from .settings import Settings
from .system import System, open_system

APART = ("log", "files")
"""Folders that are copied by a rule of their own; stores and locks are told by their names."""


@dataclass(frozen=True)
class Copied:
    """What a copy holds: all that was acknowledged before `at`, and maybe a little of what came after."""

    at: datetime
    entries: int
    """Sealed entries of the log; `waiting` are sealed when the copy is started."""
    waiting: int
    files: int
    missing: tuple[str, ...]
    """SHA-256 of files that the store names and the storage lacks, or has with other bytes."""


def copy(system: System, to: Path) -> Copied:
    """Copy the data folder of `system` to `to`, which must not be there yet; it appears when it is whole and synced.

    Raises `Conflict` when the stores are in PostgreSQL, `Invalid` for a place that is taken or inside the data folder,
    `Unavailable` when the disk does not take it or a copied store is damaged."""
    data, to = system.settings.data.resolve(), to.resolve()
    _refuse_place(system.settings, data, to)
    aside = to.with_name(f".{to.name}.{secrets.token_hex(8)}")
    try:
        aside.mkdir(mode=0o700, parents=True)
        copied = _fill(system, data, aside)
        # Once for everything costs less than once for each file.
        os.sync()
        aside.rename(to)
        os.sync()
    except (OSError, sqlite3.Error) as error:
        raise _failed(say("The copy could not be made: %(reason)s.", reason=error)) from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return copied


def _refuse_place(settings: Settings, data: Path, to: Path) -> None:
    if not settings.sqlite:
        raise conflict(
            "backup.postgresql",
            say(
                "The stores are in PostgreSQL. Run pg_dump first, then copy the data folder without its folder log, "
                "which is made again from the store."
            ),
        )
    if to.exists():
        raise invalid("to", "backup.exists", say("%(path)s is there already. Give the path of a new folder.", path=to))
    if to.is_relative_to(data):
        raise invalid("to", "backup.inside", say("%(path)s lies in the data folder. Give a path elsewhere.", path=to))


def _fill(system: System, data: Path, aside: Path) -> Copied:
    _copy_log(data / "log", aside / "log")
    _copy_store(system.scans, aside)
    at = clock.now()
    _copy_store(system.main, aside)
    for path in data.iterdir():
        if path.name not in APART and not _of_a_store(path.name):
            _copy_any(path, aside / path.name)
    twin = open_system(system.settings.model_copy(update={"data": aside}))
    try:
        for database in twin.databases.values():
            _refuse_damaged(database)
        named = twin.named_files()
        missing = tuple(sorted(name for name in named if not _copy_stored(system, twin, name)))
        with twin.main.read() as session:
            newest = reading.newest(session)
            return Copied(at, newest.size if newest else 0, reading.waiting(session), len(named), missing)
    finally:
        twin.close()


def _copy_log(source: Path, target: Path) -> None:
    if not source.exists():
        return
    target.mkdir(mode=0o755)
    if (source / CHECKPOINT).exists():
        shutil.copy2(source / CHECKPOINT, target / CHECKPOINT)
    # Files that begin with a dot are being written just now, or are the lock.
    tiles = shutil.ignore_patterns(".*")
    for path in source.iterdir():
        if path.is_dir():
            shutil.copytree(path, target / path.name, ignore=tiles)


def _copy_store(database: Database, folder: Path) -> None:
    with database.read_engine.connect() as connection:
        original = connection.connection.driver_connection
        assert isinstance(original, sqlite3.Connection)
        assert database.write_engine.url.database is not None
        with closing(sqlite3.connect(folder / Path(database.write_engine.url.database).name)) as target:
            # In one step: SQLite would begin anew after each commit of somebody else in between.
            original.backup(target)


def _of_a_store(name: str) -> bool:
    return name.endswith((".db", ".db-wal", ".db-shm", ".lock"))


def _copy_any(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target)
    elif source.is_file():
        shutil.copy2(source, target)


def _refuse_damaged(database: Database) -> None:
    try:
        with database.read_engine.connect() as connection:
            found = str(connection.execute(text("PRAGMA integrity_check")).scalar())
    except DBAPIError as error:
        found = str(error.orig)
    if found != "ok":
        raise _failed(say("SQLite finds the copied store damaged: %(reason)s.", reason=found))


def _copy_stored(system: System, twin: System, sha256: str) -> bool:
    """Whether the bytes are there as they were put. Changed ones are copied, too: better than none."""
    source, target = system.storage.path(sha256), twin.storage.path(sha256)
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        shutil.copy2(source, target)
    except FileNotFoundError:
        return False
    with target.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == sha256


def _failed(sentence: Message) -> Unavailable:
    return Unavailable(Problem("to", "backup.failed", sentence))
