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


def matching(search: str = "", act: str = "") -> Select[LogEntry]:
    """Sealed entries, newest first: all, or those with this index, chain, leaf hash, or a word of theirs that is the
    same."""
    query = select(LogEntry).where(LogEntry.index.is_not(None)).order_by(LogEntry.index.desc())
    if act:
        query = query.where(LogEntry.act == act)
    word = search.strip()
    if not word:
        return query
    ways = [
        LogEntry.chain == word,
        LogEntry.id.in_(select(LogTerm.entry_id).where(LogTerm.term.in_({word, word.lower(), word.upper()}))),
    ]
    if _NUMBER.fullmatch(word):
        ways.append(LogEntry.index == int(word))
    if re.fullmatch(r"[0-9a-fA-F]{64}", word):
        ways += [LogEntry.leaf_hash == bytes.fromhex(word), LogEntry.actor_sha256 == word.lower()]
    return query.where(or_(*ways))


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
