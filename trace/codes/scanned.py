"""A code as a camera hands it over: some readers drop the symbology identifier, and some the leading FNC1 as well."""

from __future__ import annotations

from .element_string import FNC1, GS
from .model import Code, Kind
from .reading import attempt, read

_SHORTEST = 16
"""Characters of an element string with a GTIN."""


def read_code(text: str) -> Code:
    """The code of a scanned, pasted or typed text. Raises `Invalid` as `read` does, with its mend.

    What begins with digits and is longer than any GTIN is tried as an element string whose first FNC1 was dropped; a
    shorter one could be a GTIN with a slip, and its mend is worth more.
    """
    text = text.strip("\r\n\t ")
    if len(text) == 15 and text.startswith("]E0") and text[3:].isdigit():
        text = f"]E00{text[3:]}"  # a UPC-A, which some readers send without the zero that ]E0 asks for
    if len(text) >= _SHORTEST and text[0] in "0123456789":
        code, _problems = attempt(FNC1 + text.replace(GS, FNC1), Kind.ELEMENT_STRING, associations=True)
        if code is not None:
            return code
    return read(text)
