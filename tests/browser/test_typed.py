"""Codes typed by hand, with scripts off: look-alikes forgiven, mistakes named, language and theme by plain links."""

from __future__ import annotations

import pytest
from browser.looking import PHONE, Visitors, shoot
from browser.stage import Site
from playwright.sync_api import Page

from lotseal.trace.codes.gtin import check_digit

LOOK_ALIKES = {"5": "S", "8": "B", "2": "Z"}


@pytest.fixture
def page(visitors: Visitors) -> Page:
    return visitors.page("en", size=PHONE, scripts=False)


def type_serial(page: Page, text: str) -> None:
    page.goto("/")
    page.locator("#f-serial").fill(text)
    page.get_by_role("button", name="Check this item").click()


def type_batch(page: Page, gtin: str, lot: str = "") -> None:
    page.goto("/")
    page.locator("#f-gtin").fill(gtin)
    page.locator("#f-lot").fill(lot)
    page.get_by_role("button", name="Show the batch").click()


def parts_of(site: Site, state: str) -> tuple[str, str]:
    """GTIN and lot of a ready link."""
    path = site.link(state).partition("/01/")[2]
    gtin, lot = path.split("/")[0], path.split("/")[2]
    return gtin, lot


def refused(page: Page, field: str) -> str:
    """The sentence at a field."""
    wrong = page.locator(f"#f-{field}")
    assert wrong.get_attribute("aria-invalid") == "true"
    assert f"f-{field}-error" in (wrong.get_attribute("aria-describedby") or "")
    assert page.locator(f".error-summary a[href='#f-{field}']").count() == 1
    return page.locator(f"#f-{field}-error").inner_text()


def test_a_serial_typed_in_small_letters_with_look_alikes_and_spaces_leads_to_its_item(page: Page, site: Site) -> None:
    serial = site.code("recalled")["serial"]
    typed = "".join(LOOK_ALIKES.get(character, character) for character in serial).lower()
    type_serial(page, "  " + " - ".join(typed[at : at + 5] for at in range(0, 20, 5)) + " ")

    assert page.locator(".verdict").get_attribute("data-state") == "recalled"
    assert page.url.endswith(serial)


def test_full_width_letters_of_a_chinese_keyboard_are_read(page: Page, site: Site) -> None:
    serial = site.code("recalled")["serial"]
    type_serial(page, "".join(chr(ord(character) + 0xFEE0) for character in serial))
    assert page.locator(".verdict").get_attribute("data-state") == "recalled"


def test_the_first_two_groups_of_a_serial_are_enough(page: Page, site: Site) -> None:
    serial = site.code("recalled")["serial"]
    type_serial(page, serial[:10])
    assert page.url.endswith(serial)


def test_the_demos_code_with_a_mistake_is_forgiven(page: Page, site: Site) -> None:
    page.goto(site.link("typed-with-mistake"))
    assert page.url.endswith(site.code("typed-with-mistake")["serial"])
    assert page.locator(".verdict").get_attribute("data-state") in ("ok-first", "ok-again")


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("TWPXV WAJO2", "Character 9 (O)"),
        ("TWPXV", "20 characters"),
        ("22222 22222 22222 22222", "There is no code with this serial number"),
    ],
)
def test_a_serial_that_cannot_be_is_answered_at_its_field_with_what_was_typed(
    page: Page, typed: str, told: str
) -> None:
    type_serial(page, typed)
    assert told in refused(page, "serial")
    assert page.locator("#f-serial").input_value() == typed


def test_gtin_and_lot_show_the_batch_and_say_that_it_is_not_this_one_item(page: Page, site: Site) -> None:
    gtin, lot = parts_of(site, "ok-first")
    type_batch(page, gtin, lot.lower())

    assert page.locator(".verdict").get_attribute("data-state") == "batch-only"
    assert page.locator(".verdict h1").inner_text() == "Batch facts, not this one item"
    assert page.locator(".compare dd").first.inner_text() == lot


def test_an_ean_13_shows_the_product_and_asks_for_the_lot(page: Page, site: Site) -> None:
    gtin, lot = parts_of(site, "ok-first")
    type_batch(page, gtin.removeprefix("0"))

    assert page.locator(".verdict").get_attribute("data-state") == "product-only"
    page.locator("#f-lot").fill(lot)
    page.get_by_role("button", name="Show the batch").click()
    assert page.locator(".verdict").get_attribute("data-state") == "batch-only"


def test_a_wrong_check_digit_names_the_right_one(page: Page, site: Site) -> None:
    right = parts_of(site, "ok-first")[0].removeprefix("0")
    wrong = right[:-1] + str((int(right[-1]) + 1) % 10)
    type_batch(page, wrong)

    assert f"would end in {check_digit(right[:-1])}" in refused(page, "gtin")
    assert page.locator("#f-gtin").input_value() == wrong
    shoot(page, "home-refused-en-phone")


def test_language_and_theme_are_switched_by_links_and_kept(page: Page) -> None:
    page.goto("/")
    shoot(page, "home-en-phone")
    page.get_by_role("link", name="中文").click()
    assert page.locator("html").get_attribute("lang") == "zh-Hans"
    page.locator(".themes a").nth(2).click()
    assert page.locator("html").get_attribute("data-theme") == "dark"
    page.goto("/patterns")
    assert page.locator("html").get_attribute("lang") == "zh-Hans"
    assert page.locator("html").get_attribute("data-theme") == "dark"
    shade = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.locator(".themes a").nth(1).click()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != shade


def test_a_switch_keeps_what_was_asked(page: Page, site: Site) -> None:
    type_serial(page, "TWPXV")
    page.get_by_role("link", name="中文").click()
    assert page.locator("#f-serial").input_value() == "TWPXV"
    page.goto(site.link("recalled"))
    page.locator(".languages a[lang=en]").click()
    assert page.locator(".verdict").get_attribute("data-state") == "recalled"
