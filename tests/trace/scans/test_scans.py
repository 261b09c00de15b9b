from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from threading import Barrier, Event

import pytest
from makers import AT, a_visitor, rows
from sqlalchemy import text
from sqlalchemy.orm import Session

from lotseal.trace.db.engines import Database
from lotseal.trace.scans import recorder as recording
from lotseal.trace.scans import service as scans
from lotseal.trace.scans.models import Scan
from lotseal.trace.scans.recorder import Recorder, Visit
from lotseal.trace.system import System

ITEM = 7


def look(
    system: System, who: scans.Visitor, *, at: datetime = AT, count: bool = True, item: int = ITEM
) -> scans.Earlier:
    found = scans.look(system.scans, system.recorder, item, who, at=at, count=count)
    assert found is not None
    return found


def counted(database: Database) -> int:
    with database.read() as session:
        return rows(session, Scan)


def test_the_first_look_up_knows_of_no_other(system: System) -> None:
    assert look(system, a_visitor("ann")) == scans.Earlier(0, None, 0, counted=True)
    assert counted(system.scans) == 1


def test_the_second_visitor_is_told_of_the_first(system: System) -> None:
    look(system, a_visitor("ann"))
    assert look(system, a_visitor("ben"), at=AT + timedelta(minutes=1)) == scans.Earlier(1, AT, 0, counted=True)


def test_one_visitor_is_counted_once_in_thirty_minutes_and_again_after(system: System) -> None:
    ann = a_visitor("ann")
    for minutes, own, stored in ((0, 0, 1), (1, 0, 1), (29, 0, 1), (30, 1, 2), (31, 1, 2), (61, 2, 3)):
        found = look(system, ann, at=AT + timedelta(minutes=minutes))
        assert (found.own, found.others, found.counted) == (own, 0, True), minutes
        assert counted(system.scans) == stored, minutes


def test_a_phone_without_cookies_is_known_by_its_network_for_a_while(system: System) -> None:
    look(system, a_visitor("first cookie", network="home"))
    assert look(system, a_visitor("second cookie", network="home"), at=AT + timedelta(minutes=5)).others == 0
    assert counted(system.scans) == 1
    assert look(system, a_visitor("third cookie", network="home"), at=AT + timedelta(minutes=40)).others == 1


def test_one_other_visitor_who_comes_often_is_one(system: System) -> None:
    for hours in range(3):
        look(system, a_visitor("ann"), at=AT + timedelta(hours=hours))
    found = look(system, a_visitor("ben"), at=AT + timedelta(hours=5))
    assert (found.others, found.first_at, counted(system.scans)) == (1, AT, 4)


def test_items_do_not_mix(system: System) -> None:
    look(system, a_visitor("ann"), item=1)
    assert look(system, a_visitor("ben"), item=2).others == 0


def test_a_robot_is_told_and_not_counted(system: System) -> None:
    look(system, a_visitor("ann"))
    assert look(system, a_visitor("robot"), count=False) == scans.Earlier(1, AT, 0, counted=False)
    assert counted(system.scans) == 1


def test_what_is_said_to_be_counted_is_durable(sqlite_system: System) -> None:
    look(sqlite_system, a_visitor("ann"))
    # Another program sees it at once, without this one's help.
    other = sqlite3.connect(sqlite_system.settings.data / "scans.db")
    assert other.execute("SELECT count(*) FROM scan").fetchone() == (1,)
    other.close()


def test_of_two_visitors_at_the_same_moment_only_one_is_first(system: System) -> None:
    for round_ in range(10):
        start = Barrier(4)

        def visit(name: int, start: Barrier = start, item: int = round_) -> int:
            start.wait()
            return look(system, a_visitor(f"v{name}"), item=item).others

        with ThreadPoolExecutor(4) as pool:
            assert sorted(pool.map(visit, range(4))).count(0) == 1


def test_that_holds_for_two_processes_of_the_web_too(system: System) -> None:
    others = Recorder(system.scans)
    for round_ in range(10):
        start = Barrier(2)

        def visit(recorder: Recorder, start: Barrier = start, item: int = round_) -> int:
            start.wait()
            who = a_visitor(str(id(recorder)))
            found = scans.look(system.scans, recorder, item, who, at=AT, count=True)
            assert found is not None
            return found.others

        with ThreadPoolExecutor(2) as pool:
            assert sorted(pool.map(visit, (system.recorder, others))) == [0, 1]


class Slow(Database):
    """A store whose commits wait until they are let go."""

    def __init__(self, like: Database) -> None:
        super().__init__(like.read_engine, like.write_engine, like.lock)
        self.written, self.go = Event(), Event()

    @contextmanager
    def write(self) -> Iterator[Session]:
        with super().write() as session:
            yield session
            self.written.set()
            assert self.go.wait(20)


def test_a_lower_number_that_is_committed_later_is_waited_for(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL hands out row numbers before the commit: without a lock both visitors would be first."""
    monkeypatch.setattr(recording, "PATIENCE_S", 20)
    store = Slow(system.scans)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(scans.look, store, Recorder(store), ITEM, a_visitor("ann"), at=AT, count=True)
        assert store.written.wait(20)
        second = pool.submit(look, system, a_visitor("ben"))
        with pytest.raises(TimeoutError):
            second.result(0.3)
        store.go.set()
        assert (first.result(), second.result().others) == (scans.Earlier(0, None, 0, counted=True), 1)


def test_sixty_four_visitors_at_once_are_all_counted(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "PATIENCE_S", 20)
    start = Barrier(64)

    def visit(name: int) -> scans.Earlier:
        start.wait()
        return look(system, a_visitor(f"v{name}"))

    with ThreadPoolExecutor(64) as pool:
        found = list(pool.map(visit, range(64)))
    assert all(one.counted for one in found)
    assert [one.others for one in found].count(0) == 1
    assert counted(system.scans) == 64


def test_look_ups_that_arrive_together_are_written_together(
    sqlite_system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "PATIENCE_S", 20)
    recorder, groups = Recorder(sqlite_system.scans), list[int]()
    write = recorder._write
    monkeypatch.setattr(recorder, "_write", lambda group: (groups.append(len(group)), write(group)))
    visits = [Visit(ITEM, AT, bytes([n]) * 16, bytes([n]) * 16) for n in range(10)]
    with ThreadPoolExecutor(10) as pool:
        with sqlite_system.scans.write():
            # The store is busy, so the look-ups pile up behind the first group.
            answers = [pool.submit(recorder.record, visit) for visit in visits]
            while recorder._queue.qsize() + sum(groups) < 10:
                pass
        assert None not in [answer.result() for answer in answers]
    assert sum(groups) == 10
    assert len(groups) < 10


def test_a_store_that_refuses_to_write_is_said_to_have_counted_nothing(system: System) -> None:
    class Down(Database):
        def write(self) -> None:  # type: ignore[override]  # never gets so far as to yield
            raise ConnectionError

    broken = Recorder(Down(system.scans.read_engine, system.scans.write_engine, system.scans.lock))
    found = scans.look(system.scans, broken, ITEM, a_visitor(), at=AT, count=True)
    assert found == scans.Earlier(0, None, 0, counted=False)
    assert broken.record(Visit(ITEM, AT, b"x" * 16, b"y" * 16)) is None
    assert counted(system.scans) == 0


def test_a_store_that_is_gone_tells_nothing_not_even_that_nobody_looked(system: System) -> None:
    with system.scans.write() as session:
        session.execute(text("DROP TABLE scan"))
    assert scans.look(system.scans, system.recorder, ITEM, a_visitor(), at=AT, count=True) is None


def test_a_writer_that_is_too_slow_is_not_waited_for(sqlite_system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "PATIENCE_S", 0.05)
    with sqlite_system.scans.write():
        assert not look(sqlite_system, a_visitor("ann")).counted
        assert not look(sqlite_system, a_visitor("ben")).counted


def test_a_full_queue_turns_visitors_away_at_once(sqlite_system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "WAITING", 1)
    monkeypatch.setattr(recording, "PATIENCE_S", 0.01)
    recorder = Recorder(sqlite_system.scans)
    visit = Visit(ITEM, AT, b"x" * 16, b"y" * 16)
    with sqlite_system.scans.write():
        assert [recorder.record(visit) for _ in range(4)] == [None] * 4


def test_nothing_of_a_visitor_is_kept_but_keyed_hashes() -> None:
    who = a_visitor("ann")
    assert (len(who.cookie), len(who.network)) == (16, 16)
    assert who.cookie != who.network
    assert scans.visitor(b"other", cookie="ann", network="ann", day="2026-11-22") != who
    tomorrow = scans.visitor(b"key", cookie="ann", network="ann", day="2026-11-23")
    assert (tomorrow.cookie, tomorrow.network != who.network) == (who.cookie, True)
    assert replace(who, network=b"") != who
