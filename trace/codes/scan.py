"""What a scanner sends: a symbology identifier (ISO/IEC 15424), then the data of the symbol, with GS for FNC1.

`]Q3` `]d2` `]J1` `]C1` `]e0` carry an element string, `]E0` `]E4` `]I1` a GTIN, `]Q1` `]d1` `]J0` any text, which may
be a Digital Link. The composite part of a linear symbol follows as a packet of its own, `|]e0…`, or simply runs on.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType
from typing import Final

from ..errors import Invalid, say
from . import digital_link
from .ais import TABLE
from .checksums import csum
from .content import check_contents, problem
from .element_string import FNC1, GS, print_element_string, split
from .model import Code, Element, Kind

AI_SYMBOLS: Final = frozenset(("]C1", "]e0", "]d2", "]Q3", "]J1"))
_TEXT_SYMBOLS = frozenset(("]d1", "]Q1", "]J0"))
GTIN_SYMBOLS: Final = MappingProxyType({"]E0": 13, "]E4": 8, "]I1": 14})
KNOWN: Final = (*sorted(AI_SYMBOLS | _TEXT_SYMBOLS), *GTIN_SYMBOLS)

DEFAULT_SYMBOLOGY = "]Q3"
"""GS1 QR Code: how a code is printed as scan data when no symbol was scanned."""

_COMPOSITE = "|]e0"


def parse(text: str) -> Code:
    """Raises `Invalid`. A symbol with plain text gives a code without elements."""
    symbology, data = text[:3], text[3:]
    if symbology in AI_SYMBOLS:
        elements = _split_data(data, 3)
        check_contents(elements)
        return Code(Kind.SCAN_DATA, elements, symbology=symbology)
    if symbology in _TEXT_SYMBOLS:
        return _parse_text(symbology, data)
    if symbology in GTIN_SYMBOLS:
        return _parse_gtin(symbology, data)
    raise Invalid(
        problem(
            None,
            "scan.symbology",
            1,
            say(
                "Scan data begins with a symbology identifier; %(given)s is none of GS1 data. Known are %(known)s.",
                given=symbology or "–",
                known=" ".join(KNOWN),
            ),
        )
    )


def _split_data(data: str, at: int) -> tuple[Element, ...]:
    """The elements of a symbol in FNC1 mode; the first FNC1 is what the identifier says."""
    if FNC1 in data:
        raise Invalid(
            problem(
                None,
                "scan.caret",
                at + data.index(FNC1) + 1,
                say("A scanner sends FNC1 as GS (U+001D), not as ^. Write GS, or leave out the symbology identifier."),
            )
        )
    if data.startswith(GS):
        raise Invalid(
            problem(
                None,
                "scan.leading-fnc1",
                at + 1,
                say("The first FNC1 is not sent. Take it away, the identifier says it."),
            )
        )
    return split(FNC1 + data.replace(GS, FNC1), 1)


def _parse_text(symbology: str, data: str) -> Code:
    if not digital_link.is_link(data):
        return Code(Kind.SCAN_DATA, (), symbology=symbology, text=data)
    code = digital_link.parse(data)
    return Code(Kind.SCAN_DATA, code.elements, stem=code.stem, extra=code.extra, symbology=symbology)


def _parse_gtin(symbology: str, data: str) -> Code:
    digits, composite, rest = data.partition(_COMPOSITE)
    size = GTIN_SYMBOLS[symbology]
    if len(digits) != size:
        raise Invalid(
            problem(
                "01",
                "scan.digits",
                min(len(digits), size) + 1,
                say(
                    "A symbol %(symbol)s has %(size)d digits; this has %(count)d.",
                    symbol=symbology,
                    size=size,
                    count=len(digits),
                ),
            )
        )
    elements: tuple[Element, ...] = (("01", digits.zfill(14)),)
    if composite:
        elements += _split_data(rest, 3 + len(digits) + len(composite))
    check_contents(elements)
    return Code(Kind.SCAN_DATA, elements, symbology=symbology)


# --- printing ---------------------------------------------------------------------------------------------------------


def print_scan_data(code: Code, symbology: str | None = None) -> str | None:
    """What a scanner would send for a symbol of this kind, or None when such a symbol cannot hold the code. Without
    `symbology` it is the one that was scanned, else GS1 QR Code."""
    symbology = symbology or code.symbology or DEFAULT_SYMBOLOGY
    if symbology in _TEXT_SYMBOLS:
        text = code.text
        if text is None:
            text = digital_link.print_link(code.elements, code.stem or digital_link.GS1_ROOT)
        return None if text is None else symbology + text
    if not code.elements:
        return None
    if symbology in AI_SYMBOLS:
        return symbology + print_element_string(code.elements, GS)[1:]
    return _print_gtin(symbology, code.elements)


def _print_gtin(symbology: str, elements: Sequence[Element]) -> str | None:
    size = GTIN_SYMBOLS.get(symbology)
    (ai, value), *rest = elements
    if size is None or ai != "01" or value[: 14 - size].strip("0"):
        return None
    printed = symbology + value[14 - size :]
    if rest:
        printed += _COMPOSITE + print_element_string(rest, GS)[1:]
    return printed


# --- from the data of a symbol ----------------------------------------------------------------------------------------

_MATRIX = MappingProxyType({"QR": ("]Q1", "]Q3"), "DM": ("]d1", "]d2"), "DotCode": ("]J0", "]J1")})
_LINEAR = MappingProxyType({"GS1_128_CCA": "]C1", "GS1_128_CCC": "]C1", "DataBarExpanded": "]e0"})
_RETAIL = MappingProxyType({"EAN13": ("]E0", 13), "UPCA": ("]E00", 12), "UPCE": ("]E00", 12), "EAN8": ("]E4", 8)})
_DATABAR = ("DataBarOmni", "DataBarTruncated", "DataBarStacked", "DataBarStackedOmni", "DataBarLimited")


def transmitted(symbol: str, message: str) -> str | None:
    r"""What a scanner sends when a symbol of the named kind holds `message`; None when it cannot hold it.

    The message is plain text, or an element string that begins with ^; behind | follows the composite part, an element
    string too. Plain text that begins with ^ is written \^, with one more backslash for each one before it.
    """
    if symbol in _MATRIX:
        return _matrix(*_MATRIX[symbol], message)
    linear, composed, composite = message.partition("|")
    packet = _sent(composite) if composed else ""
    if packet is None:
        return None
    if symbol in _LINEAR:
        return _linear(_LINEAR[symbol], linear, packet)
    digits = linear.removeprefix(f"{FNC1}01") if len(linear) == 17 else linear
    if symbol in _DATABAR:
        fits = _is_number(digits, 14) and (symbol != "DataBarLimited" or digits < "2")
        return f"]e001{digits}{packet}" if fits else None
    if symbol in _RETAIL:
        identifier, size = _RETAIL[symbol]
        if len(digits) > size and not digits[:-size].strip("0"):
            digits = digits[-size:]
        return identifier + digits + (packet and _COMPOSITE + packet) if _is_number(digits, size) else None
    return None


def _is_number(digits: str, size: int) -> bool:
    return len(digits) == size and csum(digits) is None


def _sent(message: str) -> str | None:
    """An element string as it is sent, without its first FNC1; None when it is none."""
    if not message.startswith(FNC1):
        return None
    try:
        check_contents(split(message, 1))
    except Invalid:
        return None
    return message[1:].replace(FNC1, GS)


def _matrix(plain: str, with_fnc1: str, message: str) -> str | None:
    if message.startswith(FNC1):
        sent = _sent(message)
        return sent and with_fnc1 + sent
    escaped = message.startswith("\\") and message.lstrip("\\").startswith(FNC1)
    return plain + message[escaped:]


def _linear(identifier: str, message: str, packet: str) -> str | None:
    sent = _sent(message)
    if sent is None or not packet:
        return sent and identifier + sent
    last = split(message, 1)[-1][0]
    separator = "" if TABLE[last].fixed or sent.endswith(GS) else GS
    return f"]e0{sent}{separator}{packet}"
