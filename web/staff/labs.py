"""Laboratories: list, add, change, suspend and resume; their certificates are pinned and unpinned here."""

from __future__ import annotations

import base64
import binascii

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from ...trace import clock
from ...trace.certificates.models import Certificate
from ...trace.errors import LotsealError, invalid, say
from ...trace.files.findings import Purpose
from ...trace.labs import service
from ...trace.labs.models import Laboratory
from ...trace.labs.roots import MOST_BYTES, ReadRoot, read_root
from ..access import READERS, STAFF, allow, rights, signed_in
from ..errors import by_field, status_of
from ..files import uploaded
from ..system import system
from ..words import ROOT_PURPOSES
from .choices import countries
from .lists import chosen, listing, searched
from .rules import today

blueprint = Blueprint("labs", __name__, url_prefix="/staff/laboratories")
blueprint.context_processor(rights)

STATES = ("active", "suspended")
NEWEST = 25

Answer = Response | str | tuple[str, int]


@blueprint.get("/")
@allow(*READERS)
def index() -> Answer:
    state = chosen("state", STATES)
    query = service.matching(searched())
    if state:
        column = Laboratory.suspended_at
        query = query.where(column.is_(None) if state == "active" else column.is_not(None))
    with system().main.read() as db:
        found = listing(
            db,
            query,
            by={
                "name": Laboratory.name_zh,
                "english": Laboratory.name_en,
                "country": Laboratory.country,
                "until": Laboratory.valid_until,
                "added": Laboratory.added_at,
            },
            default="name",
            also={"state": state},
        )
        return render_template("staff/labs/index.html", list=found, state=state, today=today())


@blueprint.route("/new", methods=["GET", "POST"])
@allow(*STAFF)
def add() -> Answer:
    if request.method == "GET":
        return _form(None)
    try:
        draft = service.read_laboratory(request.form)
        with system().main.write() as db:
            ref = service.add(db, draft, by=signed_in(), at=clock.now()).ref
    except LotsealError as error:
        return _form(None, error)
    flash(_("The laboratory was added. Its reports are looked for now."), "ok")
    return redirect(url_for(".show", ref=ref), 303)


@blueprint.get("/<ref>")
@allow(*READERS)
def show(ref: str) -> Answer:
    return _page(ref)


@blueprint.route("/<ref>/edit", methods=["GET", "POST"])
@allow(*STAFF)
def edit(ref: str) -> Answer:
    with system().main.read() as db:
        laboratory = service.get(db, ref)
    if request.method == "GET":
        return _form(laboratory)
    try:
        draft = service.read_laboratory(request.form)
        with system().main.write() as db:
            service.change(db, service.get(db, ref), draft, by=signed_in(), at=clock.now())
    except LotsealError as error:
        return _form(laboratory, error)
    flash(_("The laboratory was changed."), "ok")
    return redirect(url_for(".show", ref=ref), 303)


@blueprint.post("/<ref>/suspend")
@allow(*STAFF)
def suspend(ref: str) -> Answer:
    reason = request.form.get("reason", "")
    try:
        with system().main.write() as db:
            service.suspend(db, service.get(db, ref), reason, by=signed_in(), at=clock.now())
    except LotsealError as error:
        return _page(ref, error)
    flash(_("The laboratory is suspended. Its signatures do not count."), "ok")
    return redirect(url_for(".show", ref=ref), 303)


@blueprint.post("/<ref>/resume")
@allow(*STAFF)
def resume(ref: str) -> Answer:
    try:
        with system().main.write() as db:
            service.resume(db, service.get(db, ref), by=signed_in(), at=clock.now())
    except LotsealError as error:
        return _page(ref, error)
    flash(_("The laboratory is no longer suspended."), "ok")
    return redirect(url_for(".show", ref=ref), 303)


# --- roots ------------------------------------------------------------------------------------------------------------


@blueprint.route("/<ref>/pin", methods=["GET", "POST"])
@allow(*STAFF)
def pin(ref: str) -> Answer:
    """In two steps: the upload comes back with its fingerprint, which is compared, and then pinned."""
    if request.method == "GET":
        return _pin_page(ref)
    root = None
    try:
        root = _uploaded_root()
        if "der" not in request.form:
            return _pin_page(ref, root)
        if not request.form.get("compared"):
            raise invalid("compared", "root.not-compared", say("Compare the SHA-256 first, then say so here."))
        with system().main.write() as db:
            service.pin(db, service.get(db, ref), root, request.form, by=signed_in(), at=clock.now())
    except LotsealError as error:
        return _pin_page(ref, root, error)
    flash(_("The certificate is pinned. The reports of this laboratory are judged again now."), "ok")
    return redirect(url_for(".show", ref=ref), 303)


def _uploaded_root() -> ReadRoot:
    """The certificate as a file, or, in the second step, as it came back. Raises `Invalid`."""
    if "der" not in request.form:
        with uploaded("root") as (path, _name), path.open("rb") as stream:
            return read_root(stream.read(MOST_BYTES + 1))
    try:
        return read_root(base64.b64decode(request.form["der"][: 2 * MOST_BYTES], validate=True))
    except binascii.Error:
        return read_root(b"")


def _pin_page(ref: str, root: ReadRoot | None = None, error: LotsealError | None = None) -> Answer:
    with system().main.read() as db:
        page = render_template(
            "staff/labs/pin.html",
            laboratory=service.get(db, ref),
            root=root,
            der=base64.b64encode(root.der).decode("ascii") if root else "",
            purposes=[(purpose.value, ROOT_PURPOSES[purpose]) for purpose in Purpose],
            form=request.form or {"purpose": Purpose.SIGNING},
            errors=by_field(error) if error else {},
        )
    return (page, status_of(error)) if error else page


@blueprint.route("/<ref>/unpin", methods=["GET", "POST"])
@allow(*STAFF)
def unpin(ref: str) -> Answer:
    """`root` is the reference of the pinned certificate."""
    if request.method == "GET":
        return _unpin_page(ref)
    try:
        with system().main.write() as db:
            laboratory = service.get(db, ref)
            if not request.form.get("root"):
                raise invalid("root", "choice.missing", say("Choose one from the list."))
            root = service.get_root(db, laboratory, request.form["root"])
            service.unpin(db, root, request.form.get("reason", ""), by=signed_in(), at=clock.now())
    except LotsealError as error:
        return _unpin_page(ref, error)
    flash(_("The certificate does not count any more. It stays on record with your reason."), "ok")
    return redirect(url_for(".show", ref=ref), 303)


def _unpin_page(ref: str, error: LotsealError | None = None) -> Answer:
    with system().main.read() as db:
        laboratory = service.get(db, ref)
        page = render_template(
            "staff/labs/unpin.html",
            laboratory=laboratory,
            roots=[(root.ref, f"{root.subject} · {root.sha256[:16]}…") for root in laboratory.pinned],
            form=request.form or request.args,
            errors=by_field(error) if error else {},
        )
    return (page, status_of(error)) if error else page


# --- pages ------------------------------------------------------------------------------------------------------------


def _form(laboratory: Laboratory | None, error: LotsealError | None = None) -> Answer:
    page = render_template(
        "staff/labs/form.html",
        laboratory=laboratory,
        form=request.form if error else _typed(laboratory),
        errors=by_field(error) if error else {},
        countries=countries(),
    )
    return (page, status_of(error)) if error else page


def _typed(laboratory: Laboratory | None) -> dict[str, str]:
    """What stands in the form at first."""
    if laboratory is None:
        return {"country": "CN"}
    names = ("name_zh", "name_en", "country", "cma", "cnas", "ilac", "note")
    until = laboratory.valid_until.isoformat() if laboratory.valid_until else ""
    return {name: getattr(laboratory, name) for name in names} | {"valid_until": until}


def _page(ref: str, error: LotsealError | None = None) -> Answer:
    with system().main.read() as db:
        laboratory = service.get(db, ref)
        page = render_template(
            "staff/labs/show.html",
            laboratory=laboratory,
            reports=_reports(db, laboratory),
            newest=NEWEST,
            today=today(),
            form=request.form,
            errors=by_field(error) if error else {},
        )
    return (page, status_of(error)) if error else page


def _reports(db: Session, laboratory: Laboratory) -> list[Certificate]:
    query = select(Certificate).where(Certificate.laboratory_id == laboratory.id)
    return list(db.scalars(query.order_by(Certificate.id.desc()).limit(NEWEST)).unique())
