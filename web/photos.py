"""Codes on an uploaded photo."""

from __future__ import annotations

from ..trace.errors import Invalid, Problem, invalid, say
from ..trace.files.inspect import read_symbols
from .files import uploaded

FIELD = "photo"


def photographed() -> tuple[str, ...]:
    """What the codes on the photo of this form say; at least one. Raises `Invalid` (field `photo`)."""
    try:
        with uploaded(FIELD) as (path, _name):
            symbols = read_symbols(path)
    except Invalid as error:
        raise Invalid(*(Problem(FIELD, one.rule, one.message) for one in error.problems)) from None
    if not symbols:
        raise invalid(
            FIELD,
            "photo.no-code",
            say(
                "No code was found on the photo. Take it again: near, straight, in good light, "
                "with a white margin around the code."
            ),
        )
    return symbols
