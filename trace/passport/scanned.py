"""What a scanned code means here: an item, lot or product of ours, or only what the code itself says."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ...signing.errors import Malformed
from ...signing.item import normalise_typed_serial
from ..codes.digital_link import GS1_ROOT
from ..codes.model import MOST_CHARACTERS, Code
from ..codes.scanned import read_code
from ..errors import Invalid, Problem, invalid, say
from ..items.models import CodeRun
from ..products.models import FormerGtin, Product
from . import typed


class Place(StrEnum):
    """Where a code leads. Permanent words."""

    ITEM = "item"
    LOT = "lot"
    PRODUCT = "product"
    NOWHERE = "nowhere"
    """Its identifiers are none of ours; only what it says can be shown."""


@dataclass(frozen=True)
class Understood:
    """`foreign` is the host of an address that is not ours: its reader must see that before our record. `signature` is
    what an address of ours carries beside its identifiers."""

    place: Place
    code: Code | None
    gtin: str = ""
    lot: str | None = None
    serial: str | None = None
    signature: str | None = None
    foreign: str = ""


def understand(session: Session, text: str, own_base: str) -> Understood:
    """`own_base` is scheme and host of the codes that are issued today.

    Raises `Invalid` (field `code`) for a text that is no code, with its mend where there is one.
    """
    text = text.strip()
    if not text or len(text) > MOST_CHARACTERS:
        raise invalid("code", "code.missing", say("Scan a code, or type what stands beside it."))
    if found := _typed(session, text):
        return Understood(Place.ITEM, None, found.gtin, found.lot, found.serial)
    try:
        code = read_code(text)
    except Invalid as error:
        raise Invalid(*(Problem("code", one.rule, one.message) for one in error.problems)) from None
    return _placed(session, code, own_base)


def _typed(session: Session, text: str) -> typed.Found | None:
    try:
        normalise_typed_serial(text)
    except Malformed:
        return None
    return typed.find_item(session, text)


def _placed(session: Session, code: Code, own_base: str) -> Understood:
    gtin, lot, serial = code.value("01"), code.value("10"), code.value("21")
    foreign, signature = "", None
    ours = False
    if code.stem is not None and code.stem != GS1_ROOT:
        ours = _is_own(session, code.stem, own_base)
        if ours:
            signature = next((value for name, value in code.extra if name == "s"), None)
        else:
            foreign = code.stem.partition("://")[2]
    if gtin is None or not (ours or _is_known(session, gtin)):
        return Understood(Place.NOWHERE, code, foreign=foreign)
    if serial and lot is None and (found := _item(session, serial)):
        lot = found.lot if found.gtin == gtin else lot
    place = Place.ITEM if serial else Place.LOT if lot else Place.PRODUCT
    if place == Place.LOT and lot:
        lot = typed.known_spelling(session, gtin, lot)
    return Understood(place, code, gtin, lot, serial, signature, foreign)


def _item(session: Session, serial: str) -> typed.Found | None:
    """A serial of ours; those of others may have characters that ours never have."""
    try:
        return typed.find_item(session, serial)
    except Invalid:
        return None


def _is_own(session: Session, stem: str, own_base: str) -> bool:
    """Whether codes were ever printed with this scheme and host; readers may change their capitals."""
    if stem.lower() == own_base.lower():
        return True
    return session.scalar(select(CodeRun.id).where(func.lower(CodeRun.base) == stem.lower()).limit(1)) is not None


def _is_known(session: Session, gtin: str) -> bool:
    return any(session.scalar(select(row.id).where(row.gtin == gtin).limit(1)) for row in (Product, FormerGtin))
