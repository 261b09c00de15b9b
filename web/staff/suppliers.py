"""Suppliers: list, add, change, suspend and resume. A supplier's own account sees its own record and nothing else."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from ...trace import clock
from ...trace.accounts.models import Role
from ...trace.batches import service as batches
from ...trace.batches.models import Batch
from ...trace.errors import LotsealError
from ...trace.products.models import Product
from ...trace.suppliers import service
from ...trace.suppliers.models import Supplier
from ..access import EVERYONE, STAFF, allow, rights, signed_in
from ..errors import by_field, status_of
from ..system import system
from . import names
from .choices import countries
from .lists import chosen, listing, searched

blueprint = Blueprint("suppliers", __name__, url_prefix="/staff/suppliers")
blueprint.context_processor(rights)

STATES = ("active", "suspended")
NEWEST = 25

Answer = Response | str | tuple[str, int]


@blueprint.get("/")
@allow(*EVERYONE)
def index() -> Answer:
    account = signed_in()
    state = chosen("state", STATES)
    query = service.matching(service.visible(account), searched())
    if state:
        query = query.where(
            Supplier.suspended_at.is_(None) if state == "active" else Supplier.suspended_at.is_not(None)
        )
    with system().main.read() as db:
        if account.role == Role.SUPPLIER:
            own = db.scalars(service.visible(account)).one()
            return redirect(url_for(".show", ref=own.ref))
        found = listing(
            db,
            query,
            by={
                "name": Supplier.name_zh,
                "english": Supplier.name_en,
                "country": Supplier.country,
                "added": Supplier.added_at,
            },
            default="name",
            also={"state": state},
        )
        return render_template("staff/suppliers/index.html", list=found, state=state)


@blueprint.route("/new", methods=["GET", "POST"])
@allow(*STAFF)
def add() -> Answer:
    if request.method == "GET":
        return _form(None)
    try:
        draft = service.read_supplier(request.form)
        with system().main.write() as db:
            ref = service.add(db, draft, by=signed_in(), at=clock.now()).ref
    except LotsealError as error:
        return _form(None, error)
    flash(_("The supplier was added."), "ok")
    return redirect(url_for(".show", ref=ref), 303)


@blueprint.get("/<ref>")
@allow(*EVERYONE)
def show(ref: str) -> Answer:
    return _page(ref)


@blueprint.route("/<ref>/edit", methods=["GET", "POST"])
@allow(*STAFF)
def edit(ref: str) -> Answer:
    with system().main.read() as db:
        supplier = service.get(db, ref, account=signed_in())
    if request.method == "GET":
        if supplier.contact and not names.shown():
            names.look(request.path)
        return _form(supplier)
    try:
        draft = service.read_supplier(request.form)
        with system().main.write() as db:
            service.change(db, service.get(db, ref, account=signed_in()), draft, by=signed_in(), at=clock.now())
    except LotsealError as error:
        return _form(supplier, error)
    flash(_("The supplier was changed."), "ok")
    return redirect(url_for(".show", ref=ref), 303)


@blueprint.post("/<ref>/suspend")
@allow(*STAFF)
def suspend(ref: str) -> Answer:
    reason = request.form.get("reason", "")
    try:
        with system().main.write() as db:
            service.suspend(db, service.get(db, ref, account=signed_in()), reason, by=signed_in(), at=clock.now())
    except LotsealError as error:
        return _page(ref, error)
    flash(_("The supplier is suspended. Its batches get no new codes."), "ok")
    return redirect(url_for(".show", ref=ref), 303)


@blueprint.post("/<ref>/resume")
@allow(*STAFF)
def resume(ref: str) -> Answer:
    try:
        with system().main.write() as db:
            service.resume(db, service.get(db, ref, account=signed_in()), by=signed_in(), at=clock.now())
    except LotsealError as error:
        return _page(ref, error)
    flash(_("The supplier may have new codes again."), "ok")
    return redirect(url_for(".show", ref=ref), 303)


def _form(supplier: Supplier | None, error: LotsealError | None = None) -> Answer:
    page = render_template(
        "staff/suppliers/form.html",
        supplier=supplier,
        form=request.form if error else _typed(supplier),
        errors=by_field(error) if error else {},
        countries=countries(),
    )
    return (page, status_of(error)) if error else page


def _typed(supplier: Supplier | None) -> dict[str, str]:
    """What stands in the form at first."""
    if supplier is None:
        return {"country": "CN"}
    return {name: getattr(supplier, name) for name in ("name_zh", "name_en", "country", "licence", "contact")}


def _page(ref: str, error: LotsealError | None = None) -> Answer:
    with system().main.read() as db:
        supplier = service.get(db, ref, account=signed_in())
        page = render_template(
            "staff/suppliers/show.html",
            supplier=supplier,
            products=_products(db, supplier),
            batches=db.scalars(batches.of_supplier(supplier).order_by(Batch.id.desc()).limit(NEWEST)).unique().all(),
            newest=NEWEST,
            form=request.form,
            errors=by_field(error) if error else {},
        )
    return (page, status_of(error)) if error else page


def _products(db: Session, supplier: Supplier) -> list[Product]:
    query = select(Product).where(Product.supplier_id == supplier.id).order_by(Product.id.desc()).limit(NEWEST)
    return list(db.scalars(query).unique())
