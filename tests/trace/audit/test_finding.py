"""An auditor finds what somebody signed: by key id, by the certificate in an uploaded file, by how either begins."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import makers
import pytest
from makers import AT, Clock, a_batch, a_certificate
from signers import Holder, holder, laboratory, report, sign, stranger
from sqlalchemy import select

from lotseal.signing.keys import Role
from lotseal.trace.accounts.service import OPERATOR
from lotseal.trace.audit.finding import Leads, leads
from lotseal.trace.batches.models import Batch
from lotseal.trace.certificates import service as certificates
from lotseal.trace.certificates.models import Certificate
from lotseal.trace.files import service as files
from lotseal.trace.files.models import StoredFile
from lotseal.trace.keys import service as keys
from lotseal.trace.log import reading
from lotseal.trace.log.models import LogEntry
from lotseal.trace.system import System

PERSON = holder('张三 "QC" %_ Zhang', laboratory())


def a_signed(system: System, batch: Batch, tmp_path: Path, by: Holder | None, number: str) -> Certificate:
    """A report whose file really bears this signature."""
    path = tmp_path / f"{number}.pdf"
    path.write_bytes(sign(report(number), by) if by else report(number))
    taken = files.take_in_document(system.storage, path, path.name, [], at=AT)
    with system.main.write() as session:
        there = session.get_one(Batch, batch.id)
        return a_certificate(session, there, accepted=False, file=taken, number=number)


@pytest.fixture
def reports(system: System, time: Clock, tmp_path: Path) -> dict[str, Certificate]:
    with system.main.write() as session:
        batch = a_batch(session)
    signed_by = {"lab": laboratory(), "stranger": stranger(), "person": PERSON, "none": None}
    found = {name: a_signed(system, batch, tmp_path, by, f"YX-{name}") for name, by in signed_by.items()}
    with system.main.write() as session:
        there = session.get_one(Certificate, found["lab"].id)
        certificates.reject(session, there, {"reason": "expired"}, by=OPERATOR, at=AT)
    system.sequencer().run_once()
    return found


def found_by(system: System, word: str) -> set[tuple[str, str]]:
    """Act and reference of what the search of the page finds."""
    with system.main.read() as session:
        further = leads(session, word)
        assert not further.several
        rows = session.scalars(reading.matching(word, also=further.words, among=further.reports))
        return {(row.act, re.findall(r'"subject":"\w+:([^"]+)"', row.content)[0]) for row in rows}


def told(system: System, word: str) -> Leads:
    with system.main.read() as session:
        return leads(session, word)


def submitted(*reports: Certificate) -> set[tuple[str, str]]:
    return {("certificate:submit", one.ref) for one in reports}


def test_the_certificate_of_a_signature_finds_every_entry_of_its_report(
    system: System, reports: dict[str, Certificate]
) -> None:
    both = submitted(reports["lab"]) | {("certificate:reject", reports["lab"].ref)}
    sha256 = laboratory().sha256
    for word in (sha256, sha256.upper(), sha256[:8], sha256[:23].upper(), sha256[:63]):
        assert found_by(system, word) == both, word
    assert found_by(system, stranger().sha256) == submitted(reports["stranger"])
    assert found_by(system, sha256[:7]) == set(), "too short to be one"
    assert found_by(system, "0" * 64) == set()


@pytest.mark.parametrize(
    ("name", "who"),
    [
        ("Minjian Testing", {"lab", "stranger"}),
        ("minjian t", {"lab", "stranger"}),
        ("Testing", set()),
        ("张三", {"person"}),
        ('张三 "QC" %_', {"person"}),
        ("%", set()),
        ("____", set()),
        ('", "', set()),
        ("Laboratory", set()),
    ],
)
def test_the_name_of_a_signer_is_found_by_how_it_begins(
    system: System, reports: dict[str, Certificate], name: str, who: set[str]
) -> None:
    acts = {one for one in found_by(system, name) if one[0] == "certificate:submit"}
    assert acts == submitted(*(reports[one] for one in who))


def test_a_signature_that_was_judged_later_is_found_too(system: System, reports: dict[str, Certificate]) -> None:
    with system.main.write() as session:
        rows = {row.id: row for row in session.scalars(select(StoredFile))}
        late, early = rows[reports["none"].file_id], rows[reports["lab"].file_id]
        late.signatures = early.signatures
    assert submitted(reports["none"]) <= found_by(system, laboratory().sha256)


def test_the_beginning_of_a_key_id_or_hash_finds_what_the_whole_finds(
    system: System, reports: dict[str, Certificate]
) -> None:
    with system.main.write() as session:
        kid = keys.rotate(session, system.ring, Role.CREDENTIAL, by=OPERATOR, at=AT)[0].kid
    makers.codes(system, reports["lab"].batch)
    system.sequencer().run_once()
    with system.main.read() as session:
        commit = session.scalars(select(LogEntry).where(LogEntry.act == "codes:commit")).one()
        file = session.scalars(select(StoredFile.sha256)).first()
    for whole in (kid, str(file), (commit.leaf_hash or b"").hex(), commit.actor_sha256):
        assert found_by(system, whole), "the whole word"
        assert found_by(system, whole[:8]) == found_by(system, whole[:20]) == found_by(system, whole)
    if not kid.islower():
        assert found_by(system, kid.lower()[:12]) == set(), "the case of a key id counts"


def test_a_beginning_of_several_is_told_and_none_of_them_taken(system: System, reports: dict[str, Certificate]) -> None:
    with system.main.write() as session:
        signed = select(StoredFile).where(StoredFile.id != reports["none"].file_id).order_by(StoredFile.id)
        for place, row in enumerate(session.scalars(signed)):
            first = dict(row.signatures or {})
            [one] = first["signatures"]
            row.signatures = {**first, "signatures": [{**one, "certificate_sha256": f"{'a' * 63}{place}"}]}
    several = told(system, "a" * 10)
    assert (several.several, several.words) == (True, ())
    with system.main.read() as session:
        query = reading.matching("a" * 10, also=several.words, among=several.reports)
        assert session.scalars(query).all() == []
    assert found_by(system, f"{'a' * 63}1") == submitted(reports["stranger"])


def test_a_word_of_the_log_is_no_beginning_of_another(system: System, reports: dict[str, Certificate]) -> None:
    sha256 = laboratory().sha256
    with system.main.write() as session:
        a_certificate(session, session.get_one(Batch, reports["lab"].batch_id), number=sha256[:12], accepted=False)
    system.sequencer().run_once()
    assert told(system, sha256[:12]).words == ()
    assert len(found_by(system, sha256[:12])) == 1
    assert replace(told(system, sha256[:13]), reports=None) == Leads((sha256,), None, several=False)
