# ruff: noqa: PT012 - an error has to pass through the end of a transaction, so both stand in one block
from __future__ import annotations

import fcntl
import sqlite3
import subprocess
import sys
from pathlib import Path
from threading import Barrier, Thread

import pytest
from makers import AT, a_supplier, rows, settings_of
from sqlalchemy import func, insert, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError, InternalError, OperationalError
from sqlalchemy.orm import Session

from lotseal.trace.db import engines
from lotseal.trace.db.base import UtcDateTime
from lotseal.trace.db.engines import open_sqlite
from lotseal.trace.items.models import Item
from lotseal.trace.products.models import Category
from lotseal.trace.suppliers.models import Supplier
from lotseal.trace.system import System


def a_category(code: str = "tea") -> Category:
    return Category(code=code, name_zh="茶", name_en="Tea", requires_lab_test=True)


def test_what_a_block_wrote_is_there_afterwards(system: System) -> None:
    with system.main.write() as session:
        session.add(a_category())
    with system.main.read() as session:
        assert rows(session, Category) == 1


def test_a_block_that_raises_leaves_nothing(system: System) -> None:
    with pytest.raises(ZeroDivisionError), system.main.write() as session:
        session.add(a_category())
        session.flush()
        raise ZeroDivisionError
    with system.main.read() as session:
        assert rows(session, Category) == 0


def test_a_reader_cannot_write(system: System) -> None:
    with pytest.raises((OperationalError, InternalError), match=r"readonly|read-only"), system.main.read() as session:
        session.add(a_category())
        session.flush()


def test_a_reader_sees_one_state_until_it_ends(system: System) -> None:
    with system.main.read() as reader:
        assert rows(reader, Category) == 0
        with system.main.write() as session:
            session.add(a_category())
        assert rows(reader, Category) == 0
    with system.main.read() as reader:
        assert rows(reader, Category) == 1


def test_foreign_keys_are_enforced(system: System) -> None:
    with pytest.raises(IntegrityError), system.main.write() as session:
        session.execute(insert(Item).values(serial="A", batch_id=404, run_id=404, issued_at=AT))


def test_a_savepoint_undoes_only_what_came_after_it(system: System) -> None:
    with system.main.write() as session:
        session.add(a_category("kept"))
        session.flush()
        with pytest.raises(ZeroDivisionError), session.begin_nested():
            session.add(a_category("undone"))
            session.flush()
            raise ZeroDivisionError
        session.add(a_category("after"))
    with system.main.read() as session:
        assert set(session.scalars(select(Category.code))) == {"kept", "after"}


def test_a_moment_needs_its_offset_and_comes_back_in_utc(system: System) -> None:
    with system.main.write() as session:
        supplier = a_supplier(session)
        supplier.suspended_at = AT
    with system.main.read() as session:
        assert session.scalars(select(Supplier.suspended_at)).one() == AT
        assert session.scalar(select(func.count()).where(Supplier.suspended_at <= AT)) == 1
    with pytest.raises(ValueError, match="offset"):
        UtcDateTime().process_bind_param(AT.replace(tzinfo=None), system.main.write_engine.dialect)


def test_writing_outside_the_lock_is_refused(sqlite_system: System) -> None:
    with (
        pytest.raises(RuntimeError, match="holds the writer lock"),
        Session(sqlite_system.main.write_engine) as session,
    ):
        session.add(a_category())
        session.flush()


def test_a_write_inside_a_write_is_refused_instead_of_waiting_for_itself(sqlite_system: System) -> None:
    with (
        sqlite_system.main.write(),
        pytest.raises(RuntimeError, match="inside another one"),
        sqlite_system.main.write(),
    ):
        pass


def test_the_lock_is_free_again_after_an_error(sqlite_system: System) -> None:
    with pytest.raises(ZeroDivisionError), sqlite_system.main.write():
        raise ZeroDivisionError
    with sqlite_system.main.write() as session:
        session.add(a_category())


def test_no_other_connection_of_another_program_slips_in_while_a_writer_is_at_work(sqlite_system: System) -> None:
    path = sqlite_system.settings.data / "lotseal.db"
    with sqlite_system.main.write() as session:
        rows(session, Category)
        other = sqlite3.connect(path, timeout=0)
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
        other.close()


def test_a_writer_holds_the_lock_file_from_other_processes_and_lets_it_go(sqlite_system: System) -> None:
    with (sqlite_system.settings.data / "lotseal.db.lock").open("w") as file:
        with sqlite_system.main.write(), pytest.raises(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_every_guard_shows_in_the_doctor(sqlite_system: System) -> None:
    facts = engines.guards(sqlite_system.main)
    version = facts.pop("sqlite_version")
    assert version == sqlite3.sqlite_version
    assert facts == {
        "reader.query_only": "1",
        "reader.wal_autocheckpoint": "0",
        "writer.journal_mode": "wal",
        "writer.synchronous": "2",
        "writer.foreign_keys": "1",
        "writer.lock": "held",
    }


def test_the_doctor_names_the_version_of_postgresql(postgres_system: System) -> None:
    assert engines.guards(postgres_system.main)["server_version"].startswith("18")


def test_any_spelling_of_a_postgresql_address_opens(postgres_system: System) -> None:
    url = postgres_system.settings.database_url
    assert url.startswith("postgresql://")
    for scheme in ("postgres", "postgresql", "postgresql+psycopg"):
        database = engines.open_postgres(url.replace("postgresql", scheme, 1))
        with database.read() as session:
            assert session.scalar(text("SELECT 1")) == 1
        database.dispose()


ROUNDS = 200
PROCESSES = 4


# Reads the highest number, then inserts the next one: this loses or repeats a number unless writers take turns.
RACE = """
import sys
from pathlib import Path
from sqlalchemy import text
from lotseal.trace.db.engines import open_sqlite

database = open_sqlite(Path(sys.argv[1]))
for _ in range(int(sys.argv[2])):
    with database.write() as session:
        highest = session.scalar(text("SELECT coalesce(max(n), 0) FROM race"))
        session.execute(text("INSERT INTO race (n) VALUES (:n)"), {"n": highest + 1})
"""


def test_four_processes_number_their_rows_without_an_error_or_a_gap(tmp_path: Path) -> None:
    path = tmp_path / "race.db"
    database = open_sqlite(path)
    with database.write() as session:
        session.execute(text("CREATE TABLE race (n INTEGER)"))
    runs = [subprocess.Popen([sys.executable, "-c", RACE, str(path), str(ROUNDS)]) for _ in range(PROCESSES)]
    assert [run.wait() for run in runs] == [0] * PROCESSES
    with database.read() as session:
        assert list(session.scalars(text("SELECT n FROM race ORDER BY n"))) == list(range(1, PROCESSES * ROUNDS + 1))
        assert session.scalar(text("PRAGMA integrity_check")) == "ok"
    database.dispose()


def test_threads_take_turns_too(sqlite_system: System) -> None:
    start = Barrier(8)

    def write(name: int) -> None:
        start.wait()
        for round_ in range(5):
            with sqlite_system.main.write() as session:
                session.add(a_category(f"c{name}-{round_}-{rows(session, Category)}"))

    threads = [Thread(target=write, args=(name,)) for name in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with sqlite_system.main.read() as session:
        numbers = sorted(int(code.rsplit("-", 1)[1]) for code in session.scalars(select(Category.code)))
    assert numbers == list(range(40))


def test_a_store_that_is_not_there_says_so(tmp_path: Path) -> None:
    database = open_sqlite(tmp_path / "nowhere" / "lotseal.db")
    with pytest.raises(DBAPIError), database.read() as session:
        session.scalar(text("SELECT 1"))
    database.dispose()


def test_a_fresh_data_folder_is_closed_to_others(tmp_path: Path) -> None:
    from lotseal.trace.system import open_system

    system = open_system(settings_of(tmp_path / "new" / "data"))
    system.close()
    assert (tmp_path / "new" / "data").stat().st_mode & 0o777 == 0o700
