"""`lotseal certificate`: inspection reports and their result lines."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import click

from ...trace import clock
from ...trace.accounts.service import OPERATOR
from ...trace.certificates import service, signatures
from ...trace.certificates.models import Certificate, RejectReason, Status
from ...trace.certificates.service import LINE_FIELDS, MOST_LINES
from ...trace.errors import invalid, say
from ...trace.files import service as files
from ...trace.labs import service as labs
from . import find, inspection, shapes
from .context import as_json, changing, done, json_option, listing, reading, show, translated, writing
from .options import fields, given, search_options

MOST_BYTES = 1_000_000


@click.group()
def certificate() -> None:
    """Inspection reports. REPORT is a reference or a report number."""


@certificate.command("add")
@json_option
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@fields(
    gtin="The product.",
    lot="The batch.",
    number="Number of the report.",
    laboratory="Who tested.",
    accreditation="Accreditation number, such as CMA or CNAS.",
    sample="What was tested.",
    method="Method of the whole report.",
    issued_on="YYYY-MM-DD.",
    expires_on="YYYY-MM-DD, if it says one.",
    conclusion="pass or fail.",
    replaces="The rejected report that this one replaces.",
)
@click.option(
    "--line",
    "single",
    multiple=True,
    metavar="LINE",
    help="One result as 'parameter|method|limit|result|unit'; may be repeated.",
)
@click.option(
    "--lines",
    "table",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Results as a CSV file with the headers parameter,method,limit,result,unit.",
)
def add(
    file: Path,
    gtin: str | None,
    lot: str | None,
    replaces: str | None,
    single: tuple[str, ...],
    table: Path | None,
    **raw: str | None,
) -> None:
    """Add the report in FILE (PDF, PNG, JPEG or WebP) to a batch; it then waits for review."""
    lines = [*(read_table(table) if table else ()), *(_parts(line) for line in single)]
    with changing() as system:
        today = clock.now().astimezone(system.settings.zone).date()
        draft = service.read_certificate(given(raw), lines, today=today)
        with system.main.read() as session:
            find.batch(session, gtin or "", lot or "")
            roots = labs.pinned(session)
        taken = files.take_in_document(system.storage, file, file.name, roots, at=clock.now())
        with system.main.write() as session:
            batch = find.batch(session, gtin or "", lot or "")
            old = find.certificate(session, replaces) if replaces else None
            row = service.submit(session, batch, draft, taken, by=OPERATOR, at=clock.now(), replaces=old)
            facts = shapes.certificate(row, lines=True)
            doubts = service.doubts(row, today=today)
    done(
        {**facts, "doubts": [translated(doubt) for doubt in doubts]},
        say("Report %(number)s waits for review: %(ref)s", number=facts["number"], ref=facts["ref"]),
        *doubts,
    )


def _parts(line: str) -> dict[str, str]:
    parts = line.split("|")
    if len(parts) != len(LINE_FIELDS):
        raise invalid(
            "line",
            "lines.parts",
            say(
                "«%(line)s» has %(count)d parts. Write parameter|method|limit|result|unit, "
                "and leave a part empty that is not there.",
                line=line,
                count=len(parts),
            ),
        )
    return dict(zip(LINE_FIELDS, parts, strict=True))


def read_table(path: Path) -> Sequence[dict[str, str]]:
    """The rows of a CSV file in UTF-8. Raises `Invalid` (field `lines`) for its size, encoding, headers or a row."""
    if path.stat().st_size > MOST_BYTES:
        raise invalid("lines", "lines.too-large", say("The file is too large for result lines. Keep the results only."))
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise invalid(
            "lines", "lines.encoding", say("The file is not in UTF-8. Save it anew as «CSV UTF-8».")
        ) from None
    rows = csv.reader(text.splitlines(), strict=True)
    try:
        headers = [name.strip().lower() for name in next(rows, [])]
        found = [row for row in rows if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise invalid(
            "lines",
            "lines.csv",
            say("Line %(row)d is no CSV: %(reason)s. Check its quotes.", row=rows.line_num, reason=error),
        ) from None
    if sorted(headers) != sorted(LINE_FIELDS):
        raise invalid(
            "lines",
            "lines.headers",
            say("The first line must be: %(headers)s. Then one result per line.", headers=",".join(LINE_FIELDS)),
        )
    for number, row in enumerate(found, start=1):
        if len(row) != len(headers):
            raise invalid(
                "lines",
                "lines.cells",
                say(
                    "Result %(number)d has %(count)d cells, the headers are %(most)d. Put text with a comma in quotes.",
                    number=number,
                    count=len(row),
                    most=len(headers),
                ),
            )
    return [dict(zip(headers, row, strict=True)) for row in found[: MOST_LINES + 1]]


@certificate.command("inspect")
@json_option
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--roots",
    type=click.Path(path_type=Path),
    default=None,
    metavar="DIR",
    help="Folder with the certificates (PEM, CRT, CER, DER) that signatures may lead to.",
)
def inspect(file: Path, roots: Path | None) -> None:
    """Read FILE as an upload is read, without keeping it. Exit code 3 when it is refused or cannot be read."""
    found = inspection.inspect(file, roots)
    if found["acceptable"] or as_json():
        show(found)
    else:
        click.echo(f"{found['refused']['message']} ({found['refused']['rule']})", err=True)
    if not found["acceptable"]:
        click.get_current_context().exit(inspection.REFUSED_FILE)


@certificate.command("list")
@json_option
@search_options
@click.option(
    "--status", type=click.Choice([status.value for status in Status]), default=None, help="Only this status."
)
def list_(search: str, limit: int, status: str | None) -> None:
    """List reports, newest first."""
    with reading() as work:
        query = service.matching(service.visible(None), search, status or "").order_by(Certificate.id.desc())
        rows, total = find.page(work.session, query, limit)
        facts = [shapes.certificate(row) for row in rows]
    columns = ("ref", "number", "status", "gtin", "lot", "laboratory", "issued_on", "expires_on", "conclusion")
    listing("certificates", facts, columns, total=total)


@certificate.command("show")
@json_option
@click.argument("report")
def show_(report: str) -> None:
    """Show one report with its results and what a reviewer should look at."""
    with reading() as work:
        row = find.certificate(work.session, report)
        facts = shapes.certificate(row, lines=True)
        today = work.at.astimezone(work.system.settings.zone).date()
        doubts = [*service.doubts(row, today=today), *signatures.doubts(row)]
        signed = signatures.signed_by_laboratory(row)
    show({**facts, "doubts": [translated(doubt) for doubt in doubts], "signed": signed})


@certificate.command("accept")
@json_option
@click.argument("report")
def accept(report: str) -> None:
    """Accept a report."""
    with writing() as work:
        row = find.certificate(work.session, report)
        service.accept(work.session, row, by=OPERATOR, at=work.at)
        facts = shapes.certificate(row)
    done(facts, say("Report %(number)s is accepted.", number=facts["number"]))


@certificate.command("reject")
@json_option
@click.argument("report")
@fields(reason=f"One of: {', '.join(reason.value for reason in RejectReason)}.", note="What the supplier should do.")
def reject(report: str, **raw: str | None) -> None:
    """Reject a report; the supplier reads why."""
    with writing() as work:
        row = find.certificate(work.session, report)
        service.reject(work.session, row, given(raw), by=OPERATOR, at=work.at)
        facts = shapes.certificate(row)
    done(facts, say("Report %(number)s is rejected.", number=facts["number"]))


@certificate.command("withdraw")
@json_option
@click.argument("report")
@fields(reason="Why it no longer counts; public.")
def withdraw(report: str, reason: str | None) -> None:
    """Withdraw an accepted report; it stays readable with the reason."""
    with writing() as work:
        row = find.certificate(work.session, report)
        service.withdraw(work.session, row, reason or "", by=OPERATOR, at=work.at)
        facts = shapes.certificate(row)
    done(facts, say("Report %(number)s is withdrawn.", number=facts["number"]))
