"""What every parser gives: the identifiers of one code, in the order in which they came."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

MOST_CHARACTERS = 8192
"""Longer input is refused before anybody looks at it."""


class Kind(StrEnum):
    """How a code can be written."""

    DIGITAL_LINK = "digital-link"
    BRACKETED = "bracketed"
    ELEMENT_STRING = "element-string"
    SCAN_DATA = "scan-data"
    GTIN = "gtin"
    EPC_URN = "epc-urn"

    # The hash of a member is that of its text; the one that enumerations have is slow, and kinds choose parsers.
    __hash__ = str.__hash__


Element = tuple[str, str]
"""An Application Identifier and its value, without escapes."""


class Code(NamedTuple):
    """A code that was understood; its contents fit the rules.

    `stem` and `extra` belong to a Digital Link: everything before its first AI without a slash at the end, and the
    parameters of its query that are no AIs, as they were written (`None`: no equals sign). `symbology` belongs to scan
    data, and `text` holds what a symbol says that has no identifiers. `prefix_size` is the length of the company
    prefix, which only an EPC URN tells.
    """

    kind: Kind
    elements: tuple[Element, ...]
    stem: str | None = None
    extra: tuple[tuple[str, str | None], ...] = ()
    symbology: str | None = None
    text: str | None = None
    prefix_size: int | None = None

    def value(self, ai: str) -> str | None:
        """The first value of an AI."""
        return next((value for name, value in self.elements if name == ai), None)
