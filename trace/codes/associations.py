"""Which Application Identifiers must and must not stand together in one code (General Specifications 4.13, 4.14)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..errors import Invalid, Problem, say
from .ais import TABLE, Entry
from .content import problem
from .model import Element

_UNSERIALISED = {"253": 13, "255": 13, "8003": 14}
"""Keys whose serial part may be missing, with their length without it."""


def check_associations(elements: Iterable[Element]) -> None:
    """Raises `Invalid` with one problem per AI that is repeated with another value, stands beside an AI that excludes
    it, lacks an AI it needs, or is signed without a serial."""
    problems: list[Problem] = []
    values: dict[str, str] = {}
    present: set[str] = set()
    for ai, value in elements:
        if values.setdefault(ai, value) != value:
            problems.append(_repeated(ai))
        present |= TABLE[ai].answers_to
    for ai in values:
        entry = TABLE[ai]
        if not entry.never.isdisjoint(present):
            problems += _excluded(entry, values)
        if entry.needs and entry.needs_one.isdisjoint(present) and not any(map(present.issuperset, entry.needs)):
            problems.append(_lonely(entry))
    if "8030" in values:
        problems += _without_serial(values)
    if problems:
        raise Invalid(*problems)


def _repeated(ai: str) -> Problem:
    return problem(
        ai,
        "association.repeats",
        1,
        say("(%(ai)s) occurs twice with different values. Keep the right one.", ai=ai),
    )


def _excluded(entry: Entry, ais: Iterable[str]) -> list[Problem]:
    """An AI does not exclude itself, even if it matches the pattern."""
    return [
        problem(
            entry.ai,
            "association.mutex",
            1,
            say("(%(ai)s) and (%(other)s) must not stand in the same code. Take one out.", ai=entry.ai, other=other),
        )
        for other in ais
        if other != entry.ai and not entry.never.isdisjoint(TABLE[other].answers_to)
    ]


def _lonely(entry: Entry) -> Problem:
    return problem(
        entry.ai,
        "association.requisites",
        1,
        say(
            "(%(ai)s) %(title)s cannot stand alone: it needs %(needs)s in the same code.",
            ai=entry.ai,
            title=entry.title,
            needs=" / ".join("".join(f"({ai})" for ai in group) for group in entry.needs),
        ),
    )


def _without_serial(values: Mapping[str, str]) -> list[Problem]:
    """A digital signature is of one thing, so its key must have a serial."""
    return [
        problem(
            ai,
            "association.digsig-serialised-key",
            size + 1,
            say("With a signature (8030) the key (%(ai)s) must have its serial part.", ai=ai),
        )
        for ai, size in _UNSERIALISED.items()
        if len(values.get(ai, "")) == size
    ]
