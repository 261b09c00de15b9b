"""The witness behind an event loop: a body that comes slowly, or never, keeps nobody else waiting.

A thread takes a request up only when all of it is there. So the few threads are never held by somebody who opens
connections and says nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final

from ...signing import witness as protocol

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

READ_S: Final = 10.0
_SLOW: Final = (408, [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")], b"Request Timeout\n")

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
Answer = tuple[int, list[tuple[bytes, bytes]], bytes]
"""Status, headers, body."""


def patient(application: WSGIApplication, threads: int) -> Application:
    """An ASGI application that hands whole requests to `application` in so many threads."""
    pool = ThreadPoolExecutor(threads, thread_name_prefix="witness")

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        told = dict(scope["headers"]).get(b"content-length", b"").decode("latin-1")
        try:
            # Whoever says that more will come than is read gets that answer now.
            too_long = told.isdigit() and int(told[:20]) > protocol.MAX_REQUEST
            body = b"" if too_long else await asyncio.wait_for(_body(receive), READ_S)
        except TimeoutError:
            status, headers, data = _SLOW
        else:
            if body is None:
                return
            loop = asyncio.get_running_loop()
            status, headers, data = await loop.run_in_executor(
                pool, _ask, application, scope, body, told if too_long else str(len(body))
            )
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": data})

    return answer


async def _body(receive: Receive) -> bytes | None:
    """All of it, also of one that comes in chunks; what is longer than any request may be is cut one byte beyond. None
    when nobody waits for an answer any more."""
    parts, size = list[bytes](), 0
    while size <= protocol.MAX_REQUEST:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if not message.get("more_body"):
            break
    return b"".join(parts)[: protocol.MAX_REQUEST + 1]


def _ask(application: WSGIApplication, scope: Scope, body: bytes, length: str) -> Answer:
    said: list[tuple[str, list[tuple[str, str]]]] = []

    def start(status: str, headers: list[tuple[str, str]], *_more: object) -> Callable[[bytes], object]:
        said.append((status, headers))
        return lambda data: None

    environ = {
        "REQUEST_METHOD": scope["method"],
        "PATH_INFO": scope["path"],
        "CONTENT_LENGTH": length,
        "wsgi.input": BytesIO(body),
    }
    data = b"".join(application(environ, start))
    status, headers = said[0]
    encoded = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    return int(status.partition(" ")[0]), encoded, data
