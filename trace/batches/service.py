"""The way of a batch: draft, submit, hold, lift, recall, close, correct. Release lives in `releases`, which sees the
certificates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import Select, delete, or_, select, update
from sqlalchemy.orm import Session

from .. import log
from ..accounts.models import Account, Role
from ..codes.lot import read_lot
from ..db.search import containing
from ..errors import Conflict, Fields, Invalid, Message, Problem, conflict, not_found, say
from ..intake import Intake
from ..jobs import service as jobs
from ..jobs.models import JobKind
from ..log import Act, Actor
from ..products.models import FormerGtin, Product
from ..suppliers.models import Supplier
from .intake import BatchDraft
from .models import Batch, BatchCorrection, BatchState, FormerLot, RecallNotice, StateChange
from .plain import refuse_softening

EDITABLE = (BatchState.DRAFT, BatchState.AWAITING_TESTS)


def add(session: Session, draft: BatchDraft, product: Product, *, by: Actor, at: datetime) -> Batch:
    """A new draft. Raises `Conflict` when the product has this lot already, or had it until it was corrected."""
    _refuse_taken(session, product.id, draft.lot)
    batch = Batch(**asdict(draft), product=product, supplier=product.supplier, added_at=at, added_by=by.name)
    session.add(batch)
    session.flush()
    _step(session, batch, BatchState.DRAFT, "", by=by, at=at)
    log.record(
        session,
        Act.BATCH_ADD,
        by=by,
        at=at,
        subject=subject(batch),
        product=product.ref,
        supplier=product.supplier.ref,
        gtin=product.gtin,
        **plain(asdict(draft)),
    )
    return batch


def _refuse_taken(session: Session, product_id: int, lot: str, own: int | None = None) -> None:
    if session.scalar(select(Batch.id).where(Batch.product_id == product_id, Batch.lot == lot)):
        raise conflict(
            "batch.lot-taken", say("This product has a batch with this lot already. Open it instead."), field="lot"
        )
    owner = session.scalar(select(FormerLot.batch_id).where(FormerLot.product_id == product_id, FormerLot.lot == lot))
    if owner is not None and owner != own:
        raise conflict(
            "batch.lot-was",
            say("This lot belonged to another batch before it was corrected, and stands on its printed codes."),
            field="lot",
        )


def renumber(session: Session, batch: Batch, raw: Mapping[str, str], *, by: Actor, at: datetime) -> str:
    """Correct a lot that was wrong. Fields: lot, reason (public). The old number keeps leading to this batch; says
    which it was. Links are moved along by `links.service.correct_lot`, which front doors call."""
    intake = Intake(raw)
    lot = intake.own("lot", read_lot, placeholder="")
    reason = intake.text("reason", most=500, lines=True)
    intake.done()
    if batch.state == BatchState.CLOSED:
        raise conflict("batch.closed", say("This batch is closed; its record does not change any more."))
    if lot == batch.lot:
        raise conflict("batch.lot-same", say("This is the number that the batch has already."), field="lot")
    _refuse_taken(session, batch.product_id, lot, own=batch.id)
    before = batch.lot
    session.execute(delete(FormerLot).where(FormerLot.product_id == batch.product_id, FormerLot.lot == lot))
    session.add(FormerLot(batch_id=batch.id, product_id=batch.product_id, lot=before, reason=reason, at=at, by=by.name))
    batch.lot = lot
    session.flush()
    log.record(
        session, Act.BATCH_RENUMBER, by=by, at=at, subject=subject(batch), changed={"lot": [before, lot]}, reason=reason
    )
    return before


def former_lots(session: Session, batch: Batch) -> Sequence[FormerLot]:
    """The numbers that this batch had before, oldest first."""
    return session.scalars(select(FormerLot).where(FormerLot.batch_id == batch.id).order_by(FormerLot.id)).all()


def change(session: Session, batch: Batch, draft: BatchDraft, *, reason: str, by: Actor, at: datetime) -> list[str]:
    """Change facts; says which. Before release freely, afterwards only with a reason, as corrections that the page
    shows. Raises `Conflict` when the lot would change (it stands on printed codes) or the batch is closed."""
    facts = asdict(draft)
    if facts.pop("lot") != batch.lot:
        raise conflict(
            "batch.lot-fixed",
            say("The lot stands on printed codes. If it was mistyped, correct the number with a reason instead."),
            field="lot",
        )
    if batch.state == BatchState.CLOSED:
        raise conflict("batch.closed", say("This batch is closed; its record does not change any more."))
    if batch.state != BatchState.DRAFT:
        _refuse_emptied(facts)
    before = plain({name: getattr(batch, name) for name in facts})
    changed = [name for name, value in plain(facts).items() if value != before[name]]
    told: dict[str, str] = {}
    if batch.state not in EDITABLE and changed:
        intake = Intake({"reason": reason})
        text = intake.text("reason", most=500, lines=True)
        intake.done()
        told = {"reason": text}
        for name in changed:
            row = BatchCorrection(
                batch_id=batch.id,
                field=name,
                before=before[name],
                after=plain(facts)[name],
                reason=text,
                at=at,
                by=by.name,
            )
            session.add(row)
    for name in changed:
        setattr(batch, name, facts[name])
    act = Act.BATCH_CHANGE if batch.state in EDITABLE else Act.BATCH_CORRECT
    if changed:
        log.record(
            session,
            act,
            by=by,
            at=at,
            subject=subject(batch),
            changed={n: [before[n], plain(facts)[n]] for n in changed},
            **told,
        )
    return changed


def submit(session: Session, batch: Batch, *, by: Actor, at: datetime) -> None:
    """The supplier says: these are the facts. From now on codes can be issued; the page says «not released»."""
    if batch.state != BatchState.DRAFT:
        raise conflict("batch.not-draft", say("Only a draft can be submitted; this batch has left that state."))
    if missing := missing_facts(batch):
        raise conflict(
            "batch.incomplete",
            say("Still missing: %(fields)s. Fill them in first.", fields=Fields(missing)),
        )
    _step(session, batch, BatchState.AWAITING_TESTS, "", by=by, at=at)
    log.record(session, Act.BATCH_SUBMIT, by=by, at=at, subject=subject(batch))


NEEDED = ("place", "country", "producer", "produced_on", "expires_on", "quantity")


def missing_facts(batch: Batch) -> list[str]:
    """Names of the fields that a submitted batch needs and this one lacks."""
    return [name for name in NEEDED if getattr(batch, name) in (None, "")]


def _refuse_emptied(facts: Mapping[str, object]) -> None:
    """What was submitted once is corrected, never taken away."""
    emptied = [name for name in NEEDED if facts[name] in (None, "")]
    if emptied:
        raise Invalid(*(Problem(name, "text.missing", say("Fill this in.")) for name in emptied))


def was_released(session: Session, batch: Batch) -> bool:
    """Whether the batch was on sale at some time; a batch can be held, recalled or closed without that."""
    query = select(StateChange.id).where(StateChange.batch_id == batch.id, StateChange.state == BatchState.RELEASED)
    return session.scalar(query.limit(1)) is not None


def hold(session: Session, batch: Batch, raw: Mapping[str, str], *, by: Actor, at: datetime) -> None:
    """Stop selling for now. Fields: reason_zh, reason_en; both are public."""
    if batch.state not in (BatchState.AWAITING_TESTS, BatchState.RELEASED):
        raise _wrong_state(say("Only a submitted or released batch can be held."))
    words = read_hold(raw)
    batch.held_from = batch.state
    batch.hold_reason_zh, batch.hold_reason_en = words["reason_zh"], words["reason_en"]
    _step(session, batch, BatchState.HELD, words["reason_zh"], by=by, at=at)
    log.record(session, Act.BATCH_HOLD, by=by, at=at, subject=subject(batch), **words)


def read_hold(raw: Mapping[str, str]) -> dict[str, str]:
    """The public words of a hold: reason_zh, reason_en. Raises `Invalid` naming every field that is wrong."""
    intake = Intake(raw)
    words = {name: intake.text(name, most=500, lines=True) for name in ("reason_zh", "reason_en")}
    intake.done()
    return words


def lift_hold(session: Session, batch: Batch, reason: str, *, by: Actor, at: datetime) -> None:
    """Back to the state before the hold, with a reason."""
    if batch.state != BatchState.HELD:
        raise _wrong_state(say("This batch is not held."))
    intake = Intake({"reason": reason})
    text = intake.text("reason", most=500, lines=True)
    intake.done()
    _step(session, batch, BatchState(batch.held_from or BatchState.AWAITING_TESTS), text, by=by, at=at)
    batch.held_from, batch.hold_reason_zh, batch.hold_reason_en = None, "", ""
    log.record(session, Act.BATCH_HOLD_LIFT, by=by, at=at, subject=subject(batch), reason=text)


def recall(session: Session, batch: Batch, raw: Mapping[str, str], *, by: Actor, at: datetime) -> RecallNotice:
    """Publish a recall. Fields: reason_zh, reason_en, remedy_zh, remedy_en, phone. There is no way back."""
    if batch.state not in (BatchState.RELEASED, BatchState.HELD, BatchState.CLOSED):
        raise _wrong_state(say("Only a batch that was released or held can be recalled."))
    if notice(session, batch):
        raise _wrong_state(say("This batch is recalled already."))
    words = read_recall(raw)
    _step(session, batch, BatchState.RECALLED, words["reason_zh"], by=by, at=at)
    published = RecallNotice(batch_id=batch.id, **words, at=at, by=by.name)
    session.add(published)
    log.record(session, Act.BATCH_RECALL, by=by, at=at, subject=subject(batch), **words)
    renew_credentials(session, batch, by=by, at=at)
    return published


def read_recall(raw: Mapping[str, str]) -> dict[str, str]:
    """The public words of a recall: reason_zh, reason_en, remedy_zh, remedy_en, phone. Raises `Invalid` naming every
    field that is wrong, also one that plays the danger down."""
    intake = Intake(raw)
    words = {
        name: intake.text(name, most=500, lines=True) for name in ("reason_zh", "reason_en", "remedy_zh", "remedy_en")
    }
    for name, text in words.items():
        refuse_softening(intake, name, text)
    words["phone"] = intake.text("phone", most=60)
    intake.done()
    return words


def renew_credentials(session: Session, batch: Batch, *, by: Actor, at: datetime) -> None:
    """Order the job that issues and revokes what the record of this batch calls for, together with a change of it."""
    jobs.enqueue(session, JobKind.CREDENTIALS, {"batch": batch.ref}, total=1, by=by, at=at)


def close(session: Session, batch: Batch, reason: str, *, by: Actor, at: datetime) -> None:
    """The record is complete; nothing of it changes any more. A hold or a recall stays on the page."""
    if batch.state not in (BatchState.RELEASED, BatchState.HELD, BatchState.RECALLED):
        raise _wrong_state(say("Only a released, held or recalled batch can be closed."))
    intake = Intake({"reason": reason})
    text = intake.text("reason", most=500, lines=True)
    intake.done()
    _step(session, batch, BatchState.CLOSED, text, by=by, at=at)
    log.record(session, Act.BATCH_CLOSE, by=by, at=at, subject=subject(batch), reason=text)


def enter_released(session: Session, batch: Batch, *, by: Actor, at: datetime) -> None:
    """The step that `releases` takes once its gate is clear."""
    if batch.state != BatchState.AWAITING_TESTS:
        raise _wrong_state(say("Only a submitted batch can be released."))
    _step(session, batch, BatchState.RELEASED, "", by=by, at=at)


def subject(batch: Batch) -> str:
    return f"batch:{batch.ref}"


def _step(session: Session, batch: Batch, state: BatchState, reason: str, *, by: Actor, at: datetime) -> None:
    # The old state stands in the WHERE: of two people who act at the same moment, one is told so.
    moved = session.execute(update(Batch).where(Batch.id == batch.id, Batch.state == batch.state).values(state=state))
    if moved.rowcount != 1:  # type: ignore[attr-defined]  # an UPDATE's result is a CursorResult
        raise _wrong_state(say("Somebody changed this batch just now. Look at it again."))
    session.add(StateChange(batch_id=batch.id, state=state, reason=reason, at=at, by=by.name))


def _wrong_state(sentence: Message) -> Conflict:
    return conflict("batch.state", sentence)


def plain(facts: Mapping[str, object]) -> dict[str, str]:
    """Facts as text, one spelling each, for corrections and acts."""
    plain = {}
    for name, value in facts.items():
        if isinstance(value, Decimal):
            plain[name] = format(value, "f")
        elif isinstance(value, date):
            plain[name] = value.isoformat()
        else:
            plain[name] = "" if value is None else str(value)
    return plain


def visible(account: Account | None) -> Select[Batch]:
    """The batches that an account may see; None is the operator's command line, which sees all."""
    query = select(Batch).join(Batch.product)
    if account is not None and account.role == Role.SUPPLIER:
        query = query.where(Batch.supplier_id == account.supplier_id)
    return query


def matching(query: Select[Batch], search: str = "", state: str = "") -> Select[Batch]:
    """Narrow by our lot, the supplier's lot, GTIN or product name, and by state."""
    if state:
        query = query.where(Batch.state == state)
    if search:
        query = query.where(
            containing(search, Batch.lot, Batch.supplier_lot, Product.gtin, Product.name_zh, Product.name_en)
        )
    return query


def get(session: Session, ref: str, *, account: Account | None = None) -> Batch:
    batch = session.scalar(visible(account).where(Batch.ref == ref))
    if batch is None:
        raise not_found("batch.unknown", say("There is no such batch."))
    return batch


def by_lot(session: Session, gtin: str, lot: str, *, account: Account | None = None) -> Batch:
    """Also by numbers that were corrected since."""
    gtins = select(FormerGtin.product_id).where(FormerGtin.gtin == gtin)
    lots = select(FormerLot.batch_id).where(FormerLot.lot == lot)
    batch = session.scalar(
        visible(account).where(
            or_(Product.gtin == gtin, Product.id.in_(gtins)), or_(Batch.lot == lot, Batch.id.in_(lots))
        )
    )
    if batch is None:
        raise not_found("batch.unknown", say("There is no batch with this GTIN and lot."))
    return batch


def steps(session: Session, batch: Batch) -> Sequence[StateChange]:
    return session.scalars(select(StateChange).where(StateChange.batch_id == batch.id).order_by(StateChange.id)).all()


def corrections(session: Session, batch: Batch) -> Sequence[BatchCorrection]:
    query = select(BatchCorrection).where(BatchCorrection.batch_id == batch.id).order_by(BatchCorrection.id)
    return session.scalars(query).all()


def notice(session: Session, batch: Batch) -> RecallNotice | None:
    return session.scalar(select(RecallNotice).where(RecallNotice.batch_id == batch.id))


def of_supplier(supplier: Supplier) -> Select[Batch]:
    return select(Batch).where(Batch.supplier_id == supplier.id)
