"""Read a code in whatever form it comes: the one door to all parsers."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import Final

from ..errors import Invalid, Message, Problem, say
from . import digital_link, element_string, epc, mends, scan, typed
from .associations import check_associations
from .content import problem
from .model import MOST_CHARACTERS, Code, Kind

PARSERS: Final = MappingProxyType[Kind, Callable[[str], Code]](
    {
        Kind.DIGITAL_LINK: digital_link.parse,
        Kind.BRACKETED: element_string.parse_bracketed,
        Kind.ELEMENT_STRING: element_string.parse,
        Kind.SCAN_DATA: scan.parse,
        Kind.GTIN: typed.parse,
        Kind.EPC_URN: epc.parse,
    }
)

_BY_FIRST_CHARACTER = MappingProxyType(
    {
        "]": Kind.SCAN_DATA,
        "(": Kind.BRACKETED,
        element_string.FNC1: Kind.ELEMENT_STRING,
        element_string.GS: Kind.ELEMENT_STRING,
    }
)


# Eight thousand characters have room for more problems than anybody reads.
_MOST_PROBLEMS = 20


def kind_of(text: str) -> Kind | None:
    """What a text looks like; whether it is right, its parser says."""
    if found := _BY_FIRST_CHARACTER.get(text[:1]):
        return found
    start = text[:8].lower()
    if start.startswith(("https://", "http://")):
        return Kind.DIGITAL_LINK
    if start == "urn:epc:":
        return Kind.EPC_URN
    return Kind.GTIN if typed.looks_typed(text) else None


def read(text: str, kind: Kind | None = None, *, associations: bool = True) -> Code:
    """The code that a text says.

    Without `kind` the text tells its form; without `associations` it is not checked which AIs stand together.
    Raises `Invalid`: each problem's field is the AI or None, its message has the value `position` (see
    `content.problem`), and the first one the value `mend` when there is a proposal.
    """
    code, problems = attempt(text, kind, associations=associations)
    if code is not None:
        return code
    mend = mends.propose(text, kind or kind_of(text), problems, lambda other: _is_right(other, kind, associations))
    raise Invalid(*(with_mend(problems, mend) if mend else problems))


def attempt(text: str, kind: Kind | None, *, associations: bool) -> tuple[Code | None, tuple[Problem, ...]]:
    """A code, or what is wrong, without a search for mends."""
    if len(text) > MOST_CHARACTERS:
        return None, (_too_long(len(text)),)
    kind = kind or kind_of(text)
    if kind is None:
        return None, (_NO_KIND,)
    try:
        code = PARSERS[kind](text)
        if associations and code.elements:
            check_associations(code.elements)
    except Invalid as refusal:
        return None, refusal.problems[:_MOST_PROBLEMS]
    return code, ()


def _is_right(text: str, kind: Kind | None, associations: bool) -> bool:
    return attempt(text, kind, associations=associations)[0] is not None


def with_mend(problems: tuple[Problem, ...], mend: str) -> tuple[Problem, ...]:
    first, *others = problems
    message = say("%(problem)s Perhaps this is meant: %(mend)s", problem=first.message, mend=mend)
    values = {"position": first.message.values.get("position", 1), **message.values}
    return (Problem(first.field, first.rule, Message(message.text, values)), *others)


def _too_long(count: int) -> Problem:
    return problem(
        None,
        "code.too-long",
        MOST_CHARACTERS + 1,
        say("This has %(count)d characters; no code has more than %(most)d.", count=count, most=MOST_CHARACTERS),
    )


_NO_KIND = problem(
    None,
    "code.kind",
    1,
    say(
        "This is no form of a GS1 code. Begin with https://, an AI in brackets such as (01), ^ for FNC1, "
        "a symbology identifier such as ]Q3, urn:epc:, or give the digits of a GTIN."
    ),
)
