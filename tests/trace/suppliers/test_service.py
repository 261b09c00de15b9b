from __future__ import annotations

import json

import pytest
from makers import AT, a_credit_code, a_supplier, acts, alice, chen, dana, erik, rows, rules
from sqlalchemy import select
from sqlalchemy.orm import Session

from lotseal.trace.accounts.service import OPERATOR
from lotseal.trace.errors import Conflict, Invalid, NotFound
from lotseal.trace.log.models import AuditAct, LogEntry
from lotseal.trace.log.service import of_subject
from lotseal.trace.suppliers import service as suppliers
from lotseal.trace.suppliers.models import Supplier

FACTS = {"name_zh": "武夷", "name_en": "Wuyi", "country": "CN", "licence": "91350100M000100Y43"}


def test_a_supplier_is_added_with_who_and_when(lasting: Session) -> None:
    supplier = suppliers.add(lasting, suppliers.read_supplier(FACTS), by=alice(lasting), at=AT)
    assert (supplier.name_zh, supplier.licence, supplier.added_by, supplier.added_at) == (
        "武夷", "91350100M000100Y43", "Alice", AT,
    )  # fmt: skip
    assert len(supplier.ref) == 16
    assert not supplier.suspended
    assert acts(lasting) == ["supplier:add"]


def test_a_supplier_without_a_licence_number_is_taken(lasting: Session) -> None:
    first = a_supplier(lasting, licence="")
    assert a_supplier(lasting, licence="").id != first.id


def test_abroad_any_licence_number_is_taken() -> None:
    assert suppliers.read_supplier({**FACTS, "country": "NO", "licence": "NO 999 888 777"}).licence == "NO 999 888 777"


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"name_zh": ""}, ("name_zh", "text.missing")),
        ({"name_en": "x" * 101}, ("name_en", "text.too-long")),
        ({"country": "XX"}, ("country", "country.unknown")),
        ({"licence": "91350100M000100Y44"}, ("licence", "licence.check")),
        ({"licence": "123"}, ("licence", "licence.form")),
        ({"country": "NO", "licence": "x" * 41}, ("licence", "text.too-long")),
        ({"contact": "☎"}, ("contact", "text.symbol")),
    ],
)
def test_each_wrong_field_is_refused(changed: dict[str, str], problem: tuple[str, str]) -> None:
    with pytest.raises(Invalid) as error:
        suppliers.read_supplier({**FACTS, **changed})
    assert rules(error) == [problem]


def test_one_licence_number_belongs_to_one_supplier(lasting: Session) -> None:
    licence = a_credit_code()
    first = a_supplier(lasting, licence=licence)
    with pytest.raises(Conflict, match="武夷岩韵茶业 already has") as error:
        a_supplier(lasting, licence=licence)
    assert rules(error) == [("licence", "supplier.licence-taken")]
    other = a_supplier(lasting)
    with pytest.raises(Conflict):
        suppliers.change(lasting, other, suppliers.read_supplier({**FACTS, "licence": licence}), by=OPERATOR, at=AT)
    assert other.licence != first.licence
    assert rows(lasting, Supplier) == 2
    assert acts(lasting) == ["supplier:add"] * 2


def test_a_change_says_what_was_and_what_is(lasting: Session) -> None:
    supplier = a_supplier(lasting, **FACTS)
    draft = suppliers.read_supplier({**FACTS, "name_en": "Wuyi Rock"})
    suppliers.change(lasting, supplier, draft, by=OPERATOR, at=AT)
    assert supplier.name_en == "Wuyi Rock"
    [newest, _] = of_subject(lasting, f"supplier:{supplier.ref}")
    assert newest.facts == {"changed": {"name_en": ["Wuyi", "Wuyi Rock"]}}


def told(session: Session) -> list[tuple[str, str, str]]:
    """Of each act on the record: what the act says, what goes into bundles, and what stands beside the actor."""
    session.flush()
    pairs = zip(
        session.scalars(select(AuditAct).order_by(AuditAct.id)),
        session.scalars(select(LogEntry).order_by(LogEntry.id)),
        strict=True,
    )
    return [(json.dumps(act.facts, ensure_ascii=False), entry.content, entry.actor or "") for act, entry in pairs]


def test_whom_to_ask_stands_beside_the_actor_and_nowhere_else_in_the_log(lasting: Session) -> None:
    supplier = a_supplier(lasting, **FACTS, contact="Ms Li, 0591 555 0102")
    draft = suppliers.read_supplier({**FACTS, "name_en": "Wuyi Rock", "contact": "Mr Xu, xu@wuyi.example"})
    suppliers.change(lasting, supplier, draft, by=OPERATOR, at=AT)
    added, changed = told(lasting)
    for text in (*added[:2], *changed[:2]):
        assert "Ms Li" not in text
        assert "xu@wuyi.example" not in text
    assert json.loads(added[0])["private"] == ["contact"], "that something is told elsewhere is no secret"
    assert json.loads(changed[0]) == {
        "changed": {"name_en": ["Wuyi", "Wuyi Rock"]}, "private": ["changed.contact"],
    }  # fmt: skip
    assert json.loads(added[2])["private"] == {"contact": "Ms Li, 0591 555 0102"}
    both = ["Ms Li, 0591 555 0102", "Mr Xu, xu@wuyi.example"]
    assert json.loads(changed[2])["private"] == {"changed.contact": both}


def test_a_supplier_is_suspended_with_a_reason_and_resumed(lasting: Session) -> None:
    supplier = a_supplier(lasting)
    suppliers.suspend(lasting, supplier, "licence lapsed", by=OPERATOR, at=AT)
    assert (supplier.suspended, supplier.suspended_at, supplier.suspended_reason) == (True, AT, "licence lapsed")
    suppliers.resume(lasting, supplier, by=OPERATOR, at=AT)
    assert (supplier.suspended, supplier.suspended_reason) == (False, "")
    assert acts(lasting) == ["supplier:add", "supplier:suspend", "supplier:resume"]


def test_a_suspension_needs_a_reason(lasting: Session) -> None:
    supplier = a_supplier(lasting)
    with pytest.raises(Invalid) as error:
        suppliers.suspend(lasting, supplier, " ", by=OPERATOR, at=AT)
    assert rules(error) == [("reason", "text.missing")]
    assert not supplier.suspended
    assert rows(lasting, AuditAct) == 1


def test_nobody_is_suspended_twice_or_resumed_without_a_suspension(lasting: Session) -> None:
    supplier = a_supplier(lasting)
    with pytest.raises(Conflict) as error:
        suppliers.resume(lasting, supplier, by=OPERATOR, at=AT)
    assert rules(error) == [(None, "supplier.not-suspended")]
    suppliers.suspend(lasting, supplier, "first", by=OPERATOR, at=AT)
    with pytest.raises(Conflict) as error:
        suppliers.suspend(lasting, supplier, "second", by=OPERATOR, at=AT)
    assert rules(error) == [(None, "supplier.suspended")]
    assert supplier.suspended_reason == "first"
    assert acts(lasting) == ["supplier:add", "supplier:suspend"]


def test_chen_sees_the_own_supplier_only(lasting: Session) -> None:
    ours, theirs = a_supplier(lasting), a_supplier(lasting)
    c, d = chen(lasting, ours), dana(lasting, theirs)
    assert list(lasting.scalars(suppliers.visible(c))) == [ours]
    assert suppliers.get(lasting, ours.ref, account=c) is ours
    for account, ref in ((c, theirs.ref), (d, ours.ref), (c, "no-such-ref"), (None, "no-such-ref")):
        with pytest.raises(NotFound) as error:
            suppliers.get(lasting, ref, account=account)
        assert rules(error) == [(None, "supplier.unknown")]


def test_staff_and_the_command_line_see_every_supplier(lasting: Session) -> None:
    both = {a_supplier(lasting).ref, a_supplier(lasting).ref}
    for account in (None, alice(lasting), erik(lasting)):
        assert {supplier.ref for supplier in lasting.scalars(suppliers.visible(account))} == both
