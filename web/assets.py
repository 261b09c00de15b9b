"""Static files under an address that holds their content's hash, so that browsers may keep them for ever."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files
from pathlib import Path

from flask import Flask, Response, abort, send_from_directory, url_for

from .access import public

FOLDER = Path(str(files("lotseal.static")))
SERVED = ("css", "js", "icons")
IMMUTABLE = "public, max-age=31536000, immutable"


@cache
def _digest(name: str) -> str:
    return hashlib.sha256((FOLDER / name).read_bytes()).hexdigest()[:12]


def static_url(name: str) -> str:
    return url_for("static", digest=_digest(name), name=name)


def init_app(app: Flask) -> None:
    app.add_url_rule("/static/<digest>/<path:name>", "static", _send)
    app.jinja_env.globals.update(static_url=static_url)


@public
def _send(digest: str, name: str) -> Response:
    if name.split("/")[0] not in SERVED or ".." in name or not (FOLDER / name).is_file() or digest != _digest(name):
        abort(404)
    response = send_from_directory(FOLDER, name, max_age=31536000)
    response.headers["Cache-Control"] = IMMUTABLE
    return response
