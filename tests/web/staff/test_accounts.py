"""Accounts: the administrator's list, one's own account, sessions."""

from __future__ import annotations

import re

import makers
import pytest
from makers import PASSWORD
from office import Browser, Office, fields_in_error

from lotseal.trace import clock
from lotseal.trace.accounts import service as accounts
from lotseal.trace.accounts.models import Account
from lotseal.trace.system import System

NEW = {"name": "Fay", "login": "fay", "role": "quality"}
TYPED = "swordfish swordfish"


@pytest.fixture
def office(sqlite_system: System) -> Office:
    return Office(sqlite_system)


def _inside(browser: Browser) -> bool:
    return bool(browser.get("/staff/").status_code == 200)


def _sessions(office: Office, name: str) -> list[str]:
    with office.system.main.read() as db:
        account = accounts.get(db, office.people[name].ref)
        return [row.ref for row in accounts.sessions_of(db, account, at=clock.now())]


# --- the administrator's ----------------------------------------------------------------------------------------------


def test_a_made_password_is_shown_once_and_opens_the_account(office: Office) -> None:
    alice = office.at_desk("alice")
    answer = alice.post("/staff/accounts/new", NEW)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    found = re.search(r'<code id="password">([a-z2-9-]{19})</code>', answer.text)
    assert found
    with office.system.main.read() as db:
        ref = db.query(Account).filter_by(login="fay").one().ref
    assert found[1] not in alice.get(f"/staff/accounts/{ref}").text
    assert office.browser().sign_in("fay", found[1]).status_code == 303


def test_a_typed_password_is_not_shown_again(office: Office) -> None:
    alice = office.at_desk("alice")
    answer = alice.post("/staff/accounts/new", NEW | {"password": TYPED})
    assert answer.status_code == 303
    assert TYPED not in alice.get(answer.location).text


def test_a_refused_account_keeps_what_was_typed_but_never_the_password(office: Office) -> None:
    form = {"name": "Fay", "login": "F!", "role": "emperor", "password": "short"}
    answer = office.at_desk("alice").post("/staff/accounts/new", form)
    assert answer.status_code == 422
    assert fields_in_error(answer.text) == ["login", "role", "password"]
    assert 'value="F!"' in answer.text
    assert "short" not in re.sub(r"<link[^>]*>", "", answer.text)


def test_a_suppliers_account_needs_its_supplier_and_others_have_none(office: Office) -> None:
    alice = office.at_desk("alice")
    assert fields_in_error(alice.post("/staff/accounts/new", NEW | {"role": "supplier"}).text) == ["supplier"]
    assert fields_in_error(alice.post("/staff/accounts/new", NEW | {"supplier": office.tea}).text) == ["supplier"]
    answer = alice.post("/staff/accounts/new", NEW | {"role": "supplier", "supplier": office.tea, "password": TYPED})
    assert "Wuyi Rock Rhyme Tea" in alice.get(answer.location).text


def test_a_login_in_use_is_a_conflict(office: Office) -> None:
    answer = office.at_desk("alice").post("/staff/accounts/new", NEW | {"login": "BOB"})
    assert answer.status_code == 409
    assert fields_in_error(answer.text) == ["login"]


def test_a_blocked_account_is_out_at_once_and_cannot_sign_in(office: Office) -> None:
    alice, bob = office.at_desk("alice"), office.at_desk("bob")
    page = f"/staff/accounts/{office.people['bob'].ref}"
    assert _inside(bob)
    assert alice.post(f"{page}/block").status_code == 303
    assert bob.get("/staff/").location.startswith("/staff/sign-in")
    assert office.browser().sign_in("bob").status_code == 403
    assert alice.post(f"{page}/unblock").status_code == 303
    assert not _inside(bob)
    assert office.browser().sign_in("bob").status_code == 303


def test_the_last_administrator_cannot_be_blocked(office: Office) -> None:
    alice = office.at_desk("alice")
    answer = alice.post(f"/staff/accounts/{office.people['alice'].ref}/block")
    assert answer.status_code == 409
    assert "last active administrator" in answer.text
    assert _inside(alice)


def test_setting_a_password_ends_all_sessions_of_the_account(office: Office) -> None:
    alice, bob = office.at_desk("alice"), office.at_desk("bob")
    page = f"/staff/accounts/{office.people['bob'].ref}"
    refused = alice.post(f"{page}/password", {"password": "short"})
    assert refused.status_code == 422
    assert fields_in_error(refused.text) == ["password"]
    assert _inside(bob)
    answer = alice.post(f"{page}/password")
    assert answer.status_code == 200
    assert '<code id="password">' in answer.text
    assert not _inside(bob)
    assert _inside(alice)


def test_an_administrator_ends_one_session_or_all(office: Office) -> None:
    alice, first, second = office.at_desk("alice"), office.at_desk("bob"), office.at_desk("bob")
    page = f"/staff/accounts/{office.people['bob'].ref}"
    newest = _sessions(office, "bob")[0]
    assert alice.get(page).text.count("Firefox") == 2
    assert alice.post(f"{page}/sessions/{newest}/end").status_code == 303
    assert [_inside(first), _inside(second)] == [True, False]
    assert alice.post(f"{page}/sessions/end").status_code == 303
    assert not _inside(first)


def test_a_session_is_ended_only_under_its_own_account(office: Office) -> None:
    alice, bob = office.at_desk("alice"), office.at_desk("bob")
    of_erik = f"/staff/accounts/{office.people['erik'].ref}/sessions/{_sessions(office, 'bob')[0]}/end"
    assert alice.post(of_erik).status_code == 404
    assert _inside(bob)


def test_the_list_searches_and_filters(office: Office) -> None:
    alice = office.at_desk("alice")
    assert "Erik" not in alice.get("/staff/accounts/?q=chen").text
    assert "Chen" not in alice.get("/staff/accounts/?role=auditor").text.split("<main")[1]
    assert "Nothing fits" in alice.get("/staff/accounts/?state=blocked").text


@pytest.mark.parametrize("name", ["bob", "chen", "erik"])
def test_accounts_are_the_administrators_alone(office: Office, name: str) -> None:
    browser, ref = office.at_desk(name), office.people["dana"].ref
    for path in ("/staff/accounts/", "/staff/accounts/new", f"/staff/accounts/{ref}"):
        assert browser.get(path).status_code == 403
    assert browser.post(f"/staff/accounts/{ref}/block").status_code == 403
    assert 'href="/staff/accounts/"' not in browser.get("/staff/").text


# --- one's own --------------------------------------------------------------------------------------------------------


def test_everybody_changes_the_own_password_with_the_old_one_and_other_sessions_end(office: Office) -> None:
    chen, elsewhere = office.at_desk("chen"), office.at_desk("chen")
    form = {"present": PASSWORD, "password": TYPED, "again": TYPED}
    assert chen.post("/staff/me/password", form).status_code == 303
    assert [_inside(chen), _inside(elsewhere)] == [True, False]
    assert office.browser().sign_in("chen").status_code == 403
    assert office.browser().sign_in("chen", TYPED).status_code == 303


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"present": "not the old one"}, "present"),
        ({"again": "another one here"}, "again"),
        ({"password": "short", "again": "short"}, "password"),
    ],
)
def test_a_refused_password_names_its_field_and_changes_nothing(
    office: Office, changed: dict[str, str], field: str
) -> None:
    chen, elsewhere = office.at_desk("chen"), office.at_desk("chen")
    answer = chen.post("/staff/me/password", {"present": PASSWORD, "password": TYPED, "again": TYPED} | changed)
    assert answer.status_code == 422
    assert fields_in_error(answer.text) == [field]
    assert TYPED not in answer.text
    assert _inside(elsewhere)


def test_guessing_the_present_password_is_slowed_down(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounts, "_matches", lambda stored, password: False)
    chen, form = office.at_desk("chen"), {"present": "guess", "password": TYPED, "again": TYPED}
    answers = [chen.post("/staff/me/password", form).status_code for _ in range(11)]
    assert answers == [422] * 10 + [429]


def test_one_ends_own_sessions_and_nobody_elses(office: Office) -> None:
    bob, phone, tablet = office.at_desk("bob"), office.at_desk("bob"), office.at_desk("bob")
    erik = office.at_desk("erik")
    of_phone = _sessions(office, "bob")[1]
    assert "(this one)" in bob.get("/staff/me").text
    assert bob.post(f"/staff/me/sessions/{of_phone}/end").status_code == 303
    assert [_inside(bob), _inside(phone), _inside(tablet)] == [True, False, True]
    assert bob.post(f"/staff/me/sessions/{_sessions(office, 'erik')[0]}/end").status_code == 404
    assert bob.post("/staff/me/sessions/end").status_code == 303
    assert [_inside(bob), _inside(tablet), _inside(erik)] == [True, False, True]


def test_what_was_done_to_accounts_is_written_down(office: Office) -> None:
    alice = office.at_desk("alice")
    alice.post("/staff/accounts/new", NEW | {"password": TYPED})
    alice.post(f"/staff/accounts/{office.people['bob'].ref}/block")
    with office.system.main.read() as db:
        assert makers.acts(db)[-3:] == ["account:add", "account:change", "account:sessions-revoke"]
