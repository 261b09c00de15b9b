"""Print, then verify: the labels of a print run are held before the camera of a phone that is signed in."""

from __future__ import annotations

import json
import re

import pytest
from browser.camera import Before, label_of
from browser.looking import PHONE, Visitors, shoot, sign_in, violations
from browser.stage import Site
from playwright.sync_api import Page, expect


@pytest.fixture
def site(workshop: Site) -> Site:
    return workshop


def open_print_run(page: Page, site: Site) -> None:
    """The newest print run of the demo, as a list leads to it."""
    sign_in(page, site.accounts("quality")[0], to="/staff/sign-in")
    page.goto("/staff/codes/prints")
    page.locator("main tbody td a").first.click()
    expect(page.locator(".gate li")).not_to_have_count(0)


def links_of(page: Page, site: Site) -> list[str]:
    """The links of the codes of this print run, in the order of its labels."""
    run = str(page.locator(".crumbs a").nth(1).get_attribute("href")).rsplit("/", 1)[1]
    listed = json.loads(site.lotseal("codes", "list", "--run", run, "--limit", "10000", "--json"))
    return [code["link"] for code in listed["codes"] if not code["voided_at"]]


def test_a_label_of_the_sample_is_found_right_by_the_camera(
    before_camera: Before, visitors: Visitors, site: Site
) -> None:
    desk = visitors.page("en")
    open_print_run(desk, site)
    asked = [int(found) for found in re.findall(r"Label (\d+):", desk.locator(".gate").inner_text())]
    assert len(asked) == 5
    links = links_of(desk, site)

    phone = before_camera(label_of(links[asked[0] - 1])).page("en", size=PHONE)
    open_print_run(phone, site)
    shoot(phone, "verify-en-phone")
    phone.locator("[data-start]").click()
    expect(phone.locator(".flash")).to_contain_text(f"Label {asked[0]} is right.")
    expect(phone.locator(".gate-ok")).to_have_count(1)
    # The camera goes on by itself, and the same label before it is not sent again.
    expect(phone.locator("video")).to_be_visible()
    shoot(phone, "verify-en-phone-one")

    for number in asked[1:]:
        desk.reload()
        desk.locator("#f-code").fill(links[number - 1])
        with desk.expect_navigation():
            desk.get_by_role("button", name="Check this label").click()
    expect(desk.locator(".notice").filter(has_text="The sample was scanned back")).to_be_visible()


def test_pages_of_print_runs_are_accessible(visitors: Visitors, site: Site) -> None:
    for lang in ("zh", "en"):
        for size in (PHONE, {"width": 1280, "height": 900}):
            page = visitors.page(lang, size=size, policy=False)
            open_print_run(page, site)
            verify = page.url
            run = str(page.locator(".crumbs a").nth(1).get_attribute("href"))
            for path, name in ((verify, "verify"), ("/staff/codes/prints", "prints"), (run, "run")):
                page.goto(path)
                shoot(page, f"labels-{name}-{lang}-{size['width']}")
                assert violations(page) == []
