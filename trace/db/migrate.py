"""Bring both stores to today's schema. Run by a command, never at import."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from .engines import Database

SCRIPTS = Path(__file__).parent / "migrations"
STORES = ("main", "scans")


def config(store: str, database: Database) -> Config:
    """Alembic's configuration for one store; both may share a PostgreSQL database, so each has its version table."""
    made = Config()
    made.set_main_option("script_location", str(SCRIPTS / store).replace("%", "%%"))
    made.attributes.update(database=database, version_table=version_table(store))
    return made


def version_table(store: str) -> str:
    return f"alembic_version_{store}"


def upgrade(store: str, database: Database, revision: str = "head") -> None:
    command.upgrade(config(store, database), revision)


def downgrade(store: str, database: Database, revision: str = "base") -> None:
    command.downgrade(config(store, database), revision)


def current(store: str, database: Database) -> str | None:
    """The revision the store is at, None when it was never migrated."""
    with database.read_engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": version_table(store)})
        return context.get_current_revision()


def head(store: str) -> str | None:
    made = Config()
    made.set_main_option("script_location", str(SCRIPTS / store).replace("%", "%%"))
    return ScriptDirectory.from_config(made).get_current_head()


def pending(databases: dict[str, Database]) -> list[str]:
    """Names of the stores that are not at today's schema."""
    return [store for store, database in databases.items() if current(store, database) != head(store)]
