"""The start page: what needs doing now."""

from __future__ import annotations

from datetime import timedelta

import makers
import pytest
from makers import AT, HOLD, RECALL, a_batch, a_certificate, a_draft, a_product, released
from office import Office

from lotseal.trace.accounts.service import OPERATOR
from lotseal.trace.batches import service as batches
from lotseal.trace.certificates import service as certificates
from lotseal.trace.items import service as items
from lotseal.trace.jobs.models import JobState
from lotseal.trace.suppliers import service as suppliers
from lotseal.trace.system import System


@pytest.fixture
def office(sqlite_system: System, time: object) -> Office:
    return Office(sqlite_system)


def test_a_quiet_desk_says_that_nothing_is_waiting(office: Office) -> None:
    for name in ("alice", "bob", "chen", "erik"):
        page = office.at_desk(name).get("/staff/")
        assert page.status_code == 200
        assert "Nothing is waiting" in page.text


def test_reports_to_review_are_counted_with_the_age_of_the_oldest(office: Office) -> None:
    with office.system.main.write() as db:
        batch = a_batch(db)
        for days in (3, 1):
            report = a_certificate(db, batch, accepted=False)
            report.submitted_at = AT - timedelta(days=days)
    page = office.at_desk("bob").get("/staff/").text
    assert "2 reports wait for review" in page
    assert "3 days" in page
    assert 'href="/staff/certificates?status=submitted"' in page.replace("certificates/?", "certificates?")


def test_a_batch_with_all_it_needs_is_ready_and_any_other_says_what_it_misses(office: Office) -> None:
    with office.system.main.write() as db:
        a_certificate(db, a_batch(db, lot="READY-1"))
        a_batch(db, lot="WAITS-1")
    page = office.at_desk("bob").get("/staff/").text
    ready, waits = page.index("READY-1"), page.index("WAITS-1")
    assert page.index("Ready for release") < ready < page.index("Awaiting tests") < waits
    assert "laboratory report that says «pass» is needed" in page[waits:]


def test_holds_show_with_their_reason_in_the_readers_language(office: Office) -> None:
    with office.system.main.write() as db:
        batches.hold(db, released(db, office.system.ring, lot="HELD-1"), HOLD, by=OPERATOR, at=AT)
    for language, reason in {"en": "Waiting for a second test", "zh": "等待复检"}.items():
        page = office.at_desk("bob", language=language).get("/staff/").text
        assert "HELD-1" in page
        assert reason in page


def test_reports_lapse_within_sixty_days_or_have_lapsed(office: Office) -> None:
    with office.system.main.write() as db:
        batch = released(db, office.system.ring)
        for number, expires in {"IN-60": "2027-01-21", "IN-61": "2027-01-22", "GONE": "2026-11-21"}.items():
            a_certificate(db, batch, number=number, expires_on=expires)
        recalled = released(db, office.system.ring)
        a_certificate(db, recalled, number="RECALLED", expires_on="2026-12-01")
        batches.recall(db, recalled, RECALL, by=OPERATOR, at=AT)
    page = office.at_desk("bob").get("/staff/").text
    assert page.index("GONE") < page.index("IN-60")
    assert "60 days left" in page
    assert "IN-61" not in page
    assert "RECALLED" not in page


def test_jobs_that_run_show_progress_and_dead_ones_their_reason(office: Office) -> None:
    with office.system.main.write() as db:
        batch = a_batch(db)
        orders = [
            items.order_codes(
                db, batch, items.read_order({"count": "40", "tier": "A"}), base=makers.BASE, by=OPERATOR, at=AT
            )
            for _ in range(2)
        ]
        running, dead = orders[0].job, orders[1].job
        assert running
        assert dead
        running.state, running.done = JobState.RUNNING, 30
        dead.state, dead.error = JobState.DEAD, "The supplier is suspended."
    page = office.at_desk("bob").get("/staff/").text
    assert "30 of 40" in page
    assert "1 job gave up" in page
    assert "The supplier is suspended." in page


def test_the_newest_acts_show_to_those_who_may_read_them(office: Office) -> None:
    assert "Newest acts" in office.at_desk("alice").get("/staff/").text
    assert "Newest acts" not in office.at_desk("bob").get("/staff/").text


def test_a_supplier_sees_what_its_own_batches_miss_and_nothing_of_others(office: Office) -> None:
    with office.system.main.write() as db:
        tea, milk = suppliers.get(db, office.tea), suppliers.get(db, office.milk)
        a_draft(db, a_product(db, tea), lot="TEA-1", place="")
        other = a_batch(db, a_product(db, milk), lot="MILK-1")
        for batch in (other, a_batch(db, a_product(db, tea), lot="TEA-2")):
            report = a_certificate(db, batch, accepted=False, number=f"R-{batch.lot}")
            note = {"reason": "laboratory-lapsed", "note": f"note on {batch.lot}"}
            certificates.reject(db, report, note, by=OPERATOR, at=AT)
    page = office.at_desk("chen").get("/staff/").text
    assert "Fill in: Place" in page
    assert "R-TEA-2" in page
    assert "The accreditation had lapsed on the issue date" in page
    assert "note on TEA-2" in page
    assert "MILK" not in page


def test_a_rejected_report_leaves_the_desk_once_it_was_sent_again(office: Office) -> None:
    with office.system.main.write() as db:
        batch = a_batch(db, a_product(db, suppliers.get(db, office.tea)))
        old = a_certificate(db, batch, accepted=False, number="OLD-1")
        certificates.reject(db, old, {"reason": "unreadable"}, by=OPERATOR, at=AT)
    chen = office.at_desk("chen")
    assert "OLD-1" in chen.get("/staff/").text
    with office.system.main.write() as db:
        again = certificates.get(db, old.ref)
        draft = makers.certificate_draft(number="OLD-1")
        certificates.submit(db, again.batch, draft, makers.a_file(), by=OPERATOR, at=AT, replaces=again)
    assert "Rejected reports" not in chen.get("/staff/").text
