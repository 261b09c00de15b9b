"""Starts `lotseal serve` again and again without importing everything anew each time.

A round of the kill tests is short; a fresh interpreter that reads all modules twice (server and web process) would take
most of it. This process reads them once and forks a server for each line `<port> <file for its messages>` on its
standard input; it answers with the server's process id. The web process comes from a fork server that read the same
modules. From there on it is the program's own code, with stores, keys and threads that are opened in the new processes.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import traceback
from multiprocessing import forkserver
from typing import Any

from granian.server import mp

from lotseal.trace import settings
from lotseal.trace.items import service as items
from lotseal.web.cli import serve

PIECE = 100
"""Codes to a transaction here: so small that a kill hits the middle of a run, which the pieces of the program itself,
twenty thousand at a time, would make long."""
READ_BEFORE = ["lotseal.web.cli.serve", "lotseal.web.app", "granian.wsgi"]


def main() -> None:
    items.CHUNK = PIECE
    forkserver.set_forkserver_preload(READ_BEFORE)
    forkserver.ensure_running()
    print(forkserver._forkserver._forkserver_pid, flush=True)
    while line := sys.stdin.readline():
        port, messages = line.split()
        server = os.fork()
        if server == 0:
            _serve(int(port), messages)
        print(server, flush=True)
        # Every server is killed; whoever was is taken off the list of processes here.
        signal.signal(signal.SIGCHLD, _reap)


def _reap(_number: int, _frame: Any) -> None:
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def _serve(port: int, messages: str) -> None:
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setsid()
        said = os.open(messages, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        for number in (1, 2):
            os.dup2(said, number)
        # The fork server belongs to the launcher; it is there, and no child of this process.
        forkserver._forkserver.ensure_running = lambda: None  # type: ignore[method-assign]  # of one object
        mp.WorkerProcess._spawn = _spawn
        serve.run(settings.load(), host="127.0.0.1", port=port)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(1)


def _spawn(worker: Any, target: Any, args: Any) -> None:
    worker.inner = multiprocessing.get_context("forkserver").Process(target=target, args=args)


if __name__ == "__main__":
    main()
