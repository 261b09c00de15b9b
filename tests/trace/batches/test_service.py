from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from makers import (
    AT,
    BATCH,
    a_batch,
    a_draft,
    a_product,
    acts,
    alice,
    batch_draft,
    chen,
    dana,
    released,
    rows,
    rules,
)
from sqlalchemy.orm import Session

from lotseal.trace.accounts.service import OPERATOR
from lotseal.trace.batches import service as batches
from lotseal.trace.batches.intake import read_batch
from lotseal.trace.batches.models import Batch, BatchCorrection, BatchState, Unit
from lotseal.trace.errors import Conflict, Invalid, NotFound
from lotseal.trace.keys.ring import KeyRing
from lotseal.trace.log.service import of_subject
from lotseal.trace.releases import service as releases
from lotseal.trace.system import System


def test_a_draft_needs_nothing_but_a_lot() -> None:
    draft = read_batch({"lot": "DHP1"})
    assert (draft.lot, draft.place, draft.produced_on, draft.quantity, draft.unit) == (
        "DHP1",
        "",
        None,
        None,
        Unit.PIECES,
    )


def test_a_full_draft_is_read_exactly() -> None:
    draft = batch_draft(latitude="27.7561", longitude="-118.035", quantity="0.250", unit="kg", country="cn")
    assert (draft.latitude, draft.longitude, str(draft.quantity)) == (Decimal("27.7561"), Decimal("-118.035"), "0.250")
    assert (draft.unit, draft.country, draft.produced_on) == (Unit.KILOGRAMS, "CN", date(2026, 10, 12))


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"lot": ""}, ("lot", "text.missing")),
        ({"lot": "A B"}, ("lot", "lot.characters")),
        ({"lot": "x" * 21}, ("lot", "lot.length")),
        ({"lot": ".."}, ("lot", "lot.dots")),
        ({"place": "<i>"}, ("place", "text.markup")),
        ({"place": "x" * 101}, ("place", "text.too-long")),
        ({"country": "China"}, ("country", "country.unknown")),
        ({"latitude": "91", "longitude": "0"}, ("latitude", "number.too-high")),
        ({"latitude": "0", "longitude": "-181"}, ("longitude", "number.too-low")),
        ({"latitude": "27.5"}, ("longitude", "coordinates.half")),
        ({"longitude": "27.5"}, ("latitude", "coordinates.half")),
        ({"produced_on": "12.10.2026"}, ("produced_on", "date.format")),
        ({"expires_on": "2026-10-11"}, ("expires_on", "date.before-production")),
        ({"quantity": "0"}, ("quantity", "number.too-low")),
        ({"quantity": "-5"}, ("quantity", "number.too-low")),
        ({"quantity": "many"}, ("quantity", "number.format")),
        ({"unit": "boxes"}, ("unit", "choice.unknown")),
        ({"inputs": "x" * 2001}, ("inputs", "text.too-long")),
    ],
)
def test_each_wrong_field_is_refused(changed: dict[str, str], problem: tuple[str, str]) -> None:
    with pytest.raises(Invalid) as error:
        batch_draft(**changed)
    assert rules(error) == [problem]


def test_a_batch_that_expires_on_the_day_it_was_made_is_taken() -> None:
    assert batch_draft(expires_on=BATCH["produced_on"]).expires_on == date(2026, 10, 12)


def test_a_batch_belongs_to_its_product_and_its_supplier(lasting: Session) -> None:
    batch = a_draft(lasting)
    assert (batch.state, batch.supplier, batch.added_at) == (BatchState.DRAFT, batch.product.supplier, AT)
    assert batches.by_lot(lasting, batch.product.gtin, batch.lot) is batch
    assert acts(lasting)[-1] == "batch:add"


def test_numbers_are_stored_digit_by_digit(system: System) -> None:
    with system.main.write() as session:
        ref = a_draft(session, quantity="0.1000", latitude="27.10", longitude="118.0").ref
    with system.main.read() as session:
        batch = batches.get(session, ref)
        assert [str(batch.quantity), str(batch.latitude), str(batch.longitude)] == ["0.1000", "27.10", "118.0"]


def test_one_lot_names_one_batch_of_a_product_and_any_of_another(lasting: Session) -> None:
    batch = a_draft(lasting)
    with pytest.raises(Conflict) as error:
        a_draft(lasting, batch.product)
    assert rules(error) == [("lot", "batch.lot-taken")]
    assert rows(lasting, Batch) == 1
    assert a_draft(lasting, a_product(lasting)).lot == batch.lot


def test_lots_that_differ_in_case_are_two(lasting: Session) -> None:
    batch = a_draft(lasting, lot="ab")
    assert a_draft(lasting, batch.product, lot="AB").id != batch.id


@pytest.mark.parametrize("field", ["place", "country", "producer", "produced_on", "expires_on", "quantity"])
def test_a_batch_that_lacks_a_fact_cannot_be_submitted(lasting: Session, field: str) -> None:
    batch = a_draft(lasting, **{field: ""})
    with pytest.raises(Conflict, match=f"Still missing: {field}") as error:
        batches.submit(lasting, batch, by=OPERATOR, at=AT)
    assert rules(error) == [(None, "batch.incomplete")]
    assert (batch.state, acts(lasting)[-1]) == (BatchState.DRAFT, "batch:add")
    batches.change(lasting, batch, batch_draft(), reason="", by=OPERATOR, at=AT)
    batches.submit(lasting, batch, by=OPERATOR, at=AT)


def test_a_draft_changes_freely_and_says_what(lasting: Session) -> None:
    batch = a_draft(lasting)
    changed = batches.change(lasting, batch, batch_draft(place="星村", quantity="2"), reason="", by=OPERATOR, at=AT)
    assert sorted(changed) == ["place", "quantity"]
    [newest, *_] = of_subject(lasting, batches.subject(batch))
    assert newest.act == "batch:change"
    assert newest.facts == {"changed": {"place": ["武夷山", "星村"], "quantity": ["1590", "2"]}}
    assert rows(lasting, BatchCorrection) == 0


def test_a_change_of_nothing_is_no_act(lasting: Session, ring: KeyRing) -> None:
    for batch in (a_draft(lasting), released(lasting, ring)):
        before = acts(lasting)
        assert batches.change(lasting, batch, batch_draft(), reason="", by=OPERATOR, at=AT) == []
        assert acts(lasting) == before


def test_the_lot_is_printed_and_stays(lasting: Session) -> None:
    batch = a_draft(lasting)
    with pytest.raises(Conflict) as error:
        batches.change(lasting, batch, batch_draft(lot="OTHER"), reason="", by=OPERATOR, at=AT)
    assert rules(error) == [("lot", "batch.lot-fixed")]


def test_a_correction_after_release_needs_a_reason(lasting: Session, ring: KeyRing) -> None:
    batch = released(lasting, ring)
    with pytest.raises(Invalid) as error:
        batches.change(lasting, batch, batch_draft(place="星村"), reason="", by=OPERATOR, at=AT)
    assert rules(error) == [("reason", "text.missing")]
    assert (batch.place, rows(lasting, BatchCorrection)) == ("武夷山", 0)


def test_a_correction_keeps_the_old_value_beside_the_new_one(lasting: Session, ring: KeyRing) -> None:
    batch = released(lasting, ring)
    batches.change(
        lasting,
        batch,
        batch_draft(place="星村", expires_on="2028-01-01"),
        reason="typing error",
        by=alice(lasting),
        at=AT,
    )
    found = batches.corrections(lasting, batch)
    assert [(row.field, row.before, row.after, row.reason, row.by) for row in found] == [
        ("place", "武夷山", "星村", "typing error", "Alice"),
        ("expires_on", "2028-10-11", "2028-01-01", "typing error", "Alice"),
    ]
    assert (batch.place, acts(lasting)[-1]) == ("星村", "batch:correct")


def test_a_correction_leaves_the_signed_snapshot_as_it_was(lasting: Session, ring: KeyRing) -> None:
    batch = released(lasting, ring)
    row = releases.of_batch(lasting, batch)
    assert row is not None
    batches.change(lasting, batch, batch_draft(place="星村"), reason="typing error", by=OPERATOR, at=AT)
    assert "武夷山" in row.document
    releases.check(lasting, row)


@pytest.mark.parametrize("field", ["place", "country", "producer", "produced_on", "expires_on", "quantity"])
def test_what_was_submitted_is_corrected_and_never_taken_away(lasting: Session, ring: KeyRing, field: str) -> None:
    for batch in (a_batch(lasting), released(lasting, ring)):
        with pytest.raises(Invalid) as error:
            batches.change(lasting, batch, batch_draft(**{field: ""}), reason="gone", by=OPERATOR, at=AT)
        assert rules(error) == [(field, "text.missing")]
        assert batches.missing_facts(batch) == []


def test_chen_sees_the_own_batches_only(lasting: Session) -> None:
    ours, theirs = a_batch(lasting), a_batch(lasting)
    c, d = chen(lasting, ours.supplier), dana(lasting, theirs.supplier)
    assert list(lasting.scalars(batches.visible(c))) == [ours]
    assert batches.get(lasting, ours.ref, account=c) is ours
    assert batches.by_lot(lasting, ours.product.gtin, ours.lot, account=c) is ours
    for account, other in ((c, theirs), (d, ours)):
        with pytest.raises(NotFound) as error:
            batches.get(lasting, other.ref, account=account)
        assert rules(error) == [(None, "batch.unknown")]
        with pytest.raises(NotFound):
            batches.by_lot(lasting, other.product.gtin, other.lot, account=account)
    assert len(lasting.scalars(batches.visible(None)).all()) == 2
    assert list(lasting.scalars(batches.of_supplier(ours.supplier))) == [ours]
