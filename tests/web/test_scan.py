"""Scanning: every form of a code, typed or on a photo, leads to the page of what it names."""

from __future__ import annotations

import hashlib
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import quote

import makers
import pytest
from makers import BASE
from PIL import Image

from lotseal.trace.carriers import qr, symbols
from lotseal.trace.carriers.symbols import Carrier
from lotseal.trace.system import System
from lotseal.web import assets

GS = "\x1d"


@pytest.fixture
def code(sqlite_system: System) -> Any:
    """A released item of ours."""
    with sqlite_system.main.write() as session:
        batch = makers.released(session, sqlite_system.ring)
    return makers.codes(sqlite_system, batch)[0]


def scanned(browser: Any, text: str, status: int = 303) -> str:
    answer = browser.ask(f"/scan?code={quote(text, safe='')}")
    assert answer.status_code == status, answer.text[:2000]
    return answer.location if status == 303 else browser._read(answer)


def page_of(code: Any) -> str:
    return f"/01/{code.gtin}/10/{code.lot}/21/{code.serial}"


def picture(drawn: Image.Image, kind: str = "PNG") -> bytes:
    out = BytesIO()
    drawn.convert("RGB").save(out, kind)
    return out.getvalue()


def photo_of(text: str) -> bytes:
    """A code on a grey table, a little turned."""
    made = Image.open(BytesIO(qr.png(qr.make(text)))).convert("L")
    table = Image.new("L", (1600, 1200), 170)
    table.paste(made, (600, 400))
    return picture(table.rotate(7, fillcolor=170), "JPEG")


# --- every form -------------------------------------------------------------------------------------------------------


def test_every_form_of_an_item_s_code_leads_to_its_page(browser: Any, code: Any) -> None:
    elements = f"01{code.gtin}10{code.lot}{GS}21{code.serial}"
    link = f"{BASE}/01/{code.gtin}/10/{code.lot}/21/{code.serial}"
    forms = [
        link,
        link.replace(BASE, BASE.upper()),
        f"]Q1{link}",
        f"https://id.gs1.org/01/{code.gtin}/21/{code.serial}",
        f"(01){code.gtin}(10){code.lot}(21){code.serial}",
        f"]d2{elements}",
        f"]Q3{elements}",
        f"]C1{elements}",
        GS + elements,
        elements,
        f"]d1{link}",
        code.serial,
        f" {code.serial[:5]} {code.serial[5:10]}".lower(),
    ]
    for text in forms:
        assert scanned(browser, text) == page_of(code), text


def test_an_epc_of_an_item_leads_to_it(browser: Any, code: Any) -> None:
    gtin = code.gtin
    epc = f"urn:epc:id:sgtin:{gtin[1:8]}.{gtin[0]}{gtin[8:13]}.{code.serial}"
    assert scanned(browser, epc) == page_of(code)


@pytest.mark.parametrize("prefix", ["", "]E0"])
def test_a_barcode_leads_to_the_product(browser: Any, code: Any, prefix: str) -> None:
    assert scanned(browser, prefix + code.gtin.removeprefix("0")) == f"/01/{code.gtin}"
    assert scanned(browser, code.gtin) == f"/01/{code.gtin}"


def test_a_lot_leads_to_its_page(browser: Any, code: Any) -> None:
    assert scanned(browser, f"(01){code.gtin}(10){code.lot}") == f"/01/{code.gtin}/10/{code.lot}"


def test_the_signature_of_an_address_of_ours_is_kept(browser: Any, sqlite_system: System) -> None:
    with sqlite_system.main.write() as session:
        batch = makers.released(session, sqlite_system.ring)
    made = makers.codes(sqlite_system, batch, 1, "B")[0]
    where = scanned(browser, made.link)
    assert where == f"{page_of(made)}?s={made.link.split('?s=')[1]}"
    assert "first look-up" in browser.open(where)


def test_a_serial_that_we_never_issued_leads_to_the_verdict_on_it(browser: Any, code: Any) -> None:
    where = scanned(browser, f"(01){code.gtin}(21)NEVER")
    assert where == f"/01/{code.gtin}/21/NEVER"
    assert "No such code" in browser.open(where, status=404)


# --- what is not ours -------------------------------------------------------------------------------------------------


def test_an_address_of_another_host_is_named_before_our_record_is_shown(browser: Any, code: Any) -> None:
    page = scanned(browser, f"https://evil.example{page_of(code)}?s=A.forged", status=200)
    assert "The address in this code is not ours" in page
    assert "evil.example" in page
    assert f'href="{page_of(code)}"' in page
    assert 'href="https://evil' not in page


@pytest.mark.parametrize(
    "text", ["4006381333931", "(01)04006381333931(10)A1", "]d20104006381333931", "(00)106141412345678908"]
)
def test_a_code_that_we_do_not_know_says_what_it_says(browser: Any, code: Any, text: str) -> None:
    page = scanned(browser, text, status=200)
    assert "We have no record of this code" in page
    assert "04006381333931" in page or "106141412345678908" in page


def test_a_symbol_with_plain_text_shows_it_as_text(browser: Any) -> None:
    page = scanned(browser, "]Q1<b>hello</b>", status=200)
    assert "<code><b>hello" in page  # the fixture resolves character references
    assert "<b>hello" not in browser.answer.text


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "Scan a code"),
        ("4006381333932", "check digit"),
        ("javascript:alert(1)", "no form of a GS1 code"),
        ("https://example.com/", ""),
        ("9" * 9000, ""),
    ],
)
def test_what_is_no_code_comes_back_with_its_mend(browser: Any, text: str, sentence: str) -> None:
    page = scanned(browser, text, status=422)
    assert sentence in page
    assert 'href="#f-code"' in page


# --- photos -----------------------------------------------------------------------------------------------------------


def test_a_photo_of_a_label_leads_to_the_item_without_any_script(browser: Any, code: Any) -> None:
    browser.open("/scan")
    link = f"{BASE}{page_of(code)}"
    assert browser.send("/scan", photo=(photo_of(link), "photo.jpg")) == page_of(code)


@pytest.mark.parametrize("carrier", [Carrier.EAN_13, Carrier.GS1_DATA_MATRIX, Carrier.GS1_128])
def test_every_carrier_on_a_photo_is_read(browser: Any, code: Any, carrier: Carrier) -> None:
    gtin = code.gtin.removeprefix("0") if carrier == Carrier.EAN_13 else code.gtin
    content: Any = gtin if carrier == Carrier.EAN_13 else [("01", gtin), ("10", code.lot)]
    drawn = Image.open(BytesIO(symbols.png(symbols.draw(carrier, content))))
    table = Image.new("L", (drawn.width + 400, drawn.height + 400), 255)
    table.paste(drawn.convert("L"), (200, 200))
    browser.open("/scan")
    where = browser.send("/scan", photo=(picture(table), "photo.png"))
    assert where == (f"/01/{code.gtin}" if carrier == Carrier.EAN_13 else f"/01/{code.gtin}/10/{code.lot}")


def test_of_several_codes_on_a_photo_ours_is_taken(browser: Any, code: Any) -> None:
    other = Image.open(BytesIO(qr.png(qr.make("https://example.org/offer")))).convert("L")
    ours = Image.open(BytesIO(qr.png(qr.make(f"{BASE}{page_of(code)}")))).convert("L")
    table = Image.new("L", (1400, 700), 255)
    table.paste(other, (100, 100))
    table.paste(ours, (800, 200))
    browser.open("/scan")
    assert browser.send("/scan", photo=(picture(table), "two.png")) == page_of(code)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (picture(Image.new("L", (300, 300), 255)), "No code was found on the photo"),
        (b"%PDF-1.7", "Take a photo and upload that"),
        (b"", "empty"),
        (b"\xff\xd8\xff broken", "damaged"),
        (b"<svg/>", "not taken"),
    ],
)
def test_a_photo_without_a_code_or_no_photo_comes_back(browser: Any, content: bytes, sentence: str) -> None:
    browser.open("/scan")
    page = browser.send("/scan", status=422, photo=(content, "photo.jpg"))
    assert sentence in page
    assert 'href="#f-photo"' in page


def test_without_a_photo_the_form_says_so(browser: Any) -> None:
    browser.open("/scan")
    assert "Choose a file." in browser.send("/scan", {}, status=422)


# --- the page and its reader ------------------------------------------------------------------------------------------


def test_only_scanning_pages_may_use_the_camera_and_webassembly(browser: Any) -> None:
    for path, allowed in {"/scan": True, "/": False, "/patterns": False, "/scan?code=x": True}.items():
        answer = browser.ask(path)
        assert ("camera=(self)" in answer.headers["Permissions-Policy"]) is allowed, path
        assert ("'wasm-unsafe-eval'" in answer.headers["Content-Security-Policy"]) is allowed, path
        assert "'unsafe-eval'" not in answer.headers["Content-Security-Policy"]
        assert "microphone=()" in answer.headers["Permissions-Policy"]


def test_the_page_names_the_reader_by_its_hash_and_home_leads_to_it(browser: Any) -> None:
    page = browser.open("/scan")
    assert assets.integrity("vendor/zxing/reader.wasm") in page
    assert 'href="/scan"' in browser.open("/")
    assert "vendor" not in browser.open("/")


def test_the_vendored_reader_is_the_one_that_was_taken_in() -> None:
    folder = Path(assets.FOLDER) / "vendor" / "zxing"
    sums = dict(reversed(line.split()) for line in (folder / "SHA256SUMS").read_text().splitlines())
    kept = {file.name for file in folder.iterdir()} - {"SHA256SUMS", "README.md"}
    assert sums.keys() == kept
    assert "LICENSE.txt" in kept
    for name, digest in sums.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest, name


def test_the_reader_is_sent_packed_and_kept_for_ever(app: Any) -> None:
    with app.test_request_context():
        where = assets.static_url("vendor/zxing/reader.wasm")
    with app.test_client().get(where, buffered=True) as plain:
        size = len(plain.data)
    packed = app.test_client().get(where, headers={"Accept-Encoding": "gzip"})
    assert plain.mimetype == packed.mimetype == "application/wasm"
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "immutable" in packed.headers["Cache-Control"]
    assert len(packed.data) < size / 2


def test_photos_are_slowed_down(browser: Any) -> None:
    browser.open("/scan")
    for _ in range(20):
        browser.send("/scan", {}, status=422)
    browser.send("/scan", {}, status=429)
