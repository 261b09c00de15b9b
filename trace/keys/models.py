"""The key history. Private halves lie encrypted in the key folder or on a token, never here."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, String
from sqlalchemy.orm import Mapped, mapped_column

from ..db.base import Base, Row


class Home(StrEnum):
    """Where the private half lives: a file of the key folder, a PKCS#11 token, or off-line (the root)."""

    FILE = "file"
    PKCS11 = "pkcs11"
    OFFLINE = "offline"


class SigningKey(Row, Base):
    """A key pair (`public_jwk` is there) or the secret behind the tags (it is not). `letter` names a key pair inside
    tier B codes. A retired key makes nothing new; what it made stays valid. Of a revoked key nothing counts that was
    signed at or after `revoked_at`; it is retired too. `token_uri` names a key on a token: `hsm:<id>?label=<token>`."""

    __tablename__ = "signing_key"

    kid: Mapped[str] = mapped_column(String(43), unique=True)
    role: Mapped[str] = mapped_column(String(16))
    letter: Mapped[str | None] = mapped_column(String(1), unique=True)
    public_jwk: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    home: Mapped[str] = mapped_column(String(10), default=Home.FILE)
    token_uri: Mapped[str | None] = mapped_column(String(300))
    added_at: Mapped[datetime]
    retired_at: Mapped[datetime | None]
    reason: Mapped[str | None] = mapped_column(String(500))
    revoked_at: Mapped[datetime | None]
    revoked_reason: Mapped[str | None] = mapped_column(String(500))

    @property
    def algorithm(self) -> str:
        """ES256, Ed25519 or, for the secret behind the tags, HMAC-SHA256."""
        return "HMAC-SHA256" if self.public_jwk is None else str(self.public_jwk.get("alg", ""))

    @property
    def state(self) -> str:
        """current, retired or revoked."""
        if self.revoked_at is not None:
            return "revoked"
        return "current" if self.retired_at is None else "retired"
