"""Suppliers at the staff desk."""

from __future__ import annotations

import makers
import pytest
from makers import AT, a_credit_code
from office import Office, fields_in_error
from sqlalchemy import select

from lotseal.trace.accounts.service import OPERATOR
from lotseal.trace.suppliers import service as suppliers
from lotseal.trace.suppliers.models import Supplier
from lotseal.trace.system import System

FIRM = {"name_zh": "沪上水产", "name_en": "Hushang Seafood", "country": "CN", "licence": "", "contact": "Ms Li"}


@pytest.fixture
def office(sqlite_system: System) -> Office:
    return Office(sqlite_system)


def test_quality_adds_a_supplier_and_lands_on_its_page(office: Office) -> None:
    bob = office.at_desk("bob")
    answer = bob.post("/staff/suppliers/new", FIRM | {"licence": a_credit_code()})
    assert answer.status_code == 303
    page = bob.get(answer.location)
    assert page.status_code == 200
    assert "Hushang Seafood" in page.text
    assert "The supplier was added." in page.text


def test_a_refused_form_keeps_everything_typed_and_names_each_field(office: Office) -> None:
    typed = FIRM | {"name_en": "", "licence": "91999999MADEM0011X", "contact": "Ms Li <b>"}
    answer = office.at_desk("bob").post("/staff/suppliers/new", typed)
    assert answer.status_code == 422
    assert fields_in_error(answer.text) == ["name_en", "licence", "contact"]
    assert 'value="沪上水产"' in answer.text
    assert 'value="Ms Li &lt;b&gt;"' in answer.text
    assert "would end in Y" in answer.text


def test_a_licence_in_use_is_a_conflict_and_stores_nothing(office: Office) -> None:
    with office.system.main.read() as db:
        taken = suppliers.get(db, office.tea).licence
    answer = office.at_desk("bob").post("/staff/suppliers/new", FIRM | {"licence": taken})
    assert answer.status_code == 409
    assert fields_in_error(answer.text) == ["licence"]
    with office.system.main.read() as db:
        assert makers.rows(db, Supplier) == 2


@pytest.mark.parametrize("name", ["<img src=x onerror=alert(1)>", "茶😀", "تاي", "茶" * 10_000])
def test_a_name_that_labels_cannot_print_is_refused_in_both_languages(office: Office, name: str) -> None:
    for language in ("en", "zh"):
        answer = office.at_desk("bob", language=language).post("/staff/suppliers/new", FIRM | {"name_zh": name})
        assert answer.status_code == 422
        assert fields_in_error(answer.text) == ["name_zh"]
        assert "<img src=x" not in answer.text


def test_a_change_is_stored_and_written_down(office: Office) -> None:
    bob = office.at_desk("bob")
    form = FIRM | {"name_en": "Wuyi Tea, new name"}
    assert "Wuyi Rock Rhyme Tea" in bob.get(f"/staff/suppliers/{office.tea}/edit").text
    assert bob.post(f"/staff/suppliers/{office.tea}/edit", form).status_code == 303
    assert "Wuyi Tea, new name" in bob.get(f"/staff/suppliers/{office.tea}").text
    with office.system.main.read() as db:
        assert makers.acts(db)[-1] == "supplier:change"


def test_a_refused_change_changes_nothing(office: Office) -> None:
    bob = office.at_desk("bob")
    answer = bob.post(f"/staff/suppliers/{office.tea}/edit", FIRM | {"country": "XX"})
    assert answer.status_code == 422
    assert fields_in_error(answer.text) == ["country"]
    assert "Wuyi Rock Rhyme Tea" in bob.get(f"/staff/suppliers/{office.tea}").text


def test_suspending_needs_a_reason(office: Office) -> None:
    answer = office.at_desk("bob").post(f"/staff/suppliers/{office.tea}/suspend", {"reason": " "})
    assert answer.status_code == 422
    assert fields_in_error(answer.text) == ["reason"]


def test_a_suspended_supplier_says_so_with_its_reason_until_it_is_resumed(office: Office) -> None:
    bob, page = office.at_desk("bob"), f"/staff/suppliers/{office.tea}"
    assert bob.post(f"{page}/suspend", {"reason": "licence lapsed"}).status_code == 303
    shown = bob.get(page).text
    assert "licence lapsed" in shown
    assert "Suspend the supplier" not in shown
    assert bob.post(f"{page}/suspend", {"reason": "again"}).status_code == 409
    assert bob.post(f"{page}/resume").status_code == 303
    assert "licence lapsed" not in bob.get(page).text
    assert bob.post(f"{page}/resume").status_code == 409


def test_a_supplier_sees_its_own_record_and_never_learns_of_another(office: Office) -> None:
    chen = office.at_desk("chen")
    assert chen.get("/staff/suppliers/").location == f"/staff/suppliers/{office.tea}"
    own = chen.get(f"/staff/suppliers/{office.tea}")
    assert own.status_code == 200
    assert "/edit" not in own.text
    assert "/suspend" not in own.text
    for path in (office.milk, "abcdefghjkmnpqrs"):
        assert chen.get(f"/staff/suppliers/{path}").status_code == 404


def test_an_auditor_reads_and_is_offered_no_change(office: Office) -> None:
    erik = office.at_desk("erik")
    assert "Chuhe Dairy" in erik.get("/staff/suppliers/").text
    page = erik.get(f"/staff/suppliers/{office.tea}").text
    assert 'action="/staff/suppliers' not in page
    assert "/edit" not in page
    assert erik.post(f"/staff/suppliers/{office.tea}/suspend", {"reason": "x"}).status_code == 403


def test_the_list_searches_filters_sorts_and_keeps_all_of_it_in_its_links(office: Office) -> None:
    with office.system.main.write() as db:
        suppliers.suspend(db, suppliers.get(db, office.milk), "x", by=OPERATOR, at=AT)
    bob = office.at_desk("bob")
    assert "Chuhe" not in bob.get("/staff/suppliers/?q=wuyi").text
    suspended = bob.get("/staff/suppliers/?state=suspended").text
    assert "Chuhe" in suspended
    assert "Wuyi" not in suspended
    down = bob.get("/staff/suppliers/?sort=-english").text
    assert down.index("Wuyi") < down.index("Chuhe")
    assert "state=suspended" in bob.get("/staff/suppliers/?state=suspended&sort=country").text.split("<thead>")[1]
    assert "Nothing fits" in bob.get("/staff/suppliers/?q=nobody").text


def test_fifty_to_a_page_and_the_rest_on_the_next(office: Office) -> None:
    with office.system.main.write() as db:
        for number in range(60):
            makers.a_supplier(db, name_en=f"Firm {number:02}")
    bob = office.at_desk("bob")
    first, second = (bob.get(f"/staff/suppliers/?page={page}&sort=english").text for page in (1, 2))
    assert first.count('<th scope="row">') == 50
    assert second.count('<th scope="row">') == 12
    assert "62 entries" in first
    assert bob.get("/staff/suppliers/?page=99999999999999999999").status_code == 200


def test_an_empty_list_says_what_to_do_next(sqlite_system: System) -> None:
    office = Office(sqlite_system)
    with sqlite_system.main.write() as db:
        for account in (office.people["chen"], office.people["dana"]):
            db.delete(db.merge(account))
        db.flush()
        for firm in db.scalars(select(Supplier)):
            db.delete(firm)
    page = office.at_desk("bob").get("/staff/suppliers/").text
    assert "No suppliers yet" in page
    assert 'href="/staff/suppliers/new"' in page
