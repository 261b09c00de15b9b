"""Rules for numbers and short codes inside a value: zeros, pieces, positions, angles, code lists."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

from ..errors import Message, say
from .charsets import csetnumeric
from .fault import Fault, fault
from .lists import COUNTRY_LETTERS, COUNTRY_NUMBERS, CURRENCY_NUMBERS, MEDIA_TYPES, PACKAGE_TYPES


def nonzero(data: str) -> Fault | None:
    if found := csetnumeric(data):
        return found
    if data.strip("0"):
        return None
    return fault("illegal-zero-value", 1, say("This number must be more than zero."))


def zero(data: str) -> Fault | None:
    if data and not data.strip("0"):
        return None
    return fault("not-zero", 1, say("Here stands %(given)s; only 0 may stand here.", given=data or "–"))


def nozeroprefix(data: str) -> Fault | None:
    return fault("illegal-zero-prefix", 1, _LEADING_ZERO) if data.startswith("0") else csetnumeric(data)


_LEADING_ZERO = say("This number must not begin with 0. Leave out leading zeros.")


def hyphen(data: str) -> Fault | None:
    if data and not data.strip("-"):
        return None
    return fault("not-hyphen", 1, say("Only a hyphen may stand behind the number; it means «below zero»."))


def yesno(data: str) -> Fault | None:
    if data in ("0", "1"):
        return None
    return fault("not-zero-or-one", 1, say("Write 0 for no or 1 for yes."))


def winding(data: str) -> Fault | None:
    if data in ("0", "1", "9"):
        return None
    return fault(
        "invalid-winding-direction", 1, say("The winding direction is 0 (face out), 1 (face in) or 9 (undefined).")
    )


def iso5218(data: str) -> Fault | None:
    if data in ("0", "1", "2", "9"):
        return None
    return fault(
        "invalid-biological-sex-code",
        1,
        say("The sex is coded as 0 (not known), 1 (male), 2 (female) or 9 (not applicable)."),
    )


def pieceoftotal(data: str) -> Fault | None:
    """Piece number and total, each half of the digits."""
    if found := csetnumeric(data):
        return found
    if not data or len(data) % 2:
        return fault(
            "invalid-length-for-piece-of-total",
            1,
            say("Piece number and total have the same count of digits, such as 0103 for piece 1 of 3."),
        )
    half = len(data) // 2
    piece, total = int(data[:half]), int(data[half:])
    if piece == 0:
        return fault("zero-piece-number", 1, say("Pieces are counted from 1; this is piece 0."))
    if total == 0:
        return fault("zero-total-pieces", half + 1, say("The total of pieces is at least 1; this is 0."))
    if piece > total:
        return fault(
            "piece-number-exceeds-total",
            1,
            say("This is piece %(piece)d of %(total)d. Compare both numbers.", piece=piece, total=total),
        )
    return None


_POSITION = re.compile(r"([0-9]+)/([0-9]+)")


def posinseqslash(data: str) -> Fault | None:
    """Position and end of a sequence, such as 2/3."""
    found = _POSITION.fullmatch(data)
    if found is None:
        return fault("position-in-sequence-malformed", 1, say("Write position and total as 2/3."))
    for group in (1, 2):
        if found.group(group).startswith("0"):
            return fault("illegal-zero-prefix", found.start(group) + 1, _LEADING_ZERO)
    position, end = found.groups()
    if (len(position), position) > (len(end), end):
        return fault(
            "position-exceeds-end",
            1,
            say("Position %(given)s lies behind the end %(end)s.", given=position, end=end),
        )
    return None


def latitude(data: str) -> Fault | None:
    return _angle(data, "latitude", 180, say("A latitude is ten digits from 0000000000 (90° south) to 1800000000."))


def longitude(data: str) -> Fault | None:
    return _angle(data, "longitude", 360, say("A longitude is ten digits from 0000000000 (180° west) to 3600000000."))


def _angle(data: str, name: str, most: int, message: Message) -> Fault | None:
    """Degrees × 10⁷, counted from the south pole or the date line (General Specifications 3.8.10)."""
    if len(data) != 10:
        return fault(f"{name}-invalid-length", 1, message)
    if found := csetnumeric(data):
        return found
    return fault(f"invalid-{name}", 1, message) if int(data) > most * 10**7 else None


def _listed(codes: Collection[str], reason: str, message: Message) -> Callable[[str], Fault | None]:
    def rule(data: str) -> Fault | None:
        if data in codes:
            return None
        return fault(reason, 1, Message(message.text, {"given": data or "–"}))

    return rule


_COUNTRY_NUMBER = say("%(given)s is no country code of three digits (ISO 3166-1 numeric), such as 156 for China.")

iso3166 = _listed(COUNTRY_NUMBERS, "not-iso3166", _COUNTRY_NUMBER)
iso3166999 = _listed(
    COUNTRY_NUMBERS | {"999"},
    "not-iso3166-or-999",
    say("%(given)s is no country code of three digits (ISO 3166-1 numeric); 999 stands for several countries."),
)
iso3166alpha2 = _listed(
    COUNTRY_LETTERS,
    "not-iso3166-alpha2",
    say("%(given)s is no country code of two capital letters (ISO 3166-1), such as CN."),
)
iso4217 = _listed(
    CURRENCY_NUMBERS,
    "not-iso4217",
    say("%(given)s is no currency code of three digits (ISO 4217), such as 156 for renminbi."),
)
mediatype = _listed(
    MEDIA_TYPES, "invalid-media-type", say("%(given)s is no code of a data carrier; those are 01–10 and 80–99.")
)
packagetype = _listed(
    PACKAGE_TYPES,
    "invalid-package-type",
    say("%(given)s is no package code of UN/ECE Recommendation 21 or GS1, such as PX for a pallet."),
)


def iso3166list(data: str) -> Fault | None:
    """Country numbers one behind the other. Older dictionaries have this rule for AIs 423 and 425."""
    for start in range(0, len(data) or 1, 3):
        if data[start : start + 3] not in COUNTRY_NUMBERS:
            return fault(
                "not-iso3166", start + 1, Message(_COUNTRY_NUMBER.text, {"given": data[start : start + 3] or "–"})
            )
    return None


def gcppos1(data: str) -> Fault | None:
    return company_prefix(data, 0)


def gcppos2(data: str) -> Fault | None:
    return company_prefix(data, 1)


PREFIX_DIGITS = 4


def company_prefix(data: str, start: int) -> Fault | None:
    """Whether a GS1 Company Prefix can begin at `start`. Which prefixes are licensed, only GS1 knows; every one has at
    least four digits."""
    head = data[start : start + PREFIX_DIGITS]
    if len(head) < PREFIX_DIGITS:
        return fault(
            "too-short-for-gcp",
            start + 1 if len(data) > start else 1,
            say("This is too short: a GS1 key begins with a company prefix of at least four digits."),
        )
    if found := csetnumeric(head):
        return fault(
            "invalid-gcp-prefix",
            start + found.position,
            say("A GS1 key begins with the digits of a company prefix; these are not."),
        )
    return None
