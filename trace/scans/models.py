"""One row per counted look-up."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from ..db.base import ScanBase


class Scan(ScanBase):
    """`visitor` is a keyed hash of a random cookie, `network` of address and browser with a key that changes daily.
    Neither leads back to a person; no address and no place is kept."""

    __tablename__ = "scan"
    __table_args__ = (Index("ix_scan_item_id_id", "item_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    item_id: Mapped[int]
    at: Mapped[datetime]
    visitor: Mapped[bytes] = mapped_column(LargeBinary(16))
    network: Mapped[bytes] = mapped_column(LargeBinary(16))
