"""Loops in which a data folder is backed up while people write, lost, and restored.

What was acknowledged before the backup began must be in the restored service, which must hold exactly what its log
tells. And it must not pass for the lost one: beside a newer log it seals nothing and says by how much it was rolled
back, and whoever kept a newer checkpoint sees a log that shrank.
"""

from __future__ import annotations

import hashlib
import json
import random
import re
import shutil
import subprocess
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from fault_kills import Done, Kills, Writer
from fault_service import Person, Service, Signed, ask, clean, messages_of, until
from fault_uploads import Uploader, verified
from shells import SCRIPT, Shell
from sqlalchemy import select

from lotseal.signing.checkpoint import Checkpoint
from lotseal.signing.notes import Note
from lotseal.trace.log.models import LogEntry
from lotseal.trace.system import System


@dataclass
class Measured:
    loops: int = 0
    backup_s: list[float] = field(default_factory=list)
    rate: list[float] = field(default_factory=list)
    """Acts a second that were acknowledged while the copy was made."""
    missed: list[int] = field(default_factory=list)
    """Acts that were acknowledged while the copy was made, and are not in it."""
    lost: list[int] = field(default_factory=list)
    """Those, and all that came after: what the disaster cost."""
    since_s: list[float] = field(default_factory=list)
    """From the beginning of the backup to the disaster."""
    restore_s: list[float] = field(default_factory=list)
    """Copying the folder back, and from the start of the script to its first answer."""
    rolled_back: list[int] = field(default_factory=list)

    def told(self) -> dict[str, object]:
        """Middle and worst of each figure."""
        names = {
            "backup, seconds": self.backup_s,
            "acts a second meanwhile": self.rate,
            "acts acknowledged meanwhile and not in it": self.missed,
            "RPO: acts lost": self.lost,
            "RPO: seconds since the backup began": self.since_s,
            "RTO: seconds to copy back and answer": self.restore_s,
            "rolled back by, entries": self.rolled_back,
        }
        spans = {name: {"middle": round(median(all_), 1), "most": round(max(all_), 1)} for name, all_ in names.items()}
        return {"loops": self.loops, **spans}


class Backups(Kills):
    """The lost service is put right after each loop, and goes on: it grows, and so do its backups."""

    def __init__(self, service: Service, data: Path, *, seed: int = 0) -> None:
        super().__init__(service, data, seed=seed, writers=4)
        with self.system() as system:
            _put_made_up(system)
        self.measured = Measured()
        self._luck = random.Random(seed)

    def _people(self, signed: Signed, gtin: str, seed: int) -> list[Writer]:
        self._signed = signed
        kinds = (Writer, Writer, Writer, Uploader)
        return [
            kind(signed, ref, gtin, seed * 100 + n)
            for n, (kind, ref) in enumerate(zip(kinds, self._batches, strict=True))
        ]

    def loop(self) -> None:
        """Write, back up, write on, lose everything, restore, compare. Raises as `Kills.round` does."""
        folder = self.data.parent / f"loop-{self.measured.loops}"
        threads = self._start_writing()
        time.sleep(self._luck.uniform(0.2, 0.8))
        began, before = time.monotonic(), self._acked()
        told = self._back_up(folder / "copy")
        meanwhile, took = self._acked() - before, time.monotonic() - began
        until(lambda: self._published().size > told["entries"] + told["waiting"], "a newer checkpoint")
        self.service.kill()
        for thread in threads:
            thread.join()
        self.measured.since_s.append(time.monotonic() - began)
        self.measured.backup_s.append(took)
        self.measured.rate.append(len(meanwhile) / took)
        self._refuses_beside_newer(folder, told["entries"])
        there = self._restored(folder, told)
        lost = self._acked() - there
        self.measured.missed.append(len(lost & meanwhile))
        assert not lost & before, f"acknowledged before the backup and not in it: {sorted(map(str, lost & before))[:5]}"
        self.measured.lost.append(len(lost))
        self.measured.loops += 1
        if self.measured.loops > 1:
            shutil.rmtree(folder)
        self.service.start()
        self.check()

    def _start_writing(self) -> list[threading.Thread]:
        port = self.service.port
        threads = [threading.Thread(target=writer.work, args=(port,)) for writer in self.writers]
        threads.append(threading.Thread(target=self._watch, args=(port,)))
        for thread in threads:
            thread.start()
        return threads

    def _acked(self) -> set[Done]:
        return {done for writer in self.writers for done in list(writer.acked)}

    def _published(self) -> Checkpoint:
        return Checkpoint.parse(Note.parse((self.data / "log" / "checkpoint").read_bytes()).text)

    def _back_up(self, to: Path) -> dict[str, int]:
        command = [SCRIPT, "backup", str(to), "--json"]
        done = subprocess.run(command, env=clean(self.data), cwd="/", capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stdout + done.stderr
        told: dict[str, int] = json.loads(done.stdout)
        return told

    def _refuses_beside_newer(self, folder: Path, entries: int) -> None:
        copy, newer = folder / "copy", self.data / "log"
        shell = Shell(copy)
        shrunk = shell.run("log", "verify", "--data", str(copy), "--since", str(newer / "checkpoint"), "--json")
        assert shrunk.exit_code == 4, shrunk.output
        assert json.loads(shrunk.stdout)["rule"] == "monitor.shrunk"
        beside = folder / "beside"
        shutil.copytree(copy, beside)
        shutil.rmtree(beside / "log")
        shutil.copytree(newer, beside / "log")
        [problem] = Shell(beside).refused("log", "seal", code=3)
        assert problem["rule"] == "log.rolled-back"
        said = re.search(r"rolled back by (\d+):", problem["message"])
        assert said
        assert int(said[1]) == self._published().size - entries
        self.measured.rolled_back.append(int(said[1]))

    def _restored(self, folder: Path, told: dict[str, int]) -> set[Done]:
        """The acts that a restored service knows."""
        data, began = folder / "restored", time.monotonic()
        shutil.copytree(folder / "copy", data)
        service = Service(data)
        try:
            service.start()
            self.measured.restore_s.append(time.monotonic() - began)
            twin = self.twin(service, data)
            twin.check()
        finally:
            service.kill()
        shell = Shell(data)
        assert shell.ok("log", "verify", "--data", str(data))["sound"]
        with twin.system() as copy, self.system() as original:
            reports = verified(copy)
            assert _leaves(copy, told["entries"]) == _leaves(original, told["entries"])
        uploaded = {mark for mark, act in twin.record.marks.items() if act == "certificate:submit"}
        assert uploaded == set(reports)
        return {Done(act, mark) for mark, act in twin.record.marks.items()}

    def refuses_while_it_serves(self) -> None:
        """With the newer log beside it a restored service answers, takes acts, and leaves the log as it is."""
        beside = self.data.parent / "loop-0" / "beside"
        newest = (beside / "log" / "checkpoint").read_bytes()
        service = Service(beside)
        try:
            service.start()
            person = Person(service.port, self._signed)
            form = {"name_zh": "其后", "name_en": "After", "country": "NO", "licence": "", "contact": ""}
            assert person.post("/staff/suppliers/new", form)[0] == 303
            person.close()
            until(lambda: "rolled back by" in messages_of(beside).read_text(), "a word of why nothing is sealed")
            assert ask(service.port, "/log/checkpoint") == (200, newest)
        finally:
            service.kill()
        assert Shell(beside).ok("log", "status")["waiting"] > 0


def _put_made_up(system: System) -> None:
    """The reports of the makers are numbers without bytes; here they get them."""
    missing = {name for name in system.named_files() if not system.storage.exists(name)}
    for number in range(100_000):
        if not missing:
            return
        data = str(number).encode()
        if hashlib.sha256(data).hexdigest() in missing:
            missing.remove(system.storage.put(data).sha256)
    assert not missing


def _leaves(system: System, size: int) -> list[bytes | None]:
    with system.main.read() as session:
        return list(session.scalars(select(LogEntry.leaf_hash).where(LogEntry.index < size).order_by(LogEntry.index)))
