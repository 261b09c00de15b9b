"""How the log stands: what waits, what readers see, and how far others have put their names to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ...signing.errors import PolicyNotMet, SigningError
from ...signing.notes import Note
from ...signing.tlog_policy import NOT_OF_THE_LOG, Policy
from ..errors import Problem, Unavailable, say
from ..log import reading
from ..log.models import LogCheckpoint, LogCosignature, LogEntry, LogTimestamp
from ..log.shelf import CHECKPOINT, Shelf

PATIENCE = timedelta(minutes=1)
"""What waits longer than this for a seal or a witness does not come by itself."""
STAMP_PATIENCE = timedelta(days=2)


@dataclass(frozen=True)
class Voucher:
    """How far somebody else went along: the size of the newest checkpoint that has its name, and its own time."""

    name: str
    size: int
    at: datetime | None


@dataclass(frozen=True)
class Health:
    """`waiting_since` is when the oldest entry without a seal was written. `witnesses` are those that are asked, then
    those that were; `stamps` the time-stamp authorities in the same way. `cosigned` says whether the published
    checkpoint has enough witnesses; None when nobody is asked."""

    size: int
    published: int
    published_at: datetime | None
    waiting: int
    waiting_since: datetime | None
    witnesses: tuple[Voucher, ...]
    cosigned: bool | None
    stamps: tuple[Voucher, ...]


def health(session: Session, shelf: Shelf, policy: Policy, authorities: Sequence[str] = ()) -> Health:
    """`policy` names the keys of the log and the witnesses that it asks; `authorities` are the names of those that are
    asked for time stamps. Raises `Unavailable` when the published files
    are ahead of the store, of another history, or not signed by the log."""
    shelf.refuse_ahead(session)
    newest, published = reading.newest(session), shelf.published()
    waiting = select(func.min(LogEntry.at)).where(LogEntry.index.is_(None))
    asked = [one.key.name for one in policy.witnesses]
    return Health(
        size=newest.size if newest else 0,
        published=published.size if published else 0,
        published_at=session.get_one(LogCheckpoint, published.size).at if published else None,
        waiting=reading.waiting(session),
        waiting_since=session.scalar(waiting),
        witnesses=_vouchers(session, LogCosignature, asked),
        cosigned=_cosigned(shelf, policy) if published else None,
        stamps=_vouchers(session, LogTimestamp, authorities),
    )


def vouchers(session: Session, policy: Policy | None, authorities: Sequence[str] = ()) -> tuple[Voucher, ...]:
    """Witnesses that are asked, then others that were; then the time-stamp authorities in the same way."""
    asked = [one.key.name for one in policy.witnesses] if policy else []
    return (*_vouchers(session, LogCosignature, asked), *_vouchers(session, LogTimestamp, authorities))


def _vouchers(
    session: Session, table: type[LogCosignature] | type[LogTimestamp], asked: Sequence[str]
) -> tuple[Voucher, ...]:
    name = LogCosignature.witness if table is LogCosignature else LogTimestamp.authority
    newest = select(name, func.max(table.size), func.max(table.at)).group_by(name).order_by(name)
    found = {row[0]: Voucher(*row) for row in session.execute(newest)}
    return tuple(found.get(one) or Voucher(one, 0, None) for one in dict.fromkeys([*asked, *found]))


def _cosigned(shelf: Shelf, policy: Policy) -> bool | None:
    """Whether the checkpoint that readers see has the log's signature, and the cosignatures which the policy wants."""
    try:
        policy.verify(Note.parse(shelf.read(CHECKPOINT) or b""))
    except PolicyNotMet as error:
        if error.rule == NOT_OF_THE_LOG:
            raise _unsigned() from error
        return False
    except SigningError as error:
        raise _unsigned() from error
    return True if policy.witnesses else None


def _unsigned() -> Unavailable:
    sentence = say(
        "The published checkpoint is not signed by this log. Remove the file log/checkpoint and run «lotseal log seal»."
    )
    return Unavailable(Problem(None, "log.signature", sentence))
