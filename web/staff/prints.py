"""Print runs: order one, see one label before, take the file, scan a sample of the printed labels back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from flask import Response, abort, flash, redirect, render_template, request, send_file, url_for
from flask_babel import gettext as _
from sqlalchemy import Select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as Answer

from ...trace import clock
from ...trace.batches.models import Batch
from ...trace.db.search import containing
from ...trace.errors import LotsealError, NotFound
from ...trace.items import service as items
from ...trace.items.models import CodeRun
from ...trace.labels import checks, making
from ...trace.labels import service as labels
from ...trace.labels.models import LabelSheet, Output, Verification
from ...trace.labels.picture import png
from ...trace.products.models import Product
from ..access import READERS, STAFF, allow, signed_in
from ..errors import by_field, status_of
from ..files import stored_file
from ..photos import photographed
from ..print_words import CARRIERS, OUTPUTS, VERIFICATIONS
from ..security import camera
from ..system import system
from .codes import Page, act_on_run, blueprint, page_of_run
from .lists import chosen, listing, searched
from .printing import raw_order
from .rules import works

SORTS = {"ordered": LabelSheet.added_at, "lot": Batch.lot, "product": Product.name_zh, "count": LabelSheet.count}


@blueprint.get("/prints")
@allow(*READERS)
def prints() -> str:
    """All print runs; with `state` those whose labels are, or are not yet, scanned back."""
    account = signed_in()
    state = chosen("state", [word.value for word in Verification])
    with system().main.read() as db:
        query = _matching(labels.visible(account).join(Batch.product), searched())
        if state:
            query = query.where(LabelSheet.verification == state)
        found = listing(db, query, by=SORTS, default="-ordered", also={"state": state})
        return render_template("staff/codes/prints.html", found=found, state=state, works=works(account))


def _matching(query: Select[LabelSheet], search: str) -> Select[LabelSheet]:
    if not search:
        return query
    return query.where(containing(search, Batch.lot, Product.gtin, Product.name_zh, Product.name_en))


@blueprint.get("/<ref>/preview.png")
@allow(*READERS)
def preview(ref: str) -> Response:
    """One label of the run as the order in the query would print it."""
    with system().main.read() as db:
        run = items.get_run(db, ref, account=signed_in())
        order = labels.read_sheet_order(request.args.to_dict(), run)
        label = labels.example(db, run, order.first)
    if label is None:
        abort(404)
    drawn = png(label, order.composer, order.dpi or 300, order.carrier)
    return Response(drawn, mimetype="image/png")


@blueprint.post("/<ref>/sheets")
@allow(*STAFF)
def order_sheet(ref: str) -> Page:
    if "preview" in request.form:
        return page_of_run(ref, form=request.form)

    def order(db: Session, run: CodeRun, at: datetime) -> None:
        labels.order_sheet(db, run, labels.read_sheet_order(raw_order(request.form), run), by=signed_in(), at=at)

    def said() -> str:
        return str(_("The labels are ordered. They are offered once every symbol that is drawn here was read back."))

    return act_on_run(ref, order, said)


@blueprint.post("/prints/<ref>/again")
@allow(*STAFF)
def sheet_again(ref: str) -> Answer:
    with system().main.write() as db:
        sheet = labels.get(db, ref, account=signed_in())
        labels.make_again(db, sheet, by=signed_in(), at=clock.now())
        run = sheet.run.ref
    flash(_("The labels are ordered again."), "ok")
    return redirect(url_for("labels.show", ref=run), 303)


@blueprint.get("/prints/<ref>/file")
@allow(*READERS)
def sheet(ref: str) -> Response:
    """The finished file. Before every symbol was read back there is none to give."""
    with system().main.read() as db:
        row = labels.get(db, ref, account=signed_in())
        if row.sha256 is None:
            abort(404)
        ending = making.ENDINGS[Output(row.output)]
        name, sha256 = f"{_name(row)}.{ending}", row.sha256
    response = send_file(
        stored_file(sha256), mimetype=making.MEDIA_TYPES[ending], as_attachment=True, download_name=name
    )
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _name(row: LabelSheet) -> str:
    lot = "".join(character if character.isalnum() or character in "-._" else "_" for character in row.run.batch.lot)
    return f"labels-{lot}-{row.first + 1}-{row.first + row.count}"


# --- print, then verify -----------------------------------------------------------------------------------------------


@blueprint.get("/prints/<ref>/verify")
@allow(*READERS)
@camera
def verify(ref: str) -> str:
    return _verify_page(ref)


@blueprint.post("/prints/<ref>/verify")
@allow(*STAFF)
@camera
def check(ref: str) -> Page:
    """A code from the camera or typed (`code`), or a photo of labels (`photo`)."""
    try:
        photo = request.files.get("photo")
        texts = photographed() if photo and photo.filename else (request.form.get("code", ""),)
        with system().main.write() as db:
            row = labels.get(db, ref, account=signed_in())
            for text in texts:
                _say(checks.check(db, row, text, by=signed_in(), at=clock.now()))
    except NotFound:
        raise
    except LotsealError as error:
        return _verify_page(ref, by_field(error), request.form), status_of(error)
    return redirect(url_for("labels.verify", ref=ref), 303)


def _say(checked: checks.Checked) -> None:
    match checked.outcome:
        case checks.Outcome.MATCHED:
            flash(_("Label %(number)s is right.", number=checked.number), "ok")
        case checks.Outcome.AGAIN:
            flash(_("Label %(number)s was scanned already. Take the next one.", number=checked.number), "info")
        case checks.Outcome.NOT_ASKED:
            flash(_("This label is right, but not one of the sample. Scan those that are listed."), "info")
        case checks.Outcome.MISMATCH:
            flash(
                _("This label is not of the print run, or says something else than was printed. Stop using it."),
                "bad",
            )


@blueprint.post("/prints/<ref>/sample")
@allow(*STAFF)
def sample(ref: str) -> Answer:
    """A new sample, for instance after another paper was scanned by mistake."""
    with system().main.write() as db:
        checks.begin_again(db, labels.get(db, ref, account=signed_in()), by=signed_in(), at=clock.now())
    flash(_("A new sample was chosen."), "ok")
    return redirect(url_for("labels.verify", ref=ref), 303)


def _verify_page(ref: str, errors: Mapping[str, list[str]] | None = None, form: Mapping[str, str] | None = None) -> str:
    account = signed_in()
    with system().main.read() as db:
        row = labels.get(db, ref, account=account)
        plan = making.plan_of(row)
        places = [(place, list(making.places(plan, place.number))) for place in checks.progress(db, row)]
        return render_template(
            "staff/codes/verify.html",
            sheet=row,
            run=row.run,
            batch=row.run.batch,
            label=VERIFICATIONS[row.verification],
            places=places,
            scans=checks.checks_of(db, row),
            works=works(account),
            errors=errors or {},
            form=form or {},
        )


def words() -> dict[str, object]:
    """For the templates of print runs."""
    return {"output_words": OUTPUTS, "carrier_words": CARRIERS, "verification_words": VERIFICATIONS}


blueprint.context_processor(words)
