from __future__ import annotations

import pytest
from makers import a_batch, a_certificate, a_person, a_product, a_supplier
from sqlalchemy.orm import Session

from lotseal.trace.accounts import service as accounts
from lotseal.trace.accounts.models import Role
from lotseal.trace.batches import service as batches
from lotseal.trace.certificates import service as certificates
from lotseal.trace.products import service as products
from lotseal.trace.suppliers import service as suppliers


@pytest.fixture
def session(lasting: Session) -> Session:
    """One of each, with an underscore and a percent sign where people write them."""
    supplier = a_supplier(lasting, name_en="Wuyi 100% Tea")
    product = a_product(lasting, supplier, name_en="Big_Red")
    batch = a_batch(lasting, product, lot="DHP_1", supplier_lot="s-1")
    a_certificate(lasting, batch, number="YX_1")
    a_person(lasting, "under_score", Role.AUDITOR)
    a_person(lasting, "plain", Role.AUDITOR)
    return lasting


def found(session: Session, search: str) -> list[int]:
    """How many suppliers, products, batches, certificates and accounts fit."""
    queries = [
        suppliers.matching(suppliers.visible(None), search),
        products.matching(products.visible(None), search),
        batches.matching(batches.visible(None), search),
        certificates.matching(certificates.visible(None), search),
        accounts.matching(search),
    ]
    return [len(session.scalars(query).all()) for query in queries]


@pytest.mark.parametrize(
    ("search", "counts"),
    [
        ("", [1, 1, 1, 1, 2]),
        ("100%", [1, 0, 0, 0, 0]),
        ("%", [1, 0, 0, 0, 0]),
        ("_", [0, 1, 1, 1, 1]),
        ("g_r", [0, 1, 1, 1, 0]),
        ("dhp_1", [0, 0, 1, 1, 0]),
        ("S-1", [0, 0, 1, 0, 0]),
        ("yx_1", [0, 0, 0, 1, 0]),
        ("PLAIN", [0, 0, 0, 0, 1]),
        ("武夷岩", [1, 0, 0, 0, 0]),
        ("' OR 1=1 --", [0, 0, 0, 0, 0]),
        ("\\", [0, 0, 0, 0, 0]),
        ("no\0ne", [0, 0, 0, 0, 0]),
        ("pl\0ain", [0, 0, 0, 0, 1]),
    ],
)
def test_a_search_finds_what_holds_its_text_and_reads_no_pattern(
    session: Session, search: str, counts: list[int]
) -> None:
    assert found(session, search) == counts


def test_batches_and_reports_are_also_found_by_state(session: Session) -> None:
    assert len(session.scalars(batches.matching(batches.visible(None), state="awaiting-tests")).all()) == 1
    assert session.scalars(batches.matching(batches.visible(None), state="draft")).all() == []
    assert len(session.scalars(certificates.matching(certificates.visible(None), status="accepted")).all()) == 1
    assert session.scalars(certificates.matching(certificates.visible(None), status="rejected")).all() == []


def test_a_report_is_found_by_the_hash_of_its_file(session: Session) -> None:
    [report] = session.scalars(certificates.visible(None))
    assert session.scalars(certificates.matching(certificates.visible(None), report.file.sha256.upper())).all() == [
        report
    ]
