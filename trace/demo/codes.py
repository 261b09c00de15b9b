"""One ready link for each verdict, each asked for once before it is promised."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qs, quote, unquote, urlsplit, urlunsplit

from sqlalchemy.orm import Session

from ...signing.item import ALPHABET, group, normalise_typed_serial
from ..items import service as items
from ..items.models import Item
from ..passport import service as passport
from ..passport.model import State
from ..passport.service import Asked
from ..scans import service as scans
from ..system import System
from . import tea
from .facts import CodeFact
from .history import Cast

TYPED_WITH_MISTAKE = "typed-with-mistake"
_MISTAKES = {"5": "s", "8": "b", "2": "z"}

_RUNS = (
    (State.OK_FIRST, "tea"),
    (State.OK_AGAIN, "formula"),
    (State.NOT_RELEASED, "formula-waiting"),
    (State.HOLD, "lamp-held"),
    (State.RECALLED, "formula-recalled"),
    (State.EXPIRED, "past"),
    (State.VOIDED, "tea-damaged"),
    (State.EVIDENCE_GAP, "salmon"),
    (State.CANNOT_VERIFY, "key-away"),
)
"""The first code of each of these runs shows the state."""


@dataclass(frozen=True)
class Ready:
    """A link, the question that it asks, and the verdict it must get."""

    fact: CodeFact
    asked: Asked
    expected: State


def ready(session: Session, cast: Cast) -> list[Ready]:
    return [*_of_runs(session, cast), *_broken(session, cast), *_without_item(cast), _typed(session, cast)]


def check(system: System, promised: list[Ready], *, at: datetime) -> None:
    """Ask each question without being counted. Raises RuntimeError when an answer is not the promised one."""
    who = scans.visitor(
        system.secret_key().encode(), cookie="demo check", network="demo check", day=at.date().isoformat()
    )
    for code in promised:
        found = passport.look_up(system.desk, code.asked, who, at=at, count=False)
        if found.state is not code.expected:
            raise RuntimeError(f"{code.fact.url} should be {code.expected}, it is {found.state}")


def _of_runs(session: Session, cast: Cast) -> Iterator[Ready]:
    for state, key in _RUNS:
        yield _link(state, _url(cast, key, _item(session, cast, key)))


def _broken(session: Session, cast: Cast) -> Iterator[Ready]:
    """A signature with one digit changed, a tag with one character changed, and a serial that nobody issues."""
    signed = _url(cast, "tea", _item(session, cast, "tea", 1))
    yield _link(State.BAD_SIGNATURE, signed[:-1] + str((int(signed[-1]) + 1) % 10))
    tagged = _url(cast, "lamp", _item(session, cast, "lamp", 1))
    yield _link(State.BAD_SIGNATURE, tagged[:-1] + ALPHABET[(ALPHABET.index(tagged[-1]) + 1) % len(ALPHABET)])
    yield _link(State.UNKNOWN, _plain(cast, tea.GTIN, tea.MAIN.lot, "ABC123"))


def _without_item(cast: Cast) -> Iterator[Ready]:
    yield _link(State.UNKNOWN_LOT, _plain(cast, tea.GTIN, "DHP000000X"))
    yield _link(State.BATCH_ONLY, _plain(cast, tea.GTIN, tea.MAIN.lot))
    yield _link(State.PRODUCT_ONLY, _plain(cast, tea.GTIN))


def _typed(session: Session, cast: Cast) -> Ready:
    """A serial as somebody types it: lower case, groups, and a letter where the pack has a digit like it."""
    run = cast.runs["tea"]
    found = session.scalars(items.items_of(run).offset(2).limit(18)).all()
    for digit, mistake in _MISTAKES.items():
        for item in found:
            if digit in item.serial:
                typed = group(item.serial).lower().replace(digit, mistake, 1)
                url = f"{run.base}/find?serial={quote(typed)}"
                asked = Asked(tea.GTIN, None, normalise_typed_serial(typed))
                return Ready(CodeFact(TYPED_WITH_MISTAKE, url, item.serial), asked, State.OK_FIRST)
    raise RuntimeError("no serial with a 5, an 8 or a 2 among eighteen")


def _item(session: Session, cast: Cast, key: str, place: int = 0) -> Item:
    return session.scalars(items.items_of(cast.runs[key]).offset(place).limit(1)).one()


def _url(cast: Cast, key: str, item: Item) -> str:
    return _clickable(items.link(cast.runs[key], item))


def _clickable(link: str) -> str:
    """The printed link with scheme and host in lower case, as browsers show them; path and query stay as they are."""
    parts = urlsplit(link)
    return urlunsplit((parts.scheme.lower(), parts.netloc.lower(), parts.path, parts.query, ""))


def _plain(cast: Cast, gtin: str, lot: str | None = None, serial: str | None = None) -> str:
    path = f"/01/{gtin}" + (f"/10/{lot}" if lot else "") + (f"/21/{serial}" if serial else "")
    return cast.runs["tea"].base.lower() + path


def _link(state: State, url: str) -> Ready:
    asked = read_link(url)
    return Ready(CodeFact(state.value, url, asked.serial), asked, state)


def read_link(url: str) -> Asked:
    """The question in a Digital Link: AI 01, and 10, 21 and `?s=` where they are there."""
    parts = urlsplit(url)
    words = [unquote(word) for word in parts.path.split("/")[1:]]
    given = dict(zip(words[::2], words[1::2], strict=True))
    signature = parse_qs(parts.query).get("s", [None])[0]
    return Asked(given["01"], given.get("10"), given.get("21"), signature)
