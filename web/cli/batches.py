"""`lotseal batch`: the way of a lot from draft to recall."""

from __future__ import annotations

from decimal import Decimal

import click

from ...trace.accounts.service import OPERATOR
from ...trace.batches import service
from ...trace.batches.intake import read_batch
from ...trace.batches.models import Batch, BatchState
from ...trace.errors import Message, say
from ...trace.items import service as items
from ...trace.links import service as links
from ...trace.releases import service as releases
from . import find, shapes
from .context import Work, done, json_option, listing, reading, show, translated, writing
from .options import batch_arguments, fields, given, search_options

_FACTS = {
    "supplier_lot": "What the supplier calls the lot.",
    "place": "Where it comes from.",
    "region": "Region of origin.",
    "country": "Country of origin, such as CN.",
    "latitude": "Decimal degrees.",
    "longitude": "Decimal degrees.",
    "producer": "Who made it.",
    "site": "Where it was made.",
    "produced_on": "YYYY-MM-DD.",
    "expires_on": "YYYY-MM-DD.",
    "quantity": "How much; more than 0.",
    "unit": "pcs, kg, g, t, l or ml.",
    "inputs": "Input lots, as text.",
}


@click.group()
def batch() -> None:
    """Batches, named by GTIN and LOT."""


@batch.command("add")
@json_option
@fields(gtin="The product.", lot="Our lot number.", **_FACTS)
def add(gtin: str | None, **raw: str | None) -> None:
    """Add a draft; it may be filled in later."""
    draft = read_batch(given(raw))
    with writing() as work:
        row = service.add(work.session, draft, find.product(work.session, gtin or ""), by=OPERATOR, at=work.at)
        facts = shapes.batch(row)
    done(facts, say("Batch %(lot)s is added as a draft.", lot=facts["lot"]))


@batch.command("list")
@json_option
@search_options
@click.option(
    "--state", type=click.Choice([state.value for state in BatchState]), default=None, help="Only this state."
)
def list_(search: str, limit: int, state: str | None) -> None:
    """List batches, newest first."""
    with reading() as work:
        query = service.matching(service.visible(None), search, state or "").order_by(Batch.id.desc())
        rows, total = find.page(work.session, query, limit)
        facts = [shapes.batch(row) for row in rows]
    listing("batches", facts, ("gtin", "lot", "state", "product", "produced_on", "expires_on"), total=total)


@batch.command("show")
@json_option
@batch_arguments
def show_(gtin: str, lot: str) -> None:
    """Show one batch with its steps, corrections, release, recall and codes."""
    with reading() as work:
        row = find.batch(work.session, gtin, lot)
        issued, voided = items.counts(work.session, row)
        release, notice = releases.of_batch(work.session, row), service.notice(work.session, row)
        facts = {
            **shapes.batch(row),
            "codes": {"issued": issued, "voided": voided},
            "release": release and shapes.release(release),
            "recall": notice and shapes.recall(notice),
            "steps": [shapes.step(step) for step in service.steps(work.session, row)],
            "corrections": [shapes.correction(one) for one in service.corrections(work.session, row)],
        }
    show(facts)


@batch.command("gate")
@json_option
@batch_arguments
def gate(gtin: str, lot: str) -> None:
    """What a release of this batch still needs."""
    with reading() as work:
        row = find.batch(work.session, gtin, lot)
        lines = releases.gate(work.session, row, today=work.at.astimezone(work.system.settings.zone).date())
        found = shapes.gate(lines, [translated(line.sentence) for line in lines])
        facts = {"gtin": row.product.gtin, "lot": row.lot, "state": row.state}
    clear = all(line.done for line in lines)
    document = {**facts, "clear": clear, "gate": found}
    marks = {True: say("✓ %(sentence)s"), False: say("✗ %(sentence)s")}
    done(document, *(Message(marks[line["done"]].text, {"sentence": line["sentence"]}) for line in found))


@batch.command("submit")
@json_option
@batch_arguments
def submit(gtin: str, lot: str) -> None:
    """Say that the facts are complete; from then on codes can be issued."""
    with writing() as work:
        row = find.batch(work.session, gtin, lot)
        service.submit(work.session, row, by=OPERATOR, at=work.at)
        facts = shapes.batch(row)
    done(facts, say("Batch %(lot)s is submitted.", lot=facts["lot"]))


@batch.command("release")
@json_option
@batch_arguments
def release(gtin: str, lot: str) -> None:
    """Freeze and sign the record; the batch may be sold."""
    with writing() as work:
        row = find.batch(work.session, gtin, lot)
        signed = releases.release(
            work.session,
            row,
            work.system.ring,
            by=OPERATOR,
            at=work.at,
            today=work.at.astimezone(work.system.settings.zone).date(),
        )
        facts = {**shapes.batch(row), "release": shapes.release(signed)}
    done(facts, say("Batch %(lot)s is released and its record is signed.", lot=facts["lot"]))


@batch.command("hold")
@json_option
@batch_arguments
@fields(reason_zh="Public reason in Chinese.", reason_en="Public reason in English.")
def hold(gtin: str, lot: str, **raw: str | None) -> None:
    """Stop selling for now."""
    with writing() as work:
        row = find.batch(work.session, gtin, lot)
        service.hold(work.session, row, given(raw), by=OPERATOR, at=work.at)
        facts = shapes.batch(row)
    done(facts, say("Batch %(lot)s is held.", lot=facts["lot"]))


@batch.command("lift")
@json_option
@batch_arguments
@fields(reason="Why the hold ends.")
def lift(gtin: str, lot: str, reason: str | None) -> None:
    """End a hold."""
    with writing() as work:
        row = find.batch(work.session, gtin, lot)
        service.lift_hold(work.session, row, reason or "", by=OPERATOR, at=work.at)
        facts = shapes.batch(row)
    done(
        facts,
        say("The hold of batch %(lot)s is lifted; it is %(state)s again.", lot=facts["lot"], state=facts["state"]),
    )


@batch.command("recall")
@json_option
@batch_arguments
@fields(
    reason_zh="Public reason in Chinese.",
    reason_en="Public reason in English.",
    remedy_zh="What buyers get, in Chinese.",
    remedy_en="What buyers get, in English.",
    phone="Number to call.",
)
def recall(gtin: str, lot: str, **raw: str | None) -> None:
    """Publish a recall. There is no way back."""
    with writing() as work:
        row = find.batch(work.session, gtin, lot)
        notice = service.recall(work.session, row, given(raw), by=OPERATOR, at=work.at)
        facts = {**shapes.batch(row), "recall": shapes.recall(notice)}
    done(facts, say("The recall of batch %(lot)s is public now.", lot=facts["lot"]))


@batch.command("close")
@json_option
@batch_arguments
@fields(reason="Why the record is complete.")
def close(gtin: str, lot: str, reason: str | None) -> None:
    """Close the record; nothing of it changes any more."""
    with writing() as work:
        row = find.batch(work.session, gtin, lot)
        service.close(work.session, row, reason or "", by=OPERATOR, at=work.at)
        facts = shapes.batch(row)
    done(facts, say("Batch %(lot)s is closed.", lot=facts["lot"]))


@batch.command("correct")
@json_option
@batch_arguments
@fields(**_FACTS, reason="Needed once the batch is released; public.")
def correct(gtin: str, lot: str, reason: str | None, **raw: str | None) -> None:
    """Change facts. After release they are shown as corrections. An empty value clears a fact."""
    with writing() as work:
        row = find.batch(work.session, gtin, lot)
        changed = _change(work, row, {name: value for name, value in raw.items() if value is not None}, reason or "")
        facts = {**shapes.batch(row), "changed": changed}
    if changed:
        done(facts, say("Changed: %(fields)s.", fields=", ".join(changed)))
    else:
        done(facts, say("Everything was so already; nothing is changed."))


def _change(work: Work, row: Batch, wished: dict[str, str], reason: str) -> list[str]:
    now = {name: _typed(getattr(row, name)) for name in shapes.BATCH_FIELDS}
    draft = read_batch({"lot": row.lot, **now, **wished})
    return service.change(work.session, row, draft, reason=reason, by=OPERATOR, at=work.at)


def _typed(value: object) -> str:
    """A fact as a person would type it."""
    if isinstance(value, Decimal):
        return format(value, "f")
    return "" if value is None else str(value)


@batch.command("renumber")
@json_option
@batch_arguments
@click.argument("new", metavar="NEW")
@fields(reason="Why; the public reads it.")
def renumber(gtin: str, lot: str, new: str, reason: str | None) -> None:
    """Correct a wrong LOT to NEW; printed codes keep answering."""
    with writing() as work:
        row = find.batch(work.session, gtin, lot)
        links.correct_lot(work.session, row, {"lot": new, "reason": reason or ""}, by=OPERATOR, at=work.at)
        facts = shapes.batch(row)
    done(facts, say("The batch has the number %(lot)s now.", lot=facts["lot"]))
