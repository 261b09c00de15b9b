"""Every page, in both languages and both themes: no accessibility fault, no sideways scroll, nothing that breaks the
policy. The staff pages are found by walking the links from the desk."""

from __future__ import annotations

import pytest
from browser.crawl import Kinds, application, walk
from browser.looking import DESKTOP, LANGUAGES, NARROW, THEMES, Visitors, shoot, sign_in, violations
from browser.stage import Site
from playwright.sync_api import Page

from lotseal.trace.passport.model import State

OVERFLOW = """() => {
  const wide = document.documentElement.scrollWidth - window.innerWidth;
  if (wide <= 0) return '';
  const worst = [...document.querySelectorAll('body *')].filter(node =>
    node.getBoundingClientRect().right > window.innerWidth + 1 && !node.closest('.scroll'));
  return `${wide} px too wide: ` + worst.slice(0, 3).map(node => node.outerHTML.slice(0, 100)).join(' | ');
}"""
# Not reached by links on purpose: a page shown once, an address that only redirects, and pages of a step back.
HIDDEN = {"accounts.sign_in"}


@pytest.fixture(scope="session")
def kinds(gallery: Site) -> Kinds:
    return Kinds(application(str(gallery.data)))


@pytest.fixture(scope="session")
def public_pages(gallery: Site) -> list[str]:
    """Home, sign-in, patterns, each verdict, and the pages of mistakes."""
    states = [gallery.link(state) for state in State]
    mistakes = ["/find?serial=TWPXV", "/find?gtin=1234567890123&lot=A B", "/no-such-page", "/01/123"]
    return ["/", "/staff/sign-in", "/patterns", *states, *mistakes]


def faults(page: Page, addresses: list[str]) -> list[str]:
    """Everything that is wrong with the pages, all together: one run tells all."""
    found = []
    for address in addresses:
        page.set_viewport_size(DESKTOP)
        page.emulate_media(color_scheme="light")
        page.goto(address)
        for theme in THEMES:
            page.emulate_media(color_scheme=theme)
            found += [f"[{theme}] {fault}" for fault in violations(page)]
        page.set_viewport_size(NARROW)
        if wide := page.evaluate(OVERFLOW):
            found.append(f"{address}: {wide}")
    return found


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.timeout(280)
def test_public_pages_have_no_faults(visitors: Visitors, kinds: Kinds, public_pages: list[str], lang: str) -> None:
    page = visitors.page(lang, agent="checker")
    reports = [path for path, view in walk(page, public_pages[3:5], kinds).items() if view == "reports.show"]
    assert reports, "a scan page links to its report"
    assert faults(page, [*public_pages, *reports]) == []


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.timeout(280)
def test_staff_pages_have_no_faults(visitors: Visitors, site: Site, kinds: Kinds, lang: str) -> None:
    page = visitors.page(lang)
    sign_in(page, site.accounts("admin")[0])
    pages = walk(page, ["/staff/"], kinds)
    assert {"desk.index", "batches.show", "certificates.show", "products.show", "suppliers.show"} <= set(pages.values())
    staff = [path for path in pages if path.startswith("/staff")]
    assert faults(page, staff) == []
    for path in staff:
        if pages[path].endswith(".index"):
            page.set_viewport_size(DESKTOP)
            page.goto(path)
            shoot(page, f"staff-{pages[path]}-{lang}-desktop")


@pytest.mark.parametrize("role", ["supplier", "auditor"])
@pytest.mark.timeout(280)
def test_the_pages_of_other_roles_have_no_faults(visitors: Visitors, site: Site, kinds: Kinds, role: str) -> None:
    page = visitors.page("zh")
    sign_in(page, site.accounts(role)[0])
    pages = walk(page, ["/staff/"], kinds)
    views = {"desk.index", "batches.index", "batches.show", "certificates.index", "products.show", "accounts.me"}
    staff = [path for path, view in pages.items() if view in views]
    assert faults(page, staff) == []
