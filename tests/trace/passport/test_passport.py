from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import combinations

import pytest
from makers import (
    AT,
    HOLD,
    RECALL,
    TODAY,
    Printed,
    a_batch,
    a_certificate,
    a_gtin,
    a_product,
    a_visitor,
    batch_draft,
    codes,
    release,
    released,
    rows,
)
from sqlalchemy import text
from sqlalchemy.orm import Session

from lotseal.signing.item import ALPHABET
from lotseal.trace.accounts.service import OPERATOR
from lotseal.trace.batches import service as batches
from lotseal.trace.batches.models import Batch
from lotseal.trace.certificates import service as certificates
from lotseal.trace.items import service as items
from lotseal.trace.keys import service as keys
from lotseal.trace.keys.ring import KeyRing
from lotseal.trace.passport import service as passport
from lotseal.trace.passport.codes import Code, IssuedWith, check_issued, check_unissued
from lotseal.trace.passport.model import Passport, State
from lotseal.trace.passport.service import GRAVITY
from lotseal.trace.releases import service as releases
from lotseal.trace.scans.models import Scan
from lotseal.trace.suppliers import service as suppliers
from lotseal.trace.system import System


def look(system: System, asked: passport.Asked, who: str = "ann", *, count: bool = True) -> Passport:
    return passport.look_up(system.desk, asked, a_visitor(who), at=AT, count=count)


def on_sale(system: System, tier: str = "A", *, short: bool = False) -> tuple[Batch, Printed]:
    with system.main.write() as session:
        batch = released(session, system.ring)
    return batch, codes(system, batch, tier=tier, short=short)[0]


@pytest.mark.parametrize("tier", ["A", "B"])
@pytest.mark.parametrize("short", [False, True])
def test_a_code_on_sale_is_fine_first_and_again_for_the_next_one(system: System, tier: str, short: bool) -> None:
    batch, code = on_sale(system, tier, short=short)
    found = look(system, code.asked())
    assert (found.state, found.also, found.lot) == (State.OK_FIRST, (), batch.lot)
    assert found.history is not None
    assert (found.history.others, found.history.counted) == (0, True)
    again = look(system, code.asked(), "ben")
    assert again.state is State.OK_AGAIN
    assert again.history is not None
    assert (again.history.others, again.history.first_at) == (1, AT)
    assert look(system, code.asked()).state is State.OK_AGAIN


def test_it_tells_the_facts_of_product_batch_and_report(system: System) -> None:
    batch, code = on_sale(system)
    found = look(system, code.asked())
    assert found.product is not None
    assert found.supplier is not None
    assert found.batch is not None
    assert found.item is not None
    assert (found.product.name_zh, found.supplier.name_zh, found.item.tier) == ("大红袍", "武夷岩韵茶业", "A")
    assert (found.batch.origin.place, str(found.batch.quantity), found.batch.state) == ("武夷山", "1590", "released")
    [report] = found.batch.reports
    assert (report.status, report.lines, report.failed, report.conclusion_pass) == ("accepted", 1, 0, True)
    assert [step.kind for step in found.batch.timeline] == ["origin", "production", "test", "release", "expiry"]
    assert found.batch.release_hash is not None
    assert len(found.batch.release_hash) == 64
    assert batch.lot == found.batch.lot


def test_the_timeline_keeps_the_calendar_of_the_service(system: System) -> None:
    """18:00 in London is 02:00 of the next day in Shanghai, as all other times on the page say too."""
    evening = AT.replace(hour=18)
    with system.main.write() as session:
        batch = a_batch(session)
        a_certificate(session, batch)
        releases.release(session, batch, system.ring, by=OPERATOR, at=evening)
    code = codes(system, batch)[0]
    with system.main.write() as session:
        batches.recall(session, batches.get(session, batch.ref), RECALL, by=OPERATOR, at=evening)
    found = look(system, code.asked())
    assert found.batch is not None
    days = {step.kind: step.on for step in found.batch.timeline}
    assert days["release"] == days["recall"] == TODAY + timedelta(days=1)


def test_corrections_after_release_are_told(system: System) -> None:
    batch, code = on_sale(system)
    with system.main.write() as session:
        there = batches.get(session, batch.ref)
        batches.change(session, there, batch_draft(place="星村"), reason="typing error", by=OPERATOR, at=AT)
    found = look(system, code.asked()).batch
    assert found is not None
    [correction] = found.corrections
    assert (correction.field, correction.before, correction.after) == ("place", "武夷山", "星村")


def test_a_suspended_supplier_is_told(system: System) -> None:
    batch, code = on_sale(system)
    with system.main.write() as session:
        suppliers.suspend(session, batches.get(session, batch.ref).supplier, "lapsed", by=OPERATOR, at=AT)
    found = look(system, code.asked()).supplier
    assert found is not None
    assert found.suspended


# --- what can be wrong with an item's batch, alone and together ------------------------------------------------------

Spoil = Callable[[Session, Batch, KeyRing, Printed], object]


def _void(session: Session, batch: Batch, ring: KeyRing, code: Printed) -> None:
    items.void(session, items.get_item(session, code.serial), "label torn", by=OPERATOR, at=AT)


def _expire(session: Session, batch: Batch, ring: KeyRing, code: Printed) -> None:
    yesterday = (AT - timedelta(days=1)).date().isoformat()
    draft = batch_draft(expires_on=yesterday)
    batches.change(session, batch, draft, reason="typing error", by=OPERATOR, at=AT)


def _withdraw(session: Session, batch: Batch, ring: KeyRing, code: Printed) -> None:
    for report in certificates.of_batch(session, batch):
        certificates.withdraw(session, report, "wrong sample", by=OPERATOR, at=AT)


# In the order in which they can happen to one batch.
SPOILS: dict[State, Spoil] = {
    State.VOIDED: _void,
    State.EXPIRED: _expire,
    State.EVIDENCE_GAP: _withdraw,
    State.HOLD: lambda session, batch, ring, code: batches.hold(session, batch, HOLD, by=OPERATOR, at=AT),
    State.RECALLED: lambda session, batch, ring, code: batches.recall(session, batch, RECALL, by=OPERATOR, at=AT),
}


def spoiled(system: System, *states: State) -> Passport:
    on_release = State.NOT_RELEASED not in states
    with system.main.write() as session:
        batch = released(session, system.ring) if on_release else a_batch(session)
    [code] = codes(system, batch)
    with system.main.write() as session:
        there = batches.get(session, batch.ref)
        for state, spoil in SPOILS.items():
            if state in states:
                spoil(session, there, system.ring, code)
    return look(system, code.asked())


@pytest.mark.parametrize("state", [*SPOILS, State.NOT_RELEASED])
def test_each_trouble_is_told(system: System, state: State) -> None:
    found = spoiled(system, state)
    assert (found.state, found.also) == (state, ())


# A recall ends a hold, and a batch that was never on sale has no evidence to lose and was never recalled from sale.
MEETING = [
    pair
    for pair in combinations([*SPOILS, State.NOT_RELEASED], 2)
    if set(pair)
    not in (
        {State.HOLD, State.RECALLED},
        {State.EVIDENCE_GAP, State.NOT_RELEASED},
        {State.RECALLED, State.NOT_RELEASED},
    )
]


@pytest.mark.parametrize("pair", MEETING, ids=lambda pair: "+".join(pair))
def test_of_two_troubles_the_worse_one_leads_and_the_other_is_told_too(
    system: System, pair: tuple[State, State]
) -> None:
    found = spoiled(system, *pair)
    assert (found.state, *found.also) == tuple(sorted(pair, key=GRAVITY.index))


def test_every_state_has_its_gravity() -> None:
    assert sorted(GRAVITY) == sorted(State)


def test_a_hold_that_is_followed_by_a_recall_is_a_recall(system: System) -> None:
    assert spoiled(system, State.HOLD, State.RECALLED).also == ()


@pytest.mark.parametrize("ending", ["held", "recalled"])
def test_closing_a_batch_takes_no_warning_off_its_page(system: System, ending: str) -> None:
    batch, code = on_sale(system)
    with system.main.write() as session:
        there = batches.get(session, batch.ref)
        if ending == "held":
            batches.hold(session, there, HOLD, by=OPERATOR, at=AT)
        batches.close(session, there, "done", by=OPERATOR, at=AT)
        if ending == "recalled":
            batches.recall(session, there, RECALL, by=OPERATOR, at=AT)
    assert look(system, code.asked()).state is (State.HOLD if ending == "held" else State.RECALLED)


def test_a_batch_that_is_closed_without_a_release_is_not_released(system: System) -> None:
    with system.main.write() as session:
        batch = a_batch(session)
    [code] = codes(system, batch)
    with system.main.write() as session:
        there = batches.get(session, batch.ref)
        batches.hold(session, there, HOLD, by=OPERATOR, at=AT)
        batches.close(session, there, "destroyed", by=OPERATOR, at=AT)
    found = look(system, code.asked())
    assert (found.state, State.NOT_RELEASED in found.also) == (State.HOLD, True)


def test_a_closed_batch_that_was_on_sale_is_fine(system: System) -> None:
    batch, code = on_sale(system)
    with system.main.write() as session:
        batches.close(session, batches.get(session, batch.ref), "sold out", by=OPERATOR, at=AT)
    assert look(system, code.asked()).state is State.OK_FIRST


def test_the_calendar_of_the_zone_decides_about_expiry(system: System) -> None:
    with system.main.write() as session:
        batch = a_batch(session, expires_on=AT.date().isoformat())
        release(session, batch, system.ring)
    [code] = codes(system, batch)
    # 16:30 UTC is half past midnight of the next day in Shanghai.
    late = AT.replace(hour=16, minute=30)
    before = passport.look_up(system.desk, code.asked(), a_visitor(), at=AT.replace(hour=15, minute=30))
    after = passport.look_up(system.desk, code.asked(), a_visitor(), at=late)
    assert (before.state, after.state) == (State.OK_FIRST, State.EXPIRED)


# --- codes that are not ours -----------------------------------------------------------------------------------------


def test_each_kind_of_forgery_is_told_apart_and_shows_no_facts(system: System) -> None:
    batch, code = on_sale(system, "B")
    with system.main.write() as session:
        product = batches.get(session, batch.ref).product
        a_batch(session, product, lot="OTHER")
        second = a_product(session)
    wrong = code.serial[:-1] + ("2" if code.serial[-1] != "2" else "3")
    assert code.signature is not None
    digits = code.signature[:-1] + str((int(code.signature[-1]) + 1) % 10)
    for asked, state in (
        (code.asked(serial=wrong), State.BAD_SIGNATURE),
        (code.asked(lot="OTHER"), State.BAD_SIGNATURE),
        (code.asked(lot="NEVER"), State.BAD_SIGNATURE),
        (code.asked(signature=digits), State.BAD_SIGNATURE),
        (code.asked(signature=""), State.BAD_SIGNATURE),
        (code.asked(signature="3" + code.signature[1:]), State.BAD_SIGNATURE),
        (code.asked(gtin=second.gtin, lot=None), State.BAD_SIGNATURE),
        (code.asked(serial="SHORT", signature=None), State.UNKNOWN),
        (code.asked(serial="SHORT"), State.BAD_SIGNATURE),
        (code.asked(serial=wrong, lot="NEVER"), State.UNKNOWN_LOT),
        (code.asked(gtin=a_gtin()), State.UNKNOWN),
    ):
        found = look(system, asked)
        assert found.state is state, asked
        assert (found.batch, found.item, found.history) == (None, None, None)
    assert look(system, code.asked(signature=None)).state is State.OK_FIRST
    with system.scans.read() as session:
        assert rows(session, Scan) == 1


def test_a_recall_is_told_even_for_a_bad_signature(system: System) -> None:
    batch, code = on_sale(system)
    with system.main.write() as session:
        batches.recall(session, batches.get(session, batch.ref), RECALL, by=OPERATOR, at=AT)
    found = look(system, code.asked(serial="2" * 20))
    assert (found.state, found.also, found.item) == (State.RECALLED, (State.BAD_SIGNATURE,), None)
    assert found.batch is not None
    assert found.batch.recall is not None
    assert found.batch.recall.phone == RECALL["phone"]
    assert look(system, code.asked(serial="SHORT")).also == (State.UNKNOWN,)


def test_without_a_serial_no_item_is_judged(system: System) -> None:
    batch, code = on_sale(system)
    assert look(system, passport.Asked(code.gtin)).state is State.PRODUCT_ONLY
    assert look(system, passport.Asked(code.gtin, batch.lot)).state is State.BATCH_ONLY
    assert look(system, passport.Asked(code.gtin, "NEVER")).state is State.UNKNOWN_LOT
    assert look(system, passport.Asked(a_gtin())).state is State.UNKNOWN
    with system.main.write() as session:
        batches.recall(session, batches.get(session, batch.ref), RECALL, by=OPERATOR, at=AT)
    found = look(system, passport.Asked(code.gtin, batch.lot))
    assert (found.state, found.also) == (State.RECALLED, (State.BATCH_ONLY,))


def test_without_its_keys_nothing_is_verified_and_nothing_claimed(system: System) -> None:
    _, code = on_sale(system)
    locked = replace(system, ring=KeyRing(system.settings.keys_folder, ""))
    for asked in (code.asked(), code.asked(serial="2" * 20)):
        found = look(locked, asked)
        assert (found.state, found.product, found.batch) == (State.CANNOT_VERIFY, None, None)


def test_without_its_history_nobody_is_called_first_but_a_warning_is_given(system: System) -> None:
    batch, code = on_sale(system)
    with system.scans.write() as session:
        session.execute(text("DROP TABLE scan"))
    assert look(system, code.asked()).state is State.CANNOT_VERIFY
    with system.main.write() as session:
        batches.recall(session, batches.get(session, batch.ref), RECALL, by=OPERATOR, at=AT)
    found = look(system, code.asked())
    assert (found.state, found.also) == (State.RECALLED, ())
    assert found.history is not None
    assert not found.history.counted


def test_a_preview_robot_is_answered_and_not_counted(system: System) -> None:
    _, code = on_sale(system)
    found = look(system, code.asked(), "robot", count=False)
    assert found.history is not None
    assert not found.history.counted
    with system.scans.read() as session:
        assert rows(session, Scan) == 0


def _changed(value: str, alphabet: str) -> str:
    place = secrets.randbelow(len(value))
    return value[:place] + secrets.choice(alphabet.replace(value[place], "")) + value[place + 1 :]


def test_of_twenty_thousand_mutated_codes_none_is_accepted(system: System) -> None:
    batch, code = on_sale(system, "B")
    with system.main.read() as session:
        pair, tag = session.get_one(Batch, batch.id), keys.current_secret(session).kid
        run = items.runs_of(session, pair)[0]
        [signer] = [key for key in keys.all_of(session) if key.kid == run.kid]
    made = IssuedWith(run.base, batch.lot, False, run.letter, signer.public_jwk, tag)
    assert code.signature is not None
    right = {"gtin": code.gtin, "lot": batch.lot, "serial": code.serial, "signature": code.signature}
    assert check_issued(system.ring, made, **right) is Code.OURS  # type: ignore[arg-type]  # all are texts
    accepted = 0
    for n in range(20_000):
        facts = dict(right)
        match n % 4:
            case 0:
                facts["signature"] = code.signature[0] + _changed(code.signature[1:], "0123456789")
            case 1:
                facts["serial"] = _changed(code.serial, ALPHABET)
            case 2:
                facts["gtin"] = _changed(code.gtin, "0123456789")
            case _:
                facts["serial"] = "".join(secrets.choice(ALPHABET) for _ in range(20))
        accepted += check_issued(system.ring, made, **facts) is Code.OURS  # type: ignore[arg-type]  # all are texts
        if facts["serial"] != code.serial:
            unissued = check_unissued(system.ring, [tag], run.base, **facts)  # type: ignore[arg-type]  # all are texts
            accepted += unissued is not Code.FORGED
    assert accepted == 0
    for _ in range(100):
        assert look(system, code.asked(serial=_changed(code.serial, ALPHABET))).state is State.BAD_SIGNATURE
    assert look(system, code.asked()).state is State.OK_FIRST


def test_an_expired_report_of_a_batch_on_sale_is_a_gap(system: System) -> None:
    with system.main.write() as session:
        batch = a_batch(session)
        a_certificate(session, batch, expires_on=AT.date().isoformat())
        releases.release(session, batch, system.ring, by=OPERATOR, at=AT)
    [code] = codes(system, batch)
    assert look(system, code.asked()).state is State.OK_FIRST
    later = passport.look_up(system.desk, code.asked(), a_visitor(), at=AT + timedelta(days=1))
    assert later.state is State.EVIDENCE_GAP
