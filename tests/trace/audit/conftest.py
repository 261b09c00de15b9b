"""One store for each database and module, so that a thousand tests need not live through it all again."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from dataclasses import replace

import psycopg
import pytest
from audit_store import Store, live
from makers import Template, settings_of

from lotseal.trace.keys.ring import KeyRing
from lotseal.trace.system import open_system

TEMPLATE = "lotseal_template"


@pytest.fixture(scope="module")
def sqlite_story(template: Template, ring: KeyRing, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    data = tmp_path_factory.mktemp("story") / "data"
    shutil.copytree(template.data, data)
    system = replace(open_system(settings_of(data)), ring=ring)
    live(system)
    yield Store(system)
    system.close()


@pytest.fixture(scope="module")
def postgres_story(template: Template, ring: KeyRing, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    data, name = tmp_path_factory.mktemp("story") / "data", f"t_{secrets.token_hex(8)}"
    shutil.copytree(template.data, data, ignore=shutil.ignore_patterns("*.db*"))
    with psycopg.connect(template.server.format("postgres"), autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
        system = replace(open_system(settings_of(data, DATABASE_URL=template.server.format(name))), ring=ring)
        live(system)
        yield Store(system)
        system.close()
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def story(request: pytest.FixtureRequest) -> Store:
    made: Store = request.getfixturevalue("sqlite_story" if request.param == "sqlite" else "postgres_story")
    return made
