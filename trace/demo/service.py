"""Build a demo: a data folder that every other command can work on."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import closing
from datetime import date, datetime, time
from pathlib import Path

from .. import clock, settings
from ..errors import Message, say
from ..system import System, open_system
from . import aftermath, codes, folder, formula, history, lamp, material, salmon, tea, witnessing
from .facts import BatchFact, DemoFacts, load, write_marker
from .history import Cast, History
from .plan import Calendar
from .signing import Authorities

__all__ = ["Progress", "build", "load"]

MOST_PORT = 65_535
STORIES = (tea.STORY, salmon.STORY, formula.STORY, lamp.STORY)

Progress = Callable[[int, int, Message], None]
"""Called with what is done, what there is to do, and what is going on; from several threads, one at a time."""


def build(data: Path, *, port: int = 8000, on_progress: Progress | None = None, today: date | None = None) -> DemoFacts:
    """A living system in `data`, which must be missing or empty. All or nothing; takes about ten seconds.

    Settings of the environment have no part in it: a demo must not end up in somebody's DATABASE_URL. Raises
    `Conflict` when `data` is in use, `Unavailable` when no folder can be made there.
    """
    data = data.expanduser().absolute()
    folder.refuse_used(data)
    steps = _Steps(on_progress, material.count(STORIES) + 5)
    with folder.growing(data) as place:
        folder.write_settings(place, port=port)
        witnessing.create(place, port=port + 1 if port < MOST_PORT else port - 1)
        chosen = settings.load({}, data=place)
        calendar, now = _calendar(chosen, today)
        # Everything is closed before the folder gets its name: an open SQLite file must not be moved.
        with closing(open_system(chosen)) as system:
            system.migrate()
            cast = _live(system, calendar, now, steps)
            witnessing.follow(system, place, at=clock.now())
            aftermath.take_key_away(place, chosen.keys_folder, cast)
        # Opened anew, so that no key is left in memory and the answers are those of a freshly started service.
        with closing(open_system(chosen)) as system:
            steps.tell(say("Checking every link"))
            facts = _check(system, cast, data, now)
        write_marker(place, facts)
    return facts


class _Steps:
    """Counts finished steps and tells whoever wants to know."""

    def __init__(self, listener: Progress | None, total: int) -> None:
        self._listener, self._total, self._done = listener, total, 0
        self._turn = threading.Lock()

    def tell(self, what: Message) -> None:
        with self._turn:
            self._done += 1
            if self._listener:
                self._listener(self._done, self._total, what)


def _calendar(chosen: settings.Settings, today: date | None) -> tuple[Calendar, datetime]:
    now = clock.now() if today is None else datetime.combine(today, time(12), chosen.zone)
    return Calendar(now.astimezone(chosen.zone).date(), chosen.zone), now


def _live(system: System, calendar: Calendar, now: datetime, steps: _Steps) -> Cast:
    """From an empty store to today."""
    drawing = say("Drawing reports and pictures")
    authorities = Authorities(calendar)
    taken = material.prepare(system.storage, STORIES, calendar, authorities, lambda: steps.tell(drawing))
    steps.tell(say("Telling the stories"))
    cast = History(system, calendar, taken, authorities).play(STORIES)
    steps.tell(say("Issuing codes"))
    _run_jobs(system)
    with system.main.write() as session:
        aftermath.date_back(session, cast)
        sheet = aftermath.order_labels(session, cast, calendar)
    steps.tell(say("Printing labels and reading them back"))
    _run_jobs(system)
    aftermath.check_labels(system, sheet)
    steps.tell(say("Looking codes up"))
    aftermath.look_up_codes(system, cast, until=now)
    system.sequencer().run_once()
    return cast


def _run_jobs(system: System) -> None:
    history.worker(system).run_all()


def _check(system: System, cast: Cast, data: Path, now: datetime) -> DemoFacts:
    with system.main.read() as session:
        promised = codes.ready(session, cast)
    codes.check(system, promised, at=now)
    return DemoFacts(
        data,
        tuple(code.fact for code in promised),
        tuple(cast.told),
        tuple(BatchFact(batch.product.gtin, lot, str(batch.state)) for lot, batch in cast.batches.items()),
    )
