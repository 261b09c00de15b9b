"""Ask the log: entries, chains, proofs, and since when something was provably in it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from ...signing.merkle import inclusion_proof_from
from ...signing.tiles import TileReader
from ..errors import not_found, say
from .models import LogCheckpoint, LogCosignature, LogEntry, LogTerm, LogTimestamp
from .shelf import Shelf

_NUMBER = re.compile(r"\d{1,18}")


def newest(session: Session) -> LogCheckpoint | None:
    """The largest checkpoint of the store."""
    return session.scalar(select(LogCheckpoint).order_by(LogCheckpoint.size.desc()).limit(1))


def waiting(session: Session) -> int:
    """Entries that are not sealed yet."""
    return session.scalar(select(func.count()).where(LogEntry.index.is_(None))) or 0


def get(session: Session, index: int) -> LogEntry:
    """Raises `NotFound`."""
    entry = session.scalar(select(LogEntry).where(LogEntry.index == index))
    if entry is None:
        raise not_found("log.no-entry", say("The log has no entry %(index)d.", index=index))
    return entry


def chain(session: Session, name: str, *, size: int | None = None) -> Sequence[LogEntry]:
    """The sealed entries of a chain, oldest first; below `size` only, when given."""
    query = select(LogEntry).where(LogEntry.chain == name, LogEntry.index.is_not(None))
    if size is not None:
        query = query.where(LogEntry.index < size)
    return session.scalars(query.order_by(LogEntry.seq)).all()


def has_word(session: Session, word: str) -> bool:
    """Whether an entry is found under this very word."""
    return session.scalar(select(LogTerm.entry_id).where(LogTerm.term == word).limit(1)) is not None


def matching(
    search: str = "", act: str = "", also: Sequence[str] = (), among: Select[str] | None = None
) -> Select[LogEntry]:
    """Sealed entries, newest first: all, or those with this index, chain, leaf hash, or a word of theirs that is the
    same. `also` holds more words that lead to what was searched, such as the run of a serial; `among` selects such
    words."""
    query = select(LogEntry).where(LogEntry.index.is_not(None)).order_by(LogEntry.index.desc())
    if act:
        query = query.where(LogEntry.act == act)
    word = search.strip()
    if not word:
        return query
    ways = [
        LogEntry.chain == word,
        LogEntry.id.in_(select(LogTerm.entry_id).where(LogTerm.term.in_({word, word.lower(), word.upper(), *also}))),
    ]
    if _NUMBER.fullmatch(word):
        ways.append(LogEntry.index == int(word))
    for one in {word.lower(), *also}:
        if re.fullmatch(r"[0-9a-f]{64}", one):
            ways += [LogEntry.leaf_hash == bytes.fromhex(one), LogEntry.actor_sha256 == one]
    if among is not None:
        ways.append(LogEntry.id.in_(select(LogTerm.entry_id).where(LogTerm.term.in_(among))))
    return query.where(or_(*ways))


def index_of(session: Session, act: str, word: str) -> int | None:
    """Where the newest sealed entry of this act with this word of its own lies in the log."""
    query = select(LogEntry.index).join(LogTerm, LogTerm.entry_id == LogEntry.id)
    sealed = query.where(LogTerm.term == word, LogEntry.act == act, LogEntry.index.is_not(None))
    return session.scalar(sealed.order_by(LogEntry.index.desc()).limit(1))


def neighbours(session: Session, entry: LogEntry) -> tuple[int | None, int | None]:
    """Index of the entries before and after this one in its chain."""
    assert entry.seq is not None
    query = select(LogEntry.seq, LogEntry.index).where(
        LogEntry.chain == entry.chain, LogEntry.seq.in_((entry.seq - 1, entry.seq + 1))
    )
    found = {row[0]: row[1] for row in session.execute(query)}
    return found.get(entry.seq - 1), found.get(entry.seq + 1)


def proof(shelf: Shelf, index: int, size: int) -> list[bytes]:
    """The inclusion proof of an entry in the tree of that size, read from the published tiles. Raises a SigningError of
    `signing` when tiles are missing or too short."""
    return inclusion_proof_from(TileReader(shelf.read, size), index, size)


@dataclass(frozen=True)
class Seen:
    """Since when others can know of an entry: `at` is the earliest time that a witness or an authority put its name to,
    else the operator's own; `witnesses` and `authorities` say how many stand behind that checkpoint."""

    size: int
    at: datetime
    witnesses: int
    authorities: int


def seen(session: Session, index: int) -> Seen | None:
    """The first checkpoint over the entry that somebody else put a time to, else the first one at all."""
    covering = LogCheckpoint.size > index
    own = session.execute(
        select(LogCheckpoint.size, LogCheckpoint.at).where(covering).order_by(LogCheckpoint.size).limit(1)
    ).one_or_none()
    if own is None:
        return None
    first = [
        (row.at, row.size)
        for table in (LogCosignature, LogTimestamp)
        for row in session.execute(
            select(table.at, table.size).where(table.size > index).order_by(table.size, table.at).limit(1)
        )
    ]
    at, size = min(first, default=(own.at, own.size))
    return Seen(size, at, _count(session, LogCosignature, size), _count(session, LogTimestamp, size))


def _count(session: Session, table: type[LogCosignature] | type[LogTimestamp], size: int) -> int:
    return session.scalar(select(func.count()).select_from(table).where(table.size == size)) or 0
