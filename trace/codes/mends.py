"""Proposals for codes that are nearly right. A proposal is made only when it passes every check."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence

from ..errors import Invalid, Problem
from . import charsets, digital_link, element_string, epc, scan
from .ais import TABLE
from .checksums import check_characters, csum
from .element_string import FNC1, GS
from .gtin import check_digit
from .identity import with_numbers
from .model import Element, Kind

_NO_MEND = ("association.", "code.too-long")
"""Problems that nothing but more knowledge mends."""

_SPACES = re.compile("[ \t\r\n\u00a0\u200b-\u200f\u2028\u2029\u2060\u3000\ufeff]")
_FNC1_WORDS = re.compile(r"<GS>|\{GS\}|\[GS\]|<FNC1>|\{FNC1\}|\[FNC1\]|\\x1[dD]|\\u001[dD]|\u241d")
_MISREAD = str.maketrans("OoQIil|", "0001111")
_GTIN_SIZES = (8, 12, 13)
_GTINS = ("01", "02", "03")


def propose(text: str, kind: Kind | None, problems: Sequence[Problem], is_right: Callable[[str], bool]) -> str | None:
    """A text like this one that `is_right`, or None."""
    if problems[0].rule.startswith(_NO_MEND):
        return None
    tried = {text}
    for candidate in _candidates(text, kind):
        if candidate not in tried:
            if is_right(candidate):
                return candidate
            tried.add(candidate)
    return None


def _candidates(text: str, kind: Kind | None) -> Iterator[str]:
    clean = _SPACES.sub("", _FNC1_WORDS.sub(FNC1, unicodedata.normalize("NFKC", text)))
    yield clean
    if kind is None:
        if clean[:1].isdecimal():
            yield FNC1 + clean
        return
    try:
        yield from _MENDERS[kind](clean)
    except Invalid:
        # Too far from right to be taken apart.
        return


def _link(text: str) -> Iterator[str]:
    address, mark, query = text.partition("?")
    scheme, colon, rest = address.partition("://")
    if not digital_link.is_link(text):
        scheme = scheme.lower()
    text = with_numbers(scheme + colon + rest.rstrip("/")) + mark + query
    yield text
    stem, path, attributes, extra = digital_link.split(text)
    elements = _mended([*path, *attributes])
    mended = digital_link.print_link(elements, stem)
    if mended:
        others = "&".join(name if value is None else f"{name}={value}" for name, value in extra)
        yield mended + (others and ("&" if "?" in mended else "?") + others)


def _bracketed(text: str) -> Iterator[str]:
    yield element_string.print_bracketed(_mended(element_string.split_bracketed(text)))


def _unbracketed(text: str) -> Iterator[str]:
    text = text.replace(GS, FNC1)
    if not text.startswith(FNC1):
        text = FNC1 + text
        yield text
    yield element_string.print_element_string(_mended(element_string.split(text, 1)))


def _scanned(text: str) -> Iterator[str]:
    text = text[:3] + text[3:].replace(FNC1, GS).lstrip(GS)
    yield text
    if text[:3] in scan.AI_SYMBOLS:
        elements = element_string.split(FNC1 + text[3:].replace(GS, FNC1), 1)
        yield text[:3] + element_string.print_element_string(_mended(elements), GS)[1:]
    elif (size := scan.GTIN_SYMBOLS.get(text[:3])) and len(text) == 3 + size:
        yield text[:3] + _mended_digits(text[3:])
    elif digital_link.is_link(text[3:]):
        yield from (text[:3] + mended for mended in _link(text[3:]))


def _typed(text: str) -> Iterator[str]:
    digits = text.replace("-", "").translate(_MISREAD)
    yield digits
    if len(digits) in (*_GTIN_SIZES, 14):
        yield _mended_digits(digits)
    else:
        yield FNC1 + digits


def _urn(text: str) -> Iterator[str]:
    yield text[:8].lower() + text[8:]
    code = epc.split(text)
    if mended := epc.print_epc_urn(code):
        yield mended


_MENDERS: dict[Kind, Callable[[str], Iterator[str]]] = {
    Kind.DIGITAL_LINK: _link,
    Kind.BRACKETED: _bracketed,
    Kind.ELEMENT_STRING: _unbracketed,
    Kind.SCAN_DATA: _scanned,
    Kind.GTIN: _typed,
    Kind.EPC_URN: _urn,
}


def _mended(elements: Sequence[Element]) -> list[Element]:
    return [(ai, _mended_value(ai, value)) for ai, value in elements]


def _mended_value(ai: str, value: str) -> str:
    """Letters that are misread digits, a short GTIN, a wrong check digit or check pair."""
    if ai in _GTINS and len(value) in _GTIN_SIZES:
        value = value.translate(_MISREAD)
        # A number that fits its check digit is whole; one that does not may lack any digit.
        return value.zfill(14) if csum(value) is None else value
    at, mended = 0, ""
    for part in TABLE[ai].parts:
        piece = value[at : at + part.most]
        names = [name for name, _ in part.rules]
        if names[0] == "csetnumeric":
            piece = piece.translate(_MISREAD)
        if "csum" in names:
            piece = _mended_digits(piece)
        if "csumalpha" in names and charsets.is_cset82(piece) and 2 < len(piece) <= part.most:
            piece = piece[:-2] + check_characters(piece[:-2])
        mended += piece
        at += part.most
    return mended + value[at:]


def _mended_digits(digits: str) -> str:
    if len(digits) < 2 or not (digits.isascii() and digits.isdigit()):
        return digits
    return digits[:-1] + check_digit(digits[:-1])
