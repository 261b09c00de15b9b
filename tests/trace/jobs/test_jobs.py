# ruff: noqa: PT012 - an error has to pass through the end of a transaction, so both stand in one block
from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Thread

import pytest
from makers import AT, Clock, a_category, rows
from sqlalchemy.orm import Session

from lotseal.trace.accounts.service import OPERATOR
from lotseal.trace.errors import Conflict, LotsealError, Problem, Unavailable, conflict, say
from lotseal.trace.jobs import service as jobs
from lotseal.trace.jobs.models import Job, JobKind, JobState
from lotseal.trace.jobs.service import ATTEMPTS, LEASE, Claimed, Handler, Lost, Worker
from lotseal.trace.products.models import Category
from lotseal.trace.system import System


def enqueue(system: System, count: int = 1) -> list[str]:
    with system.main.write() as session:
        return [
            jobs.enqueue(session, JobKind.ISSUE_CODES, {"n": n}, total=1, by=OPERATOR, at=AT).ref for n in range(count)
        ]


def job(system: System, ref: str) -> Job:
    with system.main.read() as session:
        found = jobs.get(session, ref)
    assert found is not None
    return found


def worker(system: System, handler: Handler) -> Worker:
    return Worker(system.main, {JobKind.ISSUE_CODES: handler})


def fine(claimed: Claimed) -> None:
    pass


def test_a_job_is_done_once(system: System, time: Clock) -> None:
    [ref] = enqueue(system)
    seen: list[object] = []
    hand = worker(system, lambda claimed: seen.append(claimed.payload["n"]))
    assert [hand.run_one(), hand.run_one()] == [True, False]
    assert seen == [0]
    done = job(system, ref)
    assert (done.state, done.attempts, done.error, done.ended_at) == (JobState.DONE, 1, "", time.at)


def test_a_job_waits_for_its_time(system: System, time: Clock) -> None:
    enqueue(system)
    time.on(seconds=-1)
    assert worker(system, fine).run_all() == 0
    time.on(seconds=1)
    assert worker(system, fine).run_all() == 1


def test_jobs_are_taken_in_order(system: System, time: Clock) -> None:
    enqueue(system, 3)
    seen: list[object] = []
    assert worker(system, lambda claimed: seen.append(claimed.payload["n"])).run_all() == 3
    assert seen == [0, 1, 2]


def test_a_job_goes_with_the_fact_that_needs_it(system: System) -> None:
    with pytest.raises(ZeroDivisionError), system.main.write() as session:
        jobs.enqueue(session, JobKind.ISSUE_CODES, {}, total=1, by=OPERATOR, at=AT)
        raise ZeroDivisionError
    with system.main.read() as session:
        assert rows(session, Job) == 0
        assert jobs.get(session, "no-such-ref") is None


def test_many_workers_take_each_job_once(system: System) -> None:
    refs = enqueue(system, 40)

    def take(name: int) -> list[str]:
        taken = []
        while found := jobs.claim(system.main, f"w{name}", at=AT):
            taken.append(found.ref)
        return taken

    with ThreadPoolExecutor(8) as pool:
        taken = [ref for found in pool.map(take, range(8)) for ref in found]
    assert sorted(taken) == sorted(refs)


def test_a_claimed_job_is_nobody_elses_until_its_lease_ends(system: System) -> None:
    [ref] = enqueue(system)
    assert jobs.claim(system.main, "first", at=AT)
    assert jobs.claim(system.main, "second", at=AT + LEASE) is None
    taken = jobs.claim(system.main, "second", at=AT + LEASE + timedelta(seconds=1))
    assert taken is not None
    assert (taken.ref, taken.attempts, taken.worker) == (ref, 2, "second")


def claimed(system: System, name: str, late: timedelta = timedelta()) -> Claimed:
    found = jobs.claim(system.main, name, at=AT + late)
    assert found is not None
    return Claimed(found, system.main)


def test_progress_renews_the_lease(system: System) -> None:
    [ref] = enqueue(system)
    work = claimed(system, "first")
    with system.main.write() as session:
        work.progress(session, 1, at=AT + LEASE)
    assert (job(system, ref).done, job(system, ref).lease_until) == (1, AT + 2 * LEASE)
    assert jobs.claim(system.main, "second", at=AT + LEASE + timedelta(seconds=1)) is None


def test_who_lost_the_lease_has_the_piece_of_work_rolled_back(system: System) -> None:
    [ref] = enqueue(system)
    slow = claimed(system, "slow")
    claimed(system, "quick", LEASE + timedelta(seconds=1))
    with pytest.raises(Lost), system.main.write() as session:
        a_category(session)
        slow.progress(session, 1, at=AT)
    with system.main.write() as session:
        assert rows(session, Category) == 0
        slow.finish(session, at=AT)
    assert (job(system, ref).state, job(system, ref).worker, job(system, ref).done) == (JobState.RUNNING, "quick", 0)


def test_a_worker_that_lost_its_job_goes_on_with_the_next_one(system: System, time: Clock) -> None:
    [ref] = enqueue(system)

    def lose(work: Claimed) -> None:
        time.on(minutes=3)
        assert jobs.claim(system.main, "quick", at=time.at)
        with system.main.write() as session:
            work.progress(session, 1, at=time.at)

    assert worker(system, lose).run_one()
    assert (job(system, ref).state, job(system, ref).worker) == (JobState.RUNNING, "quick")


def breaking(error: Exception) -> Handler:
    def handler(work: Claimed) -> None:
        raise error

    return handler


def test_a_failure_is_tried_again_after_longer_and_longer_pauses_until_the_last_attempt(
    system: System, time: Clock
) -> None:
    [ref] = enqueue(system)
    hand = worker(system, breaking(ZeroDivisionError("a secret path")))
    for attempt in range(1, ATTEMPTS):
        assert hand.run_one()
        left = job(system, ref)
        assert (left.state, left.attempts) == (JobState.QUEUED, attempt)
        assert left.run_after == time.at + timedelta(seconds=2**attempt)
        assert left.error == "internal error (ZeroDivisionError)"
        assert not hand.run_one()
        time.on(seconds=2**attempt)
    assert hand.run_one()
    assert (job(system, ref).state, job(system, ref).attempts, job(system, ref).ended_at) == (
        JobState.DEAD,
        ATTEMPTS,
        time.at,
    )
    time.on(days=1)
    assert not hand.run_one()


def test_a_job_that_succeeds_later_shows_no_error(system: System, time: Clock) -> None:
    [ref] = enqueue(system)
    worker(system, breaking(ZeroDivisionError())).run_one()
    time.on(seconds=2)
    assert worker(system, fine).run_one()
    assert (job(system, ref).state, job(system, ref).error) == (JobState.DONE, "")


def test_a_refusal_of_the_business_is_final_at_once_and_says_why(system: System, time: Clock) -> None:
    [ref] = enqueue(system)
    worker(system, breaking(conflict("x.y", say("This batch is closed.")))).run_one()
    assert (job(system, ref).state, job(system, ref).error) == (JobState.DEAD, "This batch is closed.")
    assert issubclass(Conflict, LotsealError)


def test_what_may_be_there_again_later_is_tried_again(system: System, time: Clock) -> None:
    [ref] = enqueue(system)
    worker(system, breaking(Unavailable(Problem(None, "file.store", say("Disk full."))))).run_one()
    assert (job(system, ref).state, job(system, ref).error) == (JobState.QUEUED, "Disk full.")


def test_a_job_that_takes_its_worker_down_each_time_is_given_up(system: System) -> None:
    [ref] = enqueue(system)
    for attempt in range(ATTEMPTS):
        # The worker is killed here: it neither finishes nor says that it failed.
        claimed(system, f"w{attempt}", attempt * (LEASE + timedelta(seconds=1)))
    late = AT + (ATTEMPTS + 1) * LEASE
    assert jobs.claim(system.main, "next", at=late) is None
    assert (job(system, ref).state, job(system, ref).error) == (JobState.DEAD, "the worker stopped at every attempt")


def test_a_kind_without_a_handler_is_an_error_of_the_job_and_not_of_the_worker(system: System, time: Clock) -> None:
    [ref] = enqueue(system)
    assert Worker(system.main, {}).run_one()
    assert job(system, ref).error == "internal error (KeyError)"


def test_a_worker_stops_when_it_is_told(system: System, time: Clock) -> None:
    [ref] = enqueue(system)
    hand = worker(system, lambda work: hand.stop())
    thread = Thread(target=hand.run_forever)
    thread.start()
    thread.join(20)
    assert not thread.is_alive()
    assert job(system, ref).state == JobState.DONE


def test_a_store_that_is_down_for_a_while_does_not_end_the_worker(
    system: System, time: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    [ref] = enqueue(system)
    monkeypatch.setattr(jobs, "IDLE_S", 0)
    hand = worker(system, lambda work: hand.stop())
    real, failures = jobs.claim, iter((True, True))

    def down_at_first(*args: object, **options: object) -> object:
        if next(failures, False):
            raise ConnectionError
        return real(*args, **options)  # type: ignore[arg-type]  # passed through as they came

    monkeypatch.setattr(jobs, "claim", down_at_first)
    hand.run_forever()
    assert job(system, ref).state == JobState.DONE


def test_the_session_of_a_job_is_not_needed_to_read_it(lasting: Session) -> None:
    made = jobs.enqueue(lasting, JobKind.PRINT_LABELS, {"sheet": "x"}, total=2, by=OPERATOR, at=AT)
    assert (made.state, made.done, made.total, made.added_by) == (JobState.QUEUED, 0, 2, OPERATOR.name)
