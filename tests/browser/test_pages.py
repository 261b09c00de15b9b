"""Every page, in both languages and both themes: no accessibility fault, no sideways scroll, nothing that breaks the
policy. The staff pages are found by walking the links from the desk."""

from __future__ import annotations

import pytest
from browser.crawl import LINKS, Kinds, application, walk
from browser.looking import COLOURS_ONLY, DESKTOP, LANGUAGES, NARROW, Visitors, sign_in, violations
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
HIDDEN = {"accounts.sign_in", "batches.lift"}
"""Not among the first of their kind: who is signed in is led away from signing in; only a held batch has a hold."""


@pytest.fixture(scope="session")
def kinds(gallery: Site) -> Kinds:
    return Kinds(application(str(gallery.data)))


@pytest.fixture(scope="session")
def public_pages(gallery: Site) -> list[str]:
    """Home, sign-in, patterns, each verdict, and the pages of mistakes."""
    states = [gallery.link(state) for state in State]
    mistakes = ["/find?serial=TWPXV", "/find?gtin=1234567890123&lot=A B", "/no-such-page", "/01/123"]
    return ["/", "/staff/sign-in", "/patterns", *states, *mistakes]


class Checker:
    """Looks at pages one by one and keeps all that is wrong with them: one run tells all."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.found: list[str] = []

    def __call__(self, address: str) -> None:
        page = self.page
        self.found += [f"[light] {fault}" for fault in violations(page)]
        page.emulate_media(color_scheme="dark")
        self.found += [f"[dark] {fault}" for fault in violations(page, **COLOURS_ONLY)]
        page.emulate_media(color_scheme="light")
        page.set_viewport_size(NARROW)
        if wide := page.evaluate(OVERFLOW):
            self.found.append(f"{address}: {wide}")
        page.set_viewport_size(DESKTOP)


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.timeout(600)
def test_public_pages_have_no_faults(visitors: Visitors, kinds: Kinds, public_pages: list[str], lang: str) -> None:
    page = visitors.page(lang, agent="checker")
    check = Checker(page)
    reports: set[str] = set()
    for address in public_pages:
        page.goto(address)
        check(address)
        reports |= {link for link in page.evaluate(LINKS) if "/report/" in link}
    assert reports, "scan pages link to their reports"
    for address in sorted(reports)[:3]:
        page.goto(address)
        check(address)
    assert check.found == []


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.timeout(600)
def test_staff_pages_have_no_faults(visitors: Visitors, site: Site, kinds: Kinds, lang: str) -> None:
    page = visitors.page(lang)
    sign_in(page, site.accounts("admin")[0])
    check = Checker(page)
    pages = walk(page, ["/staff/"], kinds, lambda path: check(path) if path.startswith("/staff") else None)
    views = set(pages.values())
    assert sorted(kinds.staff - views - HIDDEN) == [], "no link leads to these pages"
    assert check.found == []


@pytest.mark.parametrize("role", ["supplier", "auditor"])
@pytest.mark.timeout(600)
def test_the_pages_of_other_roles_have_no_faults(visitors: Visitors, site: Site, kinds: Kinds, role: str) -> None:
    page = visitors.page("zh")
    sign_in(page, site.accounts(role)[0])
    check = Checker(page)
    views = {"desk.index", "batches.index", "batches.show", "certificates.index", "products.show", "accounts.me"}
    walk(page, ["/staff/"], kinds, lambda path: check(path) if kinds.view(path) in views else None)
    assert check.found == []
