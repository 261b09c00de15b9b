"""Count a look-up and tell what is known of earlier ones."""

from __future__ import annotations

import hashlib
import hmac
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, distinct, func, or_, select
from sqlalchemy.exc import SQLAlchemyError

from ..db.engines import Database
from .models import Scan
from .recorder import Recorder, Visit

logger = logging.getLogger(__name__)

SAME_SESSION = timedelta(minutes=30)
"""Looking again within this time is the same look-up: a reload or a second tap is no second visitor."""


@dataclass(frozen=True)
class Visitor:
    """Who looks, as two keyed hashes of 16 bytes; see `models.Scan`."""

    cookie: bytes
    network: bytes


@dataclass(frozen=True)
class Earlier:
    """Look-ups of one item before this one. `first_at` is by anyone else, None when there was none."""

    others: int
    first_at: datetime | None
    own: int
    counted: bool


def visitor(secret: bytes, *, cookie: str, network: str, day: str) -> Visitor:
    """`cookie` is a random first-party value, `network` address and browser as one text, `day` the UTC date."""
    return Visitor(_keyed(secret, "visitor", cookie), _keyed(secret, f"network {day}", network))


def _keyed(secret: bytes, purpose: str, text: str) -> bytes:
    return hmac.new(secret, f"lotseal/{purpose}\n{text}".encode(), hashlib.sha256).digest()[:16]


_same = or_(
    Scan.visitor == bindparam("cookie"),
    (Scan.network == bindparam("network")) & (Scan.at > bindparam("recently")),
)
# Built once: the look-up path executes it for every scan.
_HISTORY = select(
    func.count(distinct(Scan.visitor)).filter(~_same),
    func.min(Scan.at).filter(~_same),
    func.count().filter(_same),
    func.max(Scan.at).filter(_same),
).where(Scan.item_id == bindparam("item_id"), Scan.id < bindparam("before"))
_ENDLESS = 2**31 - 1


def look(
    scans: Database, recorder: Recorder, item_id: int, who: Visitor, *, at: datetime, count: bool
) -> Earlier | None:
    """Count this look-up (unless `count` is False: a robot, or the same session again) and tell the earlier ones.

    None when the store does not answer: then nothing is known of earlier look-ups, not even that there were none.
    """
    try:
        return _look(scans, recorder, item_id, who, at=at, count=count)
    except SQLAlchemyError as error:
        logger.warning("the history of a code was not read: %s", type(error).__name__)
        return None


def _look(scans: Database, recorder: Recorder, item_id: int, who: Visitor, *, at: datetime, count: bool) -> Earlier:
    before = _earlier(scans, item_id, who, at=at, before=_ENDLESS)
    if not count:
        return Earlier(before.others, before.first_at, before.own, counted=False)
    if before.again:
        return Earlier(before.others, before.first_at, before.own - 1, counted=True)
    number = recorder.record(Visit(item_id, at, who.cookie, who.network))
    if number is None:
        return Earlier(before.others, before.first_at, before.own, counted=False)
    if before.others == 0:
        # Two phones at the same moment: the row numbers say who was first, so only one reads «first».
        before = _earlier(scans, item_id, who, at=at, before=number)
    return Earlier(before.others, before.first_at, before.own, counted=True)


@dataclass(frozen=True)
class _Found:
    others: int
    first_at: datetime | None
    own: int
    again: bool


def _earlier(scans: Database, item_id: int, who: Visitor, *, at: datetime, before: int) -> _Found:
    values = {
        "item_id": item_id,
        "before": before,
        "cookie": who.cookie,
        "network": who.network,
        "recently": at - SAME_SESSION,
    }
    with scans.read_engine.connect() as connection:
        others, first_at, own, last = connection.execute(_HISTORY, values).one()
    return _Found(others, first_at, own, last is not None and last > at - SAME_SESSION)
