"""Fetch the static files of a log from another machine, carefully: one host, no redirect, bounded sizes."""

from __future__ import annotations

import http.client
from urllib.parse import urlsplit

from ...signing.tiles import MAX_BUNDLE, Fetch
from ...trace.errors import Invalid, Problem, Unavailable, invalid, say

TIMEOUT_S = 20


def over_http(url: str) -> Fetch:
    """A connection that is kept open from file to file. Raises `Invalid` for an address that is none."""
    try:
        parts = urlsplit(url if "//" in url else f"https://{url}")
        host, port = (parts.hostname or "").encode("idna").decode(), parts.port
    except ValueError:  # a port or an address in brackets that is none, a name that no host can have
        raise _no_address() from None
    if parts.scheme not in ("https", "http") or not host or parts.query or parts.fragment:
        raise _no_address()
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(host, port, timeout=TIMEOUT_S)
    prefix = parts.path.rstrip("/")

    def fetch(path: str) -> bytes | None:
        try:
            connection.request("GET", f"{prefix}/{path}", headers={"Accept-Encoding": "identity"})
            answer = connection.getresponse()
            data = answer.read(MAX_BUNDLE + 1)
        except (OSError, http.client.HTTPException) as error:
            raise _unreachable(url) from error
        if answer.status == 404:
            return None
        if answer.status != 200 or len(data) > MAX_BUNDLE:
            raise _unreachable(url)
        return data

    return fetch


def _no_address() -> Invalid:
    return invalid("url", "log.url", say("Give the address of the log, such as https://t.example.cn/log/."))


def _unreachable(url: str) -> Unavailable:
    sentence = say("The log at %(url)s does not answer as a log does. Check the address, or try again later.", url=url)
    return Unavailable(Problem("url", "log.unreachable", sentence))
