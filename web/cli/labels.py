"""`lotseal labels`: print runs, and what scanning them back shows."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TextIO

import click
from sqlalchemy.orm import Session

from ...trace import clock
from ...trace.accounts.service import OPERATOR
from ...trace.errors import Conflict, NotFound, Problem, conflict, not_found, say
from ...trace.items import service as items
from ...trace.labels import checks, making, service
from ...trace.labels.models import LabelSheet, Output, Verification
from . import foreground, shapes
from .context import changing, done, json_option, listing, reading
from .options import fields, given


@click.group()
def labels() -> None:
    """Print runs of the codes of a run, and scanning them back."""


@labels.command("make")
@json_option
@click.argument("run", metavar="RUN")
@fields(
    output="pdf (sheets), zpl, zpl-data, png (single labels) or csv.",
    carrier="qr, data-matrix or gs1-data-matrix.",
    layout="a4-3x8, a4-2x7, a4-3x7, a4-4x10, a4-4x11, a4-5x13, letter-2x5, letter-3x10, or own with its measures.",
    language="zh or en.",
    fields="Some of name,other-name,lot,expiry,serial,host; or none.",
    start="First free place of the first sheet, from 1.",
    first="First code of the run to print, from 1.",
    count="How many labels; all that are left if not given.",
    copies="How often each label is printed.",
    dpi="Of the printer of single labels: 203, 300 or 600.",
    page_width="Own layout, mm.",
    page_height="Own layout, mm.",
    columns="Own layout.",
    rows="Own layout.",
    label_width="Own layout or single label, mm.",
    label_height="Own layout or single label, mm.",
    left="Own layout: left edge to the first label, mm.",
    top="Own layout: upper edge to the first label, mm.",
    gap_x="Own layout, mm.",
    gap_y="Own layout, mm.",
    safe="Own layout: margin inside each label, mm.",
)
@click.option("--background", is_flag=True, help="Only order it; a worker makes it.")
def make(run: str, background: bool, **raw: str | None) -> None:
    """Draw labels and read every symbol back."""
    with changing() as system:
        with system.main.write() as session:
            row = items.get_run(session, run)
            order = service.read_sheet_order(given(raw), row)
            facts = shapes.sheet(service.order_sheet(session, row, order, by=OPERATOR, at=clock.now()))
        if not background:
            foreground.finish(system, facts["job"]["ref"], say("Drawing and reading back"))
            with system.main.read() as session:
                facts = shapes.sheet(service.get(session, facts["sheet"]))
    if background:
        done(
            facts,
            say(
                "%(count)d labels are ordered: %(sheet)s. A worker makes them.",
                count=facts["count"],
                sheet=facts["sheet"],
            ),
        )
    else:
        drawn_here = Output(facts["output"]) in making.READ_BACK
        count, sheet = facts["count"], facts["sheet"]
        done(
            facts,
            say("%(count)d labels are ready and every symbol was read back: %(sheet)s", count=count, sheet=sheet)
            if drawn_here
            else say("%(count)d labels are ready: %(sheet)s", count=count, sheet=sheet),
            say("Write the file with: lotseal labels save %(sheet)s FILE", sheet=facts["sheet"]),
            say(
                "After printing, scan a sample back: lotseal labels verify %(sheet)s --scanned FILE",
                sheet=facts["sheet"],
            ),
        )


@labels.command("list")
@json_option
@click.argument("run", metavar="RUN")
def list_(run: str) -> None:
    """List the print runs of a run of codes."""
    with reading() as work:
        facts = [shapes.sheet(row) for row in service.of_run(work.session, items.get_run(work.session, run))]
    listing(
        "sheets", facts, ("sheet", "output", "layout", "first", "count", "copies", "ready", "verification", "added_at")
    )


@labels.command("save")
@json_option
@click.argument("sheet", metavar="SHEET")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Replace FILE when it is there.")
def save(sheet: str, file: Path, force: bool) -> None:
    """Write the file of a print run to FILE."""
    with reading() as work:
        row = service.get(work.session, sheet)
        facts = shapes.sheet(row)
        if row.sha256 is None:
            raise conflict(
                "labels.not-ready",
                say("This sheet is not made yet. Wait for the worker, or run «lotseal worker --once»."),
            )
        if file.exists() and not force:
            raise conflict(
                "file.exists", say("%(path)s is there already. Give another name, or --force.", path=file), field="file"
            )
        with work.system.storage.open(row.sha256) as source, file.open("wb") as target:
            shutil.copyfileobj(source, target)
    done({**facts, "file": str(file.absolute())}, say("Written: %(path)s", path=file))


@labels.command("verify")
@json_option
@click.argument("run", metavar="RUN")
@click.option(
    "--scanned",
    required=True,
    type=click.File("r", encoding="utf-8"),
    help="What a scanner read, one code in each line; - is the standard input.",
)
def verify(run: str, scanned: TextIO) -> None:
    """Compare scanned labels with a print run. RUN is a print run, or a run of codes, whose newest one is taken."""
    texts = [line.strip("\r\n ") for line in scanned if line.strip()]
    with changing() as system, system.main.write() as session:
        sheet = _print_run(session, run)
        outcomes = [checks.check(session, sheet, text, by=OPERATOR, at=clock.now()) for text in texts]
        missing = [place.number for place in checks.progress(session, sheet) if not place.done]
        facts = {
            **shapes.sheet(sheet),
            "scanned": len(outcomes),
            "matched": sum(one.outcome == checks.Outcome.MATCHED for one in outcomes),
            "missing": missing,
        }
    if facts["verification"] == Verification.MISMATCH:
        raise Conflict(
            Problem(
                None,
                "labels.mismatch",
                say(
                    "A scanned label does not belong to print run %(sheet)s, or says something else than was printed. "
                    "Do not use these labels; find out whether sheets were mixed up.",
                    sheet=facts["sheet"],
                ),
            )
        )
    if missing:
        done(
            facts,
            say(
                "Not verified yet: %(sheet)s. Of the sample these labels are still to be scanned: %(missing)s.",
                sheet=facts["sheet"],
                missing=", ".join(map(str, missing)),
            ),
        )
    else:
        done(facts, say("Verified: %(sheet)s. Every label of the sample was scanned back.", sheet=facts["sheet"]))


def _print_run(session: Session, ref: str) -> LabelSheet:
    try:
        return service.get(session, ref)
    except NotFound:
        made = [row for row in service.of_run(session, items.get_run(session, ref)) if row.sha256]
    if not made:
        raise not_found("labels.unknown", say("There is no such label sheet."))
    return made[0]
