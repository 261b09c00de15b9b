"""From a form, a CSV row or a command line to the facts of a link."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ..codes import digital_link
from ..codes.ais import TABLE
from ..codes.model import Element
from ..codes.reading import read
from ..errors import Invalid, Message, Problem, invalid, say
from ..intake import Intake
from .targets import read_target
from .types import DEFAULT, DEFAULT_MULTI, word_of

COLUMNS: Final = ("of", "link_type", "href", "title", "languages", "media_type", "contexts", "is_default")
MOST_ROWS: Final = 5000
MOST_LISTED: Final = 20
_LANGUAGE: Final = re.compile(r"([A-Za-z]{2})(?:-([A-Za-z]{2}))?")
_MEDIA_TYPE: Final = re.compile(r"[a-z0-9]+/[a-z0-9][a-z0-9.+-]*")
_CONTEXT: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")


@dataclass(frozen=True)
class LinkDraft:
    """The facts of a link; names as in `models.Link`."""

    anchor: str
    link_type: str
    href: str
    title: str
    languages: str
    media_type: str
    contexts: str
    is_default: bool


def read_anchor(text: str) -> str:
    """The canonical path of what a code in any form names, such as `/01/09521321000018/10/A1`. Raises `Invalid`."""
    text = text.strip()
    code = read(f"{digital_link.GS1_ROOT}{text}" if text.startswith("/") else text)
    path = path_of(code.elements)
    if path is None:
        raise invalid(
            "of",
            "link.no-key",
            say(
                "This names no thing that a link can belong to. Begin with its key, such as a GTIN or (253) and a GDTI."
            ),
        )
    return path


def path_of(elements: Iterable[Element]) -> str | None:
    """The canonical path of key and qualifiers; attributes are left out. None without a key."""
    elements = list(elements)
    printed = digital_link.print_link(elements, "")
    if printed is None:
        keys = [element for element in elements if TABLE[element[0]].is_key]
        printed = digital_link.print_link(keys[:1], "")
    return printed.partition("?")[0] if printed else None


def read_link(raw: Mapping[str, str]) -> LinkDraft:
    """Fields: of (any form of code) and the others of `COLUMNS`. Raises `Invalid` naming every field that is wrong."""
    intake = Intake(raw)
    draft = LinkDraft(
        anchor=intake.own("of", read_anchor, placeholder=""),
        link_type=intake.own("link_type", _type, placeholder=""),
        href=intake.own("href", read_target, placeholder=""),
        title=intake.text("title", most=100),
        languages=intake.own("languages", _languages, placeholder="", required=False),
        media_type=intake.own("media_type", _media_type, placeholder="", required=False),
        contexts=intake.own("contexts", _contexts, placeholder="", required=False),
        is_default=intake.flag("is_default"),
    )
    intake.done()
    return draft


def _type(text: str) -> str:
    word = word_of(text)
    if word is None or word in (DEFAULT, DEFAULT_MULTI):
        raise invalid(
            "link_type",
            "link.type",
            say("%(given)s is no link type of the GS1 Web Vocabulary. Take one such as gs1:pip.", given=text[:60]),
        )
    return word


def _listed(text: str) -> list[str]:
    return [part for part in re.split(r"[\s,;，；、]+", text) if part]


def _languages(text: str) -> str:
    found = []
    for part in _listed(text)[: MOST_LISTED + 1]:
        fits = _LANGUAGE.fullmatch(part)
        if fits is None:
            raise invalid(
                "languages",
                "link.language",
                say("%(given)s is no language. Write two letters, or two and a country: zh, en-GB.", given=part[:40]),
            )
        language = fits[1].lower() + (f"-{fits[2].upper()}" if fits[2] else "")
        if language not in found:
            found.append(language)
    return ",".join(_bounded("languages", found))


def _contexts(text: str) -> str:
    found = list(dict.fromkeys(_listed(text)[: MOST_LISTED + 1]))
    for part in found:
        if not _CONTEXT.fullmatch(part):
            raise invalid(
                "contexts",
                "link.context",
                say(
                    "%(given)s is no context word. Take letters, digits and . _ - such as retail or CN.",
                    given=part[:40],
                ),
            )
    return ",".join(_bounded("contexts", found))


def _bounded(field: str, found: list[str]) -> list[str]:
    if len(found) > MOST_LISTED or len(",".join(found)) > 200:
        raise invalid(field, "link.too-many", say("This is too much. Give at most %(most)d words.", most=MOST_LISTED))
    return found


def _media_type(text: str) -> str:
    kind = text.lower()
    if not _MEDIA_TYPE.fullmatch(kind) or len(kind) > 100:
        raise invalid(
            "media_type",
            "link.media-type",
            say("%(given)s is no media type. It looks like text/html or application/pdf.", given=text[:60]),
        )
    return kind


def read_rows(data: bytes) -> list[dict[str, str]]:
    """The rows of a CSV file in UTF-8 whose first row names the columns. Raises `Invalid`."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _bad_file(say("This file is not in UTF-8. Save it as «CSV UTF-8».")) from None
    if "\0" in text:
        raise _bad_file(say("This is no CSV file. Save the table as «CSV UTF-8»."))
    try:
        reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
        names = [(name or "").strip().lower() for name in reader.fieldnames or ()]
        _refuse_columns(names)
        reader.fieldnames = names
        rows = [
            {str(name): str(value or "") for name, value in row.items() if name}
            for row, _number in zip(reader, range(MOST_ROWS + 1), strict=False)
        ]
    except csv.Error:
        raise _bad_file(say("This is no CSV file. Save the table as «CSV UTF-8».")) from None
    if len(rows) > MOST_ROWS:
        raise _bad_file(say("This file has more than %(most)d rows. Split it.", most=MOST_ROWS))
    if not rows:
        raise _bad_file(say("This file has no rows below its heading."))
    return rows


def _refuse_columns(names: Sequence[str]) -> None:
    missing = [name for name in ("of", "link_type", "href", "title") if name not in names]
    unknown = [name for name in names if name and name not in COLUMNS]
    if missing:
        raise _bad_file(
            say("These columns are missing: %(names)s. The first row names them.", names=", ".join(missing))
        )
    if unknown:
        sentence = say("These columns are unknown: %(names)s. Known are: %(known)s.")
        values = {"names": ", ".join(unknown)[:200], "known": ", ".join(COLUMNS)}
        raise _bad_file(Message(sentence.text, values))


def _bad_file(message: Message) -> Invalid:
    return invalid("table", "link.file", message)


def read_table(rows: Sequence[Mapping[str, str]]) -> list[LinkDraft]:
    """All rows as drafts. Raises `Invalid` with a problem for each wrong cell; its field is `rows-N.column`, N from 2,
    as spreadsheets count below the heading."""
    drafts, problems = [], []
    for number, row in enumerate(rows, start=2):
        try:
            drafts.append(read_link(row))
        except Invalid as error:
            problems += [Problem(f"rows-{number}.{one.field}", one.rule, one.message) for one in error.problems]
    if problems:
        raise Invalid(*problems)
    return drafts
