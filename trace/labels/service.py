"""Order a sheet, make it, read it back, offer it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from .. import clock, log
from ..accounts.models import Account, Role
from ..batches.models import Batch
from ..errors import conflict, not_found, say
from ..files.storage import LocalStorage
from ..intake import Intake
from ..items import service as items
from ..items.models import CodeRun
from ..jobs import service as jobs
from ..jobs.models import JobKind, JobState
from ..log import Act, Actor
from .models import LabelSheet
from .readback import verify_sheet
from .sheet import A4_3X8, Label, Layout, write_sheet

MOST = 12_000
"""Labels in one file: 500 pages, which printers and people still handle."""


class LayoutName(StrEnum):
    """Permanent words."""

    A4_3X8 = "a4-3x8"


class Language(StrEnum):
    ZH = "zh"
    EN = "en"


LAYOUTS: Mapping[LayoutName, Layout] = {LayoutName.A4_3X8: A4_3X8}


@dataclass(frozen=True)
class SheetOrder:
    layout: LayoutName
    language: Language
    start: int
    first: int
    count: int


def read_sheet_order(raw: Mapping[str, str], run: CodeRun) -> SheetOrder:
    """Fields: layout, language, start (1-based place on the first sheet), first (1-based code of the run), count.
    Empty means from the first place, from the first code, as many as fit in one file."""
    intake = Intake(raw)
    layout = (
        intake.choice("layout", LayoutName, default=LayoutName.A4_3X8) if intake.given("layout") else LayoutName.A4_3X8
    )
    start = _whole(intake, "start", 1, LAYOUTS[layout].per_page, default=1)
    first = _whole(intake, "first", 1, max(1, run.issued), default=1)
    left = min(max(1, run.issued - first + 1), MOST)
    order = SheetOrder(
        layout=layout,
        language=intake.choice("language", Language, default=Language.ZH) if intake.given("language") else Language.ZH,
        start=start - 1,
        first=first - 1,
        count=_whole(intake, "count", 1, left, default=left),
    )
    intake.done()
    return order


def _whole(intake: Intake, field: str, low: int, high: int, *, default: int) -> int:
    number = intake.number(field, required=False, low=Decimal(low), high=Decimal(high))
    if number is None:
        return default
    if number != int(number):
        intake.refuse(field, "number.whole", say("Give a whole number."))
    return int(number)


def order_sheet(session: Session, run: CodeRun, order: SheetOrder, *, by: Actor, at: datetime) -> LabelSheet:
    """Raises `Conflict` while the run is not issued completely."""
    if run.issued < run.count:
        raise conflict(
            "labels.run-unfinished",
            say(
                "%(issued)d of %(count)d codes are issued. Print when all are there.",
                issued=run.issued,
                count=run.count,
            ),
        )
    sheet = LabelSheet(
        run=run,
        layout=order.layout,
        language=order.language,
        start=order.start,
        first=order.first,
        count=order.count,
        added_at=at,
        added_by=by.name,
    )
    session.add(sheet)
    session.flush()
    # Each label counts twice in the progress: once drawn, once read back.
    sheet.job = jobs.enqueue(session, JobKind.PRINT_LABELS, {"sheet": sheet.ref}, total=2 * order.count, by=by, at=at)
    log.record(
        session,
        Act.LABELS_PRINT,
        by=by,
        at=at,
        subject=f"run:{run.ref}",
        sheet=sheet.ref,
        first=order.first,
        count=order.count,
    )
    return sheet


def make_again(session: Session, sheet: LabelSheet, *, by: Actor, at: datetime) -> None:
    """A new job for a sheet whose job gave up. Raises `Conflict` for any other sheet."""
    if sheet.job is None or sheet.job.state != JobState.DEAD:
        raise conflict("labels.job-alive", say("This job did not give up. Wait until it ends."))
    sheet.job = jobs.enqueue(session, JobKind.PRINT_LABELS, {"sheet": sheet.ref}, total=2 * sheet.count, by=by, at=at)
    log.record(session, Act.LABELS_PRINT, by=by, at=at, subject=f"run:{sheet.run.ref}", sheet=sheet.ref, again=True)


def make(claimed: jobs.Claimed, storage: LocalStorage) -> None:
    """The job: draw the sheet, read every symbol back, store the file."""
    with claimed.database.read() as session:
        sheet = get(session, claimed.payload["sheet"])
        labels = list(_labels(session, sheet))
        start, language = sheet.start, Language(sheet.language)
        layout = LAYOUTS[LayoutName(sheet.layout)]
    with tempfile.TemporaryDirectory(prefix="lotseal-") as folder:
        path = Path(folder) / "labels.pdf"
        with path.open("wb") as file:
            write_sheet(file, labels, layout, start, lambda _page, done: _tell(claimed, done), language=language.value)
        verify_sheet(
            path, (label.uri for label in labels), layout, start, lambda _page, done: _tell(claimed, len(labels) + done)
        )
        stored = storage.put(path)
    with claimed.database.write() as session:
        sheet = get(session, claimed.payload["sheet"])
        sheet.sha256 = stored.sha256
        claimed.progress(session, 2 * sheet.count, at=clock.now())


def _tell(claimed: jobs.Claimed, done: int) -> None:
    with claimed.database.write() as session:
        claimed.progress(session, done, at=clock.now())


def _labels(session: Session, sheet: LabelSheet) -> Iterator[Label]:
    run = sheet.run
    batch, product = run.batch, run.batch.product
    expiry = batch.expires_on.isoformat() if batch.expires_on else "—"
    host = urlsplit(run.base).netloc
    for item in session.scalars(items.items_of(run).offset(sheet.first).limit(sheet.count)):
        if item.voided_at:
            continue  # a voided code must not reach a pack
        yield Label(
            uri=items.link(run, item),
            name_zh=product.name_zh,
            name_en=product.name_en,
            lot=batch.lot,
            expiry=expiry,
            serial=item.serial,
            footer=host,
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
