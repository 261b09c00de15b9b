"""Add and change laboratories, pin and unpin their roots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from .. import log
from ..countries import COUNTRIES
from ..db.search import containing
from ..errors import conflict, invalid, not_found, say
from ..files import bounds
from ..files.findings import Purpose
from ..files.signatures import Root
from ..intake import Intake
from ..jobs import service as jobs
from ..jobs.models import JobKind
from ..log import Act, Actor
from .models import AccreditationNumber, Laboratory, PinnedRoot
from .numbers import numbers_in
from .roots import ReadRoot, read_fingerprint

SCHEMES = ("cma", "cnas", "ilac")
PRIVATE = ("note",)
"""What staff write for themselves, such as whom they asked: the log tells it beside the actor only."""


@dataclass(frozen=True)
class LaboratoryDraft:
    name_zh: str
    name_en: str
    country: str
    cma: str
    cnas: str
    ilac: str
    valid_until: date | None
    note: str

    @property
    def numbers(self) -> frozenset[str]:
        return frozenset().union(*(numbers_in(getattr(self, scheme)) for scheme in SCHEMES))

    def plain(self) -> dict[str, Any]:
        """The facts as JSON values."""
        return asdict(self) | {"valid_until": self.valid_until.isoformat() if self.valid_until else None}


def read_laboratory(raw: Mapping[str, str]) -> LaboratoryDraft:
    """Raises `Invalid` naming every field that is wrong. At least one accreditation number is needed: reports find
    their laboratory by it."""
    intake = Intake(raw)
    draft = LaboratoryDraft(
        name_zh=intake.text("name_zh", most=100),
        name_en=intake.text("name_en", most=100),
        country=intake.country("country", COUNTRIES),
        cma=intake.text("cma", most=100, required=False),
        cnas=intake.text("cnas", most=100, required=False),
        ilac=intake.text("ilac", most=100, required=False),
        valid_until=intake.day("valid_until", required=False),
        note=intake.text("note", most=500, required=False, lines=True),
    )
    for scheme in SCHEMES:
        if getattr(draft, scheme) and not numbers_in(getattr(draft, scheme)):
            intake.refuse(
                scheme,
                "laboratory.number-form",
                say("This holds no accreditation number. Copy it from the certificate."),
            )
    if not any(getattr(draft, scheme) for scheme in SCHEMES):
        intake.refuse(
            "cma",
            "laboratory.no-number",
            say("Give at least one accreditation number: CMA, CNAS or that of another scheme."),
        )
    intake.done()
    return draft


def add(session: Session, draft: LaboratoryDraft, *, by: Actor, at: datetime) -> Laboratory:
    """Raises `Conflict` when another laboratory has one of the numbers."""
    _refuse_taken(session, draft, but=None)
    laboratory = Laboratory(**asdict(draft), added_at=at, added_by=by.name)
    laboratory.numbers = _rows(draft)
    session.add(laboratory)
    session.flush()
    about = subject(laboratory)
    log.record(session, Act.LABORATORY_ADD, by=by, at=at, subject=about, private=PRIVATE, **draft.plain())
    _judge_again(session, laboratory, by=by, at=at)
    return laboratory


def change(session: Session, laboratory: Laboratory, draft: LaboratoryDraft, *, by: Actor, at: datetime) -> None:
    """Raises `Conflict` when another laboratory has one of the numbers."""
    _refuse_taken(session, draft, but=laboratory)
    before = _draft_of(laboratory)
    for name, value in asdict(draft).items():
        setattr(laboratory, name, value)
    old, new = before.plain(), draft.plain()
    changed = {name: [old[name], value] for name, value in new.items() if old[name] != value}
    about = subject(laboratory)
    log.record(session, Act.LABORATORY_CHANGE, by=by, at=at, subject=about, private=PRIVATE, changed=changed)
    if before.numbers != draft.numbers:
        kept = [row for row in laboratory.numbers if row.number in draft.numbers]
        there = {row.number for row in kept}
        laboratory.numbers = [*kept, *(row for row in _rows(draft) if row.number not in there)]
        session.flush()
        _judge_again(session, laboratory, by=by, at=at)


def _draft_of(laboratory: Laboratory) -> LaboratoryDraft:
    return LaboratoryDraft(**{name: getattr(laboratory, name) for name in LaboratoryDraft.__dataclass_fields__})


def _rows(draft: LaboratoryDraft) -> list[AccreditationNumber]:
    return [AccreditationNumber(number=number) for number in sorted(draft.numbers)]


def _refuse_taken(session: Session, draft: LaboratoryDraft, *, but: Laboratory | None) -> None:
    query = (
        select(Laboratory)
        .join(Laboratory.numbers)
        .where(AccreditationNumber.number.in_(draft.numbers), Laboratory.id != (but.id if but else 0))
    )
    twin = session.scalars(query.limit(1)).first()
    if twin is None:
        return
    taken = {row.number for row in twin.numbers}
    field = next(scheme for scheme in SCHEMES if taken & numbers_in(getattr(draft, scheme)))
    raise conflict(
        "laboratory.number-taken",
        say("%(name)s already has this accreditation number. Open that laboratory instead.", name=twin.name_zh),
        field=field,
    )


def suspend(session: Session, laboratory: Laboratory, reason: str, *, by: Actor, at: datetime) -> None:
    """Its signatures do not count from now on, and reviewers read that it is suspended."""
    text = _reason(reason)
    if laboratory.suspended:
        raise conflict("laboratory.suspended", say("This laboratory is suspended already."))
    laboratory.suspended_at, laboratory.suspended_reason = at, text
    log.record(session, Act.LABORATORY_SUSPEND, by=by, at=at, subject=subject(laboratory), reason=text)


def resume(session: Session, laboratory: Laboratory, *, by: Actor, at: datetime) -> None:
    if not laboratory.suspended:
        raise conflict("laboratory.not-suspended", say("This laboratory is not suspended."))
    laboratory.suspended_at, laboratory.suspended_reason = None, ""
    log.record(session, Act.LABORATORY_RESUME, by=by, at=at, subject=subject(laboratory))


def _reason(reason: str) -> str:
    intake = Intake({"reason": reason})
    text = intake.text("reason", most=500, lines=True)
    intake.done()
    return text


# --- roots ------------------------------------------------------------------------------------------------------------


def pin(
    session: Session, laboratory: Laboratory, root: ReadRoot, raw: Mapping[str, str], *, by: Actor, at: datetime
) -> PinnedRoot:
    """Fields: `sha256`, the fingerprint that was compared with what the laboratory says, and `purpose` (signing when
    left out). Raises `Invalid` when the fingerprint is missing or another one, or the certificate is not in force;
    `Conflict` when it is pinned already."""
    intake = Intake({"purpose": Purpose.SIGNING, **raw})
    compared = intake.own("sha256", read_fingerprint, placeholder="", required=False)
    purpose = intake.choice("purpose", Purpose, default=Purpose.SIGNING)
    intake.done()
    _refuse_unlike(root, compared)
    if not root.not_before <= at <= root.not_after:
        raise invalid(
            "root",
            "root.not-in-force",
            say(
                "This certificate is valid from %(start)s to %(end)s. Pin one that is in force.",
                start=root.not_before.date().isoformat(),
                end=root.not_after.date().isoformat(),
            ),
        )
    if any(one.sha256 == root.sha256 and one.purpose == purpose for one in laboratory.pinned):
        raise conflict("root.pinned", say("This certificate is pinned for this laboratory already."), field="root")
    if len(pinned(session)) >= bounds.MAX_ROOTS:
        raise conflict(
            "root.too-many", say("At most %(most)d roots can be pinned in all. Unpin old ones.", most=bounds.MAX_ROOTS)
        )
    row = PinnedRoot(
        laboratory=laboratory,
        purpose=purpose,
        der=root.der,
        sha256=root.sha256,
        subject=root.subject,
        not_after=root.not_after,
        added_at=at,
        added_by=by.name,
    )
    session.add(row)
    session.flush()
    log.record(
        session,
        Act.LABORATORY_PIN,
        by=by,
        at=at,
        subject=subject(laboratory),
        root=row.ref,
        sha256=row.sha256,
        certificate=row.subject,
        not_after=log.time_text(row.not_after),
        purpose=row.purpose,
    )
    _judge_again(session, laboratory, by=by, at=at)
    return row


def _refuse_unlike(root: ReadRoot, compared: str) -> None:
    if not compared:
        raise invalid(
            "sha256",
            "root.compare",
            say(
                "The certificate has the SHA-256 %(sha256)s. Compare it with what the laboratory tells you on another "
                "way, then confirm it.",
                sha256=root.sha256,
            ),
        )
    if compared != root.sha256:
        raise invalid(
            "sha256",
            "root.fingerprint",
            say(
                "The certificate has another SHA-256: %(sha256)s. Do not pin it before that is explained.",
                sha256=root.sha256,
            ),
        )


def unpin(session: Session, root: PinnedRoot, reason: str, *, by: Actor, at: datetime) -> None:
    """The root stays on record with the reason and does not count any more, at once. Raises `Conflict` the second
    time."""
    text = _reason(reason)
    if root.removed:
        raise conflict("root.unpinned", say("This certificate was unpinned already."))
    root.removed_at, root.removed_by, root.removed_reason = at, by.name, text
    log.record(
        session,
        Act.LABORATORY_UNPIN,
        by=by,
        at=at,
        subject=subject(root.laboratory),
        root=root.ref,
        sha256=root.sha256,
        reason=text,
    )
    _judge_again(session, root.laboratory, by=by, at=at)


def _judge_again(session: Session, laboratory: Laboratory, *, by: Actor, at: datetime) -> None:
    """Reports find their laboratory, and their files are judged against today's roots, in the background."""
    jobs.enqueue(session, JobKind.CHECK_SIGNATURES, {"laboratory": laboratory.ref}, total=0, by=by, at=at)


def pinned(session: Session) -> list[Root]:
    """Every root that counts today, of all laboratories: what a file is judged against. A root that two laboratories
    pinned is there once."""
    query = select(PinnedRoot).where(PinnedRoot.removed_at.is_(None)).order_by(PinnedRoot.id)
    roots = [Root(row.der, Purpose(row.purpose)) for row in session.scalars(query)]
    return list(dict.fromkeys(roots))


def get_root(session: Session, laboratory: Laboratory, known_as: str) -> PinnedRoot:
    """By its reference or its SHA-256; of two rows with one SHA-256 the one that still counts. Raises `NotFound`."""
    wanted = known_as.strip().lower()
    found = [root for root in laboratory.roots if wanted in (root.ref, root.sha256)]
    if not found:
        raise not_found("root.unknown", say("There is no such certificate at this laboratory."))
    return min(found, key=lambda root: root.removed)


# --- looking up -------------------------------------------------------------------------------------------------------


def subject(laboratory: Laboratory) -> str:
    return f"laboratory:{laboratory.ref}"


def matching(search: str = "") -> Select[Laboratory]:
    query = select(Laboratory)
    if search:
        columns = (Laboratory.name_zh, Laboratory.name_en, Laboratory.cma, Laboratory.cnas, Laboratory.ilac)
        query = query.where(containing(search, *columns))
    return query


def get(session: Session, ref: str) -> Laboratory:
    laboratory = session.scalar(select(Laboratory).where(Laboratory.ref == ref))
    if laboratory is None:
        raise not_found("laboratory.unknown", say("There is no such laboratory."))
    return laboratory


def named_by(session: Session, accreditation: str) -> Laboratory | None:
    """The registered laboratory whose number stands in this text; None when there is none, or when the numbers belong
    to several."""
    numbers = numbers_in(accreditation)
    query = select(Laboratory).join(Laboratory.numbers).where(AccreditationNumber.number.in_(numbers)).distinct()
    found: Sequence[Laboratory] = session.scalars(query).all()
    return found[0] if len(found) == 1 else None


def numbers(session: Session) -> dict[str, int]:
    """The row number of the laboratory behind each accreditation number."""
    return {row.number: row.laboratory_id for row in session.scalars(select(AccreditationNumber))}
