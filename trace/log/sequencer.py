"""What keeps the log growing: seal, publish, and do so again when something waits."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from .. import clock
from ..db.engines import Database
from ..errors import LotsealError
from .sealing import Sealed, Sign, seal
from .shelf import Shelf

PAUSE_S = 1.0
"""Between two looks at whether something waits."""
PACE = timedelta(seconds=1)
"""At most one checkpoint in this time, whoever seals: a service, a worker, a command, or several of each."""

logger = logging.getLogger(__name__)


class Sequencer:
    """Seals one store's log. Any number of processes may run one: the store lets only one of them seal at a time, and
    at most once in `pace`."""

    pace = PACE

    def __init__(
        self, database: Database, shelf: Shelf, origin: str, signer: Callable[[Session, datetime], Sign]
    ) -> None:
        self.database = database
        self.shelf = shelf
        self._origin = origin
        self._signer = signer
        self._stop = threading.Event()

    def run_once(self) -> int:
        """Seal and publish all that waits; how many entries were sealed. Waits while the newest checkpoint is too
        young, once before each seal; leaves to the next round what is too early even then, since somebody else sealed
        meanwhile. Raises `Unavailable` when the log key does not open, the files are ahead of the store, or the
        disk does not take them; what was sealed stays sealed."""
        count, waited = 0, False
        while True:
            sealed = self._seal()
            # At once, also before a wait: a checkpoint is there to be read.
            with self.database.read() as session:
                self.shelf.catch_up(session)
            count += sealed.count
            if not sealed.count:
                if not sealed.wait or waited:
                    return count
                self.wait(sealed.wait.total_seconds())
            waited = not sealed.count

    def wait(self, seconds: float) -> None:
        """Until the newest checkpoint is old enough; a stop ends it."""
        self._stop.wait(seconds)

    def _seal(self) -> Sealed:
        with self.database.write() as session:
            self.shelf.refuse_ahead(session)
            return seal(session, self._origin, self._signer, now=clock.now, pace=self.pace)

    def run_forever(self) -> None:
        """Once a second until stopped. A failure is logged once for as long as it lasts, and tried again."""
        failing = ""
        while not self._stop.is_set():
            try:
                self.run_once()
                failing = ""
            # Whatever went wrong, entries only wait longer: nothing that was acknowledged is lost by it.
            except Exception as error:
                said = str(error) if isinstance(error, LotsealError) else repr(error)
                if said != failing:
                    logger.exception("the log could not be sealed")
                failing = said
            self._stop.wait(PAUSE_S)

    def stop(self) -> None:
        self._stop.set()
