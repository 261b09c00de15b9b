"""A random sample that nobody can steer: a published seed decides, and anybody can draw it again.

Of all that is sealed in the log, those are drawn whose SHA-256 over the seed, a line feed and the identifier is the
smallest. Identifiers are public: the serial of an item, the references of a batch or report as the log names them.
"""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Exists, Select, exists, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from ..batches.models import Batch
from ..certificates.models import Certificate
from ..errors import say
from ..intake import Intake
from ..items.models import CodeRun, Item
from ..log import Act
from ..log.models import LogEntry, LogTerm
from .streams import streamed

MOST = 200


class Kind(StrEnum):
    """What is drawn; the words are permanent."""

    ITEMS = "items"
    BATCHES = "batches"
    CERTIFICATES = "certificates"


@dataclass(frozen=True)
class Order:
    seed: str
    count: int
    of: Kind


@dataclass(frozen=True)
class Drawn:
    """One of the sample. `hash` (hexadecimal) is what put it there."""

    identifier: str
    hash: str


def read_order(raw: Mapping[str, str]) -> Order:
    """Fields: seed (1 to 100 characters on one line), n (1 to 200), of. Raises `Invalid`."""
    intake = Intake(raw)
    seed = intake.text("seed", most=100)
    text = intake.given("n")
    count = int(text) if text.isascii() and text.isdigit() and len(text) <= 3 else 0
    if not 1 <= count <= MOST:
        intake.refuse("n", "sample.count", say("Take a whole number from 1 to %(most)d.", most=MOST))
    of = intake.choice("of", Kind, default=Kind.ITEMS)
    intake.done()
    return Order(seed, count, of)


def rank(seed: str, identifier: str) -> str:
    """SHA-256 of seed, line feed and identifier in UTF-8, hexadecimal."""
    return hashlib.sha256(f"{seed}\n{identifier}".encode()).hexdigest()


def draw(session: Session, order: Order) -> tuple[Sequence[Drawn], int]:
    """The sample in the order of its hashes, and out of how many it was drawn. Holds the sample in memory, not what it
    is drawn from."""
    total = 0

    def ranked() -> Iterator[tuple[str, str]]:
        nonlocal total
        for identifier in streamed(session, _sealed(order.of)):
            total += 1
            yield rank(order.seed, identifier), identifier

    smallest = heapq.nsmallest(order.count, ranked())
    return [Drawn(identifier, found) for found, identifier in smallest], total


def _sealed(of: Kind) -> Select[str]:
    match of:
        case Kind.BATCHES:
            first = exists().where(LogEntry.chain == "batch:" + Batch.ref, LogEntry.seq == 1)
            return select(Batch.ref).where(first)
        case Kind.CERTIFICATES:
            return select(Certificate.ref).where(_told(Act.CERTIFICATE_SUBMIT, Certificate.ref))
        case Kind.ITEMS:
            runs = select(CodeRun.id).where(_told(Act.CODES_COMMIT, CodeRun.ref))
            return select(Item.serial).where(Item.run_id.in_(runs))


def _told(act: Act, ref: InstrumentedAttribute[str]) -> Exists:
    return exists().where(
        LogTerm.term == ref, LogEntry.id == LogTerm.entry_id, LogEntry.act == act, LogEntry.index.is_not(None)
    )
