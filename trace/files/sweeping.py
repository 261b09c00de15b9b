"""Take away what nobody names: bytes whose upload was refused or cut off after they were stored, and halves of files.

Bytes are stored before their row is written, so that no row is ever without its bytes; a stop in between leaves bytes
without a row. They are kept for a day, by which time any upload has ended.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from .. import clock
from .storage import LocalStorage

KEPT = timedelta(days=1)
PAUSE_S = KEPT.total_seconds()

logger = logging.getLogger(__name__)


class Sweeper:
    """`named` tells every SHA-256 that a row of the store names."""

    def __init__(self, storage: LocalStorage, named: Callable[[], set[str]]) -> None:
        self._storage = storage
        self._named = named
        self._stop = threading.Event()

    def run_once(self, *, at: datetime) -> int:
        """How many orphans were taken away."""
        before = at - KEPT
        self._storage.forget_unfinished(before=before)
        old = list(self._storage.put_before(before))
        # Asked after the list was made, so that what is on it either has its row by now or was put for nothing.
        named = self._named() if old else set()
        return sum(self._storage.delete_orphan(name, before=before) for name in old if name not in named)

    def run_forever(self) -> None:
        """At the start and once a day until stopped."""
        while not self._stop.is_set():
            try:
                count = self.run_once(at=clock.now())
                if count:
                    logger.info("%d stored files that no record names were taken away", count)
            # Orphans do no harm but take room; the next day will do.
            except Exception:
                logger.exception("stored files were not looked through")
            self._stop.wait(PAUSE_S)

    def stop(self) -> None:
        self._stop.set()
