"""Issued credentials and the lists that say which of them were revoked."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..batches.models import Batch
from ..certificates.models import Certificate
from ..db.base import Base, Row


class Kind(StrEnum):
    """Permanent words. A passport speaks for a released batch, an inspection for an accepted report."""

    PASSPORT = "passport"
    INSPECTION = "inspection"


class RevokeReason(StrEnum):
    """Permanent words; pages show them in the reader's language."""

    RECALLED = "recalled"
    WITHDRAWN = "withdrawn"
    KEY_REVOKED = "key-revoked"


_LIVING_PASSPORT = text("certificate_id IS NULL AND revoked_at IS NULL")
_LIVING_INSPECTION = text("certificate_id IS NOT NULL AND revoked_at IS NULL")


class Credential(Row, Base):
    """`jwt` is the compact JWS as it was issued and never changes, `sha256` the hash of its text, `kid` the thumbprint
    of the key that signed it. Its bit is `status_index` of the list `list_number`."""

    __tablename__ = "credential"
    __table_args__ = (
        UniqueConstraint("list_number", "status_index"),
        # Of each thing at most one credential is in force, whatever two jobs do at the same moment.
        Index(
            "uq_credential_living_passport",
            "batch_id",
            unique=True,
            sqlite_where=_LIVING_PASSPORT,
            postgresql_where=_LIVING_PASSPORT,
        ),
        Index(
            "uq_credential_living_inspection",
            "certificate_id",
            unique=True,
            sqlite_where=_LIVING_INSPECTION,
            postgresql_where=_LIVING_INSPECTION,
        ),
    )

    kind: Mapped[str] = mapped_column(String(12))
    batch_id: Mapped[int] = mapped_column(ForeignKey("batch.id"), index=True)
    certificate_id: Mapped[int | None] = mapped_column(ForeignKey("certificate.id"), index=True)
    jwt: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    kid: Mapped[str] = mapped_column(String(43))
    list_number: Mapped[int]
    status_index: Mapped[int]
    issued_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(String(20), default="")
    """A `RevokeReason` when revoked."""
    batch: Mapped[Batch] = relationship(lazy="joined")
    certificate: Mapped[Certificate | None] = relationship(lazy="joined")


class StatusList(Row, Base):
    """One published list. `bits` are what `jwt` says; `seq` counts its publications from 1, so that an older one can be
    told from a newer one."""

    __tablename__ = "status_list"

    number: Mapped[int] = mapped_column(unique=True)
    bits: Mapped[bytes] = mapped_column(LargeBinary)
    seq: Mapped[int]
    jwt: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(String(64))
    kid: Mapped[str] = mapped_column(String(43))
    at: Mapped[datetime]
