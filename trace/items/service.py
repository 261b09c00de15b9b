"""Order, issue and void codes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Select, func, insert, select, update
from sqlalchemy.orm import Session

from ...signing.errors import Malformed
from ...signing.item import canonical_item_uri, format_signature, new_serial, parse_signature, sign_item
from ...signing.keys import Role as KeyRole
from ...signing.merkle import Frontier, leaf_hashes, split_hashes
from .. import clock, log
from ..accounts.models import Account, Role
from ..accounts.service import SERVICE
from ..batches.models import Batch, BatchState
from ..errors import conflict, invalid, not_found, say
from ..intake import Intake
from ..jobs import service as jobs
from ..jobs.models import JobKind, JobState
from ..keys import service as keys
from ..keys.ring import KeyRing
from ..log import Act, Actor
from .models import CodeRun, Item, Tier

CHUNK = 1000
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
        tier=run.tier,
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


def issue(claimed: jobs.Claimed, ring: KeyRing) -> None:
    """The job: make the codes of a run, a thousand to a transaction. A run that was cut off goes on where it was."""
    while True:
        with claimed.database.write() as session:
            run = get_run(session, claimed.payload["run"])
            left = run.count - run.issued
            if left <= 0:
                _commit(session, run, at=clock.now())
                return
            _refuse_unfit(run.batch)
            now = clock.now()
            rows = [_new_item(run, ring, now) for _ in range(min(CHUNK, left))]
            _extend(session, run, rows)
            session.execute(insert(Item), rows)
            claimed.progress(session, run.issued, at=now)


def _extend(session: Session, run: CodeRun, rows: Sequence[Mapping[str, Any]]) -> None:
    """Let the tree over the run's links grow with each piece of work, so that the end of a long run is no work."""
    frontier = _frontier(session, run)
    lot = None if run.short else run.lot
    frontier.extend(
        leaf_hashes(
            printed_link(run.base, run.gtin, lot, row["serial"], run.letter, row["signature"]).encode() for row in rows
        )
    )
    run.issued, run.frontier = frontier.size, b"".join(frontier.hashes)


def _commit(session: Session, run: CodeRun, *, at: datetime) -> None:
    """Bind all codes of a finished run with one entry: none can be added, changed or cut out later. Done once."""
    if run.root is not None:
        return
    run.root = _frontier(session, run).root().hex()
    log.record(
        session,
        Act.CODES_COMMIT,
        by=SERVICE,
        at=at,
        subject=f"run:{run.ref}",
        chain=f"batch:{run.batch.ref}",
        key=run.kid,
        run=run.ref,
        count=run.count,
        root=run.root,
        **made_with(run),
    )


def _frontier(session: Session, run: CodeRun) -> Frontier:
    if run.frontier or not run.issued:
        return Frontier.from_hashes(run.issued, split_hashes(run.frontier))
    # A run that began before there was a log: its tree is grown from its codes.
    frontier = Frontier()
    for links in printed_links(session, run):
        frontier.extend(leaf_hashes(links))
    return frontier


def made_with(run: CodeRun) -> dict[str, object]:
    """What the links of a run were made with, as plain JSON."""
    return {name: getattr(run, name) for name in ("tier", "short", "base", "gtin", "lot", "kid", "letter", "tag_kid")}


def printed_links(session: Session, run: CodeRun) -> Iterator[list[bytes]]:
    """The links of a run in the order of issue, in handfuls, so that a million of them fits into memory."""
    lot = None if run.short else run.lot
    query = select(Item.serial, Item.signature).where(Item.run_id == run.id).order_by(Item.id)
    for rows in session.execute(query.execution_options(yield_per=CHUNK)).partitions(CHUNK):
        yield [
            printed_link(run.base, run.gtin, lot, serial, run.letter, signature).encode() for serial, signature in rows
        ]


def _new_item(run: CodeRun, ring: KeyRing, at: datetime) -> dict[str, object]:
    lot = None if run.short else run.lot
    serial = new_serial(ring.secret(run.tag_kid), run.base, run.gtin, lot)
    signature = None
    if run.kid and run.letter:
        uri = canonical_item_uri(run.base, run.gtin, lot, serial)
        signature = parse_signature(sign_item(ring.pair(run.kid), run.letter, uri))[1]
    return {"serial": serial, "batch_id": run.batch_id, "run_id": run.id, "signature": signature, "issued_at": at}


def link(run: CodeRun, item: Item) -> str:
    """What the QR symbol says: the canonical Digital Link, with the signature behind it for tier B."""
    return printed_link(run.base, run.gtin, None if run.short else run.lot, item.serial, run.letter, item.signature)


def printed_link(
    base: str, gtin: str, lot: str | None, serial: str, letter: str | None, signature: bytes | None
) -> str:
    """The same from plain facts."""
    uri = canonical_item_uri(base, gtin, lot, serial).decode()
    return f"{uri}?s={format_signature(letter, signature)}" if letter and signature else uri


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


def _record_void(session: Session, subject: str, batch: Batch, *, by: Actor, at: datetime, **facts: object) -> None:
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
