"""From what people know (a login, a licence, a GTIN and lot, a report number, a serial, a link) to the thing itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar
from urllib.parse import parse_qs, unquote, urlsplit

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from ...trace.accounts.models import Account
from ...trace.batches import service as batches
from ...trace.batches.models import Batch
from ...trace.certificates import service as certificates
from ...trace.certificates.models import Certificate
from ...trace.codes.gtin import read_gtin
from ...trace.errors import conflict, invalid, not_found, say
from ...trace.items import service as items
from ...trace.items.models import CodeRun, Item
from ...trace.labs import service as labs
from ...trace.labs.models import Laboratory
from ...trace.passport import typed
from ...trace.passport.service import Asked
from ...trace.products import service as products
from ...trace.products.models import Product
from ...trace.suppliers import service as suppliers
from ...trace.suppliers.models import Supplier

T = TypeVar("T")


def account(session: Session, login: str) -> Account:
    found = session.scalar(select(Account).where(Account.login == login.strip().lower()))
    if found is None:
        raise not_found("account.unknown", say("There is no account with this login. See «lotseal account list»."))
    return found


def supplier(session: Session, known_as: str) -> Supplier:
    """By reference or licence number."""
    by_licence = session.scalar(select(Supplier).where(Supplier.licence == known_as.strip().upper()))
    return by_licence or suppliers.get(session, known_as.strip())


def laboratory(session: Session, known_as: str) -> Laboratory:
    """By reference or an accreditation number."""
    return labs.named_by(session, known_as) or labs.get(session, known_as.strip())


def product(session: Session, gtin: str) -> Product:
    return products.by_gtin(session, read_gtin(gtin))


def batch(session: Session, gtin: str, lot: str) -> Batch:
    return batches.by_lot(session, read_gtin(gtin), lot.strip())


def certificate(session: Session, known_as: str) -> Certificate:
    """By reference or report number. Raises `Conflict` when several laboratories use the number."""
    found = session.scalars(certificates.visible(None).where(Certificate.number == known_as.strip())).all()
    if len(found) > 1:
        raise conflict(
            "certificate.ambiguous",
            say(
                "Several reports have this number. Name one by its reference: %(refs)s.",
                refs=", ".join(one.ref for one in found),
            ),
        )
    return found[0] if found else certificates.get(session, known_as.strip())


def read_link(text: str) -> Asked:
    """`https://host/01/{gtin}[/10/{lot}][/21/{serial}][?s=…]`. Raises `Invalid` with rule `link.form` or a GTIN's."""
    parts = urlsplit(text.strip())
    names = parts.path.split("/")[1::2]
    values = [unquote(part) for part in parts.path.split("/")[2::2]]
    if (
        len(names) != len(values)
        or names not in (["01"], ["01", "10"], ["01", "21"], ["01", "10", "21"])
        or not all(values)
    ):
        raise invalid(
            "url",
            "link.form",
            say(
                "This is no link of a code. "
                "It looks like https://t.example.cn/01/GTIN/10/LOT/21/SERIAL; copy all of it."
            ),
        )
    found = dict(zip(names, values, strict=True))
    signature = parse_qs(parts.query).get("s", [None])[0]
    return Asked(read_gtin(found["01"]), found.get("10"), found.get("21"), signature)


def asked(session: Session, text: str) -> Asked:
    """A link, or a typed serial of a code that was issued here."""
    if _is_link(text):
        return read_link(text)
    found = _typed(session, text)
    return Asked(found.gtin, found.lot, found.serial)


def item(session: Session, text: str) -> tuple[Item, CodeRun]:
    """By serial or link, with the run that it belongs to."""
    serial = (read_link(text).serial or "") if _is_link(text) else _typed(session, text).serial
    found = items.get_item(session, serial)
    return found, session.scalars(select(CodeRun).where(CodeRun.id == found.run_id)).one()


def _is_link(text: str) -> bool:
    return "/" in text


def _typed(session: Session, text: str) -> typed.Found:
    found = typed.find_item(session, text)
    if found is None:
        raise not_found("item.unknown", say("There is no such code."))
    return found


def page(session: Session, query: Select[T], limit: int) -> tuple[Sequence[T], int]:
    """The first `limit` rows and how many there are in all."""
    total = session.scalar(select(func.count()).select_from(query.order_by(None).subquery())) or 0
    return session.scalars(query.limit(limit)).all(), total
