"""Print, then verify: a sample of the printed labels is scanned back and compared with what was to be printed.

Reading the file back shows that we drew it well. Only scanning the paper shows that the printer did, that the sheets
belong to this run, and that a phone reads them.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ...signing.errors import Malformed
from ...signing.item import RANDOM_SIZE, normalise_typed_serial
from .. import log
from ..carriers.symbols import FAMILIES, Carrier
from ..codes.digital_link import is_link
from ..codes.digital_link import parse as parse_link
from ..codes.model import MOST_CHARACTERS, Code
from ..codes.scanned import read_code
from ..errors import Conflict, Invalid, Problem, conflict, invalid, say
from ..items import service as items
from ..items.models import Item
from ..log import Act, Actor
from .models import LabelCheck, LabelSheet, Verification

SAMPLE = 5
_MOST_SAID = 500

_chance = random.SystemRandom()


class Outcome(StrEnum):
    """What one scan has shown. Permanent words."""

    MATCHED = "matched"
    AGAIN = "again"
    """It matched already."""
    NOT_ASKED = "not-asked"
    """It is a right label of this print run, but not one of the sample."""
    MISMATCH = "mismatch"


@dataclass(frozen=True)
class Checked:
    """`number` is the label's number in the file, from 1 without copies; None when it is not of this print run."""

    outcome: Outcome
    number: int | None


@dataclass(frozen=True)
class Place:
    """One label of the sample, and whether it was scanned back."""

    number: int
    done: bool


def choose(serials: Sequence[str]) -> list[list[Any]]:
    """The sample: 5 labels by chance, or all if there are fewer, as (number, serial) in the order of the file."""
    numbers = sorted(_chance.sample(range(len(serials)), min(SAMPLE, len(serials))))
    return [[number + 1, serials[number]] for number in numbers]


def progress(session: Session, sheet: LabelSheet) -> list[Place]:
    """The sample of today's round."""
    done = _matched(session, sheet)
    return [Place(number, number in done) for number, _serial in sheet.sample or ()]


def checks_of(session: Session, sheet: LabelSheet) -> Sequence[LabelCheck]:
    """All scans of today's round, newest first."""
    return session.scalars(_of_round(sheet).order_by(LabelCheck.id.desc())).all()


def _of_round(sheet: LabelSheet) -> Any:
    return select(LabelCheck).where(LabelCheck.sheet_id == sheet.id, LabelCheck.round == sheet.round)


def _matched(session: Session, sheet: LabelSheet) -> set[int]:
    rows = session.scalars(_of_round(sheet).where(LabelCheck.matched, LabelCheck.number.is_not(None)))
    return {row.number for row in rows}


def check(session: Session, sheet: LabelSheet, text: str, *, by: Actor, at: datetime) -> Checked:
    """Compare one scanned code, or a typed serial, with this print run.

    The last label of the sample makes the run verified; a code that is not of this run, or that says anything else
    than was to be printed, makes it a mismatch, which only a new sample ends. Raises `Conflict` before the file is
    made, `Invalid` (field `code`) for a text that is no code at all: it says nothing about the labels.
    """
    _refuse_unmade(sheet)
    text = text.strip("\r\n ")
    serial, exact = _read(text)
    number = _number(session, sheet, serial)
    if number is None or (exact is not None and not _says_what_was_printed(session, sheet, serial, exact, text)):
        _write(session, sheet, None, text, matched=False, by=by, at=at)
        _become(session, sheet, Verification.MISMATCH, by=by, at=at)
        return Checked(Outcome.MISMATCH, None)
    wanted = {place.number for place in progress(session, sheet)}
    if number not in wanted:
        return Checked(Outcome.NOT_ASKED, number)
    if number in _matched(session, sheet):
        return Checked(Outcome.AGAIN, number)
    _write(session, sheet, number, text, matched=True, by=by, at=at)
    if _matched(session, sheet) >= wanted and sheet.verification == Verification.UNVERIFIED:
        _become(session, sheet, Verification.VERIFIED, by=by, at=at)
    return Checked(Outcome.MATCHED, number)


def _refuse_unmade(sheet: LabelSheet) -> None:
    if sheet.sha256 is None or not sheet.sample:
        raise _not_made()


def _not_made() -> Conflict:
    return conflict("labels.not-made", say("This print run is not made yet. Verify it when it is printed."))


def _read(text: str) -> tuple[str | None, Code | None]:
    """The serial that a text says, and the code around it; None for a typed serial, which is nothing but itself."""
    if not text or len(text) > MOST_CHARACTERS:
        raise invalid("code", "code.missing", say("Scan a label, or type its serial number."))
    try:
        code = read_code(text)
        return code.value("21"), code
    except Invalid as refused:
        try:
            return normalise_typed_serial(text), None
        except Malformed:
            raise Invalid(*(Problem("code", one.rule, one.message) for one in refused.problems)) from None


def _number(session: Session, sheet: LabelSheet, serial: str | None) -> int | None:
    """The number in the file of the label with this serial, also of its first ten characters."""
    if not serial:
        return None
    query = select(Item).where(Item.run_id == sheet.run.id)
    found = session.scalars(
        query.where(Item.serial == serial)
        if len(serial) > RANDOM_SIZE
        else query.where(Item.serial > serial, Item.serial < serial + "~")
    ).all()
    if len(found) != 1:
        return None
    issued = select(func.count(Item.id)).where(Item.run_id == sheet.run.id, Item.id < found[0].id)
    place = session.scalar(issued) or 0
    if not sheet.first <= place < sheet.first + sheet.count:
        return None
    for number, sampled in sheet.sample or ():
        if sampled == found[0].serial:
            return int(number)
    # Not of the sample; which number it has matters to nobody, so voided codes are not counted out.
    return place - sheet.first + 1


def _says_what_was_printed(session: Session, sheet: LabelSheet, serial: str | None, code: Code, text: str) -> bool:
    """Phones hand over the text of a symbol with or without its symbology identifier."""
    item = items.get_item(session, serial or "")
    link = items.link(sheet.run, item)
    if FAMILIES[Carrier(sheet.carrier)].elements:
        return sorted(code.elements) == sorted(parse_link(link).elements)
    said = text if is_link(text) else text[3:] if code.symbology else text
    return said == link


def _write(
    session: Session, sheet: LabelSheet, number: int | None, text: str, *, matched: bool, by: Actor, at: datetime
) -> None:
    printable = "".join(character if character.isprintable() else " " for character in text)
    session.add(
        LabelCheck(
            sheet_id=sheet.id,
            round=sheet.round,
            number=number,
            said=printable[:_MOST_SAID],
            matched=matched,
            added_at=at,
            added_by=by.name,
        )
    )
    session.flush()


def _become(session: Session, sheet: LabelSheet, state: Verification, *, by: Actor, at: datetime) -> None:
    if sheet.verification == state:
        return
    sheet.verification = state
    _record(session, sheet, by=by, at=at, state=state)


def _record(session: Session, sheet: LabelSheet, *, by: Actor, at: datetime, state: Verification) -> None:
    log.record(
        session,
        Act.LABELS_VERIFY,
        by=by,
        at=at,
        subject=f"run:{sheet.run.ref}",
        sheet=sheet.ref,
        state=state,
        round=sheet.round,
        numbers=[number for number, _serial in sheet.sample or ()],
    )


def begin_again(session: Session, sheet: LabelSheet, *, by: Actor, at: datetime) -> None:
    """A new sample for a print run, for instance after the wrong paper was scanned. What was scanned stays on record.
    Raises `Conflict` before the file is made."""
    if sheet.sha256 is None:
        raise _not_made()
    sheet.sample = choose(list(_serials_in_file(session, sheet)))
    sheet.round += 1
    sheet.verification = Verification.UNVERIFIED
    _record(session, sheet, by=by, at=at, state=Verification.UNVERIFIED)


def _serials_in_file(session: Session, sheet: LabelSheet) -> Iterator[str]:
    """A code that was voided after the labels were made is on them all the same."""
    made_at = sheet.made_at or sheet.added_at
    for item in session.scalars(items.items_of(sheet.run).offset(sheet.first).limit(sheet.count)):
        if item.voided_at is None or item.voided_at > made_at:
            yield item.serial
