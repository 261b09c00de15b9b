"""Links of the resolver: list, add, change, remove, bulk upload; trusted hosts; corrected numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from ...trace import clock
from ...trace.accounts.models import Role
from ...trace.batches import service as batches
from ...trace.errors import Invalid, LotsealError
from ...trace.links import service
from ...trace.links.intake import read_anchor, read_link, read_rows
from ...trace.links.models import Link
from ...trace.links.types import TYPES
from ...trace.products import service as products
from ..access import EVERYONE, STAFF, allow, rights, signed_in
from ..errors import by_field, status_of
from ..files import uploaded
from ..i18n import reader_language, sentence
from ..system import system
from .lists import listing, searched

blueprint = Blueprint("links", __name__, url_prefix="/staff/links")
blueprint.context_processor(rights)

EDITORS = STAFF | {Role.SUPPLIER}
MOST_BYTES = 5_000_000
MOST_SHOWN = 200
FIELDS = ("link_type", "href", "title", "languages", "media_type", "contexts", "is_default")

Answer = Response | str | tuple[str, int]


class _DryRun(Exception):
    """Ends a transaction whose rows are only tried."""


@blueprint.get("/")
@allow(*EVERYONE)
def index() -> Answer:
    under = _under()
    query = service.matching(service.visible(signed_in()), searched(), under)
    with system().main.read() as db:
        found = listing(
            db,
            query,
            by={"of": Link.anchor, "type": Link.link_type, "href": Link.href, "added": Link.added_at},
            default="of",
            also={"of": under},
        )
        trusted = {link.ref: link.href.startswith("/") or service.trusted(db, link.href) for link in found.rows}
        return render_template(
            "staff/links/index.html", list=found, trusted=trusted, under=under, of=_named(), type_name=type_name
        )


def _named() -> dict[str, str]:
    """What the address names, for the links to forms of this thing."""
    return {name: request.args[name][:40] for name in ("product", "batch") if request.args.get(name)}


def _under() -> str:
    """The anchor that the list is narrowed to: that of a product or batch, or any code; empty for all."""
    if anchor := _anchor_of(request.args):
        return anchor
    try:
        return read_anchor(request.args["of"]) if request.args.get("of") else ""
    except Invalid:
        return ""


def _anchor_of(named: Mapping[str, str]) -> str:
    """The anchor of the product or batch that a form or address names."""
    with system().main.read() as db:
        if ref := named.get("batch"):
            batch = batches.get(db, ref, account=signed_in())
            return read_anchor(f"(01){batch.product.gtin}(10){batch.lot}")
        if ref := named.get("product"):
            return f"/01/{products.get(db, ref, account=signed_in()).gtin}"
    return ""


def type_name(word: str) -> str:
    title = TYPES.get(word)
    return word if title is None else title.zh if reader_language() == "zh" else title.en


@blueprint.route("/new", methods=["GET", "POST"])
@allow(*EDITORS)
def add() -> Answer:
    if request.method == "GET":
        return _form(None, {"of": _anchor_of(request.args)})
    try:
        draft = read_link(request.form)
        with system().main.write() as db:
            service.add(db, draft, by=signed_in(), at=clock.now())
    except LotsealError as error:
        return _form(None, request.form, error)
    flash(_("The link was added."), "ok")
    return redirect(url_for(".index", of=draft.anchor), 303)


@blueprint.route("/<ref>/edit", methods=["GET", "POST"])
@allow(*EDITORS)
def edit(ref: str) -> Answer:
    with system().main.read() as db:
        link = service.get(db, ref, account=signed_in())
    if request.method == "GET":
        return _form(link, {"of": link.anchor} | {name: getattr(link, name) for name in FIELDS})
    try:
        draft = read_link(request.form)
        with system().main.write() as db:
            service.change(db, service.get(db, ref, account=signed_in()), draft, by=signed_in(), at=clock.now())
    except LotsealError as error:
        return _form(link, request.form, error)
    flash(_("The link was changed."), "ok")
    return redirect(url_for(".index", of=draft.anchor), 303)


@blueprint.post("/<ref>/remove")
@allow(*EDITORS)
def remove(ref: str) -> Answer:
    with system().main.write() as db:
        link = service.get(db, ref, account=signed_in())
        anchor = link.anchor
        service.remove(db, link, by=signed_in(), at=clock.now())
    flash(_("The link was removed."), "ok")
    return redirect(url_for(".index", of=anchor), 303)


def _form(link: Link | None, form: Mapping[str, Any], error: LotsealError | None = None) -> Answer:
    page = render_template(
        "staff/links/form.html",
        link=link,
        form=form,
        errors=by_field(error) if error else {},
        types=sorted(((word, f"{type_name(word)} (gs1:{word})") for word in TYPES), key=lambda pair: pair[1]),
    )
    return (page, status_of(error)) if error else page


# --- bulk upload ------------------------------------------------------------------------------------------------------


@blueprint.route("/import", methods=["GET", "POST"])
@allow(*EDITORS)
def upload() -> Answer:
    """All rows or none; a dry run says what would be."""
    if request.method == "GET":
        return render_template("staff/links/import.html", errors={}, wrong=[], left_out=0, tried=None)
    dry = not request.form.get("keep")
    try:
        with uploaded("table") as (path, _name):
            rows = read_rows(path.read_bytes()[: MOST_BYTES + 1])
        count = _tried(rows) if dry else _kept(rows)
    except LotsealError as error:
        return _refused_table(error)
    if dry:
        return render_template("staff/links/import.html", errors={}, wrong=[], left_out=0, tried=count)
    flash(ngettext("%(num)s link was added.", "%(num)s links were added.", count), "ok")
    return redirect(url_for(".index"), 303)


def _tried(rows: list[dict[str, str]]) -> int:
    try:
        with system().main.write() as db:
            count = len(service.add_all(db, rows, by=signed_in(), at=clock.now()))
            raise _DryRun
    except _DryRun:
        return count


def _kept(rows: list[dict[str, str]]) -> int:
    with system().main.write() as db:
        return len(service.add_all(db, rows, by=signed_in(), at=clock.now()))


def _refused_table(error: LotsealError) -> Answer:
    """What is wrong, row by row: row, column, rule, and the sentence with the mend."""
    wrong, whole = [], []
    for problem in error.problems:
        cell = re.fullmatch(r"rows-(\d+)\.(\w+)", problem.field or "")
        if cell:
            wrong.append((int(cell[1]), cell[2], problem.rule, sentence(problem.message)))
        else:
            whole.append(problem)
    page = render_template(
        "staff/links/import.html",
        errors=by_field(type(error)(*whole)) if whole else {},
        wrong=wrong[:MOST_SHOWN],
        left_out=max(0, len(wrong) - MOST_SHOWN),
        tried=None,
    )
    return page, status_of(error)


# --- trusted hosts ----------------------------------------------------------------------------------------------------


@blueprint.route("/hosts", methods=["GET", "POST"])
@allow(Role.ADMIN)
def hosts() -> Answer:
    error = None
    if request.method == "POST":
        try:
            with system().main.write() as db:
                service.allow_host(db, request.form.get("host", ""), by=signed_in(), at=clock.now())
        except LotsealError as refusal:
            error = refusal
        else:
            flash(_("The host is on the list now."), "ok")
            return redirect(url_for(".hosts"), 303)
    with system().main.read() as db:
        page = render_template(
            "staff/links/hosts.html",
            hosts=service.hosts(db),
            form=request.form,
            errors=by_field(error) if error else {},
        )
    return (page, status_of(error)) if error else page


@blueprint.post("/hosts/<ref>/remove")
@allow(Role.ADMIN)
def remove_host(ref: str) -> Answer:
    with system().main.write() as db:
        service.refuse_host(db, service.get_host(db, ref), by=signed_in(), at=clock.now())
    flash(_("The host is off the list."), "ok")
    return redirect(url_for(".hosts"), 303)


# --- corrected numbers ------------------------------------------------------------------------------------------------


@blueprint.route("/products/<ref>/renumber", methods=["GET", "POST"])
@allow(*STAFF)
def renumber_product(ref: str) -> Answer:
    if request.method == "GET":
        return _renumber_form("gtin", ref)
    try:
        with system().main.write() as db:
            product = products.get(db, ref, account=signed_in())
            service.correct_gtin(db, product, request.form, by=signed_in(), at=clock.now())
    except LotsealError as error:
        return _renumber_form("gtin", ref, error)
    flash(_("The number was corrected. Printed codes keep answering."), "ok")
    return redirect(url_for("products.show", ref=ref), 303)


@blueprint.route("/batches/<ref>/renumber", methods=["GET", "POST"])
@allow(*STAFF)
def renumber_batch(ref: str) -> Answer:
    if request.method == "GET":
        return _renumber_form("lot", ref)
    try:
        with system().main.write() as db:
            batch = batches.get(db, ref, account=signed_in())
            service.correct_lot(db, batch, request.form, by=signed_in(), at=clock.now())
    except LotsealError as error:
        return _renumber_form("lot", ref, error)
    flash(_("The number was corrected. Printed codes keep answering."), "ok")
    return redirect(url_for("batches.show", ref=ref), 303)


def _renumber_form(kind: str, ref: str, error: LotsealError | None = None) -> Answer:
    with system().main.read() as db:
        page = render_template(
            "staff/links/renumber.html",
            kind=kind,
            form=request.form,
            errors=by_field(error) if error else {},
            **_thing(db, kind, ref),
        )
    return (page, status_of(error)) if error else page


def _thing(db: Session, kind: str, ref: str) -> dict[str, Any]:
    if kind == "gtin":
        product = products.get(db, ref, account=signed_in())
        former = [(one.gtin, one) for one in products.former_numbers(db, product)]
        return {"thing": product, "number": product.gtin, "former": former}
    batch = batches.get(db, ref, account=signed_in())
    return {"thing": batch, "number": batch.lot, "former": [(one.lot, one) for one in batches.former_lots(db, batch)]}
