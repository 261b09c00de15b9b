"""Two engines per store: one that only reads, one that writes under the guards of `lock`.

SQLite needs its guards: transactions start with BEGIN IMMEDIATE on the writing engine (SQLAlchemy issues it, not the
driver), foreign keys are enforced, reading connections never checkpoint, acknowledged writes are synced.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from ..settings import Settings
from .lock import WriterLock

BUSY_TIMEOUT_S = 20


class Database:
    """A store to read from and to write to; `settings` decide between SQLite and PostgreSQL."""

    def __init__(self, read: Engine, write: Engine, lock: WriterLock | None) -> None:
        self.read_engine = read
        self.write_engine = write
        self.lock = lock

    @property
    def dialect(self) -> str:
        return self.write_engine.dialect.name

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session that cannot write; it sees one consistent state until it ends."""
        with Session(self.read_engine) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A session whose transaction is committed at the end, or rolled back whole when the block raises."""
        held = self.lock.held() if self.lock else nullcontext()
        with held, Session(self.write_engine, expire_on_commit=False) as session, session.begin():
            yield session

    def dispose(self) -> None:
        self.read_engine.dispose()
        self.write_engine.dispose()


def open_main(settings: Settings) -> Database:
    """The main store: suppliers, products, batches, codes, certificates, jobs, acts."""
    if settings.sqlite:
        return open_sqlite(settings.data / "lotseal.db")
    return open_postgres(settings.database_url)


def open_scans(settings: Settings) -> Database:
    """The look-up store: its own SQLite file, or its own tables in PostgreSQL."""
    if settings.sqlite:
        return open_sqlite(settings.data / "scans.db")
    return open_postgres(settings.database_url)


def open_sqlite(path: Path) -> Database:
    """A SQLite store with every guard on. What it acknowledges is synced (FULL), look-ups too: the page says «counted»
    of them, and the group commit of `scans` makes the sync cheap."""
    lock = WriterLock(path.with_name(path.name + ".lock"))
    url = f"sqlite:///{path}"
    # Autocommit mode of the driver leaves BEGIN to the event below; without it races on one sequence fail.
    options: dict[str, Any] = {"isolation_level": None, "timeout": BUSY_TIMEOUT_S, "check_same_thread": False}
    write = create_engine(url, connect_args=options, pool_size=2)
    read = create_engine(url, connect_args=options, pool_size=16, max_overflow=48)

    @event.listens_for(write, "connect")
    def _prepare_writer(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")

    @event.listens_for(read, "connect")
    def _prepare_reader(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA query_only=ON")
        connection.execute("PRAGMA wal_autocheckpoint=0")
        connection.execute("PRAGMA foreign_keys=ON")

    @event.listens_for(write, "begin")
    def _begin_immediate(connection: Any) -> None:
        if not lock.mine:
            raise RuntimeError("write only inside Database.write(), which holds the writer lock")
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    @event.listens_for(read, "begin")
    def _begin(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN")

    return Database(read, write, lock)


def open_postgres(url: str) -> Database:
    """A PostgreSQL store; its readers are read-only transactions of one snapshot."""
    address = make_url(url)
    if address.drivername in ("postgresql", "postgres"):
        address = address.set(drivername="postgresql+psycopg")
    write = create_engine(address, pool_pre_ping=True)
    read = create_engine(address, pool_pre_ping=True, pool_size=16, max_overflow=48).execution_options(
        isolation_level="REPEATABLE READ", postgresql_readonly=True
    )
    return Database(read, write, None)


def guards(database: Database) -> dict[str, str]:
    """What `lotseal doctor` shows: the version and the state of each guard."""
    with database.read_engine.connect() as connection:
        if database.dialect != "sqlite":
            return {"server_version": str(connection.execute(text("SHOW server_version")).scalar())}
        facts = {"sqlite_version": str(connection.execute(text("SELECT sqlite_version()")).scalar())}
        facts["reader.query_only"] = str(connection.execute(text("PRAGMA query_only")).scalar())
        facts["reader.wal_autocheckpoint"] = str(connection.execute(text("PRAGMA wal_autocheckpoint")).scalar())
    assert database.lock is not None
    with database.lock.held(), database.write_engine.connect() as connection:
        for pragma in ("journal_mode", "synchronous", "foreign_keys"):
            facts[f"writer.{pragma}"] = str(connection.execute(text(f"PRAGMA {pragma}")).scalar())
        facts["writer.lock"] = "held"
    return facts
