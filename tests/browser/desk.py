"""What staff do at the desk, through the forms as they stand on the pages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from browser.looking import path_of
from playwright.sync_api import Page

TODAY = datetime.now(UTC).date()


def press(page: Page, name: str) -> None:
    """A button or link of the page's main part, and the page that it leads to."""
    main = page.locator("main")
    target = main.get_by_role("button", name=name, exact=True).or_(main.get_by_role("link", name=name, exact=True))
    with page.expect_navigation():
        target.first.click()


def add_batch(page: Page, gtin: str, lot: str) -> str:
    """A complete batch, submitted; the address of its page."""
    page.goto("/staff/batches/add")
    option = page.locator("#f-product option", has_text=gtin)
    page.locator("#f-product").select_option(option.get_attribute("value"))
    facts = {
        "lot": lot,
        "producer": "武夷岩韵茶业",
        "place": "武夷山",
        "produced_on": (TODAY - timedelta(days=40)).isoformat(),
        "expires_on": (TODAY + timedelta(days=700)).isoformat(),
        "quantity": "24",
    }
    for name, value in facts.items():
        page.locator(f"#f-{name}").fill(value)
    page.locator("#f-country").select_option("CN")
    press(page, "Save")
    press(page, "Submit")
    return path_of(page.url)


def fill_in_report(page: Page, number: str) -> None:
    """Everything that an upload form asks for, but the file."""
    facts = {
        "number": number,
        "laboratory": "闽检 (演示)",
        "accreditation": "CMA 260000DEMO01",
        "sample": "大红袍 100 g",
        "issued_on": (TODAY - timedelta(days=3)).isoformat(),
    }
    for name, value in facts.items():
        page.locator(f"#f-{name}").fill(value)
    page.locator("#f-conclusion").select_option("pass")
    line = {"parameter": "铅", "method": "GB 5009.12", "limit": "≤ 5.0", "result": "0.9", "unit": "mg/kg"}
    for name, value in line.items():
        page.locator(f'[name="lines-0.{name}"]').fill(value)


def choose_file(page: Page, name: str, content: bytes) -> None:
    kinds = {"pdf": "application/pdf", "png": "image/png", "svg": "image/svg+xml"}
    kind = kinds[name.rpartition(".")[2]]
    page.locator("#f-file").set_input_files({"name": name, "mimeType": kind, "buffer": content})
