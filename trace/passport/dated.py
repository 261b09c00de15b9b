"""Since when others can know what a page dates: its dates beside their entries of the log, in one statement.

An act (released, recalled, corrected …) has an entry of its own. What somebody states of the world, such as the day of
production, counts from the entry that first told the day that the page shows; that proves nothing about the day itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.engine import Row

from ..log import Act
from . import queries
from .model import BatchFacts, Dated, Logged, Passport

Entry = Row[*tuple[Any, ...]]

STATED = ("produced_on", "expires_on")


def dated(connection: Connection, passport: Passport, product: str = "", run: str = "") -> Passport:
    """The passport with what the log says of its dates. `product` and `run` are references, empty where the page shows
    nothing of theirs. What waits for its seal is not in the log yet."""
    batch = passport.batch
    if batch is None:
        return passport
    words = [*(report.ref for report in batch.reports), run, passport.item.serial if passport.item else ""]
    chains = [f"batch:{batch.ref}", *([f"product:{product}"] if passport.renumbered else [])]
    found = connection.execute(queries.LOGGED, {"chains": chains, "words": words})
    rows = sorted((row for row in found if row.own_at is not None), key=lambda row: row.place)
    released = next((_logged(row) for row in rows if row.act == Act.BATCH_RELEASE), None)
    dates = (*_stated(batch, rows), *_reports(batch, rows), *_codes(passport, rows, run), *_acts(passport, batch, rows))
    return replace(passport, batch=replace(batch, logged=released, dates=dates))


def _logged(row: Entry) -> Logged:
    if row.cosigned_at is not None and (row.stamped_at is None or row.cosigned_at <= row.stamped_at):
        return Logged(row.cosigned_at, row.witnesses, 0)
    if row.stamped_at is not None:
        return Logged(row.stamped_at, 0, 1)
    return Logged(row.own_at, 0, 0)


def _stated(batch: BatchFacts, rows: Sequence[Entry]) -> Iterator[Dated]:
    told: dict[str, Entry] = {}
    for row in rows:
        if row.act in (Act.BATCH_ADD, Act.BATCH_RELEASE):
            # A release signs all facts, also those of a batch that is older than the log.
            told = dict.fromkeys(STATED, row) | told
        elif row.act in (Act.BATCH_CHANGE, Act.BATCH_CORRECT):
            told |= dict.fromkeys(_changed(row), row)
    for name in STATED:
        day = getattr(batch, name)
        if day and name in told:
            yield Dated(name, day, "", _logged(told[name]))


def _changed(row: Entry) -> set[str]:
    """Which of the stated days an entry changed; of one that cannot be read, all of them."""
    try:
        return set(json.loads(row.content)["facts"]["changed"]) & set(STATED)
    except (ValueError, KeyError, TypeError):
        return set(STATED)


def _reports(batch: BatchFacts, rows: Sequence[Entry]) -> Iterator[Dated]:
    for report in batch.reports:
        sent = _first(rows, Act.CERTIFICATE_SUBMIT, report.ref)
        if sent is not None:
            yield Dated("report", report.issued_on, report.number, _logged(sent))


def _codes(passport: Passport, rows: Sequence[Entry], run: str) -> Iterator[Dated]:
    item = passport.item
    if item is None:
        return
    bound = _first(rows, Act.CODES_COMMIT, run)
    if bound is not None:
        yield Dated("code", item.issued_at, "", _logged(bound))
    void = _first(rows, Act.CODES_VOID, run, item.serial) if item.voided_at else None
    if item.voided_at and void is not None:
        yield Dated("void", item.voided_at, "", _logged(void))


def _first(rows: Sequence[Entry], act: Act, *words: str) -> Entry | None:
    """The first one: a reference is drawn at random, so nobody can have used it as a number before."""
    return next((row for row in rows if row.act == act and row.term in words), None)


def _acts(passport: Passport, batch: BatchFacts, rows: Sequence[Entry]) -> Iterator[Dated]:
    """Acts by the moment that the page shows; one that changed several facts is one act."""
    renumbered = [change.at for change in passport.renumbered]
    for kind, acts, moments in (
        ("number", (Act.BATCH_RENUMBER, Act.PRODUCT_RENUMBER), renumbered),
        ("correction", (Act.BATCH_CORRECT,), [change.at for change in batch.corrections]),
        ("hold", (Act.BATCH_HOLD,), [batch.held_at]),
        ("recall", (Act.BATCH_RECALL,), [batch.recall.at if batch.recall else None]),
    ):
        for row in rows:
            if row.act in acts and row.at in moments:
                yield Dated(kind, row.at, "", _logged(row))
