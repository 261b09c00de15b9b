"""Rounds in which a service is killed while files are uploaded and codes are made.

Files are stored before their row is written, and the row before the answer: an acknowledged report has its bytes, and
what a kill leaves over are bytes without a row. A run of codes is made in pieces and ends complete, whoever is killed.
"""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass, field
from datetime import timedelta
from io import BytesIO

from fault_kills import Attempt, Kills, Writer, _nothing
from fault_service import Signed, until
from makers import CERTIFICATE
from reportlab.pdfgen.canvas import Canvas
from sqlalchemy import func, select, update

from lotseal.signing import merkle
from lotseal.trace import clock
from lotseal.trace.certificates.models import Certificate
from lotseal.trace.items import service as items
from lotseal.trace.items.models import CodeRun, Item
from lotseal.trace.jobs.models import Job, JobState
from lotseal.trace.log.models import LogEntry
from lotseal.trace.system import System

MOST_CODES = 1500
"""Fifteen pieces of work, as the launcher cuts them."""


def a_report(number: str) -> bytes:
    """A PDF of one page; the same number gives the same bytes."""
    out = BytesIO()
    canvas = Canvas(out, pagesize=(200, 200), invariant=True)
    canvas.drawString(20, 100, f"Report {number}: lead 0.9 mg/kg")
    canvas.save()
    return out.getvalue()


def report_form(batch: str, number: str) -> dict[str, str]:
    return {
        **CERTIFICATE,
        "batch": batch,
        "number": number,
        "lines-0.parameter": "铅",
        "lines-0.method": "GB 5009.12",
        "lines-0.limit": "≤ 5.0",
        "lines-0.result": "0.9",
        "lines-0.unit": "mg/kg",
    }


class Uploader(Writer):
    """Uploads one report after the other."""

    def file(self, act: str, mark: str) -> tuple[str, str, bytes] | None:
        return ("file", "report.pdf", a_report(mark)) if act == "certificate:submit" else None

    def _next(self, mark: str) -> Attempt:
        return "certificate:submit", "/staff/certificates/add", report_form(self.batch, mark), _nothing


class Buyer(Writer):
    """Orders codes. An order is no fact of the log; the finished run is."""

    def __init__(self, signed: Signed, batch: str, gtin: str, seed: int) -> None:
        super().__init__(signed, batch, gtin, seed)
        self._chance = random.Random(seed)
        self.ordered: list[str] = []

    def _next(self, _mark: str) -> Attempt:
        form = {
            "batch": self.batch,
            "count": str(self._chance.randint(1, MOST_CODES)),
            "tier": self._chance.choice("AB"),
        }
        return "codes:issue", "/staff/codes/issue", form, self._ordered

    def _ordered(self, where: str) -> None:
        self.acked.pop()
        self.ordered.append(where.rpartition("/")[2])
        if len(self.ordered) % 2 == 0:
            # Enough for this round: the rest of it is for making them.
            raise ConnectionAbortedError


@dataclass
class Made:
    uploads: int = 0
    runs: int = 0
    codes: int = 0
    resumed: int = 0
    """Jobs that a kill cut off and that went on."""
    halfway: int = 0
    """Runs that a kill found with some of their codes."""
    orphans: int = 0
    """Files without a row that the kills left, all taken away at the end."""
    halves: set[str] = field(default_factory=set)


class UploadKills(Kills):
    """Two people upload, one orders codes."""

    longest = 2.5

    def _people(self, signed: Signed, gtin: str, seed: int) -> list[Writer]:
        self.made, self._read = Made(), set[str]()
        kinds = (Uploader, Uploader, Buyer)
        return [
            kind(signed, ref, gtin, seed * 100 + n)
            for n, (kind, ref) in enumerate(zip(kinds, self._batches, strict=True))
        ]

    def _look_at_what_was_left(self) -> None:
        super()._look_at_what_was_left()
        with self.system() as system, system.main.write() as session:
            self.made.halves |= {path.name for path in (self.data / "files" / "incoming").iterdir()}
            # The lease of a job whose worker is gone runs out after two minutes: they pass now.
            cut = session.execute(
                update(Job)
                .where(Job.state == JobState.RUNNING)
                .values(lease_until=clock.now() - timedelta(seconds=1), attempts=1)
            )
            self.made.resumed += cut.rowcount
            begun = select(func.count()).where(CodeRun.issued > 0, CodeRun.issued < CodeRun.count)
            self.made.halfway += session.scalar(begun) or 0

    def check(self) -> None:
        super().check()
        sent = {done.mark for writer in self.writers for done in writer.acked}
        with self.system() as system:
            there = verified(system, self._read)
            assert sent <= set(there), f"missing: {sorted(sent - set(there))[:5]}"
            for mark in sent:
                assert there[mark] == hashlib.sha256(a_report(mark)).hexdigest()
        self.made.uploads = len(sent)

    def finish(self) -> dict[str, int]:
        self._read.clear()
        figures = super().finish()
        with self.system() as system:
            until(lambda: _idle(system), "the end of all jobs")
            self._check_runs(system)
        self.check()
        with self.system() as system:
            self._sweep(system)
        made = {name: value for name, value in vars(self.made).items() if name != "halves"}
        return {**figures, **made, "halves of files": len(self.made.halves), "missing": 0}

    def _check_runs(self, system: System) -> None:
        with system.main.read() as session:
            assert session.scalars(select(Job).where(Job.state == JobState.DEAD)).all() == []
            refs = [ref for writer in self.writers if isinstance(writer, Buyer) for ref in writer.ordered]
            for ref in refs:
                run = items.get_run(session, ref)
                links = [items.link(run, item).encode() for item in session.scalars(items.items_of(run))]
                assert len(links) == run.issued == run.count
                assert run.root == merkle.root(merkle.leaf_hashes(links)).hex()
                commits = session.scalars(
                    select(LogEntry).where(LogEntry.act == "codes:commit", LogEntry.content.contains(ref))
                ).all()
                assert len(commits) == 1, f"{len(commits)} commitments of run {ref}"
                assert str(run.root) in commits[0].content
                self.made.codes += len(links)
            serials = session.scalars(select(Item.serial)).all()
            assert len(serials) == len(set(serials))
            self.made.runs = len(refs)

    def _sweep(self, system: System) -> None:
        """Two days later nothing is left over, and nothing is missing."""
        named = system.named_files()
        before = set(_stored(system))
        self.made.orphans = len(before - named)
        swept = system.sweeper().run_once(at=clock.now() + timedelta(days=2))
        assert swept == self.made.orphans
        assert set(_stored(system)) == before & named
        assert list((self.data / "files" / "incoming").iterdir()) == []
        verified(system)


def _stored(system: System) -> list[str]:
    return list(system.storage.put_before(clock.now() + timedelta(days=9)))


def _idle(system: System) -> bool:
    with system.main.read() as session:
        return session.scalar(select(Job.id).where(Job.state.in_((JobState.QUEUED, JobState.RUNNING))).limit(1)) is None


def verified(system: System, read: set[str] | None = None) -> dict[str, str]:
    """Number and SHA-256 of every report that came over HTTP, after all its bytes were read. Those in `read` need only
    be there; what was read now is added to it."""
    found, read = {}, set() if read is None else read
    with system.main.read() as session:
        for certificate in session.scalars(select(Certificate).where(Certificate.number.startswith("m"))):
            for name in (certificate.file.sha256, *(image["sha256"] for image in certificate.file.page_images)):
                if name not in read or not system.storage.exists(name):
                    system.storage.verify(name)
                    read.add(name)
            found[certificate.number] = certificate.file.sha256
    return found
