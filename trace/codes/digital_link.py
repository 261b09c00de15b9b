"""GS1 Digital Link URIs (GS1 Digital Link Standard: URI Syntax), uncompressed.

`https://any.host/any/stem/01/09501234567890/10/12AB?17=270131` says what `(01)09501234567890(10)12AB(17)270131` says.
Compressed links are not read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import quote

from ..errors import Invalid, Message, Problem, say
from .ais import TABLE, Entry
from .content import check_contents, problem, unknown
from .model import Code, Element, Kind

GS1_ROOT = "https://id.gs1.org"

_SCHEMES = ("https://", "http://", "HTTPS://", "HTTP://")
_NOT_URI = re.compile(r"[^A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]")
_HOST_FORM = r"(?:\[[0-9A-Fa-f:.]+\]|[.-]*[A-Za-z0-9][A-Za-z0-9.-]*)(?::[0-9]*)?"
_HOST = re.compile(_HOST_FORM)
_ORIGIN = re.compile(rf"[a-zA-Z]+://{_HOST_FORM}(?:[/?#]|\Z)")
_LINK = re.compile(
    rf"((?:https?|HTTPS?)://{_HOST_FORM})"
    r"(/[A-Za-z0-9\-._~:/\[\]@!$&'()*+,;=%]*)"
    r"(?:\?([A-Za-z0-9\-._~:/?\[\]@!$&'()*+,;=%]*))?"
    r"(?:#[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]*)?"
)
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_AI_SIZES = (2, 3, 4)

Extra = tuple[tuple[str, str | None], ...]


def is_link(text: str) -> bool:
    """Whether a text is a web address in a spelling that readers take for one. `HtTps://` is not."""
    return text.startswith(_SCHEMES)


def parse(text: str) -> Code:
    """Raises `Invalid`."""
    stem, path, query, extra = split(text)
    elements = (*path, *query)
    check_contents(elements)
    check_places(path, query)
    return Code(Kind.DIGITAL_LINK, elements, stem=stem, extra=extra)


def _refused(rule: str, at: int, message: Message) -> Invalid:
    return Invalid(problem(None, rule, at + 1, message))


def split(text: str) -> tuple[str, list[Element], list[Element], Extra]:
    """Stem, elements of the path and of the query, and the other parameters of the query. Contents and places are not
    looked at. Raises `Invalid`."""
    found = _LINK.fullmatch(text)
    if found is None:
        raise _not_a_link(text)
    origin, address, query = found.groups()
    if "%" in text and (escape := _BAD_ESCAPE.search(text, 0, found.end(3) if query else found.end(2))):
        raise _refused(
            "link.escape",
            escape.start(),
            say(
                "After %% at character %(position)d two of 0–9, A–F must follow. A percent sign itself is written %%25."
            ),
        )
    segments = address.split("/")
    first = _key_place(segments, len(origin))
    path = [
        (segments[i], _decoded(value) if "%" in (value := segments[i + 1]) else value)
        for i in range(first, len(segments), 2)
    ]
    stem = origin if first == 1 else "/".join([origin, *segments[1:first]])
    if not query:
        return stem, path, [], ()
    return stem, path, *_split_query(query, found.start(3))


def _not_a_link(text: str) -> Invalid:
    if found := _NOT_URI.search(text):
        return _refused(
            "link.characters",
            found.start(),
            say("Character %(position)d cannot stand in a web address. Write it as %%XX, or take out the space."),
        )
    if not is_link(text):
        return _refused(
            "link.scheme",
            0,
            say("A Digital Link begins with https:// or http://, all in small or all in capital letters."),
        )
    host_at = text.index("//") + 2
    if _HOST.match(text, host_at) is None or _ORIGIN.match(text) is None:
        return _refused(
            "link.host",
            host_at,
            say("Behind the scheme a host must stand, such as id.gs1.org: letters, digits, dots and hyphens."),
        )
    return _no_key(len(text))


def _no_key(at: int) -> Invalid:
    return _refused(
        "link.no-key",
        at,
        say(
            "There is no GS1 key with its value at the end of the path, such as /01/ and a GTIN of 14 digits. "
            "Compressed Digital Links are not read."
        ),
    )


def _key_place(segments: Sequence[str], at: int) -> int:
    """Where the last primary key stands, walking back over pairs of AI and value. What lies before is the stem."""
    for place in range(len(segments) - 2, 0, -2):
        entry = TABLE.get(segments[place])
        if entry is None:
            break
        if entry.is_key:
            return place
    else:
        place = 0
    if segments[-1] == "" and len(segments) > 2:
        raise _refused(
            "link.slash",
            at + sum(map(len, segments)) + len(segments) - 2,
            say("A Digital Link ends with a value, not with a slash. Take the last slash away."),
        )
    if place and segments[place].isdecimal() and len(segments[place]) in _AI_SIZES:
        raise Invalid(unknown(segments[place], at + sum(map(len, segments[:place])) + place + 1))
    raise _no_key(at)


def _decoded(text: str) -> str:
    return _ESCAPE.sub(lambda escape: chr(int(escape[1], 16)), text)


def _split_query(query: str, at: int) -> tuple[list[Element], Extra]:
    """Parameters named by digits are AIs; others are none of our business and are kept as they are."""
    elements: list[Element] = []
    extra: list[tuple[str, str | None]] = []
    for parameter in query.split("&"):
        name, equals, value = parameter.partition("=")
        if equals and name.isdigit():
            if name not in TABLE:
                raise Invalid(unknown(name, at + 1))
            if "+" in value:
                raise _refused(
                    "link.plus",
                    at + len(name) + 1 + value.index("+"),
                    say("In the query of a web address + means a space. Write a plus sign as %%2B."),
                )
            elements.append((name, _decoded(value) if "%" in value else value))
        elif parameter:
            extra.append((name, value if equals else None))
        at += len(parameter) + 1
    return elements, tuple(extra)


# --- places -----------------------------------------------------------------------------------------------------------


def check_places(path: Sequence[Element], query: Sequence[Element]) -> None:
    """Whether each AI stands where a Digital Link has it. Raises `Invalid`."""
    entry = TABLE[path[0][0]]
    qualifiers = tuple([ai for ai, _ in path[1:]])
    problems = []
    if qualifiers and qualifiers not in entry.paths:
        problems.append(_wrong_path(entry, qualifiers))
    if query:
        held = frozenset(qualifiers)
        seen = {ai for ai, _ in path}
        for ai, _ in query:
            if ai in seen:
                problems.append(
                    problem(ai, "link.repeated", 1, say("(%(ai)s) occurs twice in this address. Keep one.", ai=ai))
                )
            elif not TABLE[ai].query or held | {ai} in entry.path_sets:
                problems.append(_wrong_attribute(entry, ai, held))
            seen.add(ai)
    if problems:
        raise Invalid(*problems)


def _wrong_path(entry: Entry, qualifiers: Sequence[str]) -> Problem:
    given = "".join(f"/{ai}" for ai in qualifiers)
    if frozenset(qualifiers) in entry.path_sets and len(set(qualifiers)) == len(qualifiers):
        right = next(path for path in entry.paths if set(path) == set(qualifiers))
        return problem(
            entry.ai,
            "link.path-order",
            1,
            say(
                "Behind /%(ai)s/ the order %(given)s is wrong; the right one is %(right)s.",
                ai=entry.ai,
                given=given,
                right="".join(f"/{ai}" for ai in right),
            ),
        )
    allowed = " · ".join("".join(f"/{ai}" for ai in row) for row in entry.qualifiers if row) or "–"
    return problem(
        entry.ai,
        "link.path",
        1,
        say(
            "Behind /%(ai)s/ the path %(given)s is not allowed. Allowed are, in this order: %(allowed)s.",
            ai=entry.ai,
            given=given,
            allowed=allowed,
        ),
    )


def _wrong_attribute(entry: Entry, ai: str, held: frozenset[str]) -> Problem:
    if held | {ai} in entry.path_sets:
        return problem(
            ai,
            "link.belongs-in-path",
            1,
            say("(%(ai)s) belongs in the path behind /%(key)s/, not in the query.", ai=ai, key=entry.ai),
        )
    return problem(
        ai,
        "link.not-attribute",
        1,
        say("(%(ai)s) must not stand in the query of a Digital Link.", ai=ai),
    )


# --- printing ---------------------------------------------------------------------------------------------------------

_needs_no_escape = re.compile(r"[A-Za-z0-9._-]*").fullmatch


def _escaped(value: str) -> str:
    return value if _needs_no_escape(value) else quote(value, safe="")


def print_link(elements: Iterable[Element], stem: str = GS1_ROOT, *, any_row: bool = True) -> str | None:
    """The Digital Link under `stem`, the canonical one under `GS1_ROOT`: the first primary key, its qualifiers in
    order, then in the query all else, of which values of fixed length come first. Everything but A–Z a–z 0–9 - . _ is
    escaped in capitals. None when there is no such link: no primary key, or an AI that cannot stand in one.

    Without `any_row` only that row of qualifiers is tried of which most are there, the first of equals, as GS1's engine
    does with element strings."""
    values: dict[str, str] = {}
    for ai, value in elements:
        if values.setdefault(ai, value) != value:
            return None
    for ai in values:
        entry = TABLE[ai]
        if entry.is_key:
            break
    else:
        return None
    rows = entry.qualifiers
    if not any_row:
        rows = (max(rows, key=lambda row: sum(ai in values for ai in row)),)
    for row in rows:
        rest = [TABLE[ai] for ai in values if ai not in row and ai != entry.ai]
        if all(other.query for other in rest):
            return stem.rstrip("/") + _path(entry.ai, row, values) + _query(rest, values)
    return None


def _path(key: str, row: Sequence[str], values: Mapping[str, str]) -> str:
    printed = f"/{key}/{_escaped(values[key])}"
    for ai in row:
        if ai in values:
            printed += f"/{ai}/{_escaped(values[ai])}"
    return printed


def _query(entries: Sequence[Entry], values: Mapping[str, str]) -> str:
    if not entries:
        return ""
    ordered = [one.ai for one in entries if one.fixed] + [one.ai for one in entries if not one.fixed]
    return "?" + "&".join([f"{ai}={_escaped(values[ai])}" for ai in ordered])
