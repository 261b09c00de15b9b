"""Each verdict as a phone shows it: status, headline in both languages, the gravest above everything."""

from __future__ import annotations

import pytest
from browser.looking import HTML_LANG, LANGUAGES, PHONE, Visitors, shoot
from browser.stage import Site
from playwright.sync_api import Page, Response

from lotseal.trace.passport.model import State

STATUS = {State.UNKNOWN: 404, State.BAD_SIGNATURE: 404, State.CANNOT_VERIFY: 503}
ANN = "phone of Ann"
HEADLINES = {
    State.RECALLED: ("Product recall. Stop using it now.", "产品召回 · 请立即停止使用"),
    State.BAD_SIGNATURE: ("This code was not issued here", "此码不是本系统签发"),
    State.UNKNOWN: ("No such code", "查无此码"),
    State.UNKNOWN_LOT: ("No such batch number", "查无此批号"),
    State.VOIDED: ("This code has been withdrawn", "此码已作废"),
    State.HOLD: ("On hold. Not for sale.", "已暂停销售"),
    State.NOT_RELEASED: ("Not released for sale", "尚未放行"),
    State.EXPIRED: ("Past its date", "已过保质期"),
    State.EVIDENCE_GAP: ("Record valid, report lapsed", "记录有效，检验报告失效"),
    State.OK_AGAIN: ("Record valid", "记录有效"),
    State.OK_FIRST: ("Record valid, first look-up", "记录有效 · 首次查询"),
    State.BATCH_ONLY: ("Batch facts, not this one item", "批次信息，非单件核验"),
    State.PRODUCT_ONLY: ("Product facts only", "仅为商品信息"),
    State.CANNOT_VERIFY: ("Cannot be checked right now", "暂时无法核验"),
}


@pytest.fixture
def site(workshop: Site) -> Site:
    """Looking up is what changes here: the first look-up happens once."""
    return workshop


def opened(page: Page, url: str) -> Response:
    answer = page.goto(url)
    assert answer
    return answer


@pytest.mark.parametrize("state", State)
def test_a_phone_without_scripts_shows_the_verdict_in_both_languages(
    visitors: Visitors, site: Site, state: State
) -> None:
    for lang in LANGUAGES:
        # One person with one phone: the second language is not another visitor.
        page = visitors.page(lang, size=PHONE, scripts=False, agent=ANN)
        answer = opened(page, site.link(state))

        assert answer.status == STATUS.get(state, 200)
        assert answer.headers["cache-control"] == "no-store"
        assert page.locator("html").get_attribute("lang") == HTML_LANG[lang]
        assert page.locator(".verdict").get_attribute("data-state") == state
        assert page.locator(".verdict h1").inner_text() == HEADLINES[state][LANGUAGES[::-1].index(lang)]
        shoot(page, f"state-{state}-{lang}-phone")


@pytest.mark.parametrize("state", State)
def test_the_verdict_comes_before_everything_else_of_the_page(visitors: Visitors, site: Site, state: State) -> None:
    page = visitors.page("zh", size=PHONE, agent=ANN)
    answer = opened(page, site.link(state))

    band = page.locator(".verdict").bounding_box()
    assert band
    assert page.locator("main > *").first.get_attribute("data-state") == state
    if state is State.CANNOT_VERIFY:
        assert answer.headers["retry-after"] == "60"
    assert band["y"] < PHONE["height"] / 3, "the verdict stands in the first third of the first screen"
    assert page.locator(".verdict svg").count() == 1, "a verdict has an icon beside its words"


def test_a_recall_tells_reason_remedy_and_phone_inside_the_verdict(visitors: Visitors, site: Site) -> None:
    page = visitors.page("en", size=PHONE)
    opened(page, site.link(State.RECALLED))

    recall = page.locator(".verdict .recall")
    assert recall.locator("dt").all_inner_texts() == ["Reason", "What to do", "Phone", "Recalled on"]
    assert recall.locator("a[href^='tel:']").count() == 1


def test_a_second_visitor_learns_of_the_first_but_the_first_is_not_told_of_himself(
    visitors: Visitors, site: Site
) -> None:
    link = site.link(State.NOT_RELEASED)
    ann = visitors.page("en", size=PHONE, agent="first of two")
    opened(ann, link)
    told = ann.locator(".history").inner_text()
    before = int(told.split("by ")[1].split()[0]) if "other visitor" in told else 0
    ann.reload()
    again = ann.locator(".history").inner_text()
    assert ("Looked up by" in again) == (before > 0), "a reload within the session is no look-up by somebody else"

    ben = visitors.page("en", size=PHONE, agent="second of two")
    opened(ben, link)
    assert f"Looked up by {before + 1} other visitor" in ben.locator(".history").inner_text()


def test_the_first_look_up_is_followed_by_looked_up_before(visitors: Visitors, site: Site) -> None:
    state_of = "document.querySelector('.verdict').dataset.state"
    link = site.link(State.OK_FIRST)
    first = visitors.page("en", agent="first of all")
    opened(first, link)
    first.reload()
    for agent in ("next", "and next"):
        other = visitors.page("en", agent=agent)
        opened(other, link)
        assert other.evaluate(state_of) == State.OK_AGAIN
        assert "Looked up by" in other.locator(".history").inner_text()


def test_a_robot_that_previews_is_not_counted(visitors: Visitors, site: Site) -> None:
    link = site.link(State.VOIDED)
    robot = visitors.page("en", agent="PreviewBot/1.0 bot")
    opened(robot, link)
    assert "This look-up was not counted." in robot.locator(".history").inner_text()


def test_changed_facts_of_the_pack_are_compared_in_large_print(visitors: Visitors, site: Site) -> None:
    page = visitors.page("en", size=PHONE)
    opened(page, site.link(State.OK_AGAIN))
    compare = page.locator(".compare")
    assert compare.locator("dt").all_inner_texts()[:2] == ["Batch number", "Best before"]
    lot = compare.locator("dd").first
    assert float(lot.evaluate("node => parseFloat(getComputedStyle(node).fontSize)")) >= 18
