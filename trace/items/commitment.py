"""What a code's link says, and the one entry of the log that binds all links of a run.

The commitment is the RFC 6962 root over the links in the order of issue. The tree grows with each piece of work, so
that the end of a long run is no work, and a run that was cut off goes on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ...signing.merkle import Frontier, leaf_hashes, split_hashes
from ...signing.plate import Plate, plate
from .. import log
from ..accounts.service import SERVICE
from ..log import Act
from .models import CodeRun, Item

HANDFUL = 1000


def link(run: CodeRun, item: Item) -> str:
    """What the QR symbol says: the canonical Digital Link, with the signature behind it for tier B."""
    return printed_link(run.base, run.gtin, None if run.short else run.lot, item.serial, run.letter, item.signature)


def printed_link(
    base: str, gtin: str, lot: str | None, serial: str, letter: str | None, signature: bytes | None
) -> str:
    """The same from plain facts."""
    return plate(base, gtin, lot).link(serial, letter, signature).decode()


def printed_links(session: Session, run: CodeRun) -> Iterator[list[bytes]]:
    """The links of a run in the order of issue, in handfuls, so that a million of them fits into memory."""
    link = plate_of(run).link
    query = select(Item.serial, Item.signature).where(Item.run_id == run.id).order_by(Item.id)
    for rows in session.execute(query.execution_options(yield_per=HANDFUL)).partitions():
        yield [link(serial, run.letter, signature) for serial, signature in rows]


def plate_of(run: CodeRun) -> Plate:
    """What all links of a run have in common."""
    return plate(run.base, run.gtin, None if run.short else run.lot)


def extend(session: Session, run: CodeRun, rows: Sequence[Mapping[str, Any]]) -> None:
    """Let the tree grow by the items in these rows, which are about to be written, and count them as issued."""
    frontier, link = _frontier(session, run), plate_of(run).link
    frontier.extend(leaf_hashes(link(row["serial"], run.letter, row["signature"]) for row in rows))
    run.issued, run.frontier = frontier.size, b"".join(frontier.hashes)


def commit(session: Session, run: CodeRun, *, at: datetime) -> None:
    """Bind all codes of a finished run: none can be added, changed or cut out later. Done once."""
    if run.root is not None:
        return
    run.root = _frontier(session, run).root().hex()
    log.record(
        session,
        Act.CODES_COMMIT,
        by=SERVICE,
        at=at,
        subject=f"run:{run.ref}",
        chain=f"batch:{run.batch.ref}",
        key=run.kid,
        run=run.ref,
        count=run.count,
        root=run.root,
        issued=issued(session, run),
        **made_with(run),
    )


def issued(session: Session, run: CodeRun) -> list[list[Any]]:
    """When its codes were made, as [moment, how many] in the order of issue: one piece for each piece of work."""
    query = (
        select(Item.issued_at, func.count(Item.id))
        .where(Item.run_id == run.id)
        .group_by(Item.issued_at)
        .order_by(func.min(Item.id))
    )
    return [[log.time_text(at), count] for at, count in session.execute(query)]


def ordered_with(run: CodeRun) -> dict[str, Any]:
    """What is settled with the order of a run, as plain JSON; its keys may be others when its first code is made."""
    return {name: getattr(run, name) for name in ("tier", "short", "base", "gtin", "lot")}


def made_with(run: CodeRun) -> dict[str, Any]:
    """What the links of a run were made with, as plain JSON."""
    return ordered_with(run) | {name: getattr(run, name) for name in ("kid", "letter", "tag_kid")}


def _frontier(session: Session, run: CodeRun) -> Frontier:
    if run.frontier or not run.issued:
        return Frontier.from_hashes(run.issued, split_hashes(run.frontier))
    # A run that began before there was a log: its tree is grown from its codes.
    frontier = Frontier()
    for links in printed_links(session, run):
        frontier.extend(leaf_hashes(links))
    return frontier
