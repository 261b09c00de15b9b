"""Codes and labels: order runs of codes, watch them being issued, take codes out of use. Printing: prints.py."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as Answer

from ...signing.item import ALPHABET, SERIAL_SIZE
from ...trace import clock
from ...trace.batches import service as batches
from ...trace.batches.models import Batch
from ...trace.carriers import qr
from ...trace.db.search import containing
from ...trace.errors import Invalid, LotsealError, NotFound, Problem, say
from ...trace.items import service as items
from ...trace.items.models import CodeRun, Item, Tier
from ...trace.jobs.models import Job, JobState
from ...trace.labels import service as labels
from ...trace.labels.sheet import SMALLEST_LARGE_SYMBOL_MM, SMALLEST_SYMBOL_MM, place
from ...trace.passport import typed
from ...trace.products.models import Product
from ..access import READERS, STAFF, allow, signed_in
from ..errors import by_field, status_of
from ..system import system
from .lists import listing, searched
from .printing import printing
from .rules import works

blueprint = Blueprint("labels", __name__, url_prefix="/staff/codes")

Page = str | tuple[str, int] | Answer

SORTS = {
    "ordered": CodeRun.added_at,
    "lot": Batch.lot,
    "product": Product.name_zh,
    "count": CodeRun.count,
    "tier": CodeRun.tier,
}
FIRST_ITEMS = 10
SMALLEST_MM = {Tier.A: SMALLEST_SYMBOL_MM, Tier.B: SMALLEST_LARGE_SYMBOL_MM}
EXAMPLE_SERIAL = ALPHABET[:SERIAL_SIZE]
EXAMPLE_SIGNATURE = b"\xff" * 64
"""Stands in for a signature, which has always the same length in print."""


@blueprint.get("")
@allow(*READERS)
def index() -> str:
    account = signed_in()
    with system().main.read() as db:
        query = items.visible_runs(account).join(Batch.product)
        found = listing(db, _matching(query, searched()), by=SORTS, default="-ordered")
        waiting = labels.unverified_of(db, found.rows)
        return render_template("staff/codes/index.html", found=found, waiting=waiting, works=works(account))


def _matching(query: Select[CodeRun], search: str) -> Select[CodeRun]:
    """Narrow by lot, GTIN or product name."""
    if not search:
        return query
    return query.where(containing(search, Batch.lot, Product.gtin, Product.name_zh, Product.name_en))


# --- issue ------------------------------------------------------------------------------------------------------------


@blueprint.route("/issue", methods=["GET", "POST"])
@allow(*STAFF)
def issue() -> Page:
    if request.method == "GET" or "preview" in request.form:
        return _issue_form(request.values)
    try:
        order = items.read_order(request.form)
        with system().main.write() as db:
            batch = batches.get(db, request.form.get("batch", ""), account=signed_in())
            base = system().settings.public_url
            ref = items.order_codes(db, batch, order, base=base, by=signed_in(), at=clock.now()).ref
    except NotFound:
        raise
    except LotsealError as error:
        return _issue_form(request.form, by_field(error)), status_of(error)
    flash(_("The codes are ordered. They are issued in the background; you may leave this page."), "ok")
    return redirect(url_for("labels.show", ref=ref), 303)


@dataclass(frozen=True)
class Example:
    """How large a code of this kind is printed: on the A4 sheet (None: it would be too fine there), and at least, in mm
    without its quiet zone."""

    tier: Tier
    version: int
    side: float | None
    smallest: float
    url: str


def _issue_form(form: Mapping[str, str], errors: Mapping[str, list[str]] | None = None) -> str:
    with system().main.read() as db:
        batch = batches.get(db, form.get("batch", ""), account=signed_in())
        short = bool(form.get("short"))
        return render_template(
            "staff/codes/issue.html",
            batch=batch,
            form=form,
            errors=errors or {},
            examples=[_example(batch, tier, short) for tier in Tier],
            base=system().settings.public_url,
            counts=items.counts(db, batch),
        )


def _example(batch: Batch, tier: Tier, short: bool) -> Example:
    symbol = _example_symbol(batch, tier, short)
    url = url_for("labels.example", batch=batch.ref, tier=tier.value, short="1" if short else None)
    module = _module_mm(symbol)
    return Example(tier, symbol.version, module * symbol.side if module else None, SMALLEST_MM[tier], url)


def _module_mm(symbol: qr.Symbol) -> float | None:
    """Of the A4 sheet; None when the symbol would be too fine for it."""
    try:
        return place(symbol).module
    except Invalid:
        return None


def _example_symbol(batch: Batch, tier: Tier, short: bool) -> qr.Symbol:
    """A symbol of the right size for a serial that was never issued."""
    signed = ("A", EXAMPLE_SIGNATURE) if tier is Tier.B else (None, None)
    base, lot = system().settings.public_url, None if short else batch.lot
    return qr.make(items.printed_link(base, batch.product.gtin, lot, EXAMPLE_SERIAL, *signed))


@blueprint.get("/example.svg")
@allow(*STAFF)
def example() -> Response:
    with system().main.read() as db:
        batch = batches.get(db, request.args.get("batch", ""), account=signed_in())
        tier = Tier.B if request.args.get("tier") == Tier.B else Tier.A
        symbol = _example_symbol(batch, tier, bool(request.args.get("short")))
    drawn = qr.svg(symbol, module_mm=_module_mm(symbol), title=_("An example that was never issued"))
    return Response(drawn, mimetype="image/svg+xml")


# --- one run ----------------------------------------------------------------------------------------------------------


@blueprint.get("/<ref>")
@allow(*READERS)
def show(ref: str) -> str:
    return page_of_run(ref)


@dataclass(frozen=True)
class FirstItem:
    serial: str
    link: str
    voided_at: datetime | None


def page_of_run(ref: str, errors: Mapping[str, list[str]] | None = None, form: Mapping[str, str] | None = None) -> str:
    account = signed_in()
    with system().main.read() as db:
        run = items.get_run(db, ref, account=account)
        sheets = labels.of_run(db, run)
        first = [
            FirstItem(item.serial, _path(items.link(run, item)), item.voided_at)
            for item in db.scalars(items.items_of(run).limit(FIRST_ITEMS))
        ]
        return render_template(
            "staff/codes/show.html",
            run=run,
            batch=run.batch,
            sheets=sheets,
            first=first,
            voided=_voided(db, run),
            moving=any(map(_moves, (run.job, *(sheet.job for sheet in sheets)))),
            reprints={sheet.ref: len(labels.earlier(db, sheet)) for sheet in sheets},
            printing=printing(db, run, form or {}),
            most=labels.MOST,
            works=works(account),
            errors=errors or {},
            form=form or {},
        )


def _path(link: str) -> str:
    """The printed link without scheme and host: from here it leads to this service, whatever address it answers at."""
    return "/" + link.split("/", 3)[3]


def _moves(job: Job | None) -> bool:
    return job is not None and job.state in (JobState.QUEUED, JobState.RUNNING)


def _voided(db: Session, run: CodeRun) -> int:
    query = select(func.count(Item.id)).where(Item.run_id == run.id, Item.voided_at.is_not(None))
    return db.scalar(query) or 0


@blueprint.get("/<ref>/<serial>.<any(png, svg):kind>")
@allow(*READERS)
def symbol(ref: str, serial: str, kind: str) -> Response:
    """The QR symbol of one code for a label of one's own: PNG with 8 pixels, SVG with 0.5 mm a module."""
    with system().main.read() as db:
        run = items.get_run(db, ref, account=signed_in())
        item = items.get_item(db, serial, account=signed_in())
        if item.run_id != run.id:
            abort(404)
        made = qr.make(items.link(run, item))
    if kind == "png":
        response = Response(qr.png(made), mimetype="image/png")
    else:
        response = Response(qr.svg(made, title=serial), mimetype="image/svg+xml")
    response.headers.set("Content-Disposition", "attachment", filename=f"{serial}.{kind}")
    return response


def act_on_run(ref: str, act: Callable[[Session, CodeRun, datetime], object], said: Callable[[], str]) -> Page:
    try:
        with system().main.write() as db:
            act(db, items.get_run(db, ref, account=signed_in()), clock.now())
    except NotFound:
        raise
    except LotsealError as error:
        return page_of_run(ref, by_field(error), request.form), status_of(error)
    flash(said(), "ok")
    return redirect(url_for("labels.show", ref=ref), 303)


@blueprint.post("/<ref>/again")
@allow(*STAFF)
def again(ref: str) -> Page:
    return act_on_run(
        ref,
        lambda db, run, at: items.issue_again(db, run, by=signed_in(), at=at),
        lambda: _("The rest of the codes is ordered again."),
    )


# --- void -------------------------------------------------------------------------------------------------------------


@blueprint.route("/void", methods=["GET", "POST"])
@allow(*STAFF)
def void() -> Page:
    """Take one code out of use, by its typed serial."""
    if request.method == "GET":
        return render_template("staff/codes/void.html", form=request.args, errors={})
    try:
        with system().main.write() as db:
            item = _typed_item(db, request.form.get("serial", ""))
            items.void(db, item, request.form.get("reason", ""), by=signed_in(), at=clock.now())
            run = db.get_one(CodeRun, item.run_id).ref
    except LotsealError as error:
        return render_template("staff/codes/void.html", form=request.form, errors=by_field(error)), status_of(error)
    flash(_("The code was voided. Whoever scans it is told so."), "ok")
    return redirect(url_for("labels.show", ref=run), 303)


def _typed_item(db: Session, text: str) -> Item:
    """Look-alikes, spaces and capitals are forgiven. Raises `Invalid`, or `NotFound` at the field."""
    found = typed.find_item(db, text)
    if found is None:
        sentence = say("There is no code with this serial number. Compare each group with the label.")
        raise NotFound(Problem("serial", "serial.unknown", sentence))
    return items.get_item(db, found.serial, account=signed_in())


@blueprint.route("/<ref>/void", methods=["GET", "POST"])
@allow(*STAFF)
def void_run(ref: str) -> Page:
    if request.method == "GET":
        return _void_form(ref)
    try:
        with system().main.write() as db:
            run = items.get_run(db, ref, account=signed_in())
            count = items.void_run(db, run, request.form.get("reason", ""), by=signed_in(), at=clock.now())
    except NotFound:
        raise
    except LotsealError as error:
        return _void_form(ref, request.form, by_field(error)), status_of(error)
    flash(ngettext("%(num)s code was voided.", "%(num)s codes were voided.", count), "ok")
    return redirect(url_for("labels.show", ref=ref), 303)


def _void_form(ref: str, form: Mapping[str, str] | None = None, errors: Mapping[str, list[str]] | None = None) -> str:
    with system().main.read() as db:
        run = items.get_run(db, ref, account=signed_in())
        return render_template(
            "staff/codes/void_run.html",
            run=run,
            batch=run.batch,
            left=run.issued - _voided(db, run),
            form=form or {},
            errors=errors or {},
        )
