"""The scan page: item, batch and product under their GS1 Digital Link addresses."""

from __future__ import annotations

import logging

from flask import Blueprint, Response, make_response, render_template, request
from sqlalchemy.exc import OperationalError

from ...trace import clock
from ...trace.codes.gtin import read_gtin
from ...trace.errors import invalid, say
from ...trace.passport import service
from ...trace.passport.model import Passport, State
from ..access import public
from ..limits import UNKNOWN, limiter
from ..system import system
from .visitors import is_preview, remember, visitor

logger = logging.getLogger(__name__)

blueprint = Blueprint("passport", __name__, url_prefix="/01")

# Verdicts on a record are pages; only a code that is not ours, or no answer at all, is an error to machines.
STATUS = {State.BAD_SIGNATURE: 404, State.UNKNOWN: 404, State.CANNOT_VERIFY: 503}
MOST = 200


@blueprint.get("/<gtin>/10/<path:lot>/21/<path:serial>")
@public
def item(gtin: str, lot: str, serial: str) -> Response:
    return answer(gtin, lot, serial)


@blueprint.get("/<gtin>/21/<path:serial>")
@public
def item_without_lot(gtin: str, serial: str) -> Response:
    return answer(gtin, None, serial)


@blueprint.get("/<gtin>/10/<path:lot>")
@public
def batch(gtin: str, lot: str) -> Response:
    return answer(gtin, lot, None)


@blueprint.get("/<gtin>")
@public
def product(gtin: str) -> Response:
    return answer(gtin, None, None)


def answer(gtin: str, lot: str | None, serial: str | None) -> Response:
    """The scan page. The resolver calls it too, for addresses that name the same things in other ways."""
    asked = service.Asked(_gtin(gtin), bounded(lot), bounded(serial), bounded(request.args.get("s")))
    now = clock.now()
    who, cookie = visitor(now)
    try:
        passport = service.look_up(system().desk, asked, who, at=now, count=not is_preview())
    except OperationalError as error:
        logger.error("the store does not answer: %s", error.orig)
        passport = Passport(State.CANNOT_VERIFY, now, asked.gtin, asked.lot, asked.serial)
    today = now.astimezone(system().settings.zone).date()
    response = make_response(
        render_template("passport.html", passport=passport, today=today), STATUS.get(passport.state, 200)
    )
    if passport.state is State.CANNOT_VERIFY:
        response.headers["Retry-After"] = "60"
    if passport.state in (State.UNKNOWN, State.BAD_SIGNATURE, State.UNKNOWN_LOT):
        throttle_guessing()
    if passport.history and passport.history.counted:
        remember(response, cookie)
    return response


def _gtin(text: str) -> str:
    """The address of a code has 14 digits; raises `Invalid` for anything else."""
    if len(text) != 14:
        raise invalid(
            "gtin",
            "gtin.length",
            say(
                "The number after /01/ has 14 digits; this has %(count)d characters. Scan the code again.",
                count=len(text),
            ),
        )
    return read_gtin(text)


def bounded(text: str | None) -> str | None:
    """Nothing that we ever printed is longer; longer text is not looked at."""
    if text is not None and len(text) > MOST:
        raise invalid(None, "code.too-long", say("This code is longer than any code of ours. Scan it again."))
    return text


@limiter.limit(UNKNOWN)
def throttle_guessing() -> None:
    """Unknown codes from one address are counted; who guesses thousands is asked to wait."""
