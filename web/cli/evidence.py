"""`lotseal bundle` and `lotseal verify`: evidence to take along, and to check without us."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from ...signing import verify as verifier
from ...signing.canonical import sha256_hex
from ...trace import clock
from ...trace.accounts.service import OPERATOR
from ...trace.batches import service as batches
from ...trace.batches.models import Batch
from ...trace.certificates.models import Certificate
from ...trace.errors import say
from ...trace.evidence import service
from ...trace.items.models import Item
from . import find
from .context import as_json, done, json_option, ready, sealed

F = TypeVar("F", bound=Callable[..., Any])

_EXISTING = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def bundle() -> None:
    """Evidence bundles: one ZIP that proves a record to whoever checks it, without us."""


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


@click.command()
@json_option
@click.argument("file", type=_EXISTING)
@click.option("--policy", type=_EXISTING, help="Your own tlog-policy; else the one inside is taken, and that is said.")
@click.option("--tsa-root", type=_EXISTING, help="PEM certificates of the time-stamp authorities that you trust.")
@click.pass_context
def verify(context: click.Context, file: Path, policy: Path | None, tsa_root: Path | None) -> None:
    """Check an evidence bundle, without a data folder and without a network.

    Exit codes: 0 sound, 1 tampered, 2 policy not met or wrong usage, 3 malformed.
    """
    report = verifier.check(
        file.read_bytes(), policy.read_bytes() if policy else None, tsa_root.read_bytes() if tsa_root else None
    )
    click.echo(json.dumps(vars(report), ensure_ascii=False, indent=2) if as_json() else verifier.shown(report))
    context.exit(report.exit)
