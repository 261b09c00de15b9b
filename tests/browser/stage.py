"""The stage of the browser stories: a finished demo and servers over copies of it, run by the real command."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

Found = TypeVar("Found")

COMMAND = Path(sys.executable).with_name("lotseal")
PATIENCE_S = 60
"""For what takes seconds on an idle machine; a busy one with two cores takes longer."""


def wait_for(look: Callable[[], Found | None], what: str, *, patience_s: float = PATIENCE_S) -> Found:
    """The first answer of `look` that is there. Raises `TimeoutError` when there is none in time."""
    until = time.monotonic() + patience_s
    while time.monotonic() < until:
        if found := look():
            return found
        time.sleep(0.05)
    raise TimeoutError(f"waited {patience_s:.0f} s for {what}")


@dataclass(frozen=True)
class Account:
    role: str
    login: str
    password: str


@dataclass(frozen=True)
class Site:
    """A running Lotseal: its address, its data folder and what its demo printed."""

    origin: str
    data: Path
    facts: dict[str, list[dict[str, str]]]

    def here(self, link: str) -> str:
        """A printed link, leading to this server instead of the demo's public address."""
        return re.sub(r"^https?://[^/]+", self.origin, link, flags=re.IGNORECASE)

    def link(self, state: str) -> str:
        """The ready link of a verdict state."""
        return self.here(self.code(state)["url"])

    def code(self, state: str) -> dict[str, str]:
        found = [code for code in self.facts["codes"] if code["state"] == state]
        assert found, f"the demo has no code for {state}"
        return found[0]

    def accounts(self, role: str) -> list[Account]:
        named = [Account(one["role"], one["login"], one["password"]) for one in self.facts["accounts"]]
        return [account for account in named if account.role == role]

    def lotseal(self, *arguments: str) -> str:
        """What a command says about this site's folder."""
        return run_lotseal(*arguments, data=self.data)


def environment(data: Path) -> dict[str, str]:
    """What a command sees: the data folder and nothing else of Lotseal."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LOTSEAL_", "DATABASE_URL"))}
    return kept | {"LOTSEAL_DATA": str(data)}


def run_lotseal(*arguments: str, data: Path) -> str:
    done = subprocess.run(
        [COMMAND, *arguments], env=environment(data), cwd=data.parent, capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, f"lotseal {' '.join(arguments)}: {done.stderr}"
    return done.stdout


def build_demo(folder: Path) -> None:
    """The demo's data in `folder`/data and what it printed in `folder`/facts.json."""
    folder.mkdir(mode=0o700)
    printed = run_lotseal("demo", "--data", str(folder / "data"), "--no-serve", "--json", data=folder / "data")
    (folder / "facts.json").write_text(printed)


@contextmanager
def serving(demo: Path, folder: Path) -> Iterator[Site]:
    """A server over a fresh copy of the demo, with its job worker."""
    data = folder / "data"
    shutil.copytree(demo / "data", data)
    data.chmod(0o700)
    facts = json.loads((demo / "facts.json").read_text())
    with running(data) as origin:
        yield Site(origin, data, facts)


@contextmanager
def running(data: Path) -> Iterator[str]:
    """`lotseal serve` over a data folder; the address it answers at."""
    port = _free_port()
    log = data.parent / f"serve-{port}.log"
    with log.open("w") as output:
        server = subprocess.Popen(
            [COMMAND, "serve", "--port", str(port)],
            env=environment(data),
            cwd=data.parent,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    origin = f"http://127.0.0.1:{port}"
    try:
        wait_for(lambda: _answers(server, origin, log), f"an answer of {origin}")
        yield origin
    finally:
        server.terminate()
        server.wait(PATIENCE_S)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(server: subprocess.Popen[bytes], origin: str, log: Path) -> bool:
    assert server.poll() is None, f"the server ended: {log.read_text()}"
    try:
        with urlopen(f"{origin}/patterns", timeout=PATIENCE_S):
            return True
    except HTTPError as error:
        raise AssertionError(f"the server answers {error.code}: {log.read_text()}") from error
    except (URLError, ConnectionError):
        return False
