"""Element strings: unbracketed with FNC1 as ^ or GS, and bracketed as people read them.

`^01095012345678901012AB^21X` and `(01)09501234567890(10)12AB(21)X` say the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from ..errors import Invalid, say
from .ais import TABLE, leading
from .content import check_contents, problem, unknown
from .model import Code, Element, Kind

FNC1 = "^"
GS = "\x1d"


def parse(text: str) -> Code:
    """An unbracketed element string. It begins with FNC1, and FNC1 ends each value whose length its AI does not fix.

    Raises `Invalid`.
    """
    data = text.replace(GS, FNC1)
    if not data.startswith(FNC1):
        raise Invalid(
            problem(
                None,
                "element-string.no-fnc1",
                1,
                say("An element string begins with FNC1, written ^. Put it in front."),
            )
        )
    elements = split(data, 1)
    check_contents(elements)
    return Code(Kind.ELEMENT_STRING, elements)


def split(data: str, at: int) -> tuple[Element, ...]:
    """The elements from place `at` on; their contents are not looked at. Raises `Invalid`."""
    elements = []
    size = len(data)
    while at < size:
        entry = leading(data, at)
        if entry is None:
            raise Invalid(unknown(data[at : at + 4] or "–", at + 1))
        at += len(entry.ai)
        end = data.find(FNC1, at)
        if end < 0:
            end = size
        if entry.fixed and end > at + entry.most:
            end = at + entry.most
        elements.append((entry.ai, data[at:end]))
        # FNC1 behind a value of fixed length is not needed and does no harm.
        at = end + 1 if data.startswith(FNC1, end) else end
    if not elements:
        raise Invalid(problem(None, "code.empty", at + 1, say("There is no Application Identifier in this code.")))
    return tuple(elements)


def print_element_string(elements: Iterable[Element], fnc1: str = FNC1) -> str:
    """FNC1 in front and behind each value that needs it, but not at the very end."""
    printed: list[str] = []
    separator = fnc1
    for ai, value in elements:
        printed += (separator, ai, value)
        separator = "" if TABLE[ai].fixed else fnc1
    return "".join(printed)


# --- bracketed --------------------------------------------------------------------------------------------------------

# An opening bracket inside a value is written \(.
_BRACKETED = re.compile(r"\(([0-9]{2,4})\)((?:[^(\\]|\\\(|\\)*)")


def parse_bracketed(text: str) -> Code:
    """An element string with its AIs in brackets. Raises `Invalid`."""
    elements = split_bracketed(text)
    check_contents(elements)
    return Code(Kind.BRACKETED, elements)


def split_bracketed(text: str) -> tuple[Element, ...]:
    elements = []
    at, size = 0, len(text)
    while at < size:
        found = _BRACKETED.match(text, at)
        if found is None:
            raise Invalid(
                problem(
                    None,
                    "bracketed.no-ai",
                    at + 1,
                    say(
                        "At character %(position)d an AI of two to four digits in brackets must stand, such as (01). "
                        "A bracket inside a value is written \\(."
                    ),
                )
            )
        ai, value = found.groups()
        if ai not in TABLE:
            raise Invalid(unknown(ai, at + 2))
        elements.append((ai, value.replace("\\(", "(") if "\\" in value else value))
        at = found.end()
    if not elements:
        raise Invalid(problem(None, "code.empty", 1, say("There is no Application Identifier in this code.")))
    return tuple(elements)


def print_bracketed(elements: Iterable[Element]) -> str:
    printed: list[str] = []
    for ai, value in elements:
        printed += ("(", ai, ")", value.replace("(", "\\(") if "(" in value else value)
    return "".join(printed)
