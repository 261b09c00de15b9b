"""Inspection certificates: upload, the review queue, and the page on which a report is compared with its file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import format_timedelta
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as Answer

from ...trace import clock
from ...trace.accounts.models import Role
from ...trace.batches import service as batches
from ...trace.batches.models import Batch
from ...trace.certificates import service as certificates
from ...trace.certificates import signatures
from ...trace.certificates.models import Certificate, RejectReason, Status
from ...trace.certificates.service import LINE_FIELDS, MOST_LINES, CertificateDraft
from ...trace.errors import Conflict, Invalid, LotsealError, Message, NotFound, Problem, say
from ...trace.files import service as files
from ...trace.labs import service as labs
from ..access import EVERYONE, READERS, STAFF, allow, signed_in
from ..errors import by_field, status_of
from ..files import original, page_image, uploaded
from ..i18n import sentence
from ..public.reports import shown
from ..system import system
from ..words import reject_reason
from .lists import chosen, listing, searched
from .rules import may_upload, today, works

blueprint = Blueprint("certificates", __name__, url_prefix="/staff/certificates")

Page = str | tuple[str, int] | Answer
Line = Mapping[str, str]

FIRST_LINES = 6
MORE_LINES = 6
ALL = "all"
SORTS = {
    "submitted": Certificate.submitted_at,
    "number": Certificate.number,
    "laboratory": Certificate.laboratory,
    "lot": Batch.lot,
    "status": Certificate.status,
}
COPIED = ("number", "laboratory", "accreditation", "sample", "method", "conclusion")


@blueprint.get("")
@allow(*EVERYONE)
def index() -> str:
    """The review queue, oldest first; a supplier's own reports, newest first."""
    account = signed_in()
    supplier = account.role == Role.SUPPLIER
    usual = ALL if supplier or searched() else Status.SUBMITTED
    status = chosen("status", [ALL, *Status]) or usual
    with system().main.read() as db:
        query = certificates.matching(certificates.visible(account), searched(), "" if status == ALL else status)
        order = "-submitted" if supplier else "submitted"
        found = listing(db, query, by=SORTS, default=order, also={"status": status})
        return render_template(
            "staff/certificates/index.html",
            found=found,
            status=status,
            statuses=[*Status],
            ages={report.id: _age(report) for report in found.rows},
            supplier=supplier,
            works=works(account),
        )


def _age(report: Certificate) -> str:
    """How long ago it was sent in, in words."""
    waited = max(clock.now() - report.submitted_at, timedelta(minutes=1))
    return str(format_timedelta(-waited, granularity="minute", add_direction=True))


# --- upload -----------------------------------------------------------------------------------------------------------


@blueprint.route("/add", methods=["GET", "POST"])
@allow(Role.ADMIN, Role.QUALITY, Role.SUPPLIER)
def add() -> Page:
    """`batch` is the reference of the batch, `replaces` of the rejected or withdrawn report that this one follows."""
    if request.method == "GET":
        return _form()
    lines = _typed_lines()
    if "more" in request.form:
        return _form(request.form, [*lines, *_empty(min(MORE_LINES, MOST_LINES - len(lines)))], sent=True)
    try:
        ref = _submit(lines)
    except LotsealError as error:
        return _form(request.form, lines, by_field(error), sent=True), status_of(error)
    flash(_("The report was uploaded. It waits for review now."), "ok")
    return redirect(url_for("certificates.show", ref=ref), 303)


def _submit(lines: Sequence[Line]) -> str:
    """All that is wrong with fields and file is said before anything is stored; then the bytes, then the row."""
    with system().main.read() as db:
        _batch(db)
    draft, taken = _read(lines)
    with system().main.write() as db:
        batch = _batch(db)
        replaces = _replaced(db)
        return certificates.submit(db, batch, draft, taken, by=signed_in(), at=clock.now(), replaces=replaces).ref


def _read(lines: Sequence[Line]) -> tuple[CertificateDraft, files.TakenIn]:
    """What was typed, and the file. Raises `Invalid` with all that is wrong in the order of the form: file first."""
    problems: list[Problem] = []
    try:
        draft = certificates.read_certificate(request.form, lines, today=today())
    except Invalid as error:
        problems += error.problems
    try:
        with uploaded("file") as (path, name):
            if not problems:
                with system().main.read() as db:
                    roots = labs.pinned(db)
                return draft, files.take_in_document(system().storage, path, name, roots, at=clock.now())
            files.look_at_document(path, name)
    except Invalid as error:
        problems = [*error.problems, *problems]
    raise Invalid(*problems)


def _batch(db: Session) -> Batch:
    """The batch of the form. Raises `NotFound`, `Forbidden`, or `Conflict` for a closed one."""
    batch = batches.get(db, request.values.get("batch", ""), account=signed_in())
    if not may_upload(signed_in(), batch):
        raise Conflict(Problem(None, "batch.closed", say("This batch is closed; its record does not change any more.")))
    return batch


def _replaced(db: Session) -> Certificate | None:
    ref = request.values.get("replaces", "")
    return certificates.get(db, ref, account=signed_in()) if ref else None


def _typed_lines() -> list[Line]:
    """The result lines as typed, empty ones too, so that a form that comes back looks as it was left."""
    numbers = [
        int(head.removeprefix("lines-"))
        for head, dot, _column in (name.partition(".") for name in request.form)
        if dot and head.removeprefix("lines-").isascii() and head.removeprefix("lines-").isdigit() and len(head) < 11
    ]
    count = min(max(numbers, default=-1) + 1, MOST_LINES + 1)
    return [
        {column: request.form.get(f"lines-{number}.{column}", "") for column in LINE_FIELDS} for number in range(count)
    ]


def _empty(count: int) -> list[Line]:
    return [dict.fromkeys(LINE_FIELDS, "") for _number in range(count)]


def _form(
    form: Mapping[str, str] | None = None,
    lines: Sequence[Line] = (),
    errors: Mapping[str, list[str]] | None = None,
    *,
    sent: bool = False,
) -> str:
    with system().main.read() as db:
        batch = batches.get(db, request.values.get("batch", ""), account=signed_in())
        replaces = _replaced(db)
        if form is None:
            form, lines = _copied(replaces) if replaces else ({}, ())
        filled = list(lines) or _empty(FIRST_LINES)
        return render_template(
            "staff/certificates/form.html",
            batch=batch,
            replaces=replaces,
            form=form,
            lines=filled,
            most_lines=MOST_LINES,
            errors=errors or {},
            file_lost=sent and "file" in request.files and bool(request.files["file"].filename),
            today=today(),
        )


def _copied(old: Certificate) -> tuple[dict[str, str], list[Line]]:
    """What the last version said, to be corrected instead of typed anew."""
    form = {name: str(getattr(old, name)) for name in COPIED}
    form |= {"issued_on": old.issued_on.isoformat(), "expires_on": old.expires_on.isoformat() if old.expires_on else ""}
    return form, [{column: getattr(line, column) for column in LINE_FIELDS} for line in old.lines]


# --- review -----------------------------------------------------------------------------------------------------------


@blueprint.get("/<ref>")
@allow(*EVERYONE)
def show(ref: str) -> str:
    return _page(ref)


def _page(ref: str, errors: Mapping[str, list[str]] | None = None, form: Mapping[str, str] | None = None) -> str:
    account = signed_in()
    with system().main.read() as db:
        certificate = certificates.get(db, ref, account=account)
        batch = certificate.batch
        query = certificates.visible(account).where(
            Certificate.status == Status.SUBMITTED, Certificate.id != certificate.id
        )
        return render_template(
            "staff/certificates/show.html",
            certificate=certificate,
            report=shown(certificate, "certificates.page", "certificates.file"),
            batch=batch,
            doubts=[sentence(doubt) for doubt in _doubts(certificate)],
            versions=_versions(db, certificate),
            reasons=[(reason.value, reject_reason(reason)) for reason in RejectReason],
            following=db.scalars(query.order_by(Certificate.submitted_at, Certificate.id).limit(1)).first(),
            reads_laboratories=account.role in READERS,
            own=certificate.submitted_by_ref == account.ref,
            works=works(account),
            may_replace=may_upload(account, batch) and certificate.status in (Status.REJECTED, Status.WITHDRAWN),
            expired=certificate.expired(today()),
            errors=errors or {},
            form=form or {},
        )


def _doubts(certificate: Certificate) -> list[Message]:
    return [*certificates.doubts(certificate, today=today()), *signatures.doubts(certificate)]


def _versions(db: Session, certificate: Certificate) -> list[Certificate]:
    """The other versions of this report, oldest first: those that it follows and those that follow it."""
    older: list[Certificate] = []
    before = certificate.replaces_id
    while before is not None and (row := db.get(Certificate, before)) is not None:
        older.insert(0, row)
        before = row.replaces_id
    newer: list[Certificate] = []
    while (row := _follower(db, (newer or [certificate])[-1])) is not None:
        newer.append(row)
    return [*older, *newer]


def _follower(db: Session, certificate: Certificate) -> Certificate | None:
    return db.scalars(select(Certificate).where(Certificate.replaces_id == certificate.id).limit(1)).first()


def _act(ref: str, act: Callable[[Session, Certificate, datetime], object], said: Callable[[], str]) -> Page:
    """Act on a report in one transaction; a refusal comes back on its page with everything typed."""
    try:
        with system().main.write() as db:
            act(db, certificates.get(db, ref, account=signed_in()), clock.now())
    except NotFound:
        raise
    except LotsealError as error:
        return _page(ref, by_field(error), request.form), status_of(error)
    flash(said(), "ok")
    return redirect(url_for("certificates.show", ref=ref), 303)


@blueprint.post("/<ref>/accept")
@allow(*STAFF)
def accept(ref: str) -> Page:
    return _act(
        ref,
        lambda db, certificate, at: certificates.accept(db, certificate, by=signed_in(), at=at),
        lambda: _("The report was accepted."),
    )


@blueprint.post("/<ref>/reject")
@allow(*STAFF)
def reject(ref: str) -> Page:
    return _act(
        ref,
        lambda db, certificate, at: certificates.reject(db, certificate, request.form, by=signed_in(), at=at),
        lambda: _("The report was rejected. The supplier sees the reason."),
    )


@blueprint.post("/<ref>/withdraw")
@allow(*STAFF)
def withdraw(ref: str) -> Page:
    reason = request.form.get("reason", "")
    return _act(
        ref,
        lambda db, certificate, at: certificates.withdraw(db, certificate, reason, by=signed_in(), at=at),
        lambda: _("The report was withdrawn. It stays readable with your reason."),
    )


@blueprint.get("/<ref>/page/<int:number>")
@allow(*EVERYONE)
def page(ref: str, number: int) -> Response:
    with system().main.read() as db:
        return page_image(certificates.get(db, ref, account=signed_in()).file, number, private=True)


@blueprint.get("/<ref>/original")
@allow(*EVERYONE)
def file(ref: str) -> Response:
    with system().main.read() as db:
        return original(certificates.get(db, ref, account=signed_in()).file)
