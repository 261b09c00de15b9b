"""Who signed a report: what the file says, beside whose certificates are pinned."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from makers import AT, a_batch, a_certificate, a_file, a_laboratory, issue_credentials
from signers import Holder, appended, holder, laboratory, laboratory_root, report, sign, stranger_root
from sqlalchemy import select
from sqlalchemy.orm import Session

from lotseal.trace.accounts.service import OPERATOR
from lotseal.trace.certificates import service as certificates
from lotseal.trace.certificates import signatures
from lotseal.trace.certificates.models import Certificate
from lotseal.trace.certificates.signatures import Standing, signed_by_laboratory, standing
from lotseal.trace.files import service as files
from lotseal.trace.files.findings import Coverage, Five, Integrity, Later, Shape, Trust, Works
from lotseal.trace.files.signatures import Signature, Signatures, State, name_of
from lotseal.trace.jobs.models import Job, JobState
from lotseal.trace.labs import service as labs
from lotseal.trace.labs.models import Laboratory, PinnedRoot
from lotseal.trace.labs.roots import read_root
from lotseal.trace.system import System

FIVE = Five(Integrity.INTACT, Works.RIGHT, Trust.PINNED, Coverage.FILE, Later.NOTHING)
GOOD = Signature(
    field="Laboratory",
    shape=Shape.DOCUMENT,
    five=FIVE,
    signer="Minjian",
    signed_at=AT,
    certificate_sha256="0" * 64,
    roots=(laboratory_root().sha256,),
    revision=2,
)


def pin(session: Session, row: Laboratory, root: Holder | None = None) -> PinnedRoot:
    read = read_root((root or laboratory_root()).der)
    return labs.pin(session, row, read, {"sha256": read.sha256}, by=OPERATOR, at=AT)


def with_facts(*found: Signature, state: State = State.READ) -> files.TakenIn:
    """A file that was taken in with these signatures."""
    return replace(a_file(), signatures=Signatures(state, found, 2, AT, "").plain())


def a_report(session: Session, *found: Signature, **changed: str) -> Certificate:
    return a_certificate(session, a_batch(session), accepted=False, file=with_facts(*found), **changed)


# --- what it comes to -------------------------------------------------------------------------------------------------


def test_all_five_facts_and_the_right_pin_make_it_signed_by_the_laboratory(lasting: Session) -> None:
    pin(lasting, a_laboratory(lasting))
    certificate = a_report(lasting, GOOD)
    assert standing(certificate) is Standing.LABORATORY
    facts = signed_by_laboratory(certificate)
    assert facts["signed_by_laboratory"] is True
    assert facts["laboratory"]["roots"][0]["sha256"] == laboratory_root().sha256
    assert json.loads(json.dumps(facts)) == facts, "plain JSON values only"


@pytest.mark.parametrize(
    ("fact", "word", "comes_to"),
    [
        ("integrity", Integrity.CHANGED, Standing.CHANGED),
        ("signature", Works.WRONG, Standing.WRONG),
        ("signature", Works.UNREADABLE, Standing.UNREADABLE),
        ("coverage", Coverage.PART, Standing.CHANGED),
        ("later", Later.CHANGED, Standing.CHANGED),
        ("later", Later.FORM, Standing.CHANGED),
        ("later", Later.SEEN_SIGNATURE, Standing.CHANGED),
        ("trust", Trust.UNKNOWN_ROOT, Standing.NOT_PINNED),
        ("trust", Trust.SELF_SIGNED, Standing.NOT_PINNED),
        ("trust", Trust.EXPIRED, Standing.NOT_IN_FORCE),
        ("trust", Trust.CLAIMED_TIME, Standing.NOT_IN_FORCE),
        ("trust", Trust.PURPOSE, Standing.NOT_PROVEN),
        ("trust", Trust.TIME_STAMP, Standing.NOT_PROVEN),
    ],
)
def test_one_fact_that_does_not_hold_is_enough(lasting: Session, fact: str, word: str, comes_to: Standing) -> None:
    pin(lasting, a_laboratory(lasting))
    spoilt = replace(GOOD, five=replace(FIVE, **{fact: word}))
    assert standing(a_report(lasting, spoilt)) is comes_to


def test_a_root_that_is_pinned_for_another_laboratory_does_not_count(lasting: Session) -> None:
    a_laboratory(lasting)
    pin(lasting, a_laboratory(lasting, cma="CMA 220000000000"))
    assert standing(a_report(lasting, GOOD)) is Standing.ANOTHER


def test_a_report_of_no_registered_laboratory_is_signed_by_somebody_else(lasting: Session) -> None:
    pin(lasting, a_laboratory(lasting))
    assert standing(a_report(lasting, GOOD, accreditation="CMA 999999999999")) is Standing.ANOTHER


def test_a_root_that_was_unpinned_does_not_count_from_that_moment(lasting: Session) -> None:
    root = pin(lasting, a_laboratory(lasting))
    certificate = a_report(lasting, GOOD)
    assert standing(certificate) is Standing.LABORATORY
    labs.unpin(lasting, root, "key lost", by=OPERATOR, at=AT)
    assert standing(certificate) is Standing.ANOTHER


def test_a_root_for_time_stamps_is_no_pin_for_signatures(lasting: Session) -> None:
    row, read = a_laboratory(lasting), read_root(laboratory_root().der)
    labs.pin(lasting, row, read, {"sha256": read.sha256, "purpose": "time-stamps"}, by=OPERATOR, at=AT)
    assert standing(a_report(lasting, GOOD)) is Standing.ANOTHER


def test_a_suspended_laboratory_does_not_count(lasting: Session) -> None:
    row = a_laboratory(lasting)
    pin(lasting, row)
    certificate = a_report(lasting, GOOD)
    labs.suspend(lasting, row, "withdrawn", by=OPERATOR, at=AT)
    assert standing(certificate) is Standing.SUSPENDED
    assert signed_by_laboratory(certificate)["signed_by_laboratory"] is False


def test_of_several_signatures_the_laboratorys_counts_else_the_gravest_is_told(lasting: Session) -> None:
    pin(lasting, a_laboratory(lasting))
    strange = replace(GOOD, five=replace(FIVE, trust=Trust.UNKNOWN_ROOT), roots=())
    changed = replace(GOOD, five=replace(FIVE, integrity=Integrity.CHANGED))
    stamp = replace(GOOD, shape=Shape.TIME_STAMP)
    assert standing(a_report(lasting, strange, GOOD)) is Standing.LABORATORY
    assert standing(a_report(lasting, strange, changed, stamp)) is Standing.CHANGED
    assert standing(a_report(lasting, stamp)) is Standing.TIME_STAMP


def test_files_without_signatures_say_so_each_in_its_way(lasting: Session) -> None:
    batch = a_batch(lasting)
    for file, comes_to in (
        (with_facts(state=State.NONE), Standing.NOT_SIGNED),
        (with_facts(state=State.UNREADABLE), Standing.UNREADABLE),
        (a_file(), Standing.NOT_LOOKED_AT),
        (replace(a_file(), kind="png"), Standing.IMPOSSIBLE),
    ):
        certificate = a_certificate(lasting, batch, accepted=False, file=file)
        assert standing(certificate) is comes_to
        assert signed_by_laboratory(certificate)["signed_by_laboratory"] is False


# --- the laboratory that a report names -------------------------------------------------------------------------------


def doubts(certificate: Certificate) -> str:
    return " ".join(str(doubt) for doubt in signatures.doubts(certificate))


def test_a_report_finds_its_laboratory_by_the_number(lasting: Session) -> None:
    row = a_laboratory(lasting)
    certificate = a_report(lasting, accreditation="CMA:2113-0011 1111 / CNAS L9")
    assert certificate.registered is row
    assert doubts(certificate) == ""


def test_a_reviewer_reads_when_no_laboratory_has_the_number(lasting: Session) -> None:
    assert doubts(a_report(lasting)) == "No registered laboratory has this accreditation number."


def test_a_reviewer_reads_when_the_accreditation_had_ended(lasting: Session) -> None:
    row = a_laboratory(lasting, valid_until="2026-10-20")
    assert "had ended on 2026-10-20" in doubts(a_report(lasting, issued_on="2026-10-21"))
    assert doubts(a_report(lasting, issued_on="2026-10-20")) == ""
    assert row.lapsed(AT.date())


def test_a_reviewer_reads_when_laboratory_is_suspended_or_named_otherwise(lasting: Session) -> None:
    row = a_laboratory(lasting)
    assert "the report names 沪东检测" in doubts(a_report(lasting, laboratory="沪东检测"))
    assert doubts(a_report(lasting, laboratory="闽检 Minjian, Fuzhou branch")) == ""
    labs.suspend(lasting, row, "withdrawn", by=OPERATOR, at=AT)
    assert "The laboratory is suspended: withdrawn" in doubts(a_report(lasting))


# --- judged again -----------------------------------------------------------------------------------------------------


def upload(system: System, tmp_path: Path, data: bytes, *, at: object = AT) -> str:
    """Take a signed report in the usual way; gives its reference."""
    path = tmp_path / "upload.pdf"
    path.write_bytes(data)
    with system.main.read() as session:
        roots = labs.pinned(session)
    taken = files.take_in_document(system.storage, path, "report.pdf", roots, at=AT)
    with system.main.write() as session:
        return a_certificate(session, a_batch(session), accepted=False, file=taken).ref


def standing_now(system: System, ref: str) -> Standing:
    with system.main.read() as session:
        return standing(certificates.get(session, ref))


def run_jobs(system: System) -> None:
    while True:
        with system.main.read() as session:
            if session.scalars(select(Job).where(Job.state == JobState.QUEUED)).first() is None:
                return
        issue_credentials(system, AT + timedelta(days=30))


def test_pinning_makes_reports_that_are_there_count_and_unpinning_ends_it(system: System, tmp_path: Path) -> None:
    ref = upload(system, tmp_path, sign(report(), laboratory()))
    assert standing_now(system, ref) is Standing.NOT_PINNED
    with system.main.write() as session:
        row = a_laboratory(session)
        root = pin(session, row)
    run_jobs(system)
    assert standing_now(system, ref) is Standing.LABORATORY
    with system.main.write() as session:
        labs.unpin(session, session.get_one(PinnedRoot, root.id), "key lost", by=OPERATOR, at=AT)
    assert standing_now(system, ref) is Standing.ANOTHER
    run_jobs(system)
    assert standing_now(system, ref) is Standing.NOT_PINNED


def test_certificates_count_as_of_the_day_the_file_came_in(sqlite_system: System, tmp_path: Path) -> None:
    """The signer's certificate expires a week later; judging a month later changes nothing."""
    short = holder("Short", laboratory_root(), end=AT + timedelta(days=7))
    ref = upload(sqlite_system, tmp_path, sign(report(), short))
    with sqlite_system.main.write() as session:
        pin(session, a_laboratory(session))
    run_jobs(sqlite_system)
    assert standing_now(sqlite_system, ref) is Standing.LABORATORY


def test_files_that_came_in_before_signatures_were_read_are_looked_at(sqlite_system: System, tmp_path: Path) -> None:
    refs = [
        upload(sqlite_system, tmp_path, data)
        for data in (sign(report(), laboratory()), report(), appended(sign(report(), laboratory())))
    ]
    with sqlite_system.main.write() as session:
        for ref in refs:
            certificates.get(session, ref).file.signatures = None
        pin(session, a_laboratory(session))
    assert {standing_now(sqlite_system, ref) for ref in refs} == {Standing.NOT_LOOKED_AT}
    run_jobs(sqlite_system)
    found = [standing_now(sqlite_system, ref) for ref in refs]
    assert found == [Standing.LABORATORY, Standing.NOT_SIGNED, Standing.CHANGED]


def test_roots_that_changed_while_a_file_was_read_are_made_up_for(sqlite_system: System, tmp_path: Path) -> None:
    path = tmp_path / "upload.pdf"
    path.write_bytes(sign(report(), laboratory()))
    taken = files.take_in_document(sqlite_system.storage, path, "report.pdf", [], at=AT)
    with sqlite_system.main.write() as session:
        pin(session, a_laboratory(session))
    run_jobs(sqlite_system)
    with sqlite_system.main.write() as session:
        ref = a_certificate(session, a_batch(session), accepted=False, file=taken).ref
    assert standing_now(sqlite_system, ref) is Standing.NOT_PINNED
    run_jobs(sqlite_system)
    assert standing_now(sqlite_system, ref) is Standing.LABORATORY


def test_a_file_that_is_up_to_date_is_not_read_again(
    sqlite_system: System, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with sqlite_system.main.write() as session:
        row = a_laboratory(session)
        pin(session, row)
    run_jobs(sqlite_system)
    ref = upload(sqlite_system, tmp_path, sign(report(), laboratory()))
    monkeypatch.setattr(signatures, "_look", None)
    with sqlite_system.main.write() as session:
        labs.change(session, labs.get(session, row.ref), _renumbered(), by=OPERATOR, at=AT)
    run_jobs(sqlite_system)
    assert standing_now(sqlite_system, ref) is Standing.LABORATORY


def _renumbered() -> labs.LaboratoryDraft:
    facts = {"name_zh": "闽检", "name_en": "Minjian", "country": "CN", "cma": "211300111111", "cnas": "CNAS L7777"}
    return labs.read_laboratory(facts)


def test_a_lost_file_keeps_what_was_found(sqlite_system: System, tmp_path: Path) -> None:
    ref = upload(sqlite_system, tmp_path, sign(report(), laboratory()))
    with sqlite_system.main.write() as session:
        pin(session, a_laboratory(session))
        sqlite_system.storage.delete(certificates.get(session, ref).file.sha256)
    run_jobs(sqlite_system)
    assert standing_now(sqlite_system, ref) is Standing.NOT_PINNED


def test_reports_find_and_lose_their_laboratory_when_numbers_change(sqlite_system: System, tmp_path: Path) -> None:
    with sqlite_system.main.write() as session:
        ref = a_certificate(session, a_batch(session)).ref
        row = a_laboratory(session)
    run_jobs(sqlite_system)
    with sqlite_system.main.write() as session:
        certificate = certificates.get(session, ref)
        assert certificate.registered is not None
        assert certificate.registered.ref == row.ref
        other = labs.read_laboratory({"name_zh": "闽检", "name_en": "Minjian", "country": "CN", "cma": "CMA 7777777"})
        labs.change(session, labs.get(session, row.ref), other, by=OPERATOR, at=AT)
    run_jobs(sqlite_system)
    with sqlite_system.main.read() as session:
        assert certificates.get(session, ref).registered is None


def test_the_roots_of_all_laboratories_name_one_set(sqlite_system: System) -> None:
    with sqlite_system.main.write() as session:
        first, second = a_laboratory(session), a_laboratory(session, cma="CMA 220000000000")
        pin(session, first)
        pin(session, second)
        pin(session, second, stranger_root())
        assert name_of(labs.pinned(session)) == name_of([stranger_root().root, laboratory_root().root])
