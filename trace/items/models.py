"""Runs of codes and the items they name."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..batches.models import Batch
from ..db.base import Base, Row
from ..jobs.models import Job


class Tier(StrEnum):
    """A: checked by the operator on-line. B: carries a signature that anyone can check off-line."""

    A = "A"
    B = "B"


class CodeRun(Row, Base):
    """One order of codes. What its codes were made with is kept, so they stay checkable after a change of keys or
    address: `base` is scheme and host, `gtin` and `lot` the numbers as they were then, `kid` the signing key (tier B),
    `tag_kid` the secret behind the tags, `short` whether the printed link leaves the lot out. A run whose keys were
    retired before its first code was made takes the present ones then."""

    __tablename__ = "code_run"

    batch_id: Mapped[int] = mapped_column(ForeignKey("batch.id"), index=True)
    job_id: Mapped[int | None] = mapped_column(ForeignKey("job.id"))
    tier: Mapped[str] = mapped_column(String(1))
    short: Mapped[bool] = mapped_column(default=False)
    count: Mapped[int]
    issued: Mapped[int] = mapped_column(default=0)
    base: Mapped[str] = mapped_column(String(200))
    gtin: Mapped[str] = mapped_column(String(14))
    lot: Mapped[str] = mapped_column(String(20))
    kid: Mapped[str | None] = mapped_column(String(43))
    letter: Mapped[str | None] = mapped_column(String(1))
    tag_kid: Mapped[str] = mapped_column(String(43))
    frontier: Mapped[bytes] = mapped_column(LargeBinary, default=b"")
    """The tree over the printed links so far: roots of its complete subtrees from left to right, 32 bytes each."""
    root: Mapped[str | None] = mapped_column(String(64))
    """The commitment over all its printed links, once the run is finished."""
    added_at: Mapped[datetime]
    added_by: Mapped[str] = mapped_column(String(200))
    batch: Mapped[Batch] = relationship(lazy="joined")
    job: Mapped[Job | None] = relationship(lazy="joined")


class Item(Base):
    """One pack. Its serial (20 characters, random part and tag) is its reference; it has no other one outside."""

    __tablename__ = "item"

    id: Mapped[int] = mapped_column(primary_key=True)
    serial: Mapped[str] = mapped_column(String(20), unique=True)
    batch_id: Mapped[int] = mapped_column(ForeignKey("batch.id"), index=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("code_run.id"), index=True)
    signature: Mapped[bytes | None] = mapped_column(LargeBinary(64))
    issued_at: Mapped[datetime]
    voided_at: Mapped[datetime | None]
    void_reason: Mapped[str | None] = mapped_column(String(500))
    voided_by: Mapped[str | None] = mapped_column(String(200))
