"""Did the laboratory itself sign the file? What the file says (`files.signatures`), read beside whose roots are pinned.

A file is judged once against all pinned roots and keeps what was found. Whether that makes it «signed by the
laboratory» is computed when somebody asks: a root that was unpinned a moment ago does not count any more.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from .. import clock
from ..errors import Message, NotFound, say
from ..files import signatures as files
from ..files.findings import Integrity, Purpose, Shape, Trust, Works
from ..files.models import StoredFile
from ..files.signatures import Signature, Signatures, State
from ..files.storage import LocalStorage
from ..jobs import service as jobs
from ..jobs.models import JobKind
from ..labs import service as labs
from ..labs.models import Laboratory, PinnedRoot
from ..labs.numbers import numbers_in
from ..log import Actor
from .models import Certificate

Facts = dict[str, Any]


class Standing(StrEnum):
    """What the signatures of a report's file come to. Permanent words; only the first one is «signed by the
    laboratory»."""

    LABORATORY = "laboratory"
    """All five facts hold, and the root is pinned for the laboratory that the report names."""
    NOT_SIGNED = "not-signed"
    IMPOSSIBLE = "impossible"
    """A picture."""
    NOT_LOOKED_AT = "not-looked-at"
    UNREADABLE = "unreadable"
    CHANGED = "changed"
    """Changed after signing, or not covered as a whole."""
    WRONG = "wrong"
    """The signature does not fit its certificate."""
    NOT_PINNED = "not-pinned"
    """Right, but the signer is not one that is pinned here."""
    ANOTHER = "another"
    """Right and pinned, but not for the laboratory that the report names."""
    SUSPENDED = "suspended"
    """By the laboratory, which is suspended here."""
    NOT_IN_FORCE = "not-in-force"
    """The signer's certificate was not in force when the file came in, or at the time that the signer claims."""
    NOT_PROVEN = "not-proven"
    """The certificate does not serve this purpose, or the chain cannot be proven."""
    TIME_STAMP = "time-stamp"
    """Only a time stamp is there."""


_TRUST = {
    Trust.UNKNOWN_ROOT: Standing.NOT_PINNED,
    Trust.SELF_SIGNED: Standing.NOT_PINNED,
    Trust.EXPIRED: Standing.NOT_IN_FORCE,
    Trust.NOT_YET_VALID: Standing.NOT_IN_FORCE,
    Trust.CLAIMED_TIME: Standing.NOT_IN_FORCE,
}
# What is told of a file with several signatures: the laboratory's, else the gravest.
_ORDER = (
    Standing.LABORATORY,
    Standing.CHANGED,
    Standing.WRONG,
    Standing.SUSPENDED,
    Standing.ANOTHER,
    Standing.NOT_IN_FORCE,
    Standing.NOT_PROVEN,
    Standing.NOT_PINNED,
    Standing.UNREADABLE,
    Standing.TIME_STAMP,
)
_STATES = {
    State.NONE: Standing.NOT_SIGNED,
    State.IMPOSSIBLE: Standing.IMPOSSIBLE,
    State.UNKNOWN: Standing.NOT_LOOKED_AT,
    State.UNREADABLE: Standing.UNREADABLE,
}


def of(certificate: Certificate) -> Signatures:
    """What is known of the signatures in its file."""
    return files.from_plain(certificate.file.signatures, certificate.file.kind)


def standing(certificate: Certificate) -> Standing:
    """What all signatures of the file come to, as of now. Needs the session of the certificate."""
    found = of(certificate)
    if found.state is not State.READ:
        return _STATES[found.state]
    return min((standing_of(one, certificate.registered) for one in found.signatures), key=_ORDER.index)


def standing_of(signature: Signature, laboratory: Laboratory | None) -> Standing:
    """What one signature comes to on a report of this registered laboratory (None: of none)."""
    five = signature.five
    if signature.shape is Shape.TIME_STAMP:
        return Standing.TIME_STAMP
    if five.signature is Works.UNREADABLE:
        return Standing.UNREADABLE
    if five.signature is Works.WRONG:
        return Standing.CHANGED if five.integrity is Integrity.CHANGED else Standing.WRONG
    if not (five.integrity.holds and five.coverage.holds and five.later.holds):
        return Standing.CHANGED
    if not signature.all_hold:
        return _TRUST.get(five.trust, Standing.NOT_PROVEN)
    if laboratory is None or not set(signature.roots) & _signing_roots(laboratory):
        return Standing.ANOTHER
    return Standing.SUSPENDED if laboratory.suspended else Standing.LABORATORY


def _signing_roots(laboratory: Laboratory) -> set[str]:
    return {root.sha256 for root in laboratory.pinned if root.purpose == Purpose.SIGNING}


def signed_by_laboratory(certificate: Certificate) -> Facts:
    """Everything about it as plain JSON values, the same for programs and for bundles of evidence:

    `signed_by_laboratory` (bool), `standing` (a `Standing`), `file_sha256`, `laboratory` (the registered one with its
    roots, or null) and `signatures` (the five facts of each, see `files.signatures.Signatures.plain`).
    """
    found, judged = of(certificate), standing(certificate)
    return {
        "signed_by_laboratory": judged is Standing.LABORATORY,
        "standing": str(judged),
        "file_sha256": certificate.file.sha256,
        "laboratory": _plain(certificate.registered) if certificate.registered else None,
        "signatures": found.plain(),
    }


def _plain(laboratory: Laboratory) -> Facts:
    return {
        "ref": laboratory.ref,
        "name_zh": laboratory.name_zh,
        "name_en": laboratory.name_en,
        "accreditation": [text for text in (laboratory.cma, laboratory.cnas, laboratory.ilac) if text],
        "valid_until": laboratory.valid_until.isoformat() if laboratory.valid_until else None,
        "suspended": laboratory.suspended,
        "roots": [_plain_root(root) for root in laboratory.roots],
    }


def _plain_root(root: PinnedRoot) -> Facts:
    return {
        "sha256": root.sha256,
        "subject": root.subject,
        "purpose": root.purpose,
        "not_after": root.not_after.isoformat(),
        "added_at": root.added_at.isoformat(),
        "removed_at": root.removed_at.isoformat() if root.removed_at else None,
    }


def doubts(certificate: Certificate) -> list[Message]:
    """What a reviewer should look at: the laboratory that the report names, and what the file's signatures say."""
    laboratory = certificate.registered
    if laboratory is None:
        return [say("No registered laboratory has this accreditation number.")]
    found = []
    if laboratory.suspended:
        found.append(say("The laboratory is suspended: %(reason)s", reason=laboratory.suspended_reason))
    if laboratory.lapsed(certificate.issued_on) and laboratory.valid_until:
        found.append(
            say(
                "The accreditation of %(name)s had ended on %(day)s, before this report was issued.",
                name=laboratory.name_zh,
                day=laboratory.valid_until.isoformat(),
            )
        )
    if not _same_name(certificate.laboratory, laboratory):
        found.append(
            say(
                "The accreditation number belongs to %(registered)s; the report names %(written)s.",
                registered=laboratory.name_zh,
                written=certificate.laboratory,
            )
        )
    return found


def _same_name(written: str, laboratory: Laboratory) -> bool:
    """Reports write a name in one language or both, and with or without a branch."""
    plain = "".join(written.split()).casefold()
    names = ["".join(name.split()).casefold() for name in (laboratory.name_zh, laboratory.name_en)]
    return any(name in plain or plain in name for name in names)


# --- judging again ----------------------------------------------------------------------------------------------------


def judge_if_stale(session: Session, certificate: Certificate, *, by: Actor, at: datetime) -> None:
    """Roots may have changed while a file was read, or since the same file came in the first time."""
    found = of(certificate)
    if found.state in (State.READ, State.UNREADABLE) and found.pins != files.name_of(labs.pinned(session)):
        payload = {"file": certificate.file.sha256}
        jobs.enqueue(session, JobKind.CHECK_SIGNATURES, payload, total=1, by=by, at=at)


def check(claimed: jobs.Claimed, storage: LocalStorage) -> None:
    """The job: reports find their laboratory, then the files are judged again, one to a transaction. `laboratory` in
    the payload means all files of its reports, `file` this one. A job that was cut off begins anew and skips what is
    up to date."""
    with claimed.database.write() as session:
        _find_laboratories(session)
        waiting = [file.sha256 for file in _files(session, claimed.payload)]
        claimed.progress(session, 0, at=clock.now())
    for done, sha256 in enumerate(waiting, start=1):
        _judge(claimed, storage, sha256, done)


def _judge(claimed: jobs.Claimed, storage: LocalStorage, sha256: str, done: int) -> None:
    """Judged outside of any transaction: the child may take seconds."""
    with claimed.database.read() as session:
        roots = labs.pinned(session)
        file = session.scalars(select(StoredFile).where(StoredFile.sha256 == sha256)).one()
        known = files.from_plain(file.signatures, file.kind)
        came_in = known.judged_at or file.added_at
    found = None
    if known.pins != files.name_of(roots):
        found = _look(storage, sha256, known.state, roots, came_in)
    with claimed.database.write() as session:
        if found is not None:
            session.scalars(select(StoredFile).where(StoredFile.sha256 == sha256)).one().signatures = found.plain()
        claimed.progress(session, done, at=clock.now())


def _look(
    storage: LocalStorage, sha256: str, state: State, roots: list[files.Root], came_in: datetime
) -> Signatures | None:
    """A certificate counts as of when the file came in, however late it is judged again: that moment is on record."""
    try:
        with storage.open(sha256) as stream:
            signed = state is not State.UNKNOWN or b"/ByteRange" in stream.read()
    except NotFound:
        # A file that was lost keeps what was found while it was there; «lotseal doctor» tells of it.
        return None
    return files.judge(storage.path(sha256), roots, at=came_in) if signed else Signatures(State.NONE)


def _files(session: Session, payload: Any) -> list[StoredFile]:
    query = select(StoredFile).where(StoredFile.kind == "pdf").order_by(StoredFile.id)
    if "file" in payload:
        query = query.where(StoredFile.sha256 == payload["file"])
    else:
        laboratory = labs.get(session, payload["laboratory"])
        of_it = select(Certificate.file_id).where(Certificate.laboratory_id == laboratory.id)
        query = query.where(StoredFile.id.in_(of_it))
    return [file for file in session.scalars(query) if _may_be_signed(file)]


def _may_be_signed(file: StoredFile) -> bool:
    return files.from_plain(file.signatures, file.kind).state is not State.NONE


def laboratory_of(numbers: Mapping[str, int], accreditation: str) -> int | None:
    """Of `numbers`, which lead from an accreditation number to the row of a laboratory, the one row that the numbers in
    this text lead to; None for no row, and for several."""
    found = {numbers[number] for number in numbers_in(accreditation) if number in numbers}
    return found.pop() if len(found) == 1 else None


def _find_laboratories(session: Session) -> None:
    """Link every report to the laboratory whose number it states: to one, or to none."""
    numbers = labs.numbers(session)
    query = select(Certificate.id, Certificate.accreditation, Certificate.laboratory_id)
    if not numbers:
        query = query.where(Certificate.laboratory_id.is_not(None))
    for row, accreditation, present in session.execute(query).all():
        wanted = laboratory_of(numbers, accreditation)
        if wanted != present:
            session.get_one(Certificate, row).laboratory_id = wanted
