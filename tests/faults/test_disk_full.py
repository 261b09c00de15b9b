"""A full disk: what would be written is refused with a sentence, what is read is answered, and when there is room
again, work goes on without a restart."""

from __future__ import annotations

import resource
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import makers
import pytest
from fault_outsider import Outsider
from fault_service import Person, Service, Signed, ask, service, until
from fault_uploads import a_report, report_form
from makers import Printed, settings_of
from sqlalchemy import select, update

from lotseal.trace import clock
from lotseal.trace.accounts.models import LoginSession
from lotseal.trace.certificates.models import Certificate
from lotseal.trace.items.models import CodeRun
from lotseal.trace.log import reading
from lotseal.trace.log.models import LogEntry
from lotseal.trace.suppliers.models import Supplier
from lotseal.trace.system import System, open_system

SAID = {"en": "The record cannot be read or written just now.", "zh": "暂时无法读写记录。"}
PHONE = {"User-Agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X)", "Accept-Language": "en"}
Full = Callable[[bool], None]


class Shop:
    """A running service with a released batch and a code."""

    def __init__(self, served: Service, system: System) -> None:
        with system.main.write() as session:
            makers.alice(session)
            batch = makers.released(session, system.ring)
        self.code: Printed = makers.codes(system, batch)[0]
        self.batch = batch.ref
        system.close()
        served.start()
        self.served = served
        self.signed = Signed(served.port, "alice")

    @contextmanager
    def person(self, language: str = "en") -> Iterator[Person]:
        made = Person(self.served.port, self.signed, language)
        yield made
        made.close()

    def add(self, name: str, language: str = "en") -> tuple[int, str]:
        form = {"name_zh": name, "name_en": name, "country": "NO"}
        with self.person(language) as person:
            status, _where, page = person.post("/staff/suppliers/new", form)
        return status, page

    def scan(self) -> tuple[int, str]:
        status, page = ask(self.served.port, self.code.link.removeprefix(makers.BASE), PHONE)
        return status, page.decode()


@contextmanager
def limited(system: System, _folder: Path) -> Iterator[tuple[Shop, Full]]:
    """No process of the service may write into a file: the kernel refuses as it does for a full disk."""
    with service(system.settings.data) as served:
        yield Shop(served, system), lambda full: served.limit_files(0 if full else resource.RLIM_INFINITY)


@contextmanager
def small(system: System, folder: Path) -> Iterator[tuple[Shop, Full]]:
    """The data folder on a file system of 24 MB, and a file that takes what is left of it."""
    disk = folder / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", disk], capture_output=True)
    if mounted.returncode:
        pytest.skip("no file system can be mounted here")
    try:
        system.close()
        subprocess.run(["cp", "-a", system.settings.data, disk / "data"], check=True)
        moved = open_system(settings_of(disk / "data"))
        with service(disk / "data") as served:
            yield Shop(served, moved), lambda full: _fill(disk / "filler", full)
    finally:
        subprocess.run(["umount", disk], check=True)


def _fill(filler: Path, full: bool) -> None:
    if not full:
        filler.unlink()
        return
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))


def _upload(shop: Shop) -> int:
    with shop.person() as person:
        return person.post(
            "/staff/certificates/add", report_form(shop.batch, "YX-9"), ("file", "report.pdf", a_report("YX-9"))
        )[0]


def _sealed(system: System) -> bool:
    with system.main.read() as session:
        newest = reading.newest(session)
        published = system.shelf.published()
        return (
            not reading.waiting(session)
            and newest is not None
            and published is not None
            and (published.size == newest.size)
        )


@pytest.mark.parametrize("disk", [limited, small])
def test_a_full_disk_refuses_in_words_and_goes_on_by_itself(
    sqlite_system: System, tmp_path: Path, disk: Callable[..., Any]
) -> None:
    with disk(sqlite_system, tmp_path) as (shop, full):
        assert shop.add("before")[0] == 303
        until(lambda: ask(shop.served.port, "/log/checkpoint")[0] == 200, "the first checkpoint")
        outsider = Outsider(ask(shop.served.port, "/log/policy")[1])
        _let_minutes_pass(shop)
        full(True)
        # Pages that the write-ahead log has already may be written once more; then there is no room at all.
        refused = [shop.add(f"while {number}") for number in range(30)]
        written = sum(status == 303 for status, _page in refused)
        assert {status for status, _page in refused} <= {303, 503}
        status, page = refused[-1]
        assert (status, SAID["en"] in page) == (503, True)
        status, page = shop.add("while", "zh")
        assert (status, SAID["zh"] in page) == (503, True)
        assert _upload(shop) == 503, shop.served.said()[-3000:]
        with shop.person() as person:
            assert person.get("/staff/suppliers")[0] == 200
            assert person.post("/staff/codes/issue", {"batch": shop.batch, "count": "5", "tier": "A"})[0] == 503
        for _ in range(3):
            status, page = shop.scan()
            assert (status, shop.code.serial[:5] in page) == (200, True)
        full(False)
        assert shop.add("after")[0] == 303
        assert shop.scan()[0] == 200
        assert _upload(shop) == 303
        _compare(shop, outsider, written)


def _let_minutes_pass(shop: Shop) -> None:
    """The next request of a session that was not used for a while would note that it is used again."""
    system = open_system(settings_of(shop.served.data))
    with system.main.write() as session:
        session.execute(update(LoginSession).values(seen_at=clock.now() - timedelta(minutes=10)))
    system.close()


def _compare(shop: Shop, outsider: Outsider, written: int) -> None:
    """Nothing was done by half, and the log went on."""
    system = open_system(settings_of(shop.served.data))
    until(lambda: _sealed(system), "the seal of all entries")
    newest = outsider.follow(system.shelf.read)
    assert newest is not None
    with system.main.read() as session:
        names = session.scalars(select(Supplier.name_en)).all()
        acts = session.scalars(select(LogEntry.act)).all()
        assert sum(name.startswith(("before", "while", "after")) for name in names) == 2 + written
        assert acts.count("supplier:add") == len(names)
        assert acts.count("certificate:submit") == makers.rows(session, Certificate) == 2
        assert makers.rows(session, CodeRun) == 1
    system.close()
