"""The start page: what needs doing now, by role, each line a way to where it is done."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from flask import Blueprint, render_template
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, aliased
from werkzeug.wrappers import Response

from ...trace import clock, log
from ...trace.accounts.models import Account, Role
from ...trace.batches import service as batches
from ...trace.batches.models import Batch, BatchState
from ...trace.certificates import service as certificates
from ...trace.certificates.models import Certificate, Status
from ...trace.jobs.models import Job, JobState
from ...trace.log.models import AuditAct
from ...trace.releases import service as releases
from ...trace.releases.service import Requirement
from ..access import EVERYONE, allow, signed_in
from ..system import system

blueprint = Blueprint("desk", __name__, url_prefix="/staff")

SOON = timedelta(days=60)
MOST = 40
"""A desk shows the oldest of each kind; the lists behind it show all."""
NEWEST_ACTS = 8


@dataclass(frozen=True)
class Waiting:
    """Reports that wait for review."""

    count: int
    oldest: datetime | None


@dataclass(frozen=True)
class Open:
    """A batch on its way to release, with what it still misses."""

    batch: Batch
    missing: Sequence[Requirement]


@dataclass(frozen=True)
class Some:
    """The first rows of a kind, and how many there are in all."""

    rows: Sequence[Batch] | Sequence[Certificate] | Sequence[Job]
    total: int


@blueprint.get("/")
@allow(*EVERYONE)
def index() -> Response | str:
    account, now = signed_in(), clock.now()
    today = now.astimezone(system().settings.zone).date()
    with system().main.read() as db:
        if account.role == Role.SUPPLIER:
            return render_template("staff/desk/supplier.html", today=today, **_of_supplier(db, account, today))
        return render_template("staff/desk/index.html", now=now, today=today, **_of_staff(db, account, today))


def _of_staff(db: Session, account: Account, today: date) -> dict[str, object]:
    waiting, total = _open(db, account, (BatchState.AWAITING_TESTS,), today)
    return {
        "reviews": _waiting(db),
        "ready": [line for line in waiting if not line.missing],
        "waiting": [line for line in waiting if line.missing],
        "more": total - len(waiting),
        "held": _some(db, batches.matching(batches.visible(account), state=BatchState.HELD).order_by(Batch.id)),
        "expiring": _some(db, _expiring(account, today)),
        "running": _some(db, _jobs(JobState.QUEUED, JobState.RUNNING)),
        "dead": _some(db, _jobs(JobState.DEAD)),
        "acts": _newest_acts(db) if account.role in (Role.ADMIN, Role.AUDITOR) else [],
    }


def _of_supplier(db: Session, account: Account, today: date) -> dict[str, object]:
    mine, total = _open(db, account, (BatchState.DRAFT, BatchState.AWAITING_TESTS), today)
    return {
        "mine": mine,
        "more": total - len(mine),
        "held": _some(db, batches.matching(batches.visible(account), state=BatchState.HELD).order_by(Batch.id)),
        "rejected": _some(db, _rejected(account)),
        "expiring": _some(db, _expiring(account, today)),
    }


def _open(db: Session, account: Account, states: tuple[BatchState, ...], today: date) -> tuple[list[Open], int]:
    """The oldest batches before release and how many there are in all."""
    query = batches.visible(account).where(Batch.state.in_(states)).order_by(Batch.id)
    found = _some(db, query)
    rows = [row for row in found.rows if isinstance(row, Batch)]
    reports: dict[int, list[Certificate]] = defaultdict(list)
    of_these = certificates.visible(account).where(Certificate.batch_id.in_([row.id for row in rows]))
    for report in db.scalars(of_these).unique():
        reports[report.batch_id].append(report)
    return [Open(row, _missing(row, reports[row.id], today)) for row in rows], found.total


def _missing(batch: Batch, reports: list[Certificate], today: date) -> list[Requirement]:
    return [line for line in releases.requirements(batch, reports, today=today) if not line.done]


def _waiting(db: Session) -> Waiting:
    query = select(func.count(Certificate.id), func.min(Certificate.submitted_at)).where(
        Certificate.status == Status.SUBMITTED
    )
    count, oldest = db.execute(query).one()
    return Waiting(count, oldest)


def _expiring(account: Account, today: date) -> Select[Certificate]:
    """Accepted reports that lapse soon or have lapsed, of batches that are on sale or may yet be."""
    return (
        certificates.matching(certificates.visible(account), status=Status.ACCEPTED)
        .where(
            Certificate.expires_on <= today + SOON,
            Batch.state.in_((BatchState.AWAITING_TESTS, BatchState.RELEASED, BatchState.HELD)),
        )
        .order_by(Certificate.expires_on, Certificate.id)
    )


def _rejected(account: Account) -> Select[Certificate]:
    """Rejected reports that nobody sent again yet, newest first."""
    newer = aliased(Certificate)
    return (
        certificates.matching(certificates.visible(account), status=Status.REJECTED)
        .where(~select(newer.id).where(newer.replaces_id == Certificate.id).exists())
        .where(Batch.state.in_((BatchState.DRAFT, BatchState.AWAITING_TESTS, BatchState.RELEASED, BatchState.HELD)))
        .order_by(Certificate.reviewed_at.desc(), Certificate.id.desc())
    )


def _jobs(*states: JobState) -> Select[Job]:
    return select(Job).where(Job.state.in_(states)).order_by(Job.id.desc())


def _some(db: Session, query: Select[Batch] | Select[Certificate] | Select[Job]) -> Some:
    total = db.scalar(select(func.count()).select_from(query.order_by(None).subquery())) or 0
    return Some(db.scalars(query.limit(MOST)).unique().all() if total else [], total)


def _newest_acts(db: Session) -> Sequence[AuditAct]:
    return db.scalars(log.matching().order_by(AuditAct.at.desc(), AuditAct.id.desc()).limit(NEWEST_ACTS)).all()
