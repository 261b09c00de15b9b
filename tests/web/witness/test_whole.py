"""The witness behind its event loop: whole requests in, answers out, and an end to waiting."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from lotseal.signing import witness as protocol
from lotseal.web.witness import whole as module
from lotseal.web.witness.whole import patient

Message = dict[str, Any]


def echo(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
    """Answers with the length that it was told and the bytes that it could read."""
    body = environ["wsgi.input"].read()
    start("200 OK", [("X-Length", environ["CONTENT_LENGTH"])])
    return [body]


def asked(*messages: Message, length: str = "", silent: bool = False) -> tuple[int, str, bytes]:
    """Status, told length and body of the answer to a request that comes in these messages."""
    coming, said = list(messages), list[Message]()

    async def receive() -> Message:
        if not coming and silent:
            await asyncio.sleep(60)
        return coming.pop(0)

    async def send(message: Any) -> None:
        said.append(message)

    headers = [(b"content-length", length.encode())] if length else []
    scope = {"method": "POST", "path": "/add-checkpoint", "headers": headers}
    # In a thread: a process that has driven a browser has an event loop already in its main one.
    with ThreadPoolExecutor(max_workers=1) as pool:
        pool.submit(lambda: asyncio.run(patient(echo, 1)(scope, receive, send))).result()
    if not said:
        return 0, "", b""
    return said[0]["status"], dict(said[0]["headers"]).get(b"x-length", b"").decode(), said[1]["body"]


def part(body: bytes, more: bool = False) -> Message:
    return {"type": "http.request", "body": body, "more_body": more}


def test_a_request_is_handed_on_when_all_of_it_is_there() -> None:
    assert asked(part(b"old 0", True), part(b"\n")) == (200, "6", b"old 0\n")
    assert asked(part(b"")) == (200, "0", b"")


def test_a_request_that_never_ends_is_answered_and_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "READ_S", 0.1)
    assert asked(part(b"old 0", True), silent=True)[0] == 408
    most = protocol.MAX_REQUEST
    assert asked(*[part(b"x" * most, True)] * 9)[1] == str(most + 1)


def test_a_length_beyond_the_bound_is_told_without_reading() -> None:
    assert asked(length=str(protocol.MAX_REQUEST + 1)) == (200, str(protocol.MAX_REQUEST + 1), b"")
    assert asked(length="9" * 5000)[0] == 200


def test_nobody_is_answered_who_has_gone() -> None:
    assert asked(part(b"old", True), {"type": "http.disconnect"}) == (0, "", b"")
