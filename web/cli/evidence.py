"""`lotseal bundle` and `lotseal verify`: evidence to take along, and to check without us."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import click
from sqlalchemy.orm import Session

from ...signing import verify as verifier
from ...signing.canonical import sha256_hex
from ...trace import clock
from ...trace.accounts.service import OPERATOR
from ...trace.batches import service as batches
from ...trace.batches.models import Batch
from ...trace.certificates.models import Certificate
from ...trace.errors import Invalid, NotFound, Problem, Unavailable, not_found, say
from ...trace.evidence import service
from ...trace.items.models import Item
from . import find
from .context import as_json, done, json_option, ready, sealed

F = TypeVar("F", bound=Callable[..., Any])

_FILE = click.Path(path_type=Path)


class _ByName(click.Group):
    """`lotseal bundle NAME` without saying what the name is of: a batch, a report or a code."""

    def resolve_command(
        self, context: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] in self.commands:
            return super().resolve_command(context, args)
        return named.name, named, args


@click.group(cls=_ByName)
def bundle() -> None:
    """Evidence bundles: one ZIP that proves a record to whoever checks it, without us.

    «lotseal bundle NAME -o FILE» finds out by itself what NAME is: a batch (its reference, or GTIN and LOT), a report
    or a code.
    """


def _output_option(command: F) -> F:
    return click.option(
        "-o",
        "--output",
        required=True,
        type=click.Path(dir_okay=False, writable=True, path_type=Path),
        help="The ZIP to write.",
    )(command)


@bundle.command()
@json_option
@click.argument("names", nargs=-1, required=True, metavar="REF | GTIN LOT")
@_output_option
def batch(names: tuple[str, ...], output: Path) -> None:
    """All of a batch: its record, reports, release, credentials, and what proves them."""
    if len(names) > 2:
        raise click.UsageError("Give the reference of a batch, or GTIN and LOT.")
    _write(output, lambda db: find.batch(db, *names) if len(names) == 2 else batches.get(db, names[0]))


@click.command("NAME")
@json_option
@click.argument("names", nargs=-1, required=True, metavar="NAME | GTIN LOT")
@_output_option
def named(names: tuple[str, ...], output: Path) -> None:
    """The evidence of whatever has this name: a batch, a report or a code."""
    if len(names) > 2:
        raise click.UsageError("Give one name, or GTIN and LOT.")
    _write(output, lambda db: find.batch(db, *names) if len(names) == 2 else _anything(db, names[0]))


def _anything(db: Session, name: str) -> Batch | Certificate | Item:
    ways: tuple[Callable[[], Batch | Certificate | Item], ...] = (
        lambda: batches.get(db, name),
        lambda: find.certificate(db, name),
        lambda: find.item(db, name)[0],
    )
    for way in ways:
        with suppress(NotFound, Invalid):
            return way()
    raise not_found("evidence.unknown", say("There is no batch, report or code of this name."))


@bundle.command()
@json_option
@click.argument("report", metavar="REPORT")
@_output_option
def certificate(report: str, output: Path) -> None:
    """A report with its file, named by its reference or number."""
    _write(output, lambda db: find.certificate(db, report))


@bundle.command()
@json_option
@click.argument("code", metavar="CODE")
@_output_option
def item(code: str, output: Path) -> None:
    """One code, named by its serial or link, with its proof in its run."""
    _write(output, lambda db: find.item(db, code)[0])


def _write(output: Path, found: Callable[[Any], Batch | Certificate | Item]) -> None:
    with ready() as system:
        sealed(system)
        with system.main.read() as db:
            made = service.of_any(system.evidence(db), found(db))
        output.write_bytes(made.data)
        with system.main.write() as db:
            service.exported(db, made, by=OPERATOR, at=clock.now())
    facts = {"subject": made.subject, "file": str(output), "size": len(made.data), "sha256": sha256_hex(made.data)}
    done(facts, say("The evidence of %(subject)s is in %(file)s.", subject=made.subject, file=output))


def _read(path: Path) -> bytes:
    """Raises `Unavailable`, which ends with 3 as `verify.py` does: 2 would say that a policy is not met."""
    try:
        return verifier.read_file(str(path))
    except OSError as error:
        sentence = say("The file %(path)s cannot be read: %(reason)s.", path=path, reason=error.strerror or "")
        raise Unavailable(Problem("file", "verify.file", sentence)) from error


@click.command()
@json_option
@click.argument("file", type=_FILE)
@click.option("--policy", type=_FILE, help="Your own tlog-policy; else the one inside is taken, and that is said.")
@click.option("--tsa-root", type=_FILE, help="PEM certificates of the time-stamp authorities that you trust.")
@click.pass_context
def verify(context: click.Context, file: Path, policy: Path | None, tsa_root: Path | None) -> None:
    """Check an evidence bundle, without a data folder and without a network.

    Exit codes: 0 sound, 1 tampered, 2 policy not met or wrong usage, 3 malformed or not there.
    """
    report = verifier.check(_read(file), _read(policy) if policy else None, _read(tsa_root) if tsa_root else None)
    # As verify.py itself prints it: names in a bundle may hold what steers a terminal, also beyond ASCII.
    click.echo(json.dumps(vars(report), indent=2) if as_json() else verifier.shown(report))
    context.exit(report.exit)
