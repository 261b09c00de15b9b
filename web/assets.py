"""Static files under an address that holds their content's hash, so that browsers may keep them for ever."""

from __future__ import annotations

import base64
import gzip
import hashlib
import mimetypes
from functools import cache
from importlib.resources import files
from pathlib import Path

from flask import Flask, Response, abort, request, send_from_directory, url_for

from .access import public
from .caching import one_copy

FOLDER = Path(str(files("lotseal.static")))
SERVED = ("css", "js", "icons", "vendor")
IMMUTABLE = "public, max-age=31536000, immutable"


@cache
def _digest(name: str) -> str:
    return hashlib.sha256((FOLDER / name).read_bytes()).hexdigest()[:12]


def static_url(name: str) -> str:
    return url_for("static", digest=_digest(name), name=name)


@cache
def integrity(name: str) -> str:
    """For a script that fetches this file: the browser refuses any other content."""
    return "sha256-" + base64.b64encode(hashlib.sha256((FOLDER / name).read_bytes()).digest()).decode()


@cache
def _packed(name: str) -> bytes:
    return gzip.compress((FOLDER / name).read_bytes(), 9, mtime=0)


def init_app(app: Flask) -> None:
    app.add_url_rule("/static/<digest>/<path:name>", "static", _send)
    app.jinja_env.globals.update(static_url=static_url, integrity=integrity)


@public
def _send(digest: str, name: str) -> Response:
    if name.split("/")[0] not in SERVED or ".." in name or not (FOLDER / name).is_file() or digest != _digest(name):
        abort(404)
    if request.accept_encodings["gzip"]:
        # They go to telephones in shops: the style sheet becomes a quarter, the reader of codes four tenths.
        response = Response(_packed(name), mimetype=mimetypes.guess_type(name)[0])
        response.headers["Content-Encoding"] = "gzip"
    else:
        response = send_from_directory(FOLDER, name, max_age=31536000)
    response.vary.add("Accept-Encoding")
    response.headers["Cache-Control"] = IMMUTABLE
    return one_copy(response)
