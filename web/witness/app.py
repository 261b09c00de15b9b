"""`POST /add-checkpoint` and `GET /<origin hash>/checkpoint` (c2sp.org/tlog-witness), as a bare WSGI application.

Requests come from logs and monitors only, which sign what they send or send nothing: there are no accounts, cookies
or pages.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from http import HTTPStatus
from typing import IO, TYPE_CHECKING, Final

from ...signing import witness as protocol
from ...signing.witness import Refused
from ...trace import clock
from ...trace.errors import Unavailable
from ...trace.witness.state import Witness

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

TEXT: Final = "text/plain; charset=utf-8"
ADD: Final = "/add-checkpoint"

_CHECKPOINT: Final = re.compile(r"/([0-9a-f]{64})/checkpoint")
_LENGTH: Final = re.compile(r"[0-9]{1,20}")
_RECENT: Final = "public, max-age=5"
_log = logging.getLogger("lotseal.witness")

Answer = tuple[int, str, bytes]
"""Status, media type, body."""


def application(witness: Witness) -> WSGIApplication:
    """The application that speaks for this witness."""

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        status, kind, body = _answer(witness, environ)
        headers = [
            ("Content-Type", kind),
            ("Content-Length", str(len(body))),
            ("Cache-Control", _RECENT if environ["REQUEST_METHOD"] in ("GET", "HEAD") else "no-store"),
            ("X-Content-Type-Options", "nosniff"),
        ]
        start_response(f"{status} {HTTPStatus(status).phrase}", headers)
        return [b"" if environ["REQUEST_METHOD"] == "HEAD" else body]

    return answer


def _answer(witness: Witness, environ: WSGIEnvironment) -> Answer:
    path, method = environ.get("PATH_INFO", ""), environ["REQUEST_METHOD"]
    monitored = _CHECKPOINT.fullmatch(path)
    try:
        if path == ADD:
            return _added(witness, environ) if method == "POST" else _said(405)
        if monitored:
            return _latest(witness, monitored.group(1)) if method in ("GET", "HEAD") else _said(405)
    except Unavailable as error:
        _log.error("the witness cannot work: %s", error)
        return _said(503)
    return _said(404)


def _added(witness: Witness, environ: WSGIEnvironment) -> Answer:
    length = environ.get("CONTENT_LENGTH") or ""
    told = bool(_LENGTH.fullmatch(length))
    # A proxy or bastion may pass a body on in pieces, without its length; then the server tells where it ends.
    if not told and (length or not environ.get("wsgi.input_terminated")):
        return _said(411)
    if told and int(length) > protocol.MAX_REQUEST:
        return _said(413)
    source: IO[bytes] = environ["wsgi.input"]
    body = source.read(int(length) if told else protocol.MAX_REQUEST + 1)
    if len(body) > protocol.MAX_REQUEST:
        return _said(413)
    try:
        lines = witness.add_checkpoint(body, at=clock.now())
    except Refused as refused:
        if refused.evidence:
            # Signed by the log and yet impossible: worth keeping, it may prove that the log shows two histories.
            _log.warning("refused, %s: %r", refused, body)
        if refused.status == protocol.CONFLICT:
            return refused.status, protocol.SIZE_TYPE, f"{refused.size}\n".encode()
        return refused.status, TEXT, f"{refused}\n".encode()
    return 200, TEXT, protocol.answer(lines)


def _latest(witness: Witness, origin_hash: str) -> Answer:
    note = witness.checkpoint(origin_hash)
    return _said(404) if note is None else (200, TEXT, note)


def _said(status: int) -> Answer:
    return status, TEXT, f"{HTTPStatus(status).phrase}\n".encode()
