"""`lotseal log verify --url` with servers that do what they like: always a sentence, in time, never a wrong charge."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from makers import AT
from shells import Shell, environment

from lotseal.signing.tiles import MAX_BUNDLE
from lotseal.trace import settings
from lotseal.trace.accounts.service import OPERATOR
from lotseal.trace.errors import Unavailable
from lotseal.trace.log import Act, record
from lotseal.trace.system import open_system
from lotseal.web.cli import fetching
from lotseal.web.cli.fetching import over_http

Answer = Callable[[socket.socket, str], None]
"""Says something to whoever asked for this path; then the connection is closed."""


@contextmanager
def answering(answer: Answer) -> Iterator[str]:
    """A server of its own that takes one connection after the other; the address of its log."""
    ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.05)

        def serve() -> None:
            while not ended.is_set():
                with suppress(OSError):
                    connection, _peer = server.accept()
                    with connection:
                        connection.settimeout(5)
                        while asked := _asked(connection):
                            answer(connection, asked)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/log/"
        ended.set()
        thread.join()


def _asked(connection: socket.socket) -> str:
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        piece = connection.recv(4096)
        if not piece:
            return ""
        head += piece
    return head.split(b" ")[1].decode().removeprefix("/log/")


def saying(*pieces: bytes, close: bool = True) -> Answer:
    def answer(connection: socket.socket, _path: str) -> None:
        for piece in pieces:
            connection.sendall(piece)
        if close:
            connection.shutdown(socket.SHUT_RDWR)

    return answer


def dripping(head: bytes, drop: bytes) -> Answer:
    """For ever, as far as whoever reads is concerned."""

    def answer(connection: socket.socket, _path: str) -> None:
        connection.sendall(head)
        while True:
            connection.sendall(drop)
            time.sleep(0.02)

    return answer


def endless(head: bytes, block: bytes) -> Answer:
    def answer(connection: socket.socket, _path: str) -> None:
        connection.sendall(head)
        while True:
            connection.sendall(block)

    return answer


def bytes_ignored(connection: socket.socket) -> None:
    """Until the other side hangs up."""
    while connection.recv(1):
        pass


OK = b"HTTP/1.1 200 OK\r\n"
HOSTILE = {
    "a redirect": saying(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n"),
    "a redirect for ever": saying(b"HTTP/1.1 308 Moved\r\nLocation: /log/checkpoint\r\nContent-Length: 0\r\n\r\n"),
    "a fault": saying(b"HTTP/1.1 500 Oh\r\nContent-Length: 2\r\n\r\noh"),
    "a part (206)": saying(b"HTTP/1.1 206 Part\r\nContent-Length: 2\r\n\r\noh"),
    "nothing (204)": saying(b"HTTP/1.1 204 Nothing\r\n\r\n"),
    "no HTTP": saying(b"hello\r\n"),
    "a hang-up": saying(),
    "less than it promised": saying(OK + b"Content-Length: 1000\r\n\r\nlog"),
    "less than it promised, not found": saying(b"HTTP/1.1 404 No\r\nContent-Length: 1000\r\n\r\nno"),
    "a chunk that ends": saying(OK + b"Transfer-Encoding: chunked\r\n\r\n40\r\nlog"),
    "a chunk of no size": saying(OK + b"Transfer-Encoding: chunked\r\n\r\nlog\r\n"),
    "an endless body": endless(OK + b"\r\n", b"a" * 65536),
    "an endless body in chunks": endless(
        OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1000\r\n" + b"a" * 4096 + b"\r\n"
    ),
    "a body as long as it says, too long": endless(OK + b"Content-Length: 99999999999\r\n\r\n", b"a" * 65536),
    "an endless page for what is not there": endless(b"HTTP/1.1 404 No\r\n\r\n", b"a" * 65536),
    "endless headers": endless(OK, b"X-More: and more\r\n"),
    "an endless header": endless(OK + b"X-More: ", b"a" * 4096),
    "a drip of bytes": dripping(OK + b"Content-Length: 1000000\r\n\r\n", b"a"),
    "a drip of headers": dripping(OK + b"X-More: ", b"a"),
    "a drip of promises": dripping(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "silence": lambda connection, _path: bytes_ignored(connection),
}


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "TIMEOUT_S", 0.6)
    monkeypatch.setattr(fetching, "WHOLE_S", 0.3)


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize("name", HOSTILE)
def test_whatever_a_server_does_is_not_available_and_soon_over(name: str) -> None:
    begun = time.monotonic()
    with answering(HOSTILE[name]) as address, over_http(address) as fetch, pytest.raises(Unavailable) as refused:
        fetch("checkpoint")
    assert refused.value.problems[0].rule == "log.unreachable"
    assert time.monotonic() - begun < 30


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize("name", ["a redirect", "less than it promised", "an endless body", "a drip of bytes"])
def test_the_command_ends_with_3_and_charges_the_log_with_nothing(empty: Shell, name: str) -> None:
    with answering(HOSTILE[name]) as address:
        [problem] = empty.refused("log", "verify", "--url", address, code=3)
    assert (problem["field"], problem["rule"]) == ("url", "log.unreachable")


@pytest.mark.parametrize(
    "length", [b"Content-Length: 3\r\n", b"Content-Length: soon\r\n", b"Content-Length: -3\r\n", b""]
)
def test_a_length_that_is_none_is_passed_over(length: bytes) -> None:
    with answering(saying(OK + length + b"\r\nlog")) as address, over_http(address) as fetch:
        assert fetch("checkpoint") == b"log"


def test_more_than_was_promised_is_not_read() -> None:
    with answering(saying(OK + b"Content-Length: 3\r\n\r\nlog" + b"and more")) as address, over_http(address) as fetch:
        assert fetch("checkpoint") == b"log"


def test_the_largest_bundle_is_read_and_a_byte_more_is_refused() -> None:
    for size, fits in ((MAX_BUNDLE, True), (MAX_BUNDLE + 1, False)):
        whole = saying(OK + b"Content-Length: %d\r\n\r\n" % size, b"a" * size)
        with answering(whole) as address, over_http(address) as fetch:
            if fits:
                assert len(fetch("tile/entries/000") or b"") == size
            else:
                with pytest.raises(Unavailable):
                    fetch("tile/entries/000")


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:99999/log/", "http://[::1/log/", "http:///log/", "https://x/?a", f"http://{'a' * 70}.cn/"]
)
def test_an_address_that_is_none_is_a_sentence(empty: Shell, url: str) -> None:
    assert empty.refused("log", "verify", "--url", url, code=1)[0]["field"] == "url"


# --- a server that is only a little odd -------------------------------------------------------------------------------


def files_of(log: Path, asked: list[str]) -> Answer:
    """The files of a log, as a static server hands them out."""

    def answer(connection: socket.socket, path: str) -> None:
        asked.append(path)
        file = log / path
        if file.is_file():
            data = file.read_bytes()
            connection.sendall(OK + b"Content-Length: %d\r\n\r\n" % len(data) + data)
        else:
            connection.sendall(b"HTTP/1.1 404 No\r\nContent-Length: 2\r\n\r\nno")

    return answer


def test_a_mirror_that_keeps_only_full_tiles_is_read_from_them(shop: Shell, tmp_path: Path) -> None:
    """tlog-tiles lets a log forget a partial tile once the full one is there; and this one grew since."""
    mirror = tmp_path / "mirror"
    checkpoint = (shop.data / "log" / "checkpoint").read_bytes()
    size = int(checkpoint.split(b"\n")[1])
    policy, kept = tmp_path / "policy", tmp_path / "kept"
    policy.write_text(shop.said("log", "policy"))
    kept.write_bytes(checkpoint)
    grow(shop, 256 + 4 - size)
    (shop.data / "log").rename(mirror)
    (mirror / "checkpoint").write_bytes(checkpoint)
    for folder in ("tile/0/000.p", "tile/entries/000.p"):
        for file in (mirror / folder).iterdir():
            file.unlink()
    asked: list[str] = []
    with answering(files_of(mirror, asked)) as address:
        words = ("log", "verify", "--url", address, "--policy", str(policy), "--since", str(kept))
        found = Shell(tmp_path / "nothing").ok(*words)
    assert (found["sound"], found["size"]) == (True, size)
    assert {f"tile/entries/000.p/{size}", "tile/entries/000"} <= set(asked)


def test_a_file_that_is_in_no_form_there_is_charged_to_the_log(shop: Shell, tmp_path: Path) -> None:
    policy = tmp_path / "policy"
    policy.write_text(shop.said("log", "policy"))
    for file in (shop.data / "log" / "tile" / "entries" / "000.p").iterdir():
        file.unlink()
    with answering(files_of(shop.data / "log", [])) as address:
        words = ("log", "verify", "--url", address, "--policy", str(policy), "--json")
        result = Shell(tmp_path / "nothing").run(*words)
    assert result.exit_code == 4
    assert "monitor.missing" in result.stdout


def grow(shop: Shell, count: int) -> None:
    """So many more entries, published."""
    system = open_system(settings.load(environment(shop.data)))
    with system.main.write() as session:
        for number in range(count):
            record(session, Act.LINK_ADD, by=OPERATOR, at=AT, subject=f"link:{number}")
    system.sequencer().run_once()
    system.close()
