"""The few requests that Lotseal sends itself, each to an address that the operator configured.

https, or http to this machine; no redirects, no proxies, no cookies; a time limit over the whole exchange; a bound on
the answer. What comes back is judged by whoever asked.
"""

from __future__ import annotations

import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from typing import Final
from urllib.parse import urlsplit

from .errors import Problem, Unavailable, invalid, say

_LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")
_CHUNK: Final = 16_384


@dataclass(frozen=True)
class Answer:
    """Status, media type without parameters in lower case, body."""

    status: int
    media_type: str
    body: bytes


def check_address(url: str, field: str | None = None) -> None:
    """Raises `Invalid` unless it is https, or http on this machine, without user, query and fragment."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), 0
    plain = parts.scheme == "http" and parts.hostname in _LOOPBACK
    fit = (parts.scheme == "https" or plain) and parts.hostname and port != 0 and "@" not in parts.netloc
    if not fit or parts.query or parts.fragment or not url.isascii() or not url.isprintable() or " " in url:
        raise invalid(
            field, "outbound.address", say("Give an https address without user and query, such as https://w.example/.")
        )


def post(url: str, body: bytes, *, media_type: str, limit: int, timeout_s: float) -> Answer:
    """Send `body` and wait for at most `limit` bytes of answer, whatever its status.

    Raises `Invalid` for an unfit address, `Unavailable` when nobody answers in time or the answer is too long.
    """
    check_address(url)
    ends = time.monotonic() + timeout_s
    headers = {"Content-Type": media_type, "Accept-Encoding": "identity", "User-Agent": "lotseal"}
    request = urllib.request.Request(url, body, headers, method="POST")  # noqa: S310 - the scheme was checked above
    try:
        answer = _opener().open(request, timeout=timeout_s)
    except urllib.error.HTTPError as error:
        # Every status but success comes this way; it is an answer all the same.
        answer = error
    except (OSError, HTTPException) as error:
        raise _silent(url) from error
    with answer:
        try:
            return Answer(answer.status, _media_type(answer.headers), _read(answer, limit, ends, url))
        except (OSError, HTTPException) as error:
            raise _silent(url) from error


def _opener() -> urllib.request.OpenerDirector:
    """Without the handlers for redirects and proxies: nobody but the operator chooses where requests go."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(context=ssl.create_default_context()),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.HTTPDefaultErrorHandler(),
    ):
        opener.add_handler(handler)
    return opener


def _read(answer: HTTPResponse | urllib.error.HTTPError, limit: int, ends: float, url: str) -> bytes:
    """Piece by piece, since a drip of single bytes would outlast any limit on one read."""
    body = b""
    while piece := answer.read1(min(_CHUNK, limit + 1 - len(body))):
        body += piece
        if len(body) > limit or time.monotonic() > ends:
            raise _silent(url)
    return body


def _media_type(headers: Mapping[str, str]) -> str:
    return headers.get("Content-Type", "").partition(";")[0].strip().lower()


def _silent(url: str) -> Unavailable:
    host = urlsplit(url).netloc
    return Unavailable(Problem(None, "outbound.silent", say("%(host)s did not answer as it should.", host=host)))
