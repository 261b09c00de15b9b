"""Signing in and out: sessions, limits, and where it leads."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urljoin, urlsplit

import makers
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from makers import AT, BASE, PASSWORD
from office import Browser, Office

from lotseal.trace.accounts import service as accounts
from lotseal.trace.system import System


@pytest.fixture
def office(sqlite_system: System) -> Office:
    return Office(sqlite_system)


@pytest.fixture
def quick_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Comparing passwords is slow on purpose; where many are tried, any stored one is told by its text alone."""
    monkeypatch.setattr(accounts, "_matches", lambda stored, password: password == PASSWORD)


def test_whoever_signs_in_comes_to_the_desk(office: Office) -> None:
    bob = office.browser()
    answer = bob.sign_in(" BOB ")
    assert (answer.status_code, answer.location) == (303, "/staff/")
    page = bob.get("/staff/").text
    assert "Bob" in page
    assert "Sign out" in page
    assert bob.get("/staff/sign-in").location == "/staff/"


def test_wrong_password_and_unknown_login_get_the_same_sentence_and_keep_the_login(office: Office) -> None:
    answers = [office.browser().sign_in(login, "wrong wrong wrong") for login in ("bob", "nobody")]
    assert [answer.status_code for answer in answers] == [403, 403]
    sentences = [re.findall(r"Login or password is wrong[^<]*", answer.text) for answer in answers]
    assert sentences[0] == sentences[1] != []
    assert 'value="bob"' in answers[0].text
    assert "wrong wrong wrong" not in answers[0].text


@pytest.mark.parametrize("login", ["", "b" * 10_000, "bob\x00", "' OR 1=1 --", "\ud800"])
def test_strange_logins_are_just_wrong(office: Office, quick_passwords: None, login: str) -> None:
    answer = office.browser().sign_in(login.encode(errors="replace").decode(), "x")
    assert answer.status_code == 403


def test_signing_in_takes_no_session_over(office: Office) -> None:
    browser = office.browser()
    before = browser.token()
    with browser.client.session_transaction(base_url=BASE) as cookie:
        cookie["planted"] = "by somebody else"
    browser.sign_in("bob")
    with browser.client.session_transaction(base_url=BASE) as cookie:
        assert "planted" not in cookie
    answer = browser.open("POST", "/staff/me/sessions/end", data={"csrf_token": before})
    assert answer.status_code == 400


def test_signing_out_ends_the_session_on_the_server(office: Office) -> None:
    bob = office.at_desk("bob")
    with bob.client.session_transaction(base_url=BASE) as cookie:
        token = cookie["_user_id"]
    assert bob.post("/staff/sign-out").location == "/staff/sign-in"
    thief = office.browser()
    thief.take_session(token)
    assert thief.get("/staff/").location == "/staff/sign-in?next=/staff/"


def test_a_revoked_session_is_out_with_its_next_request(office: Office) -> None:
    bob = office.at_desk("bob")
    assert bob.get("/staff/").status_code == 200
    with office.system.main.write() as db:
        accounts.revoke_sessions(db, accounts.get(db, office.people["bob"].ref), by=accounts.OPERATOR, at=AT)
    answer = bob.get("/staff/products/")
    assert (answer.status_code, answer.location) == (302, "/staff/sign-in?next=/staff/products/")
    assert bob.post("/staff/products/new").location == "/staff/sign-in"


def test_a_session_ends_when_it_is_idle_for_two_hours_or_twelve_hours_old(office: Office, time: Any) -> None:
    busy, idle = office.at_desk("bob"), office.at_desk("bob")
    for _ in range(11):
        time.on(hours=1)
        assert busy.get("/staff/me").status_code == 200
    assert idle.get("/staff/me").status_code == 302
    time.on(hours=1)
    assert busy.get("/staff/me").status_code == 302


def test_a_blocked_account_cannot_sign_in_and_is_not_told_why(office: Office) -> None:
    with office.system.main.write() as db:
        accounts.set_active(db, accounts.get(db, office.people["bob"].ref), False, by=accounts.OPERATOR, at=AT)
    answer = office.browser().sign_in("bob")
    assert answer.status_code == 403
    assert "Login or password is wrong" in answer.text


def test_an_invented_session_is_nobody(office: Office) -> None:
    for token in ("", "x", "1", office.people["alice"].ref):
        browser = office.browser()
        browser.take_session(token)
        assert browser.get("/staff/").status_code == 302


@pytest.mark.parametrize(("language", "words"), [("en", "Too many tries"), ("zh", "")])
def test_one_account_is_guarded_against_many_addresses(
    office: Office, quick_passwords: None, language: str, words: str
) -> None:
    tries = [Browser(office.app, address=f"203.0.113.{number}", language=language) for number in range(11)]
    answers = [browser.sign_in("bob", "guess") for browser in tries]
    assert [answer.status_code for answer in answers] == [403] * 10 + [429]
    assert words in answers[-1].text
    assert f'lang="{"zh-Hans" if language == "zh" else "en"}"' in answers[-1].text
    assert int(answers[-1].headers["Retry-After"]) > 0
    assert tries[0].sign_in("erik").status_code == 303


def test_signing_in_often_is_no_attack(office: Office, quick_passwords: None) -> None:
    """Only failures count, so that a colleague with three devices is not locked out."""
    assert [office.browser().sign_in("bob").status_code for _ in range(35)] == [303] * 35


def test_one_address_is_guarded_against_trying_many_accounts(office: Office, quick_passwords: None) -> None:
    browser = office.browser()
    answers = [browser.sign_in(f"somebody{number}", "guess").status_code for number in range(31)]
    assert answers == [403] * 30 + [429]
    assert browser.get("/staff/sign-in").status_code == 200
    assert office.browser(address="203.0.113.9").sign_in("bob").status_code == 303


def test_signing_in_leads_back_to_the_page_that_was_asked_for(office: Office) -> None:
    browser = office.browser()
    form = browser.get("/staff/products/?q=tea", follow_redirects=True).text
    assert 'name="next" value="/staff/products/?q=tea"' in form
    assert browser.sign_in("bob", next="/staff/products/?q=tea").location == "/staff/products/?q=tea"
    assert office.browser().sign_in("bob", next="https://evil.example/").location == "/staff/"


NASTY = (
    "//evil.example",
    "/\\evil.example",
    "https://evil.example/staff/",
    "/staff//evil.example",
    "/staff/..//evil.example",
    "/staff/\\evil.example",
    "javascript:alert(1)",
    "/staff/\t/evil.example",
    "/staff/\r\nLocation: https://evil.example",
    "\t//evil.example",
    " /staff/",
    "/staff/@evil.example",
    "staff/",
    "/staff",
    "/staff/\x00",
    "/staff/?next=//x",
    "/staff/[",
)
_pieces = st.sampled_from(
    [
        "/staff/",
        "/",
        "//",
        "\\",
        "evil.example",
        "https:",
        "@",
        "..",
        "%2e",
        "%2f",
        "%5c",
        "\t",
        "\n",
        "\r",
        "?",
        "#",
        "[",
        "]",
        ":",
        ";",
        "é",
        "茶",
        "\x00",
    ]
)


def _as_browsers_read_it(location: str) -> str:
    """Browsers drop tabs and line breaks, take a backslash for a slash, and %2e for a dot (WHATWG URL)."""
    plain = re.sub(r"[\t\n\r]", "", location).strip().replace("\\", "/")
    return urljoin(f"{BASE}/staff/sign-in", re.sub("%2e", ".", plain, flags=re.IGNORECASE))


@pytest.mark.parametrize("wish", NASTY)
def test_no_wish_leads_out_of_the_staff_desk(office: Office, quick_passwords: None, wish: str) -> None:
    location = office.browser().sign_in("bob", next=wish).location
    where = urlsplit(_as_browsers_read_it(location))
    assert (where.scheme, where.netloc) == ("https", "t.example.cn")
    assert where.path.startswith("/staff/")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(wish=st.lists(_pieces, max_size=6).map("".join) | st.text(max_size=30))
@example(wish="/staff/\\\\evil.example")
@example(wish="/staff/..")
@example(wish="/staff/%2E./")
@example(wish="/staff/.?next=x")
def test_nothing_that_can_be_typed_leads_out_of_the_staff_desk(office: Office, wish: str) -> None:
    browser = _of(office)
    answer = browser.get("/staff/sign-in", query_string={"next": wish.encode("utf-8", "replace").decode()})
    assert answer.status_code == 302
    where = urlsplit(_as_browsers_read_it(answer.location))
    assert (where.scheme, where.netloc) == ("https", "t.example.cn")
    assert where.path.startswith("/staff/")


def _of(office: Office) -> Browser:
    """One signed-in browser for all examples."""
    kept: dict[str, Browser] = office.__dict__.setdefault("_kept", {})
    if "bob" not in kept:
        kept["bob"] = office.at_desk("bob")
    return kept["bob"]


def test_passwords_are_kept_as_slow_hashes_only(office: Office) -> None:
    with office.system.main.read() as db:
        for account in db.scalars(accounts.matching()):
            assert account.password_hash.startswith("$argon2id$")
            assert PASSWORD not in account.password_hash
        assert makers.rows(db, accounts.LoginSession) == 0
