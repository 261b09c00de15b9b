"""Submit, review, withdraw certificates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from .. import log
from ..accounts.models import Account, Role
from ..batches import service as batches
from ..batches.models import Batch, BatchState
from ..db.search import containing
from ..errors import Message, conflict, invalid, not_found, say
from ..files import service as files
from ..files.models import StoredFile
from ..intake import Intake
from ..labs import service as labs
from ..log import Act, Actor
from ..products.models import Product
from . import signatures
from .limits import judge
from .models import Certificate, Conclusion, Outcome, RejectReason, ResultLine, Status

MOST_LINES = 200


@dataclass(frozen=True)
class LineDraft:
    parameter: str
    method: str
    limit: str
    result: str
    unit: str

    @property
    def outcome(self) -> Outcome:
        return judge(self.limit, self.result)


@dataclass(frozen=True)
class CertificateDraft:
    number: str
    laboratory: str
    accreditation: str
    sample: str
    method: str
    issued_on: date
    expires_on: date | None
    conclusion: Conclusion
    lines: tuple[LineDraft, ...]


LINE_FIELDS = ("parameter", "method", "limit", "result", "unit")


def read_certificate(raw: Mapping[str, str], lines: Sequence[Mapping[str, str]], *, today: date) -> CertificateDraft:
    """`lines` hold parameter, method, limit, result, unit; empty ones are left out. Problems of a line are named
    `lines-N.field`, N from 0. Raises `Invalid` naming every field that is wrong."""
    intake = Intake(raw)
    fields = {
        "number": intake.text("number", most=60),
        "laboratory": intake.text("laboratory", most=200),
        "accreditation": intake.text("accreditation", most=100),
        "sample": intake.text("sample", most=200),
        "method": intake.text("method", most=200, required=False),
    }
    issued = intake.day("issued_on")
    expires = intake.day("expires_on", required=False)
    if issued and issued > today:
        intake.refuse("issued_on", "date.future", say("This date is in the future. Take the date on the report."))
    if issued and expires and expires < issued:
        intake.refuse(
            "expires_on",
            "date.before-issue",
            say("This is before the issue date %(day)s. Correct one of the two.", day=issued.isoformat()),
        )
    conclusion = intake.choice("conclusion", Conclusion, default=Conclusion.PASS)
    read = [
        _read_line(intake, index, line)
        for index, line in enumerate(lines[: MOST_LINES + 1])
        if any(map(str.strip, line.values()))
    ]
    if not read:
        intake.refuse("lines", "lines.none", say("Give at least one result: parameter, limit, result and unit."))
    if len(read) > MOST_LINES:
        intake.refuse(
            "lines", "lines.too-many", say("A report has at most %(most)d result lines here.", most=MOST_LINES)
        )
    intake.done()
    assert issued is not None
    return CertificateDraft(**fields, issued_on=issued, expires_on=expires, conclusion=conclusion, lines=tuple(read))


def _read_line(intake: Intake, index: int, raw: Mapping[str, str]) -> LineDraft:
    line = Intake(raw)
    draft = LineDraft(
        parameter=line.text("parameter", most=200, markup=True),
        method=line.text("method", most=200, required=False),
        limit=line.text("limit", most=100, markup=True),
        result=line.text("result", most=100, markup=True),
        unit=line.text("unit", most=40, required=False),
    )
    for problem in line.problems:
        intake.refuse(f"lines-{index}.{problem.field}", problem.rule, problem.message)
    return draft


def submit(
    session: Session,
    batch: Batch,
    draft: CertificateDraft,
    file: files.TakenIn,
    *,
    by: Actor,
    at: datetime,
    replaces: Certificate | None = None,
) -> Certificate:
    """A new certificate, waiting for review. The same file twice, or a number in use for another batch, is a
    `Conflict` that says where it was used."""
    if batch.state == BatchState.CLOSED:
        raise conflict("batch.closed", say("This batch is closed; its record does not change any more."))
    if replaces and (replaces.batch_id != batch.id or replaces.status not in (Status.REJECTED, Status.WITHDRAWN)):
        raise conflict(
            "certificate.replaces", say("Only a rejected or withdrawn report of the same batch can be replaced.")
        )
    _refuse_twin(session, batch, draft, file, replaces)
    row = files.keep(session, file, by=by, at=at)
    certificate = Certificate(
        batch=batch,
        file=row,
        number=draft.number,
        laboratory=draft.laboratory,
        accreditation=draft.accreditation,
        sample=draft.sample,
        method=draft.method,
        issued_on=draft.issued_on,
        expires_on=draft.expires_on,
        conclusion=draft.conclusion,
        status=Status.SUBMITTED,
        version=replaces.version + 1 if replaces else 1,
        replaces_id=replaces.id if replaces else None,
        submitted_at=at,
        submitted_by=by.name,
        submitted_by_ref=by.ref,
        lines=[
            ResultLine(position=position, outcome=line.outcome, **{name: getattr(line, name) for name in LINE_FIELDS})
            for position, line in enumerate(draft.lines)
        ],
    )
    certificate.registered = labs.named_by(session, draft.accreditation)
    session.add(certificate)
    session.flush()
    signatures.judge_if_stale(session, certificate, by=by, at=at)
    log.record(
        session,
        Act.CERTIFICATE_SUBMIT,
        by=by,
        at=at,
        subject=subject(certificate),
        chain=batches.subject(batch),
        batch=batch.ref,
        file_sha256=row.sha256,
        file=of_file(row),
        version=certificate.version,
        replaces=replaces.ref if replaces else None,
        **as_written(certificate),
    )
    return certificate


def of_file(file: StoredFile) -> dict[str, Any]:
    """What pages tell and show of a report's file beside its own bytes, as plain JSON."""
    return {
        "kind": file.kind,
        "name": file.name,
        "pages": file.pages,
        "page_images": [image["sha256"] for image in file.page_images],
        "size": file.size,
        "text_layer": file.has_text_layer,
    }


def as_written(certificate: Certificate) -> dict[str, Any]:
    """What the supplier says of a report, as plain JSON: the log binds it, and a later change of the row shows."""
    return {
        "number": certificate.number,
        "laboratory": certificate.laboratory,
        "accreditation": certificate.accreditation,
        "sample": certificate.sample,
        "method": certificate.method,
        "issued_on": certificate.issued_on.isoformat(),
        "expires_on": certificate.expires_on.isoformat() if certificate.expires_on else None,
        "conclusion": certificate.conclusion,
        "lines": [
            {**{name: getattr(line, name) for name in LINE_FIELDS}, "outcome": line.outcome}
            for line in certificate.lines
        ],
    }


def _refuse_twin(
    session: Session, batch: Batch, draft: CertificateDraft, file: files.TakenIn, replaces: Certificate | None
) -> None:
    living = select(Certificate).where(Certificate.status != Status.REJECTED)
    same_file = session.scalar(living.join(Certificate.file).where(StoredFile.sha256 == file.sha256).limit(1))
    if same_file:
        _refuse_strangers(batch, same_file, "file")
        raise conflict(
            "certificate.same-file",
            say(
                "This file was uploaded on %(day)s for lot %(lot)s as report %(number)s. It need not be sent again.",
                day=same_file.submitted_at.date().isoformat(),
                lot=same_file.batch.lot,
                number=same_file.number,
            ),
            field="file",
        )
    same_number = session.scalar(
        living.where(Certificate.number == draft.number, Certificate.laboratory == draft.laboratory)
        .where(Certificate.id != (replaces.id if replaces else 0))
        .limit(1)
    )
    if same_number:
        _refuse_strangers(batch, same_number, "number")
        raise conflict(
            "certificate.same-number",
            say(
                "Report %(number)s of this laboratory is there already, for lot %(lot)s. Check the number.",
                number=draft.number,
                lot=same_number.batch.lot,
            ),
            field="number",
        )


def _refuse_strangers(batch: Batch, twin: Certificate, field: str) -> None:
    """A supplier learns nothing of another one's lots and reports, only that this one is taken."""
    if twin.batch.supplier_id != batch.supplier_id:
        raise conflict(
            "certificate.of-another",
            say("This report is on record already. Ask the quality department, if it is yours."),
            field=field,
        )


def doubts(certificate: Certificate, *, today: date) -> list[Message]:
    """What a reviewer should look at: facts that the service computed and that do not fit."""
    found = []
    failed = [line.parameter for line in certificate.lines if line.outcome == Outcome.FAIL]
    undecided = [line.parameter for line in certificate.lines if line.outcome == Outcome.UNDECIDED]
    if failed:
        found.append(say("Outside its limit: %(parameters)s.", parameters=", ".join(failed)))
    if undecided:
        found.append(say("Cannot be compared by rule, please judge: %(parameters)s.", parameters=", ".join(undecided)))
    if failed and certificate.conclusion == Conclusion.PASS:
        found.append(say("The conclusion says «pass», the results do not."))
    if certificate.expired(today):
        found.append(say("The report has expired."))
    if certificate.batch.produced_on and certificate.issued_on < certificate.batch.produced_on:
        found.append(say("The report is older than the batch."))
    if not certificate.file.has_text_layer and certificate.file.kind == "pdf":
        found.append(say("The file is a scan without text; compare every number by eye."))
    return found


def accept(session: Session, certificate: Certificate, *, by: Account | Actor, at: datetime) -> None:
    """Raises `Conflict` when it was reviewed already, or when its conclusion contradicts its results."""
    _refuse_reviewed(certificate)
    _refuse_own_review(certificate, by)
    if certificate.conclusion == Conclusion.PASS and any(line.outcome == Outcome.FAIL for line in certificate.lines):
        raise conflict(
            "certificate.conclusion-differs",
            say("A result is outside its limit, yet the conclusion says «pass». Reject the report with that reason."),
        )
    certificate.status, certificate.reviewed_at, certificate.reviewed_by = Status.ACCEPTED, at, by.name
    _record(session, Act.CERTIFICATE_ACCEPT, certificate, by=by, at=at, file_sha256=certificate.file.sha256)
    batches.renew_credentials(session, certificate.batch, by=by, at=at)


def reject(session: Session, certificate: Certificate, raw: Mapping[str, str], *, by: Actor, at: datetime) -> None:
    """Fields: reason (a `RejectReason`), note. The supplier reads both."""
    _refuse_reviewed(certificate)
    intake = Intake(raw)
    reason = intake.choice("reason", RejectReason, default=RejectReason.UNREADABLE)
    note = intake.text("note", most=500, required=False, lines=True)
    intake.done()
    certificate.status, certificate.reason, certificate.note = Status.REJECTED, reason, note
    certificate.reviewed_at, certificate.reviewed_by = at, by.name
    _record(session, Act.CERTIFICATE_REJECT, certificate, by=by, at=at, reason=reason, note=note)


def withdraw(session: Session, certificate: Certificate, reason: str, *, by: Actor, at: datetime) -> None:
    """An accepted report does not count any more; it stays readable with the reason."""
    if certificate.status != Status.ACCEPTED:
        raise conflict("certificate.not-accepted", say("Only an accepted report can be withdrawn."))
    intake = Intake({"reason": reason})
    text = intake.text("reason", most=500, lines=True)
    intake.done()
    certificate.status, certificate.withdrawn_at, certificate.withdrawn_by = Status.WITHDRAWN, at, by.name
    certificate.withdrawn_reason = text
    _record(session, Act.CERTIFICATE_WITHDRAW, certificate, by=by, at=at, reason=text)
    batches.renew_credentials(session, certificate.batch, by=by, at=at)


def _record(session: Session, act: Act, certificate: Certificate, *, by: Actor, at: datetime, **facts: Any) -> None:
    """Reports belong to the history of their batch, so that none can be left out of it."""
    chain = batches.subject(certificate.batch)
    log.record(session, act, by=by, at=at, subject=subject(certificate), chain=chain, **facts)


def _refuse_reviewed(certificate: Certificate) -> None:
    if certificate.status != Status.SUBMITTED:
        raise conflict("certificate.reviewed", say("This report was reviewed already."))


def _refuse_own_review(certificate: Certificate, by: Actor) -> None:
    """Whoever sent a report in does not accept it. The command line is exempt: it has no second pair of eyes to ask."""
    if isinstance(by, Account) and certificate.submitted_by_ref == by.ref:
        raise conflict("certificate.own-review", say("You sent this report in. Somebody else has to accept it."))


def subject(certificate: Certificate) -> str:
    return f"certificate:{certificate.ref}"


def visible(account: Account | None) -> Select[Certificate]:
    query = select(Certificate).join(Certificate.batch).join(Batch.product).join(Certificate.file)
    if account is not None and account.role == Role.SUPPLIER:
        query = query.where(Batch.supplier_id == account.supplier_id)
    return query


def matching(query: Select[Certificate], search: str = "", status: str = "") -> Select[Certificate]:
    if status:
        query = query.where(Certificate.status == status)
    if search:
        columns = (Certificate.number, Certificate.laboratory, Batch.lot, Product.name_zh, Product.name_en)
        query = query.where(or_(containing(search, *columns), containing(search, StoredFile.sha256)))
    return query


def get(session: Session, ref: str, *, account: Account | None = None) -> Certificate:
    certificate = session.scalar(visible(account).where(Certificate.ref == ref))
    if certificate is None:
        raise not_found("certificate.unknown", say("There is no such report."))
    return certificate


def get_public(session: Session, ref: str) -> Certificate:
    """What the public may read: accepted and withdrawn reports of batches that were released."""
    certificate = get(session, ref)
    reviewed = certificate.status in (Status.ACCEPTED, Status.WITHDRAWN)
    if not reviewed or not batches.was_released(session, certificate.batch):
        raise not_found("certificate.unknown", say("There is no such report."))
    return certificate


def of_batch(session: Session, batch: Batch) -> Sequence[Certificate]:
    query = select(Certificate).where(Certificate.batch_id == batch.id).order_by(Certificate.id)
    return session.scalars(query).all()


def require_file(file: files.TakenIn | None) -> files.TakenIn:
    """Raises `Invalid` when no file came with the form."""
    if file is None:
        raise invalid("file", "file.missing", say("Choose the report file: PDF, PNG, JPEG or WebP, up to 20 MB."))
    return file
