"""The log's static files (c2sp.org/tlog-tiles) and a page that says what they are."""

from __future__ import annotations

from flask import Blueprint, Response, render_template

from ...signing.errors import Malformed
from ...signing.tiles import Tile
from ...trace.errors import not_found, say
from ...trace.log import reading
from ...trace.log.shelf import CHECKPOINT
from ..access import public
from ..caching import known_by, one_copy
from ..system import system

blueprint = Blueprint("log", __name__, url_prefix="/log")

FOR_EVER = "public, max-age=31536000, immutable"
FOR_A_MOMENT = "public, max-age=1"


@blueprint.get("/checkpoint")
@public
def checkpoint() -> Response:
    return known_by(_file(CHECKPOINT, "text/plain; charset=utf-8", FOR_A_MOMENT))


@blueprint.get("/tile/<path:rest>")
@public
def tile(rest: str) -> Response:
    """A tile or entry bundle; a path of another spelling is no path of a tile."""
    try:
        path = Tile.parse(f"tile/{rest}").path
    except Malformed:
        raise _nothing() from None
    return _file(path, "application/octet-stream", FOR_EVER)


@blueprint.get("/policy")
@public
def policy() -> Response:
    """The operator's tlog-policy: the keys of the log and the witnesses it asks."""
    with system().main.read() as db:
        text = system().log_policy(db)
    return known_by(_plain(text.encode(), "text/plain; charset=utf-8", FOR_A_MOMENT))


@blueprint.get("/")
@public
def index() -> str:
    with system().main.read() as db:
        newest = reading.newest(db)
        seen = reading.seen(db, newest.size - 1) if newest else None
        return render_template("log.html", newest=newest, seen=seen, policy=system().log_policy(db))


def _file(path: str, kind: str, caching: str) -> Response:
    data = system().shelf.read(path)
    if data is None:
        raise _nothing()
    return _plain(data, kind, caching)


def _plain(data: bytes, kind: str, caching: str) -> Response:
    response = Response(data, content_type=kind)
    response.headers["Cache-Control"] = caching
    response.headers["Access-Control-Allow-Origin"] = "*"
    return one_copy(response)


def _nothing() -> Exception:
    return not_found("log.no-file", say("The log has no such file."))
