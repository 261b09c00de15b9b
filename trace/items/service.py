"""Order, issue and void codes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Select, func, insert, select, update
from sqlalchemy.orm import Session

from ...signing.context import Context
from ...signing.errors import Malformed
from ...signing.item import canonical_item_uri
from ...signing.keys import Role as KeyRole
from ...signing.keys import Signer
from ...signing.plate import Plate
from ...signing.secret import MacSecret
from .. import clock, log
from ..accounts.models import Account, Role
from ..batches.models import Batch, BatchState
from ..db.base import Base
from ..errors import conflict, invalid, not_found, say
from ..intake import Intake
from ..jobs import service as jobs
from ..jobs.models import JobKind, JobState
from ..keys import service as keys
from ..keys.ring import KeyRing
from ..log import Act, Actor
from . import commitment
from .commitment import link as link
from .commitment import printed_link as printed_link
from .models import CodeRun, Item, Tier

CHUNK = 20_000
"""Codes to a transaction. Each one rewrites pages all over the index of serials, which are random: small ones would
write the index many times over."""
MOST = 1_000_000
ISSUABLE = (BatchState.AWAITING_TESTS, BatchState.RELEASED)


@dataclass(frozen=True)
class Order:
    count: int
    tier: Tier
    short: bool


def read_order(raw: Mapping[str, str]) -> Order:
    """Fields: count (1 to 1,000,000), tier (A or B), short."""
    intake = Intake(raw)
    count = intake.number("count", low=Decimal(1), high=Decimal(MOST))
    if count is not None and count != int(count):
        intake.refuse("count", "number.whole", say("Give a whole number."))
    order = Order(int(count or 0), intake.choice("tier", Tier, default=Tier.A), intake.flag("short"))
    intake.done()
    return order


def order_codes(session: Session, batch: Batch, order: Order, *, base: str, by: Actor, at: datetime) -> CodeRun:
    """Write down the run and the job that will issue it. Raises `Conflict` when the batch or its supplier may not have
    codes now, `Invalid` when the address of the codes is none, `Unavailable` without keys."""
    _refuse_bad_base(base)
    _refuse_unfit(batch)
    pair = keys.current_pair(session, KeyRole.ITEM) if order.tier is Tier.B else None
    run = CodeRun(
        batch=batch,
        tier=order.tier,
        short=order.short,
        count=order.count,
        base=base,
        gtin=batch.product.gtin,
        lot=batch.lot,
        kid=pair.kid if pair else None,
        letter=pair.letter if pair else None,
        tag_kid=keys.current_secret(session).kid,
        added_at=at,
        added_by=by.name,
    )
    session.add(run)
    session.flush()
    run.job = jobs.enqueue(session, JobKind.ISSUE_CODES, {"run": run.ref}, total=order.count, by=by, at=at)
    log.record(
        session,
        Act.CODES_ISSUE,
        by=by,
        at=at,
        subject=f"batch:{batch.ref}",
        run=run.ref,
        count=run.count,
        **commitment.ordered_with(run),
    )
    return run


def issue_again(session: Session, run: CodeRun, *, by: Actor, at: datetime) -> None:
    """A new job for a run whose job gave up; it goes on where that one stopped. Raises `Conflict` for any other run."""
    if run.job is None or run.job.state != JobState.DEAD:
        raise conflict("codes.job-alive", say("This job did not give up. Wait until it ends."))
    run.job = jobs.enqueue(session, JobKind.ISSUE_CODES, {"run": run.ref}, total=run.count, by=by, at=at)
    run.job.done = run.issued
    left = run.count - run.issued
    log.record(
        session, Act.CODES_ISSUE, by=by, at=at, subject=f"batch:{run.batch.ref}", run=run.ref, again=True, left=left
    )


def _refuse_bad_base(base: str) -> None:
    """Before the run is ordered: its job could only fail later, out of sight."""
    try:
        canonical_item_uri(base, "0" * 14, None, "2")
    except Malformed:
        raise invalid(
            "LOTSEAL_PUBLIC_URL",
            "setting.missing",
            say("Set LOTSEAL_PUBLIC_URL to scheme and host of the printed codes, such as https://t.example.cn."),
        ) from None


def _refuse_unfit(batch: Batch) -> None:
    """Asked when codes are ordered and again while they are made: a recall or suspension stops a run in the middle."""
    if batch.state not in ISSUABLE:
        raise conflict(
            "codes.batch-state",
            say("Codes are issued for submitted and released batches only. Submit the batch first."),
        )
    if batch.supplier.suspended:
        raise conflict("codes.supplier-suspended", say("The supplier is suspended. Resume the supplier first."))


def issue(claimed: jobs.Claimed, ring: KeyRing, time: Callable[[CodeRun], datetime] | None = None) -> None:
    """The job: make the codes of a run, some thousand at a time. A run that was cut off goes on where it was. `time`
    says when a run's codes are made; the clock does unless a story of the past is told."""
    while piece := _next_piece(claimed, ring):
        rows = piece.rows()
        with claimed.database.write() as session:
            run = get_run(session, claimed.payload["run"])
            _refuse_unfit(run.batch)
            if not _hold_keys(session, run):
                continue
            # After the keys are held: a revocation then comes after every code that it lets count.
            now = time(run) if time else clock.now()
            commitment.extend(session, run, rows)
            # Into the table, not through the mapped class, which takes as long again for each row.
            session.execute(
                insert(Base.metadata.tables[Item.__tablename__]), [row | {"issued_at": now} for row in rows]
            )
            if run.issued >= run.count:
                # Not later: a key that is revoked in between would have committed to its codes after its end.
                commitment.commit(session, run, at=now)
            claimed.progress(session, run.issued, at=clock.now())


@dataclass(frozen=True)
class _Piece:
    """Codes that are to be made, and with what. Making them holds up nobody: no transaction is open meanwhile."""

    batch_id: int
    run_id: int
    count: int
    plate: Plate
    secret: MacSecret
    signer: Signer | None

    def rows(self) -> list[dict[str, object]]:
        same: dict[str, object] = {"batch_id": self.batch_id, "run_id": self.run_id, "signature": None}
        rows = [same | {"serial": serial} for serial in self.plate.serials(self.secret, self.count)]
        if self.signer:
            for row in rows:
                row["signature"] = self.signer.sign(Context.ITEM, self.plate.uri(str(row["serial"])))
        return rows


def _next_piece(claimed: jobs.Claimed, ring: KeyRing) -> _Piece | None:
    """What is to be made next; None when the run has all its codes. A run that has none yet takes the keys of today."""
    with claimed.database.write() as session:
        run = get_run(session, claimed.payload["run"])
        left = run.count - run.issued
        if left <= 0:
            commitment.commit(session, run, at=clock.now())
            return None
        _refuse_unfit(run.batch)
        if not _hold_keys(session, run):
            if run.kid:
                pair = keys.pair_to_sign(session, KeyRole.ITEM)
                run.kid, run.letter = pair.kid, pair.letter
            run.tag_kid = keys.secret_to_tag(session).kid
        signer = ring.signer(keys.get(session, run.kid)) if run.kid else None
        plate = commitment.plate_of(run)
        return _Piece(run.batch_id, run.id, min(CHUNK, left), plate, ring.secret(run.tag_kid), signer)


def _hold_keys(session: Session, run: CodeRun) -> bool:
    """Hold the keys of a run, so that they can be neither retired nor revoked before this transaction is committed.

    False for a run without codes whose keys were retired: it takes others. One that has begun ends with its own, unless
    one of them was revoked: then this raises `Conflict`, for nothing that it made would count."""
    held = keys.held(session, [kid for kid in (run.kid, run.tag_kid) if kid]).values()
    if not run.issued and any(key.retired_at for key in held):
        return False
    if any(key.revoked_at for key in held):
        raise conflict(
            "codes.key-revoked", say("A key of this run was revoked while it was made. Order the rest as a new run.")
        )
    return True


def void(session: Session, item: Item, reason: str, *, by: Actor, at: datetime) -> None:
    """Take a code out of use. It stays readable with its reason; there is no way back."""
    intake = Intake({"reason": reason})
    text = intake.text("reason", most=500, lines=True)
    intake.done()
    if item.voided_at:
        raise conflict("codes.voided", say("This code is voided already."))
    item.voided_at, item.void_reason, item.voided_by = at, text, by.name
    batch = session.get_one(Batch, item.batch_id)
    _record_void(session, f"item:{item.serial}", batch, by=by, at=at, reason=text)


def void_run(session: Session, run: CodeRun, reason: str, *, by: Actor, at: datetime) -> int:
    """Take every code of a run out of use, for instance when a roll of labels was lost; says how many."""
    intake = Intake({"reason": reason})
    text = intake.text("reason", most=500, lines=True)
    intake.done()
    if run.job is not None and run.job.state in (JobState.QUEUED, JobState.RUNNING):
        raise conflict("codes.run-unfinished", say("This run is still being issued. Void it when the job has ended."))
    done = session.execute(
        update(Item)
        .where(Item.run_id == run.id, Item.voided_at.is_(None))
        .values(voided_at=at, void_reason=text, voided_by=by.name)
    )
    count = int(done.rowcount)  # type: ignore[attr-defined]  # an UPDATE's result is a CursorResult
    _record_void(session, f"run:{run.ref}", run.batch, by=by, at=at, reason=text, count=count)
    return count


def _record_void(session: Session, subject: str, batch: Batch, *, by: Actor, at: datetime, **facts: Any) -> None:
    """Voids belong to the history of the batch."""
    log.record(session, Act.CODES_VOID, by=by, at=at, subject=subject, chain=f"batch:{batch.ref}", **facts)


def visible_runs(account: Account | None) -> Select[CodeRun]:
    query = select(CodeRun).join(CodeRun.batch)
    if account is not None and account.role == Role.SUPPLIER:
        query = query.where(Batch.supplier_id == account.supplier_id)
    return query


def get_run(session: Session, ref: str, *, account: Account | None = None) -> CodeRun:
    run = session.scalar(visible_runs(account).where(CodeRun.ref == ref))
    if run is None:
        raise not_found("run.unknown", say("There is no such run of codes."))
    return run


def runs_of(session: Session, batch: Batch) -> Sequence[CodeRun]:
    return session.scalars(select(CodeRun).where(CodeRun.batch_id == batch.id).order_by(CodeRun.id.desc())).all()


def get_item(session: Session, serial: str, *, account: Account | None = None) -> Item:
    query = select(Item).where(Item.serial == serial)
    if account is not None and account.role == Role.SUPPLIER:
        query = query.join(Batch, Batch.id == Item.batch_id).where(Batch.supplier_id == account.supplier_id)
    item = session.scalar(query)
    if item is None:
        raise not_found("item.unknown", say("There is no such code."))
    return item


def items_of(run: CodeRun) -> Select[Item]:
    return select(Item).where(Item.run_id == run.id).order_by(Item.id)


def counts(session: Session, batch: Batch) -> tuple[int, int]:
    """Issued and voided codes of a batch."""
    row = session.execute(
        select(func.count(Item.id), func.count(Item.voided_at)).where(Item.batch_id == batch.id)
    ).one()
    return int(row[0]), int(row[1])
