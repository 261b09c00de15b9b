"""Group commit: look-ups that arrive together are written in one transaction, and each waits until it is durable.

One sync then serves many visitors. Under pressure the queue is full or slow; then the look-up is honestly not counted
and the page says so. Nothing is acknowledged that is not written.
"""

from __future__ import annotations

import logging
import queue
import threading
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, text

from ..db.engines import Database
from .models import Scan

GROUP = 256
WAITING = 2000
PATIENCE_S = 0.8

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Visit:
    """One look-up of one item, not yet written."""

    item_id: int
    at: datetime
    visitor: bytes
    network: bytes


class Recorder:
    """One writer thread per process, started with the first look-up."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queue: queue.Queue[tuple[Visit, Future[int]]] = queue.Queue(WAITING)
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def record(self, visit: Visit) -> int | None:
        """The row number of the durable look-up, or None when it could not be written in time."""
        self._start()
        answer: Future[int] = Future()
        try:
            self._queue.put_nowait((visit, answer))
            return answer.result(PATIENCE_S)
        except (queue.Full, NotCounted):
            return None
        except FutureTimeout:
            # A cancelled look-up is left out of its group, unless the writer has it in hand already: then it is
            # counted although this page did not say so, which errs on the modest side.
            answer.cancel()
            return None

    def _start(self) -> None:
        if self._thread is None:
            with self._starting:
                if self._thread is None:
                    self._thread = threading.Thread(target=self._run, name="scan-recorder", daemon=True)
                    self._thread.start()

    def _run(self) -> None:
        while True:
            group = [self._queue.get()]
            while len(group) < GROUP:
                try:
                    group.append(self._queue.get_nowait())
                except queue.Empty:
                    break
            self._write([(visit, answer) for visit, answer in group if answer.set_running_or_notify_cancel()])

    def _write(self, group: list[tuple[Visit, Future[int]]]) -> None:
        if not group:
            return
        try:
            rows = [vars(visit) for visit, _ in group]
            with self._database.write() as session:
                if self._database.dialect == "postgresql":
                    # Row numbers are handed out before the commit; one writer at a time makes the lower number the
                    # one that was there first, also for another process. Readers are not held up.
                    session.execute(text("LOCK TABLE scan IN SHARE ROW EXCLUSIVE MODE"))
                numbers = session.scalars(insert(Scan).returning(Scan.id, sort_by_parameter_order=True), rows).all()
        # Whatever the store says, the waiting visitors must be answered and the thread must live on.
        except Exception as error:
            logger.warning("look-ups were not counted: %s", type(error).__name__)
            for _, answer in group:
                answer.set_exception(NotCounted())
        else:
            for (_, answer), number in zip(group, numbers, strict=True):
                answer.set_result(number)


class NotCounted(Exception):
    """The store refused the group."""
