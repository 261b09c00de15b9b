"""Links at the desk: who may do what, tables with their wrong cells, trusted hosts, corrected numbers."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import makers
import pytest
from makers import a_batch, a_product, acts
from office import Office, fields_in_error
from sqlalchemy import select

from lotseal.trace.links import service
from lotseal.trace.links.models import Link, LinkHost
from lotseal.trace.suppliers import service as suppliers
from lotseal.trace.system import System

HEAD = "of,link_type,href,title\n"


@pytest.fixture
def office(sqlite_system: System, time: Any) -> Office:
    return Office(sqlite_system)


@pytest.fixture
def gtin(office: Office) -> str:
    """A product of the tea supplier, for whom Chen works."""
    with office.system.main.write() as db:
        return a_product(db, suppliers.get(db, office.tea)).gtin


def facts(gtin: str, **changed: str) -> dict[str, str]:
    return {"of": gtin, "link_type": "faqs", "href": "https://www.example.cn/faq", "title": "Questions", **changed}


def links(office: Office) -> list[Link]:
    with office.system.main.read() as db:
        return list(db.scalars(select(Link).order_by(Link.id)))


@pytest.mark.parametrize("name", ["alice", "bob", "chen"])
def test_a_link_is_added_listed_changed_and_removed(office: Office, gtin: str, name: str) -> None:
    browser = office.at_desk(name)
    answer = browser.post("/staff/links/new", facts(gtin))
    assert answer.status_code == 303
    [link] = links(office)
    page = browser.get(answer.location)
    assert "https://www.example.cn/faq" in page.text
    assert "a word of warning is shown first" in page.text
    form = browser.get(f"/staff/links/{link.ref}/edit")
    assert 'value="Questions"' in form.text
    assert browser.post(f"/staff/links/{link.ref}/edit", facts(gtin, title="FAQ")).status_code == 303
    assert links(office)[0].title == "FAQ"
    assert browser.post(f"/staff/links/{link.ref}/remove").status_code == 303
    assert links(office) == []


def test_a_wrong_form_comes_back_with_what_was_typed(office: Office, gtin: str) -> None:
    answer = office.at_desk("bob").post("/staff/links/new", facts(gtin, href="javascript:x", title="", languages="q"))
    assert answer.status_code == 422
    assert fields_in_error(answer.text) == ["href", "title", "languages"]
    assert 'value="javascript:x"' in answer.text


def test_suppliers_keep_to_their_own_products(office: Office, gtin: str) -> None:
    dana = office.at_desk("dana")
    assert dana.post("/staff/links/new", facts(gtin)).status_code == 422
    office.at_desk("bob").post("/staff/links/new", facts(gtin))
    [link] = links(office)
    assert link.href not in dana.get("/staff/links/").text
    for path in (f"/staff/links/{link.ref}/edit", f"/staff/links/{link.ref}/remove"):
        assert dana.post(path, facts(gtin)).status_code == 404
    table = HEAD + f"{gtin},pip,https://www.example.cn/,P\n"
    answer = dana.post("/staff/links/import", {"table": (BytesIO(table.encode()), "t.csv"), "keep": "1"})
    assert answer.status_code == 422
    assert len(links(office)) == 1


def test_the_forms_of_a_product_and_batch_begin_with_their_numbers(office: Office) -> None:
    with office.system.main.write() as db:
        batch = a_batch(db, a_product(db, suppliers.get(db, office.tea)), lot="A/1")
        ref, product, gtin = batch.ref, batch.product.ref, batch.product.gtin
    bob = office.at_desk("bob")
    assert f'value="/01/{gtin}/10/A%2F1"' in bob.get(f"/staff/links/new?batch={ref}").text
    assert f'value="/01/{gtin}"' in bob.get(f"/staff/links/new?product={product}").text
    assert bob.get(f"/staff/links/?batch={ref}").status_code == 200
    assert office.at_desk("dana").get(f"/staff/links/?batch={ref}").status_code == 404


def test_a_table_is_tried_then_taken_whole(office: Office, gtin: str) -> None:
    bob = office.at_desk("bob")

    def send(text: str, **fields: str) -> Any:
        return bob.post("/staff/links/import", {"table": (BytesIO(text.encode()), "t.csv"), **fields})

    right = HEAD + f"{gtin},pip,https://www.example.cn/1,One\n{gtin},faqs,https://www.example.cn/2,Two\n"
    tried = send(right)
    assert tried.status_code == 200
    assert "2 links would be added" in tried.text
    assert links(office) == []
    wrong = send(right + f"{gtin},nonsense,https://10.0.0.1/,Three\n", keep="1")
    assert wrong.status_code == 422
    assert '<td class="num">4</td><td>link_type</td><td>link.type</td>' in wrong.text
    assert '<td class="num">4</td><td>href</td><td>link.private</td>' in wrong.text
    assert links(office) == []
    assert send(right, keep="1").status_code == 303
    assert len(links(office)) == 2
    assert send("nonsense", keep="1").status_code == 422
    assert bob.post("/staff/links/import").status_code == 422


def test_only_administrators_trust_hosts(office: Office) -> None:
    alice = office.at_desk("alice")
    assert alice.post("/staff/links/hosts", {"host": "127.0.0.1"}).status_code == 422
    assert alice.post("/staff/links/hosts", {"host": "WWW.example.cn"}).status_code == 303
    with office.system.main.read() as db:
        [row] = db.scalars(select(LinkHost))
        assert service.trusted(db, "https://www.example.cn/")
    assert "www.example.cn" in alice.get("/staff/links/hosts").text
    for name in ("bob", "chen", "erik"):
        assert office.at_desk(name).post("/staff/links/hosts", {"host": "a.example"}).status_code == 403
        assert office.at_desk(name).post(f"/staff/links/hosts/{row.ref}/remove").status_code == 403
    assert alice.post(f"/staff/links/hosts/{row.ref}/remove").status_code == 303
    assert "No host is trusted yet." in alice.get("/staff/links/hosts").text


def test_a_number_is_corrected_at_the_desk_with_a_reason(office: Office) -> None:
    with office.system.main.write() as db:
        batch = a_batch(db, a_product(db, suppliers.get(db, office.tea)), lot="OLD")
        product, old = batch.product.ref, batch.product.gtin
    bob, new = office.at_desk("bob"), makers.a_gtin()
    lots, gtins = f"/staff/links/batches/{batch.ref}/renumber", f"/staff/links/products/{product}/renumber"
    assert fields_in_error(bob.post(lots, {"lot": "A B"}).text) == ["lot", "reason"]
    assert bob.post(lots, {"lot": "NEW", "reason": "typo"}).location == f"/staff/batches/{batch.ref}"
    assert fields_in_error(bob.post(gtins, {"gtin": old, "reason": "x"}).text) == ["gtin"]
    assert bob.post(gtins, {"gtin": new, "reason": "typo"}).location == f"/staff/products/{product}"
    assert f"<del>{old}</del>" in bob.get(gtins).text
    assert "<del>OLD</del>" in bob.get(lots).text
    assert "This number was corrected" in office.browser().get(f"/01/{old}/10/OLD").text
    with office.system.main.write() as db:
        assert acts(db)[-2:] == ["batch:renumber", "product:renumber"]
    for name in ("chen", "erik"):
        assert office.at_desk(name).post(lots, {"lot": "X", "reason": "x"}).status_code == 403
