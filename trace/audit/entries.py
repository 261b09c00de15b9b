"""Hold the entries of the store against the published tiles, and the audit acts against the entries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...signing.canonical import canonical_json, sha256_hex
from ...signing.checkpoint import verify_checkpoint
from ...signing.encoding import b64
from ...signing.envelope import read_envelope
from ...signing.errors import SigningError
from ...signing.merkle import Frontier, leaf_hash
from ...signing.notes import Note
from ...signing.tiles import TileReader
from ...signing.vkeys import VerifierKey
from ..log import time_text
from ..log.models import HEAD_ID, AuditAct, LogCheckpoint, LogEntry, LogHead
from ..log.service import KEYS_CHAIN, UNLOGGED, Act
from ..log.shelf import Shelf
from .model import Finding
from .streams import streamed
from .told import as_logged

LOG = "log"
"""Where a finding belongs that is about the log as a whole."""
_ENDS = frozenset((Act.KEY_RETIRE, Act.KEY_REVOKE))


def against_tiles(session: Session, shelf: Shelf, published: int, logs: dict[str, VerifierKey]) -> Iterator[Finding]:
    """Every sealed entry in the order of the log. `published` is the size of a checkpoint whose tiles are on the
    shelf; later entries are compared with themselves only. Checkpoints of the store must fit what lies below them, and
    be signed by one of `logs` (by key id) that no entry below them ended."""
    reader = TileReader(shelf.read, published)
    checkpoints = _Checkpoints(session, logs)
    frontier, keys, due = Frontier(), 0, 0
    query = select(LogEntry).where(LogEntry.index.is_not(None)).order_by(LogEntry.index)
    for entry in streamed(session, query):
        assert entry.index is not None
        if entry.index != due:
            yield Finding("entry.missing", LOG, f"entry:{due}", "index", due, entry.index)
            # Nothing behind a gap fits any root; the gap is what has to be told.
            return
        leaf = leaf_hash((entry.envelope or "").encode())
        yield from _of_entry(entry, leaf, reader)
        frontier.append(leaf)
        keys += entry.chain == KEYS_CHAIN
        checkpoints.told(entry)
        due += 1
        yield from checkpoints.at(due, frontier)
        session.expunge(entry)
    if due < published:
        yield Finding("entry.missing", LOG, f"entry:{due}", "size", published, due)
    yield from checkpoints.beyond(due)
    yield from _of_head(session, frontier, keys)


def _of_entry(entry: LogEntry, leaf: bytes, reader: TileReader) -> Iterator[Finding]:
    """At most one finding: the first thing that does not fit."""
    subject = f"entry:{entry.index}"

    def differs(field: str, logged: Any, recorded: Any) -> Finding:
        return Finding("entry.differs", entry.chain, subject, field, logged, recorded)

    assert entry.index is not None
    if entry.index < reader.size:
        try:
            known = reader(0, entry.index)
        except SigningError as error:
            yield Finding("entry.missing", entry.chain, subject, "tile", None, error.message)
            return
        if known != leaf:
            yield differs("envelope", known.hex(), leaf.hex())
            return
    if entry.leaf_hash != leaf:
        yield differs("leaf_hash", leaf.hex(), (entry.leaf_hash or b"").hex())
        return
    try:
        envelope = read_envelope((entry.envelope or "").encode())
    except SigningError as error:
        yield differs("envelope", None, error.message)
        return
    pairs = {
        "act": (envelope.act, entry.act),
        "chain": (envelope.chain, entry.chain),
        "seq": (envelope.seq, entry.seq),
        "at": (envelope.time, time_text(entry.at)),
        "key": (envelope.key, entry.key),
        "content": (envelope.content, sha256_hex(entry.content.encode())),
        "actor_sha256": (envelope.actor, entry.actor_sha256),
        # Who acted may have been erased; what is still there must be what was hashed.
        "actor": (envelope.actor, envelope.actor if entry.actor is None else sha256_hex(entry.actor.encode())),
    }
    yield from (differs(name, *both) for name, both in pairs.items() if both[0] != both[1])


class _Checkpoints:
    """The checkpoints of the store, each at its size."""

    def __init__(self, session: Session, logs: dict[str, VerifierKey]) -> None:
        self._rows = streamed(session, select(LogCheckpoint).order_by(LogCheckpoint.size))
        self._next = next(self._rows, None)
        self._alive = {f"key:{kid}": verifier for kid, verifier in logs.items()}

    def told(self, entry: LogEntry) -> None:
        """From the end of a key on, it signs no checkpoint: `checkpoint.key` of `signing.verify`, in the store."""
        if entry.act in _ENDS and entry.chain == KEYS_CHAIN and (told := as_logged(entry)) is not None:
            self._alive.pop(told.subject, None)

    def at(self, size: int, frontier: Frontier) -> Iterator[Finding]:
        """That the tree of this size has the root that was signed for it, if one was."""
        while self._next is not None and self._next.size <= size:
            row, self._next = self._next, next(self._rows, None)
            yield from self._check(row, size, frontier.root())

    def beyond(self, size: int) -> Iterator[Finding]:
        if self._next is not None:
            yield Finding("head.differs", LOG, f"checkpoint:{self._next.size}", "size", size, self._next.size)

    def _check(self, row: LogCheckpoint, size: int, root: bytes) -> Iterator[Finding]:
        subject = f"checkpoint:{row.size}"
        if row.size != size or row.root != root:
            yield Finding("head.differs", LOG, subject, "root", b64(root), b64(row.root))
            return
        try:
            signed = verify_checkpoint(Note.parse(row.note.encode()), self._alive.values())
        except SigningError as error:
            yield Finding("head.differs", LOG, subject, "note", None, error.message)
            return
        if (signed.size, signed.root) != (size, root):
            yield Finding("head.differs", LOG, subject, "note", b64(root), b64(signed.root))


def _of_head(session: Session, frontier: Frontier, keys: int) -> Iterator[Finding]:
    head = session.get(LogHead, HEAD_ID)
    if head is None:
        if frontier.size:
            yield Finding("head.differs", LOG, "head", "size", frontier.size, None)
        return
    due = {"size": frontier.size, "keys": keys, "frontier": b"".join(frontier.hashes).hex()}
    there = {"size": head.size, "keys": head.keys, "frontier": head.frontier.hex()}
    yield from (
        Finding("head.differs", LOG, "head", name, value, there[name])
        for name, value in due.items()
        if value != there[name]
    )


# --- acts -------------------------------------------------------------------------------------------------------------


def against_acts(session: Session) -> Iterator[Finding]:
    """Entries and logged audit acts are written in pairs. Both are read in the order of time and compared moment by
    moment, so that memory holds the acts of one moment only."""
    entries = _by_moment(session, select(LogEntry).order_by(LogEntry.at, LogEntry.id))
    logged = select(AuditAct).where(AuditAct.act.not_in(UNLOGGED)).order_by(AuditAct.at, AuditAct.id)
    acts = _by_moment(session, logged)
    entry, act = next(entries, None), next(acts, None)
    while entry or act:
        moment = min(found[0] for found in (entry, act) if found)
        now_entries: Sequence[Any] = ()
        now_acts: Sequence[Any] = ()
        if entry and entry[0] == moment:
            now_entries, entry = entry[1], next(entries, None)
        if act and act[0] == moment:
            now_acts, act = act[1], next(acts, None)
        yield from _of_moment(now_entries, now_acts)


def _by_moment(session: Session, query: Any) -> Iterator[tuple[datetime, list[Any]]]:
    for at, group in groupby(streamed(session, query), key=lambda row: row.at):
        yield at, list(group)


@dataclass(frozen=True)
class _Word:
    """What an act says; its facts as canonical JSON."""

    act: str
    subject: str
    facts: str


def _of_moment(entries: Sequence[LogEntry], acts: Sequence[AuditAct]) -> Iterator[Finding]:
    waiting: defaultdict[_Word, list[AuditAct]] = defaultdict(list)
    for act in acts:
        waiting[_Word(act.act, act.subject, _plain(act.facts))].append(act)
    alone: list[tuple[_Word, LogEntry]] = []
    broken: list[str] = []
    for entry in entries:
        told = as_logged(entry)
        if told is None:
            # `against_tiles` names the entry; its act is not looked for.
            broken.append(entry.act)
            continue
        word = _Word(told.act, told.subject, _plain(told.facts))
        if not waiting[word]:
            alone.append((word, entry))
            continue
        act = waiting[word].pop(0)
        if told.by is not None and told.by != (act.by_ref, act.by_name):
            yield Finding("act.differs", entry.chain, word.subject, "by", list(told.by), [act.by_ref, act.by_name])
    left = [(word, act) for word, rows in waiting.items() for act in rows]
    for word, entry in alone:
        like = next((pair for pair in left if (pair[0].act, pair[0].subject) == (word.act, word.subject)), None)
        if like is None:
            yield Finding("act.missing", entry.chain, word.subject, word.act, word.facts, None)
        else:
            left.remove(like)
            yield Finding("act.differs", entry.chain, word.subject, word.act, word.facts, like[0].facts)
    for word, _row in left:
        if word.act in broken:
            broken.remove(word.act)
        else:
            yield Finding("act.unlogged", word.subject, word.subject, word.act, None, word.facts)


def _plain(facts: Any) -> str:
    return canonical_json(facts).decode()
