"""The whole way of one batch, by hand and with real files: from the upload to the verdict on a phone."""

from __future__ import annotations

from pathlib import Path

import pypdfium2
import pytest
import zxingcpp
from browser.desk import add_batch, choose_file, fill_in_report, press
from browser.looking import HTML_LANG, LANGUAGES, PHONE, Visitors, shoot, sign_in
from browser.material import report_pdf
from browser.stage import Site
from PIL.Image import Image
from playwright.sync_api import Page, expect
from pyzbar import pyzbar

GTIN = "09521321000018"
LOT = "DHP-TEST-1"
CODES = 24
DPI = 300


@pytest.fixture
def site(workshop: Site) -> Site:
    return workshop


@pytest.mark.timeout(600)
def test_a_batch_goes_from_the_uploaded_report_to_the_verdict_on_a_phone(
    visitors: Visitors, site: Site, tmp_path: Path
) -> None:
    first, second = site.accounts("quality")[:2]
    bob, carol = visitors.page("en"), visitors.page("en")
    sign_in(bob, first)
    sign_in(carol, second)

    batch = add_batch(bob, GTIN, LOT)
    report = upload(bob, batch)
    expect(bob.locator("#review")).to_contain_text("Somebody else has to accept it")

    review(carol, report)
    carol.goto(batch)
    expect(carol.locator("#gate .gate-open")).to_have_count(0)
    shoot(carol, "release-en-desktop")
    press(carol, "Release")
    expect(carol.locator(".page-head .badge")).to_contain_text("Released")
    expect(carol.locator("#release")).to_contain_text("The signature fits the record")

    issue(bob, batch)
    sheet = print_labels(bob, tmp_path)
    drawn = draw(sheet)
    link = decode(drawn)
    assert f"/01/{GTIN}/10/{LOT}/21/" in link

    for lang in LANGUAGES:
        phone = visitors.page(lang, size=PHONE, scripts=False, agent="buyer")
        phone.goto(site.here(link))
        assert phone.locator("html").get_attribute("lang") == HTML_LANG[lang]
        assert phone.locator(".verdict").get_attribute("data-state") == "ok-first"
        assert phone.locator(".compare dd").first.inner_text() == LOT
        shoot(phone, f"journey-{lang}-phone")


def upload(page: Page, batch: str) -> str:
    """A real report, with its results; the address of its page."""
    page.goto(batch)
    press(page, "Upload a report")
    fill_in_report(page, "YX-TEST-1")
    choose_file(page, "report.pdf", report_pdf("YX-TEST-1", LOT))
    press(page, "Upload for review")
    expect(page.locator("h1")).to_contain_text("YX-TEST-1")
    return page.url


def review(page: Page, report: str) -> None:
    """Compare with the file, then accept."""
    page.goto(report)
    image = page.locator(".sheets img").first
    image.scroll_into_view_if_needed()
    page.wait_for_function("image => image.complete && image.naturalWidth > 0", arg=image.element_handle())
    expect(page.locator("table.results tbody tr")).to_have_count(1)
    shoot(page, "review-en-desktop")
    press(page, "Accept")
    expect(page.locator(".page-head .badge")).to_contain_text("Accepted")


def issue(page: Page, batch: str) -> None:
    """Order codes and watch the job until it is done."""
    page.goto(batch)
    page.locator("main").get_by_role("link", name="Issue codes").first.click()
    page.locator("#f-count").fill(str(CODES))
    press(page, "Issue codes")
    # The page asks for itself anew while the job runs.
    expect(page.locator("main")).to_contain_text(f"{CODES} of {CODES}", timeout=90_000)
    expect(page.locator("progress")).to_have_count(0, timeout=90_000)


def print_labels(page: Page, folder: Path) -> Path:
    """Order the sheet, wait until it was read back, download it."""
    page.reload()
    press(page, "Order the labels")
    offered = page.locator("#sheets").get_by_role("link", name="Download the PDF")
    expect(offered.first).to_be_visible(timeout=120_000)
    shoot(page, "labels-en-desktop")
    with page.expect_download() as coming:
        offered.first.click()
    file = folder / "labels.pdf"
    coming.value.save_as(file)
    return file


def draw(sheet: Path) -> Image:
    """The first page, as a printer would put it on paper."""
    with pypdfium2.PdfDocument(sheet) as document:
        drawn: Image = document[0].render(scale=DPI / 72).to_pil().convert("L")
        return drawn


def decode(drawn: Image) -> str:
    """The first code on the sheet. Two readers that share no line of code must agree on all of them."""
    one = {found.text for found in zxingcpp.read_barcodes(drawn, formats=zxingcpp.BarcodeFormat.QRCode)}
    other = {found.data.decode() for found in pyzbar.decode(drawn, symbols=[pyzbar.ZBarSymbol.QRCODE])}
    assert len(one) == CODES
    assert one == other
    return min(one)
