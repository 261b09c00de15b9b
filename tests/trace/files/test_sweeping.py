"""Stored bytes that no row names are taken away after a day, and nothing else is."""

from __future__ import annotations

import os
from datetime import timedelta

import makers
from makers import AT

from lotseal.trace.certificates.models import Certificate
from lotseal.trace.system import NAMING_FILES, System
from lotseal.trace.tables import METADATA

NO_FILES = {
    ("login_session", "token_hash"),
    ("code_run", "root"),
    ("credential", "sha256"),
    ("laboratory_root", "sha256"),
    ("status_list", "sha256"),
    ("item", "signature"),
    ("log_entry", "actor_sha256"),
    ("release", "sha256"),
    ("release", "signature"),
}
"""Columns of 64 characters or bytes that hold something else than the name of a stored file."""


def put(system: System, data: bytes, *, age: timedelta) -> str:
    name = system.storage.put(data).sha256
    os.utime(system.storage.path(name), times=((AT - age).timestamp(),) * 2)
    return name


def test_bytes_without_a_row_go_after_a_day_and_not_before(sqlite_system: System) -> None:
    old = put(sqlite_system, b"old", age=timedelta(days=2))
    new = put(sqlite_system, b"new", age=timedelta(hours=1))
    assert sqlite_system.sweeper().run_once(at=AT) == 1
    assert not sqlite_system.storage.exists(old)
    assert sqlite_system.storage.exists(new)


def test_what_a_row_names_stays_however_old(system: System) -> None:
    name, page = (put(system, data, age=timedelta(days=900)) for data in (b"report", b"page"))
    with system.main.write() as session:
        certificate: Certificate = makers.a_certificate(session, makers.a_batch(session))
        certificate.file.sha256 = name
        certificate.file.page_images = [{"sha256": page, "width": 1, "height": 1, "size": 1}]
    assert system.sweeper().run_once(at=AT) == 0
    system.storage.verify(name)
    system.storage.verify(page)


def test_bytes_that_are_put_again_while_the_sweep_looks_stay(sqlite_system: System) -> None:
    name = put(sqlite_system, b"twice", age=timedelta(days=2))
    sqlite_system.storage.put(b"twice")
    assert not sqlite_system.storage.delete_orphan(name, before=AT - timedelta(days=1))
    sqlite_system.storage.verify(name)


def test_every_column_that_can_name_a_file_is_known_to_the_sweep() -> None:
    """A new column with hashes is either in `NAMING_FILES` or names no file."""
    known = {(column.class_.__tablename__, column.key) for column in NAMING_FILES}
    there = {
        (table.name, column.name)
        for metadata in METADATA.values()
        for table in metadata.tables.values()
        for column in table.columns
        if getattr(column.type, "length", None) == 64
    }
    assert there == known | NO_FILES
