from __future__ import annotations

import json
from datetime import timedelta

import pytest
from makers import (
    AT,
    TODAY,
    Template,
    a_batch,
    a_category,
    a_certificate,
    a_draft,
    a_product,
    acts,
    batch_draft,
    release,
    released,
    rows,
    rules,
)
from sqlalchemy.orm import Session

from lotseal.signing.errors import BadSignature, SigningError, UnknownKey
from lotseal.signing.keys import Role
from lotseal.trace.accounts.service import OPERATOR
from lotseal.trace.batches import service as batches
from lotseal.trace.batches.models import Batch, BatchState
from lotseal.trace.certificates import service as certificates
from lotseal.trace.errors import Conflict, Unavailable
from lotseal.trace.keys import service as keys
from lotseal.trace.keys.ring import KeyRing
from lotseal.trace.releases import service as releases
from lotseal.trace.releases.models import Release
from lotseal.trace.suppliers import service as suppliers


def open_lines(session: Session, batch: Batch) -> list[str]:
    return [line.rule for line in releases.gate(session, batch, today=TODAY) if not line.done]


def refused(session: Session, batch: Batch, ring: KeyRing) -> list[str]:
    """The lines that stop a release; a refused one leaves nothing behind."""
    before = (rows(session, Release), acts(session), batch.state)
    with pytest.raises(Conflict) as error:
        releases.release(session, batch, ring, by=OPERATOR, at=AT)
    assert (rows(session, Release), acts(session), batch.state) == before
    return [rule for _, rule in rules(error)]


def test_a_fresh_draft_is_told_everything_at_once(lasting: Session, ring: KeyRing) -> None:
    batch = a_draft(lasting, place="", quantity="")
    assert open_lines(lasting, batch) == ["gate.facts", "gate.submitted", "gate.lab-test"]
    assert refused(lasting, batch, ring) == ["gate.facts", "gate.submitted", "gate.lab-test"]


def test_every_line_names_its_rule_and_sentence(lasting: Session) -> None:
    lines = releases.gate(lasting, a_draft(lasting, place=""), today=TODAY)
    assert [line.rule for line in lines] == [
        "gate.facts", "gate.submitted", "gate.supplier", "gate.shelf-life", "gate.lab-test", "gate.review",
        "gate.no-failure",
    ]  # fmt: skip
    assert "place" in str(lines[0].sentence)
    assert all(str(line.sentence) for line in lines)


def test_a_refusal_says_what_is_needed_and_not_what_is_not_so(lasting: Session, ring: KeyRing) -> None:
    """The sentences stand alone at the command line and above the page; «The batch was submitted.» refuses nothing."""
    batch = a_draft(lasting, expires_on=(TODAY - timedelta(days=1)).isoformat())
    a_certificate(lasting, batch, number="F-1", conclusion="fail", lines=[{"result": "6"}])
    a_certificate(lasting, batch, number="W-1", accepted=False)
    a_certificate(lasting, batch, number="W-2", accepted=False)
    suppliers.suspend(lasting, batch.supplier, "licence lapsed", by=OPERATOR, at=AT)
    with pytest.raises(Conflict) as error:
        releases.release(lasting, batch, ring, by=OPERATOR, at=AT)
    assert [str(problem.message) for problem in error.value.problems] == [
        "Submit the batch.",
        "The supplier is suspended. Lift the suspension first.",
        "The expiry date has passed.",
        "An accepted, valid laboratory report that says «pass» is needed.",
        "Review the reports that wait: W-1, W-2.",
        "A report that was accepted says «fail»: F-1.",
    ]


def test_goods_that_need_no_test_are_released_without_one(lasting: Session, ring: KeyRing) -> None:
    a_category(lasting, "cup", lab_test=False)
    batch = a_batch(lasting, a_product(lasting, category="cup"))
    releases.release(lasting, batch, ring, by=OPERATOR, at=AT)
    assert batch.state == BatchState.RELEASED


def test_a_suspended_supplier_stops_it(lasting: Session, ring: KeyRing) -> None:
    batch = a_batch(lasting)
    a_certificate(lasting, batch)
    suppliers.suspend(lasting, batch.supplier, "licence lapsed", by=OPERATOR, at=AT)
    assert refused(lasting, batch, ring) == ["gate.supplier"]


def test_goods_past_their_date_are_stopped_and_those_of_the_last_day_are_not(lasting: Session, ring: KeyRing) -> None:
    late = a_batch(lasting, expires_on=(TODAY - timedelta(days=1)).isoformat())
    a_certificate(lasting, late)
    assert refused(lasting, late, ring) == ["gate.shelf-life"]
    last = a_batch(lasting, expires_on=TODAY.isoformat())
    a_certificate(lasting, last)
    releases.release(lasting, last, ring, by=OPERATOR, at=AT)


def test_without_an_accepted_report_it_is_stopped(lasting: Session, ring: KeyRing) -> None:
    assert refused(lasting, a_batch(lasting), ring) == ["gate.lab-test"]


def test_a_report_that_waits_for_review_stops_it(lasting: Session, ring: KeyRing) -> None:
    batch = a_batch(lasting)
    a_certificate(lasting, batch)
    a_certificate(lasting, batch, accepted=False)
    assert refused(lasting, batch, ring) == ["gate.review"]


def test_an_accepted_failure_stops_it_even_beside_a_pass(lasting: Session, ring: KeyRing) -> None:
    batch = a_batch(lasting)
    a_certificate(lasting, batch)
    a_certificate(lasting, batch, conclusion="fail", lines=[{"result": "6"}])
    assert refused(lasting, batch, ring) == ["gate.no-failure"]


@pytest.mark.parametrize("why", ["rejected", "withdrawn", "expired"])
def test_a_report_that_does_not_count_releases_nothing(lasting: Session, ring: KeyRing, why: str) -> None:
    batch = a_batch(lasting)
    expiry = "2026-11-21" if why == "expired" else ""
    report = a_certificate(lasting, batch, accepted=why != "rejected", expires_on=expiry)
    if why == "rejected":
        certificates.reject(lasting, report, {"reason": "unreadable"}, by=OPERATOR, at=AT)
    if why == "withdrawn":
        certificates.withdraw(lasting, report, "wrong sample", by=OPERATOR, at=AT)
    assert refused(lasting, batch, ring) == ["gate.lab-test"]


def test_the_snapshot_holds_what_was_released(lasting: Session, ring: KeyRing) -> None:
    batch = released(lasting, ring, latitude="27.10", longitude="118.0", quantity="0.250", unit="kg")
    row = releases.of_batch(lasting, batch)
    assert row is not None
    document = json.loads(row.document)
    assert (document["lot"], document["gtin"], document["quantity"]) == (batch.lot, batch.product.gtin, "0.250")
    assert document["origin"]["latitude"] == "27.10"
    assert document["released_at"] == AT.isoformat()
    assert len(document["certificates"][0]["file_sha256"]) == 64
    releases.check(lasting, row)
    assert acts(lasting)[-1] == "batch:release"


def test_any_changed_byte_of_document_or_signature_is_found(lasting: Session, ring: KeyRing) -> None:
    row = releases.of_batch(lasting, released(lasting, ring))
    assert row is not None
    document, signature = row.document, row.signature
    for place in range(len(document)):
        row.document = document[:place] + chr(ord(document[place]) ^ 1) + document[place + 1 :]
        with pytest.raises(SigningError):
            releases.check(lasting, row)
    row.document = document
    for place in range(len(signature)):
        row.signature = signature[:place] + bytes([signature[place] ^ 1]) + signature[place + 1 :]
        with pytest.raises(SigningError):
            releases.check(lasting, row)
    row.signature = signature
    releases.check(lasting, row)


def test_a_snapshot_without_its_key_or_with_another_hash_is_found(lasting: Session, ring: KeyRing) -> None:
    row = releases.of_batch(lasting, released(lasting, ring))
    assert row is not None
    kid, row.sha256 = row.kid, "0" * 64
    with pytest.raises(BadSignature, match=r"release\.hash"):
        releases.check(lasting, row)
    row.kid = "unknown"
    with pytest.raises(UnknownKey):
        releases.check(lasting, row)
    row.kid = keys.current_secret(lasting).kid
    with pytest.raises(UnknownKey):
        releases.check(lasting, row)
    assert kid


def test_another_public_key_under_the_same_key_id_is_found(lasting: Session, ring: KeyRing) -> None:
    row = releases.of_batch(lasting, released(lasting, ring))
    assert row is not None
    signer, other = keys.current_pair(lasting, Role.CREDENTIAL), keys.current_pair(lasting, Role.ITEM)
    signer.public_jwk = other.public_jwk
    with pytest.raises(BadSignature, match=r"release\.key"):
        releases.check(lasting, row)


def test_snapshots_swapped_between_two_batches_are_found(lasting: Session, ring: KeyRing) -> None:
    product = a_product(lasting)
    first = release(lasting, a_batch(lasting, product, lot="A"), ring)
    second = release(lasting, a_batch(lasting, product, lot="B"), ring)
    first.document, first.signature, first.sha256 = second.document, second.signature, second.sha256
    with pytest.raises(BadSignature, match=r"release\.subject"):
        releases.check(lasting, first)
    releases.check(lasting, second)


def test_a_correction_does_not_touch_what_was_signed(lasting: Session, ring: KeyRing) -> None:
    batch = released(lasting, ring)
    row = releases.of_batch(lasting, batch)
    assert row is not None
    before = row.document
    batches.change(lasting, batch, batch_draft(quantity="9"), reason="miscounted", by=OPERATOR, at=AT)
    assert row.document == before
    releases.check(lasting, row)


def test_a_release_stays_checkable_after_the_key_was_rotated(lasting: Session, ring: KeyRing) -> None:
    row = releases.of_batch(lasting, released(lasting, ring))
    assert row is not None
    keys.rotate(lasting, ring, Role.CREDENTIAL, by=OPERATOR, at=AT)
    releases.check(lasting, row)
    later = releases.of_batch(lasting, released(lasting, ring))
    assert later is not None
    assert later.kid != row.kid
    releases.check(lasting, later)


def test_without_its_key_nothing_is_released(lasting: Session, template: Template) -> None:
    locked = KeyRing(template.data / "keys", "")
    batch = a_batch(lasting)
    a_certificate(lasting, batch)
    with pytest.raises(Unavailable), lasting.begin_nested():
        releases.release(lasting, batch, locked, by=OPERATOR, at=AT)
    lasting.refresh(batch)
    assert (batch.state, rows(lasting, Release)) == (BatchState.AWAITING_TESTS, 0)
