"""`lotseal laboratory`."""

from __future__ import annotations

from pathlib import Path

import click

from ...trace.accounts.service import OPERATOR
from ...trace.errors import say
from ...trace.files.findings import Purpose
from ...trace.labs import service
from ...trace.labs.models import Laboratory
from ...trace.labs.roots import MOST_BYTES, read_root
from . import find, shapes
from .context import done, json_option, listing, reading, show, writing
from .options import fields, given, search_options


@click.group()
def laboratory() -> None:
    """Laboratories and their pinned certificates. LABORATORY is a reference or an accreditation number."""


@laboratory.command("add")
@json_option
@fields(
    name_zh="Name in Chinese.",
    name_en="Name in English.",
    country="Two-letter code, such as CN.",
    cma="CMA number.",
    cnas="CNAS number.",
    ilac="Number of another scheme under the ILAC arrangement.",
    valid_until="Last day of the accreditation, YYYY-MM-DD.",
    note="For staff only.",
)
def add(**raw: str | None) -> None:
    """Add a laboratory; reports with one of its numbers are found by a job."""
    draft = service.read_laboratory(given(raw))
    with writing() as work:
        row = service.add(work.session, draft, by=OPERATOR, at=work.at)
        facts = shapes.laboratory(row)
    done(facts, say("Laboratory %(name)s is added: %(ref)s", name=facts["name_zh"], ref=facts["ref"]))


@laboratory.command("list")
@json_option
@search_options
def list_(search: str, limit: int) -> None:
    """List laboratories."""
    with reading() as work:
        rows, total = find.page(work.session, service.matching(search).order_by(Laboratory.id), limit)
        facts = [shapes.laboratory(row) for row in rows]
    columns = ("ref", "name_zh", "name_en", "country", "cma", "cnas", "ilac", "valid_until", "suspended")
    listing("laboratories", facts, columns, total=total)


@laboratory.command("show")
@json_option
@click.argument("laboratory")
def show_(laboratory: str) -> None:
    """Show one laboratory with its pinned certificates."""
    with reading() as work:
        facts = shapes.laboratory(find.laboratory(work.session, laboratory))
    show(facts)


@laboratory.command("pin")
@json_option
@click.argument("laboratory")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@fields(fingerprint="The SHA-256 that the laboratory told you, on another way than the file.")
@click.option(
    "--purpose",
    type=click.Choice([purpose.value for purpose in Purpose]),
    default=Purpose.SIGNING.value,
    show_default=True,
    help="What its holders do.",
)
def pin(laboratory: str, file: Path, fingerprint: str | None, purpose: str) -> None:
    """Pin the certificate in FILE (PEM or DER): signatures that lead to it are those of the laboratory."""
    with file.open("rb") as stream:
        root = read_root(stream.read(MOST_BYTES + 1))
    with writing() as work:
        row = find.laboratory(work.session, laboratory)
        raw = {"sha256": fingerprint or "", "purpose": purpose}
        facts = shapes.root(service.pin(work.session, row, root, raw, by=OPERATOR, at=work.at))
    done(
        facts,
        say("Pinned: %(subject)s", subject=facts["subject"]),
        say("The worker judges the reports of this laboratory again; «lotseal worker --once» does it now."),
    )


@laboratory.command("unpin")
@json_option
@click.argument("laboratory")
@click.argument("root")
@fields(reason="Why it no longer counts.")
def unpin(laboratory: str, root: str, reason: str | None) -> None:
    """Take a pinned certificate away; ROOT is its reference or SHA-256. It stays on record."""
    with writing() as work:
        row = service.get_root(work.session, find.laboratory(work.session, laboratory), root)
        service.unpin(work.session, row, reason or "", by=OPERATOR, at=work.at)
        facts = shapes.root(row)
    done(facts, say("Unpinned: %(subject)s", subject=facts["subject"]))
