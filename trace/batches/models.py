"""Batches and the notes that belong to their states."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..db.base import Base, Row
from ..products.models import Product
from ..suppliers.models import Supplier


class BatchState(StrEnum):
    """draft → awaiting-tests → released → held → recalled → closed. The words are permanent."""

    DRAFT = "draft"
    AWAITING_TESTS = "awaiting-tests"
    RELEASED = "released"
    HELD = "held"
    RECALLED = "recalled"
    CLOSED = "closed"


class Unit(StrEnum):
    """Units of a batch's quantity (UN/CEFACT words in plain letters)."""

    PIECES = "pcs"
    KILOGRAMS = "kg"
    GRAMS = "g"
    TONNES = "t"
    LITRES = "l"
    MILLILITRES = "ml"


class Batch(Row, Base):
    """One lot of one product. `lot` is ours, `supplier_lot` is what the supplier calls it."""

    __tablename__ = "batch"
    __table_args__ = (UniqueConstraint("product_id", "lot"),)

    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"), index=True)
    supplier_id: Mapped[int] = mapped_column(ForeignKey("supplier.id"), index=True)
    lot: Mapped[str] = mapped_column(String(20))
    supplier_lot: Mapped[str] = mapped_column(String(60), default="", index=True)
    state: Mapped[str] = mapped_column(String(20), default=BatchState.DRAFT, index=True)
    place: Mapped[str] = mapped_column(String(200), default="")
    region: Mapped[str] = mapped_column(String(200), default="")
    country: Mapped[str] = mapped_column(String(2), default="")
    latitude: Mapped[Decimal | None]
    longitude: Mapped[Decimal | None]
    producer: Mapped[str] = mapped_column(String(200), default="")
    site: Mapped[str] = mapped_column(String(200), default="")
    produced_on: Mapped[date | None]
    expires_on: Mapped[date | None]
    quantity: Mapped[Decimal | None]
    unit: Mapped[str] = mapped_column(String(8), default=Unit.PIECES)
    inputs: Mapped[str] = mapped_column(Text, default="")
    hold_reason_zh: Mapped[str] = mapped_column(String(500), default="")
    hold_reason_en: Mapped[str] = mapped_column(String(500), default="")
    held_from: Mapped[str | None] = mapped_column(String(20))
    """The state to go back to when the hold is lifted."""
    added_at: Mapped[datetime]
    added_by: Mapped[str] = mapped_column(String(200))
    product: Mapped[Product] = relationship(lazy="joined")
    supplier: Mapped[Supplier] = relationship(lazy="joined")


class StateChange(Row, Base):
    """Each step of a batch's way, with its reason."""

    __tablename__ = "batch_state_change"

    batch_id: Mapped[int] = mapped_column(ForeignKey("batch.id"), index=True)
    state: Mapped[str] = mapped_column(String(20))
    reason: Mapped[str] = mapped_column(String(500), default="")
    at: Mapped[datetime]
    by: Mapped[str] = mapped_column(String(200))


class FormerLot(Row, Base):
    """A number that a batch had before it was corrected. It stands on printed codes, so it keeps leading here and is
    never given to another batch of the product."""

    __tablename__ = "former_lot"
    __table_args__ = (UniqueConstraint("product_id", "lot"),)

    batch_id: Mapped[int] = mapped_column(ForeignKey("batch.id"), index=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"))
    lot: Mapped[str] = mapped_column(String(20))
    reason: Mapped[str] = mapped_column(String(500))
    at: Mapped[datetime]
    by: Mapped[str] = mapped_column(String(200))


class RecallNotice(Row, Base):
    """What the public reads when a batch is recalled."""

    __tablename__ = "recall_notice"

    batch_id: Mapped[int] = mapped_column(ForeignKey("batch.id"), unique=True)
    reason_zh: Mapped[str] = mapped_column(String(500))
    reason_en: Mapped[str] = mapped_column(String(500))
    remedy_zh: Mapped[str] = mapped_column(String(500))
    remedy_en: Mapped[str] = mapped_column(String(500))
    phone: Mapped[str] = mapped_column(String(60))
    at: Mapped[datetime]
    by: Mapped[str] = mapped_column(String(200))


class BatchCorrection(Row, Base):
    """A fact changed after release. The released value stays readable beside it."""

    __tablename__ = "batch_correction"

    batch_id: Mapped[int] = mapped_column(ForeignKey("batch.id"), index=True)
    field: Mapped[str] = mapped_column(String(40))
    before: Mapped[str] = mapped_column(Text)
    after: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(String(500))
    at: Mapped[datetime]
    by: Mapped[str] = mapped_column(String(200))
