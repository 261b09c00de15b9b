"""The way of a batch: every action in every state, allowed or refused, and nothing in between."""

# ruff: noqa: PT012 - an error has to pass through the end of a transaction, so both stand in one block
from __future__ import annotations

from collections.abc import Callable
from threading import Barrier, Thread

import pytest
from makers import AT, HOLD, RECALL, a_batch, a_batch_in, a_certificate, acts, batch_draft, released, rows, rules
from sqlalchemy.orm import Session

from lotseal.trace.accounts.service import OPERATOR
from lotseal.trace.batches import service as batches
from lotseal.trace.batches.models import Batch, BatchCorrection, BatchState, RecallNotice, StateChange
from lotseal.trace.errors import Conflict, Invalid
from lotseal.trace.items import service as items
from lotseal.trace.keys.ring import KeyRing
from lotseal.trace.log.models import AuditAct
from lotseal.trace.releases import service as releases
from lotseal.trace.system import System

Action = Callable[[Session, Batch, KeyRing], object]

ACTIONS: dict[str, Action] = {
    "submit": lambda session, batch, ring: batches.submit(session, batch, by=OPERATOR, at=AT),
    "release": lambda session, batch, ring: releases.release(session, batch, ring, by=OPERATOR, at=AT),
    "hold": lambda session, batch, ring: batches.hold(session, batch, HOLD, by=OPERATOR, at=AT),
    "lift": lambda session, batch, ring: batches.lift_hold(session, batch, "fine", by=OPERATOR, at=AT),
    "recall": lambda session, batch, ring: batches.recall(session, batch, RECALL, by=OPERATOR, at=AT),
    "close": lambda session, batch, ring: batches.close(session, batch, "sold", by=OPERATOR, at=AT),
    "change": lambda session, batch, ring: batches.change(
        session, batch, batch_draft(place="星村"), reason="typing error", by=OPERATOR, at=AT
    ),
    "codes": lambda session, batch, ring: items.order_codes(
        session, batch, items.read_order({"count": "1", "tier": "A"}), base="https://t.example.cn", by=OPERATOR, at=AT
    ),
    "certificate": lambda session, batch, ring: a_certificate(session, batch, accepted=False),
}

D, A, R, H, X, C = BatchState
# What each action leads to; an action that is not named is a conflict in that state.
ALLOWED: dict[BatchState, dict[str, BatchState]] = {
    D: {"submit": A, "change": D, "certificate": D},
    A: {"release": R, "hold": H, "change": A, "codes": A, "certificate": A},
    R: {"hold": H, "recall": X, "close": C, "change": R, "codes": R, "certificate": R},
    H: {"lift": R, "recall": X, "close": C, "change": H, "certificate": H},
    X: {"close": C, "change": X, "certificate": X},
    C: {"recall": X},
}


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("state", BatchState)
def test_each_action_in_each_state_is_allowed_or_a_conflict(
    lasting: Session, ring: KeyRing, state: BatchState, action: str
) -> None:
    batch = a_batch_in(lasting, state, ring)
    if (state, action) == (A, "release"):
        a_certificate(lasting, batch)
    counted = (AuditAct, StateChange, BatchCorrection, RecallNotice)
    before = [rows(lasting, model) for model in counted]
    if action in ALLOWED[state]:
        ACTIONS[action](lasting, batch, ring)
        assert batch.state == ALLOWED[state][action]
        assert rows(lasting, AuditAct) == before[0] + 1
        assert rows(lasting, StateChange) == before[1] + (batch.state != state)
    else:
        with pytest.raises(Conflict):
            ACTIONS[action](lasting, batch, ring)
        lasting.refresh(batch)
        assert batch.state == state
        assert [rows(lasting, model) for model in counted] == before


def test_a_hold_before_release_is_lifted_to_where_it_came_from(lasting: Session) -> None:
    batch = a_batch(lasting)
    batches.hold(lasting, batch, HOLD, by=OPERATOR, at=AT)
    assert (batch.hold_reason_zh, batch.hold_reason_en) == (HOLD["reason_zh"], HOLD["reason_en"])
    batches.lift_hold(lasting, batch, "second test passed", by=OPERATOR, at=AT)
    assert (batch.state, batch.held_from, batch.hold_reason_zh) == (BatchState.AWAITING_TESTS, None, "")
    assert not batches.was_released(lasting, batch)


def test_every_step_is_kept_with_its_reason(lasting: Session, ring: KeyRing) -> None:
    batch = released(lasting, ring)
    batches.hold(lasting, batch, HOLD, by=OPERATOR, at=AT)
    batches.lift_hold(lasting, batch, "second test passed", by=OPERATOR, at=AT)
    batches.recall(lasting, batch, RECALL, by=OPERATOR, at=AT)
    assert [(step.state, step.reason) for step in batches.steps(lasting, batch)] == [
        ("draft", ""),
        ("awaiting-tests", ""),
        ("released", ""),
        ("held", HOLD["reason_zh"]),
        ("released", "second test passed"),
        ("recalled", RECALL["reason_zh"]),
    ]
    assert batches.was_released(lasting, batch)
    assert acts(lasting)[-4:] == ["batch:release", "batch:hold", "batch:hold-lift", "batch:recall"]


def test_a_recall_is_kept_word_for_word(lasting: Session, ring: KeyRing) -> None:
    batch = released(lasting, ring)
    assert batches.notice(lasting, batch) is None
    batches.recall(lasting, batch, RECALL, by=OPERATOR, at=AT)
    notice = batches.notice(lasting, batch)
    assert notice is not None
    assert {name: getattr(notice, name) for name in RECALL} == RECALL


@pytest.mark.parametrize("field", ["reason_zh", "reason_en"])
def test_a_hold_needs_its_reason_in_both_languages(lasting: Session, field: str) -> None:
    batch = a_batch(lasting)
    with pytest.raises(Invalid) as error:
        batches.hold(lasting, batch, {**HOLD, field: ""}, by=OPERATOR, at=AT)
    assert rules(error) == [(field, "text.missing")]
    assert (batch.state, batch.held_from) == (BatchState.AWAITING_TESTS, None)
    assert acts(lasting)[-1] == "batch:submit"


@pytest.mark.parametrize("field", RECALL)
def test_a_recall_needs_every_part(lasting: Session, ring: KeyRing, field: str) -> None:
    batch = released(lasting, ring)
    with pytest.raises(Invalid) as error:
        batches.recall(lasting, batch, {**RECALL, field: " "}, by=OPERATOR, at=AT)
    assert rules(error) == [(field, "text.missing")]
    assert (batch.state, rows(lasting, RecallNotice)) == (BatchState.RELEASED, 0)


@pytest.mark.parametrize(
    ("state", "action"), [(BatchState.HELD, batches.lift_hold), (BatchState.RELEASED, batches.close)]
)
def test_lifting_and_closing_need_a_reason(
    lasting: Session, ring: KeyRing, state: BatchState, action: Callable[..., None]
) -> None:
    batch = a_batch_in(lasting, state, ring)
    with pytest.raises(Invalid) as error:
        action(lasting, batch, "", by=OPERATOR, at=AT)
    assert rules(error) == [("reason", "text.missing")]
    assert batch.state == state


def test_of_two_people_who_act_on_one_batch_at_the_same_moment_one_is_refused(system: System) -> None:
    with system.main.write() as session:
        ref = released(session, system.ring).ref
    both, outcomes = Barrier(2), []

    def act(action: str) -> None:
        # Both look at the page before either of them acts, as two people do.
        with system.main.read() as session:
            batches.get(session, ref)
        both.wait()
        try:
            with system.main.write() as session:
                ACTIONS[action](session, batches.get(session, ref), system.ring)
            outcomes.append("done")
        except Conflict:
            outcomes.append("refused")

    threads = [Thread(target=act, args=("recall",)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["done", "refused"]
    with system.main.read() as session:
        assert rows(session, RecallNotice) == 1


def test_who_acts_on_what_somebody_changed_meanwhile_is_told_so(postgres_system: System) -> None:
    system = postgres_system
    with system.main.write() as session:
        ref = released(session, system.ring).ref
    with pytest.raises(Conflict, match="just now") as error, system.main.write() as late:
        batch = batches.get(late, ref)
        with system.main.write() as quick:
            batches.recall(quick, batches.get(quick, ref), RECALL, by=OPERATOR, at=AT)
        batches.close(late, batch, "sold", by=OPERATOR, at=AT)
    assert rules(error) == [(None, "batch.state")]
    with system.main.read() as session:
        assert batches.get(session, ref).state == BatchState.RECALLED


def test_a_recalled_batch_that_was_closed_is_not_recalled_a_second_time(lasting: Session, ring: KeyRing) -> None:
    batch = a_batch_in(lasting, X, ring)
    ACTIONS["close"](lasting, batch, ring)
    with pytest.raises(Conflict, match="recalled already"):
        ACTIONS["recall"](lasting, batch, ring)
    assert batch.state == C
