"""Order a print run, make it, read it back, offer it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import Select, exists, select
from sqlalchemy.orm import Session

from .. import clock, log
from ..accounts.models import Account, Role
from ..batches.models import Batch
from ..carriers.symbols import Carrier
from ..errors import Invalid, Problem, conflict, not_found, say
from ..files.storage import LocalStorage
from ..items import service as items
from ..items.models import CodeRun, Item
from ..jobs import service as jobs
from ..jobs.models import JobKind, JobState
from ..log import Act, Actor
from . import checks, making
from .compose import Label
from .layouts import LAYOUTS, Layout, Room, place, room_of
from .marks import mark
from .models import LabelSheet, Output, Verification
from .orders import MOST, OWN, LabelCarrier, Language, LayoutName, SheetOrder, read_sheet_order

__all__ = [
    "LAYOUTS",
    "MOST",
    "OWN",
    "LabelCarrier",
    "Language",
    "LayoutName",
    "Output",
    "SheetOrder",
    "earlier",
    "example",
    "get",
    "make",
    "make_again",
    "of_run",
    "order_sheet",
    "qr_fits",
    "read_sheet_order",
    "refuse_unprintable",
    "room_on_label",
    "unverified_of",
    "visible",
]


def order_sheet(session: Session, run: CodeRun, order: SheetOrder, *, by: Actor, at: datetime) -> LabelSheet:
    """Raises `Conflict` while the run is not issued completely or when every chosen code is voided, `Invalid` for
    labels that could not be printed."""
    if run.issued < run.count:
        raise conflict(
            "labels.run-unfinished",
            say(
                "%(issued)d of %(count)d codes are issued. Print when all are there.",
                issued=run.issued,
                count=run.count,
            ),
        )
    refuse_unprintable(order, example(session, run, order.first))
    if not _some_valid(session, run, order):
        raise conflict(
            "labels.all-void",
            say("All of these codes are voided, so there is nothing to print. Choose others, or issue new ones."),
            field="first",
        )
    sheet = LabelSheet(
        run=run,
        layout=order.layout,
        language=order.language,
        start=order.start,
        first=order.first,
        count=order.count,
        carrier=order.carrier,
        output=order.output,
        measures=order.measures,
        fields=",".join(sorted(order.fields)),
        copies=order.copies,
        dpi=order.dpi,
        added_at=at,
        added_by=by.name,
    )
    session.add(sheet)
    session.flush()
    before = [other.ref for other in earlier(session, sheet)]
    _enqueue(session, sheet, by=by, at=at)
    log.record(
        session,
        Act.LABELS_PRINT,
        by=by,
        at=at,
        subject=f"run:{run.ref}",
        sheet=sheet.ref,
        first=order.first,
        count=order.count,
        output=order.output,
        carrier=order.carrier,
        layout=order.layout,
        copies=order.copies,
        printed_before=before,
    )
    return sheet


def _some_valid(session: Session, run: CodeRun, order: SheetOrder) -> bool:
    chosen = items.items_of(run).with_only_columns(Item.voided_at).offset(order.first).limit(order.count).subquery()
    return bool(session.scalar(select(exists().where(chosen.c.voided_at.is_(None)))))


def _enqueue(session: Session, sheet: LabelSheet, *, by: Actor, at: datetime) -> None:
    total = making.steps(making.plan_of(sheet), sheet.count)
    sheet.job = jobs.enqueue(session, JobKind.PRINT_LABELS, {"sheet": sheet.ref}, total=total, by=by, at=at)


def example(session: Session, run: CodeRun, first: int = 0) -> Label | None:
    """The label of one code of the run; None while it has none."""
    item = session.scalar(items.items_of(run).offset(first).limit(1))
    return _label(run, item) if item else None


def refuse_unprintable(order: SheetOrder, label: Label | None) -> None:
    """Raises `Invalid`, at the field of the order that can mend it, when this label could not be printed so."""
    if label is None or order.output == Output.CSV:
        return
    try:
        order.composer.check(label)
    except Invalid as error:
        raise _at("fields", error) from None
    try:
        place(mark(label.uri, order.carrier), order.page, order.dot_mm, order.carrier)
    except Invalid as error:
        raise _at("layout", error) from None


def _at(field: str, error: Invalid) -> Invalid:
    """A label's own parts are no fields that people fill in."""
    return Invalid(*(Problem(field, problem.rule, problem.message) for problem in error.problems))


def room_on_label(order: SheetOrder, label: Label) -> Room:
    """What the symbol of this label needs, and what the chosen label has for it."""
    return room_of(mark(label.uri, order.carrier).side, order.page, order.dot_mm, order.carrier)


def qr_fits(label: Label, layout: Layout) -> bool:
    """Whether the QR code of this label is coarse enough on this layout."""
    return room_of(mark(label.uri, Carrier.QR).side, layout).enough


def unverified_of(session: Session, runs: Sequence[CodeRun]) -> dict[int, LabelSheet]:
    """Of each of these runs, by its id, the newest print run that is made and whose labels nobody has scanned back."""
    query = select(LabelSheet).where(
        LabelSheet.run_id.in_([run.id for run in runs]),
        LabelSheet.sha256.is_not(None),
        LabelSheet.verification != Verification.VERIFIED,
    )
    return {sheet.run_id: sheet for sheet in session.scalars(query.order_by(LabelSheet.id))}


def earlier(session: Session, sheet: LabelSheet) -> Sequence[LabelSheet]:
    """Print runs before this one that hold some of the same codes, newest first: this one prints them again."""
    query = select(LabelSheet).where(
        LabelSheet.run_id == sheet.run.id,
        LabelSheet.id < sheet.id,
        LabelSheet.first < sheet.first + sheet.count,
        LabelSheet.first + LabelSheet.count > sheet.first,
    )
    return session.scalars(query.order_by(LabelSheet.id.desc())).all()


def make_again(session: Session, sheet: LabelSheet, *, by: Actor, at: datetime) -> None:
    """A new job for a print run whose job gave up. Raises `Conflict` for any other one."""
    if sheet.job is None or sheet.job.state != JobState.DEAD:
        raise conflict("labels.job-alive", say("This job did not give up. Wait until it ends."))
    _enqueue(session, sheet, by=by, at=at)
    log.record(session, Act.LABELS_PRINT, by=by, at=at, subject=f"run:{sheet.run.ref}", sheet=sheet.ref, again=True)


def make(claimed: jobs.Claimed, storage: LocalStorage) -> None:
    """The job: draw the labels, read every symbol back, store the file, choose what is to be scanned back."""
    begun = clock.now()
    with claimed.database.read() as session:
        sheet = get(session, claimed.payload["sheet"])
        labels = list(_labels(session, sheet))
        plan = making.plan_of(sheet)
    with tempfile.TemporaryDirectory(prefix="lotseal-") as folder:
        path = Path(folder) / "labels"
        making.write(plan, labels, path, lambda done: _tell(claimed, done))
        stored = storage.put(path)
    with claimed.database.write() as session:
        sheet = get(session, claimed.payload["sheet"])
        sheet.sha256 = stored.sha256
        sheet.made, sheet.made_at = len(labels), begun
        sheet.sample = checks.choose([label.serial for label in labels])
        claimed.progress(session, making.steps(plan, sheet.count), at=clock.now())


def _tell(claimed: jobs.Claimed, done: int) -> None:
    with claimed.database.write() as session:
        claimed.progress(session, done, at=clock.now())


def _labels(session: Session, sheet: LabelSheet) -> Iterator[Label]:
    for item in session.scalars(items.items_of(sheet.run).offset(sheet.first).limit(sheet.count)):
        if not item.voided_at:  # a voided code must not reach a pack
            yield _label(sheet.run, item)


def _label(run: CodeRun, item: Item) -> Label:
    batch, product = run.batch, run.batch.product
    return Label(
        uri=items.link(run, item),
        name_zh=product.name_zh,
        name_en=product.name_en,
        lot=run.lot,
        expiry=batch.expires_on.isoformat() if batch.expires_on else "—",
        serial=item.serial,
        footer=urlsplit(run.base).netloc,
    )


def visible(account: Account | None) -> Select[LabelSheet]:
    query = select(LabelSheet).join(LabelSheet.run).join(CodeRun.batch)
    if account is not None and account.role == Role.SUPPLIER:
        query = query.where(Batch.supplier_id == account.supplier_id)
    return query


def get(session: Session, ref: str, *, account: Account | None = None) -> LabelSheet:
    sheet = session.scalar(visible(account).where(LabelSheet.ref == ref))
    if sheet is None:
        raise not_found("labels.unknown", say("There is no such label sheet."))
    return sheet


def of_run(session: Session, run: CodeRun) -> Sequence[LabelSheet]:
    return session.scalars(select(LabelSheet).where(LabelSheet.run_id == run.id).order_by(LabelSheet.id.desc())).all()
