from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from makers import Template, codes, released, settings_of
from sqlalchemy import inspect, select

from lotseal.trace.db import migrate
from lotseal.trace.db.engines import Database
from lotseal.trace.db.lock import WriterLock
from lotseal.trace.items.models import CodeRun
from lotseal.trace.releases.models import Release
from lotseal.trace.system import System, open_system
from lotseal.trace.tables import METADATA


@pytest.fixture(params=["sqlite", "postgresql"])
def bare(request: pytest.FixtureRequest, template: Template, tmp_path: Path) -> Iterator[System]:
    """A system whose stores are still empty."""
    if request.param == "sqlite":
        system = open_system(settings_of(tmp_path / "data"))
        yield system
        system.close()
        return
    with psycopg.connect(template.server.format("postgres"), autocommit=True) as server:
        name = f"bare_{id(request):x}"
        server.execute(f"CREATE DATABASE {name}")
        system = open_system(settings_of(tmp_path / "data", DATABASE_URL=template.server.format(name)))
        yield system
        system.close()
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")


def tables(database: Database) -> set[str]:
    return {name for name in inspect(database.read_engine).get_table_names() if not name.startswith("alembic")}


def wanted() -> set[str]:
    return {name for metadata in METADATA.values() for name in metadata.tables}


def there(system: System) -> set[str]:
    return tables(system.main) | tables(system.scans)


def test_up_down_and_up_again(bare: System) -> None:
    assert migrate.pending(bare.databases) == ["main", "scans"]
    bare.migrate()
    assert migrate.pending(bare.databases) == []
    assert there(bare) == wanted()
    for store, database in bare.databases.items():
        migrate.downgrade(store, database)
        assert migrate.current(store, database) is None
    assert there(bare) == set()
    bare.migrate()
    assert there(bare) == wanted()


def test_migrating_twice_changes_nothing(system: System) -> None:
    system.migrate()
    assert migrate.pending(system.databases) == []


def test_one_store_does_not_take_the_other_one_with_it(bare: System) -> None:
    bare.migrate()
    migrate.downgrade("scans", bare.scans)
    assert migrate.pending(bare.databases) == ["scans"]
    assert tables(bare.main) >= set(METADATA["main"].tables)


@pytest.mark.parametrize("store", migrate.STORES)
def test_the_models_equal_the_migrated_schema(system: System, store: str) -> None:
    database = system.databases[store]
    own = set(METADATA[store].tables)

    def of_this_store(name: str | None, kind: str, _parents: object) -> bool:
        return kind != "table" or name in own

    with database.read_engine.connect() as connection:
        options = {"compare_type": system.main.dialect == "postgresql", "include_name": of_this_store}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, METADATA[store]) == []


def test_migrating_keeps_what_is_there(system: System) -> None:
    with system.main.write() as session:
        ref = released(session, system.ring).ref
    system.migrate()
    with system.main.read() as session:
        assert session.query(Release).count() == 1
        assert ref


def test_a_migration_that_breaks_leaves_the_store_as_it_was(bare: System, monkeypatch: pytest.MonkeyPatch) -> None:
    import alembic.op

    create = alembic.op.create_table

    def break_at_items(name: str, *columns: object, **options: object) -> object:
        if name == "item":
            raise ZeroDivisionError
        return create(name, *columns, **options)  # type: ignore[arg-type]  # passed through as they came

    monkeypatch.setattr(alembic.op, "create_table", break_at_items)
    with pytest.raises(ZeroDivisionError):
        migrate.upgrade("main", bare.main)
    assert tables(bare.main) == set()
    assert migrate.current("main", bare.main) is None


def test_migrating_waits_for_the_writer_lock(sqlite_system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    held = []
    real = WriterLock.held
    monkeypatch.setattr(WriterLock, "held", lambda self: (held.append(self), real(self))[1])
    migrate.upgrade("main", sqlite_system.main)
    assert held == [sqlite_system.main.lock]


def test_runs_of_codes_that_are_there_get_the_numbers_of_their_batch(system: System) -> None:
    with system.main.write() as session:
        batch = released(session, system.ring, lot="LOT-7")
    codes(system, batch)
    migrate.downgrade("main", system.main, "0001")
    migrate.upgrade("main", system.main)
    with system.main.read() as session:
        [run] = session.scalars(select(CodeRun))
        assert (run.gtin, run.lot) == (batch.product.gtin, "LOT-7")
