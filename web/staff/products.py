"""Products and their categories: list, add, change, picture, the rule «needs a lab test before release»."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from ...trace import clock
from ...trace.accounts.models import Role
from ...trace.batches.models import Batch
from ...trace.carriers import symbols
from ...trace.carriers.contents import carriers_of, content_of
from ...trace.carriers.symbols import Carrier
from ...trace.errors import LotsealError, invalid, say
from ...trace.files import service as files
from ...trace.products import service
from ...trace.products.models import Category, Product
from ...trace.suppliers import service as suppliers
from ...trace.suppliers.models import Supplier
from ..access import EVERYONE, STAFF, allow, rights, signed_in
from ..errors import by_field, status_of
from ..files import uploaded
from ..system import system
from .choices import categories, firms
from .lists import chosen, listing, searched

blueprint = Blueprint("products", __name__, url_prefix="/staff/products")
blueprint.context_processor(rights)

EDITORS = STAFF | {Role.SUPPLIER}
NEWEST = 25
SYMBOL_NAMES: Final = MappingProxyType(
    {
        Carrier.QR: "QR",
        Carrier.GS1_QR: "GS1 QR",
        Carrier.DATA_MATRIX: "Data Matrix",
        Carrier.GS1_DATA_MATRIX: "GS1 DataMatrix",
        Carrier.GS1_128: "GS1-128",
        Carrier.EAN_13: "EAN-13",
        Carrier.EAN_8: "EAN-8",
        Carrier.UPC_A: "UPC-A",
        Carrier.ITF_14: "ITF-14",
        Carrier.DATABAR_EXPANDED: "GS1 DataBar Expanded",
    }
)
"""The names of the standards, the same in every language."""
FIELDS = ("gtin", "name_zh", "name_en", "spec", "after_sales_zh", "after_sales_en")

Answer = Response | str | tuple[str, int]


@blueprint.get("/")
@allow(*EVERYONE)
def index() -> Answer:
    query = service.matching(service.visible(signed_in()), searched()).join(Product.category)
    with system().main.read() as db:
        options = categories(db)
        category = chosen("category", [code for code, _name in options])
        if category:
            query = query.where(Category.code == category)
        found = listing(
            db,
            query,
            by={
                "name": Product.name_zh,
                "english": Product.name_en,
                "gtin": Product.gtin,
                "category": Category.code,
                "supplier": Supplier.name_zh,
                "added": Product.added_at,
            },
            default="-added",
            also={"category": category},
        )
        return render_template("staff/products/index.html", list=found, categories=options, category=category)


@blueprint.route("/new", methods=["GET", "POST"])
@allow(*EDITORS)
def add() -> Answer:
    if request.method == "GET":
        return _form(None)
    try:
        draft = service.read_product(request.form)
        with system().main.write() as db:
            ref = service.add(db, draft, _supplier(db), by=signed_in(), at=clock.now()).ref
    except LotsealError as error:
        return _form(None, error)
    flash(_("The product was added. Give it a picture, so that people recognise the pack."), "ok")
    return redirect(url_for(".show", ref=ref), 303)


def _supplier(db: Session) -> Supplier:
    """Whose product it will be: a supplier's account adds its own, staff choose. Raises `Invalid` without a choice."""
    account = signed_in()
    if account.role == Role.SUPPLIER:
        return db.scalars(suppliers.visible(account)).one()
    ref = request.form.get("supplier", "")
    if not ref:
        raise invalid("supplier", "choice.missing", say("Choose one from the list."))
    return suppliers.get(db, ref, account=account)


@blueprint.get("/<ref>")
@allow(*EVERYONE)
def show(ref: str) -> Answer:
    return _page(ref)


@blueprint.route("/<ref>/edit", methods=["GET", "POST"])
@allow(*EDITORS)
def edit(ref: str) -> Answer:
    with system().main.read() as db:
        product = service.get(db, ref, account=signed_in())
    if request.method == "GET":
        return _form(product)
    try:
        draft = service.read_product({**request.form.to_dict(), "gtin": product.gtin})
        with system().main.write() as db:
            service.change(db, service.get(db, ref, account=signed_in()), draft, by=signed_in(), at=clock.now())
    except LotsealError as error:
        return _form(product, error)
    flash(_("The product was changed."), "ok")
    return redirect(url_for(".show", ref=ref), 303)


@blueprint.post("/<ref>/picture")
@allow(*EDITORS)
def picture(ref: str) -> Answer:
    try:
        with system().main.read() as db:
            service.get(db, ref, account=signed_in())
        # Inspecting takes seconds and runs before the write transaction, so that it holds nobody up.
        with uploaded("picture") as (path, _name):
            small, original = files.take_in_picture(system().storage, path)
        with system().main.write() as db:
            product = service.get(db, ref, account=signed_in())
            service.set_picture(db, product, picture=small, original=original, by=signed_in(), at=clock.now())
    except LotsealError as error:
        return _page(ref, error)
    flash(_("The picture was stored."), "ok")
    return redirect(url_for(".show", ref=ref), 303)


@blueprint.get("/<ref>/symbol/<carrier>.<any(png, svg):kind>")
@allow(*EVERYONE)
def symbol(ref: str, carrier: str, kind: str) -> Answer:
    """A symbol of the product's number at its true size, for the design of its pack."""
    with system().main.read() as db:
        gtin = service.get(db, ref, account=signed_in()).gtin
    elements, stem = (("01", gtin),), system().settings.public_url
    if carrier not in carriers_of(elements, stem):
        abort(404)
    drawing = symbols.draw(Carrier(carrier), content_of(Carrier(carrier), elements, stem))
    response = Response(
        symbols.png(drawing, dpi=600) if kind == "png" else symbols.svg(drawing),
        mimetype="image/png" if kind == "png" else "image/svg+xml",
    )
    response.headers.set("Content-Disposition", "attachment", filename=f"{gtin}-{carrier}.{kind}")
    return response


@blueprint.get("/categories")
@allow(*EVERYONE)
def rules() -> Answer:
    """All categories with their rule."""
    with system().main.read() as db:
        return render_template("staff/products/categories.html", categories=service.categories(db))


@blueprint.route("/categories/new", methods=["GET", "POST"])
@allow(*STAFF)
def add_category() -> Answer:
    if request.method == "GET":
        return _category_form(None)
    try:
        draft = service.read_category(request.form)
        with system().main.write() as db:
            service.add_category(db, draft, by=signed_in(), at=clock.now())
    except LotsealError as error:
        return _category_form(None, error)
    flash(_("The category was added."), "ok")
    return redirect(url_for(".rules"), 303)


@blueprint.route("/categories/<ref>", methods=["GET", "POST"])
@allow(*STAFF)
def edit_category(ref: str) -> Answer:
    with system().main.read() as db:
        category = service.get_category(db, ref)
    if request.method == "GET":
        return _category_form(category)
    try:
        draft = service.read_category({**request.form.to_dict(), "code": category.code})
        with system().main.write() as db:
            service.change_category(db, service.get_category(db, ref), draft, by=signed_in(), at=clock.now())
    except LotsealError as error:
        return _category_form(category, error)
    flash(_("The category was changed. Its rule counts for releases from now on."), "ok")
    return redirect(url_for(".rules"), 303)


def _category_form(category: Category | None, error: LotsealError | None = None) -> Answer:
    names = ("code", "name_zh", "name_en", "requires_lab_test")
    form = {name: getattr(category, name) for name in names} if category else {"requires_lab_test": True}
    page = render_template(
        "staff/products/category.html",
        category=category,
        form=request.form if error else form,
        errors=by_field(error) if error else {},
    )
    return (page, status_of(error)) if error else page


def _form(product: Product | None, error: LotsealError | None = None) -> Answer:
    with system().main.read() as db:
        page = render_template(
            "staff/products/form.html",
            product=product,
            form=request.form if error else _typed(product),
            errors=by_field(error) if error else {},
            categories=categories(db),
            suppliers=[] if product else firms(db, signed_in()),
        )
    return (page, status_of(error)) if error else page


def _typed(product: Product | None) -> dict[str, str]:
    """What stands in the form at first."""
    if product is None:
        return {name: request.args.get(name, "")[:40] for name in ("supplier", "category")}
    return {name: getattr(product, name) for name in FIELDS} | {"category": product.category.code}


def _of_picture(error: LotsealError) -> dict[str, list[str]]:
    """What is wrong with an upload; the inspection calls every upload «file»."""
    return {"picture" if field == "file" else field: texts for field, texts in by_field(error).items()}


def _page(ref: str, error: LotsealError | None = None) -> Answer:
    with system().main.read() as db:
        product = service.get(db, ref, account=signed_in())
        query = select(Batch).where(Batch.product_id == product.id).order_by(Batch.id.desc()).limit(NEWEST)
        page = render_template(
            "staff/products/show.html",
            product=product,
            batches=db.scalars(query).unique().all(),
            newest=NEWEST,
            symbols=[
                (carrier, SYMBOL_NAMES[carrier])
                for carrier in carriers_of((("01", product.gtin),), system().settings.public_url)
            ],
            errors=_of_picture(error) if error else {},
        )
    return (page, status_of(error)) if error else page
