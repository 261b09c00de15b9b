"""Accreditation numbers in the form in which they are compared.

`CMA 2113 0011-1111`, `cma:211300111111` and `211300111111` name the same laboratory; a report often writes several
numbers in one line. The scheme is left out, because reports leave it out as well.
"""

from __future__ import annotations

import re
import unicodedata

# Schemes that mark the start of a number, also with only a space before them. «L» of CNAS belongs to the number.
_SCHEMES = r"(?:CMA|CNAS|CAL|CATL|ILAC(?:[- ]?MRA)?|DAKKS|UKAS|A2LA|NABL|JAS-ANZ|COFRAC|SWEDAC|NA)"
# The standards that every laboratory names: their numbers are nobody's own.
_STANDARDS = re.compile(r"(?:ISO\s*/?\s*)?(?:IEC\s*)?\b170\d\d(?::\d{4})?\b|GB\s*/\s*T\s*27\d{3}(?:-\d{4})?")
_SEPARATORS = re.compile(r"[/;,、;|+\n\r\t]+|\band\b|和|及", re.IGNORECASE)
_SCHEME_STARTS = re.compile(rf"(?<![A-Z0-9])(?={_SCHEMES}(?![A-Z]))")
_SCHEME = re.compile(rf"^{_SCHEMES}(?![A-Z])")
_LABEL = re.compile(r"^(?:TEST|CALIBRATION|NO|NR|NUMBER|编号|证书|证书号|证书编号|号)(?![A-Z])")
_IGNORED = re.compile(r"[^0-9A-Z]")

SHORTEST = 4
LONGEST = 60


def numbers_in(text: str) -> frozenset[str]:
    """Every number in a line such as `CMA 260000DEMO01 / CNAS L00000-DEMO`, compared form: capital letters and digits.
    What has fewer than four of them, or no digit, is no number."""
    plain = _STANDARDS.sub(" ; ", unicodedata.normalize("NFKC", text).upper())
    found = set()
    for part in _SEPARATORS.split(plain):
        for piece in _SCHEME_STARTS.split(part):
            number = _IGNORED.sub("", _without_labels(piece))
            if SHORTEST <= len(number) <= LONGEST and any(character.isdigit() for character in number):
                found.add(number)
    return frozenset(found)


def _without_labels(piece: str) -> str:
    """The piece without the scheme and words such as «No.» before the number itself."""
    rest, before = piece.strip(" .:#()"), None
    while rest != before:
        before = rest
        rest = _LABEL.sub("", _SCHEME.sub("", rest)).strip(" .:#()-")
    return rest
