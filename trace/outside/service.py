"""Let others put their names and times to the log: witnesses at each checkpoint, an authority once a day.

Nothing here holds up the log. Whoever does not answer is asked again, each time after a longer pause.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
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
    """A time-stamp authority and the file with the roots that its stamps must lead to."""

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


def order_stamp(session: Session, *, at: datetime) -> Job | None:
    """A job that stamps the newest checkpoint, when the last stamp is a day old and something was sealed since."""
    newest = reading.newest(session)
    last = session.scalar(select(LogTimestamp).order_by(LogTimestamp.size.desc()).limit(1))
    if newest is None or (last and (last.size == newest.size or last.at + STAMP_EVERY > at)):
        return None
    under_way = select(Job.id).where(Job.kind == JobKind.STAMP_CHECKPOINT)
    # One that gave up is ordered anew, but not at every look.
    recent = under_way.where(
        Job.state.in_((JobState.QUEUED, JobState.RUNNING)) | (Job.added_at > at - timedelta(hours=1))
    )
    if session.scalar(recent.limit(1)) is not None:
        return None
    return jobs.enqueue(session, JobKind.STAMP_CHECKPOINT, {"size": newest.size}, total=1, by=SERVICE, at=at)


def stamp(claimed: jobs.Claimed, authority: Authority | None) -> None:
    """The job: an RFC 3161 token over the text of a checkpoint. Done once for a checkpoint and authority."""
    if authority is None:
        raise _no_authority()
    with claimed.database.read() as session:
        checkpoint = session.get_one(LogCheckpoint, claimed.payload["size"])
        there = session.get(LogTimestamp, (checkpoint.size, authority.name))
    if there is None:
        text = Note.parse(checkpoint.note.encode()).text.encode()
        found = timestamps.stamp(text, authority.url, timestamps.roots(authority.roots))
        with claimed.database.write() as session:
            session.add(LogTimestamp(size=checkpoint.size, authority=authority.name, token=found.token, at=found.at))
            claimed.progress(session, 1, at=clock.now())


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
        self, database: Database, shelf: Shelf, witnesses: Sequence[Witness], authority: Authority | None
    ) -> None:
        self._database = database
        self._shelf = shelf
        self._witnesses = witnesses
        self._authority = authority
        self._patience: dict[str, _Patience] = {}
        self._next_stamp = clock.now()
        self._stop = threading.Event()

    def run_once(self) -> int:
        """One round; how many witnesses cosigned. All are asked at once, so that none keeps the others waiting."""
        with ThreadPoolExecutor(max_workers=MOST_AT_ONCE) as pool:
            count = sum(pool.map(self._ask, self._witnesses))
        if self._authority is not None:
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
            order_stamp(session, at=now)

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
