"""Scanning in a real browser: a made film of a printed label is held before Chromium's camera."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest
from browser.camera import Before, label_of
from browser.looking import PHONE, Visitors, shoot, violations
from browser.stage import Site
from PIL import Image
from playwright.sync_api import expect

from lotseal.trace.carriers import symbols
from lotseal.trace.carriers.symbols import Carrier


def test_a_label_before_the_camera_leads_to_its_item(before_camera: Before, site: Site) -> None:
    code = site.code("ok-again")
    page = before_camera(label_of(code["url"])).page("zh", size=PHONE)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto("/scan")
    assert not [url for url in asked if "/vendor/" in url], "the reader is loaded only when it is needed"
    assert page.evaluate("'BarcodeDetector' in window") is False, "this browser has to use our own reader"
    page.locator("[data-start]").click()
    page.wait_for_url("**/01/**")
    assert site.here(code["url"]).split("/01/")[1].split("?")[0] in page.url
    assert len([url for url in asked if "/vendor/zxing/reader" in url]) == 2
    expect(page.locator(".verdict")).to_be_visible()


def test_a_gs1_datamatrix_before_the_camera_is_understood_with_its_separators(
    before_camera: Before, site: Site
) -> None:
    gtin, rest = site.code("ok-again")["url"].split("/01/")[1].split("/10/")
    lot, serial = rest.split("?")[0].split("/21/")
    drawn = symbols.draw(Carrier.GS1_DATA_MATRIX, [("01", gtin), ("10", lot), ("21", serial)], human_readable=False)
    made = Image.open(BytesIO(symbols.png(drawn))).convert("L")
    made = made.resize((made.width * 3, made.height * 3), Image.Resampling.NEAREST)
    framed = Image.new("L", (made.width + 200, made.height + 200), 255)
    framed.paste(made, (100, 100))
    page = before_camera(framed).page("en", size=PHONE)
    page.goto("/scan")
    page.locator("[data-start]").click()
    page.wait_for_url(f"**/01/{gtin}/10/{lot}/21/{serial}")


def test_a_native_reader_is_used_where_there_is_one(before_camera: Before, site: Site) -> None:
    """A stand-in for the reader of another browser: this one has none."""
    page = before_camera(label_of(site.code("ok-again")["url"])).page("en", size=PHONE)
    page.add_init_script(
        """window.BarcodeDetector = class {
             static async getSupportedFormats() {
               return ["qr_code", "data_matrix", "ean_13", "ean_8", "upc_a", "code_128", "itf"];
             }
             async detect() { return [{rawValue: "4006381333931"}]; }
           };"""
    )
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto("/scan")
    page.locator("[data-start]").click()
    page.wait_for_url("**/scan?code=4006381333931")
    assert not [url for url in asked if "/vendor/" in url]


def test_the_camera_can_be_stopped_and_a_refused_one_is_told_with_the_other_ways(
    before_camera: Before, visitors: Visitors
) -> None:
    blank = before_camera(Image.new("L", (300, 300), 255)).page("en", size=PHONE)
    blank.goto("/scan")
    blank.locator("[data-start]").click()
    expect(blank.locator("video")).to_be_visible()
    shoot(blank, "scan-camera-phone")
    blank.locator("[data-stop]").click()
    expect(blank.locator("video")).to_be_hidden()

    refused = visitors.page("en", size=PHONE)
    refused.goto("/scan")
    refused.locator("[data-start]").click()
    expect(refused.locator("[data-status]")).to_contain_text("type the code")


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_without_scripts_a_photo_leads_to_the_item(visitors: Visitors, site: Site, tmp_path: Path, lang: str) -> None:
    code = site.code("ok-again")
    photo = tmp_path / "photo.jpg"
    table = Image.new("L", (1600, 1200), 160)
    table.paste(label_of(code["url"]), (300, 300))
    table.rotate(6, fillcolor=160).save(photo, quality=70)
    page = visitors.page(lang, size=PHONE, scripts=False)
    page.goto("/")
    page.locator("main a[href='/scan']").click()
    expect(page.locator("[data-scanner]")).to_be_hidden()
    shoot(page, f"scan-{lang}-phone-no-scripts")
    page.locator("#f-photo").set_input_files(photo)
    with page.expect_navigation():
        page.locator("form[method=post] button").click()
    assert "/01/" in page.url
    expect(page.locator(".verdict")).to_be_visible()


def test_scanning_pages_are_accessible(visitors: Visitors, site: Site) -> None:
    for lang in ("zh", "en"):
        page = visitors.page(lang, size=PHONE, policy=False)
        for path in ("/scan", "/scan?code=4006381333931", "/scan?code=nonsense"):
            page.goto(path)
            shoot(page, f"scan-{lang}-{'page' if path == '/scan' else path[-8:]}")
            assert violations(page) == []
