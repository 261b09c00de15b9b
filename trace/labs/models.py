"""Laboratories, their accreditation numbers, and their pinned roots."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..db.base import Base, Row


class Laboratory(Row, Base):
    """A body that issues reports. `cma`, `cnas` and `ilac` are its accreditation numbers as written, ILAC standing for
    any other scheme; `valid_until` is the last day of its accreditation."""

    __tablename__ = "laboratory"

    name_zh: Mapped[str] = mapped_column(String(200))
    name_en: Mapped[str] = mapped_column(String(200))
    country: Mapped[str] = mapped_column(String(2))
    cma: Mapped[str] = mapped_column(String(100), default="")
    cnas: Mapped[str] = mapped_column(String(100), default="")
    ilac: Mapped[str] = mapped_column(String(100), default="")
    valid_until: Mapped[date | None]
    note: Mapped[str] = mapped_column(String(500), default="")
    suspended_at: Mapped[datetime | None]
    suspended_reason: Mapped[str] = mapped_column(String(500), default="")
    added_at: Mapped[datetime]
    added_by: Mapped[str] = mapped_column(String(200))
    numbers: Mapped[list[AccreditationNumber]] = relationship(cascade="all, delete-orphan", lazy="selectin")
    roots: Mapped[list[PinnedRoot]] = relationship(
        back_populates="laboratory", order_by="PinnedRoot.id", lazy="selectin"
    )

    @property
    def suspended(self) -> bool:
        return self.suspended_at is not None

    @property
    def pinned(self) -> list[PinnedRoot]:
        """The roots that count today."""
        return [root for root in self.roots if not root.removed]

    def lapsed(self, day: date) -> bool:
        """Whether its accreditation had ended on that day."""
        return self.valid_until is not None and self.valid_until < day


class AccreditationNumber(Base):
    """One number in the form in which it is compared (`numbers.py`); it belongs to one laboratory only."""

    __tablename__ = "laboratory_number"

    id: Mapped[int] = mapped_column(primary_key=True)
    laboratory_id: Mapped[int] = mapped_column(ForeignKey("laboratory.id"), index=True)
    number: Mapped[str] = mapped_column(String(60), unique=True)


class PinnedRoot(Row, Base):
    """A certificate that signatures of a laboratory may end in: its own authority's, or the signer's own. Never
    deleted: a root that was taken away stays with the reason."""

    __tablename__ = "laboratory_root"

    laboratory_id: Mapped[int] = mapped_column(ForeignKey("laboratory.id"), index=True)
    purpose: Mapped[str] = mapped_column(String(12))
    """A `files.findings.Purpose`."""
    der: Mapped[bytes] = mapped_column(LargeBinary)
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    subject: Mapped[str] = mapped_column(String(500))
    not_after: Mapped[datetime]
    added_at: Mapped[datetime]
    added_by: Mapped[str] = mapped_column(String(200))
    removed_at: Mapped[datetime | None]
    removed_by: Mapped[str] = mapped_column(String(200), default="")
    removed_reason: Mapped[str] = mapped_column(String(500), default="")
    laboratory: Mapped[Laboratory] = relationship(back_populates="roots")

    @property
    def removed(self) -> bool:
        return self.removed_at is not None
