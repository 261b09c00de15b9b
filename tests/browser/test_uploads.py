"""Wrong files through the real form: a sentence at the field, 4xx, and everything typed is still there."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from browser import material
from browser.desk import add_batch, choose_file, fill_in_report, press
from browser.looking import Visitors, sign_in
from browser.stage import Site
from playwright.sync_api import Page

GTIN = "09521321000018"
WRONG: dict[str, tuple[str, Callable[[], bytes]]] = {
    "empty": ("empty.pdf", bytes),
    "an SVG": ("drawing.svg", lambda: material.SVG),
    "an SVG named as a PDF": ("drawing.pdf", lambda: material.SVG),
    "25 MB": ("heavy.pdf", material.heavy_pdf),
    "locked": ("locked.pdf", material.locked_pdf),
    "a script in front": ("script.pdf", material.scripted_pdf),
    "40,000 × 40,000 pixels": ("huge.png", material.huge_png),
}


@pytest.fixture
def site(workshop: Site) -> Site:
    return workshop


@pytest.fixture(scope="module")
def lots() -> dict[str, str]:
    """The batch page of this module, once somebody made it."""
    return {}


@pytest.fixture
def page(visitors: Visitors, site: Site, lots: dict[str, str]) -> Page:
    """An upload form of one batch."""
    page = visitors.page("en")
    sign_in(page, site.accounts("quality")[0])
    if "batch" not in lots:
        lots["batch"] = add_batch(page, GTIN, "UPLOAD-1")
    page.goto(lots["batch"])
    press(page, "Upload a report")
    return page


def send(page: Page) -> int:
    """Press the button; the status of the page that comes."""
    with page.expect_navigation() as coming:
        page.locator("main").get_by_role("button", name="Upload for review").click()
    return coming.value.status


@pytest.mark.parametrize("kind", WRONG)
def test_a_wrong_file_gets_its_sentence_and_nothing_typed_is_lost(page: Page, kind: str) -> None:
    name, make = WRONG[kind]
    fill_in_report(page, "YX-WRONG-1")
    choose_file(page, name, make())

    assert 400 <= send(page) < 500
    said = page.locator("#f-file-error").inner_text()
    assert len(said) > 20, "one sentence at the field"
    assert page.locator("#f-file").get_attribute("aria-invalid") == "true"
    assert page.locator(".error-summary a[href='#f-file']").count() == 1
    assert page.locator("#f-number").input_value() == "YX-WRONG-1"
    assert page.locator('[name="lines-0.limit"]').input_value() == "≤ 5.0"
    assert page.locator("#f-conclusion").input_value() == "pass"


def test_no_file_at_all_is_said_at_the_field(page: Page) -> None:
    fill_in_report(page, "YX-WRONG-2")
    page.locator("form:has(#f-file)").evaluate("form => { form.noValidate = true; }")
    assert send(page) == 422
    assert page.locator("#f-file-error").count() == 1
    assert page.locator("#f-number").input_value() == "YX-WRONG-2"


def test_the_same_report_twice_is_said_kindly_and_stored_once(page: Page, lots: dict[str, str]) -> None:
    content = material.report_pdf("YX-TWICE", "UPLOAD-1")
    fill_in_report(page, "YX-TWICE-1")
    choose_file(page, "report.pdf", content)
    assert send(page) == 200

    page.goto(lots["batch"])
    press(page, "Upload a report")
    fill_in_report(page, "YX-TWICE-2")
    choose_file(page, "report.pdf", content)
    assert 400 <= send(page) < 500
    assert page.locator("#f-number").input_value() == "YX-TWICE-2"
    assert page.locator(".error-summary li").count() == 1
    page.goto(lots["batch"])
    assert page.locator("main").inner_text().count("YX-TWICE-2") == 0
