"""A stolen key: what it signed before still counts, what it signs from then on does not."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from makers import AT, BASE, Clock, a_batch, a_visitor, acts, codes, release, rows, rules, run_job
from sqlalchemy import select
from sqlalchemy.orm import Session

from lotseal.signing.errors import BadSignature
from lotseal.signing.item import canonical_item_uri, new_serial, sign_item
from lotseal.signing.keys import Role
from lotseal.trace import clock
from lotseal.trace.accounts.service import OPERATOR
from lotseal.trace.batches import service as batches
from lotseal.trace.batches.models import Batch
from lotseal.trace.errors import Conflict, Invalid, NotFound
from lotseal.trace.items import service as items
from lotseal.trace.items.models import CodeRun, Item
from lotseal.trace.jobs import service as jobs
from lotseal.trace.keys import service as keys
from lotseal.trace.keys.models import SigningKey
from lotseal.trace.keys.ring import KeyRing
from lotseal.trace.passport import service as passport
from lotseal.trace.passport.model import State
from lotseal.trace.releases import service as releases
from lotseal.trace.system import System

WHY = "stolen laptop"


def revoke(system: System, kid: str) -> list[SigningKey]:
    with system.main.write() as session:
        key = keys.to_revoke(session, kid)
        return keys.revoke(session, key, WHY, system.ring, by=OPERATOR, at=clock.now())


def state(system: System, asked: passport.Asked) -> State:
    return passport.look_up(system.desk, asked, a_visitor(), at=AT).state


def current(system: System, kind: str) -> str:
    with system.main.read() as session:
        return keys.current_secret(session).kid if kind == "tag" else keys.current_pair(session, Role(kind)).kid


def submitted(system: System) -> Batch:
    with system.main.write() as session:
        return a_batch(session)


def order(system: System, batch: Batch, count: int, tier: str = "B") -> str:
    asked = items.read_order({"count": str(count), "tier": tier})
    with system.main.write() as session:
        there = batches.get(session, batch.ref)
        return items.order_codes(session, there, asked, base=BASE, by=OPERATOR, at=AT).ref


@pytest.mark.parametrize(("kind", "tier"), [("item", "B"), ("tag", "A"), ("tag", "B")])
def test_codes_from_before_stay_valid_and_codes_from_then_on_do_not(
    system: System, time: Clock, kind: str, tier: str
) -> None:
    batch = submitted(system)
    before, at_once, after = codes(system, batch, 3, tier)
    kid = current(system, kind)
    moment = time.on(minutes=5)
    with system.main.write() as session:
        found = {item.serial: item for item in session.scalars(select(Item))}
        found[at_once.serial].issued_at = moment
        found[after.serial].issued_at = moment + timedelta(microseconds=1)
    revoke(system, kid)
    assert state(system, before.asked()) is State.NOT_RELEASED
    for code in (at_once, after):
        assert state(system, code.asked()) is State.BAD_SIGNATURE
        assert state(system, code.asked(signature=None)) is State.BAD_SIGNATURE
    [new] = codes(system, batch, 1, tier)
    assert state(system, new.asked()) is State.NOT_RELEASED


def test_a_code_that_a_thief_makes_and_that_has_no_record_is_forged(system: System, time: Clock) -> None:
    batch = submitted(system)
    [code] = codes(system, batch, 1, "B")
    pair, tag = current(system, "item"), current(system, "tag")
    serial = new_serial(system.ring.secret(tag), BASE, code.gtin, batch.lot)
    uri = canonical_item_uri(BASE, code.gtin, batch.lot, serial)
    signature = sign_item(system.ring.pair(pair), "2", uri)
    made = code.asked(serial=serial, signature=signature)
    assert state(system, made) is State.UNKNOWN
    time.on(minutes=5)
    revoke(system, tag)
    assert state(system, made) is State.BAD_SIGNATURE
    assert state(system, code.asked(serial=serial, signature=None)) is State.BAD_SIGNATURE


@pytest.mark.parametrize("kind", ["item", "tag", "credential", "log", "status"])
def test_a_current_key_is_replaced_at_once(system: System, time: Clock, kind: str) -> None:
    kid = current(system, kind)
    at = time.on(minutes=5)
    [made] = revoke(system, kid)
    assert current(system, kind) == made.kid != kid
    with system.main.read() as session:
        key = keys.get(session, kid)
        assert (key.state, key.revoked_at, key.retired_at, key.revoked_reason) == ("revoked", at, at, WHY)
        assert acts(session) == ["key:revoke", "key:add"]
        [told] = [entry for entry in keys.history(session) if entry["kid"] == kid]
        assert (told["revoked_at"], told["reason"]) == (at.isoformat(timespec="microseconds"), WHY)


def test_a_retired_key_can_still_be_revoked_and_needs_no_successor(system: System, time: Clock) -> None:
    kid = current(system, "credential")
    with system.main.write() as session:
        keys.rotate(session, system.ring, Role.CREDENTIAL, by=OPERATOR, at=AT)
    time.on(minutes=5)
    assert revoke(system, kid) == []
    with system.main.read() as session:
        assert keys.get(session, kid).retired_at == AT


def test_revoking_needs_a_reason_a_key_and_happens_once(lasting: Session, ring: KeyRing) -> None:
    key = keys.current_pair(lasting, Role.CREDENTIAL)
    with pytest.raises(Invalid) as refused:
        keys.revoke(lasting, key, "  ", ring, by=OPERATOR, at=AT)
    assert rules(refused) == [("reason", "text.missing")]
    assert key.revoked_at is None
    keys.revoke(lasting, key, WHY, ring, by=OPERATOR, at=AT)
    with pytest.raises(Conflict) as again:
        keys.revoke(lasting, key, WHY, ring, by=OPERATOR, at=AT)
    assert rules(again) == [(None, "key.revoked")]
    with pytest.raises(NotFound):
        keys.to_revoke(lasting, "unknown")
    assert keys.get(lasting, key.ref) is key


def test_without_a_passphrase_nothing_is_revoked_by_halves(sqlite_system: System, time: Clock) -> None:
    kid = current(sqlite_system, "item")
    locked = KeyRing(sqlite_system.settings.keys_folder, "")
    with pytest.raises(Exception, match="LOTSEAL_KEY_PASSPHRASE"), sqlite_system.main.write() as session:
        keys.revoke(session, keys.to_revoke(session, kid), WHY, locked, by=OPERATOR, at=clock.now())
    assert current(sqlite_system, "item") == kid


# --- releases ---------------------------------------------------------------------------------------------------------


def test_a_release_from_before_stays_sound_and_one_signed_later_fails(lasting: Session, ring: KeyRing) -> None:
    row = release(lasting, a_batch(lasting), ring)
    key = keys.to_revoke(lasting, row.kid)
    keys.revoke(lasting, key, WHY, ring, by=OPERATOR, at=AT + timedelta(seconds=1))
    releases.check(lasting, row)
    for moment in (AT, AT - timedelta(days=1)):
        key.revoked_at = moment
        with pytest.raises(BadSignature) as refused:
            releases.check(lasting, row)
        assert refused.value.rule == "release.key-revoked"


def test_a_release_whose_record_was_dated_back_is_found(lasting: Session, ring: KeyRing) -> None:
    row = release(lasting, a_batch(lasting), ring)
    row.at = AT - timedelta(days=1)
    with pytest.raises(BadSignature) as refused:
        releases.check(lasting, row)
    assert refused.value.rule == "release.time"


# --- runs that are being made -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("act", ["rotate", "revoke"])
def test_a_run_without_codes_takes_the_keys_of_today(system: System, time: Clock, act: str) -> None:
    batch = submitted(system)
    ref = order(system, batch, 2)
    if act == "rotate":
        with system.main.write() as session:
            keys.rotate(session, system.ring, Role.ITEM, by=OPERATOR, at=clock.now())
    else:
        revoke(system, current(system, "item"))
    run_job(system)
    with system.main.read() as session:
        run = items.get_run(session, ref)
        assert (run.letter, run.kid) == ("3", keys.current_pair(session, Role.ITEM).kid)
        assert run.tag_kid == keys.current_secret(session).kid
        assert rows(session, Item) == 2


def begun(system: System, monkeypatch: pytest.MonkeyPatch) -> str:
    """A run that lost its worker after its first piece."""
    monkeypatch.setattr(items, "CHUNK", 2)
    ref = order(system, submitted(system), 5)
    job = jobs.claim(system.main, "test", at=AT)
    assert job is not None
    real = jobs.Claimed.progress

    def once(self: jobs.Claimed, session: Session, done: int, *, at: object) -> None:
        if done > 2:
            raise jobs.Lost
        real(self, session, done, at=at)  # type: ignore[arg-type]  # passed through as it came

    with monkeypatch.context() as patch:
        patch.setattr(jobs.Claimed, "progress", once)
        with pytest.raises(jobs.Lost):
            items.issue(jobs.Claimed(job, system.main), system.ring)
    return ref


def go_on(system: System, ref: str) -> None:
    with system.main.read() as session:
        job = items.get_run(session, ref).job
    assert job is not None
    items.issue(jobs.Claimed(job, system.main), system.ring)


def test_a_run_that_has_begun_ends_with_its_own_keys(
    system: System, time: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    ref = begun(system, monkeypatch)
    with system.main.write() as session:
        keys.rotate(session, system.ring, Role.ITEM, by=OPERATOR, at=time.on(minutes=1))
    go_on(system, ref)
    with system.main.read() as session:
        assert (items.get_run(session, ref).letter, rows(session, Item)) == ("2", 5)


@pytest.mark.parametrize("kind", ["item", "tag"])
def test_a_run_that_has_begun_stops_when_its_key_is_revoked(
    system: System, time: Clock, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    ref = begun(system, monkeypatch)
    time.on(minutes=1)
    revoke(system, current(system, kind))
    with pytest.raises(Conflict) as refused:
        go_on(system, ref)
    assert rules(refused) == [(None, "codes.key-revoked")]
    with system.main.read() as session:
        assert rows(session, Item) == 2


def test_a_revocation_waits_for_codes_that_are_being_stored(postgres_system: System) -> None:
    """The row of the key is held: the time of the revocation is taken after everything that still counts."""
    system = postgres_system
    kid = current(system, "item")
    done = threading.Event()

    def thief_hunter() -> None:
        revoke(system, kid)
        done.set()

    with system.main.write() as session:
        assert keys.held(session, [kid])[kid].revoked_at is None
        hunter = threading.Thread(target=thief_hunter)
        hunter.start()
        assert not done.wait(0.5)
        signed_at = clock.now()
    hunter.join(30)
    with system.main.read() as session:
        revoked_at = keys.get(session, kid).revoked_at
    assert revoked_at is not None
    assert revoked_at > signed_at
    with system.main.read() as session:
        assert rows(session, CodeRun) == 0
