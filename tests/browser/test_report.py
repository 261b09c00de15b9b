"""The inspection report as a reader sees it: table, page images, the original with its hash."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from browser.looking import LANGUAGES, PHONE, Visitors, shoot
from browser.stage import Site
from playwright.sync_api import Page


@pytest.fixture
def page(visitors: Visitors, site: Site) -> Page:
    """The first report behind a code, reached as a reader reaches it."""
    page = visitors.page("en", size=PHONE)
    page.goto(site.link("ok-first"))
    page.locator(".reports a").first.click()
    page.wait_for_url("**/report/*")
    return page


def test_results_stand_in_a_table_with_their_limits(page: Page) -> None:
    table = page.locator("table.results")
    assert table.locator("thead th").all_inner_texts() == ["Item tested", "Limit", "Result", "Outcome"]
    assert table.locator("tbody tr").count() >= 1
    facts = page.locator("main dl").first.inner_text()
    for label in ("Laboratory", "Accreditation number", "Sample", "Issued on"):
        assert label in facts


def test_page_images_are_lazy_keep_their_place_and_load_when_they_come_near(page: Page) -> None:
    images = page.locator(".sheets img")
    assert images.count() >= 1
    for number in range(images.count()):
        image = images.nth(number)
        assert image.get_attribute("loading") == "lazy"
        assert image.get_attribute("alt")
        assert int(image.get_attribute("width") or 0) > 0
        assert int(image.get_attribute("height") or 0) > 0
        image.scroll_into_view_if_needed()
        page.wait_for_function("image => image.complete && image.naturalWidth > 0", arg=image.element_handle())


def test_the_original_downloads_with_the_hash_that_the_page_shows(page: Page, tmp_path: Path) -> None:
    with page.expect_download() as coming:
        page.get_by_role("link", name="Download the original").click()
    file = tmp_path / "original"
    coming.value.save_as(file)

    assert hashlib.sha256(file.read_bytes()).hexdigest() == page.locator("#file-hash").inner_text()
    assert coming.value.suggested_filename in page.locator("main").inner_text()


def test_the_report_reads_without_scripts_in_both_languages(visitors: Visitors, page: Page) -> None:
    for lang in LANGUAGES:
        plain = visitors.page(lang, size=PHONE, scripts=False)
        plain.goto(page.url)
        assert plain.locator("table.results tbody tr").count() >= 1
        assert plain.locator(".back a").get_attribute("href")
        shoot(plain, f"report-{lang}-phone")
