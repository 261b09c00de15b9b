"""Codes and labels: from the order to the printed symbol, and out of use again."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

import makers
import pypdfium2
import pytest
import zxingcpp
from PIL import Image
from sqlalchemy import update

from lotseal.trace.batches import service as batches
from lotseal.trace.batches.models import BatchState
from lotseal.trace.items import service as items
from lotseal.trace.items.models import CodeRun, Item
from lotseal.trace.jobs.models import Job, JobState
from lotseal.trace.labels.models import LabelSheet
from lotseal.trace.suppliers.models import Supplier
from lotseal.trace.system import System

Find = Callable[[Any, str], Supplier]


@pytest.fixture
def batch(sqlite_system: System, supplier_of: Find) -> str:
    """A released batch of Chen's supplier."""
    with sqlite_system.main.write() as session:
        product = makers.a_product(session, supplier_of(session, "chen"))
        return makers.released(session, sqlite_system.ring, product).ref


def order(person: Any, batch: str, count: int = 3, tier: str = "A", **more: str) -> str:
    """Order codes on the page; gives where the run is."""
    person.open(f"/staff/codes/issue?batch={batch}")
    where: str = person.send("/staff/codes/issue", {"batch": batch, "count": str(count), "tier": tier, **more})
    return where


def serials(system: System, where: str) -> list[str]:
    with system.main.read() as session:
        run = items.get_run(session, where.split("/")[-1])
        return [item.serial for item in session.scalars(items.items_of(run))]


def rows(system: System) -> list[int]:
    with system.main.read() as session:
        runs, codes, sheets = (makers.rows(session, model) for model in (CodeRun, Item, LabelSheet))
        return [runs, codes, makers.orders(session), sheets]


# --- the whole way ----------------------------------------------------------------------------------------------------


def test_from_the_order_to_the_printed_symbol(bob: Any, browser: Any, sqlite_system: System, batch: str) -> None:
    where = order(bob, batch, count=26)
    page = bob.open(where)
    assert '<meta http-equiv="refresh" content="2">' in page
    assert 'max="26"' in page
    sqlite_system.worker().run_all()
    page = bob.open(where)
    assert "http-equiv" not in page
    assert "26 of 26" in page
    made = serials(sqlite_system, where)
    assert len(made) == 26

    sheet = {"layout": "a4-3x8", "language": "zh", "first": "1", "count": "26", "start": "3"}
    assert bob.send(f"{where}/sheets", sheet) == where
    page = bob.open(where)
    assert "http-equiv" in page
    assert "Download the PDF" not in page
    sqlite_system.worker().run_all()
    page = bob.open(where)
    assert "Download the PDF" in page
    path = next(part for part in page.split('"') if part.endswith("/file"))
    answer = bob.ask(path)
    assert answer.mimetype == "application/pdf"
    assert answer.headers["Content-Disposition"].startswith("attachment")

    links = []
    for leaf in pypdfium2.PdfDocument(answer.data):
        picture = leaf.render(scale=300 / 72).to_pil()
        links += [found.text for found in zxingcpp.read_barcodes(picture, formats=zxingcpp.BarcodeFormat.QRCode)]
    assert sorted(link.rsplit("/", 1)[-1] for link in links) == sorted(made)
    assert "Record valid" in browser.open(urlsplit(links[0]).path)


@pytest.mark.parametrize("tier", ["A", "B"])
def test_one_code_as_png_and_svg(bob: Any, sqlite_system: System, batch: str, tier: str) -> None:
    where = order(bob, batch, tier=tier)
    sqlite_system.worker().run_all()
    serial = serials(sqlite_system, where)[0]
    assert f"{where}/{serial}.png" in bob.open(where)
    answer = bob.ask(f"{where}/{serial}.png")
    read = zxingcpp.read_barcode(Image.open(BytesIO(answer.data)).convert("L"))
    assert read is not None
    assert serial in read.text
    assert ("?s=" in read.text) is (tier == "B")
    drawn = bob.ask(f"{where}/{serial}.svg")
    assert drawn.mimetype == "image/svg+xml"
    assert drawn.data.startswith(b"<svg")
    assert drawn.headers["Content-Disposition"].startswith("attachment")


def test_a_code_is_drawn_under_its_own_run_only(bob: Any, sqlite_system: System, batch: str) -> None:
    first, second = order(bob, batch), order(bob, batch)
    sqlite_system.worker().run_all()
    bob.open(f"{second}/{serials(sqlite_system, first)[0]}.png", status=404)


def test_the_form_shows_both_kinds_at_their_true_size(bob: Any, batch: str) -> None:
    page = bob.open(f"/staff/codes/issue?batch={batch}")
    assert "never smaller than 15 mm. QR version 4." in page
    assert "never smaller than 20 mm. QR version 8." in page
    answer = bob.ask(f"/staff/codes/example.svg?batch={batch}&tier=B")
    assert answer.mimetype == "image/svg+xml"
    assert b'mm" height=' in answer.data
    short = bob.send("/staff/codes/issue", {"batch": batch, "count": "5", "short": "1", "preview": "1"}, status=200)
    assert "short=1" in short
    assert "never smaller than 20 mm. QR version 7." in short
    assert 'value="5"' in short


# --- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"count": "0"}, "This must be at least 1."),
        ({"count": "1.5"}, "Give a whole number."),
        ({"count": "1000001"}, "This must be at most 1000000."),
        ({"count": "many"}, "This is no number."),
        ({"tier": "C"}, "Choose one from the list."),
    ],
)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_bad_order_comes_back_and_orders_nothing(
    bob: Any, sqlite_system: System, batch: str, typed: dict[str, str], sentence: str, language: str
) -> None:
    bob.language = language
    bob.open(f"/staff/codes/issue?batch={batch}")
    page = bob.send("/staff/codes/issue", {"batch": batch, "count": "3", "tier": "A", **typed}, status=422)
    assert (sentence in page) is (language == "en")
    assert 'class="error-summary"' in page
    assert rows(sqlite_system) == [0, 0, 0, 0]


def test_a_draft_gets_no_codes(bob: Any, sqlite_system: System, supplier_of: Find) -> None:
    with sqlite_system.main.write() as session:
        product = makers.a_product(session, supplier_of(session, "chen"))
        ref = makers.a_batch_in(session, BatchState.DRAFT, sqlite_system.ring, product).ref
    page = bob.send("/staff/codes/issue", {"batch": ref, "count": "3", "tier": "A"}, status=409)
    assert "submitted and released batches only" in page
    assert rows(sqlite_system) == [0, 0, 0, 0]


@pytest.mark.parametrize(
    "typed", [{"start": "25"}, {"first": "4"}, {"count": "4"}, {"count": "-1"}, {"layout": "a3"}, {"language": "fr"}]
)
def test_a_sheet_that_does_not_fit_is_refused(
    bob: Any, sqlite_system: System, batch: str, typed: dict[str, str]
) -> None:
    where = order(bob, batch)
    sqlite_system.worker().run_all()
    page = bob.send(
        f"{where}/sheets", {"language": "zh", "start": "1", "first": "1", "count": "3", **typed}, status=422
    )
    assert f'href="#f-{next(iter(typed))}"' in page
    assert rows(sqlite_system)[-1] == 0


def test_labels_wait_for_all_codes(bob: Any, sqlite_system: System, batch: str) -> None:
    where = order(bob, batch)
    assert "Order the labels" not in bob.open(where)
    assert "Print when all are there" in bob.send(f"{where}/sheets", {}, status=409)
    assert rows(sqlite_system)[-1] == 0


# --- jobs that gave up ------------------------------------------------------------------------------------------------


def test_a_dead_job_says_why_and_is_tried_again(bob: Any, sqlite_system: System, batch: str) -> None:
    where = order(bob, batch)
    with sqlite_system.main.write() as session:
        session.execute(update(Job).values(state=JobState.DEAD, error="The key is locked."))
    page = bob.open(where)
    assert "The key is locked." in page
    assert "http-equiv" not in page
    assert "Stopped" in bob.open("/staff/codes")
    bob.send(f"{where}/again")
    sqlite_system.worker().run_all()
    assert len(serials(sqlite_system, where)) == 3
    assert "did not give up" in bob.send(f"{where}/again", status=409)


def test_a_dead_sheet_is_tried_again(bob: Any, sqlite_system: System, batch: str) -> None:
    where = order(bob, batch)
    sqlite_system.worker().run_all()
    bob.send(f"{where}/sheets", {})
    with sqlite_system.main.write() as session:
        session.execute(update(Job).where(Job.state == JobState.QUEUED).values(state=JobState.DEAD, error="No room."))
    page = bob.open(where)
    assert "No room." in page
    again = next(
        part for part in page.split('"') if part.startswith("/staff/codes/prints/") and part.endswith("/again")
    )
    bob.open(again.removesuffix("/again") + "/file", status=404)
    assert bob.send(again) == where
    sqlite_system.worker().run_all()
    assert "Download the PDF" in bob.open(where)


# --- void -------------------------------------------------------------------------------------------------------------


def test_one_code_is_voided_by_its_typed_serial(bob: Any, browser: Any, sqlite_system: System, batch: str) -> None:
    where = order(bob, batch)
    sqlite_system.worker().run_all()
    serial = serials(sqlite_system, where)[0]
    typed = f"{serial[:5]}-{serial[5:10]} {serial[10:15]}  {serial[15:]}".lower().replace("8", "b").replace("5", "s")
    bob.open("/staff/codes/void")
    assert bob.send("/staff/codes/void", {"serial": typed, "reason": "label torn"}) == where
    assert "Voided" in bob.open(where)
    with sqlite_system.main.read() as session:
        assert items.get_item(session, serial).void_reason == "label torn"
        link = items.link(items.get_run(session, where.split("/")[-1]), items.get_item(session, serial))
    assert "This code has been withdrawn" in browser.open(urlsplit(link).path)
    page = bob.send("/staff/codes/void", {"serial": serial, "reason": "again"}, status=409)
    assert "voided already" in page


@pytest.mark.parametrize(
    ("typed", "status", "sentence"),
    [
        ({"serial": "0O1IL"}, 422, "does not occur in our serial numbers"),
        ({"serial": "2345"}, 422, "this has 4"),
        ({"serial": "23456789AC"}, 404, "There is no code with this serial number."),
        ({"serial": "", "reason": "r"}, 422, "this has 0"),
    ],
)
def test_a_serial_that_cannot_be_read_comes_back(bob: Any, typed: dict[str, str], status: int, sentence: str) -> None:
    page = bob.send("/staff/codes/void", {"reason": "label torn", **typed}, status=status)
    assert sentence in page
    assert 'href="#f-serial"' in page


def test_a_whole_run_is_voided_with_a_reason(bob: Any, sqlite_system: System, batch: str) -> None:
    where, other = order(bob, batch), order(bob, batch)
    sqlite_system.worker().run_all()
    assert "3 codes will be voided" in bob.open(f"{where}/void")
    assert 'href="#f-reason"' in bob.send(f"{where}/void", {"reason": ""}, status=422)
    bob.send(f"{where}/void", {"reason": "roll lost"})
    with sqlite_system.main.read() as session:
        assert items.counts(session, batches.get(session, batch)) == (6, 3)
        assert all(items.get_item(session, serial).voided_at is None for serial in serials(sqlite_system, other))


# --- who --------------------------------------------------------------------------------------------------------------


def test_an_auditor_reads_runs_and_changes_nothing(bob: Any, erik: Any, sqlite_system: System, batch: str) -> None:
    where = order(bob, batch)
    sqlite_system.worker().run_all()
    assert where in erik.open("/staff/codes")
    page = erik.open(where)
    for action in ("/void", "/sheets", "/again"):
        assert f'action="{where}{action}"' not in page
        assert f'href="{where}{action}"' not in page
    before = rows(sqlite_system)
    for path in (f"{where}/void", f"{where}/sheets", f"{where}/again", "/staff/codes/issue", "/staff/codes/void"):
        erik.send(path, {"batch": batch, "count": "1", "tier": "A", "reason": "r"}, status=403)
    assert rows(sqlite_system) == before


def test_codes_are_no_place_for_suppliers(bob: Any, chen: Any, sqlite_system: System, batch: str) -> None:
    where = order(bob, batch)
    for path in ("/staff/codes", where, f"/staff/codes/issue?batch={batch}", "/staff/codes/void"):
        chen.open(path, status=403)
    page = chen.open(f"/staff/batches/{batch}")
    assert "0 of 3" in page
    assert where not in page


def test_the_list_is_searched_and_empty_says_what_to_do(bob: Any, batch: str) -> None:
    assert "No codes yet" in bob.open("/staff/codes")
    where = order(bob, batch)
    assert where in bob.open("/staff/codes?q=dhp26")
    assert "Nothing found" in bob.open("/staff/codes?q=nothing")
