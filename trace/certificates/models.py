"""Certificates and their result lines."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..batches.models import Batch
from ..db.base import Base, Row
from ..files.models import StoredFile
from ..labs.models import Laboratory as Registered


class Status(StrEnum):
    """submitted → accepted | rejected; accepted → withdrawn. The words are permanent."""

    SUBMITTED = "submitted"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


class Conclusion(StrEnum):
    """What the laboratory concludes."""

    PASS = "pass"  # noqa: S105 - a verdict, no password
    FAIL = "fail"


class RejectReason(StrEnum):
    """Permanent words; pages show them in the reader's language."""

    UNREADABLE = "unreadable"
    LOT_DIFFERS = "lot-differs"
    LABORATORY_OUT_OF_SCOPE = "laboratory-out-of-scope"
    LABORATORY_LAPSED = "laboratory-lapsed"
    EXPIRED = "expired"
    PARAMETER_MISSING = "parameter-missing"
    CONCLUSION_DIFFERS = "conclusion-differs"
    LOOKS_ALTERED = "looks-altered"


class Outcome(StrEnum):
    """A result against its limit, computed and never typed."""

    PASS = "pass"  # noqa: S105 - a verdict, no password
    FAIL = "fail"
    UNDECIDED = "undecided"


class Certificate(Row, Base):
    """One report on one batch. A report that was rejected and sent again is a new row that `replaces` the old one."""

    __tablename__ = "certificate"

    batch_id: Mapped[int] = mapped_column(ForeignKey("batch.id"), index=True)
    file_id: Mapped[int] = mapped_column(ForeignKey("stored_file.id"), index=True)
    laboratory_id: Mapped[int | None] = mapped_column(ForeignKey("laboratory.id"), index=True)
    """The registered laboratory whose accreditation number the report states; set by `signatures.py` only."""
    number: Mapped[str] = mapped_column(String(60), index=True)
    laboratory: Mapped[str] = mapped_column(String(200))
    accreditation: Mapped[str] = mapped_column(String(100))
    sample: Mapped[str] = mapped_column(String(200))
    method: Mapped[str] = mapped_column(String(200))
    issued_on: Mapped[date]
    expires_on: Mapped[date | None]
    conclusion: Mapped[str] = mapped_column(String(8))
    status: Mapped[str] = mapped_column(String(12), default=Status.SUBMITTED, index=True)
    version: Mapped[int] = mapped_column(default=1)
    replaces_id: Mapped[int | None] = mapped_column(ForeignKey("certificate.id"))
    reason: Mapped[str] = mapped_column(String(40), default="")
    """A `RejectReason` when rejected."""
    note: Mapped[str] = mapped_column(String(500), default="")
    submitted_at: Mapped[datetime]
    submitted_by: Mapped[str] = mapped_column(String(200))
    submitted_by_ref: Mapped[str] = mapped_column(String(16))
    reviewed_at: Mapped[datetime | None]
    reviewed_by: Mapped[str] = mapped_column(String(200), default="")
    withdrawn_at: Mapped[datetime | None]
    withdrawn_by: Mapped[str] = mapped_column(String(200), default="")
    withdrawn_reason: Mapped[str] = mapped_column(String(500), default="")
    batch: Mapped[Batch] = relationship(lazy="joined")
    file: Mapped[StoredFile] = relationship(lazy="joined")
    registered: Mapped[Registered | None] = relationship()
    lines: Mapped[list[ResultLine]] = relationship(order_by="ResultLine.position", lazy="selectin")

    def expired(self, today: date) -> bool:
        return self.expires_on is not None and self.expires_on < today


class ResultLine(Base):
    """One measured parameter with its limit, as the report states them."""

    __tablename__ = "result_line"

    id: Mapped[int] = mapped_column(primary_key=True)
    certificate_id: Mapped[int] = mapped_column(ForeignKey("certificate.id"), index=True)
    position: Mapped[int]
    parameter: Mapped[str] = mapped_column(String(200))
    method: Mapped[str] = mapped_column(String(200), default="")
    limit: Mapped[str] = mapped_column(String(100))
    result: Mapped[str] = mapped_column(String(100))
    unit: Mapped[str] = mapped_column(String(40), default="")
    outcome: Mapped[str] = mapped_column(String(10))
