"""Enqueue, claim, report, end. A claim is one conditional UPDATE; a lease that runs out frees the job again."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from .. import clock
from ..db.base import new_ref
from ..db.engines import Database
from ..errors import LotsealError, Unavailable
from ..log import Actor
from .models import Job, JobKind, JobState

LEASE = timedelta(minutes=2)
ATTEMPTS = 5
IDLE_S = 1.0

logger = logging.getLogger(__name__)


def enqueue(session: Session, kind: JobKind, payload: dict[str, Any], *, total: int, by: Actor, at: datetime) -> Job:
    """In the transaction of the fact that needs the work, so neither exists without the other."""
    job = Job(kind=kind, payload=payload, total=total, run_after=at, added_at=at, added_by=by.name)
    session.add(job)
    session.flush()
    return job


def claim(database: Database, worker: str, *, at: datetime) -> Job | None:
    """Take the oldest job that is due, or whose worker's lease ran out. Nobody else gets it until the lease ends."""
    free = or_(
        (Job.state == JobState.QUEUED) & (Job.run_after <= at),
        (Job.state == JobState.RUNNING) & (Job.lease_until < at),
    )
    with database.write() as session:
        _give_up(session, at)
        oldest = (
            select(Job.id).where(free).order_by(Job.id).limit(1).with_for_update(skip_locked=True).scalar_subquery()
        )
        return session.scalar(
            update(Job)
            .where(Job.id == oldest)
            .values(state=JobState.RUNNING, attempts=Job.attempts + 1, lease_until=at + LEASE, worker=worker)
            .returning(Job)
        )


def _give_up(session: Session, at: datetime) -> None:
    """A job that took its worker down at every attempt would take down each next one too."""
    session.execute(
        update(Job)
        .where(Job.state == JobState.RUNNING, Job.lease_until < at, Job.attempts >= ATTEMPTS)
        .values(state=JobState.DEAD, ended_at=at, error="the worker stopped at every attempt")
    )


class Lost(Exception):
    """Another worker took the job over because the lease ran out."""


class Claimed:
    """A job in work. Handlers call `progress` in the transaction of each piece of work: it renews the lease, and when
    the lease was lost it raises, so that the piece is rolled back."""

    def __init__(self, job: Job, database: Database) -> None:
        self.ref = job.ref
        self.payload: Mapping[str, Any] = job.payload
        self._id = job.id
        self._worker = job.worker
        self.database = database

    def progress(self, session: Session, done: int, *, at: datetime) -> None:
        """Say how far the work is, in the transaction of the work itself. Raises `Lost`."""
        kept = session.execute(
            update(Job)
            .where(Job.id == self._id, Job.worker == self._worker, Job.state == JobState.RUNNING)
            .values(done=done, lease_until=at + LEASE)
        )
        if kept.rowcount != 1:  # type: ignore[attr-defined]  # an UPDATE's result is a CursorResult
            raise Lost

    def finish(self, session: Session, *, at: datetime) -> None:
        session.execute(
            update(Job)
            .where(Job.id == self._id, Job.worker == self._worker)
            .values(state=JobState.DONE, ended_at=at, error="")
        )


Handler = Callable[[Claimed], None]


class Worker:
    """Runs jobs one after the other. Features register their handlers; nothing here knows them."""

    def __init__(self, database: Database, handlers: Mapping[JobKind, Handler]) -> None:
        self._database = database
        self._handlers = handlers
        self._stop = threading.Event()
        self.name = new_ref()

    def run_one(self) -> bool:
        """Do one job if there is one; says whether there was."""
        job = claim(self._database, self.name, at=clock.now())
        if job is None:
            return False
        claimed = Claimed(job, self._database)
        try:
            self._handlers[JobKind(job.kind)](claimed)
        except Lost:
            logger.warning("job %s was taken over by another worker", job.ref)
        # Whatever a handler raises must reach the job's row, else the job would hang until its lease ends.
        except Exception as error:
            logger.exception("job %s failed", job.ref)
            self._failed(job, error)
        else:
            with self._database.write() as session:
                claimed.finish(session, at=clock.now())
        return True

    def _failed(self, job: Job, error: Exception) -> None:
        """Try again later, each time after a longer pause; a refusal of the business is final at once, but for one
        that says that it may go away."""
        refused = isinstance(error, LotsealError) and not isinstance(error, Unavailable)
        final = refused or job.attempts >= ATTEMPTS
        said = error.problems[0].message if isinstance(error, LotsealError) else None
        sentence = str(error) if isinstance(error, LotsealError) else f"internal error ({type(error).__name__})"
        now = clock.now()
        with self._database.write() as session:
            session.execute(
                update(Job)
                .where(Job.id == job.id, Job.worker == self.name)
                .values(
                    state=JobState.DEAD if final else JobState.QUEUED,
                    error=sentence,
                    said={"text": said.text, "values": {k: str(v) for k, v in said.values.items()}} if said else None,
                    run_after=now + timedelta(seconds=2**job.attempts),
                    ended_at=now if final else None,
                )
            )

    def run_all(self) -> int:
        """Until nothing is due; says how many were done."""
        count = 0
        while self.run_one():
            count += 1
        return count

    def run_forever(self) -> None:
        while not self._stop.is_set():
            try:
                if not self.run_one():
                    self._stop.wait(IDLE_S)
            # A store that is down for a while must not end the worker; it says so and tries again.
            except Exception:
                logger.exception("the worker could not reach its store")
                self._stop.wait(5 * IDLE_S)

    def stop(self) -> None:
        self._stop.set()


def get(session: Session, ref: str) -> Job | None:
    return session.scalar(select(Job).where(Job.ref == ref))
