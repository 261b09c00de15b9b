"""With the keyboard alone: everything is reached, and one sees where one is."""

from __future__ import annotations

import pytest
from browser.looking import Visitors, sign_in
from browser.stage import Site
from playwright.sync_api import Page

FOCUS = """() => {
  const node = document.activeElement, style = getComputedStyle(node), box = node.getBoundingClientRect();
  return {tag: node.tagName, id: node.id, href: node.getAttribute('href'),
          text: (node.innerText || node.value || '').trim(),
          ring: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2 || style.boxShadow !== 'none',
          seen: box.bottom > 0 && box.top < innerHeight && box.width > 0 && box.height > 0};
}"""
MOST_STEPS = 150


@pytest.fixture
def page(visitors: Visitors) -> Page:
    return visitors.page("en")


def step(page: Page) -> dict[str, object]:
    """One press of Tab. The focus must be seen wherever it lands."""
    page.keyboard.press("Tab")
    there: dict[str, object] = page.evaluate(FOCUS)
    if there["tag"] != "BODY":
        assert there["ring"], f"no visible focus on {there}"
        assert there["seen"], f"the focus is outside the window: {there}"
    return there


def walk_to(page: Page, **wanted: str) -> None:
    for _press in range(MOST_STEPS):
        there = step(page)
        if all(there[name] == value for name, value in wanted.items()):
            return
    raise AssertionError(f"the keyboard does not reach {wanted} on {page.url}")


def test_the_first_stop_of_each_page_leads_past_the_header(page: Page, site: Site) -> None:
    for address in ("/", site.link("recalled"), "/staff/sign-in", "/patterns"):
        page.goto(address)
        assert step(page)["href"] == "#main"
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main"


def test_a_code_is_typed_and_sent_without_a_mouse(page: Page, site: Site) -> None:
    page.goto("/")
    walk_to(page, id="f-serial")
    page.keyboard.type(site.code("recalled")["serial"].lower())
    assert " " in page.locator("#f-serial").input_value(), "the script groups by five while one types"
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert page.locator(".verdict").get_attribute("data-state") == "recalled"


def test_every_stop_of_the_scan_page_can_be_seen(page: Page, site: Site) -> None:
    page.goto(site.link("ok-again"))
    for _press in range(MOST_STEPS):
        if step(page)["tag"] == "BODY":
            return
    raise AssertionError("the focus never leaves the page")


def test_quality_signs_in_finds_a_batch_and_opens_it(page: Page, site: Site) -> None:
    bob = site.accounts("quality")[0]
    page.goto("/staff/batches")
    walk_to(page, id="f-login")
    page.keyboard.type(bob.login)
    page.keyboard.press("Tab")
    page.keyboard.type(bob.password)
    with page.expect_navigation():
        page.keyboard.press("Enter")
    batch = site.facts["batches"][0]
    walk_to(page, id="q")
    page.keyboard.type(batch["lot"])
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert batch["lot"] in page.locator("main table").inner_text()
    walk_to(page, tag="A", text=batch["lot"])
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert batch["lot"] in page.locator("h1").inner_text()


def test_every_stop_of_a_batch_on_its_way_to_release_can_be_seen(page: Page, site: Site) -> None:
    sign_in(page, site.accounts("quality")[0], to="/staff/batches?state=awaiting-tests")
    page.locator("main tbody a").first.click()
    page.wait_for_load_state()
    for _press in range(MOST_STEPS):
        if step(page)["tag"] == "BODY":
            return
    raise AssertionError("the focus never leaves the page")
