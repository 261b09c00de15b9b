"""Every act of the business is written once, with its fact, or not at all."""

# ruff: noqa: PT012 - an error has to pass through the end of a transaction, so both stand in one block
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from makers import (
    AT,
    BASE,
    BATCH,
    HOLD,
    PASSWORD,
    RECALL,
    a_batch,
    a_certificate,
    a_credit_code,
    a_draft,
    a_file,
    a_gtin,
    a_person,
    a_product,
    a_supplier,
    acts,
    alice,
    batch_draft,
    bob,
    certificate_draft,
    codes,
    released,
    rows,
)
from sqlalchemy.orm import Session

from lotseal.signing.keys import Role
from lotseal.trace.accounts import service as accounts
from lotseal.trace.batches import service as batches
from lotseal.trace.batches.models import Batch
from lotseal.trace.certificates import service as certificates
from lotseal.trace.items import service as items
from lotseal.trace.keys import service as keys
from lotseal.trace.keys.ring import KeyRing
from lotseal.trace.log.models import AuditAct
from lotseal.trace.log.service import Act, of_subject
from lotseal.trace.products import service as products
from lotseal.trace.releases import service as releases
from lotseal.trace.suppliers import service as suppliers
from lotseal.trace.system import System

SUPPLIER = {"name_zh": "武夷", "name_en": "Wuyi", "country": "NO"}
PRODUCT = {"name_zh": "大红袍", "name_en": "Tea", "category": "tea"}
Prepare = Callable[[Session, KeyRing], Any]
Doing = Callable[[Session, KeyRing, Any, Any], Any]


def _held(session: Session, ring: KeyRing) -> Batch:
    batch = released(session, ring)
    batches.hold(session, batch, HOLD, by=alice(session), at=AT)
    return batch


def _ready(session: Session, ring: KeyRing) -> Batch:
    batch = a_batch(session)
    a_certificate(session, batch)
    return batch


def _suspended(session: Session, ring: KeyRing) -> Any:
    supplier = a_supplier(session)
    suppliers.suspend(session, supplier, "lapsed", by=alice(session), at=AT)
    return supplier


def _bob(session: Session, ring: KeyRing) -> Any:
    return bob(session)


def _waiting(session: Session, ring: KeyRing) -> Any:
    return a_certificate(session, a_batch(session), accepted=False)


# What is there first, what is done, and the acts that must be written, in their order.
DEEDS: dict[str, tuple[Prepare, Doing, list[Act]]] = {
    "add an account": (
        lambda s, r: None,
        lambda s, r, it, by: accounts.add(
            s,
            accounts.read_account({"login": "zoe", "name": "Zoe", "role": "auditor", "password": PASSWORD}),
            supplier_id=None,
            by=by,
            at=AT,
        ),
        [Act.ACCOUNT_ADD],
    ),
    "block an account": (
        _bob,
        lambda s, r, it, by: accounts.set_active(s, it, False, by=by, at=AT),
        [Act.ACCOUNT_CHANGE, Act.ACCOUNT_SESSIONS_REVOKE],
    ),
    "add a supplier": (
        lambda s, r: None,
        lambda s, r, it, by: suppliers.add(s, suppliers.read_supplier(SUPPLIER), by=by, at=AT),
        [Act.SUPPLIER_ADD],
    ),
    "change a supplier": (
        lambda s, r: a_supplier(s),
        lambda s, r, it, by: suppliers.change(
            s, it, suppliers.read_supplier({**SUPPLIER, "country": "CN", "licence": a_credit_code()}), by=by, at=AT
        ),
        [Act.SUPPLIER_CHANGE],
    ),
    "suspend a supplier": (
        lambda s, r: a_supplier(s),
        lambda s, r, it, by: suppliers.suspend(s, it, "lapsed", by=by, at=AT),
        [Act.SUPPLIER_SUSPEND],
    ),
    "resume a supplier": (
        _suspended,
        lambda s, r, it, by: suppliers.resume(s, it, by=by, at=AT),
        [Act.SUPPLIER_RESUME],
    ),
    "add a category": (
        lambda s, r: None,
        lambda s, r, it, by: products.add_category(
            s, products.read_category({"code": "cup", "name_zh": "杯", "name_en": "Cup"}), by=by, at=AT
        ),
        [Act.CATEGORY_ADD],
    ),
    "add a product": (
        lambda s, r: a_product(s).supplier,
        lambda s, r, it, by: products.add(s, products.read_product({**PRODUCT, "gtin": a_gtin()}), it, by=by, at=AT),
        [Act.PRODUCT_ADD],
    ),
    "change a product": (
        lambda s, r: a_product(s),
        lambda s, r, it, by: products.change(s, it, products.read_product({**PRODUCT, "gtin": it.gtin}), by=by, at=AT),
        [Act.PRODUCT_CHANGE],
    ),
    "set a picture": (
        lambda s, r: a_product(s),
        lambda s, r, it, by: products.set_picture(s, it, picture="a" * 64, original="b" * 64, by=by, at=AT),
        [Act.PRODUCT_PICTURE],
    ),
    "add a batch": (
        lambda s, r: a_product(s),
        lambda s, r, it, by: batches.add(s, batch_draft(), it, by=by, at=AT),
        [Act.BATCH_ADD],
    ),
    "change a batch": (
        lambda s, r: a_draft(s),
        lambda s, r, it, by: batches.change(s, it, batch_draft(place="星村"), reason="", by=by, at=AT),
        [Act.BATCH_CHANGE],
    ),
    "submit a batch": (
        lambda s, r: a_draft(s),
        lambda s, r, it, by: batches.submit(s, it, by=by, at=AT),
        [Act.BATCH_SUBMIT],
    ),
    "release a batch": (_ready, lambda s, r, it, by: releases.release(s, it, r, by=by, at=AT), [Act.BATCH_RELEASE]),
    "correct a batch": (
        released,
        lambda s, r, it, by: batches.change(s, it, batch_draft(place="星村"), reason="typing error", by=by, at=AT),
        [Act.BATCH_CORRECT],
    ),
    "hold a batch": (released, lambda s, r, it, by: batches.hold(s, it, HOLD, by=by, at=AT), [Act.BATCH_HOLD]),
    "lift a hold": (_held, lambda s, r, it, by: batches.lift_hold(s, it, "fine", by=by, at=AT), [Act.BATCH_HOLD_LIFT]),
    "recall a batch": (released, lambda s, r, it, by: batches.recall(s, it, RECALL, by=by, at=AT), [Act.BATCH_RECALL]),
    "close a batch": (released, lambda s, r, it, by: batches.close(s, it, "sold", by=by, at=AT), [Act.BATCH_CLOSE]),
    "send a report": (
        lambda s, r: a_batch(s),
        lambda s, r, it, by: certificates.submit(s, it, certificate_draft(), a_file(), by=by, at=AT),
        [Act.CERTIFICATE_SUBMIT],
    ),
    "accept a report": (
        _waiting,
        lambda s, r, it, by: certificates.accept(s, it, by=by, at=AT),
        [Act.CERTIFICATE_ACCEPT],
    ),
    "reject a report": (
        _waiting,
        lambda s, r, it, by: certificates.reject(s, it, {"reason": "expired"}, by=by, at=AT),
        [Act.CERTIFICATE_REJECT],
    ),
    "withdraw a report": (
        lambda s, r: a_certificate(s, a_batch(s)),
        lambda s, r, it, by: certificates.withdraw(s, it, "wrong sample", by=by, at=AT),
        [Act.CERTIFICATE_WITHDRAW],
    ),
    "order codes": (
        lambda s, r: a_batch(s),
        lambda s, r, it, by: items.order_codes(
            s, it, items.read_order({"count": "1", "tier": "A"}), base=BASE, by=by, at=AT
        ),
        [Act.CODES_ISSUE],
    ),
    "rotate keys": (
        lambda s, r: None,
        lambda s, r, it, by: keys.rotate(s, r, Role.CREDENTIAL, by=by, at=AT),
        [Act.KEY_RETIRE, Act.KEY_ADD],
    ),
}


@pytest.mark.parametrize("deed", DEEDS)
def test_a_deed_writes_its_acts_once_and_is_undone_with_them(lasting: Session, ring: KeyRing, deed: str) -> None:
    prepare, do, expected = DEEDS[deed]
    it, anna = prepare(lasting, ring), a_person(lasting, "Anna", accounts.Role.ADMIN)
    before = acts(lasting)
    with pytest.raises(ZeroDivisionError), lasting.begin_nested():
        do(lasting, ring, it, anna)
        assert acts(lasting) == before + expected
        newest = lasting.query(AuditAct).order_by(AuditAct.id.desc()).limit(len(expected)).all()
        assert {(act.by_ref, act.by_name, act.at) for act in newest} == {(anna.ref, "Anna", AT)}
        assert all(":" in act.subject for act in newest)
        raise ZeroDivisionError
    assert acts(lasting) == before


def test_acts_hold_no_secret(lasting: Session) -> None:
    draft = accounts.read_account({"login": "zoe", "name": "Zoe", "role": "auditor", "password": PASSWORD})
    account = accounts.add(lasting, draft, supplier_id=None, by=accounts.OPERATOR, at=AT)
    accounts.set_password(lasting, account, "another long word", by=account, at=AT)
    for act in lasting.query(AuditAct):
        assert PASSWORD not in str(act.facts)
        assert "another long word" not in str(act.facts)
        assert "argon2" not in str(act.facts)


def test_the_acts_on_one_thing_are_read_newest_first(lasting: Session, ring: KeyRing) -> None:
    batch = released(lasting, ring)
    found = [act.act for act in of_subject(lasting, batches.subject(batch))]
    assert found == ["batch:release", "batch:submit", "batch:add"]
    assert len(of_subject(lasting, batches.subject(batch), limit=2)) == 2


def test_an_act_that_was_rolled_back_never_was(system: System) -> None:
    with pytest.raises(ZeroDivisionError), system.main.write() as session:
        a_batch(session)
        raise ZeroDivisionError
    with system.main.read() as session:
        assert (rows(session, AuditAct), rows(session, Batch)) == (0, 0)


def test_voiding_is_an_act_of_its_own(system: System) -> None:
    with system.main.write() as session:
        batch = a_batch(session)
    [code] = codes(system, batch)
    with system.main.write() as session:
        items.void(session, items.get_item(session, code.serial), "label torn", by=accounts.OPERATOR, at=AT)
        assert [act.facts for act in of_subject(session, f"item:{code.serial}")] == [{"reason": "label torn"}]
    assert BATCH["lot"] == batch.lot


def test_words_of_acts_are_an_object_and_a_deed() -> None:
    assert all(len(word.split(":")) == 2 and len(word) <= 40 for word in Act)
