"""Fetch the static files of a log from another machine, carefully: one host, no redirect, bounded sizes and times.

What the network or a broken server did is «not available» (exit code 3); only what a log said itself is held against it
(exit code 4). So an answer that was cut is no shorter file.
"""

from __future__ import annotations

import http.client
import io
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any, cast
from urllib.parse import urlsplit

from ...signing.tiles import MAX_BUNDLE, Fetch
from ...trace.errors import Invalid, Problem, Unavailable, invalid, say

TIMEOUT_S = 20
"""For each piece of an answer."""
WHOLE_S = 120
"""For a whole answer: a drip of single bytes would outlast any limit on one piece."""
NOT_FOUND, OK = 404, 200


@contextmanager
def over_http(url: str) -> Iterator[Fetch]:
    """A connection that is kept open from file to file, until the block ends. Raises `Invalid` for an address that is
    none."""
    try:
        parts = urlsplit(url if "//" in url else f"https://{url}")
        host, port = (parts.hostname or "").encode("idna").decode(), parts.port
    except ValueError as error:  # a port or an address in brackets that is none, a name that no host can have
        raise _no_address() from error
    if parts.scheme not in ("https", "http") or not host or parts.query or parts.fragment:
        raise _no_address()
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(host, port, timeout=TIMEOUT_S)
    connection.response_class = _Answer
    prefix = parts.path.rstrip("/")

    def fetch(path: str) -> bytes | None:
        try:
            connection.request("GET", f"{prefix}/{path}", headers={"Accept-Encoding": "identity"})
            with connection.getresponse() as answer:
                promised = answer.length
                data = answer.read(MAX_BUNDLE + 1)
        # A host that no name server may be asked for is a UnicodeError.
        except (OSError, http.client.HTTPException, UnicodeError) as error:
            connection.close()
            raise _unreachable(url) from error
        cut = promised is not None and len(data) != promised
        if len(data) > MAX_BUNDLE or cut or answer.status not in (OK, NOT_FOUND):
            connection.close()
            raise _unreachable(url)
        return data if answer.status == OK else None

    with closing(connection):
        yield fetch


class _Answer(http.client.HTTPResponse):
    """One that has to be there as a whole in time, its head too."""

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.fp = io.BufferedReader(_InTime(self.fp.detach()))


class _InTime(io.RawIOBase):
    def __init__(self, raw: io.RawIOBase) -> None:
        self._raw, self._ends = raw, time.monotonic() + WHOLE_S

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if time.monotonic() > self._ends:
            raise TimeoutError
        return cast("int | None", self._raw.readinto(buffer))

    def close(self) -> None:
        self._raw.close()
        super().close()


def _no_address() -> Invalid:
    return invalid("url", "log.url", say("Give the address of the log, such as https://t.example.cn/log/."))


def _unreachable(url: str) -> Unavailable:
    sentence = say("The log at %(url)s does not answer as a log does. Check the address, or try again later.", url=url)
    return Unavailable(Problem("url", "log.unreachable", sentence))
