"""Pictures of the main pages for people to look at, made when LOTSEAL_SCREENSHOTS is set."""

from __future__ import annotations

import os

import pytest
from browser.looking import DESKTOP, LANGUAGES, PHONE, Visitors, shoot, sign_in
from browser.stage import Site

from lotseal.trace.passport.model import State

pytestmark = pytest.mark.skipif("LOTSEAL_SCREENSHOTS" not in os.environ, reason="pictures are made on request")
SIZES = {"phone": PHONE, "desktop": DESKTOP}
DESK = {
    "desk": ("/staff/", ""),
    "batches": ("/staff/batches", ""),
    "release": ("/staff/batches?state=awaiting-tests", "main tbody a"),
    "review": ("/staff/certificates?status=submitted", "main tbody a"),
    "labels": ("/staff/codes", "main tbody a"),
}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.timeout(600)
def test_pictures_of_public_pages(visitors: Visitors, site: Site, lang: str, size: str) -> None:
    page = visitors.page(lang, size=SIZES[size], agent="photographer")
    page.goto("/")
    shoot(page, f"home-{lang}-{size}")
    for state in State:
        page.goto(site.link(state))
        shoot(page, f"state-{state}-{lang}-{size}")
    page.goto(site.link(State.OK_FIRST))
    page.locator(".reports a").first.click()
    page.wait_for_url("**/report/*")
    shoot(page, f"report-{lang}-{size}")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.timeout(600)
def test_pictures_of_the_desk(visitors: Visitors, site: Site, lang: str, size: str) -> None:
    page = visitors.page(lang, size=SIZES[size])
    sign_in(page, site.accounts("admin")[0])
    for name, (address, link) in DESK.items():
        page.goto(address)
        if link:
            with page.expect_navigation():
                page.locator(link).first.click()
        shoot(page, f"{name}-{lang}-{size}")
