"""Print runs on the desk: choose, look, order, take the file, scan labels back."""

from __future__ import annotations

import re
from collections.abc import Callable
from io import BytesIO
from typing import Any
from zipfile import ZipFile

import makers
import pytest
import zxingcpp
from PIL import Image

from lotseal.trace.carriers import qr
from lotseal.trace.items import service as items
from lotseal.trace.labels import service as labels
from lotseal.trace.suppliers.models import Supplier
from lotseal.trace.system import System

Find = Callable[[Any, str], Supplier]


@pytest.fixture
def where(bob: Any, sqlite_system: System, supplier_of: Find) -> Callable[..., str]:
    """Issues codes for a released batch; gives the page of the run."""

    def make(count: int = 3, tier: str = "A") -> str:
        with sqlite_system.main.write() as session:
            product = makers.a_product(session, supplier_of(session, "chen"))
            batch = makers.released(session, sqlite_system.ring, product)
        makers.codes(sqlite_system, batch, count, tier)
        with sqlite_system.main.read() as session:
            return f"/staff/codes/{items.runs_of(session, batch)[0].ref}"

    return make


def links(system: System, where: str) -> list[str]:
    with system.main.read() as session:
        run = items.get_run(session, where.split("/")[-1])
        return [items.link(run, item) for item in session.scalars(items.items_of(run))]


def printed(bob: Any, system: System, where: str, **fields: Any) -> str:
    """Orders and makes a print run; gives its address."""
    bob.open(where)
    bob.send(f"{where}/sheets", {"fields-shown": "1", "fields": ["name", "lot", "serial"], **fields})
    system.worker().run_all()
    with system.main.read() as session:
        return f"/staff/codes/prints/{labels.of_run(session, items.get_run(session, where.split('/')[-1]))[0].ref}"


# --- choose and look --------------------------------------------------------------------------------------------------


def test_the_run_page_offers_every_form_and_shows_one_label_at_its_true_size(bob: Any, where: Any) -> None:
    page = bob.open(where())
    for word in ("pdf", "zpl", "zpl-data", "png", "csv", "qr", "data-matrix", "gs1-data-matrix", "letter-3x10", "own"):
        assert f'value="{word}"' in page
    assert 'width="265" height="140"' in page  # 70 × 37 mm at 96 pixels to the inch
    path = next(part for part in page.split('"') if "/preview.png" in part)
    answer = bob.ask(path)
    assert answer.mimetype == "image/png"
    picture = Image.open(BytesIO(answer.data))
    assert picture.size == (827, 437)
    assert zxingcpp.read_barcode(picture.convert("L"))


def test_the_preview_follows_the_choices_and_orders_nothing(bob: Any, sqlite_system: System, where: Any) -> None:
    run = where()
    bob.open(run)
    chosen = {"layout": "a4-5x13", "carrier": "gs1-data-matrix", "fields-shown": "1", "fields": ["lot"], "preview": "1"}
    page = bob.send(f"{run}/sheets", chosen, status=200)
    assert 'width="144" height="80"' in page
    path = next(part for part in page.split('"') if "/preview.png" in part)
    found = zxingcpp.read_barcode(Image.open(BytesIO(bob.ask(path).data)).convert("L"))
    assert found
    assert found.symbology_identifier == "]d2"
    with sqlite_system.main.read() as session:
        assert labels.of_run(session, items.get_run(session, run.split("/")[-1])) == []


def test_a_code_that_does_not_fit_is_warned_of_with_both_sizes_and_refused(bob: Any, where: Any) -> None:
    run = where(tier="B")
    assert "too small for this QR code" in bob.open(run)
    chosen = {"layout": "a4-5x13"}
    page = bob.send(f"{run}/sheets", {**chosen, "preview": "1"}, status=200)
    assert "It does not fit so" in page
    assert re.search(r"The code needs 2[46]\.\d mm with its margin, the label has 20\.\d mm\.", page)
    assert "/preview.png" not in page
    page = bob.send(f"{run}/sheets", chosen, status=422)
    assert 'href="#f-layout"' in page


@pytest.mark.parametrize(
    "chosen", [{"layout": "own", "label_width": "x"}, {"copies": "0"}, {"output": "png", "copies": "2"}]
)
def test_a_wrong_choice_comes_back_at_its_field(bob: Any, where: Any, chosen: dict[str, str]) -> None:
    run = where()
    bob.open(run)
    page = bob.send(f"{run}/sheets", chosen, status=422)
    assert f'href="#f-{list(chosen)[-1]}"' in page


@pytest.mark.parametrize(
    ("output", "kind", "name"),
    [("pdf", "application/pdf", ".pdf"), ("zpl", "text/plain", ".zpl"), ("png", "application/zip", ".zip"),
     ("csv", "text/csv", ".csv")],
)  # fmt: skip
def test_every_form_is_offered_as_a_file(
    bob: Any, sqlite_system: System, where: Any, output: str, kind: str, name: str
) -> None:
    run = where()
    answer = bob.ask(f"{printed(bob, sqlite_system, run, output=output)}/file")
    assert answer.mimetype == kind
    assert answer.headers["Content-Disposition"].endswith(f"-1-3{name}")
    if output == "png":
        assert len(ZipFile(BytesIO(answer.data)).namelist()) == 3


def test_a_reprint_is_marked(bob: Any, sqlite_system: System, where: Any) -> None:
    run = where()
    printed(bob, sqlite_system, run)
    assert "Printed again" not in bob.open(run)
    printed(bob, sqlite_system, run, first="3", count="1", copies="4")
    page = bob.open(run)
    assert "Some of these codes are in 1 earlier print run" in page
    assert "4 copies each" in page


# --- scan back --------------------------------------------------------------------------------------------------------


def test_scanning_the_sample_makes_the_run_verified_everywhere(bob: Any, sqlite_system: System, where: Any) -> None:
    run = where()
    print_run = printed(bob, sqlite_system, run)
    assert "Not scanned back" in bob.open(run)
    assert print_run in bob.open("/staff/codes")
    page = bob.open(f"{print_run}/verify")
    assert "page 1, row 1, column 3" in page
    assert page.count("gate-open") == 3
    for link in links(sqlite_system, run):
        assert link.rsplit("/", 1)[1] not in page, "the sample must not be typed off the screen"
        bob.send(f"{print_run}/verify", {"code": f"]Q1{link}"})
    page = bob.open(f"{print_run}/verify")
    assert "The sample was scanned back" in page
    assert page.count("gate-ok") == 3
    for path in (run, "/staff/codes/prints", "/staff/codes/prints?state=verified"):
        assert "Scanned back" in bob.open(path)
    assert "No print runs here" in bob.open("/staff/codes/prints?state=mismatch")


def test_a_photo_of_several_labels_is_read_at_once(bob: Any, sqlite_system: System, where: Any) -> None:
    run = where(2)
    print_run = printed(bob, sqlite_system, run)
    table = Image.new("L", (1200, 700), 255)
    for number, link in enumerate(links(sqlite_system, run)):
        table.paste(Image.open(BytesIO(qr.png(qr.make(link)))).convert("L"), (100 + 550 * number, 120))
    out = BytesIO()
    table.save(out, "PNG")
    bob.open(f"{print_run}/verify")
    bob.send(f"{print_run}/verify", photo=(out.getvalue(), "labels.png"))
    assert "The sample was scanned back" in bob.open(f"{print_run}/verify")


def test_a_foreign_label_is_a_mismatch_until_a_new_sample(bob: Any, sqlite_system: System, where: Any) -> None:
    run = where()
    print_run = printed(bob, sqlite_system, run)
    bob.open(f"{print_run}/verify")
    bob.send(f"{print_run}/verify", {"code": "4006381333931"})
    page = bob.open(f"{print_run}/verify")
    assert "does not fit this print run" in page
    assert "Stop using it." in page
    assert "Wrong label scanned" in bob.open(run)
    bob.send(f"{print_run}/sample")
    assert "Not scanned back" in bob.open(run)


def test_what_is_no_code_comes_back(bob: Any, sqlite_system: System, where: Any) -> None:
    print_run = printed(bob, sqlite_system, where())
    bob.open(f"{print_run}/verify")
    assert 'href="#f-code"' in bob.send(f"{print_run}/verify", {"code": "hello"}, status=422)
    assert "Not scanned back" in bob.open(f"{print_run}/verify")


def test_only_the_pages_that_scan_may_use_the_camera(bob: Any, sqlite_system: System, where: Any) -> None:
    run = where()
    print_run = printed(bob, sqlite_system, run)
    for path, allowed in {f"{print_run}/verify": True, run: False, "/staff/codes/prints": False}.items():
        assert ("camera=(self)" in bob.ask(path).headers["Permissions-Policy"]) is allowed, path


def test_an_auditor_sees_print_runs_and_scans_nothing(bob: Any, erik: Any, sqlite_system: System, where: Any) -> None:
    print_run = printed(bob, sqlite_system, where())
    assert print_run in erik.open("/staff/codes/prints")
    assert "Check this label" not in erik.open(f"{print_run}/verify")
    erik.send(f"{print_run}/verify", {"code": "4006381333931"}, status=403)
    erik.send(f"{print_run}/sample", status=403)
