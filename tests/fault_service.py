"""A real service that can be killed at any moment, and people who write into it over HTTP."""

from __future__ import annotations

import os
import re
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import urlencode

from makers import PASSWORD
from shells import SCRIPT, environment

PATIENCE_S = 120.0
LAUNCHER = Path(__file__).with_name("fault_launcher.py")
LOST = (OSError, HTTPException)
"""What a person sees whose service was killed: no answer, or a part of one."""


def until(condition: Callable[[], object], what: str, *, patience: float = PATIENCE_S, every: float = 0.01) -> None:
    """Wait for it. Raises `AssertionError` that names what did not happen in time."""
    end = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < end, f"{what} did not happen within {patience:.0f} s"
        time.sleep(every)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Service:
    """One `lotseal serve` over a data folder. `launcher` None starts the real script, which takes a second; else the
    launcher forks the same program. `under` is a program that starts the script and watches it."""

    def __init__(self, data: Path, launcher: Launcher | None = None, under: Sequence[str] = (), **more: str) -> None:
        self.data = data
        self._under = under
        self.environment = clean(data, **more)
        self.messages = messages_of(data)
        self.port = 0
        self._launcher = launcher
        self._process: subprocess.Popen[bytes] | None = None
        self._server = 0

    def start(self, *, wait: bool = True) -> None:
        self.port = free_port()
        if self._launcher:
            self._server = self._launcher.start(self.port, self.messages)
        else:
            words = [*self._under, SCRIPT, "serve", "--port", str(self.port)]
            with self.messages.open("ab") as said:
                self._process = subprocess.Popen(
                    words, env=self.environment, cwd="/", stdout=said, stderr=said, start_new_session=True
                )
            self._server = self._process.pid
        if wait:
            until(self._answers, "an answer of the service")

    def _answers(self) -> bool:
        assert _alive(self._server), f"the service ended: {self.said()[-3000:]}"
        try:
            return ask(self.port, "/log/policy")[0] == 200
        except LOST:
            return False

    def processes(self) -> set[int]:
        """The server, its web process and whatever they started, as far as they are alive."""
        found = {pid for pid in _of_session(self._server) if _alive(pid)}
        if self._launcher:
            found |= set(_children(self._launcher.fork_server))
        return found

    def kill(self) -> None:
        """SIGKILL to every process, the parent first; returns when none is left."""
        while left := {pid for pid in self.processes() | {self._server} if _alive(pid)}:
            for pid in sorted(left, key=lambda pid: pid != self._server):
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue
            until(lambda: not any(map(_alive, left)), "the end of the killed processes", every=0.002)
        if self._process:
            self._process.wait()

    def limit_files(self, size: int) -> None:
        """No process of the service may write a file beyond this size: the disk is full."""
        for pid in self.processes():
            _soft, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, hard))

    def said(self) -> str:
        return self.messages.read_text(errors="replace") if self.messages.exists() else ""


class Launcher:
    """See `fault_launcher.py`. One for each data folder: its servers find their settings in its environment."""

    def __init__(self, environment: Mapping[str, str], messages: Path) -> None:
        self._environment, self._messages = dict(environment), messages
        self._open()

    def _open(self) -> None:
        with self._messages.open("ab") as said:
            self._process = subprocess.Popen(
                [sys.executable, LAUNCHER],
                env=self._environment,
                cwd="/",
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=said,
                text=True,
                start_new_session=True,
            )
        self.fork_server = self._number()

    def start(self, port: int, messages: Path) -> int:
        if not _alive(self.fork_server):
            # Python's fork server ends when somebody is killed who was just asking it for a process.
            self.close()
            self._open()
        assert self._process.stdin
        self._process.stdin.write(f"{port} {messages}\n")
        self._process.stdin.flush()
        return self._number()

    def _number(self) -> int:
        assert self._process.stdout
        return int(self._process.stdout.readline())

    def close(self) -> None:
        self._process.communicate()


@contextmanager
def service(data: Path, *, real: bool = False, **more: str) -> Iterator[Service]:
    """Not started yet; killed at the end."""
    launcher = None if real else Launcher(clean(data, **more), messages_of(data))
    made = Service(data, launcher, **more)
    try:
        yield made
    finally:
        made.kill()
        if launcher:
            launcher.close()


def messages_of(data: Path) -> Path:
    """Where the service's own words go."""
    return data.with_name(f"{data.name}-messages")


def clean(data: Path, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "TMPDIR")}
    return {**kept, "LC_ALL": "C.UTF-8", **environment(data, **more)}


def _alive(pid: int) -> bool:
    state = _stat(pid)
    return bool(state) and state[0] not in "ZX"


def _stat(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    except OSError:
        return []


def _of_session(session: int) -> Iterator[int]:
    for entry in os.scandir("/proc"):
        if entry.name.isdigit() and (state := _stat(int(entry.name))) and int(state[3]) == session:
            yield int(entry.name)


def _children(pid: int) -> list[int]:
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


# --- people -----------------------------------------------------------------------------------------------------------


def ask(port: int, path: str, headers: Mapping[str, str] | None = None) -> tuple[int, bytes]:
    """One GET over a connection of its own. Raises one of `LOST`."""
    connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    try:
        connection.request("GET", path, headers=dict(headers or {}))
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


class Signed:
    """A session that outlives the service: what the browser keeps, a cookie and the token of its forms."""

    def __init__(self, port: int, login: str) -> None:
        self.cookie = self.token = ""
        self.settled = False
        person = Person(port, self)
        self.token = _token(person.get("/staff/sign-in")[1])
        status, _where, _page = person.post("/staff/sign-in", {"login": login, "password": PASSWORD})
        assert status == 303, status
        self.token = _token(person.get("/staff/suppliers/new")[1])
        self.settled = True
        person.close()


def _token(page: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found, page[:2000]
    return found[1]


class Person:
    """One connection of somebody who is signed in. What raises one of `LOST` was not acknowledged."""

    def __init__(self, port: int, signed: Signed, language: str = "en") -> None:
        self._signed = signed
        self._language = language
        self._connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)

    def get(self, path: str) -> tuple[int, str]:
        status, _where, page = self._send("GET", path, None, "")
        return status, page

    def post(
        self, path: str, form: Mapping[str, str], file: tuple[str, str, bytes] | None = None
    ) -> tuple[int, str, str]:
        """Status, where the answer leads to, and its page. `file` is field, name and content."""
        fields = {"csrf_token": self._signed.token, **form}
        if file is None:
            return self._send("POST", path, urlencode(fields).encode(), "application/x-www-form-urlencoded")
        return self._send("POST", path, _multipart(fields, *file), f"multipart/form-data; boundary={BOUNDARY}")

    def close(self) -> None:
        self._connection.close()

    def _send(self, method: str, path: str, body: bytes | None, kind: str) -> tuple[int, str, str]:
        headers = {"User-Agent": "Mozilla/5.0", "Accept-Language": self._language, "Cookie": self._signed.cookie}
        self._connection.request(method, path, body, headers | ({"Content-Type": kind} if kind else {}))
        answer = self._connection.getresponse()
        page = answer.read().decode(errors="replace")
        if not self._signed.settled:
            self._signed.cookie = (answer.getheader("Set-Cookie") or self._signed.cookie).partition(";")[0]
        return answer.status, answer.getheader("Location") or "", page


BOUNDARY = "a-line-that-is-in-no-file"


def _multipart(fields: Mapping[str, str], field: str, name: str, content: bytes) -> bytes:
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{one}"\r\n\r\n{text}' for one, text in fields.items()
    ]
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\n\r\n'
    return "\r\n".join([*parts, head]).encode() + content + f"\r\n--{BOUNDARY}--\r\n".encode()
