"""Categories and products."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..codes.gtin import is_internal
from ..db.base import Base, Row
from ..suppliers.models import Supplier


class Category(Row, Base):
    """A kind of goods with its rule: may a batch be released without a laboratory test?"""

    __tablename__ = "category"

    code: Mapped[str] = mapped_column(String(40), unique=True)
    name_zh: Mapped[str] = mapped_column(String(100))
    name_en: Mapped[str] = mapped_column(String(100))
    requires_lab_test: Mapped[bool] = mapped_column(default=True)


class Product(Row, Base):
    """A trade item. `gtin` is always kept as 14 digits."""

    __tablename__ = "product"

    gtin: Mapped[str] = mapped_column(String(14), unique=True)
    name_zh: Mapped[str] = mapped_column(String(200))
    name_en: Mapped[str] = mapped_column(String(200))
    spec: Mapped[str] = mapped_column(String(100), default="")
    category_id: Mapped[int] = mapped_column(ForeignKey("category.id"))
    supplier_id: Mapped[int] = mapped_column(ForeignKey("supplier.id"), index=True)
    after_sales_zh: Mapped[str] = mapped_column(Text, default="")
    after_sales_en: Mapped[str] = mapped_column(Text, default="")
    picture: Mapped[str | None] = mapped_column(String(64))
    """SHA-256 of the page picture (WebP)."""
    picture_original: Mapped[str | None] = mapped_column(String(64))
    added_at: Mapped[datetime]
    added_by: Mapped[str] = mapped_column(String(200))
    category: Mapped[Category] = relationship(lazy="joined")
    supplier: Mapped[Supplier] = relationship(lazy="joined")

    @property
    def internal(self) -> bool:
        return is_internal(self.gtin)


class FormerGtin(Row, Base):
    """A number that a product had before it was corrected. It stands on printed codes, so it keeps leading here and is
    never given to another product."""

    __tablename__ = "former_gtin"

    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"), index=True)
    gtin: Mapped[str] = mapped_column(String(14), unique=True)
    reason: Mapped[str] = mapped_column(String(500))
    at: Mapped[datetime]
    by: Mapped[str] = mapped_column(String(200))
