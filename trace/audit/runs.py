"""Hold the codes of runs against their commitments and voids, in handfuls: a run may have a million."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from ...signing.errors import SigningError
from ...signing.merkle import Frontier, leaf_hashes
from ..items.commitment import HANDFUL, printed_link
from ..items.models import CodeRun, Item
from . import kept
from .model import Finding
from .replay import Facts, History, finished_run
from .told import ERASED


def against_items(
    session: Session, history: History, query: Select[CodeRun], batch_id: int | None
) -> Iterator[Finding]:
    """Every item of these runs; then the voids that no item answers to. A finished run that this chain does not tell of
    is left to the one that does."""
    waiting = set(history.voids)
    for run in session.scalars(query.order_by(CodeRun.id)).all():
        if run.root is None or finished_run(history, run.ref):
            yield from _of_run(session, history, run, batch_id, waiting)
    for serial in sorted(waiting):
        yield Finding("record.missing", history.chain, f"item:{serial}", "row", "there", None)


def _of_run(
    session: Session, history: History, run: CodeRun, batch_id: int | None, waiting: set[str]
) -> Iterator[Finding]:
    facts = finished_run(history, run.ref)
    tree = _Tree(facts) if facts else None
    query = select(
        Item.serial, Item.signature, Item.batch_id, Item.issued_at, Item.voided_at, Item.void_reason, Item.voided_by
    )
    ordered = query.where(Item.run_id == run.id).order_by(Item.id).execution_options(yield_per=HANDFUL)
    for rows in session.execute(ordered).partitions():
        if tree:
            tree.grow(rows)
        for row in rows:
            waiting.discard(row.serial)
            yield from _of_item(history, run, batch_id, row)
    if tree:
        yield from tree.findings(history.chain, f"run:{run.ref}")


def _of_item(history: History, run: CodeRun, batch_id: int | None, row: Any) -> Iterator[Finding]:
    subject = f"item:{row.serial}"
    if batch_id is not None and row.batch_id != batch_id:
        yield Finding("record.differs", history.chain, subject, "batch_id", batch_id, row.batch_id)
    due = _void(history, run, row)
    there = {"voided_at": kept.moment(row.voided_at), "void_reason": row.void_reason, "voided_by": row.voided_by}
    for name, value in there.items():
        if due[name] is not ERASED and due[name] != value:
            yield Finding("record.differs", history.chain, subject, name, due[name], value)


_IN_USE: Facts = {"voided_at": None, "void_reason": None, "voided_by": None}


def _void(history: History, run: CodeRun, row: Any) -> Facts:
    """Its own void, else the first void of its run since it was made."""
    if row.serial in history.voids:
        return history.voids[row.serial]
    made = kept.moment(row.issued_at) or ""
    voids = history.run_voids.get(run.ref, ())
    return next((void for void in voids if void["of_all"] or void["voided_at"] >= made), _IN_USE)


@dataclass
class _Tree:
    """The codes of a run, printed with what the log says they were made with."""

    facts: Facts
    frontier: Frontier = field(default_factory=Frontier)
    issued: list[list[Any]] = field(default_factory=list)
    unprintable: str = ""

    def grow(self, rows: Sequence[Any]) -> None:
        facts = self.facts
        lot = None if facts["short"] else facts["lot"]
        try:
            links = [
                printed_link(facts["base"], facts["gtin"], lot, row.serial, facts["letter"], row.signature).encode()
                for row in rows
            ]
        except SigningError as error:
            self.unprintable = self.unprintable or error.message
            return
        self.frontier.extend(leaf_hashes(links))
        for row in rows:
            at = kept.moment(row.issued_at)
            if not self.issued or self.issued[-1][0] != at:
                self.issued.append([at, 0])
            self.issued[-1][1] += 1

    def findings(self, chain: str, subject: str) -> Iterator[Finding]:
        """The number of codes is told before the root: who reads it knows then that codes came or went."""
        facts = self.facts
        if self.unprintable:
            yield Finding("record.unsound", chain, subject, "codes", None, self.unprintable)
        elif self.frontier.size != facts["count"]:
            yield Finding("record.differs", chain, subject, "codes", facts["count"], self.frontier.size)
        elif (root := self.frontier.root().hex()) != facts["root"]:
            yield Finding("record.differs", chain, subject, "codes.root", facts["root"], root)
        elif "issued" in facts and (which := _apart(facts["issued"], self.issued)) is not None:
            yield Finding("record.differs", chain, subject, "codes.issued_at", *which)


def _apart(logged: list[Any], recorded: list[Any]) -> tuple[Any, Any] | None:
    """The first piece that differs. Pieces of one moment count as one, whatever the clock did in between."""
    pairs = zip(_merged(logged), _merged(recorded), strict=False)
    first = next((both for both in pairs if both[0] != both[1]), None)
    if first is None and len(_merged(logged)) != len(_merged(recorded)):
        return len(logged), len(recorded)
    return first


def _merged(pieces: list[Any]) -> list[list[Any]]:
    found: dict[str, int] = {}
    for at, count in pieces:
        found[at] = found.get(at, 0) + count
    return [[at, count] for at, count in sorted(found.items())]
