"""`lotseal supplier`."""

from __future__ import annotations

import click
from sqlalchemy import select

from ...trace.accounts.service import OPERATOR
from ...trace.errors import say
from ...trace.suppliers import service
from ...trace.suppliers.models import Supplier
from . import find, shapes
from .context import done, json_option, listing, reading, show, writing
from .options import fields, given, search_options


@click.group()
def supplier() -> None:
    """Suppliers. SUPPLIER is a reference or a licence number."""


@supplier.command("add")
@json_option
@fields(
    name_zh="Name in Chinese.",
    name_en="Name in English.",
    country="Two-letter code, such as CN.",
    licence="Licence number; in China the unified social credit code.",
    contact="Whom to ask.",
)
def add(**raw: str | None) -> None:
    """Add a supplier."""
    draft = service.read_supplier(given(raw))
    with writing() as work:
        row = service.add(work.session, draft, by=OPERATOR, at=work.at)
        facts = shapes.supplier(row)
    done(facts, say("Supplier %(name)s is added: %(ref)s", name=facts["name_zh"], ref=facts["ref"]))


@supplier.command("list")
@json_option
@search_options
def list_(search: str, limit: int) -> None:
    """List suppliers."""
    with reading() as work:
        query = service.matching(select(Supplier), search).order_by(Supplier.id)
        rows, total = find.page(work.session, query, limit)
        facts = [shapes.supplier(row) for row in rows]
    listing("suppliers", facts, ("ref", "name_zh", "name_en", "country", "licence", "suspended"), total=total)


@supplier.command("show")
@json_option
@click.argument("supplier")
def show_(supplier: str) -> None:
    """Show one supplier."""
    with reading() as work:
        facts = shapes.supplier(find.supplier(work.session, supplier))
    show(facts)


@supplier.command("suspend")
@json_option
@click.argument("supplier")
@fields(reason="Why; the pages of its codes say that it is suspended.")
def suspend(supplier: str, reason: str | None) -> None:
    """No new codes for this supplier from now on."""
    with writing() as work:
        row = find.supplier(work.session, supplier)
        service.suspend(work.session, row, reason or "", by=OPERATOR, at=work.at)
        facts = shapes.supplier(row)
    done(facts, say("%(name)s is suspended.", name=facts["name_zh"]))


@supplier.command("resume")
@json_option
@click.argument("supplier")
def resume(supplier: str) -> None:
    """Lift a suspension."""
    with writing() as work:
        row = find.supplier(work.session, supplier)
        service.resume(work.session, row, by=OPERATOR, at=work.at)
        facts = shapes.supplier(row)
    done(facts, say("%(name)s is no longer suspended.", name=facts["name_zh"]))
