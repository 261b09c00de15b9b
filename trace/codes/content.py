"""Whether a value fits the form and the content rules of its Application Identifier."""

from __future__ import annotations

from collections.abc import Collection

from ..errors import Invalid, Message, Problem, say
from .ais import TABLE, Entry
from .model import Element


def problem(ai: str | None, rule: str, position: int, message: Message) -> Problem:
    """A problem whose message has the value `position`: in the AI's value when `ai` is given, else in the input; both
    from 1."""
    return Problem(ai, rule, Message(message.text, {**message.values, "position": position}))


def problem_with(entry: Entry, value: str) -> Problem | None:
    """The first thing that is wrong with a value."""
    size = len(value)
    if not entry.least <= size <= entry.most:
        return _wrong_size(entry, size)
    at = 0
    for part in entry.parts:
        if at == size and part.optional:
            break
        piece = value[at : at + part.most]
        if len(piece) < part.least:
            return _wrong_size(entry, size)
        for name, rule in part.rules:
            if found := rule(piece):
                found = found.behind(at)
                return Problem(entry.ai, f"{name}.{found.reason}", found.message)
        at += part.most
    return None


def _wrong_size(entry: Entry, size: int) -> Problem:
    if size == 0:
        return problem(
            entry.ai,
            "ai.empty",
            1,
            say("Nothing stands behind (%(ai)s). Add its value, or take the AI out.", ai=entry.ai),
        )
    if size > entry.most:
        return problem(
            entry.ai,
            "ai.too-long",
            entry.most + 1,
            say(
                "(%(ai)s) %(title)s takes at most %(most)d characters; this has %(count)d.",
                ai=entry.ai,
                title=entry.title,
                most=entry.most,
                count=size,
            ),
        )
    if entry.least == entry.most or size < entry.least:
        return problem(
            entry.ai,
            "ai.too-short",
            size + 1,
            say(
                "(%(ai)s) %(title)s takes at least %(least)d characters; this has %(count)d.",
                ai=entry.ai,
                title=entry.title,
                least=entry.least,
                count=size,
            ),
        )
    return problem(
        entry.ai,
        "ai.too-short",
        size + 1,
        say(
            "The last part of (%(ai)s) %(title)s is cut off. Compare it with the original.",
            ai=entry.ai,
            title=entry.title,
        ),
    )


def unknown(ai: str, position: int) -> Problem:
    return problem(
        None,
        "ai.unknown",
        position,
        say(
            "At character %(position)d: there is no Application Identifier %(ai)s. "
            "Compare the digits; perhaps FNC1 is missing.",
            ai=ai,
        ),
    )


MOST_ELEMENTS = 64
"""No carrier holds more; GS1's engine has the same bound."""


def check_contents(elements: Collection[Element]) -> None:
    """Raises `Invalid` with one problem for each value that is wrong, or one for too many elements. Every AI must be in
    the table."""
    if len(elements) > MOST_ELEMENTS:
        raise Invalid(
            problem(
                None,
                "code.too-many-elements",
                1,
                say(
                    "This code has %(count)d Application Identifiers; the most is %(most)d.",
                    count=len(elements),
                    most=MOST_ELEMENTS,
                ),
            )
        )
    problems = [
        found
        for ai, value in elements
        if not is_right(TABLE[ai], value) and (found := problem_with(TABLE[ai], value)) is not None
    ]
    if problems:
        raise Invalid(*problems)


def is_right(entry: Entry, value: str) -> bool:
    """The same as `problem_with(entry, value) is None`, without the search for what exactly is wrong."""
    if not entry.has_form(value):
        return False
    for rule, start, end in entry.rules:
        piece = value[start:end]
        if piece and rule(piece):
            return False
    return True
