"""Columns that the log does not tell because they follow from others that it does: they are derived again."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...signing.canonical import sha256_hex
from ...signing.errors import SigningError
from ...signing.status_list import with_bit
from ..batches.models import Batch
from ..certificates.models import Certificate
from ..certificates.signatures import laboratory_of
from ..credentials import checking
from ..credentials.models import Credential, StatusList
from ..jobs.models import Job, JobKind, JobState
from ..labs import service as labs
from ..labs.models import Laboratory
from .model import Finding
from .replay import History

FEW = 20
"""So many places of a list are named at most."""


def laboratories(session: Session) -> Iterator[Finding]:
    """That each report leads to the registered laboratory whose accreditation number it states."""
    if _looked_for(session):
        return
    numbers = labs.numbers(session)
    refs = {row.id: row.ref for row in session.execute(select(Laboratory.id, Laboratory.ref))}
    query = select(Certificate.ref, Certificate.accreditation, Certificate.laboratory_id, Batch.ref)
    rows = session.execute(query.join(Batch, Batch.id == Certificate.batch_id).execution_options(yield_per=500))
    for ref, accreditation, present, batch in rows:
        due = laboratory_of(numbers, accreditation)
        if due != present:
            there = (refs.get(row) if row else None for row in (due, present))
            yield Finding("record.unsound", f"batch:{batch}", f"certificate:{ref}", "laboratory_id", *there)


def _looked_for(session: Session) -> bool:
    """Whether reports are about to find their laboratory, in the background: numbers came or went a moment ago."""
    query = select(Job.payload).where(
        Job.kind == JobKind.CHECK_SIGNATURES, Job.state.in_((JobState.QUEUED, JobState.RUNNING))
    )
    return any("laboratory" in payload for payload in session.scalars(query))


def bits(session: Session, history: History) -> Iterator[Finding]:
    """That a status list says what its signed text says, and the text which credentials were revoked."""
    logged, number = history.thing(history.chain), int(history.chain.partition(":")[2])
    row = session.scalar(select(StatusList).where(StatusList.number == number))
    if row is None or sha256_hex(row.jwt.encode()) != logged["jwt"]:
        # It is named already, and nothing can be said of its bits.
        return
    revoked = select(Credential.status_index).where(
        Credential.list_number == number, Credential.revoked_at.is_not(None)
    )
    try:
        _address, signed = checking.signed_list(session, row)
        due = bytes(len(signed))
        for index in session.scalars(revoked):
            due = with_bit(due, index)
    except SigningError as error:
        yield Finding("record.unsound", history.chain, history.chain, "jwt", None, error.message)
        return
    for field, said, other in (("bits", signed, row.bits), ("revoked", due, signed)):
        if said != other:
            yield Finding("record.unsound", history.chain, history.chain, field, *_apart(said, other))


def _apart(said: bytes, other: bytes) -> tuple[list[int], list[int]]:
    """The first places that are set in one of two lists only, for each."""
    one, two = _places(said), _places(other)
    return sorted(one - two)[:FEW], sorted(two - one)[:FEW]


def _places(data: bytes) -> set[int]:
    return {at * 8 + bit for at, byte in enumerate(data) if byte for bit in range(8) if byte >> (7 - bit) & 1}
