"""Typed code entry: a serial in groups, or GTIN and lot."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from ...trace.codes.gtin import read_gtin
from ...trace.codes.lot import read_lot
from ...trace.errors import LotsealError, NotFound, Problem, say
from ...trace.passport import typed
from ..access import public
from ..errors import by_field, status_of
from ..limits import TYPED, limiter
from ..system import system

blueprint = Blueprint("home", __name__)


@blueprint.get("/")
@public
def index() -> str:
    return render_template("home.html")


@blueprint.get("/find")
@public
@limiter.limit(TYPED)
def find() -> Response | tuple[str, int]:
    """Lead what was typed to its page; what cannot be read comes back with the mend."""
    try:
        return redirect(_where())
    except LotsealError as error:
        return render_template("home.html", form=request.args, errors=by_field(error)), status_of(error)


def _where() -> str:
    if serial := request.args.get("serial", "").strip():
        return _item_page(serial)
    gtin = read_gtin(request.args.get("gtin", ""))
    if lot := request.args.get("lot", "").strip():
        with system().main.read() as db:
            return url_for("passport.batch", gtin=gtin, lot=typed.known_spelling(db, gtin, read_lot(lot)))
    return url_for("passport.product", gtin=gtin)


def _item_page(text: str) -> str:
    with system().main.read() as db:
        found = typed.find_item(db, text)
    if found is None:
        raise NotFound(
            Problem(
                "serial",
                "serial.unknown",
                say(
                    "There is no code with this serial number. Compare each group with the pack; "
                    "S is read as 5, B as 8, Z as 2."
                ),
            )
        )
    return url_for("passport.item", gtin=found.gtin, lot=found.lot, serial=found.serial)
