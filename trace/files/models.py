"""What is known of a stored file. The bytes lie in the storage under their SHA-256."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, String
from sqlalchemy.orm import Mapped, mapped_column

from ..db.base import Base, Row


class StoredFile(Row, Base):
    """One accepted upload. `page_images` is a list of {"sha256", "width", "height", "size"}, sizes in pixels, bytes."""

    __tablename__ = "stored_file"

    sha256: Mapped[str] = mapped_column(String(64), unique=True)
    size: Mapped[int]
    kind: Mapped[str] = mapped_column(String(8))
    """pdf | png | jpeg | webp"""
    name: Mapped[str] = mapped_column(String(255))
    pages: Mapped[int]
    has_text_layer: Mapped[bool]
    page_images: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    signatures: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """`signatures.Signatures.plain()` of a PDF; None when it came in before anybody looked."""
    added_at: Mapped[datetime]
    added_by: Mapped[str] = mapped_column(String(200))
