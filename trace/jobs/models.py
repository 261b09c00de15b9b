"""The job table."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from ..db.base import Base, Row
from ..errors import Message


class JobState(StrEnum):
    """dead: gave up after the last attempt; a person must look."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    DEAD = "dead"


class JobKind(StrEnum):
    """Permanent words."""

    ISSUE_CODES = "issue-codes"
    PRINT_LABELS = "print-labels"
    STAMP_CHECKPOINT = "stamp-checkpoint"
    CHECK_SIGNATURES = "check-signatures"
    CREDENTIALS = "credentials"


class Job(Row, Base):
    """`done` of `total` is the progress that pages and bars show; `error` is for staff, never a traceback."""

    __tablename__ = "job"
    __table_args__ = (Index("ix_job_state_run_after", "state", "run_after"),)

    kind: Mapped[str] = mapped_column(String(40))
    payload: Mapped[dict[str, Any]] = mapped_column(JSON)
    state: Mapped[str] = mapped_column(String(10), default=JobState.QUEUED)
    attempts: Mapped[int] = mapped_column(default=0)
    run_after: Mapped[datetime]
    lease_until: Mapped[datetime | None]
    worker: Mapped[str] = mapped_column(String(40), default="")
    done: Mapped[int] = mapped_column(default=0)
    total: Mapped[int] = mapped_column(default=0)
    error: Mapped[str] = mapped_column(Text, default="")
    said: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """The same sentence with its gaps and values apart, for readers of another language."""
    added_at: Mapped[datetime]
    added_by: Mapped[str] = mapped_column(String(200))
    ended_at: Mapped[datetime | None]

    @property
    def sentence(self) -> Message:
        """Why it failed, ready to be translated."""
        return Message(**self.said) if self.said else Message(self.error)
