"""Rounds in which a service is killed while people write, and what must be true after each.

A person remembers what was acknowledged: the answer came whole. After the next start each of these acts must be in the
store and in the log, once; the log must be a continuation of everything that it ever showed; and the store must hold
exactly what the entries of the log tell. An act that was not acknowledged may be there or not, but whole.
"""

from __future__ import annotations

import json
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, field
from itertools import count as counting
from pathlib import Path

import makers
from fault_outsider import Outsider
from fault_service import LOST, Person, Service, Signed, ask, until
from makers import settings_of
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from lotseal.signing import merkle
from lotseal.signing.tiles import ENTRIES, WIDTH, Tile, TileReader
from lotseal.trace.batches.models import Batch, BatchState
from lotseal.trace.links.models import Link
from lotseal.trace.log.models import LogEntry, LogHead
from lotseal.trace.suppliers.models import Supplier
from lotseal.trace.system import System, open_system

LONGEST_S = 1.5
"""A seal comes once a second, so a random moment of this length hits before, in and after one."""
WEIGHTS = {"any": 6, "sealing": 3, "start": 1}


@dataclass(frozen=True)
class Done:
    """An acknowledged act: its word, and the mark that stands in its facts and nowhere else."""

    act: str
    mark: str


Attempt = tuple[str, str, dict[str, str], Callable[[str], None]]
"""Act, path, form, and what the person remembers of the address that the answer leads to."""


class Writer:
    """Somebody of the staff who adds and changes suppliers, adds links, and holds and releases one batch."""

    marks = counting(1)

    def __init__(self, signed: Signed, batch: str, gtin: str, seed: int) -> None:
        self._signed = signed
        self._random = random.Random(seed)
        self._suppliers: list[str] = []
        self._gtin = gtin
        self.batch = batch
        self.held = False
        self.acked: list[Done] = []
        self.refused: list[str] = []

    def work(self, port: int) -> None:
        """Until the service is gone."""
        person = Person(port, self._signed)
        try:
            while True:
                mark = f"m{next(Writer.marks):08d}"
                act, path, form, remember = self._next(mark)
                status, where, page = person.post(path, form, self.file(act, mark))
                if status != 303:
                    self.refused.append(f"{act}: {status} {page[:3000]}")
                    return
                self.acked.append(Done(act, mark))
                remember(where)
        except LOST:
            return
        finally:
            person.close()

    def file(self, _act: str, _mark: str) -> tuple[str, str, bytes] | None:
        """What is uploaded with the form, if anything."""
        return None

    def _next(self, mark: str) -> Attempt:
        kinds = [self._add, self._link, self._hold]
        if self._suppliers:
            kinds += [self._change, self._change]
        return self._random.choice(kinds)(mark)

    def _add(self, mark: str) -> Attempt:
        return "supplier:add", "/staff/suppliers/new", _supplier(mark), self._met

    def _met(self, where: str) -> None:
        self._suppliers.append(where.rpartition("/")[2])

    def _change(self, mark: str) -> Attempt:
        ref = self._random.choice(self._suppliers[-20:])
        return "supplier:change", f"/staff/suppliers/{ref}/edit", _supplier(mark), _nothing

    def _link(self, mark: str) -> Attempt:
        form = {"of": f"(01){self._gtin}", "link_type": "pip", "href": f"https://www.example.com/{mark}", "title": mark}
        return "link:add", "/staff/links/new", form, _nothing

    def _hold(self, mark: str) -> Attempt:
        path = f"/staff/batches/{self.batch}"
        if self.held:
            return "batch:hold-lift", f"{path}/lift", {"reason": mark}, self._turned
        return "batch:hold", f"{path}/hold", {"reason_zh": mark, "reason_en": mark}, self._turned

    def _turned(self, _where: str) -> None:
        self.held = not self.held


def _nothing(_where: str) -> None:
    return


def _supplier(mark: str) -> dict[str, str]:
    return {"name_zh": mark, "name_en": mark, "country": "NO", "licence": "", "contact": ""}


@dataclass
class Record:
    """What the entries of the log tell, replayed from its first one."""

    size: int = 0
    marks: dict[str, str] = field(default_factory=dict)
    suppliers: dict[str, str] = field(default_factory=dict)
    links: set[str] = field(default_factory=set)
    held: dict[str, bool] = field(default_factory=dict)

    def take(self, entry: LogEntry) -> None:
        assert entry.index == self.size, f"the store has no entry {self.size}"
        self.size += 1
        document = json.loads(entry.content)
        facts, ref = document["facts"], document["subject"].partition(":")[2]
        mark = ""
        match entry.act:
            case "supplier:add":
                mark = self.suppliers[ref] = facts["name_en"]
            case "supplier:change":
                mark = self.suppliers[ref] = facts["changed"]["name_en"][1]
            case "link:add":
                mark = facts["title"]
                self.links.add(mark)
            case "certificate:submit":
                mark = facts["number"]
            case "batch:hold" | "batch:hold-lift":
                mark = facts.get("reason_en") or facts["reason"]
                self.held[ref] = entry.act == "batch:hold"
        if mark.startswith("m"):
            assert mark not in self.marks, f"{mark} is in the log twice"
            self.marks[mark] = entry.act


@dataclass
class Figures:
    rounds: int = 0
    acknowledged: int = 0
    unanswered: int = 0
    moments: Counter[str] = field(default_factory=Counter)
    unpublished: int = 0
    """Starts at which the files were behind the store: the kill came between seal and publication."""
    waiting: int = 0
    """Starts at which acknowledged acts still waited for their seal."""


class Kills:
    """One data folder through many rounds."""

    longest = LONGEST_S

    def __init__(self, service: Service, data: Path, *, seed: int = 0, writers: int = 3, **more: str) -> None:
        self.service, self.data, self._more = service, data, more
        self.figures, self.record = Figures(), Record()
        self._random = random.Random(seed)
        with self.system() as system, system.main.write() as session:
            makers.alice(session)
            product = makers.a_product(session)
            self._batches = [makers.released(session, system.ring, product, lot=f"L{n}").ref for n in range(writers)]
            gtin = product.gtin
        service.start()
        signed = Signed(service.port, "alice")
        self.writers = self._people(signed, gtin, seed)
        self._policy = ask(service.port, "/log/policy")[1]
        self.outsider = Outsider(self._policy)
        self.check()

    def _people(self, signed: Signed, gtin: str, seed: int) -> list[Writer]:
        return [Writer(signed, ref, gtin, seed * 100 + n) for n, ref in enumerate(self._batches)]

    def twin(self, service: Service, data: Path) -> Kills:
        """The same eyes on another data folder, of which they know nothing yet."""
        made = copy(self)
        made.service, made.data, made.writers = service, data, []
        made.figures, made.record, made.outsider = Figures(), Record(), Outsider(self._policy)
        return made

    @contextmanager
    def system(self) -> Iterator[System]:
        """For a look into the store: closed again, since whoever has it open keeps SQLite from its own recovery."""
        opened = open_system(settings_of(self.data, **self._more))
        try:
            yield opened
        finally:
            opened.close()

    def round(self) -> None:
        """Write, kill, start, check. Raises `AssertionError` or `SigningError` for the first thing that is not so."""
        moment = self._random.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
        self._write_until_killed(moment)
        self.figures.rounds += 1
        self.figures.moments[moment] += 1
        if moment == "start":
            self.service.start(wait=False)
            threading.Event().wait(self._random.uniform(0, LONGEST_S / 2))
            self.service.kill()
        self._look_at_what_was_left()
        self.service.start()
        self.check()

    def _write_until_killed(self, moment: str) -> None:
        port = self.service.port
        threads = [threading.Thread(target=writer.work, args=(port,)) for writer in self.writers]
        threads.append(threading.Thread(target=self._watch, args=(port,)))
        for thread in threads:
            thread.start()
        threading.Event().wait(self._random.uniform(0, self.longest))
        if moment == "sealing":
            self._await_publication()
        self.service.kill()
        for thread in threads:
            thread.join()

    def _watch(self, port: int) -> None:
        try:
            while True:
                status, note = ask(port, "/log/checkpoint")
                assert status == 200
                self.outsider.see(note)
                threading.Event().wait(0.02)
        except LOST:
            return

    def _await_publication(self) -> None:
        """Until a file is being written aside: the moment between seal and publication."""
        log, place = self.data / "log", self.record.size // WIDTH
        folders = {log, *((log / Tile(level, place, 1).path).parent for level in (ENTRIES, 0))}

        def writing() -> bool:
            names = [path.name for folder in folders if folder.exists() for path in folder.iterdir()]
            return any(name.startswith(".") and len(name) == 17 for name in names)

        try:
            until(writing, "a publication", patience=3 * LONGEST_S, every=0.0005)
        except AssertionError:
            self.figures.moments["sealing, not seen"] += 1

    def _look_at_what_was_left(self) -> None:
        with self.system() as system, system.main.read() as session:
            size = session.scalar(select(LogHead.size)) or 0
            published = system.shelf.published()
            self.figures.unpublished += size != (published.size if published else 0)
            self.figures.waiting += bool(_waiting(session))

    # --- what must be true --------------------------------------------------------------------------------------------

    def check(self) -> None:
        with self.system() as system:
            until(lambda: self._settled(system), "the publication of all entries")
            newest = self.outsider.follow(self._fetch)
            with system.main.read() as session:
                self._integrity(session)
                # Jobs may add entries meanwhile; those wait for the next look.
                self._replay(session, newest.size if newest else 0)
                self._compare(session)
        for writer in self.writers:
            assert not writer.refused, writer.refused[0]
            writer.held = self.record.held.get(writer.batch, False)
        acked = [done for writer in self.writers for done in writer.acked]
        lost = [done for done in acked if self.record.marks.get(done.mark) != done.act]
        assert not lost, f"{len(lost)} acknowledged acts are not in the log: {lost[:5]}"
        self.figures.acknowledged = len(acked)
        self.figures.unanswered = len(self.record.marks) - len(acked)

    def _settled(self, system: System) -> bool:
        with system.main.read() as session:
            if _waiting(session):
                return False
            size = session.scalar(select(LogHead.size)) or 0
        published = system.shelf.published()
        return size == (published.size if published else 0)

    def _fetch(self, path: str) -> bytes | None:
        status, data = ask(self.service.port, f"/log/{path}")
        assert status in (200, 404), status
        return data if status == 200 else None

    def _integrity(self, session: Session) -> None:
        if session.get_bind().dialect.name == "sqlite":
            assert session.scalar(text("PRAGMA integrity_check")) == "ok"
            assert session.execute(text("PRAGMA foreign_key_check")).all() == []

    def _replay(self, session: Session, size: int) -> None:
        new = (LogEntry.index >= self.record.size, LogEntry.index < size)
        query = select(LogEntry).where(*new).order_by(LogEntry.index)
        reader = TileReader(self._fetch, size)
        for entry in session.scalars(query):
            self.record.take(entry)
            leaf = merkle.leaf_hash((entry.envelope or "").encode())
            assert leaf == entry.leaf_hash == reader(0, entry.index or 0), f"entry {entry.index} is not as published"
        assert self.record.size == size

    def _compare(self, session: Session) -> None:
        """The store holds what the log tells, no more and no less."""
        suppliers = dict(session.execute(select(Supplier.ref, Supplier.name_en)).all())
        assert suppliers == self.record.suppliers
        links = list(session.scalars(select(Link.title)))
        assert len(links) == len(set(links)) == len(self.record.links)
        assert set(links) == self.record.links
        held = session.scalars(select(Batch.ref).where(Batch.state == BatchState.HELD))
        assert set(held) == {ref for ref, is_held in self.record.held.items() if is_held}

    def finish(self) -> dict[str, int]:
        """The last look, at everything once more; the figures of all rounds."""
        self.check()
        newest = self.outsider.follow(self._fetch)
        assert newest is not None
        self.outsider.prove_all(self._fetch, newest)
        figures = {name: value for name, value in vars(self.figures).items() if name != "moments"}
        moments = {f"killed at {name}": times for name, times in self.figures.moments.items()}
        return {
            **figures,
            **moments,
            "checkpoints": len(self.outsider.kept),
            "entries": newest.size,
            "lost": 0,
            "forks": 0,
        }


def _waiting(session: Session) -> int:
    return session.scalar(select(func.count()).where(LogEntry.index.is_(None))) or 0
