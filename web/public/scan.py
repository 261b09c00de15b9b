"""Scanning: by camera in the browser, by a photo, or typed; each leads to the page of the item, lot or product."""

from __future__ import annotations

from collections.abc import Iterable

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from ...trace.codes.ais import TABLE
from ...trace.codes.element_string import print_bracketed
from ...trace.errors import Invalid, LotsealError
from ...trace.passport.scanned import Place, Understood, understand
from ..access import public
from ..errors import by_field, status_of
from ..limits import PHOTOS, TYPED, limiter
from ..photos import photographed
from ..security import camera
from ..system import system

blueprint = Blueprint("scan", __name__, url_prefix="/scan")

Page = str | tuple[str, int] | Response


@blueprint.get("")
@public
@camera
def index() -> Page:
    """With `code` it is what a camera read or a person typed; without it the page to scan with."""
    if "code" not in request.args:
        return _page()
    return _lookup()


@limiter.limit(TYPED)
def _lookup() -> Page:
    try:
        return _lead(_understood(request.args["code"]))
    except LotsealError as error:
        return _page(by_field(error)), status_of(error)


@blueprint.post("")
@public
@camera
@limiter.limit(PHOTOS)
def photo() -> Page:
    """The codes on a photo are tried in turn: the first one of ours, else the first that can be read."""
    try:
        return _lead(_best(photographed()))
    except LotsealError as error:
        return _page(by_field(error)), status_of(error)


def _understood(text: str) -> Understood:
    with system().main.read() as db:
        return understand(db, text, system().settings.public_url)


def _best(texts: Iterable[str]) -> Understood:
    """Raises what the first code raises when none can be read."""
    read: list[Understood] = []
    refusals: list[Invalid] = []
    for text in texts:
        try:
            found = _understood(text)
        except Invalid as error:
            refusals.append(error)
            continue
        if found.place != Place.NOWHERE and not found.foreign:
            return found
        read.append(found)
    if not read:
        raise refusals[0]
    return read[0]


def _lead(found: Understood) -> Page:
    """To our page, at once where nothing speaks against it."""
    where = _where(found)
    if where and not found.foreign:
        return redirect(where, 303)
    code = found.code
    assert code is not None
    return render_template(
        "scan.html",
        form={},
        errors={},
        found=found,
        where=where,
        facts=[(f"{TABLE[ai].title} ({ai})", value) for ai, value in code.elements],
        bracketed=print_bracketed(code.elements) if code.elements else "",
        text=code.text or "",
    )


def _where(found: Understood) -> str:
    """The address of our page; empty when there is none."""
    if found.place == Place.ITEM:
        page = "passport.item" if found.lot else "passport.item_without_lot"
        return url_for(page, gtin=found.gtin, lot=found.lot or None, serial=found.serial, s=found.signature)
    if found.place == Place.LOT:
        return url_for("passport.batch", gtin=found.gtin, lot=found.lot)
    return url_for("passport.product", gtin=found.gtin) if found.place == Place.PRODUCT else ""


def _page(errors: dict[str, list[str]] | None = None) -> str:
    return render_template("scan.html", form=request.args, errors=errors or {}, found=None)
