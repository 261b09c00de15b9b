"""Accounts and their server-side sessions."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..db.base import Base, Row


class Role(StrEnum):
    """What an account may do; the words are permanent."""

    ADMIN = "admin"
    QUALITY = "quality"
    SUPPLIER = "supplier"
    AUDITOR = "auditor"


class Account(Row, Base):
    """A person who signs in. Supplier accounts see their own supplier's things and nothing else."""

    __tablename__ = "account"

    login: Mapped[str] = mapped_column(String(120), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    role: Mapped[str] = mapped_column(String(16))
    password_hash: Mapped[str] = mapped_column(String(200))
    supplier_id: Mapped[int | None] = mapped_column(ForeignKey("supplier.id"))
    active: Mapped[bool] = mapped_column(default=True)
    added_at: Mapped[datetime]
    added_by: Mapped[str] = mapped_column(String(200))


class LoginSession(Row, Base):
    """One signed-in browser. Only the hash of its token is kept, so a stolen database opens no session."""

    __tablename__ = "login_session"

    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    started_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    browser: Mapped[str] = mapped_column(String(200), default="")
    account: Mapped[Account] = relationship(lazy="joined")
