"""What is said to be kept was synced before it was said: seen from outside, in the calls to the operating system.

Needs strace and the right to use it; skipped elsewhere.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import makers
import pytest
from fault_service import Person, Service, Signed, until

from lotseal.trace.system import System

CALLS = "trace=pwrite64,fdatasync,fsync,write,writev,sendto,sendmsg"
ACTS = 4
LINE = re.compile(r"(\d+) +(?:<\.\.\. )?(\w+)(?: resumed>|\((?:\d+<([^>]*)>)?)(.*)")


@dataclass(frozen=True)
class Call:
    thread: str
    name: str
    file: str
    """Below the data folder; a call that somebody else's interrupted keeps its file."""
    rest: str


def calls(trace: Path, data: Path) -> Iterator[Call]:
    """In the order in which they ended."""
    begun: dict[str, str] = {}
    for line in trace.read_text(errors="replace").splitlines():
        if not (found := LINE.match(line)):
            continue
        thread, name, file, rest = found.groups(default="")
        if rest.endswith("<unfinished ...>"):
            begun[thread] = file
            continue
        yield Call(thread, name, (file or begun.pop(thread, "")).removeprefix(f"{data}/"), rest)


def _may_trace() -> bool:
    return bool(shutil.which("strace")) and subprocess.run(["strace", "true"], capture_output=True).returncode == 0


@pytest.fixture
def traced(sqlite_system: System, tmp_path: Path) -> list[Call]:
    """Suppliers are added, one after the other, and the log is sealed meanwhile."""
    if not _may_trace():
        pytest.skip("needs strace")
    with sqlite_system.main.write() as session:
        makers.alice(session)
    data, trace = sqlite_system.settings.data, tmp_path / "trace"
    sqlite_system.close()
    service = Service(data, under=("strace", "-f", "-y", "-s", "32", "-o", str(trace), "-e", CALLS))
    try:
        service.start()
        person = Person(service.port, Signed(service.port, "alice"))
        for number in range(ACTS):
            form = {"name_zh": f"{number}", "name_en": f"{number}", "country": "NO", "licence": "", "contact": ""}
            assert person.post("/staff/suppliers/new", form)[0] == 303
        until((data / "log" / "checkpoint").exists, "the publication of the log")
        person.close()
    finally:
        service.kill()
    return list(calls(trace, data))


def test_an_act_is_synced_before_it_is_acknowledged_and_before_it_is_published(traced: list[Call]) -> None:
    sealers = {call.thread for call in traced if call.file.startswith("log/")}
    dirty: set[str] = set()
    commits = answers = 0
    unsynced: set[str] = set()
    for call in traced:
        if call.file == "lotseal.db-wal":
            (dirty.discard if call.name == "fdatasync" else dirty.add)(call.thread)
            commits += call.name == "fdatasync" and call.thread not in sealers
        elif "HTTP/1.1 303" in call.rest:
            answers += 1
            assert not dirty - sealers, "answered before what was committed was synced"
            assert commits >= answers, "each act is a commit of its own"
        elif call.file.startswith("log/"):
            assert call.thread not in dirty, "published before the seal was synced"
            if call.name == "write" and call.file.count("/") == 1:
                assert not unsynced, "the checkpoint was written before the tiles that it promises were synced"
            (unsynced.discard if call.name == "fsync" else unsynced.add)(call.file)
    assert answers >= ACTS
    assert sealers
