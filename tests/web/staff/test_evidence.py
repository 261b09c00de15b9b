"""Evidence bundles as downloads of the desk."""

from __future__ import annotations

from typing import Any

import makers
import pytest
from sqlalchemy import select

from lotseal.signing.verify import read_zip
from lotseal.trace.batches.models import Batch
from lotseal.trace.certificates.models import Certificate
from lotseal.trace.items.models import Item
from lotseal.trace.log.models import AuditAct
from lotseal.trace.system import System


@pytest.fixture
def sold(sqlite_system: System, supplier_of: Any) -> dict[str, str]:
    """References of a batch of Chen's on sale with a report and codes; the log is sealed."""
    with sqlite_system.main.write() as session:
        batch = makers.released(session, sqlite_system.ring, makers.a_product(session, supplier_of(session, "chen")))
    makers.issue_credentials(sqlite_system)
    makers.codes(sqlite_system, batch, 2, "B")
    sqlite_system.sequencer().run_once()
    with sqlite_system.main.read() as session:
        return {
            "batch": session.scalars(select(Batch.ref)).one(),
            "certificate": session.scalars(select(Certificate.ref)).one(),
            "item": session.scalars(select(Item.serial).order_by(Item.id)).first() or "",
        }


def exports(system: System) -> list[tuple[str, str]]:
    with system.main.read() as session:
        query = select(AuditAct.subject, AuditAct.by_name).where(AuditAct.act == "bundle:export")
        return [(subject, name) for subject, name in session.execute(query)]


def test_an_auditor_takes_each_kind_along_and_that_is_an_act(
    erik: Any, sqlite_system: System, sold: dict[str, str]
) -> None:
    for kind, ref in sold.items():
        answer = erik.ask(f"/staff/evidence/{kind}/{ref}.zip")
        assert answer.mimetype == "application/zip"
        assert f"evidence-{kind}-{ref}.zip" in answer.headers["Content-Disposition"]
        assert answer.headers["Cache-Control"] == "private, no-store"
        assert b'"subject":"%s:%s"' % (kind.encode(), ref.encode()) in read_zip(answer.data)["bundle.json"]
    assert exports(sqlite_system) == [(f"{kind}:{ref}", "Erik") for kind, ref in sold.items()]


def test_a_supplier_takes_its_own_along_and_no_others(
    chen: Any, dana: Any, sqlite_system: System, sold: dict[str, str]
) -> None:
    for kind, ref in sold.items():
        assert chen.ask(f"/staff/evidence/{kind}/{ref}.zip").status_code == 200
        dana.open(f"/staff/evidence/{kind}/{ref}.zip", status=404)
    assert {name for _subject, name in exports(sqlite_system)} == {"Chen"}


def test_what_is_not_sealed_yet_is_told_with_a_sentence(bob: Any, sqlite_system: System, sold: dict[str, str]) -> None:
    with sqlite_system.main.write() as session:
        batch = session.scalars(select(Batch)).one()
        makers.batches.hold(session, batch, makers.HOLD, by=makers.OPERATOR, at=makers.AT)
    page = bob.open(f"/staff/evidence/batch/{sold['batch']}.zip", status=409)
    assert "are not sealed yet" in page
    assert exports(sqlite_system) == []


def test_the_pages_offer_it(erik: Any, sqlite_system: System, sold: dict[str, str]) -> None:
    assert f"/staff/evidence/batch/{sold['batch']}.zip" in erik.open(f"/staff/batches/{sold['batch']}")
    certificate = erik.open(f"/staff/certificates/{sold['certificate']}")
    assert f"/staff/evidence/certificate/{sold['certificate']}.zip" in certificate
    with sqlite_system.main.read() as session:
        run = session.scalars(select(makers.items.CodeRun.ref)).one()
    assert f"/staff/evidence/item/{sold['item']}.zip" in erik.open(f"/staff/codes/{run}")
