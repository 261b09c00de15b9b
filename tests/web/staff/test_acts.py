"""The audit list and the key history: to read, never to change."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from makers import AT
from office import Office

from lotseal.trace.accounts import service as accounts
from lotseal.trace.accounts.service import OPERATOR
from lotseal.trace.suppliers import service as suppliers
from lotseal.trace.system import System


@pytest.fixture
def office(sqlite_system: System) -> Office:
    return Office(sqlite_system)


def test_the_newest_act_comes_first_with_who_and_what(office: Office) -> None:
    with office.system.main.write() as db:
        firm = suppliers.get(db, office.tea)
        suppliers.suspend(db, firm, "licence lapsed", by=office.people["bob"], at=AT)
    page = office.at_desk("alice").get("/staff/acts/").text
    assert page.index("Signed in") < page.index("licence lapsed") < page.index("Wuyi Rock Rhyme Tea")
    assert f'href="/staff/suppliers/{office.tea}"' in page


def test_acts_stand_by_their_time_not_by_the_order_of_writing(office: Office) -> None:
    with office.system.main.write() as db:
        firm = suppliers.get(db, office.tea)
        suppliers.suspend(db, firm, "licence lapsed", by=OPERATOR, at=AT)
        suppliers.resume(db, firm, by=OPERATOR, at=AT - timedelta(days=30))
    alice = office.at_desk("alice")
    for page in (alice.get("/staff/acts/").text, alice.get("/staff/").text):
        assert page.index("Supplier suspended") < page.index("Supplier resumed")


def test_a_change_is_told_as_before_and_after(office: Office) -> None:
    with office.system.main.write() as db:
        firm = suppliers.get(db, office.tea)
        facts = {"name_zh": firm.name_zh, "name_en": "New Name", "country": "CN", "licence": firm.licence}
        suppliers.change(db, firm, suppliers.read_supplier(facts), by=OPERATOR, at=AT)
    page = office.at_desk("erik").get("/staff/acts/?act=supplier:change").text
    assert "Wuyi Rock Rhyme Tea → New Name" in page


def test_the_list_filters_by_act_and_by_subject(office: Office) -> None:
    erik = office.at_desk("erik")
    signed_in = erik.get("/staff/acts/?act=account:sign-in").text.split("<tbody>")[1]
    assert "Signed in" in signed_in
    assert "Supplier added" not in signed_in
    of_tea = erik.get(f"/staff/acts/?subject=supplier:{office.tea}").text
    assert of_tea.count("<tr><td") == 1
    assert erik.get("/staff/acts/?subject=supplier:").text.count("<tr><td") == 2
    assert "Nothing fits" in erik.get("/staff/acts/?subject=%25").text


def test_an_unknown_act_word_filters_nothing(office: Office) -> None:
    assert "Supplier added" in office.at_desk("erik").get("/staff/acts/?act=drop+table").text


def test_fifty_acts_to_a_page(office: Office) -> None:
    with office.system.main.write() as db:
        bob = accounts.get(db, office.people["bob"].ref)
        for _ in range(60):
            accounts.revoke_sessions(db, bob, by=OPERATOR, at=AT)
    erik = office.at_desk("erik")
    assert erik.get("/staff/acts/").text.count("<tr><td") == 50
    # One more by now: that Erik looked at the first page.
    assert erik.get("/staff/acts/?page=2").text.count("<tr><td") == 14


def test_passwords_and_tokens_never_stand_in_an_act(office: Office) -> None:
    alice = office.at_desk("alice")
    form = {"name": "Fay", "login": "fay", "role": "auditor", "password": "swordfish swordfish"}
    assert alice.post("/staff/accounts/new", form).status_code == 303
    page = alice.get("/staff/acts/").text
    assert "Account added" in page
    assert "swordfish" not in page
    assert "argon2" not in page


@pytest.mark.parametrize("path", ["/staff/acts/", "/staff/keys/"])
def test_only_administrators_and_auditors_read_the_audit(office: Office, path: str) -> None:
    for name, status in {"alice": 200, "erik": 200, "bob": 403, "chen": 403}.items():
        assert office.at_desk(name).get(path).status_code == status


def test_an_auditor_is_not_led_to_pages_of_accounts(office: Office) -> None:
    assert "/staff/accounts/" not in office.at_desk("erik").get("/staff/acts/").text


def test_the_key_history_shows_public_halves_only(office: Office) -> None:
    erik = office.at_desk("erik")
    index = erik.get("/staff/keys/").text
    addresses = re.findall(r'href="(/staff/keys/[^"]+)"', index)
    # Pair and secret for codes, and the pairs for credentials, the log and status lists.
    assert index.count("In use") == len(addresses) == 5
    pages = [erik.get(address).text for address in addresses]
    # The secret behind the tags of serials has no public half.
    assert sum('"kty"' in page for page in pages) == len(pages) - 1
    for page in (index, *pages):
        assert '"d"' not in page
