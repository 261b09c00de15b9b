"""The character sets of GS1 data (General Specifications 7.11) and plain digits."""

from __future__ import annotations

import re

from ..errors import say
from .fault import Fault, fault, shown

is_cset82 = re.compile(r"[!\"%-?A-Z_a-z]*").fullmatch
is_cset39 = re.compile(r"[#\-/0-9A-Z]*").fullmatch

_NOT_DIGIT = re.compile(r"[^0-9]")
_NOT_CSET82 = re.compile(r"[^!\"%-?A-Z_a-z]")
_NOT_CSET39 = re.compile(r"[^#\-/0-9A-Z]")
_NOT_CSET64 = re.compile(r"[^\-0-9A-Z_a-z]")
_PADDING = re.compile(r"=+\Z")


def csetnumeric(data: str) -> Fault | None:
    """Digits 0–9 and nothing else. `str.isdigit` alone would take digits of other scripts."""
    if data.isdigit() and data.isascii():
        return None
    found = _NOT_DIGIT.search(data)
    if found is None:
        return None
    return fault(
        "non-digit-character",
        found.start() + 1,
        say(
            "Character %(position)d (%(character)s) is not a digit. Only 0–9 may stand here.",
            character=shown(found.group()),
        ),
    )


def cset82(data: str) -> Fault | None:
    if is_cset82(data):
        return None
    found = _NOT_CSET82.search(data)
    assert found is not None
    return fault(
        "invalid-cset82-character",
        found.start() + 1,
        say(
            "Character %(position)d (%(character)s) cannot stand in a GS1 code. "
            "Use letters A–Z, digits and ! \" %% & ' ( ) * + , - . / : ; < = > ? _ without spaces.",
            character=shown(found.group()),
        ),
    )


def cset39(data: str) -> Fault | None:
    if is_cset39(data):
        return None
    found = _NOT_CSET39.search(data)
    assert found is not None
    return fault(
        "invalid-cset39-character",
        found.start() + 1,
        say(
            "Character %(position)d (%(character)s) cannot stand here. Use capital letters A–Z, digits and # - /.",
            character=shown(found.group()),
        ),
    )


def cset64(data: str) -> Fault | None:
    """Base64 for file names, with its padding or without. Padding fills up to a multiple of three characters, as the
    dictionary has it."""
    padding = _PADDING.search(data)
    if padding and (len(padding.group()) > 2 or len(data) % 3):
        return fault(
            "invalid-cset64-padding",
            padding.start() + 1,
            say("The = signs at the end do not fill up the text. Leave them out."),
        )
    if found := _NOT_CSET64.search(data, 0, padding.start() if padding else len(data)):
        return fault(
            "invalid-cset64-character",
            found.start() + 1,
            say(
                "Character %(position)d (%(character)s) cannot stand here. Use letters, digits, - and _.",
                character=shown(found.group()),
            ),
        )
    return None


def hasnondigit(data: str) -> Fault | None:
    if _NOT_DIGIT.search(data):
        return None
    return fault("requires-non-digit-character", 1, say("This must have at least one character that is not a digit."))


def importeridx(data: str) -> Fault | None:
    """One character that tells importers apart, AI 7040."""
    if len(data) != 1:
        return fault(
            "importer-idx-must-be-one-character",
            1,
            say("The importer index is one character; this has %(count)d.", count=len(data)),
        )
    if not _NOT_CSET64.search(data):
        return None
    return fault(
        "invalid-import-idx-character",
        1,
        say("The importer index is one letter, digit, - or _; this is %(given)s.", given=data),
    )


_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


def pcenc(data: str) -> Fault | None:
    """Each % begins an escape %XX."""
    found = _BAD_ESCAPE.search(data)
    if found is None:
        return None
    return fault(
        "invalid-percent-sequence",
        found.start() + 1,
        say(
            "After %% at character %(position)d two of 0–9, A–F must follow. A percent sign itself is written %%25.",
        ),
    )
