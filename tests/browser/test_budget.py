"""What the scan page may cost a phone: requests, bytes, movement. And that it fits a narrow one."""

from __future__ import annotations

import gzip
from urllib.request import Request, urlopen

import pytest
from browser.looking import NARROW, PHONE, Visitors
from browser.stage import Site

STATES = ("ok-first", "recalled", "evidence-gap", "unknown")

MOST_REQUESTS = 4
MOST_BYTES = 50 * 1024
MOST_HTML_GZIP = 14_000
MOST_CSS_GZIP = 8 * 1024
MOST_SHIFT = 0.05

SHIFT = """() => new Promise(done => {
  let sum = 0;
  new PerformanceObserver(list => { for (const entry of list.getEntries()) sum += entry.value; })
    .observe({type: 'layout-shift', buffered: true});
  requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => done(sum), 0)));
})"""


@pytest.mark.parametrize("state", STATES)
def test_the_first_view_takes_four_requests_and_fifty_kilobytes(visitors: Visitors, site: Site, state: str) -> None:
    page = visitors.page("zh", size=PHONE)
    wire = page.context.new_cdp_session(page)
    wire.send("Network.enable")
    asked: list[str] = []
    sizes: list[int] = []
    wire.on("Network.requestWillBeSent", lambda event: asked.append(event["request"]["url"]))
    wire.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    page.goto(site.link(state), wait_until="networkidle")

    # The browser asks for its tab's icon on its own account; the page does not wait for it. Its bytes count.
    asked_by_page = [url for url in asked if "/icons/" not in url]
    assert len(asked_by_page) <= MOST_REQUESTS, asked_by_page
    assert len(sizes) == len(asked)
    assert sum(sizes) <= MOST_BYTES, dict(zip(asked, sizes, strict=True))


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("lang", ["zh-CN", "en"])
def test_the_page_itself_fits_the_first_flight_of_packets(site: Site, state: str, lang: str) -> None:
    with_language = Request(site.link(state), headers={"Accept-Language": lang, "User-Agent": "curl/8"})
    assert len(gzip.compress(_body(with_language), 6)) <= MOST_HTML_GZIP


def test_the_style_sheet_stays_small(visitors: Visitors) -> None:
    page = visitors.page()
    page.goto("/")
    address = page.locator("link[rel=stylesheet]").get_attribute("href")
    assert len(gzip.compress(_body(Request(f"{visitors.site.origin}{address}")), 6)) <= MOST_CSS_GZIP


def _body(request: Request) -> bytes:
    from urllib.error import HTTPError

    try:
        with urlopen(request, timeout=60) as answer:
            return bytes(answer.read())
    except HTTPError as error:
        return bytes(error.read())


@pytest.mark.parametrize("state", STATES)
def test_nothing_moves_while_the_page_loads(visitors: Visitors, site: Site, state: str) -> None:
    page = visitors.page("en", size=PHONE)
    page.goto(site.link(state), wait_until="networkidle")
    assert page.evaluate(SHIFT) <= MOST_SHIFT


def test_verdict_and_comparison_stand_without_scrolling_on_a_small_phone(visitors: Visitors, site: Site) -> None:
    page = visitors.page("zh", size=NARROW)
    page.goto(site.link("recalled"))
    head = page.locator(".verdict h1").bounding_box()
    assert head
    assert head["y"] + head["height"] < NARROW["height"]
