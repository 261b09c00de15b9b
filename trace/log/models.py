"""Acts, the log entries that some of them become, and what the log published of itself."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from ..db.base import Base, Row

HEAD_ID = 1


class AuditAct(Row, Base):
    """One row per act, never changed. `subject` is `kind:reference` of the thing; `facts` hold what changed, never a
    secret, and of a logged act no personal facts."""

    __tablename__ = "audit_act"

    at: Mapped[datetime] = mapped_column(index=True)
    act: Mapped[str] = mapped_column(String(40), index=True)
    by_ref: Mapped[str] = mapped_column(String(16))
    by_name: Mapped[str] = mapped_column(String(200))
    subject: Mapped[str] = mapped_column(String(120), index=True)
    facts: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)


class LogEntry(Base):
    """An act on its way into the log, or in it.

    Written with the fact: chain, act, time and the two documents behind the envelope's hashes. Sealed within a second:
    index, seq, envelope and leaf hash. After that only `actor`, which is personal, can be erased; triggers of the store
    refuse everything else.
    """

    __tablename__ = "log_entry"
    __table_args__ = (UniqueConstraint("chain", "seq"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    chain: Mapped[str] = mapped_column(String(80))
    act: Mapped[str] = mapped_column(String(40))
    at: Mapped[datetime]
    key: Mapped[str | None] = mapped_column(String(43))
    """Id of the key that signed what the content names."""
    content: Mapped[str] = mapped_column(Text)
    actor: Mapped[str | None] = mapped_column(Text)
    actor_sha256: Mapped[str] = mapped_column(String(64))
    index: Mapped[int | None] = mapped_column("log_index", BigInteger, unique=True)
    seq: Mapped[int | None]
    envelope: Mapped[str | None] = mapped_column(Text)
    leaf_hash: Mapped[bytes | None] = mapped_column(LargeBinary(32))


class LogTerm(Base):
    """A word by which an entry is found: a hash, serial, lot, number, reference or key id."""

    __tablename__ = "log_term"

    entry_id: Mapped[int] = mapped_column(ForeignKey("log_entry.id"), primary_key=True)
    term: Mapped[str] = mapped_column(String(120), primary_key=True, index=True)


class LogHead(Base):
    """The one row that says how large the log is: every growth is a compare-and-swap on it. `frontier` holds the roots
    of the complete subtrees from left to right, 32 bytes each."""

    __tablename__ = "log_head"

    id: Mapped[int] = mapped_column(primary_key=True, default=HEAD_ID)
    origin: Mapped[str] = mapped_column(String(200))
    size: Mapped[int] = mapped_column(BigInteger)
    keys: Mapped[int]
    """Entries of the chain `keys` so far."""
    frontier: Mapped[bytes] = mapped_column(LargeBinary)


class LogCheckpoint(Base):
    """A checkpoint that was signed once and for all; there is one for each published size."""

    __tablename__ = "log_checkpoint"

    size: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    root: Mapped[bytes] = mapped_column(LargeBinary(32))
    note: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]


class LogCosignature(Base):
    """A witness saw this checkpoint at `at`, by its own clock, and signed so. `line` is its line of the note."""

    __tablename__ = "log_cosignature"

    size: Mapped[int] = mapped_column(ForeignKey("log_checkpoint.size"), primary_key=True)
    witness: Mapped[str] = mapped_column(String(200), primary_key=True)
    line: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]


class LogTimestamp(Base):
    """An RFC 3161 token over the SHA-256 of the checkpoint's text, and the time that the authority put into it."""

    __tablename__ = "log_timestamp"

    size: Mapped[int] = mapped_column(ForeignKey("log_checkpoint.size"), primary_key=True)
    authority: Mapped[str] = mapped_column(String(200), primary_key=True)
    token: Mapped[bytes] = mapped_column(LargeBinary)
    at: Mapped[datetime]
