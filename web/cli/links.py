"""`lotseal link`: what a scanned code can lead to, and which hosts are trusted."""

from __future__ import annotations

from pathlib import Path

import click
from sqlalchemy.orm import Session

from ...trace.accounts.service import OPERATOR
from ...trace.errors import say
from ...trace.links import service
from ...trace.links.intake import read_anchor, read_link, read_rows
from ...trace.links.models import Link, LinkHost
from . import find, shapes
from .context import Work, done, json_option, listing, reading, writing
from .options import fields, given, search_options

_TITLES = ("of", "link_type", "href", "title", "languages", "media_type", "contexts", "is_default", "ref")
MOST_BYTES = 5_000_000


@click.group()
def link() -> None:
    """Links of products, lots, items and other identified things."""


@link.command("add")
@json_option
@click.argument("of", metavar="CODE")
@fields(
    link_type="Word of the GS1 Web Vocabulary, such as gs1:pip.",
    href="Web address, or a path of this service such as /report/….",
    title="What people read before they follow it.",
    languages="Languages of the target, such as zh,en-GB.",
    media_type="Media type of the target, such as application/pdf.",
    contexts="Words that programs ask with, such as retail,CN.",
)
@click.option("--default", "is_default", is_flag=True, help="A scan leads here instead of to our own page.")
def add(of: str, is_default: bool, **raw: str | None) -> None:
    """Add a link to what CODE names: a GTIN, a Digital Link or AIs in brackets."""
    draft = read_link(given({**raw, "of": of, "is_default": is_default}))
    with writing() as work:
        facts = _facts(service.add(work.session, draft, by=OPERATOR, at=work.at))
    done(facts, say("The link of %(of)s to %(href)s is added.", of=facts["of"], href=facts["href"]))


@link.command("list")
@json_option
@search_options
@click.option("--of", "of", default="", metavar="CODE", help="Only links of this thing and what is below it.")
def list_(search: str, limit: int, of: str) -> None:
    """List links."""
    under = read_anchor(of) if of else ""
    with reading() as work:
        query = service.matching(service.visible(None), search, under).order_by(Link.anchor, Link.id)
        rows, total = find.page(work.session, query, limit)
        facts = [_facts(row) for row in rows]
    listing("links", facts, _TITLES, total=total)


@link.command("remove")
@json_option
@click.argument("ref", metavar="REF")
def remove(ref: str) -> None:
    """Remove the link with this reference."""
    with writing() as work:
        row = service.get(work.session, ref.strip())
        facts = _facts(row)
        service.remove(work.session, row, by=OPERATOR, at=work.at)
    done(facts, say("The link of %(of)s to %(href)s is removed.", of=facts["of"], href=facts["href"]))


@link.command("import")
@json_option
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Only check the file.")
def import_(file: Path, dry_run: bool) -> None:
    """Add all links of a CSV FILE, or none when a cell is wrong."""
    with file.open("rb") as opened:
        rows = read_rows(opened.read(MOST_BYTES + 1))
    with writing() as work:
        count = _added(work, rows, dry_run=dry_run)
    sentence = (
        say("All %(count)d rows are right; nothing was added.", count=count)
        if dry_run
        else say("%(count)d links are added.", count=count)
    )
    done({"links": count, "dry_run": dry_run}, sentence)


def _added(work: Work, rows: list[dict[str, str]], *, dry_run: bool) -> int:
    session: Session = work.session
    point = session.begin_nested()
    count = len(service.add_all(session, rows, by=OPERATOR, at=work.at))
    if dry_run:
        point.rollback()
    return count


@link.command("trust")
@json_option
@click.argument("host", metavar="HOST")
def trust(host: str) -> None:
    """Let links to HOST lead there at once, without a word of warning."""
    with writing() as work:
        facts = _host(service.allow_host(work.session, host, by=OPERATOR, at=work.at))
    done(facts, say("%(host)s is trusted now.", host=facts["host"]))


@link.command("distrust")
@json_option
@click.argument("host", metavar="HOST")
def distrust(host: str) -> None:
    """Take HOST off the list of trusted hosts."""
    with writing() as work:
        row = service.get_host(work.session, host)
        facts = _host(row)
        service.refuse_host(work.session, row, by=OPERATOR, at=work.at)
    done(facts, say("%(host)s is not trusted any more.", host=facts["host"]))


@link.command("hosts")
@json_option
def hosts() -> None:
    """List trusted hosts."""
    with reading() as work:
        facts = [_host(row) for row in service.hosts(work.session)]
    listing("hosts", facts, ("host", "added_at", "added_by"))


def _facts(row: Link) -> shapes.Facts:
    return {
        "ref": row.ref,
        "of": row.anchor,
        "link_type": f"gs1:{row.link_type}",
        "href": row.href,
        "title": row.title,
        "languages": row.languages,
        "media_type": row.media_type,
        "contexts": row.contexts,
        "is_default": row.is_default,
    }


def _host(row: LinkHost) -> shapes.Facts:
    return {"ref": row.ref, "host": row.host, "added_at": row.added_at, "added_by": row.added_by}
