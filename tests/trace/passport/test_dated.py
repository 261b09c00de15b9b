"""Each date of a page stands beside the time of the entry that told it; the story below seals every step by itself."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import makers
import pytest
from makers import AT, HOLD, RECALL, Clock, Printed, a_batch, a_certificate, a_draft, a_visitor, batch_draft
from sqlalchemy import select, text, update

from lotseal.trace.accounts.service import OPERATOR
from lotseal.trace.batches import service as batches
from lotseal.trace.batches.models import Batch
from lotseal.trace.items import service as items
from lotseal.trace.items.models import CodeRun
from lotseal.trace.log import reading
from lotseal.trace.log.models import LogCosignature, LogEntry
from lotseal.trace.passport import service
from lotseal.trace.passport.model import Dated, Logged, Passport
from lotseal.trace.products import service as products
from lotseal.trace.releases import service as releases
from lotseal.trace.system import System

# What an operator does to rows with triggers out of the way is no matter of the database.
on_sqlite = pytest.mark.parametrize("system", ["sqlite"], indirect=True)


class Story:
    """Each step is sealed and cosigned one hour after the one before: `hour(n)` is what its entries show."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.steps = 0

    def told(self) -> int:
        """Seal what was written; says which hour it shows."""
        self.steps += 1
        self.system.sequencer().run_once()
        with self.system.main.write() as session:
            size = reading.newest(session).size  # type: ignore[union-attr]  # something was sealed
            session.add(LogCosignature(size=size, witness="w1", line="— w1 x", at=AT + timedelta(hours=self.steps)))
        return self.steps

    def act(self, what: Any, batch: Batch, *arguments: Any, minutes: int = 0, **named: Any) -> int:
        """An act on the batch, some minutes after the story's beginning."""
        with self.system.main.write() as session:
            there = session.get_one(Batch, batch.id)
            what(session, there, *arguments, by=OPERATOR, at=AT + timedelta(minutes=minutes), **named)
        return self.told()

    def release(self, batch: Batch) -> int:
        return self.act(releases.release, batch, self.system.ring)


def hour(step: int) -> Logged:
    return Logged(AT + timedelta(hours=step), 1, 0)


@pytest.fixture
def story(system: System, time: Clock) -> Story:
    return Story(system)


@pytest.fixture
def batch(story: Story) -> Batch:
    with story.system.main.write() as session:
        made = a_batch(session)
    assert story.told() == 1
    return made


def asked(story: Story, question: service.Asked) -> Passport:
    return service.look_up(story.system.desk, question, a_visitor(), at=AT, count=False)


def seen(story: Story, code: Printed) -> dict[str, tuple[date | datetime, Logged]]:
    """By kind, what the page of this code says."""
    found = asked(story, code.asked()).batch
    assert found is not None
    assert len({(one.kind, one.detail) for one in found.dates}) == len(found.dates)
    return {f"{one.kind} {one.detail}".strip(): (one.on, one.logged) for one in found.dates}


def test_every_date_of_a_page_stands_beside_its_own_entry(story: Story, batch: Batch) -> None:
    with story.system.main.write() as session:
        a_certificate(session, session.get_one(Batch, batch.id), number="YX-9")
    sent = story.told()
    released = story.release(batch)
    makers.codes(story.system, batch)
    story.told()
    [code] = makers.codes(story.system, batch)
    bound = story.told()
    change = batch_draft(quantity="7", producer="新厂")
    corrected = story.act(batches.change, batch, change, reason="typing", minutes=1)
    held = story.act(batches.hold, batch, HOLD, minutes=2)
    page = asked(story, code.asked()).batch
    assert page is not None
    assert page.logged == hour(released)
    made, ends = page.produced_on, page.expires_on
    assert seen(story, code) == {
        "produced_on": (made, hour(1)),
        "expires_on": (ends, hour(1)),
        "report YX-9": (date(2026, 10, 21), hour(sent)),
        "code": (AT, hour(bound)),
        "correction": (AT + timedelta(minutes=1), hour(corrected)),
        "hold": (AT + timedelta(minutes=2), hour(held)),
    }
    recalled = story.act(batches.recall, batch, RECALL, minutes=3)
    assert seen(story, code)["recall"] == (AT + timedelta(minutes=3), hour(recalled))
    assert "hold" not in seen(story, code), "the page tells of the recall alone"


def test_a_day_that_was_changed_counts_from_the_change_and_no_earlier(story: Story, batch: Batch) -> None:
    [code] = makers.codes(story.system, batch)
    story.told()
    changed = story.act(batches.change, batch, batch_draft(produced_on="2026-10-11"), reason="")
    assert seen(story, code)["produced_on"] == (date(2026, 10, 11), hour(changed))
    assert seen(story, code)["expires_on"][1] == hour(1)
    with story.system.main.write() as session:
        a_certificate(session, session.get_one(Batch, batch.id))
    story.release(batch)
    assert seen(story, code)["produced_on"][1] == hour(changed), "the release told nothing new"
    draft = batch_draft(produced_on="2026-10-11", expires_on="2028-01-01")
    again = story.act(batches.change, batch, draft, reason="typing", minutes=1)
    assert seen(story, code)["expires_on"] == (date(2028, 1, 1), hour(again))
    assert seen(story, code)["produced_on"][1] == hour(changed)


def test_a_day_that_a_draft_did_not_have_counts_from_when_it_was_filled_in(story: Story) -> None:
    with story.system.main.write() as session:
        batch = a_draft(session, lot="LATER", expires_on="")
    story.told()
    filled = story.act(batches.change, batch, batch_draft(lot="LATER"), reason="")
    story.act(batches.submit, batch)
    found = asked(story, service.Asked(batch.product.gtin, "LATER")).batch
    assert found is not None
    assert [(one.kind, one.logged) for one in found.dates] == [("produced_on", hour(1)), ("expires_on", hour(filled))]


def test_a_withdrawn_code_counts_from_its_own_void_or_that_of_its_run(story: Story, batch: Batch) -> None:
    first, second = makers.codes(story.system, batch, 2)
    story.told()
    with story.system.main.write() as session:
        items.void(session, items.get_item(session, first.serial), "torn", by=OPERATOR, at=AT)
    own = story.told()
    with story.system.main.write() as session:
        items.void_run(session, session.scalars(select(CodeRun)).one(), "lost", by=OPERATOR, at=AT)
    whole = story.told()
    assert seen(story, first)["void"] == (AT, hour(own))
    assert seen(story, second)["void"] == (AT, hour(whole))


def test_a_corrected_number_counts_from_its_correction(story: Story, batch: Batch) -> None:
    [code] = makers.codes(story.system, batch)
    story.told()
    lot = story.act(batches.renumber, batch, {"lot": "NEW-1", "reason": "typing"}, minutes=1)
    with story.system.main.write() as session:
        product = session.get_one(Batch, batch.id).product
        raw = {"gtin": makers.a_gtin(), "reason": "typing"}
        products.renumber(session, product, raw, by=OPERATOR, at=AT + timedelta(minutes=2))
    gtin = story.told()
    found = asked(story, code.asked()).batch
    assert found is not None
    assert [(one.on, one.logged) for one in found.dates if one.kind == "number"] == [
        (AT + timedelta(minutes=1), hour(lot)),
        (AT + timedelta(minutes=2), hour(gtin)),
    ]


def test_the_number_of_a_later_report_does_not_lead_a_reader_to_its_entry(story: Story, batch: Batch) -> None:
    with story.system.main.write() as session:
        first = a_certificate(session, session.get_one(Batch, batch.id), number="YX-9")
    sent = story.told()
    with story.system.main.write() as session:
        a_certificate(session, session.get_one(Batch, batch.id), number=first.ref)
    later = story.told()
    [code] = makers.codes(story.system, batch)
    found = seen(story, code)
    assert (found["report YX-9"][1], found[f"report {first.ref}"][1]) == (hour(sent), hour(later))


def test_what_waits_for_its_seal_is_not_told(story: Story, batch: Batch) -> None:
    [code] = makers.codes(story.system, batch)
    assert set(seen(story, code)) == {"produced_on", "expires_on"}


def test_a_recall_is_dated_for_a_forged_code_too(story: Story, batch: Batch) -> None:
    [code] = makers.codes(story.system, batch)
    with story.system.main.write() as session:
        a_certificate(session, session.get_one(Batch, batch.id))
    story.release(batch)
    recalled = story.act(batches.recall, batch, RECALL)
    found = asked(story, code.asked(serial=code.serial[:-1] + ("2" if code.serial[-1] != "2" else "3"))).batch
    assert found is not None
    assert {one.kind: one.logged for one in found.dates}["recall"] == hour(recalled)


def rewritten(story: Story, act: str, old: str, new: str) -> None:
    with story.system.main.write() as session:
        for trigger in ("log_entry_keeps", "log_entry_stays"):
            session.execute(text(f"DROP TRIGGER IF EXISTS {trigger}"))
        content = session.scalars(select(LogEntry.content).where(LogEntry.act == act)).one()
        session.execute(update(LogEntry).where(LogEntry.act == act).values(content=content.replace(old, new)))


@on_sqlite
def test_an_entry_that_somebody_spoilt_dates_nothing_back_and_breaks_no_page(story: Story, batch: Batch) -> None:
    [code] = makers.codes(story.system, batch)
    story.told()
    changed = story.act(batches.change, batch, batch_draft(produced_on="2026-10-11"), reason="")
    rewritten(story, "batch:change", "{", "[")
    assert {seen(story, code)[name][1] for name in ("produced_on", "expires_on")} == {hour(changed)}


@on_sqlite
def test_a_batch_that_is_older_than_the_log_counts_from_its_release(story: Story, batch: Batch) -> None:
    with story.system.main.write() as session:
        a_certificate(session, session.get_one(Batch, batch.id))
    released = story.release(batch)
    with story.system.main.write() as session:
        for trigger in ("log_entry_keeps", "log_entry_stays"):
            session.execute(text(f"DROP TRIGGER IF EXISTS {trigger}"))
        session.execute(update(LogEntry).where(LogEntry.act == "batch:add").values(act="batch:submit"))
    found = asked(story, service.Asked(batch.product.gtin, batch.lot)).batch
    assert found is not None
    assert {one.logged for one in found.dates if one.kind != "report"} == {hour(released)}


def test_lines_of_one_time_go_together_but_never_a_statement_with_an_act() -> None:
    made = Dated("produced_on", date(2026, 10, 12), "", hour(1))
    assert made.goes_with(Dated("expires_on", date(2028, 1, 1), "", hour(1)))
    assert not made.goes_with(Dated("expires_on", date(2028, 1, 1), "", hour(2)))
    assert not made.goes_with(Dated("recall", AT, "", hour(1)))
    assert not made.goes_with(None)
