"""`lotseal product` and `lotseal category`."""

from __future__ import annotations

from pathlib import Path

import click
from sqlalchemy import select

from ...trace import clock
from ...trace.accounts.service import OPERATOR
from ...trace.errors import invalid, say
from ...trace.files import service as files
from ...trace.links import service as links
from ...trace.products import service
from ...trace.products.models import Product
from ...trace.suppliers.models import Supplier
from . import find, shapes
from .context import changing, done, json_option, listing, reading, show, writing
from .options import fields, given, search_options


@click.group()
def category() -> None:
    """Kinds of goods, each with its rule for release."""


@category.command("add")
@json_option
@fields(code="A short permanent word, such as tea.", name_zh="Name in Chinese.", name_en="Name in English.")
@click.option(
    "--requires-lab-test/--no-requires-lab-test",
    default=True,
    show_default=True,
    help="Whether a batch needs an accepted laboratory report before release.",
)
def add_category(requires_lab_test: bool, **raw: str | None) -> None:
    """Add a category."""
    draft = service.read_category(given({**raw, "requires_lab_test": requires_lab_test}))
    with writing() as work:
        facts = shapes.category(service.add_category(work.session, draft, by=OPERATOR, at=work.at))
    done(facts, say("Category %(code)s is added.", code=facts["code"]))


@category.command("list")
@json_option
def list_categories() -> None:
    """List categories."""
    with reading() as work:
        facts = [shapes.category(row) for row in service.categories(work.session)]
    listing("categories", facts, ("code", "name_zh", "name_en", "requires_lab_test"))


@click.group()
def product() -> None:
    """Products, named by their GTIN."""


@product.command("add")
@json_option
@fields(
    gtin="8, 12, 13 or 14 digits.",
    name_zh="Name in Chinese.",
    name_en="Name in English.",
    spec="Size or kind, such as 100 g.",
    category="Code of its category.",
    supplier="Reference or licence number of its supplier.",
    after_sales_zh="After-sales text in Chinese.",
    after_sales_en="After-sales text in English.",
)
def add(**raw: str | None) -> None:
    """Add a product."""
    facts = given(raw)
    draft = service.read_product(facts)
    if "supplier" not in facts:
        raise invalid("supplier", "choice.missing", say("Choose one from the list."))
    with writing() as work:
        supplier = find.supplier(work.session, facts["supplier"])
        made = shapes.product(service.add(work.session, draft, supplier, by=OPERATOR, at=work.at))
    done(made, say("Product %(gtin)s %(name)s is added.", gtin=made["gtin"], name=made["name_zh"]))


@product.command("list")
@json_option
@search_options
def list_(search: str, limit: int) -> None:
    """List products."""
    with reading() as work:
        query = service.matching(select(Product).join(Supplier), search).order_by(Product.gtin)
        rows, total = find.page(work.session, query, limit)
        facts = [shapes.product(row) for row in rows]
    listing("products", facts, ("gtin", "name_zh", "name_en", "spec", "category", "supplier_name"), total=total)


@product.command("show")
@json_option
@click.argument("gtin", metavar="GTIN")
def show_(gtin: str) -> None:
    """Show one product."""
    with reading() as work:
        facts = shapes.product(find.product(work.session, gtin))
    show(facts)


@product.command("picture")
@json_option
@click.argument("gtin", metavar="GTIN")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def picture(gtin: str, file: Path) -> None:
    """Set a product's picture from FILE (PNG, JPEG or WebP)."""
    with changing() as system:
        with system.main.read() as session:
            find.product(session, gtin)
        small, original = files.take_in_picture(system.storage, file)
        with system.main.write() as session:
            row = find.product(session, gtin)
            service.set_picture(session, row, picture=small, original=original, by=OPERATOR, at=clock.now())
            facts = shapes.product(row)
    done(facts, say("The picture of %(gtin)s is set.", gtin=facts["gtin"]))


@product.command("renumber")
@json_option
@click.argument("gtin", metavar="GTIN")
@click.argument("new", metavar="NEW")
@fields(reason="Why; the public reads it.")
def renumber(gtin: str, new: str, reason: str | None) -> None:
    """Correct a wrong GTIN to NEW; printed codes keep answering."""
    with writing() as work:
        row = find.product(work.session, gtin)
        raw = {"gtin": new, "reason": reason or ""}
        links.correct_gtin(work.session, row, raw, by=OPERATOR, at=work.at)
        facts = shapes.product(row)
    done(facts, say("The product has the number %(gtin)s now.", gtin=facts["gtin"]))
