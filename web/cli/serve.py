"""`lotseal serve` and `lotseal worker`: the long-running commands."""

from __future__ import annotations

import errno
import logging
import multiprocessing
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import FrameType
from typing import Any

import click
from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from ...trace import settings
from ...trace.errors import Invalid, LotsealError, Problem, Unavailable, say
from ...trace.files.sweeping import Sweeper
from ...trace.jobs.service import Worker
from ...trace.log.sequencer import Sequencer
from ...trace.outside.service import Rounds
from ...trace.settings import Settings
from ...trace.system import System
from .context import STOPPED, UNAVAILABLE, note, ready, sealed
from .setup import refuse_unsafe

TARGET = "lotseal.wsgi:app"
Background = Worker | Sequencer | Rounds | Sweeper
"""What runs beside the pages, each in a thread of its own."""
_PATIENCE_S = 20
"""How long a stop waits for running requests, and for the job in hand."""


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True, help="Port to listen on.")
@click.option(
    "--threads", type=click.IntRange(1, 256), default=None, help="Threads that answer; default LOTSEAL_THREADS."
)
def serve(host: str, port: int, threads: int | None) -> None:
    """Serve pages and run jobs, until stopped."""
    run(settings.load(), host=host, port=port, threads=threads)


def run(chosen: Settings, *, host: str, port: int, threads: int | None = None, target: str = TARGET) -> None:
    """One web process with many threads; jobs run in a thread of this, the parent process. Returns after a graceful
    stop. Raises `Invalid` for unsafe settings, `Unavailable` for pending migrations or a port in use."""
    refuse_unsafe(chosen)
    _refuse_without_address(chosen)
    _log_to_stderr()
    with ready(chosen) as system:
        system.ring.refuse_readable()
        refuse_taken_port(host, port)
        note(
            say(
                "Lotseal serves http://%(host)s:%(port)d (data: %(path)s). Stop it with Ctrl-C.",
                host=in_address(host),
                port=port,
                path=chosen.data,
            )
        )
        _serve(system, host, port, threads or chosen.threads, target)
    note(say("Stopped."))


def _refuse_without_address(chosen: Settings) -> None:
    if not chosen.public_url:
        raise Invalid(
            Problem(
                "LOTSEAL_PUBLIC_URL",
                "setting.missing",
                say("Set LOTSEAL_PUBLIC_URL to scheme and host of the printed codes, such as https://t.example.cn."),
            )
        )


def forget_environment() -> None:
    """A demo is one folder: what the environment says of another system must not reach its web process."""
    for name in settings.names():
        os.environ.pop(name, None)
        os.environ.pop(f"{name}_FILE", None)


def in_address(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def refuse_taken_port(host: str, port: int) -> None:
    """The server shares ports (SO_REUSEPORT), so a second one would silently take half of the requests."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            raise Unavailable(
                Problem(
                    "port",
                    "serve.port-taken",
                    say("Port %(port)d is in use. Stop the other program, or take another one with --port.", port=port),
                )
            ) from None


def _serve(system: System, host: str, port: int, threads: int, target: str) -> None:
    # The web process starts afresh: a fork of a process with threads and open stores would inherit held locks.
    multiprocessing.set_start_method("spawn", force=True)
    # The web process reads its settings anew and must find the same folder.
    os.environ["LOTSEAL_DATA"] = str(system.settings.data)
    server = Granian(
        target,
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=threads,
        log_level=LogLevels.error,
        workers_kill_timeout=_PATIENCE_S,
        respawn_failed_workers=True,
        process_name=None,
    )
    # Each in a thread of its own, so that a long job does not hold up the log, nor a slow witness either.
    with _running(system.worker(), system.sequencer(), system.rounds(), system.sweeper()):
        _until_stopped(server)


def _until_stopped(server: Any) -> None:
    try:
        server.serve(target_loader=_load)
    except SystemExit:
        # A web process that ended before it was told to is no failure when a stop was asked for.
        if not server.interrupt_signal:
            raise


@contextmanager
def _running(*running: Background) -> Iterator[None]:
    """What goes on in the background until the block ends."""
    threads = [threading.Thread(target=one.run_forever, name=type(one).__name__, daemon=True) for one in running]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for one in running:
            one.stop()
        for thread in threads:
            thread.join(_PATIENCE_S)


def _load(target: str) -> Any:
    """The application, imported by its name: the server's own loader would take the checkout's folder for a package.

    Runs in the web process. Raises `SystemExit` after it said why the application does not start.
    """
    # Out of the terminal's group: Ctrl-C would stop it twice, the second time by its parent, and that may hang it.
    os.setpgid(0, 0)
    watch_parent()
    module, _colon, name = target.partition(":")
    try:
        return getattr(import_module(module), name)
    except LotsealError as error:
        for problem in error.problems:
            note(say("%(sentence)s (%(rule)s)", sentence=problem.message, rule=problem.rule))
        raise SystemExit(UNAVAILABLE) from None


def watch_parent() -> None:
    """End this process when the one that started it is gone."""
    threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()


def _end_with_parent() -> None:
    """A parent that was killed takes its web process along: left alone, that would hold the port, answer for ever, and
    let no service start again."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(UNAVAILABLE)


@click.command()
@click.option("--once", is_flag=True, help="Do what is due now, then end.")
def worker(once: bool) -> None:
    """Run jobs (issue codes, make label sheets) and seal the log."""
    chosen = settings.load()
    refuse_unsafe(chosen)
    _log_to_stderr()
    with ready(chosen) as system:
        system.ring.refuse_readable()
        jobs = system.worker()
        if once:
            count = jobs.run_all()
            note(say("%(count)d jobs were worked on.", count=count))
            sealed(system)
            return
        stopped_by = _run_until_signal(jobs, system.sequencer(), system.rounds(), system.sweeper())
    note(say("Stopped."))
    if stopped_by == signal.SIGINT:
        click.get_current_context().exit(STOPPED)


def _run_until_signal(jobs: Worker, *beside: Background) -> int | None:
    """Finish the job in hand when asked to stop; a second Ctrl-C breaks it off, and another worker resumes it."""
    got: list[int] = []

    def stop(number: int, _frame: FrameType | None) -> None:
        got.append(number)
        jobs.stop()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    note(say("The worker waits for jobs. Stop it with Ctrl-C."))
    try:
        with _running(*beside):
            jobs.run_forever()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return got[0] if got else None


def _log_to_stderr() -> None:
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)
