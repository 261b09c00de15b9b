"""Run a job now, in this process, with a bar; other workers may help or be faster."""

from __future__ import annotations

import threading

from ...trace.errors import Conflict, Message, Problem, Unavailable, say
from ...trace.jobs import service as jobs
from ...trace.jobs.models import Job, JobState
from ...trace.system import System
from .context import progress

_LOOK_S = 0.1


def finish(system: System, ref: str, title: Message) -> None:
    """Wait until the job is done. Raises `Conflict` when it was refused for good, `Unavailable` when it will be tried
    again."""
    worker = system.worker()
    ended = threading.Event()
    broken: list[Exception] = []

    def work() -> None:
        try:
            while not ended.is_set():
                # Jobs that wait before ours are done on the way; a job that someone else has is only watched.
                if not worker.run_one():
                    ended.wait(_LOOK_S)
        # A thread's error would be lost: it is raised again where people see it.
        except Exception as error:
            broken.append(error)
            ended.set()

    job = _job(system, ref)
    thread = threading.Thread(target=work, name="foreground-job", daemon=True)
    with progress(title, job.total) as tell:
        thread.start()
        try:
            while job.state in (JobState.QUEUED, JobState.RUNNING) and not job.error and not ended.wait(_LOOK_S):
                job = _job(system, ref)
                tell(job.done)
        finally:
            ended.set()
    thread.join()
    if broken:
        raise broken[0]
    _refuse_failed(_job(system, ref))


def _job(system: System, ref: str) -> Job:
    with system.main.read() as session:
        job = jobs.get(session, ref)
    assert job is not None
    return job


def _refuse_failed(job: Job) -> None:
    if job.state == JobState.DEAD:
        raise Conflict(
            Problem(None, "job.failed", say("The job %(ref)s failed: %(reason)s", ref=job.ref, reason=job.error))
        )
    if job.state != JobState.DONE:
        raise Unavailable(
            Problem(
                None,
                "job.later",
                say(
                    "The job %(ref)s did not work out just now: %(reason)s. A worker will try it again.",
                    ref=job.ref,
                    reason=job.error.rstrip("."),
                ),
            )
        )
