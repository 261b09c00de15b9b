"""Give waiting entries their places, grow the tree and sign its head: one transaction, one compare-and-swap."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from ...signing.canonical import sha256_hex
from ...signing.checkpoint import Checkpoint
from ...signing.envelope import Envelope
from ...signing.merkle import Frontier, leaf_hash, split_hashes
from ..db.lock import alone
from ..errors import conflict, say
from .entries import time_text
from .models import HEAD_ID, LogCheckpoint, LogEntry, LogHead
from .service import KEYS_CHAIN

MOST = 10_000
"""Entries of one seal, so that a long queue does not hold the writer for long."""

Sign = Callable[[Checkpoint], str]
"""From a checkpoint to its signed note."""


@dataclass(frozen=True)
class Sealed:
    """How many entries got their seal; `wait` is how long until the next checkpoint may follow, when entries wait for
    that and nothing was sealed."""

    count: int
    wait: timedelta = timedelta(0)


def seal(
    session: Session,
    origin: str,
    signer: Callable[[Session, datetime], Sign],
    *,
    now: Callable[[], datetime],
    pace: timedelta,
    most: int = MOST,
) -> Sealed:
    """Seal what waits, oldest first, unless the newest checkpoint is younger than `pace`, whoever made it.

    `signer` is asked for only when something is sealed. Whatever is sealed stays: only when this transaction is durable
    may its checkpoint be shown to anybody. Raises `Conflict` when another process sealed at the same moment; then
    nothing is changed.
    """
    alone(session, "log")
    # Read under the lock: a moment from before would be older than it says when the lock came late.
    at, newest = now(), _newest(session)
    wait = _too_young(newest, at, pace)
    waiting = _waiting(session, 1 if wait else most)
    if not waiting or wait:
        return Sealed(0, wait if waiting else timedelta(0))
    sign = signer(session, at)
    head = _head(session, origin)
    before = head.size
    frontier = Frontier.from_hashes(before, split_hashes(head.frontier))
    chains = _Chains(session, head.keys)
    rows = [chains.sealed(entry, before + place) for place, entry in enumerate(waiting)]
    frontier.extend([row.leaf_hash for row in rows])
    session.connection().execute(_SEAL, [row.values() for row in rows])
    _swap(session, before, frontier, chains.keys)
    checkpoint = Checkpoint(head.origin, frontier.size, frontier.root())
    # Never before the checkpoint that came before, whatever our clock says now: its time is an upper bound.
    moment = max(at, newest) if newest else at
    session.add(LogCheckpoint(size=checkpoint.size, root=checkpoint.root, note=sign(checkpoint), at=moment))
    session.flush()
    return Sealed(len(rows))


_SEAL = (
    update(LogEntry)
    .where(LogEntry.id == bindparam("row"), LogEntry.index.is_(None))
    .values(
        {
            LogEntry.index: bindparam("at_index"),
            LogEntry.seq: bindparam("at_seq"),
            LogEntry.envelope: bindparam("as_envelope"),
            LogEntry.leaf_hash: bindparam("as_leaf"),
        }
    )
)


@dataclass(frozen=True)
class _Place:
    """What an entry gets with its seal."""

    row: int
    index: int
    seq: int
    envelope: bytes
    leaf_hash: bytes

    def values(self) -> dict[str, object]:
        return {
            "row": self.row,
            "at_index": self.index,
            "at_seq": self.seq,
            "as_envelope": self.envelope.decode(),
            "as_leaf": self.leaf_hash,
        }


def _newest(session: Session) -> datetime | None:
    return session.scalar(select(LogCheckpoint.at).order_by(LogCheckpoint.size.desc()).limit(1))


def _too_young(newest: datetime | None, at: datetime, pace: timedelta) -> timedelta:
    """How long a checkpoint has to wait for the one before: `pace` at most, and as much again where clocks differ. One
    that lies further ahead is that of a clock which was put back since: it must not hold up the log until then."""
    age = at - newest if newest else pace
    return max(pace - age, timedelta(0)) if age > -pace else timedelta(0)


def _head(session: Session, origin: str) -> LogHead:
    head = session.get(LogHead, HEAD_ID)
    if head is None:
        head = LogHead(id=HEAD_ID, origin=origin, size=0, keys=0, frontier=b"")
        session.add(head)
        session.flush()
    return head


def _waiting(session: Session, most: int) -> Sequence[LogEntry]:
    query = select(LogEntry).where(LogEntry.index.is_(None)).order_by(LogEntry.id).limit(most)
    return session.scalars(query).all()


def _swap(session: Session, before: int, frontier: Frontier, keys: int) -> None:
    moved = session.execute(
        update(LogHead)
        .where(LogHead.id == HEAD_ID, LogHead.size == before)
        .values(size=frontier.size, frontier=b"".join(frontier.hashes), keys=keys)
    )
    if moved.rowcount != 1:  # type: ignore[attr-defined]  # an UPDATE's result is a CursorResult
        raise conflict("log.raced", say("The log was sealed by another process just now. Try again."))


@dataclass
class _End:
    """Where a chain ends: the number and leaf hash of its newest entry."""

    seq: int = 0
    leaf: str | None = None


class _Chains:
    """The ends of the chains that a seal lengthens."""

    def __init__(self, session: Session, keys: int) -> None:
        self._session = session
        self._ends: dict[str, _End] = {}
        self.keys = keys

    def sealed(self, entry: LogEntry, index: int) -> _Place:
        """The next link of the entry's chain."""
        end = self._end(entry.chain)
        envelope = Envelope(
            act=entry.act,
            actor=entry.actor_sha256,
            chain=entry.chain,
            content=sha256_hex(entry.content.encode()),
            key=entry.key,
            keys=self.keys,
            prev=end.leaf,
            seq=end.seq + 1,
            time=time_text(entry.at),
        ).to_bytes()
        leaf = leaf_hash(envelope)
        self._ends[entry.chain] = _End(end.seq + 1, leaf.hex())
        self.keys += entry.chain == KEYS_CHAIN
        return _Place(entry.id, index, end.seq + 1, envelope, leaf)

    def _end(self, chain: str) -> _End:
        if chain not in self._ends:
            query = select(LogEntry.seq, LogEntry.leaf_hash).where(LogEntry.chain == chain, LogEntry.seq.is_not(None))
            row = self._session.execute(query.order_by(LogEntry.seq.desc()).limit(1)).one_or_none()
            self._ends[chain] = _End(row.seq or 0, (row.leaf_hash or b"").hex()) if row else _End()
        return self._ends[chain]
