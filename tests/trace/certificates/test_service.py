from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from makers import (
    AT,
    CERTIFICATE,
    HOLD,
    LINE,
    TODAY,
    a_batch,
    a_batch_in,
    a_certificate,
    a_file,
    a_product,
    a_supplier,
    acts,
    alice,
    bob,
    certificate_draft,
    chen,
    dana,
    released,
    rows,
    rules,
)
from sqlalchemy.orm import Session

from lotseal.trace.accounts.service import OPERATOR
from lotseal.trace.batches import service as batches
from lotseal.trace.batches.models import BatchState
from lotseal.trace.certificates import service as certificates
from lotseal.trace.certificates.models import Certificate, RejectReason, ResultLine, Status
from lotseal.trace.errors import Conflict, Invalid, NotFound
from lotseal.trace.files.models import StoredFile
from lotseal.trace.keys.ring import KeyRing


def test_a_report_is_kept_with_its_lines_and_computed_outcomes(lasting: Session) -> None:
    lines = [{}, {"parameter": "镉", "result": "6"}, {"parameter": "味", "limit": "正常", "result": "正常"}]
    report = a_certificate(lasting, a_batch(lasting), accepted=False, lines=lines, conclusion="fail")
    assert [(line.parameter, line.outcome) for line in report.lines] == [
        ("铅", "pass"), ("镉", "fail"), ("味", "undecided"),
    ]  # fmt: skip
    assert (report.status, report.version, report.submitted_by, report.file.kind) == (
        "submitted",
        1,
        OPERATOR.name,
        "pdf",
    )
    assert acts(lasting)[-1] == "certificate:submit"


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"number": ""}, ("number", "text.missing")),
        ({"number": "x" * 61}, ("number", "text.too-long")),
        ({"laboratory": "🧪"}, ("laboratory", "text.symbol")),
        ({"accreditation": ""}, ("accreditation", "text.missing")),
        ({"sample": ""}, ("sample", "text.missing")),
        ({"method": "<"}, ("method", "text.markup")),
        ({"issued_on": ""}, ("issued_on", "date.missing")),
        ({"issued_on": "2026-11-23"}, ("issued_on", "date.future")),
        ({"expires_on": "2026-10-20"}, ("expires_on", "date.before-issue")),
        ({"conclusion": "good"}, ("conclusion", "choice.unknown")),
    ],
)
def test_each_wrong_field_is_refused(changed: dict[str, str], problem: tuple[str, str]) -> None:
    with pytest.raises(Invalid) as error:
        certificate_draft(**changed)
    assert rules(error) == [problem]


def test_a_report_of_today_is_taken() -> None:
    assert certificate_draft(issued_on=TODAY.isoformat()).issued_on == TODAY


@pytest.mark.parametrize("field", ["parameter", "limit", "result"])
def test_a_line_that_lacks_something_is_named_by_its_place(field: str) -> None:
    with pytest.raises(Invalid) as error:
        certificate_draft([{}, {field: ""}])
    assert rules(error) == [(f"lines-1.{field}", "text.missing")]


def test_empty_lines_are_left_out_but_one_must_be_there() -> None:
    empty = dict.fromkeys(LINE, " ")
    assert len(certificate_draft([empty, {}, empty]).lines) == 1
    with pytest.raises(Invalid) as error:
        certificate_draft([empty])
    assert rules(error) == [("lines", "lines.none")]


def test_two_hundred_lines_are_enough() -> None:
    assert len(certificate_draft([{}] * 200).lines) == 200
    with pytest.raises(Invalid) as error:
        certificate_draft([{}] * 100_000)
    assert rules(error) == [("lines", "lines.too-many")]


def test_one_file_is_sent_once(lasting: Session) -> None:
    batch, file = a_batch(lasting), a_file()
    a_certificate(lasting, batch, file=file, number="YX-A")
    with pytest.raises(Conflict, match="2026-11-22 for lot DHP261012A as report YX-A") as error:
        a_certificate(lasting, batch, file=file)
    assert rules(error) == [("file", "certificate.same-file")]
    assert (rows(lasting, Certificate), rows(lasting, StoredFile), rows(lasting, ResultLine)) == (1, 1, 1)
    assert acts(lasting)[-1] == "certificate:accept"


def test_one_number_of_a_laboratory_is_one_report(lasting: Session) -> None:
    batch = a_batch(lasting)
    a_certificate(lasting, batch, number="YX-A")
    with pytest.raises(Conflict, match="lot DHP261012A") as error:
        a_certificate(lasting, batch, number="YX-A")
    assert rules(error) == [("number", "certificate.same-number")]
    assert rows(lasting, StoredFile) == 1
    a_certificate(lasting, batch, number="YX-A", laboratory="another one")


@pytest.mark.parametrize("same", ["file", "number"])
def test_a_supplier_learns_nothing_of_another_ones_report(lasting: Session, same: str) -> None:
    file = a_file()
    a_certificate(lasting, a_batch(lasting, lot="SECRET-LOT"), file=file, number="SECRET-1")
    changed = {"file": file} if same == "file" else {"number": "SECRET-1"}
    with pytest.raises(Conflict) as error:
        a_certificate(lasting, a_batch(lasting), **changed)  # type: ignore[arg-type]  # one of the two
    assert rules(error) == [(same, "certificate.of-another")]
    assert "SECRET-LOT" not in str(error.value)


def test_a_rejected_report_may_be_sent_again_as_its_next_version(lasting: Session) -> None:
    batch, file = a_batch(lasting), a_file()
    first = a_certificate(lasting, batch, accepted=False, file=file, number="YX-A")
    certificates.reject(lasting, first, {"reason": "unreadable"}, by=OPERATOR, at=AT)
    draft = certificate_draft(number="YX-A")
    second = certificates.submit(lasting, batch, draft, file, by=OPERATOR, at=AT, replaces=first)
    assert (second.version, second.replaces_id, second.file_id) == (2, first.id, first.file_id)
    assert [report.status for report in certificates.of_batch(lasting, batch)] == ["rejected", "submitted"]


@pytest.mark.parametrize("why", ["waiting", "accepted", "of another batch"])
def test_nothing_else_can_be_replaced(lasting: Session, why: str) -> None:
    batch = a_batch(lasting)
    other = a_batch(lasting) if why == "of another batch" else batch
    old = a_certificate(lasting, other, accepted=why == "accepted")
    if why == "of another batch":
        certificates.reject(lasting, old, {"reason": "unreadable"}, by=OPERATOR, at=AT)
    with pytest.raises(Conflict) as error:
        certificates.submit(lasting, batch, certificate_draft(), a_file(), by=OPERATOR, at=AT, replaces=old)
    assert rules(error) == [(None, "certificate.replaces")]


def test_a_closed_batch_takes_no_report(lasting: Session, ring: KeyRing) -> None:
    batch = a_batch_in(lasting, BatchState.CLOSED, ring)
    with pytest.raises(Conflict) as error:
        a_certificate(lasting, batch)
    assert rules(error) == [(None, "batch.closed")]


def test_a_report_is_accepted_by_somebody_else(lasting: Session) -> None:
    batch = a_batch(lasting)
    c, b = chen(lasting, batch.supplier), bob(lasting)
    report = a_certificate(lasting, batch, accepted=False, by=c)
    with pytest.raises(Conflict) as error:
        certificates.accept(lasting, report, by=c, at=AT)
    assert rules(error) == [(None, "certificate.own-review")]
    assert report.status == Status.SUBMITTED
    certificates.accept(lasting, report, by=b, at=AT)
    assert (report.status, report.reviewed_by, report.reviewed_at) == (Status.ACCEPTED, "Bob", AT)
    assert acts(lasting)[-1] == "certificate:accept"


def test_a_report_that_contradicts_itself_is_not_accepted(lasting: Session) -> None:
    report = a_certificate(lasting, a_batch(lasting), accepted=False, lines=[{"result": "6"}])
    with pytest.raises(Conflict) as error:
        certificates.accept(lasting, report, by=OPERATOR, at=AT)
    assert rules(error) == [(None, "certificate.conclusion-differs")]
    assert report.status == Status.SUBMITTED


def test_an_honest_failure_is_accepted(lasting: Session) -> None:
    assert (
        a_certificate(lasting, a_batch(lasting), lines=[{"result": "6"}], conclusion="fail").status == Status.ACCEPTED
    )


@pytest.mark.parametrize("reason", RejectReason)
def test_a_report_is_rejected_with_a_reason(lasting: Session, reason: RejectReason) -> None:
    report = a_certificate(lasting, a_batch(lasting), accepted=False)
    certificates.reject(lasting, report, {"reason": reason, "note": "see page 2"}, by=alice(lasting), at=AT)
    assert (report.status, report.reason, report.note, report.reviewed_by) == (
        "rejected",
        reason,
        "see page 2",
        "Alice",
    )
    assert acts(lasting)[-1] == "certificate:reject"


@pytest.mark.parametrize(
    ("raw", "problem"),
    [({}, ("reason", "choice.unknown")), ({"reason": "unreadable", "note": "🍵"}, ("note", "text.symbol"))],
)
def test_a_rejection_needs_a_known_reason(lasting: Session, raw: dict[str, str], problem: tuple[str, str]) -> None:
    report = a_certificate(lasting, a_batch(lasting), accepted=False)
    with pytest.raises(Invalid) as error:
        certificates.reject(lasting, report, raw, by=OPERATOR, at=AT)
    assert rules(error) == [problem]
    assert report.status == Status.SUBMITTED


def _in(session: Session, status: Status) -> Certificate:
    report = a_certificate(session, a_batch(session), accepted=status in (Status.ACCEPTED, Status.WITHDRAWN))
    if status is Status.REJECTED:
        certificates.reject(session, report, {"reason": "unreadable"}, by=OPERATOR, at=AT)
    if status is Status.WITHDRAWN:
        certificates.withdraw(session, report, "laboratory lost its licence", by=OPERATOR, at=AT)
    return report


@pytest.mark.parametrize("action", ["accept", "reject", "withdraw"])
@pytest.mark.parametrize("status", Status)
def test_each_review_in_each_status_is_allowed_or_a_conflict(lasting: Session, status: Status, action: str) -> None:
    report = _in(lasting, status)
    before = acts(lasting)
    allowed = (status is Status.SUBMITTED) == (action != "withdraw") and status in (Status.SUBMITTED, Status.ACCEPTED)

    def act() -> None:
        match action:
            case "accept":
                certificates.accept(lasting, report, by=OPERATOR, at=AT)
            case "reject":
                certificates.reject(lasting, report, {"reason": "expired"}, by=OPERATOR, at=AT)
            case _:
                certificates.withdraw(lasting, report, "wrong sample", by=OPERATOR, at=AT)

    if allowed:
        act()
        assert report.status == {"accept": "accepted", "reject": "rejected", "withdraw": "withdrawn"}[action]
        assert acts(lasting) == [*before, f"certificate:{action}"]
    else:
        with pytest.raises(Conflict):
            act()
        assert (report.status, acts(lasting)) == (status, before)


def test_a_withdrawal_needs_its_reason_and_stays_readable(lasting: Session) -> None:
    report = a_certificate(lasting, a_batch(lasting))
    with pytest.raises(Invalid) as error:
        certificates.withdraw(lasting, report, "", by=OPERATOR, at=AT)
    assert rules(error) == [("reason", "text.missing")]
    certificates.withdraw(lasting, report, "wrong sample", by=bob(lasting), at=AT)
    assert (report.withdrawn_reason, report.withdrawn_by, report.withdrawn_at) == ("wrong sample", "Bob", AT)


def test_the_reviewer_is_told_every_doubt(lasting: Session) -> None:
    batch = a_batch(lasting)
    file = replace(a_file(), has_text_layer=False)
    lines = [{"result": "6"}, {"parameter": "味", "limit": "正常", "result": "正常"}]
    report = a_certificate(
        lasting, batch, accepted=False, file=file, lines=lines, issued_on="2026-10-01", expires_on="2026-11-21"
    )
    found = [str(doubt) for doubt in certificates.doubts(report, today=TODAY)]
    assert len(found) == 6
    assert found[0] == "Outside its limit: 铅."
    assert found[1] == "Cannot be compared by rule, please judge: 味."


def test_a_sound_report_raises_no_doubt(lasting: Session) -> None:
    report = a_certificate(lasting, a_batch(lasting), expires_on=TODAY.isoformat())
    assert certificates.doubts(report, today=TODAY) == []
    assert report.expired(date(2026, 11, 23))


def test_chen_sees_the_own_reports_only(lasting: Session) -> None:
    ours, theirs = a_batch(lasting), a_batch(lasting)
    c, d = chen(lasting, ours.supplier), dana(lasting, theirs.supplier)
    mine, other = a_certificate(lasting, ours), a_certificate(lasting, theirs)
    assert list(lasting.scalars(certificates.visible(c))) == [mine]
    assert certificates.get(lasting, mine.ref, account=c) is mine
    for account, report in ((c, other), (d, mine)):
        with pytest.raises(NotFound) as error:
            certificates.get(lasting, report.ref, account=account)
        assert rules(error) == [(None, "certificate.unknown")]
    assert len(lasting.scalars(certificates.visible(None)).all()) == 2


def test_the_public_reads_reviewed_reports_of_batches_that_were_on_sale(lasting: Session, ring: KeyRing) -> None:
    product = a_product(lasting, a_supplier(lasting))
    on_sale = released(lasting, ring, product)
    [report] = certificates.of_batch(lasting, on_sale)
    waiting = a_certificate(lasting, on_sale, accepted=False)
    never = a_batch(lasting, product, lot="NEVER")
    early = a_certificate(lasting, never)
    batches.hold(lasting, never, HOLD, by=OPERATOR, at=AT)
    assert certificates.get_public(lasting, report.ref) is report
    certificates.withdraw(lasting, report, "wrong sample", by=OPERATOR, at=AT)
    assert certificates.get_public(lasting, report.ref) is report
    for hidden in (waiting.ref, early.ref, "no-such-ref"):
        with pytest.raises(NotFound):
            certificates.get_public(lasting, hidden)


def test_a_form_without_a_file_is_refused() -> None:
    with pytest.raises(Invalid) as error:
        certificates.require_file(None)
    assert rules(error) == [("file", "file.missing")]
    file = a_file()
    assert certificates.require_file(file) is file
    assert "number" not in CERTIFICATE
