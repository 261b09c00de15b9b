"""Answer a look-up: gather the facts, check the code, count, and let the worst state win."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection
from sqlalchemy.engine import Row

from ..certificates.models import Conclusion, Status
from ..codes.gtin import is_internal
from ..db.engines import Database
from ..errors import Unavailable
from ..keys.ring import KeyRing
from ..scans import service as scans
from ..scans.recorder import Recorder
from . import queries
from .codes import Code, IssuedWith, check_issued, check_unissued
from .dated import dated
from .model import (
    BatchFacts,
    Correction,
    History,
    ItemFacts,
    Origin,
    Passport,
    ProductFacts,
    Recall,
    ReportFacts,
    State,
    SupplierFacts,
    TimelineStep,
)

# Worst first; the page leads with the first that holds.
GRAVITY = (
    State.RECALLED,
    State.CANNOT_VERIFY,
    State.BAD_SIGNATURE,
    State.UNKNOWN,
    State.UNKNOWN_LOT,
    State.VOIDED,
    State.HOLD,
    State.NOT_RELEASED,
    State.EXPIRED,
    State.EVIDENCE_GAP,
    State.OK_AGAIN,
    State.OK_FIRST,
    State.BATCH_ONLY,
    State.PRODUCT_ONLY,
)


@dataclass(frozen=True)
class Asked:
    """What was scanned or typed. `signature` is the value of `?s=`, None when it is not there."""

    gtin: str
    lot: str | None = None
    serial: str | None = None
    signature: str | None = None


@dataclass(frozen=True)
class Desk:
    """What answering needs: the stores, the keys, the address of new codes, the zone whose calendar decides expiry."""

    main: Database
    scans: Database
    recorder: Recorder
    ring: KeyRing
    base: str
    zone: ZoneInfo


def look_up(desk: Desk, asked: Asked, who: scans.Visitor, *, at: datetime, count: bool = True) -> Passport:
    """The passport for a well-formed question. `count` False: look without being counted (robots, previews)."""
    now = at.astimezone(desk.zone)
    empty = Passport(State.UNKNOWN, at, asked.gtin, asked.lot, asked.serial)
    with desk.main.read_engine.connect() as connection:
        product = _find_product(connection, asked.gtin)
        if product is None:
            return empty
        found = replace(empty, product=_product(product), supplier=_supplier(product))
        if asked.serial is None:
            return _told(connection, _without_serial(connection, found, product.id, now), product)
        item = connection.execute(queries.ITEM, {"serial": asked.serial, "product_id": product.id}).one_or_none()
        if item is None:
            return _without_record(connection, desk, found, asked, product.id, now)
        try:
            code = check_issued(
                desk.ring,
                IssuedWith(
                    item.base,
                    item.printed_lot,
                    item.short,
                    item.letter,
                    item.public_jwk,
                    item.tag_kid,
                    gtin=item.printed_gtin,
                    gtin_today=product.gtin,
                    lot_today=item.lot,
                    issued_at=item.issued_at,
                    revoked_at=(item.pair_revoked_at, item.tag_revoked_at),
                ),
                gtin=asked.gtin,
                lot=asked.lot,
                serial=asked.serial,
                signature=asked.signature,
            )
        except Unavailable:
            return _not_ours(connection, found, asked, item.lot, product.id, now, State.CANNOT_VERIFY)
        if code is not Code.OURS:
            return _not_ours(connection, found, asked, item.lot, product.id, now, State.BAD_SIGNATURE)
        batch = _batch(connection, queries.BATCH_BY_ID, {"batch_id": item.batch_id}, now)
        assert batch is not None
        renumbered = _renumbered(connection, product, (item.printed_gtin, product.gtin), (item.printed_lot, batch.lot))
        record = replace(found, lot=batch.lot, batch=batch, item=_item(item), renumbered=renumbered)
        record = dated(connection, record, product.ref, item.run)
    earlier = scans.look(desk.scans, desk.recorder, item.id, who, at=at, count=count)
    states = _batch_states(batch, now.date())
    if item.voided_at:
        states.add(State.VOIDED)
    if earlier is None:
        # Without its history nobody can say whether a code is looked up for the first time. A warning is said anyway.
        if not states:
            return replace(empty, state=State.CANNOT_VERIFY)
        earlier = scans.Earlier(0, None, 0, counted=False)
    else:
        states.add(State.OK_AGAIN if earlier.others else State.OK_FIRST)
    history = History(earlier.others, earlier.first_at, earlier.own, earlier.counted)
    return _with_states(replace(record, history=history), states)


def _find_product(connection: Connection, gtin: str) -> Row[*tuple[Any, ...]] | None:
    """By its number, or by one that was corrected since."""
    product = connection.execute(queries.PRODUCT, {"gtin": gtin}).one_or_none()
    if product is None:
        former = connection.execute(queries.FORMER_GTIN, {"gtin": gtin}).one_or_none()
        if former is not None:
            product = connection.execute(queries.PRODUCT, {"gtin": former.gtin}).one_or_none()
    return product


def _find_lot(connection: Connection, product_id: int, lot: str, now: datetime) -> BatchFacts | None:
    """The same for a batch."""
    batch = _batch(connection, queries.BATCH_BY_LOT, {"product_id": product_id, "lot": lot}, now)
    if batch is None:
        former = connection.execute(queries.FORMER_LOT, {"product_id": product_id, "lot": lot}).one_or_none()
        if former is not None:
            batch = _batch(connection, queries.BATCH_BY_LOT, {"product_id": product_id, "lot": former.lot}, now)
    return batch


def _told(connection: Connection, passport: Passport, product: Row[*tuple[Any, ...]]) -> Passport:
    """The same facts, with word of every number of the question that was corrected since, and of what the log says."""
    lots = (passport.lot, passport.batch.lot if passport.batch else passport.lot)
    renumbered = _renumbered(connection, product, (passport.gtin, product.gtin), lots)
    return dated(connection, replace(passport, renumbered=renumbered), product.ref)


def _renumbered(
    connection: Connection,
    product: Row[*tuple[Any, ...]],
    gtins: tuple[str, str],
    lots: tuple[str | None, str | None],
) -> tuple[Correction, ...]:
    """What was corrected of printed numbers; each pair is the printed one and today's."""
    found = []
    if gtins[0] != gtins[1]:
        row = connection.execute(queries.FORMER_GTIN, {"gtin": gtins[0]}).one_or_none()
        if row is not None:
            found.append(Correction("gtin", gtins[0], gtins[1], row.reason, row.at))
    if lots[0] != lots[1]:
        row = connection.execute(queries.FORMER_LOT, {"product_id": product.id, "lot": lots[0]}).one_or_none()
        if row is not None:
            found.append(Correction("lot", str(lots[0]), row.lot, row.reason, row.at))
    return tuple(found)


def _without_serial(connection: Connection, found: Passport, product_id: int, now: datetime) -> Passport:
    """A GTIN alone, or with a lot: facts of product or batch, no verdict on one item."""
    if found.lot is None:
        return replace(found, state=State.PRODUCT_ONLY)
    batch = _find_lot(connection, product_id, found.lot, now)
    if batch is None:
        return replace(found, state=State.UNKNOWN_LOT)
    return _with_states(replace(found, batch=batch), {State.BATCH_ONLY, *_batch_states(batch, now.date())})


def _without_record(
    connection: Connection, desk: Desk, found: Passport, asked: Asked, product_id: int, now: datetime
) -> Passport:
    """A serial that was never issued. The lot comes first: nobody can have issued a code for a lot that is missing."""
    if asked.lot is not None:
        in_lot = {"product_id": product_id, "lot": asked.lot}
        known = connection.execute(queries.BATCH_BY_LOT, in_lot).first()
        if known is None and connection.execute(queries.FORMER_LOT, in_lot).first() is None:
            return replace(found, state=State.UNKNOWN_LOT)
    of_product = {"product_id": product_id}
    if asked.lot is None:
        kids = list(connection.execute(queries.TAG_KEYS, of_product).scalars())
    else:
        kids = list(connection.execute(queries.TAG_KEYS_OF_LOT, of_product | {"lot": asked.lot}).scalars())
    assert asked.serial is not None
    try:
        code = check_unissued(
            desk.ring,
            kids,
            desk.base,
            gtin=asked.gtin,
            lot=asked.lot,
            serial=asked.serial,
            signature=asked.signature,
        )
        state = State.BAD_SIGNATURE if code is Code.FORGED else State.UNKNOWN
    except Unavailable:
        state = State.CANNOT_VERIFY
    return _not_ours(connection, found, asked, asked.lot, product_id, now, state)


def _not_ours(
    connection: Connection,
    found: Passport,
    asked: Asked,
    lot: str | None,
    product_id: int,
    now: datetime,
    state: State,
) -> Passport:
    """No facts for a code that is not shown to be ours, except that a recall of its lot (the printed one, else the one
    on record) is told to everyone."""
    bare = Passport(state, found.at, asked.gtin, asked.lot, asked.serial)
    lot = asked.lot or lot
    if lot is None:
        return bare
    batch = _find_lot(connection, product_id, lot, now)
    if batch is None or batch.recall is None:
        return bare
    told = dated(connection, replace(bare, product=found.product, supplier=found.supplier, batch=batch))
    return _with_states(told, {state, State.RECALLED})


def _with_states(passport: Passport, states: set[State]) -> Passport:
    """The gravest state leads; other reservations stand beside it. «Record valid» never does: it would soften them."""
    ordered = [state for state in GRAVITY if state in states]
    return replace(
        passport, state=ordered[0], also=tuple(s for s in ordered[1:] if s not in (State.OK_AGAIN, State.OK_FIRST))
    )


def _batch_states(batch: BatchFacts, today: date) -> set[State]:
    # By the facts, not by the state's name: closing a batch takes nothing off its page.
    states = set()
    if batch.recall:
        states.add(State.RECALLED)
    elif batch.hold_reason_zh:
        states.add(State.HOLD)
    if batch.released_at is None:
        states.add(State.NOT_RELEASED)
    if batch.expires_on and batch.expires_on < today:
        states.add(State.EXPIRED)
    if batch.released_at and any(report.status == Status.WITHDRAWN or report.expired for report in batch.reports):
        states.add(State.EVIDENCE_GAP)
    return states


def _product(row: Row[*tuple[Any, ...]]) -> ProductFacts:
    return ProductFacts(
        gtin=row.gtin,
        internal=is_internal(row.gtin),
        name_zh=row.name_zh,
        name_en=row.name_en,
        spec=row.spec,
        category_zh=row.category_zh,
        category_en=row.category_en,
        after_sales_zh=row.after_sales_zh,
        after_sales_en=row.after_sales_en,
        picture=row.picture,
    )


def _supplier(row: Row[*tuple[Any, ...]]) -> SupplierFacts:
    return SupplierFacts(
        row.supplier_zh, row.supplier_en, row.supplier_country, row.licence or None, row.suspended_at is not None
    )


def _item(row: Row[*tuple[Any, ...]]) -> ItemFacts:
    return ItemFacts(row.serial, row.tier, row.issued_at, row.kid or row.tag_kid, row.voided_at, row.void_reason)


def _batch(connection: Connection, query: Any, values: dict[str, Any], now: datetime) -> BatchFacts | None:
    row = connection.execute(query, values).one_or_none()
    if row is None:
        return None
    of_batch = {"batch_id": row.id}
    reports = tuple(_report(report, now.date()) for report in connection.execute(queries.REPORTS, of_batch))
    corrections: tuple[Correction, ...] = ()
    if row.released_at:
        corrections = tuple(Correction(*found) for found in connection.execute(queries.CORRECTIONS, of_batch))
    held_at = None
    if row.hold_reason_zh and row.recalled_at is None:
        held_at = connection.execute(queries.HELD_SINCE, of_batch).scalar()
    return BatchFacts(
        ref=row.ref,
        lot=row.lot,
        supplier_lot=row.supplier_lot,
        state=row.state,
        produced_on=row.produced_on,
        expires_on=row.expires_on,
        quantity=row.quantity,
        unit=row.unit,
        inputs=row.inputs,
        origin=Origin(row.place, row.region, row.country, row.latitude, row.longitude, row.producer, row.site),
        released_at=row.released_at,
        release_kid=row.release_kid,
        release_hash=row.release_sha256,
        held_at=held_at,
        hold_reason_zh=row.hold_reason_zh or None,
        hold_reason_en=row.hold_reason_en or None,
        recall=_recall(row),
        timeline=_timeline(row, reports, held_at, now.tzinfo),
        reports=reports,
        corrections=corrections,
        credential=row.credential,
    )


def _recall(row: Row[*tuple[Any, ...]]) -> Recall | None:
    if row.recalled_at is None:
        return None
    return Recall(row.recall_reason_zh, row.recall_reason_en, row.remedy_zh, row.remedy_en, row.phone, row.recalled_at)


def _report(row: Row[*tuple[Any, ...]], today: date) -> ReportFacts:
    return ReportFacts(
        ref=row.ref,
        number=row.number,
        laboratory=row.laboratory,
        accreditation=row.accreditation,
        sample=row.sample,
        issued_on=row.issued_on,
        expires_on=row.expires_on,
        status=row.status,
        expired=row.expires_on is not None and row.expires_on < today,
        conclusion_pass=row.conclusion == Conclusion.PASS,
        lines=row.lines,
        failed=row.failed,
        withdrawn_reason=row.withdrawn_reason or None,
    )


def _timeline(
    row: Row[*tuple[Any, ...]], reports: tuple[ReportFacts, ...], held_at: datetime | None, zone: tzinfo | None
) -> tuple[TimelineStep, ...]:
    """The dots from origin to expiry, by date; what has no date is not on it. Moments fall on a day of the service's
    calendar, the one that pages name beside them."""
    steps = []
    if row.produced_on:
        steps.append(TimelineStep("origin", row.produced_on, row.place))
        steps.append(TimelineStep("production", row.produced_on, row.site or row.producer))
    steps += [TimelineStep("test", report.issued_on, report.laboratory) for report in reports]
    if row.released_at:
        steps.append(TimelineStep("release", row.released_at.astimezone(zone).date(), ""))
    if held_at:
        steps.append(TimelineStep("hold", held_at.astimezone(zone).date(), ""))
    if row.recalled_at:
        steps.append(TimelineStep("recall", row.recalled_at.astimezone(zone).date(), ""))
    if row.expires_on:
        steps.append(TimelineStep("expiry", row.expires_on, ""))
    return tuple(sorted(steps, key=lambda step: step.on))
