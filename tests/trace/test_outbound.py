from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest
from serving import saying, served

from lotseal.trace import outbound
from lotseal.trace.errors import Invalid, Unavailable


def post(url: str, limit: int = 100, timeout_s: float = 5) -> outbound.Answer:
    return outbound.post(url, b"question", media_type="text/plain", limit=limit, timeout_s=timeout_s)


@pytest.mark.parametrize("status", ["200 OK", "404 Not Found", "409 Conflict", "500 Oh"])
def test_every_status_is_an_answer(status: str) -> None:
    with served(saying(status, "Text/X; charset=utf-8", b"answer")) as url:
        assert post(f"{url}/path") == outbound.Answer(int(status[:3]), "text/x", b"answer")


def test_a_redirect_is_not_followed() -> None:
    asked: list[str] = []
    with (
        served(lambda environ, start: asked.append("second") or saying("200 OK", "a/b", b"")(environ, start)) as second,
        served(saying("307 Temporary Redirect", "text/plain", b"", Location=second)) as first,
    ):
        assert post(first).status == 307
    assert asked == []


def test_an_answer_beyond_its_bound_is_none() -> None:
    with served(saying("200 OK", "text/plain", b"x" * 101)) as url:
        with pytest.raises(Unavailable):
            post(url)
        assert len(post(url, limit=101).body) == 101


@pytest.fixture
def dripping() -> Iterator[str]:
    """A server that promises a million bytes and sends one every 20 ms, for ten seconds."""
    ended = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))

    def drip() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65_536)
            try:
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
                for _ in range(500):
                    if ended.wait(0.02):
                        return
                    connection.sendall(b"x")
            except OSError:
                return

    thread = threading.Thread(target=drip, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    ended.set()
    thread.join()
    listener.close()


def test_an_answer_that_drips_is_given_up(dripping: str) -> None:
    started = time.monotonic()
    with pytest.raises(Unavailable):
        post(dripping, limit=1_000_000, timeout_s=0.3)
    assert time.monotonic() - started < 5


def test_a_port_without_a_server_does_not_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(Unavailable) as refused:
        post(f"http://127.0.0.1:{port}")
    assert refused.value.problems[0].rule == "outbound.silent"


def test_what_is_no_http_is_no_answer() -> None:
    listener = socket.create_server(("127.0.0.1", 0))

    def babble() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65_536)
            connection.sendall(b"\0\1\2 no such thing\r\n\r\n")

    thread = threading.Thread(target=babble, daemon=True)
    thread.start()
    with pytest.raises(Unavailable):
        post(f"http://127.0.0.1:{listener.getsockname()[1]}")
    thread.join()
    listener.close()


@pytest.mark.parametrize(
    "url",
    [
        "", "x", "file:///etc/passwd", "ftp://w.example/", "http://w.example/", "http://127.0.0.1.w.example/",
        "http://localhost.w.example/", "https://", "https:///path", "https://user@w.example/", "https://u:p@w.example/",
        "https://w.example/?q=1", "https://w.example/#f", "https://w.example:0/", "https://w.example:x/",
        "https://w.example/ x", "https://w.example/\n", "https://[::1", "https://w\u00e9.example/", "//w.example/",
    ],
)  # fmt: skip
def test_only_https_or_this_machine_is_asked(url: str) -> None:
    with pytest.raises(Invalid):
        post(url)


@pytest.mark.parametrize(
    "url", ["https://w.example", "https://w.example:8443/a/", "http://localhost:1/", "http://[::1]:1"]
)
def test_addresses_that_may_be_asked(url: str) -> None:
    outbound.check_address(url)
