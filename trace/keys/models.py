"""The key history. Private halves lie encrypted in the key folder, never here."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, String
from sqlalchemy.orm import Mapped, mapped_column

from ..db.base import Base, Row


class SigningKey(Row, Base):
    """A key pair (`public_jwk` is there) or the secret behind the tags (it is not). `letter` names a key pair inside
    tier B codes. A retired key makes no new codes; the codes that it made stay valid."""

    __tablename__ = "signing_key"

    kid: Mapped[str] = mapped_column(String(43), unique=True)
    role: Mapped[str] = mapped_column(String(16))
    letter: Mapped[str | None] = mapped_column(String(1), unique=True)
    public_jwk: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    added_at: Mapped[datetime]
    retired_at: Mapped[datetime | None]
