"""`lotseal codes`: order, list, void, print and check the codes of single items."""

from __future__ import annotations

from pathlib import Path

import click

from ...signing.item import group as in_groups
from ...trace import clock
from ...trace.accounts.service import OPERATOR
from ...trace.carriers import qr
from ...trace.errors import Message, say
from ...trace.items import service
from ...trace.items.models import CodeRun, Item
from ...trace.passport import service as passport
from ...trace.passport.model import Passport
from ...trace.scans.service import Visitor
from ..words import verdict
from . import find, foreground, shapes
from .context import changing, done, json_option, listing, reading, ready, translated, writing
from .options import batch_arguments, fields, given

# Nobody: the command line is no visitor, and it is not counted.
_NOBODY = Visitor(bytes(16), bytes(16))


@click.group()
def codes() -> None:
    """Codes of single items. CODE is a serial or a link, RUN the reference of one order."""


@codes.command("issue")
@json_option
@batch_arguments
@fields(count="How many, 1 to 1,000,000.", tier="A: checked on-line. B: carries a signature too.")
@click.option("--short", is_flag=True, help="Leave the lot out of the printed link.")
@click.option("--background", is_flag=True, help="Only order them; a worker issues them.")
def issue(gtin: str, lot: str, background: bool, **raw: str | bool | None) -> None:
    """Issue codes for a batch."""
    order = service.read_order({"tier": "A", **given(raw)})
    with changing() as system:
        with system.main.write() as session:
            batch = find.batch(session, gtin, lot)
            run = service.order_codes(
                session, batch, order, base=system.settings.public_url, by=OPERATOR, at=clock.now()
            )
            facts = shapes.run(run)
        if not background:
            foreground.finish(system, facts["job"]["ref"], say("Issuing codes"))
            with system.main.read() as session:
                facts = shapes.run(service.get_run(session, facts["run"]))
    if background:
        done(
            facts,
            say("%(count)d codes are ordered: %(run)s. A worker issues them.", count=order.count, run=facts["run"]),
        )
    else:
        done(facts, say("%(count)d codes are issued: %(run)s", count=facts["issued"], run=facts["run"]))


@codes.command("list")
@json_option
@click.argument("batch", nargs=-1, metavar="[GTIN LOT]")
@click.option("--run", default=None, metavar="RUN", help="The codes of this run instead.")
@click.option("--limit", type=click.IntRange(1, service.MOST), default=100, show_default=True, help="At most so many.")
def list_(batch: tuple[str, ...], run: str | None, limit: int) -> None:
    """List the runs of a batch, or with --run the codes of one run with their links."""
    if (len(batch) == 2) == (run is not None) or len(batch) not in (0, 2):
        raise click.UsageError("Give GTIN and LOT, or --run RUN.")
    if run is None:
        _list_runs(*batch, limit=limit)
    else:
        _list_codes(run, limit)


def _list_runs(gtin: str, lot: str, *, limit: int) -> None:
    with reading() as work:
        rows = service.runs_of(work.session, find.batch(work.session, gtin, lot))
        facts = [shapes.run(row) for row in rows[:limit]]
    listing("runs", facts, ("run", "tier", "short", "count", "issued", "base", "added_at"), total=len(rows))


def _list_codes(ref: str, limit: int) -> None:
    with reading() as work:
        run = service.get_run(work.session, ref)
        rows, total = find.page(work.session, service.items_of(run), limit)
        facts = [_code(run, row) for row in rows]
    listing("codes", facts, ("serial", "link", "voided_at", "void_reason"), total=total)


def _code(run: CodeRun, row: Item) -> shapes.Facts:
    return {
        "serial": in_groups(row.serial),
        "link": service.link(run, row),
        "run": run.ref,
        "gtin": run.gtin,
        "lot": run.lot,
        "tier": run.tier,
        "issued_at": row.issued_at,
        "voided_at": row.voided_at,
        "void_reason": row.void_reason,
    }


@codes.command("void")
@json_option
@click.argument("code", required=False)
@click.option("--run", default=None, metavar="RUN", help="Every code of this run instead.")
@fields(reason="Why; it stays readable with the code.")
def void(code: str | None, run: str | None, reason: str | None) -> None:
    """Take a code out of use. There is no way back."""
    if (code is None) == (run is None):
        raise click.UsageError("Give one CODE, or --run RUN.")
    with writing() as work:
        if run is not None:
            row = service.get_run(work.session, run)
            count = service.void_run(work.session, row, reason or "", by=OPERATOR, at=work.at)
            facts: shapes.Facts = {**shapes.run(row), "voided": count}
        else:
            item, of_run = find.item(work.session, code or "")
            service.void(work.session, item, reason or "", by=OPERATOR, at=work.at)
            count, facts = 1, _code(of_run, item)
    done(facts, say("%(count)d codes are voided.", count=count))


@codes.command("link")
@json_option
@click.argument("code")
@click.option(
    "--png", type=click.Path(dir_okay=False, path_type=Path), default=None, help="Write the symbol to this file."
)
@click.option(
    "--svg", type=click.Path(dir_okay=False, path_type=Path), default=None, help="Write the symbol to this file."
)
def link(code: str, png: Path | None, svg: Path | None) -> None:
    """Print what the symbol of a code says; on request draw it."""
    with reading() as work:
        item, run = find.item(work.session, code)
        facts = _code(run, item)
    symbol = qr.make(facts["link"])
    if png:
        png.write_bytes(qr.png(symbol))
    if svg:
        svg.write_text(qr.svg(symbol), encoding="utf-8")
    done(facts, Message("%(link)s", {"link": facts["link"]}))


@codes.command("check")
@json_option
@click.argument("code", metavar="URL")
def check(code: str) -> None:
    """Say what the page of a code would say. This look-up is not counted. A serial will do as well."""
    with ready() as system:
        with system.main.read() as session:
            asked = find.asked(session, code)
        found = passport.look_up(system.desk, asked, _NOBODY, at=clock.now(), count=False)
    said = verdict(found.state)
    lines = [
        str(said.headline),
        str(said.body),
        *(str(verdict(state).also or verdict(state).headline) for state in found.also),
    ]
    done(
        _verdict(found, translated(lines[0]), translated(lines[1])), *(Message(line) for line in lines), *_about(found)
    )


def _verdict(found: Passport, headline: str, body: str) -> shapes.Facts:
    history = found.history
    return {
        "state": found.state.value,
        "also": [state.value for state in found.also],
        "headline": headline,
        "sentence": body,
        "gtin": found.gtin,
        "lot": found.lot,
        "serial": found.serial,
        "product": found.product and {"name_zh": found.product.name_zh, "name_en": found.product.name_en},
        "batch": found.batch
        and {"lot": found.batch.lot, "state": found.batch.state, "expires_on": found.batch.expires_on},
        "tier": found.item.tier if found.item else None,
        "history": history and {"others": history.others, "first_at": history.first_at},
        "counted": False,
    }


def _about(found: Passport) -> list[Message]:
    lines = []
    if found.product:
        lines.append(say("Product: %(zh)s / %(en)s", zh=found.product.name_zh, en=found.product.name_en))
    if found.batch:
        lines.append(say("Lot %(lot)s, expires %(day)s", lot=found.batch.lot, day=found.batch.expires_on or "–"))
    if found.history:
        lines.append(say("Looked up by %(count)d others so far.", count=found.history.others))
    return lines
