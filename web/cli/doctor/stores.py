"""Schemas, guards and versions of both stores."""

from __future__ import annotations

from collections.abc import Iterator

from ....trace.db import engines, migrate
from ....trace.db.engines import Database
from ....trace.errors import say
from ....trace.system import System
from .check import Check, bad, ok

_WANTED = {
    "reader.query_only": "1",
    "reader.wal_autocheckpoint": "0",
    "writer.journal_mode": "wal",
    "writer.synchronous": "2",
    "writer.foreign_keys": "1",
    "writer.lock": "held",
}


def stores(system: System) -> Iterator[Check]:
    for name, database in system.databases.items():
        yield from _guards(name, database)
        now, head = migrate.current(name, database), migrate.head(name)
        if now == head:
            yield ok(f"migrations.{name}", say("Store %(name)s is at schema %(head)s.", name=name, head=head))
        else:
            yield bad(
                f"migrations.{name}",
                say(
                    "Store %(name)s is at schema %(now)s, not at %(head)s. Run «lotseal migrate».",
                    name=name,
                    now=now or "–",
                    head=head,
                ),
            )


def _guards(name: str, database: Database) -> Iterator[Check]:
    facts = engines.guards(database)
    if found := facts.get("server_version"):
        yield ok(f"version.{name}", say("Store %(name)s: PostgreSQL %(version)s", name=name, version=found))
        return
    for guard, wanted in _WANTED.items():
        value = facts.get(guard, "–")
        if value == wanted:
            yield ok(
                f"guard.{name}.{guard}",
                say("Store %(name)s: %(guard)s = %(value)s", name=name, guard=guard, value=value),
            )
        else:
            yield bad(
                f"guard.{name}.{guard}",
                say(
                    "Store %(name)s: %(guard)s is %(value)s and must be %(wanted)s. "
                    "Put the data folder on a local disk.",
                    name=name,
                    guard=guard,
                    value=value,
                    wanted=wanted,
                ),
            )
    yield wal_reset(name, facts["sqlite_version"], lock=facts.get("writer.lock") == "held")


def wal_reset(name: str, found: str, *, lock: bool) -> Check:
    """SQLite 3.7.0 to 3.51.2 can lose a commit while it resets the WAL, but for the repaired 3.44.6 and 3.50.7."""
    release = tuple(int(part) for part in found.split(".")[:3])
    repaired = release >= (3, 51, 3) or (3, 50, 7) <= release < (3, 51) or (3, 44, 6) <= release < (3, 45)
    word = f"version.{name}"
    if repaired:
        return ok(word, say("Store %(name)s: SQLite %(version)s", name=name, version=found))
    if lock:
        return ok(
            word,
            say(
                "Store %(name)s: SQLite %(version)s has the WAL-reset bug; the writer lock is held: fine.",
                name=name,
                version=found,
            ),
        )
    return bad(
        word,
        say(
            "Store %(name)s: SQLite %(version)s has the WAL-reset bug and the writer lock is not held. "
            "Take SQLite 3.51.3 or newer.",
            name=name,
            version=found,
        ),
    )
