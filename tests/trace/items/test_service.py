# ruff: noqa: PT012 - an error has to pass through the end of a transaction, so both stand in one block
from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest
from makers import (
    AT,
    BASE,
    Clock,
    a_batch,
    a_batch_in,
    acts,
    chen,
    codes,
    dana,
    orders,
    rows,
    rules,
    run_job,
)
from sqlalchemy import func, select

from lotseal.signing.errors import BadSignature
from lotseal.signing.item import canonical_item_uri, check_serial, parse_signature, verify_item
from lotseal.signing.keys import PublicKey
from lotseal.trace.accounts.service import OPERATOR
from lotseal.trace.batches import service as batches
from lotseal.trace.batches.models import BatchState
from lotseal.trace.errors import Conflict, Invalid, NotFound, Unavailable
from lotseal.trace.items import service as items
from lotseal.trace.items.models import CodeRun, Item, Tier
from lotseal.trace.jobs.models import Job, JobState
from lotseal.trace.keys import service as keys
from lotseal.trace.keys.models import SigningKey
from lotseal.trace.suppliers import service as suppliers
from lotseal.trace.system import System

ORDER = {"count": "3", "tier": "A"}


def order(system: System, **changed: str) -> str:
    with system.main.write() as session:
        batch = a_batch(session)
        return items.order_codes(session, batch, items.read_order(ORDER | changed), base=BASE, by=OPERATOR, at=AT).ref


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"count": ""}, ("count", "number.missing")),
        ({"count": "0"}, ("count", "number.too-low")),
        ({"count": "1000001"}, ("count", "number.too-high")),
        ({"count": "1.5"}, ("count", "number.whole")),
        ({"count": "many"}, ("count", "number.format")),
        ({"tier": "C"}, ("tier", "choice.unknown")),
    ],
)
def test_each_wrong_field_of_an_order_is_refused(changed: dict[str, str], problem: tuple[str, str]) -> None:
    with pytest.raises(Invalid) as error:
        items.read_order(ORDER | changed)
    assert rules(error) == [problem]


def test_an_order_is_read() -> None:
    assert items.read_order({"count": "1000000", "tier": "B", "short": "on"}) == items.Order(1_000_000, Tier.B, True)


def test_a_run_is_issued_completely_and_its_serials_differ(system: System, time: Clock) -> None:
    ref = order(system, count="2345")
    system.worker().run_all()
    with system.main.read() as session:
        run = items.get_run(session, ref)
        assert run.job is not None
        assert (run.issued, run.job.state, run.job.done, run.job.total) == (2345, JobState.DONE, 2345, 2345)
        assert session.scalar(select(func.count(func.distinct(Item.serial)))) == 2345
        assert items.counts(session, run.batch) == (2345, 0)
        assert acts(session).count("codes:issue") == 1
        assert items.runs_of(session, run.batch) == [run]


@pytest.mark.parametrize("short", [False, True])
def test_a_tag_fits_its_own_code_and_no_other(system: System, short: bool) -> None:
    with system.main.write() as session:
        batch = a_batch(session)
        secret = system.ring.secret(keys.current_secret(session).kid)
    [code] = codes(system, batch, short=short)
    assert (code.signature, code.lot) == (None, None if short else batch.lot)
    check_serial(secret, BASE, code.gtin, code.lot, code.serial)
    others = [(BASE, code.gtin, "OTHER"), ("https://evil.example", code.gtin, code.lot), (BASE, "0" * 14, code.lot)]
    for base, gtin, lot in others:
        with pytest.raises(BadSignature):
            check_serial(secret, base, gtin, lot, code.serial)


def test_a_signed_code_is_checked_with_the_public_key_alone(system: System) -> None:
    with system.main.write() as session:
        batch = a_batch(session)
    [code] = codes(system, batch, tier="B")
    with system.main.read() as session:
        jwk = json.loads(
            json.dumps(session.scalars(select(SigningKey.public_jwk).where(SigningKey.letter == "2")).one())
        )
    uri, _, text = code.link.partition("?s=")
    letter, signature = parse_signature(text)
    assert (letter, set(jwk)) == ("2", {"kty", "crv", "x", "y", "alg", "use", "kid"} & set(jwk))
    verify_item(PublicKey.from_jwk(jwk), uri.encode(), signature)
    assert uri.encode() == canonical_item_uri(BASE, code.gtin, code.lot, code.serial)
    with pytest.raises(BadSignature):
        verify_item(PublicKey.from_jwk(jwk), canonical_item_uri(BASE, code.gtin, "OTHER", code.serial), signature)


@pytest.mark.parametrize("state", [BatchState.DRAFT, BatchState.HELD, BatchState.RECALLED, BatchState.CLOSED])
def test_a_batch_in_another_state_gets_no_codes(system: System, state: BatchState) -> None:
    with system.main.write() as session:
        batch = a_batch_in(session, state, system.ring)
    with pytest.raises(Conflict) as error, system.main.write() as session:
        there = batches.get(session, batch.ref)
        items.order_codes(session, there, items.read_order(ORDER), base=BASE, by=OPERATOR, at=AT)
    assert rules(error) == [(None, "codes.batch-state")]
    with system.main.read() as session:
        assert (rows(session, CodeRun), orders(session), "codes:issue" in acts(session)) == (0, 0, False)


def test_a_suspended_suppliers_batch_gets_no_codes(system: System) -> None:
    with system.main.write() as session:
        batch = a_batch(session)
        suppliers.suspend(session, batch.supplier, "licence lapsed", by=OPERATOR, at=AT)
        with pytest.raises(Conflict) as error:
            items.order_codes(session, batch, items.read_order(ORDER), base=BASE, by=OPERATOR, at=AT)
    assert rules(error) == [(None, "codes.supplier-suspended")]


@pytest.mark.parametrize("tier", Tier)
def test_without_keys_nothing_is_ordered(system: System, tier: Tier) -> None:
    with system.main.write() as session:
        batch = a_batch(session)
        for key in keys.all_of(session):
            session.delete(key)
    with pytest.raises(Unavailable) as error, system.main.write() as session:
        there = batches.get(session, batch.ref)
        items.order_codes(session, there, items.read_order(ORDER | {"tier": tier}), base=BASE, by=OPERATOR, at=AT)
    assert rules(error) == [(None, "key.none")]
    with system.main.read() as session:
        assert (rows(session, CodeRun), rows(session, Job)) == (0, 0)


ISSUE_AND_DIE = """
import os, signal, sys
from datetime import datetime
from pathlib import Path
from lotseal.trace import settings
from lotseal.trace.jobs.service import Claimed
from lotseal.trace.system import open_system

system = open_system(settings.load())
progress = Claimed.progress

def die_after_two(self, session, done, *, at):
    progress(self, session, done, at=at)
    if done == 60000:
        os.kill(os.getpid(), signal.SIGKILL)

Claimed.progress = die_after_two
system.worker().run_all()
"""


def test_a_run_that_was_cut_off_by_a_kill_goes_on_to_exactly_its_count(system: System, time: Clock) -> None:
    ref = order(system, count="70000")
    with system.main.write() as session:
        session.scalars(select(Job)).one().run_after = AT.replace(year=2000)
    values = {field.alias: getattr(system.settings, name) for name, field in type(system.settings).model_fields.items()}
    environ = {
        "LOTSEAL_DATA": str(values["LOTSEAL_DATA"]),
        "DATABASE_URL": system.settings.database_url,
        "LOTSEAL_PUBLIC_URL": system.settings.public_url,
        "LOTSEAL_KEY_PASSPHRASE": system.settings.key_passphrase.get_secret_value(),
    }
    died = subprocess.run([sys.executable, "-c", ISSUE_AND_DIE], env=os.environ | environ, check=False)
    assert died.returncode == -signal.SIGKILL
    with system.main.read() as session:
        # The third piece was in the making when the process died, and is gone as a whole.
        assert (items.get_run(session, ref).issued, rows(session, Item)) == (40000, 40000)
    with system.main.write() as session:
        job = session.scalars(select(Job)).one()
        assert job.state == JobState.RUNNING
        assert job.lease_until is not None
        time.at = job.lease_until
    assert system.worker().run_all() == 0
    time.on(seconds=1)
    assert system.worker().run_all() == 1
    with system.main.read() as session:
        run = items.get_run(session, ref)
        assert run.job is not None
        assert (run.issued, rows(session, Item), run.job.state, run.job.attempts) == (70000, 70000, JobState.DONE, 2)


def test_a_code_is_voided_once_with_its_reason(system: System) -> None:
    with system.main.write() as session:
        batch = a_batch(session)
    first, _ = codes(system, batch, 2)
    with system.main.write() as session:
        item = items.get_item(session, first.serial)
        with pytest.raises(Invalid) as missing:
            items.void(session, item, " ", by=OPERATOR, at=AT)
        assert rules(missing) == [("reason", "text.missing")]
        items.void(session, item, "label torn", by=OPERATOR, at=AT)
        with pytest.raises(Conflict) as error:
            items.void(session, item, "again", by=OPERATOR, at=AT)
        assert rules(error) == [(None, "codes.voided")]
        assert (item.voided_at, item.void_reason, item.voided_by) == (AT, "label torn", OPERATOR.name)
        assert items.counts(session, batch) == (2, 1)
        assert acts(session).count("codes:void") == 1


def test_a_run_is_voided_as_a_whole_and_earlier_reasons_stay(system: System) -> None:
    with system.main.write() as session:
        batch = a_batch(session)
    kept = codes(system, batch, 2)
    lost = codes(system, batch, 3)
    with system.main.write() as session:
        items.void(session, items.get_item(session, lost[0].serial), "label torn", by=OPERATOR, at=AT)
        run = items.runs_of(session, batch)[0]
        with pytest.raises(Invalid):
            items.void_run(session, run, "", by=OPERATOR, at=AT)
        assert items.void_run(session, run, "roll lost", by=OPERATOR, at=AT) == 2
        assert items.void_run(session, run, "roll lost", by=OPERATOR, at=AT) == 0
    with system.main.read() as session:
        reasons = [items.get_item(session, code.serial).void_reason for code in kept + lost]
        assert reasons == [None, None, "label torn", "roll lost", "roll lost"]


def test_chen_sees_the_own_runs_and_codes_only(system: System) -> None:
    with system.main.write() as session:
        ours, theirs = a_batch(session), a_batch(session)
        c, d = chen(session, ours.supplier), dana(session, theirs.supplier)
    [mine], [other] = codes(system, ours), codes(system, theirs)
    with system.main.read() as session:
        [run] = session.scalars(items.visible_runs(c))
        assert run.batch_id == ours.id
        assert items.get_item(session, mine.serial, account=c).serial == mine.serial
        assert items.get_item(session, mine.serial).serial == mine.serial
        for account, code in ((c, other), (d, mine)):
            with pytest.raises(NotFound) as error:
                items.get_item(session, code.serial, account=account)
            assert rules(error) == [(None, "item.unknown")]
        with pytest.raises(NotFound) as error:
            items.get_run(session, run.ref, account=d)
        assert rules(error) == [(None, "run.unknown")]
        assert items.get_run(session, run.ref, account=c) is run


def test_links_are_printed_in_issue_order(system: System) -> None:
    with system.main.write() as session:
        batch = a_batch(session)
    made = codes(system, batch, 5)
    assert [code.link for code in made] == [
        f"HTTPS://T.EXAMPLE.CN/01/{code.gtin}/10/{batch.lot}/21/{code.serial}" for code in made
    ]


def test_a_job_for_a_run_that_is_gone_ends_with_its_reason(system: System, time: Clock) -> None:
    ref = order(system)
    with system.main.write() as session:
        session.scalars(select(Job)).one().payload = {"run": "gone"}
    with pytest.raises(NotFound):
        run_job(system)
    time.on(minutes=3)
    system.worker().run_all()
    with system.main.read() as session:
        job = items.get_run(session, ref).job
        assert job is not None
        assert (job.state, job.error) == (JobState.DEAD, "There is no such run of codes.")
