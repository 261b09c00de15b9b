"""What every answer carries, and what every unsafe request must show."""

from __future__ import annotations

from typing import Any

import pytest
from makers import BASE
from office import Browser, Office

from lotseal.trace.system import System

PAGES = ("/", "/find?gtin=1", "/01/09521321000018", "/patterns", "/staff/sign-in", "/staff/", "/nowhere", "/01/1")


@pytest.fixture
def office(sqlite_system: System) -> Office:
    return Office(sqlite_system)


def _directives(answer: Any) -> dict[str, str]:
    policy = answer.headers["Content-Security-Policy"]
    return dict(part.strip().partition(" ")[::2] for part in policy.split(";"))


@pytest.mark.parametrize("path", PAGES)
def test_every_page_carries_the_guards(office: Office, path: str) -> None:
    answer = office.browser().get(path)
    policy = _directives(answer)
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["img-src"] == policy["form-action"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert policy["require-trusted-types-for"] == "'script'"
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Cookie" in answer.headers["Vary"]


@pytest.mark.parametrize("path", PAGES)
def test_no_page_holds_a_script_or_style_of_its_own(office: Office, path: str) -> None:
    page = office.at_desk("alice").get(path, follow_redirects=True).text
    assert "<style" not in page
    assert " style=" not in page
    assert page.count("<script") == page.count('<script defer src="/static/')
    assert "javascript:" not in page
    assert " onclick" not in page


def test_assets_are_kept_for_ever_under_the_address_of_their_content(office: Office) -> None:
    browser = office.browser()
    page = browser.get("/").text
    sheet = page.split('<link rel="stylesheet" href="')[1].split('"')[0]
    answer = browser.get(sheet)
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert browser.get(sheet.replace(sheet.split("/")[2], "000000000000")).status_code == 404
    assert browser.get("/static/0/../../app.py").status_code == 404


def test_the_session_cookie_is_bound_to_host_https_and_kept_from_scripts(office: Office) -> None:
    cookie = office.browser().get("/staff/sign-in").headers["Set-Cookie"]
    assert cookie.startswith("__Host-lotseal=")
    assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= {part.strip() for part in cookie.split(";")}
    assert "Domain" not in cookie


def test_cookies_of_language_and_theme_are_kept_from_scripts_too(office: Office) -> None:
    for cookie in office.browser().get("/?lang=zh&theme=dark").headers.getlist("Set-Cookie"):
        assert {"Secure", "HttpOnly", "SameSite=Lax"} <= {part.strip() for part in cookie.split(";")}, cookie


def test_a_form_from_another_site_is_refused_even_with_its_token(office: Office) -> None:
    bob = office.at_desk("bob")
    for site, status in {"cross-site": 403, "same-site": 403, "same-origin": 303, "none": 303}.items():
        form = {"csrf_token": bob.token()}
        answer = bob.open("POST", "/staff/me/sessions/end", data=form, headers={"Sec-Fetch-Site": site})
        assert answer.status_code == status, site


def test_a_form_whose_page_came_from_another_address_is_refused(office: Office) -> None:
    bob = office.at_desk("bob")
    form = {"csrf_token": bob.token()}
    for referer in ("https://evil.example/", "http://t.example.cn/"):
        answer = bob.open("POST", "/staff/me/sessions/end", data=form, headers={"Referer": referer})
        assert answer.status_code == 400


def test_the_token_of_another_browser_is_worth_nothing(office: Office) -> None:
    bob, erik = office.at_desk("bob"), office.at_desk("erik")
    answer = bob.open("POST", "/staff/me/sessions/end", data={"csrf_token": erik.token()})
    assert answer.status_code == 400


def test_what_people_type_never_becomes_markup(office: Office) -> None:
    attack = '"><img src=x onerror=alert(1)>'
    browser = office.at_desk("alice")
    for path in (
        "/find",
        "/staff/suppliers/",
        "/staff/products/",
        "/staff/accounts/",
        "/staff/batches",
        "/staff/sign-in",
    ):
        query = dict.fromkeys(("q", "serial", "gtin", "lot", "sort", "page", "state", "next", "lang", "theme"), attack)
        answer = browser.get(path, query_string=query, follow_redirects=True)
        assert answer.status_code in (200, 422), path
        assert "<img src=x" not in answer.text, path
    acts = browser.get("/staff/acts/", query_string={"subject": attack})
    assert "<img src=x" not in acts.text


def test_guessed_codes_are_slowed_down_before_two_hundred_tries(office: Office) -> None:
    guesser = office.browser(address="198.51.100.7")
    statuses = []
    for number in range(200):
        statuses.append(guesser.get(f"/01/09521321000018/10/LOT/21/GUESS{number}").status_code)
        if statuses[-1] == 429:
            break
    assert statuses[-1] == 429
    assert set(statuses[:-1]) == {404}
    assert office.browser(address="198.51.100.8").get("/01/09521321000018/10/LOT/21/X").status_code == 404


def test_typed_look_ups_are_slowed_down(office: Office) -> None:
    browser = office.browser()
    statuses = [browser.get("/find?serial=22222").status_code for _ in range(61)]
    assert statuses == [422] * 60 + [429]


def test_the_limit_counts_each_address_apart(office: Office) -> None:
    first, second = (Browser(office.app, address=f"203.0.113.{number}") for number in (1, 2))
    for _ in range(60):
        first.get("/find?serial=2")
    assert first.get("/find?serial=2").status_code == 429
    assert second.get("/find?serial=2").status_code == 422


def test_an_address_outside_of_https_gets_no_promise_of_https(office: Office) -> None:
    answer = office.app.test_client().get("/", base_url=BASE.replace("https", "http"))
    assert "Strict-Transport-Security" not in answer.headers
