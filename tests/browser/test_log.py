"""The auditor at work: by keyboard alone, in both languages, any download within three clicks of the desk."""

from __future__ import annotations

import pytest
from browser.looking import COLOURS_ONLY, DESKTOP, LANGUAGES, PHONE, Visitors, shoot, sign_in, violations
from browser.stage import Site
from playwright.sync_api import Page


@pytest.fixture
def auditor(visitors: Visitors, site: Site) -> Page:
    page = visitors.page("en")
    sign_in(page, site.accounts("auditor")[0])
    return page


def test_any_entry_is_three_clicks_from_the_desk(auditor: Page) -> None:
    page = auditor
    page.locator(".places").get_by_role("link", name="Log", exact=True).click()
    page.locator("tbody a").first.click()
    page.wait_for_url("**/staff/log/*")
    with page.expect_download() as download:
        page.locator("main").get_by_role("link", name="Proof").click()
    assert download.value.suggested_filename.endswith(".tlog-proof")


def test_search_and_who_acted_work_by_keyboard_alone(auditor: Page) -> None:
    page = auditor
    page.goto("/staff/log/")
    page.locator("#f-q").focus()
    page.keyboard.type("batch:release")
    page.keyboard.press("Enter")
    page.wait_for_url("**q=batch*")
    assert page.get_by_text("Nothing fits").is_visible()
    page.goto("/staff/log/?act=batch:release")
    page.locator("tbody a").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/staff/log/*")
    page.get_by_role("button", name="Show who").focus()
    page.keyboard.press("Enter")
    page.get_by_text("It was written down that you looked.").wait_for()


@pytest.mark.parametrize("lang", LANGUAGES)
def test_its_pages_have_no_faults(visitors: Visitors, site: Site, lang: str) -> None:
    page = visitors.page(lang)
    sign_in(page, site.accounts("auditor")[0])
    faults = []
    pages = {
        "log": "/log/",
        "log-desk": "/staff/log/",
        "log-entry": "/staff/log/30",
        "log-sample": "/staff/log/sample?seed=3412.66&n=5&of=items",
        "log-sample-wrong": "/staff/log/sample?seed=&n=0&of=items",
    }
    for name, address in pages.items():
        for size, word in ((DESKTOP, "desktop"), (PHONE, "phone")):
            page.set_viewport_size(size)
            page.goto(address)
            shoot(page, f"{name}-{word}-{lang}")
        faults += violations(page)
        page.emulate_media(color_scheme="dark")
        faults += violations(page, **COLOURS_ONLY)
        page.emulate_media(color_scheme="light")
    assert faults == []


def test_the_log_is_one_click_from_every_public_page(visitors: Visitors, site: Site) -> None:
    page = visitors.page("en", size=PHONE)
    page.goto(site.link("ok-first"))
    assert "First provably logged" in page.locator("main").inner_text()
    page.locator("footer").get_by_role("link", name="The log").click()
    page.wait_for_url("**/log/")
