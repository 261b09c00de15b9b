"""What people type by hand, forgiven where it can be, led to the record."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...signing.errors import Malformed
from ...signing.item import RANDOM_SIZE, normalise_typed_serial
from ..batches.models import Batch, FormerLot
from ..errors import invalid, say
from ..items.models import Item
from ..products.models import FormerGtin, Product


@dataclass(frozen=True)
class Found:
    gtin: str
    lot: str
    serial: str


def read_serial(text: str) -> str:
    """10 or 20 characters of the serial alphabet. Raises `Invalid` naming the character that never occurs, or the
    count."""
    try:
        return normalise_typed_serial(text)
    except Malformed as error:
        if error.rule == "serial.character":
            raise invalid(
                "serial",
                "serial.character",
                say(
                    "Character %(position)s (%(character)s) does not occur in our serial numbers. "
                    "Compare it with the pack: 0, 1, I, L and O are never used.",
                    **error.facts,
                ),
            ) from None
        raise invalid(
            "serial",
            "serial.length",
            say(
                "A serial number has 20 characters in groups of five; this has %(length)s. "
                "The first two groups are enough.",
                length=error.facts.get("length", 0),
            ),
        ) from None


def find_item(session: Session, text: str) -> Found | None:
    """The item of a typed serial; its first ten characters are enough, for they are random and unique."""
    serial = read_serial(text)
    query = (
        select(Product.gtin, Batch.lot, Item.serial)
        .select_from(Item)
        .join(Batch, Batch.id == Item.batch_id)
        .join(Product, Product.id == Batch.product_id)
    )
    if len(serial) == RANDOM_SIZE:
        # A range instead of LIKE: every database walks the unique index for it.
        query = query.where(Item.serial > serial, Item.serial < serial + "~")
    else:
        query = query.where(Item.serial == serial)
    rows = session.execute(query.limit(2)).all()
    return Found(*rows[0]) if len(rows) == 1 else None


def known_spelling(session: Session, gtin: str, lot: str) -> str:
    """The lot as it is in the record when only capitals differ, else as it was typed."""
    product = (
        select(Product.id)
        .where(Product.gtin == gtin)
        .union(select(FormerGtin.product_id).where(FormerGtin.gtin == gtin))
    )
    for spelling in (lot, lot.upper()):
        for row in (Batch, FormerLot):
            if session.scalar(select(row.id).where(row.product_id.in_(product), row.lot == spelling)):
                return spelling
    return lot
