"""A code as a camera hands it over: some readers drop the symbology identifier, and some the leading FNC1 as well."""

from __future__ import annotations

from ..errors import Invalid
from .element_string import FNC1, GS
from .model import Code, Kind
from .reading import attempt, read


def read_code(text: str) -> Code:
    """The code of a scanned, pasted or typed text. Raises `Invalid` as `read` does, with its mend.

    Digits that are no GTIN are tried as an element string whose first FNC1 was dropped: a code of the lengths 8, 12, 13
    and 14 with a right check digit is always taken for a GTIN.
    """
    text = text.strip("\r\n\t ")
    if text[:1] in "0123456789" and text[:1]:
        for kind, tried in ((Kind.GTIN, text), (Kind.ELEMENT_STRING, FNC1 + text.replace(GS, FNC1))):
            code, _problems = attempt(tried, kind, associations=True)
            if code is not None:
                return code
    return read(text)


def is_code(text: str) -> bool:
    """Whether the text can be read so."""
    try:
        read_code(text)
    except Invalid:
        return False
    return True
