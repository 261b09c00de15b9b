"""Check the gate, freeze, sign."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...signing.canonical import sha256_hex
from ...signing.errors import BadSignature, UnknownKey
from ...signing.keys import PublicKey
from ...signing.keys import Role as KeyRole
from ...signing.release import sign_release, verify_release
from .. import log
from ..batches import service as batches
from ..batches.models import Batch, BatchState
from ..certificates import service as certificates
from ..certificates.models import Certificate, Conclusion, Status
from ..errors import Conflict, Fields, Message, Problem, say
from ..keys import service as keys
from ..keys.models import SigningKey
from ..keys.ring import KeyRing
from ..log import Act, Actor
from ..products import service as products
from .models import Release


@dataclass(frozen=True)
class Requirement:
    """One line of the release gate. `rule` is a permanent word; `sentence` says what is so, or what is still needed:
    it also stands alone, as the reason why a release is refused."""

    rule: str
    done: bool
    sentence: Message


def gate(session: Session, batch: Batch, *, today: date) -> list[Requirement]:
    """Everything a release needs, done or not, in the order in which people work it off."""
    return requirements(batch, certificates.of_batch(session, batch), today=today)


def requirements(batch: Batch, reports: Sequence[Certificate], *, today: date) -> list[Requirement]:
    """The gate of a batch whose reports are at hand already, for lists."""
    valid = [r for r in reports if r.status == Status.ACCEPTED and not r.expired(today)]
    waiting = [r for r in reports if r.status == Status.SUBMITTED]
    failed = [r for r in valid if r.conclusion == Conclusion.FAIL]
    missing = batches.missing_facts(batch)
    lines = [
        Requirement(
            "gate.facts",
            not missing,
            say("Origin, dates and quantity are complete.")
            if not missing
            else say("Fill in: %(fields)s.", fields=Fields(missing)),
        ),
        Requirement(
            "gate.submitted",
            batch.state != BatchState.DRAFT,
            say("The batch was submitted.") if batch.state != BatchState.DRAFT else say("Submit the batch."),
        ),
        Requirement(
            "gate.supplier",
            not batch.supplier.suspended,
            say("The supplier is not suspended.")
            if not batch.supplier.suspended
            else say("The supplier is suspended. Lift the suspension first."),
        ),
        _in_time(batch, today),
    ]
    if batch.product.category.requires_lab_test:
        lines.append(_tested(valid))
    lines.append(
        Requirement(
            "gate.review",
            not waiting,
            say("No report is waiting for review.")
            if not waiting
            else say("Review the reports that wait: %(numbers)s.", numbers=_numbers(waiting)),
        )
    )
    lines.append(
        Requirement(
            "gate.no-failure",
            not failed,
            say("No accepted report says «fail».")
            if not failed
            else say("A report that was accepted says «fail»: %(numbers)s.", numbers=_numbers(failed)),
        )
    )
    return lines


def _in_time(batch: Batch, today: date) -> Requirement:
    done = batch.expires_on is None or batch.expires_on >= today
    sentence = say("The expiry date has not passed.") if done else say("The expiry date has passed.")
    return Requirement("gate.shelf-life", done, sentence)


def _tested(valid: Sequence[Certificate]) -> Requirement:
    done = any(report.conclusion == Conclusion.PASS for report in valid)
    sentence = (
        say("An accepted, valid laboratory report says «pass».")
        if done
        else say("An accepted, valid laboratory report that says «pass» is needed.")
    )
    return Requirement("gate.lab-test", done, sentence)


def _numbers(reports: Sequence[Certificate]) -> str:
    return ", ".join(report.number for report in reports)


def release(
    session: Session, batch: Batch, ring: KeyRing, *, by: Actor, at: datetime, today: date | None = None
) -> Release:
    """Freeze and sign the record and let the batch go on sale. Raises `Conflict` with one problem per missing line,
    `Unavailable` when the key does not open."""
    missing = [line for line in gate(session, batch, today=today or at.date()) if not line.done]
    if missing:
        raise Conflict(*(Problem(None, line.rule, line.sentence) for line in missing))
    batches.enter_released(session, batch, by=by, at=at)
    key = keys.pair_to_sign(session, KeyRole.CREDENTIAL)
    accepted = [r for r in certificates.of_batch(session, batch) if r.status == Status.ACCEPTED]
    signed = sign_release(ring.signer(key), snapshot(batch, accepted, at=at))
    row = Release(
        batch_id=batch.id,
        document=signed.document_bytes.decode(),
        sha256=sha256_hex(signed.document_bytes),
        kid=signed.kid,
        signature=signed.signature,
        at=at,
        by=by.name,
    )
    session.add(row)
    session.flush()
    log.record(
        session,
        Act.BATCH_RELEASE,
        by=by,
        at=at,
        subject=batches.subject(batch),
        key=row.kid,
        document_sha256=row.sha256,
        kid=row.kid,
    )
    batches.renew_credentials(session, batch, by=by, at=at)
    return row


def snapshot(batch: Batch, reports: list[Certificate], *, at: datetime) -> dict[str, object]:
    """The released facts as a JSON object; numbers are text, so that no reader rounds them."""
    return {
        "type": "lotseal/release/v1",
        "gtin": batch.product.gtin,
        "lot": batch.lot,
        "supplier_lot": batch.supplier_lot,
        "product": {"name_zh": batch.product.name_zh, "name_en": batch.product.name_en, "spec": batch.product.spec},
        "supplier": {
            "name_zh": batch.supplier.name_zh,
            "name_en": batch.supplier.name_en,
            "country": batch.supplier.country,
            "licence": batch.supplier.licence,
        },
        "origin": {
            "place": batch.place,
            "region": batch.region,
            "country": batch.country,
            "latitude": _text(batch.latitude),
            "longitude": _text(batch.longitude),
            "producer": batch.producer,
            "site": batch.site,
        },
        "produced_on": _text(batch.produced_on),
        "expires_on": _text(batch.expires_on),
        "quantity": _text(batch.quantity),
        "unit": batch.unit,
        "inputs": batch.inputs,
        "certificates": [_report(report) for report in reports],
        "released_at": at.isoformat(),
    }


def _report(report: Certificate) -> dict[str, object]:
    return {
        "number": report.number,
        "laboratory": report.laboratory,
        "accreditation": report.accreditation,
        "sample": report.sample,
        "issued_on": _text(report.issued_on),
        "expires_on": _text(report.expires_on),
        "conclusion": report.conclusion,
        "file_sha256": report.file.sha256,
    }


def _text(value: Decimal | date | None) -> str | None:
    if value is None:
        return None
    return format(value, "f") if isinstance(value, Decimal) else value.isoformat()


def of_batch(session: Session, batch: Batch) -> Release | None:
    return session.scalar(select(Release).where(Release.batch_id == batch.id))


def check(session: Session, row: Release) -> None:
    """Verify the stored snapshot against the key history, and that it belongs to its batch. Raises a `SigningError` of
    `signing` when it does not fit."""
    key = session.scalar(select(SigningKey).where(SigningKey.kid == row.kid, SigningKey.public_jwk.is_not(None)))
    if key is None:
        raise UnknownKey("release.unknown-key", "the key that this release names is not in the key history")
    public = PublicKey.from_jwk(key.public_jwk or {})
    if public.kid != row.kid:
        raise BadSignature("release.key", "the key history holds another key under this key id")
    document = row.document.encode()
    verify_release(public, document, row.signature)
    if key.revoked_at is not None and row.at >= key.revoked_at:
        raise BadSignature("release.key-revoked", "the key was revoked before this was signed with it")
    if sha256_hex(document) != row.sha256:
        raise BadSignature("release.hash", "the hash that pages show is not the hash of the signed document")
    batch = session.get_one(Batch, row.batch_id)
    named = json.loads(document)
    if datetime.fromisoformat(named["released_at"]) != row.at:
        raise BadSignature("release.time", "the signed document names another moment than the record")
    # A number that was corrected later is still the number that was signed.
    gtins = {batch.product.gtin, *(former.gtin for former in products.former_numbers(session, batch.product))}
    lots = {batch.lot, *(former.lot for former in batches.former_lots(session, batch))}
    if named["gtin"] not in gtins or named["lot"] not in lots:
        raise BadSignature("release.subject", "the signed document is about another batch")
