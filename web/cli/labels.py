"""`lotseal labels`: sheets to print."""

from __future__ import annotations

import shutil
from pathlib import Path

import click

from ...trace import clock
from ...trace.accounts.service import OPERATOR
from ...trace.errors import conflict, say
from ...trace.items import service as items
from ...trace.labels import service
from . import foreground, shapes
from .context import done, json_option, listing, reading, ready
from .options import fields, given


@click.group()
def labels() -> None:
    """Label sheets of a run of codes."""


@labels.command("make")
@json_option
@click.argument("run", metavar="RUN")
@fields(
    layout="a4-3x8.",
    language="zh or en.",
    start="First free place of the first sheet, from 1.",
    first="First code of the run to print, from 1.",
    count="How many labels; all that are left if not given.",
)
@click.option("--background", is_flag=True, help="Only order it; a worker makes it.")
def make(run: str, background: bool, **raw: str | None) -> None:
    """Draw a sheet and read every symbol back."""
    with ready() as system:
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
        done(
            facts,
            say(
                "%(count)d labels are ready and every symbol was read back: %(sheet)s",
                count=facts["count"],
                sheet=facts["sheet"],
            ),
            say("Write the PDF with: lotseal labels save %(sheet)s FILE", sheet=facts["sheet"]),
        )


@labels.command("list")
@json_option
@click.argument("run", metavar="RUN")
def list_(run: str) -> None:
    """List the sheets of a run."""
    with reading() as work:
        facts = [shapes.sheet(row) for row in service.of_run(work.session, items.get_run(work.session, run))]
    listing("sheets", facts, ("sheet", "layout", "language", "first", "count", "ready", "added_at"))


@labels.command("save")
@json_option
@click.argument("sheet", metavar="SHEET")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Replace FILE when it is there.")
def save(sheet: str, file: Path, force: bool) -> None:
    """Write the PDF of a sheet to FILE."""
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
