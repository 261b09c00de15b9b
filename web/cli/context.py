"""What every command shares: opening the system, speaking to people or to programs, and turning errors into exit codes.

0 done · 1 refused by a rule · 2 wrong usage · 3 not available just now, or `certificate inspect` refuses the file or
cannot read it · 4 doctor, `migrate --check` or `backup` found something · 70 a fault of the program itself ·
130 stopped with Ctrl-C.
"""

from __future__ import annotations

import codecs
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, Protocol, TypeVar

import click
from babel import default_locale
from babel.support import NullTranslations, Translations
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.orm import Session

from ...trace import clock, settings
from ...trace.db import migrate
from ...trace.errors import LotsealError, Message, Problem, Unavailable, say
from ...trace.settings import Settings
from ...trace.system import System, open_system

F = TypeVar("F", bound=Callable[..., Any])
Document = Mapping[str, Any]

REFUSED, UNAVAILABLE, FOUND, FAULT, STOPPED = 1, 3, 4, 70, 130
_AS_JSON = "lotseal.as-json"
_DEBUG = "lotseal.debug"
_TRANSLATIONS = Path(__file__).resolve().parent.parent / "translations"
# A pipe has no width: nothing may be wrapped or cut for the program that reads it.
_PIPE_WIDTH = 10_000


# --- words ------------------------------------------------------------------------------------------------------------


@cache
def _catalogue() -> NullTranslations:
    """The Chinese catalogue when the terminal speaks Chinese and the catalogue is there, else none."""
    if not (default_locale("LC_MESSAGES") or "").startswith("zh"):
        return NullTranslations()
    return Translations.load(str(_TRANSLATIONS), ["zh"])


def translated(message: Message | str) -> str:
    """The sentence in the language of the terminal, its gaps filled."""
    if isinstance(message, str):
        return _catalogue().gettext(message) if message else ""
    values = {name: translated(v) if isinstance(v, Message) else v for name, v in message.values.items()}
    return str(Message(_catalogue().gettext(message.text), values))


# --- output -----------------------------------------------------------------------------------------------------------


def json_option(command: F) -> F:
    """`--json`: one JSON document on stdout and nothing else there."""
    return click.option(
        "--json",
        is_flag=True,
        expose_value=False,
        is_eager=True,
        callback=_remember,
        help="Print one JSON document for programs.",
    )(command)


def _remember(context: click.Context, _option: click.Parameter, value: bool) -> None:
    if value:
        context.find_root().meta[_AS_JSON] = True


def as_json() -> bool:
    return bool(click.get_current_context().find_root().meta.get(_AS_JSON))


def remember_debug(context: click.Context, _option: click.Parameter, value: bool) -> None:
    context.find_root().meta[_DEBUG] = value


def _emit(document: Document) -> None:
    # JSON has a spelling for what the terminal has no bytes for.
    plain = codecs.lookup(sys.stdout.encoding or "utf-8").name != "utf-8"
    click.echo(json.dumps(document, ensure_ascii=plain, indent=2, default=_plain))


def _plain(value: object) -> str:
    if isinstance(value, date):
        return value.isoformat()
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def done(document: Document, *sentences: Message) -> None:
    """After a change: the thing as JSON, or sentences for people."""
    if as_json():
        _emit(document)
    else:
        for sentence in sentences:
            click.echo(translated(sentence))


def show(document: Document, *after: Message) -> None:
    """One thing: as JSON, or one line per fact."""
    if as_json():
        _emit(document)
        return
    facts = Table.grid(padding=(0, 2))
    for name, value in _flat(document):
        facts.add_row(Text(name), Text(value))
    _print(facts)
    for sentence in after:
        click.echo(translated(sentence))


def _flat(document: Document, prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in document.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        elif isinstance(value, (list, tuple)):
            for number, part in enumerate(value, start=1):
                where = f"{prefix}{name} {number}"
                if isinstance(part, Mapping) and not _speaks(part):
                    yield from _flat(part, f"{where}.")
                else:
                    yield where, " · ".join(map(_cell, part.values())) if isinstance(part, Mapping) else _cell(part)
        elif value not in (None, ""):
            yield f"{prefix}{name}", _cell(value)


def _speaks(part: Document) -> bool:
    """Whether its values say what they are without their names."""
    return all(isinstance(value, (str, Decimal, datetime, date)) for value in part.values())


def listing(name: str, rows: Sequence[Document], columns: Sequence[str], *, total: int | None = None) -> None:
    """Many things: as JSON `{name: [...], "total": n}`, or a table of the named columns."""
    total = len(rows) if total is None else total
    if as_json():
        _emit({name: list(rows), "total": total})
        return
    if not rows:
        click.echo(translated(say("Nothing found.")))
        return
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(_cell(row[column])) for column in columns))
    _print(table)
    if total > len(rows):
        click.echo(
            translated(
                say(
                    "%(shown)d of %(total)d. Narrow with --search or take more with --limit.",
                    shown=len(rows),
                    total=total,
                )
            ),
            err=True,
        )


def _cell(value: object) -> str:
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return translated(say("yes") if value else say("no"))
    if isinstance(value, datetime):
        return value.astimezone().strftime("%Y-%m-%d %H:%M")
    return _plain(value)


def _print(table: Table) -> None:
    width = None if sys.stdout.isatty() else _PIPE_WIDTH
    console = Console(file=sys.stdout, width=width, highlight=False, markup=False)
    with console.capture() as captured:
        console.print(table)
    for line in captured.get().splitlines():
        click.echo(line.rstrip())


def note(sentence: Message) -> None:
    """A remark beside the answer, on stderr."""
    click.echo(translated(sentence), err=True)


class Tell(Protocol):
    """Says how far the work is; a new total or title may come with it. Any thread may call it."""

    def __call__(self, done: int, total: int | None = None, title: Message | None = None, /) -> None: ...


def _tell_nobody(_done: int, _total: int | None = None, _title: Message | None = None, /) -> None:
    return None


@contextmanager
def progress(title: Message, total: int | None) -> Iterator[Tell]:
    """A bar on a terminal, silence elsewhere."""
    if as_json() or not sys.stdout.isatty():
        yield _tell_nobody
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True, markup=False), transient=True) as bar:
        task = bar.add_task(translated(title), total=total)

        def tell(done: int, total: int | None = None, title: Message | None = None, /) -> None:
            description = None if title is None else translated(title)
            bar.update(task, completed=done, total=total, description=description)

        yield tell


# --- the system -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Work:
    """One transaction of a command and the moment at which it happens."""

    system: System
    session: Session
    at: datetime


@contextmanager
def opened(chosen: Settings | None = None) -> Iterator[System]:
    """The system that the settings name. Raises `Unavailable` when it was never made; makes no folder."""
    chosen = chosen or settings.load()
    if not chosen.data.is_dir():
        raise Unavailable(
            Problem(
                "LOTSEAL_DATA",
                "store.missing",
                say(
                    "There is no data folder %(path)s. Run «lotseal init», or set LOTSEAL_DATA to the right folder.",
                    path=chosen.data.absolute(),
                ),
            )
        )
    system = open_system(chosen)
    try:
        yield system
    finally:
        system.close()


@contextmanager
def ready(chosen: Settings | None = None) -> Iterator[System]:
    """The same, refused with `Unavailable` while migrations are pending."""
    with opened(chosen) as system:
        if migrate.pending(system.databases):
            raise not_migrated()
        yield system


def not_migrated() -> Unavailable:
    return Unavailable(
        Problem(None, "store.migrations", say("The stores are not at today's schema. Run «lotseal migrate» first."))
    )


@contextmanager
def reading() -> Iterator[Work]:
    with ready() as system, system.main.read() as session:
        yield Work(system, session, clock.now())


@contextmanager
def writing() -> Iterator[Work]:
    """Everything inside is kept together at the end, or nothing of it; then what it did goes into the log."""
    with changing() as system, system.main.write() as session:
        yield Work(system, session, clock.now())


@contextmanager
def changing() -> Iterator[System]:
    """A system that a command changes in several steps; what they did goes into the log at the end."""
    with ready() as system:
        yield system
        sealed(system)


def sealed(system: System) -> None:
    """Seal the log. What was done is durable already, so a log that cannot be sealed now only waits, and says so."""
    try:
        system.sequencer().run_once()
    except LotsealError as error:
        note(say("The log is sealed later: %(reason)s", reason=error.problems[0].message))


# --- errors -----------------------------------------------------------------------------------------------------------


class Guarded(click.Group):
    """The top of the command tree: whatever goes wrong below becomes a sentence and an exit code."""

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise
        except KeyboardInterrupt:
            click.echo(translated(say("Stopped.")), err=True)
            context.exit(STOPPED)
        # The last line of defence: people get a sentence, never a traceback, unless they ask for it.
        except Exception as error:
            if context.meta.get(_DEBUG):
                raise
            kind, problems, code = _explained(error)
            _report(context, kind, problems)
            context.exit(code)


def _explained(error: Exception) -> tuple[str, Sequence[Problem], int]:
    """What went wrong in one word, the sentences, and the exit code."""
    if isinstance(error, Unavailable):
        return "unavailable", error.problems, UNAVAILABLE
    if isinstance(error, LotsealError):
        return type(error).__name__.lower(), error.problems, REFUSED
    if isinstance(error, (ArgumentError, NoSuchModuleError)):
        return "invalid", [Problem("DATABASE_URL", "setting.database-url", _NO_ADDRESS)], REFUSED
    if problem := _from_outside(error):
        return "unavailable", [problem], UNAVAILABLE
    sentence = say(
        "This is a fault of Lotseal itself: %(reason)s. Run it again as «lotseal --debug …» and report what it prints.",
        reason=f"{type(error).__name__}: {error}",
    )
    return "fault", [Problem(None, "program.fault", sentence)], FAULT


_NO_ADDRESS = say("This is no address of a database. Write it as postgresql://user:password@host/name.")


def _from_outside(error: Exception) -> Problem | None:
    """The problem when the store, a driver or the operating system refused."""
    if isinstance(error, DBAPIError):
        return _explained_store(error).problems[0]
    if isinstance(error, ModuleNotFoundError) and error.name == "psycopg":
        sentence = say("PostgreSQL needs its driver. Run: pip install 'lotseal[postgres]'")
        return Problem("DATABASE_URL", "store.driver", sentence)
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        reason = f"{where}{error.strerror or error}"
        sentence = say("The system refused it: %(reason)s. Mend that and try again.", reason=reason)
        return Problem(None, "system.refused", sentence)
    return None


def _explained_store(error: DBAPIError) -> Unavailable:
    said = str(error.orig).lower()
    if "no such table" in said or "no such column" in said or "undefinedtable" in type(error.orig).__name__.lower():
        return not_migrated()
    reason = str(error.orig).strip().partition("\n")[0]
    return Unavailable(
        Problem(
            None,
            "store.down",
            say("The database does not answer: %(reason)s. See «lotseal doctor», then try again.", reason=reason),
        )
    )


def _report(context: click.Context, kind: str, problems: Sequence[Problem]) -> None:
    """Sentences on stderr; with --json also the one document on stdout."""
    for problem in problems:
        where = f"{problem.field}: " if problem.field else ""
        click.echo(f"{where}{translated(problem.message)} ({problem.rule})", err=True)
    if context.meta.get(_AS_JSON):
        found = [{"field": p.field, "rule": p.rule, "message": translated(p.message)} for p in problems]
        _emit({"error": kind, "problems": found})
