"""`lotseal doctor`: look at everything that a running service rests on, and say what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import click
from sqlalchemy.exc import SQLAlchemyError

from ....trace import settings
from ....trace.errors import LotsealError, Message, say
from ....trace.system import System
from ..context import FOUND, done, json_option, opened, translated
from .check import Check, Level, bad
from .keys import keys
from .log import log
from .stores import stores
from .surroundings import chosen_settings, disk, files, jobs, versions

__all__ = ["doctor"]


@click.command()
@json_option
def doctor() -> None:
    """Check versions, chosen_settings, migrations, keys, disk, files and settings. Exits with 4 when a line is bad."""
    chosen = settings.load()
    checks = [*versions(), *chosen_settings(chosen)]
    with opened(chosen) as system:
        for examine in (stores, keys, log, disk, files, jobs):
            checks += _examined(examine, system)
    bad = any(check.level is Level.BAD for check in checks)
    marks = {
        Level.OK: say("✓ ok       %(sentence)s"),
        Level.WARNING: say("! warning  %(sentence)s"),
        Level.BAD: say("✗ bad      %(sentence)s"),
    }
    found = [{"check": c.name, "level": c.level.value, "sentence": translated(c.sentence)} for c in checks]
    done(
        {"ok": not bad, "data": str(chosen.data), "checks": found},
        *(Message(marks[check.level].text, {"sentence": check.sentence}) for check in checks),
    )
    if bad:
        click.get_current_context().exit(FOUND)


def _examined(examine: Callable[[System], Iterator[Check]], system: System) -> Iterator[Check]:
    """A part that cannot even be looked at is a bad line, and the other parts are still looked at."""
    name = examine.__name__
    try:
        yield from examine(system)
    except LotsealError as error:
        yield from (bad(problem.rule, problem.message) for problem in error.problems)
    except (SQLAlchemyError, OSError) as error:
        reason = str(getattr(error, "orig", None) or error).partition("\n")[0]
        yield bad(
            name, say("This could not be looked at: %(reason)s. Run «lotseal migrate», then look again.", reason=reason)
        )
