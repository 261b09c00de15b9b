"""Print runs: who asked for which labels, when, in what form; the finished file; and what was scanned back."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..carriers.symbols import Carrier
from ..db.base import Base, Row
from ..items.models import CodeRun
from ..jobs.models import Job


class Output(StrEnum):
    """What a print run gives. Permanent words."""

    PDF = "pdf"
    """Sheets."""
    ZPL = "zpl"
    """Single labels for a thermal printer, each one a picture."""
    ZPL_DATA = "zpl-data"
    """The same, but the printer makes the symbols."""
    PNG = "png"
    """Single labels as pictures, in one ZIP."""
    CSV = "csv"
    """A table for a printing house."""


class Verification(StrEnum):
    """What scanning printed labels back has shown. Permanent words."""

    UNVERIFIED = "unverified"
    VERIFIED = "verified"
    MISMATCH = "mismatch"


class LabelSheet(Row, Base):
    """One print run: codes `first` to `first + count - 1` of a run, in issue order, from 0. `sha256` is set once the
    file is made and every symbol of it was read back."""

    __tablename__ = "label_sheet"

    run_id: Mapped[int] = mapped_column(ForeignKey("code_run.id"), index=True)
    job_id: Mapped[int | None] = mapped_column(ForeignKey("job.id"))
    layout: Mapped[str] = mapped_column(String(20))
    """A name of `layouts.LAYOUTS`, or `own` with its `measures`."""
    language: Mapped[str] = mapped_column(String(5))
    start: Mapped[int]
    """Places of the first sheet that are used up already."""
    first: Mapped[int]
    count: Mapped[int]
    sha256: Mapped[str | None] = mapped_column(String(64))
    added_at: Mapped[datetime]
    added_by: Mapped[str] = mapped_column(String(200))
    carrier: Mapped[str] = mapped_column(String(20), default=Carrier.QR)
    output: Mapped[str] = mapped_column(String(10), default=Output.PDF)
    measures: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    fields: Mapped[str | None] = mapped_column(String(100))
    """Words of `compose.Field` with commas between; None is all of them."""
    copies: Mapped[int] = mapped_column(default=1)
    dpi: Mapped[int | None]
    """Of the printer, where single labels are drawn for it."""
    made: Mapped[int | None]
    """Labels in the file without copies: voided codes are left out of it."""
    made_at: Mapped[datetime | None]
    verification: Mapped[str] = mapped_column(String(12), default=Verification.UNVERIFIED)
    round: Mapped[int] = mapped_column(default=1)
    """Counts the samples; what was scanned for an earlier one does not count for this."""
    sample: Mapped[list[list[Any]] | None] = mapped_column(JSON(none_as_null=True))
    """Labels to be scanned back, as (number in the file from 1 without copies, serial)."""
    run: Mapped[CodeRun] = relationship(lazy="joined")
    job: Mapped[Job | None] = relationship(lazy="joined")


class LabelCheck(Row, Base):
    """One label that was scanned back. `number` is None when it is not on this print run."""

    __tablename__ = "label_check"

    sheet_id: Mapped[int] = mapped_column(ForeignKey("label_sheet.id"), index=True)
    round: Mapped[int]
    number: Mapped[int | None]
    said: Mapped[str] = mapped_column(String(500))
    matched: Mapped[bool]
    added_at: Mapped[datetime]
    added_by: Mapped[str] = mapped_column(String(200))
