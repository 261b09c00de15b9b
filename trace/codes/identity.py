"""The shortest Digital Link that names the same thing, lot or class, as events compare it (CBV 2.0, section 8).

Unlike the parsers this is forgiving, because a hash of an event must not depend on how careful its author was: check
digits are not looked at, GTINs may be short, AIs may be written as words (`/gtin/…/ser/…`), and what does not tell one
thing from another (variant, a lot beside a serial, all attributes) is dropped.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from ..errors import Invalid
from . import digital_link, epc
from .ais import TABLE
from .model import MOST_CHARACTERS, Element

WORDS: Final = MappingProxyType(
    {
        "gtin": "01", "itip": "8006", "gmn": "8013", "cpid": "8010", "gln": "414", "party": "417", "gsrnp": "8017",
        "gsrn": "8018", "gcn": "255", "sscc": "00", "gdti": "253", "ginc": "401", "gsin": "402", "grai": "8003",
        "giai": "8004", "payTo": "415", "cpv": "22", "lot": "10", "ser": "21", "cpsn": "8011", "glnx": "254",
        "refno": "8020", "srin": "8019",
    }
)  # fmt: skip
"""AIs as words, from the first edition of the Digital Link standard; no longer allowed in links."""

_TELLS_APART = MappingProxyType(
    {"01": ("21", "235", "10"), "8006": ("21", "10"), "414": ("254",), "8010": ("8011",), "415": ("8020",)}
)
"""The qualifiers that single out, the finest first."""

_GTIN_SIZES = (8, 12, 13, 14)


def identity(text: object) -> str | None:
    """The canonical id.gs1.org form of an EPC URN or a Digital Link; None when it is neither."""
    if not isinstance(text, str) or len(text) > MOST_CHARACTERS:
        return None
    try:
        elements = epc.split(text).elements if epc.is_urn(text) else _of_link(text)
    except Invalid:
        return None
    if not all(_fits(element) for element in elements):
        return None
    return digital_link.print_link(elements)


def _of_link(text: str) -> tuple[Element, ...]:
    """The key, and the one qualifier that counts. Raises `Invalid`."""
    address = text.partition("#")[0].partition("?")[0]
    _stem, path, _query, _extra = digital_link.split(with_numbers(address))
    (ai, value), *qualifiers = path
    entry = TABLE[ai]
    if qualifiers and tuple(name for name, _ in qualifiers) not in entry.paths:
        raise Invalid()
    if ai == "01" and len(value) in _GTIN_SIZES:
        value = value.zfill(14)
    given = dict(qualifiers)
    finest = next((name for name in _TELLS_APART.get(ai, ()) if name in given), None)
    key = (ai, value)
    return (key, (finest, given[finest])) if finest else (key,)


def with_numbers(address: str) -> str:
    """Words become AIs, but only where AIs stand: every second segment from the end."""
    segments = address.split("/")
    for place in range(len(segments) - 2, 2, -2):
        segments[place] = WORDS.get(segments[place], segments[place])
    return "/".join(segments)


def _fits(element: Element) -> bool:
    """Length and characters, without check digits and code lists."""
    ai, value = element
    entry = TABLE[ai]
    if not entry.least <= len(value) <= entry.most:
        return False
    at = 0
    for part in entry.parts:
        piece = value[at : at + part.most]
        at += part.most
        if part.rules[0][1](piece) or (piece and len(piece) < part.least):
            return False
    return True
