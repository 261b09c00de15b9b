"""What a form calls required is required by the service too, and a refused form is as accessible as a fresh one."""

from __future__ import annotations

import pytest
from browser.crawl import Kinds, application, walk
from browser.looking import Visitors, sign_in, violations
from browser.stage import Site
from playwright.sync_api import Page

MEANT = "main form[method=post]:not([action$='/sheets']):has([required])"
"""Forms with something to fill in. An order of a label sheet has a default for each of its numbers."""
EMPTY = """form => {
  let emptied = 0;
  form.noValidate = true;
  for (const field of form.querySelectorAll('[required]')) {
    if (field.tagName === 'SELECT' && ![...field.options].some(option => option.value === '')) continue;
    field.value = '';
    emptied += 1;
  }
  return emptied;
}"""


@pytest.fixture
def site(workshop: Site) -> Site:
    """Whatever a form should wrongly accept is changed here only."""
    return workshop


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.timeout(600)
def test_an_emptied_form_comes_back_with_its_errors_and_no_fault(visitors: Visitors, site: Site, lang: str) -> None:
    page = visitors.page(lang)
    sign_in(page, site.accounts("admin")[0])
    tried: list[str] = []
    wrong: list[str] = []

    def look(address: str) -> None:
        for number in range(page.locator(MEANT).count()):
            if number or page.url != site.origin + address:
                page.goto(address)
            tried.append(address)
            wrong.extend(_sent_empty(page, number))

    walk(page, ["/staff/"], Kinds(application(str(site.data))), look)
    assert len(tried) >= 8, "the desk has forms"
    assert wrong == []


def _sent_empty(page: Page, number: int) -> list[str]:
    form = page.locator(MEANT).nth(number)
    if not form.evaluate(EMPTY):
        return []
    address = page.url
    with page.expect_navigation() as coming:
        # As the first button does; fields inside a closed part of the page are sent all the same.
        form.evaluate("form => form.requestSubmit(form.querySelector('button:not([formnovalidate]):not([name])'))")
    if not 400 <= coming.value.status < 500:
        return [f"{address}: an emptied form was answered with {coming.value.status}"]
    if not page.locator(".error-summary").count():
        return [f"{address}: no summary of what is wrong"]
    broken = [
        link for link in page.locator(".error-summary a").all() if not page.locator(f"[id='{_target(link)}']").count()
    ]
    return [f"{address}: a summary link leads nowhere: {link.inner_text()}" for link in broken] + violations(page)


def _target(link: object) -> str:
    return str(link.get_attribute("href")).removeprefix("#")  # type: ignore[attr-defined]  # a Locator
