"""Add, change, suspend and resume suppliers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from .. import log
from ..accounts.models import Account, Role
from ..countries import COUNTRIES
from ..db.search import containing
from ..errors import conflict, not_found, say
from ..intake import Intake
from ..log import Act, Actor
from .licence import read_credit_code
from .models import Supplier

PRIVATE = ("contact",)
"""Facts about people: the log tells them beside the actor only."""


@dataclass(frozen=True)
class SupplierDraft:
    name_zh: str
    name_en: str
    country: str
    licence: str
    contact: str


def read_supplier(raw: Mapping[str, str]) -> SupplierDraft:
    """Raises `Invalid` naming every field that is wrong."""
    intake = Intake(raw)
    country = intake.country("country", COUNTRIES)
    if country == "CN":
        licence = intake.own("licence", read_credit_code, placeholder="", required=False)
    else:
        licence = intake.text("licence", most=40, required=False)
    draft = SupplierDraft(
        name_zh=intake.text("name_zh", most=100),
        name_en=intake.text("name_en", most=100),
        country=country,
        licence=licence,
        contact=intake.text("contact", required=False),
    )
    intake.done()
    return draft


def add(session: Session, draft: SupplierDraft, *, by: Actor, at: datetime) -> Supplier:
    """Raises `Conflict` when a supplier with this licence is there already."""
    _refuse_same_licence(session, draft, but=None)
    supplier = Supplier(**asdict(draft), added_at=at, added_by=by.name)
    session.add(supplier)
    session.flush()
    about = f"supplier:{supplier.ref}"
    log.record(session, Act.SUPPLIER_ADD, by=by, at=at, subject=about, private=PRIVATE, **asdict(draft))
    return supplier


def change(session: Session, supplier: Supplier, draft: SupplierDraft, *, by: Actor, at: datetime) -> None:
    _refuse_same_licence(session, draft, but=supplier)
    before = {name: getattr(supplier, name) for name in asdict(draft)}
    for name, value in asdict(draft).items():
        setattr(supplier, name, value)
    changed = {name: [before[name], value] for name, value in asdict(draft).items() if before[name] != value}
    about = f"supplier:{supplier.ref}"
    log.record(session, Act.SUPPLIER_CHANGE, by=by, at=at, subject=about, private=PRIVATE, changed=changed)


def _refuse_same_licence(session: Session, draft: SupplierDraft, *, but: Supplier | None) -> None:
    if not draft.licence:
        return
    twin = session.scalar(
        select(Supplier).where(Supplier.licence == draft.licence, Supplier.id != (but.id if but else 0))
    )
    if twin:
        raise conflict(
            "supplier.licence-taken",
            say("%(name)s already has this licence number. Open that supplier instead.", name=twin.name_zh),
            field="licence",
        )


def suspend(session: Session, supplier: Supplier, reason: str, *, by: Actor, at: datetime) -> None:
    """No new codes from now on; the pages of codes already out say that the supplier is suspended."""
    intake = Intake({"reason": reason})
    text = intake.text("reason", most=500, lines=True)
    intake.done()
    if supplier.suspended:
        raise conflict("supplier.suspended", say("This supplier is suspended already."))
    supplier.suspended_at = at
    supplier.suspended_reason = text
    log.record(session, Act.SUPPLIER_SUSPEND, by=by, at=at, subject=f"supplier:{supplier.ref}", reason=text)


def resume(session: Session, supplier: Supplier, *, by: Actor, at: datetime) -> None:
    if not supplier.suspended:
        raise conflict("supplier.not-suspended", say("This supplier is not suspended."))
    supplier.suspended_at = None
    supplier.suspended_reason = ""
    log.record(session, Act.SUPPLIER_RESUME, by=by, at=at, subject=f"supplier:{supplier.ref}")


def visible(account: Account | None) -> Select[Supplier]:
    """The suppliers that an account may see; None is the operator's command line, which sees all."""
    query = select(Supplier)
    if account is not None and account.role == Role.SUPPLIER:
        query = query.where(Supplier.id == account.supplier_id)
    return query


def matching(query: Select[Supplier], search: str) -> Select[Supplier]:
    if not search:
        return query
    return query.where(containing(search, Supplier.name_zh, Supplier.name_en, Supplier.licence))


def get(session: Session, ref: str, *, account: Account | None = None) -> Supplier:
    """Raises `NotFound` also when the account may not see it: a stranger learns nothing from the difference."""
    supplier = session.scalar(visible(account).where(Supplier.ref == ref))
    if supplier is None:
        raise not_found("supplier.unknown", say("There is no such supplier."))
    return supplier
