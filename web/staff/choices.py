"""What select fields offer, in the reader's language."""

from __future__ import annotations

from sqlalchemy.orm import Session

from ...trace.accounts.models import Account
from ...trace.countries import COUNTRIES
from ...trace.products import service as products
from ...trace.suppliers import service as suppliers
from ...trace.suppliers.models import Supplier
from ..formats import country
from ..i18n import pick

Options = list[tuple[str, str]]


def countries() -> Options:
    """Codes with names, by name."""
    return sorted(((code, f"{country(code)} ({code})") for code in COUNTRIES), key=lambda option: option[1])


def categories(db: Session) -> Options:
    return [(category.code, pick(category, "name")) for category in products.categories(db)]


def firms(db: Session, account: Account | None) -> Options:
    """The suppliers that an account may choose from."""
    found = db.scalars(suppliers.visible(account).order_by(Supplier.name_zh))
    return [(supplier.ref, pick(supplier, "name")) for supplier in found]
