"""The frozen, signed record of a batch at its release."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from ..db.base import Base, Row


class Release(Row, Base):
    """`document` is canonical JSON (RFC 8785), `signature` 64 bytes ES256 over it by the credential key `kid`."""

    __tablename__ = "release"

    batch_id: Mapped[int] = mapped_column(ForeignKey("batch.id"), unique=True)
    document: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(String(64))
    kid: Mapped[str] = mapped_column(String(43))
    signature: Mapped[bytes] = mapped_column(LargeBinary(64))
    at: Mapped[datetime]
    by: Mapped[str] = mapped_column(String(200))
