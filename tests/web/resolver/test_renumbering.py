"""A corrected number: every code that was printed keeps answering and says so."""

from __future__ import annotations

from typing import Any

import makers
import pytest
from makers import AT, BASE, RECALL, a_gtin, acts, released, rules
from office import Office
from sqlalchemy.orm import Session

from lotseal.trace.accounts.service import OPERATOR
from lotseal.trace.batches import service as batches
from lotseal.trace.errors import Conflict
from lotseal.trace.items import service as items
from lotseal.trace.links import service as links
from lotseal.trace.passport import service as passport
from lotseal.trace.passport.model import State
from lotseal.trace.products import service as products
from lotseal.trace.releases import service as releases
from lotseal.trace.system import System

REASON = "typing mistake at the office"


def correct(system: System, batch: Any, *, lot: str = "", gtin: str = "") -> None:
    with system.main.write() as db:
        there = batches.get(db, batch.ref)
        if lot:
            links.correct_lot(db, there, {"lot": lot, "reason": REASON}, by=OPERATOR, at=AT)
        if gtin:
            links.correct_gtin(db, there.product, {"gtin": gtin, "reason": REASON}, by=OPERATOR, at=AT)


def look(system: System, **asked: Any) -> passport.Passport:
    question = passport.Asked(**asked)
    return passport.look_up(system.desk, question, makers.a_visitor(), at=AT, count=False)


def on_sale(system: System) -> Any:
    with system.main.write() as db:
        return released(db, system.ring, lot="OLD-1")


@pytest.mark.parametrize("tier", ["A", "B"])
@pytest.mark.parametrize("short", [False, True])
def test_codes_that_were_printed_before_stay_valid_and_name_the_correction(
    system: System, tier: str, short: bool
) -> None:
    batch = on_sale(system)
    [code] = makers.codes(system, batch, tier=tier, short=short)
    new = a_gtin()
    correct(system, batch, lot="NEW-1", gtin=new)
    found = passport.look_up(system.desk, code.asked(), makers.a_visitor(), at=AT)
    assert found.state is State.OK_FIRST
    assert found.product is not None
    assert found.batch is not None
    assert (found.product.gtin, found.batch.lot) == (new, "NEW-1")
    assert [(one.field, one.before, one.after, one.reason) for one in found.renumbered] == [
        ("gtin", code.gtin, new, REASON),
        ("lot", "OLD-1", "NEW-1", REASON),
    ]
    with system.main.read() as db:
        [item] = db.scalars(items.items_of(items.runs_of(db, batches.get(db, batch.ref))[0]))
        assert items.link(items.runs_of(db, batches.get(db, batch.ref))[0], item) == code.link


def test_codes_that_are_printed_afterwards_bear_the_right_numbers(system: System) -> None:
    batch = on_sale(system)
    new = a_gtin()
    correct(system, batch, lot="NEW-1", gtin=new)
    [code] = makers.codes(system, batch, tier="B")
    assert f"/01/{new}/10/NEW-1/21/" in code.link
    found = passport.look_up(system.desk, code.asked(gtin=new, lot="NEW-1"), makers.a_visitor(), at=AT)
    assert found.state is State.OK_FIRST
    assert found.renumbered == ()


def test_a_code_under_numbers_that_it_never_had_is_not_ours(system: System) -> None:
    batch = on_sale(system)
    correct(system, batch, lot="MID-1")
    [code] = makers.codes(system, batch, tier="B")
    correct(system, batch, lot="NEW-1")
    for lot, signature, state in (
        ("MID-1", code.signature, State.OK_FIRST),
        ("MID-1", None, State.OK_FIRST),
        ("NEW-1", None, State.OK_FIRST),
        ("NEW-1", code.signature, State.BAD_SIGNATURE),
        ("OLD-1", None, State.BAD_SIGNATURE),
        ("OTHER", None, State.BAD_SIGNATURE),
    ):
        found = look(system, gtin=code.gtin, lot=lot, serial=code.serial, signature=signature)
        assert found.state is state, (lot, signature)


def test_old_numbers_of_product_and_lot_lead_to_the_record(system: System) -> None:
    batch = on_sale(system)
    old = batch.product.gtin
    new = a_gtin()
    correct(system, batch, lot="NEW-1", gtin=new)
    assert look(system, gtin=old).renumbered[0].after == new
    lot = look(system, gtin=old, lot="OLD-1")
    assert lot.state is State.BATCH_ONLY
    assert [one.field for one in lot.renumbered] == ["gtin", "lot"]
    assert look(system, gtin=new, lot="NEW-1").renumbered == ()
    assert look(system, gtin=new, lot="NONE").state is State.UNKNOWN_LOT
    with system.main.read() as db:
        assert batches.by_lot(db, old, "OLD-1").ref == batch.ref
        assert products.by_gtin(db, old).gtin == new
        row = releases.of_batch(db, batches.get(db, batch.ref))
        assert row is not None
        releases.check(db, row)


def test_a_recall_is_told_under_the_old_number_too(system: System) -> None:
    batch = on_sale(system)
    correct(system, batch, lot="NEW-1")
    with system.main.write() as db:
        batches.recall(db, batches.get(db, batch.ref), RECALL, by=OPERATOR, at=AT)
    gtin = batch.product.gtin
    assert look(system, gtin=gtin, lot="OLD-1").state is State.RECALLED
    assert look(system, gtin=gtin, lot="OLD-1", serial="X").state is State.RECALLED


def test_a_run_in_the_making_keeps_the_numbers_it_was_ordered_with(system: System) -> None:
    batch = on_sale(system)
    order = items.read_order({"count": "1", "tier": "A", "short": ""})
    with system.main.write() as db:
        ref = items.order_codes(db, batches.get(db, batch.ref), order, base=BASE, by=OPERATOR, at=AT).ref
    correct(system, batch, lot="NEW-1")
    makers.run_job(system)
    with system.main.read() as db:
        run = items.get_run(db, ref)
        [item] = db.scalars(items.items_of(run))
    found = look(system, gtin=batch.product.gtin, lot="OLD-1", serial=item.serial)
    assert found.state is State.OK_FIRST


def test_an_old_number_is_never_given_to_another_thing(lasting: Session) -> None:
    batch = makers.a_batch(lasting, lot="OLD-1")
    product, old = batch.product, batch.product.gtin
    other = makers.a_batch(lasting, product, lot="OTHER")
    links.correct_lot(lasting, batch, {"lot": "NEW-1", "reason": REASON}, by=OPERATOR, at=AT)
    links.correct_gtin(lasting, product, {"gtin": a_gtin(), "reason": REASON}, by=OPERATOR, at=AT)
    assert acts(lasting)[-2:] == ["batch:renumber", "product:renumber"]
    stranger = makers.a_product(lasting)
    for act, rule in (
        (lambda: makers.a_product(lasting, gtin=old), "product.gtin-was"),
        (
            lambda: products.renumber(lasting, stranger, {"gtin": old, "reason": REASON}, by=OPERATOR, at=AT),
            "product.gtin-was",
        ),
        (
            lambda: products.renumber(lasting, stranger, {"gtin": product.gtin, "reason": REASON}, by=OPERATOR, at=AT),
            "product.gtin-taken",
        ),
        (lambda: makers.a_draft(lasting, product, lot="OLD-1"), "batch.lot-was"),
        (
            lambda: batches.renumber(lasting, other, {"lot": "OLD-1", "reason": REASON}, by=OPERATOR, at=AT),
            "batch.lot-was",
        ),
        (
            lambda: batches.renumber(lasting, other, {"lot": "NEW-1", "reason": REASON}, by=OPERATOR, at=AT),
            "batch.lot-taken",
        ),
        (
            lambda: batches.renumber(lasting, other, {"lot": "OTHER", "reason": REASON}, by=OPERATOR, at=AT),
            "batch.lot-same",
        ),
    ):
        with pytest.raises(Conflict) as error:
            act()
        assert rules(error)[0][1] == rule
    links.correct_lot(lasting, batch, {"lot": "OLD-1", "reason": "it was right"}, by=OPERATOR, at=AT)
    assert [one.lot for one in batches.former_lots(lasting, batch)] == ["NEW-1"]


def test_the_page_says_what_was_corrected_and_shows_the_printed_lot(sqlite_system: System, time: Any) -> None:
    batch = on_sale(sqlite_system)
    [code] = makers.codes(sqlite_system, batch)
    old = code.link[code.link.index("/01/") :]
    correct(sqlite_system, batch, lot="NEW-1", gtin=a_gtin())
    page = Office(sqlite_system).browser().get(old)
    assert page.status_code == 200
    assert page.text.count("This number was corrected") == 2
    assert "OLD-1 <small>corrected to NEW-1</small>" in page.text
    assert REASON in page.text
