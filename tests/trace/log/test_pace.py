"""At most one checkpoint a second, whoever seals: services, workers and commands of one store."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from importlib.util import find_spec, module_from_spec
from itertools import pairwise

import pytest
from makers import AT, Clock
from sqlalchemy import select

from lotseal.trace import clock
from lotseal.trace.accounts.service import OPERATOR
from lotseal.trace.log import Act, reading, record, sealing
from lotseal.trace.log.models import LogCheckpoint
from lotseal.trace.log.sequencer import Sequencer
from lotseal.trace.system import System

SECOND = timedelta(seconds=1)


class Paced(Sequencer):
    """With the pace of a service. Its waits wind the clock on; nobody sleeps. `meanwhile` is what others do then."""

    pace = SECOND

    def __init__(self, system: System, time: Clock, meanwhile: Callable[[], object] = lambda: None) -> None:
        super().__init__(system.main, system.shelf, system.settings.log_origin, system._log_signer)
        self.time, self.meanwhile, self.waits = time, meanwhile, list[float]()

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.time.on(seconds=seconds)
        self.meanwhile()


def acts(system: System, count: int = 1) -> None:
    with system.main.write() as session:
        for number in range(count):
            record(session, Act.LINK_ADD, by=OPERATOR, at=AT, subject=f"link:{number}")


def times(system: System) -> list[float]:
    """Of each checkpoint, in seconds since the clock stood still."""
    with system.main.read() as session:
        found = session.scalars(select(LogCheckpoint.at).order_by(LogCheckpoint.size))
        return [(at - AT).total_seconds() for at in found]


def waiting(system: System) -> int:
    with system.main.read() as session:
        return reading.waiting(session)


def test_as_shipped_a_sequencer_makes_one_checkpoint_a_second() -> None:
    """Read anew from its file, since the tests set the pace of the others to nothing."""
    spec = find_spec("lotseal.trace.log.sequencer")
    assert spec is not None
    assert spec.loader is not None
    shipped = module_from_spec(spec)
    spec.loader.exec_module(shipped)
    assert shipped.Sequencer.pace == SECOND


def test_processes_that_seal_in_turn_share_one_pace(system: System, time: Clock) -> None:
    processes = [Paced(system, time) for _ in range(4)]
    for one in processes * 2:
        acts(system)
        one.run_once()
        time.on(seconds=0.2)
    assert [after - before for before, after in pairwise(times(system))] == [1.0] * 7
    assert waiting(system) == 0


def test_the_first_checkpoint_and_one_after_a_pause_wait_for_nothing(system: System, time: Clock) -> None:
    for _ in range(2):
        acts(system)
        one = Paced(system, time)
        assert (one.run_once(), one.waits) == (1, [])
        time.on(seconds=1)


def test_with_nothing_to_seal_nobody_waits(system: System, time: Clock) -> None:
    acts(system)
    Paced(system, time).run_once()
    one = Paced(system, time)
    assert (one.run_once(), one.waits) == (0, [])


def test_a_command_waits_once_and_for_less_than_a_second(system: System, time: Clock) -> None:
    acts(system)
    Paced(system, time).run_once()
    time.on(seconds=0.25)
    acts(system)
    command = Paced(system, time)
    assert (command.run_once(), command.waits) == (1, [0.75])


def test_whoever_finds_that_another_one_sealed_meanwhile_leaves_the_rest_to_the_next_round(
    system: System, time: Clock
) -> None:
    def others() -> None:
        Paced(system, time).run_once()
        acts(system)

    acts(system)
    Paced(system, time).run_once()
    acts(system)
    one = Paced(system, time, meanwhile=others)
    assert (one.run_once(), one.waits) == (0, [1.0])
    assert waiting(system) == 1
    assert times(system) == [0.0, 1.0]


def test_a_backlog_is_sealed_in_parts_a_second_apart_and_each_is_published_before_the_wait(
    system: System, time: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealing.seal, "__kwdefaults__", {"most": 3})
    acts(system, 7)
    seen: list[int] = []

    def look() -> None:
        published = system.shelf.published()
        seen.append(published.size if published else 0)

    assert Paced(system, time, meanwhile=look).run_once() == 7
    assert (seen, times(system)) == ([3, 6], [0.0, 1.0, 2.0])


def test_the_time_of_a_checkpoint_is_taken_under_the_lock(
    system: System, time: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who waited long for the lock would else let the next one follow at once."""
    alone = sealing.alone

    def late(session: object, work: str) -> None:
        alone(session, work)  # type: ignore[arg-type]  # a session
        time.on(seconds=5)

    monkeypatch.setattr(sealing, "alone", late)
    acts(system)
    Paced(system, time).run_once()
    assert times(system) == [5.0]


@pytest.mark.parametrize(("back", "waits"), [(0.5, [1.5]), (86_400, [])])
def test_a_clock_that_was_put_back_does_not_hold_up_the_log_until_then(
    system: System, time: Clock, monkeypatch: pytest.MonkeyPatch, back: float, waits: list[float]
) -> None:
    acts(system)
    Paced(system, time).run_once()
    time.on(seconds=-back)
    assert clock.now() < AT
    acts(system)
    one = Paced(system, time)
    one.run_once()
    assert (one.waits, waiting(system)) == (waits, 0)
    acts(system)
    one.run_once()
    assert times(system) == sorted(times(system))
