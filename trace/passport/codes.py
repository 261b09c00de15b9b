"""Check a code against the record and the keys: tag, signature, or neither."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from ...signing.errors import Malformed, SigningError
from ...signing.item import ALPHABET, SERIAL_SIZE, canonical_item_uri, check_serial, parse_signature, verify_item
from ...signing.keys import PublicKey
from ..keys.ring import KeyRing


class Code(StrEnum):
    """What the code alone proves."""

    OURS = "ours"
    FORGED = "forged"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class IssuedWith:
    """What an issued code was made with; see `items.models.CodeRun`."""

    base: str
    lot: str
    short: bool
    letter: str | None
    public_jwk: dict[str, Any] | None
    tag_kid: str
    gtin: str | None = None
    """The printed number; None: that of the question."""
    gtin_today: str | None = None
    lot_today: str | None = None
    """A code that is typed comes under the numbers of today, although others may be printed."""
    issued_at: datetime | None = None
    revoked_at: tuple[datetime | None, ...] = ()
    """When the keys behind the code were revoked, None for those that were not."""


def check_issued(
    ring: KeyRing, made: IssuedWith, *, gtin: str, lot: str | None, serial: str, signature: str | None
) -> Code:
    """A code with a record. Raises `Unavailable` when the key behind it does not open. Forged is also a code that was
    issued when a key behind it was revoked already."""
    if any(made.issued_at is None or made.issued_at >= moment for moment in made.revoked_at if moment is not None):
        return Code.FORGED
    if not _names(made, gtin, lot, as_printed=signature is not None):
        return Code.FORGED
    signed_lot = None if made.short else made.lot
    gtin = made.gtin or gtin
    secret = ring.secret(made.tag_kid)
    try:
        check_serial(secret, made.base, gtin, signed_lot, serial)
        if signature is not None:
            letter, value = parse_signature(signature)
            if made.public_jwk is None or letter != made.letter:
                return Code.FORGED
            verify_item(
                PublicKey.from_jwk(made.public_jwk), canonical_item_uri(made.base, gtin, signed_lot, serial), value
            )
    except SigningError:
        return Code.FORGED
    return Code.OURS


def _names(made: IssuedWith, gtin: str, lot: str | None, *, as_printed: bool) -> bool:
    """Whether these numbers are those of the code: the printed ones, or, unless it is read off a symbol that carries a
    signature, those that the record has today."""
    right_gtin = made.gtin in (None, gtin) or (gtin == made.gtin_today and not as_printed)
    right_lot = lot in (None, made.lot) or (lot == made.lot_today and not as_printed)
    return right_gtin and right_lot


def check_unissued(
    ring: KeyRing, tag_kids: list[str], base: str, *, gtin: str, lot: str | None, serial: str, signature: str | None
) -> Code:
    """A code without a record: forged when it has our form and does not fit our keys, else just unknown."""
    if len(serial) != SERIAL_SIZE or not set(serial) <= set(ALPHABET):
        return Code.UNKNOWN if signature is None else Code.FORGED
    for kid in tag_kids:
        try:
            check_serial(ring.secret(kid), base, gtin, lot, serial)
        except Malformed:
            return Code.UNKNOWN
        except SigningError:
            continue
        return Code.UNKNOWN
    return Code.FORGED
