from __future__ import annotations

from datetime import timedelta

import pytest
from makers import AT, LABORATORY, a_laboratory, acts, rules
from signers import holder, laboratory, laboratory_root, stranger_root
from sqlalchemy import select
from sqlalchemy.orm import Session

from lotseal.trace.accounts.service import OPERATOR
from lotseal.trace.errors import Conflict, Invalid, NotFound
from lotseal.trace.files.findings import Purpose
from lotseal.trace.files.signatures import Root
from lotseal.trace.jobs.models import Job, JobKind
from lotseal.trace.labs import service as labs
from lotseal.trace.labs.models import Laboratory, PinnedRoot
from lotseal.trace.labs.roots import read_root, read_roots
from lotseal.trace.log.models import AuditAct, LogEntry


def pin(session: Session, row: Laboratory, der: bytes, **raw: str) -> PinnedRoot:
    root = read_root(der)
    return labs.pin(session, row, root, {"sha256": root.sha256, **raw}, by=OPERATOR, at=AT)


def jobs_of(session: Session) -> list[dict[str, str]]:
    return [job.payload for job in session.scalars(select(Job).where(Job.kind == JobKind.CHECK_SIGNATURES))]


# --- laboratories -----------------------------------------------------------------------------------------------------


def test_a_laboratory_is_kept_recorded_and_its_reports_are_looked_for(lasting: Session) -> None:
    row = a_laboratory(lasting, cnas="CNAS L1234")
    assert sorted(one.number for one in row.numbers) == ["211300111111", "L1234"]
    assert acts(lasting) == ["laboratory:add"]
    assert jobs_of(lasting) == [{"laboratory": row.ref}]


def test_the_note_of_staff_stands_beside_the_actor_and_nowhere_else_in_the_log(lasting: Session) -> None:
    row = a_laboratory(lasting, note="asked Mr Xu")
    draft = labs.read_laboratory({**LABORATORY, "name_en": "Other", "note": "asked Ms Wei"})
    labs.change(lasting, row, draft, by=OPERATOR, at=AT)
    lasting.flush()
    for entry in lasting.scalars(select(LogEntry)):
        assert "asked" not in entry.content
        assert "asked Mr Xu" in (entry.actor or "")
    assert all("asked" not in str(act.facts) for act in lasting.scalars(select(AuditAct)))


def test_everything_that_is_missing_is_told_at_once(lasting: Session) -> None:
    with pytest.raises(Invalid) as caught:
        labs.read_laboratory({"country": "XX", "cnas": "CNAS", "valid_until": "soon"})
    assert set(rules(caught)) == {
        ("name_zh", "text.missing"),
        ("name_en", "text.missing"),
        ("country", "country.unknown"),
        ("valid_until", "date.format"),
        ("cnas", "laboratory.number-form"),
    }


def test_a_laboratory_needs_a_number(lasting: Session) -> None:
    with pytest.raises(Invalid) as caught:
        labs.read_laboratory({**LABORATORY, "cma": ""})
    assert rules(caught) == [("cma", "laboratory.no-number")]


def test_a_number_belongs_to_one_laboratory_however_it_is_written(lasting: Session) -> None:
    a_laboratory(lasting)
    with pytest.raises(Conflict) as caught:
        a_laboratory(lasting, cma="", ilac="no. 2113-0011-1111")
    assert rules(caught) == [("ilac", "laboratory.number-taken")]


def test_numbers_change_and_reports_are_looked_for_again(lasting: Session) -> None:
    row = a_laboratory(lasting, cnas="CNAS L1234")
    changed = labs.read_laboratory({**LABORATORY, "cma": "", "cnas": "CNAS L1234", "ilac": "X 9999"})
    labs.change(lasting, row, changed, by=OPERATOR, at=AT)
    assert labs.named_by(lasting, "CMA 211300111111") is None
    assert labs.named_by(lasting, "X9999") is row
    assert len(jobs_of(lasting)) == 2
    labs.change(lasting, row, changed, by=OPERATOR, at=AT)
    assert len(jobs_of(lasting)) == 2, "nothing to look for when no number changed"


def test_a_text_with_numbers_of_two_laboratories_names_neither(lasting: Session) -> None:
    first = a_laboratory(lasting)
    a_laboratory(lasting, cma="CMA 220000000000")
    assert labs.named_by(lasting, "CMA 211300111111") is first
    assert labs.named_by(lasting, "CMA 211300111111 / CMA 220000000000") is None
    assert labs.named_by(lasting, "nothing") is None


def test_suspending_and_resuming_leave_their_acts(lasting: Session) -> None:
    row, by = a_laboratory(lasting), OPERATOR
    labs.suspend(lasting, row, "accreditation withdrawn", by=by, at=AT)
    with pytest.raises(Conflict):
        labs.suspend(lasting, row, "again", by=by, at=AT)
    labs.resume(lasting, row, by=by, at=AT)
    with pytest.raises(Conflict):
        labs.resume(lasting, row, by=by, at=AT)
    assert acts(lasting)[-2:] == ["laboratory:suspend", "laboratory:resume"]


def test_search_looks_into_names_and_numbers(lasting: Session) -> None:
    row = a_laboratory(lasting)
    for text in ("闽检", "minj", "2113"):
        assert list(lasting.scalars(labs.matching(text))) == [row]
    assert not list(lasting.scalars(labs.matching("沪东")))


# --- roots ------------------------------------------------------------------------------------------------------------


def test_a_pinned_root_is_handed_to_whoever_judges(lasting: Session) -> None:
    row = a_laboratory(lasting)
    pinned = pin(lasting, row, laboratory_root().pem)
    assert (pinned.sha256, pinned.subject) == (laboratory_root().sha256, "O=闽检 Minjian,CN=Minjian Root")
    assert labs.pinned(lasting) == [Root(laboratory_root().der)]
    assert acts(lasting)[-1] == "laboratory:pin"
    assert jobs_of(lasting)[-1] == {"laboratory": row.ref}


def test_the_fingerprint_must_be_given_and_be_right(lasting: Session) -> None:
    row, by = a_laboratory(lasting), OPERATOR
    root = read_root(laboratory_root().der)
    for typed, rule in (
        ("", "root.compare"),
        ("ab" * 32, "root.fingerprint"),
        ("ab", "root.fingerprint-form"),
        (stranger_root().sha256, "root.fingerprint"),
    ):
        with pytest.raises(Invalid) as caught:
            labs.pin(lasting, row, root, {"sha256": typed}, by=by, at=AT)
        assert rules(caught) == [("sha256", rule)]
    assert labs.pinned(lasting) == []
    shown = ":".join(root.sha256[place : place + 2].upper() for place in range(0, 64, 2))
    labs.pin(lasting, row, root, {"sha256": shown}, by=by, at=AT)
    assert labs.pinned(lasting)


def test_a_certificate_that_is_not_in_force_is_not_pinned(lasting: Session) -> None:
    row = a_laboratory(lasting)
    old = holder("Old", authority=True, end=AT - timedelta(days=1))
    with pytest.raises(Invalid) as caught:
        pin(lasting, row, old.der)
    assert rules(caught) == [("root", "root.not-in-force")]


def test_one_certificate_is_pinned_once_for_each_purpose(lasting: Session) -> None:
    row, by = a_laboratory(lasting), OPERATOR
    root = read_root(laboratory_root().der)
    labs.pin(lasting, row, root, {"sha256": root.sha256}, by=by, at=AT)
    with pytest.raises(Conflict) as caught:
        labs.pin(lasting, row, root, {"sha256": root.sha256}, by=by, at=AT)
    assert rules(caught) == [("root", "root.pinned")]
    labs.pin(lasting, row, root, {"sha256": root.sha256, "purpose": "time-stamps"}, by=by, at=AT)
    assert [one.purpose for one in labs.pinned(lasting)] == [Purpose.SIGNING, Purpose.TIME_STAMPS]


def test_an_unpinned_root_stays_on_record_and_can_be_pinned_anew(lasting: Session) -> None:
    row, by = a_laboratory(lasting), OPERATOR
    root = read_root(laboratory_root().der)
    first = labs.pin(lasting, row, root, {"sha256": root.sha256}, by=by, at=AT)
    labs.unpin(lasting, first, "key lost", by=by, at=AT)
    assert labs.pinned(lasting) == []
    assert (first.removed_by, first.removed_reason) == (OPERATOR.name, "key lost")
    with pytest.raises(Conflict):
        labs.unpin(lasting, first, "again", by=by, at=AT)
    second = labs.pin(lasting, row, root, {"sha256": root.sha256}, by=by, at=AT)
    assert [one.removed for one in row.roots] == [True, False]
    assert labs.get_root(lasting, row, root.sha256) is second
    assert acts(lasting)[-3:] == ["laboratory:pin", "laboratory:unpin", "laboratory:pin"]


def test_unpinning_needs_a_reason(lasting: Session) -> None:
    row = a_laboratory(lasting)
    pinned = pin(lasting, row, laboratory_root().der)
    with pytest.raises(Invalid):
        labs.unpin(lasting, pinned, " ", by=OPERATOR, at=AT)
    assert not pinned.removed


def test_a_root_of_another_laboratory_is_unknown(lasting: Session) -> None:
    first, second = a_laboratory(lasting), a_laboratory(lasting, cma="CMA 220000000000")
    pinned = pin(lasting, first, laboratory_root().der)
    with pytest.raises(NotFound):
        labs.get_root(lasting, second, pinned.ref)


# --- reading certificates ---------------------------------------------------------------------------------------------


def test_pem_and_der_are_the_same_certificate() -> None:
    assert read_root(laboratory_root().pem) == read_root(laboratory_root().der)
    assert read_root(laboratory_root().der).everyone
    assert not read_root(laboratory().der).everyone


def test_several_certificates_are_read_but_not_pinned_together() -> None:
    both = laboratory_root().pem + stranger_root().pem
    assert len(read_roots(both)) == 2
    with pytest.raises(Invalid) as caught:
        read_root(both)
    assert rules(caught) == [("root", "root.one")]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"certificate",
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        b"-----BEGIN CERTIFICATE-----",
        b"\x30\x82\x01\x00" + b"\x00" * 256,
        b"0" * 300_000,
    ],
)
def test_what_is_no_certificate_is_refused(data: bytes) -> None:
    with pytest.raises(Invalid) as caught:
        read_root(data)
    assert rules(caught) == [("root", "root.unreadable")]


def test_der_with_more_behind_it_is_refused() -> None:
    with pytest.raises(Invalid):
        read_root(laboratory_root().der + b"more")
