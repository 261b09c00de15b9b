"""Label sheets that were asked for: who, which codes, when, and the finished file."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..db.base import Base, Row
from ..items.models import CodeRun
from ..jobs.models import Job


class LabelSheet(Row, Base):
    """Codes `first` to `first + count - 1` of a run, in issue order, from 0. `sha256` is set once every symbol on the
    sheet was read back."""

    __tablename__ = "label_sheet"

    run_id: Mapped[int] = mapped_column(ForeignKey("code_run.id"), index=True)
    job_id: Mapped[int | None] = mapped_column(ForeignKey("job.id"))
    layout: Mapped[str] = mapped_column(String(20))
    language: Mapped[str] = mapped_column(String(5))
    start: Mapped[int]
    """Places of the first sheet that are used up already, 0 to 23."""
    first: Mapped[int]
    count: Mapped[int]
    sha256: Mapped[str | None] = mapped_column(String(64))
    added_at: Mapped[datetime]
    added_by: Mapped[str] = mapped_column(String(200))
    run: Mapped[CodeRun] = relationship(lazy="joined")
    job: Mapped[Job | None] = relationship(lazy="joined")
