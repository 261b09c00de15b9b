"""A GTIN as people type it."""

from __future__ import annotations

import re

from ..errors import Invalid, Problem
from .content import problem
from .gtin import read_gtin
from .model import Code, Kind

_TYPED = re.compile(r"[0-9０-９OoIl \-]{8,24}")
_NOT_TYPED = re.compile(r"[^0-9０-９ \-]")


def looks_typed(text: str) -> bool:
    """Whether a text is about as long as a GTIN and made of digits and what is taken for digits."""
    return _TYPED.fullmatch(text) is not None


def parse(text: str) -> Code:
    """Raises `Invalid`."""
    try:
        gtin = read_gtin(text)
    except Invalid as refusal:
        raise Invalid(*(_placed(one, text) for one in refusal.problems)) from None
    return Code(Kind.GTIN, (("01", gtin),))


def _placed(found: Problem, text: str) -> Problem:
    """The same problem under the GTIN's AI, with its place in the text."""
    position = 1
    if found.rule == "gtin.digits":
        other = _NOT_TYPED.search(text)
        position = other.start() + 1 if other else 1
    elif found.rule == "gtin.check-digit":
        position = len(text.rstrip())
    return problem("01", found.rule, position, found.message)
