"""Let others put their names and times to the log: witnesses at each checkpoint, time-stamp authorities once a day.

Nothing here holds up the log. Whoever does not answer is asked again, each time after a longer pause.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ...signing.checkpoint import Checkpoint
from ...signing.errors import SigningError
from ...signing.merkle import consistency_proof_from
from ...signing.notes import Note, NoteSignature
from ...signing.tiles import TileReader
from ...signing.tlog_policy import Witness
from ...signing.vkeys import VerifierKey
from .. import clock
from ..accounts.service import SERVICE
from ..db.engines import Database
from ..errors import LotsealError, Problem, Unavailable, say
from ..jobs import service as jobs
from ..jobs.models import Job, JobKind, JobState
from ..log import reading
from ..log.models import LogCheckpoint, LogCosignature, LogTimestamp
from ..log.shelf import CHECKPOINT, Shelf
from ..log.witnesses import submit
from ..timestamps import service as timestamps

PAUSE_S = 1.0
MOST_AT_ONCE = 8
AT_ONCE = datetime(1970, 1, 1, tzinfo=UTC)
LONGEST_PAUSE = timedelta(minutes=10)
STAMP_EVERY = timedelta(days=1)
LOOK_FOR_STAMPS_EVERY = timedelta(minutes=1)

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Authority:
    """A time-stamp authority and the file with the roots of which its stamps must lead to one."""

    url: str
    roots: Path

    @property
    def name(self) -> str:
        return urlsplit(self.url).netloc


# --- witnesses --------------------------------------------------------------------------------------------------------


def cosign(database: Database, shelf: Shelf, witness: Witness) -> bool:
    """Ask one witness for the published checkpoint, unless it has cosigned that; says whether it did so now.

    Raises `Unavailable` when it does not cosign. Its line is durable before anybody is shown it.
    """
    data = shelf.read(CHECKPOINT)
    if data is None or witness.url is None:
        return False
    note = Note.parse(data)
    size = Checkpoint.parse(note.text).size
    with database.read() as session:
        if session.get(LogCosignature, (size, witness.key.name)):
            return False
        known = _cosigned_by(session, witness)

    def proof_from(old: int) -> list[bytes]:
        return consistency_proof_from(TileReader(shelf.read, size), old, size)

    keep(
        database,
        shelf,
        note,
        witness.key,
        submit(note, witness.url, witness.key, old_size=known, proof_from=proof_from),
    )
    return True


def keep(database: Database, shelf: Shelf, note: Note, key: VerifierKey, lines: Sequence[NoteSignature]) -> None:
    """Keep the lines of this witness for the checkpoint in `note`, then show them to readers. Raises BadSignature."""
    size = Checkpoint.parse(note.text).size
    with database.write() as session:
        for line in lines:
            at = datetime.fromtimestamp(key.verify(note.text.encode(), line.signature) or 0, UTC)
            session.merge(LogCosignature(size=size, witness=key.name, line=line.line.rstrip("\n"), at=at))
    with database.read() as session:
        shelf.refresh(session)


def _cosigned_by(session: Session, witness: Witness) -> int:
    query = select(func.max(LogCosignature.size)).where(LogCosignature.witness == witness.key.name)
    return session.scalar(query) or 0


# --- time -------------------------------------------------------------------------------------------------------------


def order_stamp(session: Session, authorities: Collection[Authority], *, at: datetime) -> Job | None:
    """A job that has a checkpoint stamped: the newest when the last stamp is a day old and something was sealed since,
    else the one that was stamped last, for the authorities that missed it. So all put their time to the same one."""
    size = _to_stamp(session, at)
    missing = _missing(session, size, authorities) if size is not None else []
    if not missing:
        return None
    under_way = select(Job.id).where(Job.kind == JobKind.STAMP_CHECKPOINT)
    # One that gave up is ordered anew, but not at every look.
    recent = under_way.where(
        Job.state.in_((JobState.QUEUED, JobState.RUNNING)) | (Job.added_at > at - timedelta(hours=1))
    )
    if session.scalar(recent.limit(1)) is not None:
        return None
    total = len(authorities)
    return jobs.enqueue(session, JobKind.STAMP_CHECKPOINT, {"size": size}, total=total, by=SERVICE, at=at)


def _to_stamp(session: Session, at: datetime) -> int | None:
    """The size of the checkpoint that should have everybody's stamp now. A day counts from the first stamp."""
    newest = reading.newest(session)
    stamped = select(LogTimestamp.size, func.min(LogTimestamp.at)).group_by(LogTimestamp.size)
    last = session.execute(stamped.order_by(LogTimestamp.size.desc()).limit(1)).one_or_none()
    if newest is None or last is None:
        return newest.size if newest else None
    size, first_at = last
    return size if first_at + STAMP_EVERY > at else newest.size


def _missing(session: Session, size: int, authorities: Collection[Authority]) -> list[Authority]:
    query = select(LogTimestamp.authority).where(LogTimestamp.size == size)
    there = set(session.scalars(query))
    return [one for one in authorities if one.name not in there]


def stamp(claimed: jobs.Claimed, authorities: Collection[Authority]) -> None:
    """The job: an RFC 3161 token over the text of a checkpoint from each authority that has not stamped it.

    Each token is durable before the next authority is asked. Raises `Unavailable` at the end when one gave none, so
    that the next attempt asks only that one.
    """
    if not authorities:
        raise _no_authority()
    with claimed.database.read() as session:
        checkpoint = session.get_one(LogCheckpoint, claimed.payload["size"])
        missing = _missing(session, checkpoint.size, authorities)
    text = Note.parse(checkpoint.note.encode()).text.encode()
    failed: list[Exception] = []
    for authority in missing:
        try:
            found = timestamps.stamp(text, authority.url, timestamps.roots(authority.roots))
            with claimed.database.write() as session:
                session.add(
                    LogTimestamp(size=checkpoint.size, authority=authority.name, token=found.token, at=found.at)
                )
                session.flush()
                left = len(_missing(session, checkpoint.size, authorities))
                claimed.progress(session, len(authorities) - left, at=clock.now())
        except jobs.Lost:
            raise
        # Whatever goes wrong with one authority must not keep the others from being asked.
        except Exception as error:
            logger.warning("%s did not stamp the checkpoint of %d entries: %s", authority.name, checkpoint.size, error)
            failed.append(error)
    if failed:
        raise _joined(failed)


def _joined(failed: Sequence[Exception]) -> Exception:
    """All refusals in one, which a job tries again; a fault of the program comes first."""
    refused = [error for error in failed if isinstance(error, LotsealError)]
    if len(refused) < len(failed):
        return next(error for error in failed if error not in refused)
    return Unavailable(*(problem for error in refused for problem in error.problems))


def _no_authority() -> Unavailable:
    sentence = say("Set LOTSEAL_TSA_URL and LOTSEAL_TSA_ROOTS to have checkpoints stamped.")
    return Unavailable(Problem("LOTSEAL_TSA_URL", "timestamp.none", sentence))


# --- rounds -----------------------------------------------------------------------------------------------------------


@dataclass
class _Patience:
    """When somebody who did not answer is asked again."""

    not_before: datetime = AT_ONCE
    failures: int = 0

    def failed(self, at: datetime) -> None:
        self.failures += 1
        self.not_before = at + min(timedelta(seconds=2**self.failures), LONGEST_PAUSE)


class Rounds:
    """Once a second: who has not cosigned the published checkpoint is asked, and a daily stamp is ordered."""

    def __init__(
        self, database: Database, shelf: Shelf, witnesses: Sequence[Witness], authorities: Sequence[Authority]
    ) -> None:
        self._database = database
        self._shelf = shelf
        self._witnesses = witnesses
        self._authorities = authorities
        self._patience: dict[str, _Patience] = {}
        self._next_stamp = clock.now()
        self._stop = threading.Event()

    def run_once(self) -> int:
        """One round; how many witnesses cosigned. All are asked at once, so that none keeps the others waiting."""
        with ThreadPoolExecutor(max_workers=MOST_AT_ONCE) as pool:
            count = sum(pool.map(self._ask, self._witnesses))
        if self._authorities:
            self._order_stamp()
        return count

    def _ask(self, witness: Witness) -> bool:
        patience = self._patience.setdefault(witness.name, _Patience())
        if clock.now() < patience.not_before:
            return False
        try:
            done = cosign(self._database, self._shelf, witness)
        except (LotsealError, SigningError) as error:
            patience.failed(clock.now())
            logger.warning("witness %s did not cosign: %s", witness.name, error)
            return False
        self._patience[witness.name] = _Patience()
        return done

    def _order_stamp(self) -> None:
        now = clock.now()
        if now < self._next_stamp:
            return
        self._next_stamp = now + LOOK_FOR_STAMPS_EVERY
        with self._database.write() as session:
            order_stamp(session, self._authorities, at=now)

    def run_forever(self) -> None:
        while not self._stop.is_set():
            try:
                self.run_once()
            # A store that is down for a while must not end the rounds; they say so and go on.
            except Exception:
                logger.exception("the rounds to witnesses failed")
                self._stop.wait(5 * PAUSE_S)
            self._stop.wait(PAUSE_S)

    def stop(self) -> None:
        self._stop.set()
