"""Since when others can know of a release, and what asking the log costs a look-up: one statement."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import makers
import pytest
from makers import AT, a_batch, a_certificate, a_visitor, release
from sqlalchemy import event, select

from lotseal.trace.log import reading
from lotseal.trace.log.models import LogCheckpoint, LogCosignature, LogEntry, LogTimestamp
from lotseal.trace.passport import service
from lotseal.trace.passport.model import Logged
from lotseal.trace.system import System

LATER, LATEST = AT + timedelta(minutes=1), AT + timedelta(minutes=9)


def a_release(system: System, time: Any, *, sealed: bool = True) -> makers.Printed:
    with system.main.write() as session:
        batch = a_batch(session)
        a_certificate(session, batch)
        release(session, batch, system.ring)
    [code] = makers.codes(system, batch)
    if sealed:
        system.sequencer().run_once()
    return code


def logged(system: System, code: makers.Printed) -> Logged | None:
    found = service.look_up(system.desk, code.asked(), a_visitor(), at=AT, count=False)
    assert found.batch is not None
    return found.batch.logged


def cosign(system: System, *seen: tuple[str, Any]) -> None:
    with system.main.write() as session:
        size = session.scalars(select(LogCheckpoint.size)).one()
        session.add_all(LogCosignature(size=size, witness=name, line=f"— {name} x", at=at) for name, at in seen)


def test_before_any_witness_it_is_our_own_clock(system: System, time: Any) -> None:
    assert logged(system, a_release(system, time)) == Logged(AT, 0, 0)


def test_the_first_witness_gives_the_time_and_all_of_that_checkpoint_are_counted(system: System, time: Any) -> None:
    code = a_release(system, time)
    cosign(system, ("w1", LATEST), ("w2", LATER))
    assert logged(system, code) == Logged(LATER, 2, 0)


def test_a_time_stamp_counts_where_no_witness_was_earlier(system: System, time: Any) -> None:
    code = a_release(system, time)
    with system.main.write() as session:
        size = session.scalars(select(LogCheckpoint.size)).one()
        session.add(LogTimestamp(size=size, authority="tsa", token=b"t", at=LATER))
    assert logged(system, code) == Logged(LATER, 0, 1)
    cosign(system, ("w1", AT))
    assert logged(system, code) == Logged(AT, 1, 0)


def test_the_page_says_the_same_as_the_log(system: System, time: Any) -> None:
    code = a_release(system, time)
    cosign(system, ("w1", LATEST), ("w2", LATER))
    with system.main.read() as session:
        index = session.scalars(select(LogEntry.index).where(LogEntry.act == "batch:release")).one()
        assert index is not None
        seen = reading.seen(session, index)
    found = logged(system, code)
    assert seen is not None
    assert found is not None
    assert (found.at, found.witnesses) == (seen.at, seen.witnesses)


def test_a_release_that_waits_for_its_seal_says_nothing(system: System, time: Any) -> None:
    assert logged(system, a_release(system, time, sealed=False)) is None


@contextmanager
def statements(system: System) -> Iterator[list[str]]:
    heard: list[str] = []

    def hear(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        heard.append(statement)

    event.listen(system.main.read_engine, "before_cursor_execute", hear)
    yield heard
    event.remove(system.main.read_engine, "before_cursor_execute", hear)


@pytest.mark.parametrize("released", [True, False])
def test_the_log_costs_one_statement(system: System, time: Any, released: bool) -> None:
    if released:
        code = a_release(system, time)
    else:
        with system.main.write() as session:
            batch = a_batch(session)
        [code] = makers.codes(system, batch)
    with statements(system) as heard:
        service.look_up(system.desk, code.asked(), a_visitor(), at=AT, count=False)
    assert sum("log_entry" in one for one in heard) == 1


def test_a_code_without_a_record_asks_the_log_nothing(system: System, time: Any) -> None:
    code = a_release(system, time)
    with statements(system) as heard:
        service.look_up(system.desk, code.asked(serial="2" * 20), a_visitor(), at=AT, count=False)
    assert not any("log_entry" in one for one in heard)
