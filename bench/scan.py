"""The complete scan page against a bare Flask route, under the same server, in one run.

    python bench/scan.py [--rounds 3] [--seconds 4] [--connections 32] [--server granian|gunicorn]

Builds a demo in a temporary folder, serves it with one worker, and asks both addresses in turns. Every look-up is of a
random item by a new visitor, so each is a durable row; the rows are counted at the end and must equal the answers.
Every answered page must hold its own serial. The load generator shares the machine's cores with the server, so only
the ratio says something; absolute figures are lower than on a machine of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import func, select

from lotseal.trace import settings
from lotseal.trace.demo import build
from lotseal.trace.items.models import CodeRun, Item
from lotseal.trace.items.service import link
from lotseal.trace.scans.models import Scan
from lotseal.trace.system import System, open_system

HERE = Path(__file__).parent


@dataclass
class Round:
    """Answers, their latencies in seconds, and how long the round took."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    wrong: int = 0

    @property
    def rate(self) -> float:
        return len(self.latencies) / self.seconds

    def quantile_ms(self, share: float) -> float:
        ordered = sorted(self.latencies)
        return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))]


async def ask(port: int, connections: int, seconds: float, request, right) -> Round:  # type: ignore[no-untyped-def]  # callables of the caller
    """Keep `connections` busy for `seconds`; `request()` gives bytes and what `right` needs to judge the answer."""
    done = Round()
    end = time.perf_counter() + seconds

    async def client() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while time.perf_counter() < end:
            raw, expected = request()
            began = time.perf_counter()
            writer.write(raw)
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
            body = await reader.readexactly(length)
            done.latencies.append(time.perf_counter() - began)
            done.wrong += not (head.startswith(b"HTTP/1.1 200") and right(expected, body))
        writer.close()

    began = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(connections)))
    done.seconds = time.perf_counter() - began
    return done


def requests_of(paths: list[str]):  # type: ignore[no-untyped-def]  # an endless iterator
    """A look-up of a random item by a visitor nobody has seen: another browser each time."""
    number = random.randrange(10**9)

    def request() -> tuple[bytes, bytes]:
        nonlocal number
        number += 1
        path = random.choice(paths)
        head = f"Host: 127.0.0.1\r\nUser-Agent: Mozilla/5.0 visitor-{number}\r\nAccept-Language: zh-CN"
        return f"GET {path} HTTP/1.1\r\n{head}\r\n\r\n".encode(), path.split("?")[0].rsplit("/", 1)[1].encode()

    return request


def serve(server: str, port: int, data: Path) -> subprocess.Popen[bytes]:
    commands = {
        "granian": ["granian", "--interface", "wsgi", "--workers", "1", "--blocking-threads", "8", "--port", str(port)],
        "gunicorn": [
            "gunicorn",
            "--workers",
            "1",
            "--threads",
            "8",
            "--bind",
            f"127.0.0.1:{port}",
            "--keep-alive",
            "60",
        ],
    }
    command = [str(Path(sys.executable).parent / commands[server][0]), *commands[server][1:], "scan_app:app"]
    environment = {**os.environ, "LOTSEAL_DATA": str(data)}
    return subprocess.Popen(command, cwd=HERE, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def wait_for(port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise SystemExit("the server did not start")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def scannable(system: System) -> list[str]:
    """Paths of tier A items of a released batch."""
    with system.main.read() as db:
        runs = db.scalars(select(CodeRun).where(CodeRun.tier == "A", CodeRun.count > 100)).all()
        run = max((run for run in runs if run.batch.state == "released"), key=lambda run: run.count)
        items = db.scalars(select(Item).where(Item.run_id == run.id, Item.voided_at.is_(None)).limit(2000)).all()
        return [urlsplit(link(run, item)).path for item in items]


def scans(system: System) -> int:
    with system.scans.read() as db:
        return db.scalar(select(func.count(Scan.id))) or 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--server", choices=("granian", "gunicorn"), default="granian")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="lotseal-bench-") as folder:
        data = Path(folder) / "data"
        build(data)
        system = open_system(settings.load({}, data=data))
        before, paths, port = scans(system), scannable(system), free_port()
        process = serve(options.server, port, data)
        try:
            wait_for(port)
            rounds = asyncio.run(measure(port, paths, options))
        finally:
            process.terminate()
            process.wait()
        stored = scans(system) - before
    report(rounds, stored, options)


async def measure(port: int, paths: list[str], options: argparse.Namespace) -> dict[str, list[Round]]:
    """The two addresses in turns, so that a slow moment of the machine hits both. The first turn only warms up."""
    bare = b"GET /bare/ HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: bench\r\n\r\n"
    rounds: dict[str, list[Round]] = {"bare": [], "scan": []}
    for _ in range(options.rounds + 1):
        rounds["bare"].append(
            await ask(
                port, options.connections, options.seconds, lambda: (bare, b"hello"), lambda want, body: body == want
            )
        )
        rounds["scan"].append(
            await ask(
                port,
                options.connections,
                options.seconds,
                requests_of(paths),
                lambda serial, body: serial[:5] in body and serial[-5:] in body,
            )
        )
    return rounds


def report(rounds: dict[str, list[Round]], stored: int, options: argparse.Namespace) -> None:
    answered = sum(len(each.latencies) for each in rounds["scan"])
    wrong = sum(each.wrong for kind in rounds.values() for each in kind)
    print(f"{options.server}, 1 worker × 8 threads, {options.connections} connections, {options.rounds} rounds")
    print(f"{'':12}{'per second':>12}{'p50 ms':>10}{'p99 ms':>10}")
    figures = {}
    for kind, every in rounds.items():
        measured = every[1:]
        figures[kind] = statistics.median(each.rate for each in measured)
        p50 = statistics.median(each.quantile_ms(0.5) for each in measured)
        p99 = statistics.median(each.quantile_ms(0.99) for each in measured)
        print(f"{kind:12}{figures[kind]:12.0f}{p50:10.1f}{p99:10.1f}")
        figures[f"{kind}_p50_ms"], figures[f"{kind}_p99_ms"] = p50, p99
    ratio = figures["scan"] / figures["bare"]
    print(f"scan / bare = {ratio:.3f}; answers {answered}, look-ups stored {stored}, wrong answers {wrong}")
    print(
        json.dumps({"bench": "scan", "ratio": ratio, "answered": answered, "stored": stored, "wrong": wrong, **figures})
    )
    if wrong:
        sys.exit("some answers were wrong")


if __name__ == "__main__":
    main()
