"""`lotseal witness`: an independent witness of logs. It needs no data folder and knows no Lotseal store."""

from __future__ import annotations

import functools
import logging
import multiprocessing
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from ...trace import settings
from ...trace.errors import LotsealError, Message, say
from ...trace.witness import state as witnesses
from ...trace.witness.state import Known
from ..witness import application, patient
from .context import UNAVAILABLE, done, json_option, listing, note
from .serve import in_address, refuse_taken_port, watch_parent

F = TypeVar("F", bound=Callable[..., Any])

_PATIENCE_S = 20


def _state(command: F) -> F:
    return click.option(
        "--state", type=click.Path(path_type=Path), required=True, metavar="DIR", help="Folder of the witness."
    )(command)


@click.group()
def witness() -> None:
    """An independent witness: cosigns checkpoints of logs that only ever grow."""


@witness.command()
@json_option
@_state
@click.option("--name", required=True, help="Name in its signatures, such as witness.example.cn/w1.")
def init(state: Path, name: str) -> None:
    """Make a new witness and print its verifier key."""
    vkey = witnesses.create(state, name, _passphrase(state))
    done({"name": name, "vkey": str(vkey), "state": str(state)}, Message(str(vkey)))


@witness.group()
def log() -> None:
    """The logs that the witness follows."""


@log.command("add")
@json_option
@_state
@click.argument("vkey")
def add(state: Path, vkey: str) -> None:
    """Follow the log with this verifier key."""
    known = witnesses.add_log(state, vkey)
    done(_shape(known), say("The witness follows %(origin)s.", origin=known.origin))


@log.command("list")
@json_option
@_state
def list_(state: Path) -> None:
    """List the logs and how far each was cosigned."""
    listing("logs", [_shape(known) for known in witnesses.logs(state)], ("origin", "size", "vkey"))


@witness.command()
@_state
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(1, 65535), default=8100, show_default=True, help="Port to listen on.")
@click.option("--threads", type=click.IntRange(1, 64), default=4, show_default=True, help="Threads that answer.")
def serve(state: Path, host: str, port: int, threads: int) -> None:
    """Cosign checkpoints, until stopped."""
    run(state, host=host, port=port, threads=threads)


def run_beside(state: Path, port: int) -> None:
    """The same in a process beside another one, and not longer than that."""
    watch_parent()
    run(state, host="127.0.0.1", port=port, threads=1)


def run(state: Path, *, host: str, port: int, threads: int) -> None:
    """One web process; returns after a graceful stop. Raises `Unavailable` for a port in use or a shut key."""
    _log_to_stderr()
    opened = witnesses.open_witness(state, _passphrase(state))
    refuse_taken_port(host, port)
    note(
        say(
            "The witness %(name)s serves http://%(host)s:%(port)d (state: %(path)s). Stop it with Ctrl-C.",
            name=opened.vkey.name,
            host=in_address(host),
            port=port,
            path=state,
        )
    )
    # A fresh process, as for the pages: it opens the key itself and shares nothing with this one.
    multiprocessing.set_start_method("spawn", force=True)
    server = Granian(
        "witness",
        address=host,
        port=port,
        interface=Interfaces.ASGINL,
        workers=1,
        log_level=LogLevels.error,
        workers_kill_timeout=_PATIENCE_S,
        respawn_failed_workers=True,
        process_name=None,
    )
    try:
        server.serve(target_loader=functools.partial(_load, state, threads), wrap_loader=False)
    except SystemExit:
        if not server.interrupt_signal:
            raise
    note(say("Stopped."))


def _load(state: Path, threads: int) -> Any:
    """The application, in the process that answers."""
    os.setpgid(0, 0)
    watch_parent()
    _log_to_stderr()
    try:
        return patient(application(witnesses.open_witness(state, _passphrase(state))), threads)
    except LotsealError as error:
        for problem in error.problems:
            note(say("%(sentence)s (%(rule)s)", sentence=problem.message, rule=problem.rule))
        raise SystemExit(UNAVAILABLE) from None


def _passphrase(state: Path) -> str:
    """From the environment, or from `lotseal.env` in the folder of the witness."""
    return settings.load(data=state).witness_passphrase.get_secret_value()


def _shape(known: Known) -> dict[str, Any]:
    return {"origin": known.origin, "size": known.size, "vkey": known.vkey}


def _log_to_stderr() -> None:
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
