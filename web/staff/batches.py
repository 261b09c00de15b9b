"""Batches: the list with its next actions, and the one page on which a batch is worked through."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask_babel import force_locale
from flask_babel import gettext as _
from markupsafe import Markup
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as Answer

from ...signing.encoding import b64url
from ...signing.errors import SigningError
from ...trace import clock
from ...trace.accounts.models import Role
from ...trace.batches import service as batches
from ...trace.batches.intake import BatchDraft, read_batch
from ...trace.batches.models import Batch, BatchState, Unit
from ...trace.certificates import service as certificates
from ...trace.credentials import service as credentials
from ...trace.errors import Invalid, LotsealError, NotFound, invalid, say
from ...trace.items import service as items
from ...trace.keys.models import SigningKey
from ...trace.passport.model import State
from ...trace.products import service as products
from ...trace.products.models import Product
from ...trace.releases import service as releases
from ...trace.releases.models import Release
from ..access import EVERYONE, STAFF, allow, signed_in
from ..errors import by_field, status_of
from ..formats import unit_name
from ..system import system
from .choices import countries
from .history import history
from .lists import chosen, listing, searched
from .next_steps import gate_lines, next_step, next_steps
from .rules import may_edit, may_upload, refuse_unless, today, works

blueprint = Blueprint("batches", __name__, url_prefix="/staff/batches")

Page = str | tuple[str, int] | Answer
Act = Callable[[Session, Batch, datetime], object]

FIELDS = (
    "supplier_lot", "place", "region", "country", "latitude", "longitude", "producer", "site", "produced_on",
    "expires_on", "quantity", "unit", "inputs",
)  # fmt: skip
SORTS = {
    "lot": Batch.lot,
    "product": Product.name_zh,
    "expires": Batch.expires_on,
    "quantity": Batch.quantity,
    "state": Batch.state,
    "added": Batch.added_at,
}


@blueprint.get("")
@allow(*EVERYONE)
def index() -> str:
    account, state = signed_in(), chosen("state", [*BatchState])
    with system().main.read() as db:
        query = batches.matching(batches.visible(account), searched(), state)
        found = listing(db, query, by=SORTS, default="-added", also={"state": state})
        steps = next_steps(db, found.rows, by=account, today=today())
        return render_template(
            "staff/batches/index.html",
            found=found,
            steps=steps,
            state=state,
            states=[*BatchState],
            may_add=account.role != Role.AUDITOR,
        )


# --- one batch --------------------------------------------------------------------------------------------------------


@blueprint.get("/<ref>")
@allow(*EVERYONE)
def show(ref: str) -> str:
    return _page(ref)


def _page(ref: str, errors: Mapping[str, list[str]] | None = None) -> str:
    """The batch's page, with what was refused just now."""
    account = signed_in()
    with system().main.read() as db:
        batch = batches.get(db, ref, account=account)
        reports, runs = certificates.of_batch(db, batch), items.runs_of(db, batch)
        released = releases.of_batch(db, batch)
        subjects = [
            batches.subject(batch),
            *map(certificates.subject, reports),
            *(f"run:{run.ref}" for run in runs),
        ]
        return render_template(
            "staff/batches/show.html",
            batch=batch,
            reports=reports,
            runs=runs,
            counts=items.counts(db, batch),
            gate=_gate(db, batch),
            step=next_step(batch, reports, runs, by=account, today=today()),
            released=released,
            proof=_proof(db, released),
            credentials=credentials.of_batch(db, batch),
            corrections=batches.corrections(db, batch),
            notice=batches.notice(db, batch),
            history=history(db, subjects),
            was_released=released is not None,
            works=works(account),
            may_edit=may_edit(account, batch),
            may_upload=may_upload(account, batch),
            today=today(),
            errors=errors or {},
        )


def _gate(db: Session, batch: Batch) -> list[dict[str, object]]:
    """What a release needs, as long as the batch has not been released."""
    if batch.state in (BatchState.DRAFT, BatchState.AWAITING_TESTS):
        return gate_lines(db, batch, by=signed_in(), today=today())
    return []


def _proof(db: Session, released: Release | None) -> str:
    """What checking the signed record says: `fits`, or the rule that it breaks; empty without a record."""
    if released is None:
        return ""
    try:
        releases.check(db, released)
    except SigningError as error:
        return error.rule
    return "fits"


@blueprint.get("/<ref>/release.json")
@allow(*EVERYONE)
def document(ref: str) -> Response:
    """The signed record: the exact text that was signed, its signature (base64url) and the public key."""
    with system().main.read() as db:
        batch = batches.get(db, ref, account=signed_in())
        released = releases.of_batch(db, batch)
        if released is None:
            abort(404)
        key = db.scalar(select(SigningKey.public_jwk).where(SigningKey.kid == released.kid))
        facts = {
            "document": released.document,
            "sha256": released.sha256,
            "kid": released.kid,
            "signature": b64url(released.signature),
            "public_jwk": key,
        }
    response = Response(json.dumps(facts, ensure_ascii=False, indent=2) + "\n", mimetype="application/json")
    response.headers.set("Content-Disposition", "attachment", filename=f"release-{ref}.json")
    return response


# --- add and edit -----------------------------------------------------------------------------------------------------


@blueprint.route("/add", methods=["GET", "POST"])
@allow(Role.ADMIN, Role.QUALITY, Role.SUPPLIER)
def add() -> Page:
    if request.method == "GET":
        return _form(request.args)
    try:
        draft = _read_new()
        with system().main.write() as db:
            product = _product(db, request.form["product"])
            ref = batches.add(db, draft, product, by=signed_in(), at=clock.now()).ref
    except LotsealError as error:
        return _form(request.form, by_field(error)), status_of(error)
    flash(_("The batch was added as a draft."), "ok")
    return redirect(url_for("batches.show", ref=ref), 303)


def _product(db: Session, ref: str) -> Product:
    """The chosen product; one that the account may not see is as good as none."""
    try:
        return products.get(db, ref, account=signed_in())
    except NotFound:
        raise invalid("product", "product.unknown", say("Choose one of your products from the list.")) from None


def _read_new() -> BatchDraft:
    """Raises `Invalid` with everything that is wrong, a missing product too, so that all of it is mended in one go."""
    if request.form.get("product"):
        return read_batch(request.form)
    missing = invalid("product", "choice.missing", say("Choose one from the list."))
    try:
        read_batch(request.form)
    except Invalid as error:
        raise Invalid(*missing.problems, *error.problems) from None
    raise missing


def _form(form: Mapping[str, str], errors: Mapping[str, list[str]] | None = None) -> str:
    with system().main.read() as db:
        mine = db.scalars(products.visible(signed_in()).order_by(Product.name_zh)).all()
        return render_template(
            "staff/batches/form.html", batch=None, form=form, errors=errors or {}, products=mine, **_choices()
        )


def _choices() -> dict[str, list[tuple[str, str]]]:
    return {
        "countries": countries(),
        "units": [(unit.value, unit_name(unit)) for unit in Unit],
    }


@blueprint.route("/<ref>/edit", methods=["GET", "POST"])
@allow(Role.ADMIN, Role.QUALITY, Role.SUPPLIER)
def edit(ref: str) -> Page:
    if request.method == "GET":
        return _edit_form(ref)
    try:
        with system().main.write() as db:
            batch = batches.get(db, ref, account=signed_in())
            refuse_unless(may_edit(signed_in(), batch))
            # The lot stands on codes and is no field of the form.
            draft = read_batch({**request.form.to_dict(), "lot": batch.lot})
            reason = request.form.get("reason", "")
            changed = batches.change(db, batch, draft, reason=reason, by=signed_in(), at=clock.now())
    except LotsealError as error:
        return _edit_form(ref, request.form, by_field(error)), status_of(error)
    flash(_("The batch was changed.") if changed else _("Nothing was different; nothing was changed."), "ok")
    return redirect(url_for("batches.show", ref=ref), 303)


def _edit_form(ref: str, form: Mapping[str, str] | None = None, errors: Mapping[str, list[str]] | None = None) -> str:
    with system().main.read() as db:
        batch = batches.get(db, ref, account=signed_in())
        refuse_unless(may_edit(signed_in(), batch))
        return render_template(
            "staff/batches/form.html",
            batch=batch,
            form=_filled(batch) if form is None else form,
            errors=errors or {},
            corrects=batch.state not in batches.EDITABLE,
            **_choices(),
        )


def _filled(batch: Batch) -> dict[str, str]:
    return {name: _text(getattr(batch, name)) for name in FIELDS}


def _text(value: str | Decimal | date | None) -> str:
    if isinstance(value, Decimal):
        return format(value, "f")
    return value.isoformat() if isinstance(value, date) else value or ""


# --- its way ----------------------------------------------------------------------------------------------------------


def _do(ref: str, act: Act, allowed: Callable[[Batch], bool] = lambda _batch: True) -> None:
    """Read the batch and act on it in one transaction."""
    with system().main.write() as db:
        batch = batches.get(db, ref, account=signed_in())
        refuse_unless(allowed(batch))
        act(db, batch, clock.now())


def _back(ref: str, said: str) -> Answer:
    flash(said, "ok")
    return redirect(url_for("batches.show", ref=ref), 303)


@blueprint.post("/<ref>/submit")
@allow(Role.ADMIN, Role.QUALITY, Role.SUPPLIER)
def submit(ref: str) -> Page:
    try:
        _do(ref, lambda db, batch, at: batches.submit(db, batch, by=signed_in(), at=at))
    except LotsealError as error:
        return _page(ref, by_field(error)), status_of(error)
    return _back(ref, _("The batch was submitted. It awaits its tests now."))


@blueprint.post("/<ref>/release")
@allow(*STAFF)
def release(ref: str) -> Page:
    try:
        _do(ref, lambda db, batch, at: releases.release(db, batch, system().ring, by=signed_in(), at=at, today=today()))
    except LotsealError as error:
        return _page(ref, by_field(error)), status_of(error)
    return _back(ref, _("The batch was released and its record was signed."))


@blueprint.route("/<ref>/hold", methods=["GET", "POST"])
@allow(*STAFF)
def hold(ref: str) -> Page:
    if request.method == "GET":
        return _notice_form(ref, "hold")
    try:
        words = batches.read_hold(request.form)
        if "preview" in request.form:
            return _notice_form(ref, "hold", request.form, preview=words)
        _do(ref, lambda db, batch, at: batches.hold(db, batch, words, by=signed_in(), at=at))
    except LotsealError as error:
        return _notice_form(ref, "hold", request.form, by_field(error)), status_of(error)
    return _back(ref, _("The batch is on hold. Its public pages say so from now on."))


@blueprint.route("/<ref>/recall", methods=["GET", "POST"])
@allow(*STAFF)
def recall(ref: str) -> Page:
    if request.method == "GET":
        return _notice_form(ref, "recall")
    try:
        words = batches.read_recall(request.form)
        if "preview" in request.form:
            return _notice_form(ref, "recall", request.form, preview=words)
        _do(ref, lambda db, batch, at: batches.recall(db, batch, words, by=signed_in(), at=at))
    except LotsealError as error:
        return _notice_form(ref, "recall", request.form, by_field(error)), status_of(error)
    return _back(ref, _("The recall is published. The public pages of this batch say so from now on."))


def _notice_form(
    ref: str,
    kind: str,
    form: Mapping[str, str] | None = None,
    errors: Mapping[str, list[str]] | None = None,
    preview: Mapping[str, str] | None = None,
) -> str:
    with system().main.read() as db:
        batch = batches.get(db, ref, account=signed_in())
        return render_template(
            f"staff/batches/{kind}.html",
            batch=batch,
            form=form or {},
            errors=errors or {},
            previews=_previews(kind, preview) if preview else (),
            counts=items.counts(db, batch),
        )


def _previews(kind: str, words: Mapping[str, str]) -> list[tuple[str, Markup]]:
    """The public band in each language, whatever language the writer reads."""
    state = State.RECALLED if kind == "recall" else State.HOLD
    bands = []
    for language, tag in (("zh", "zh-Hans"), ("en", "en")):
        with force_locale(language):
            band = render_template(
                "staff/batches/_public.html",
                state=state,
                language=language,
                reason=words[f"reason_{language}"],
                remedy=words.get(f"remedy_{language}", ""),
                phone=words.get("phone", ""),
                now=clock.now(),
            )
        bands.append((tag, Markup(band)))  # noqa: S704  # our own template, escaped by Jinja
    return bands


@blueprint.route("/<ref>/lift", methods=["GET", "POST"])
@allow(*STAFF)
def lift(ref: str) -> Page:
    if request.method == "GET":
        return _reason_form(ref, "lift")
    reason = request.form.get("reason", "")
    try:
        _do(ref, lambda db, batch, at: batches.lift_hold(db, batch, reason, by=signed_in(), at=at))
    except LotsealError as error:
        return _reason_form(ref, "lift", request.form, by_field(error)), status_of(error)
    return _back(ref, _("The hold was lifted."))


@blueprint.route("/<ref>/close", methods=["GET", "POST"])
@allow(*STAFF)
def close(ref: str) -> Page:
    if request.method == "GET":
        return _reason_form(ref, "close")
    reason = request.form.get("reason", "")
    try:
        _do(ref, lambda db, batch, at: batches.close(db, batch, reason, by=signed_in(), at=at))
    except LotsealError as error:
        return _reason_form(ref, "close", request.form, by_field(error)), status_of(error)
    return _back(ref, _("The batch is closed. Its record stays readable and does not change any more."))


def _reason_form(
    ref: str, kind: str, form: Mapping[str, str] | None = None, errors: Mapping[str, list[str]] | None = None
) -> str:
    with system().main.read() as db:
        batch = batches.get(db, ref, account=signed_in())
        return render_template(
            "staff/batches/reason.html", batch=batch, kind=kind, form=form or {}, errors=errors or {}
        )
