"""Keys rotate while codes are ordered and made by several workers: nothing fails, everything verifies."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from makers import AT, BASE, a_batch, a_visitor
from sqlalchemy import func, select

from lotseal.signing.keys import Role
from lotseal.trace import clock
from lotseal.trace.accounts.service import OPERATOR
from lotseal.trace.batches import service as batches
from lotseal.trace.items import service as items
from lotseal.trace.items.models import CodeRun, Item
from lotseal.trace.jobs.models import Job, JobState
from lotseal.trace.keys import service as keys
from lotseal.trace.keys.models import SigningKey
from lotseal.trace.passport import service as passport
from lotseal.trace.passport.model import State
from lotseal.trace.system import System

WORKERS, RUNS, CODES, ROTATIONS = 3, 18, 20, 6


def test_rotating_while_codes_are_made_fails_none_and_keeps_all_valid(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(items, "CHUNK", 7)
    with system.main.write() as session:
        ref = a_batch(session).ref
    ordered, done = threading.Event(), threading.Semaphore(0)

    def order() -> None:
        for number in range(RUNS):
            asked = items.read_order({"count": str(CODES), "tier": "AB"[number % 2]})
            with system.main.write() as session:
                there = batches.get(session, ref)
                items.order_codes(session, there, asked, base=BASE, by=OPERATOR, at=clock.now())
        ordered.set()

    def work() -> None:
        worker = system.worker()
        while True:
            last = ordered.is_set()
            if worker.run_one():
                done.release()
            elif last:
                return

    def rotate() -> None:
        for _ in range(ROTATIONS):
            # Every few runs, so that there are codes before, between and after.
            assert all(done.acquire(timeout=60) for _ in range(RUNS // ROTATIONS - 1))
            with system.main.write() as session:
                keys.rotate(session, system.ring, Role.ITEM, by=OPERATOR, at=clock.now())

    tasks: list[Callable[[], Any]] = [order, rotate, *[work] * WORKERS]
    with ThreadPoolExecutor(len(tasks)) as pool:
        for future in [pool.submit(task) for task in tasks]:
            future.result(timeout=120)

    with system.main.read() as session:
        assert session.scalars(select(Job.state)).all() == [JobState.DONE] * RUNS
        pairs = session.scalar(select(func.count()).where(SigningKey.letter.is_not(None)))
        assert pairs == 1 + ROTATIONS
        found = session.execute(select(Item, CodeRun).join(CodeRun, CodeRun.id == Item.run_id)).all()
        links = [(run, item, items.link(run, item)) for item, run in found]
        letters = {run.letter for run, _item, _link in links if run.letter}
    assert len(links) == RUNS * CODES
    assert len(letters) > 1, "the rotations happened while codes were made"
    for run, item, link in links:
        asked = passport.Asked(run.gtin, run.lot, item.serial, link.partition("?s=")[2] or None)
        assert passport.look_up(system.desk, asked, a_visitor(), at=AT, count=False).state is State.NOT_RELEASED
