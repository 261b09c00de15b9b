"""A witness for the demo, in a folder of its own inside it, so that pages show what a cosignature looks like.

It is a real one, with its own key and memory, but it runs on the same machine: nobody's independent word.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from ...signing.notes import Note
from ...signing.tlog_policy import Policy, Witness
from ...signing.witness import Request
from ..log.shelf import CHECKPOINT
from ..outside import service as outside
from ..settings import ENV_FILE
from ..system import System
from ..witness import state
from . import folder

FOLDER = "witness"
NAME = "demo-witness.example/w1"


def create(place: Path, *, port: int) -> None:
    """Make the witness, which listens on this port later, and the policy that names it. It is asked, but nothing
    depends on it: a demo that is served without it is a sound one."""
    home = place / FOLDER
    secret = folder.write_passphrase(home)
    vkey = state.create(home, NAME, secret)
    folder.write(home / ENV_FILE, f"LOTSEAL_WITNESS_PASSPHRASE_FILE={folder.KEY_OPENER}\n")
    policy = Policy((), (Witness("demo", vkey, f"http://127.0.0.1:{port}/"),), (), "none")
    (place / folder.POLICY).write_bytes(bytes(policy))


def follow(system: System, place: Path, *, at: datetime) -> None:
    """Let the witness follow the log of the demo, and cosign what is published."""
    home = place / FOLDER
    with system.main.read() as session:
        for log in Policy.parse(system.log_policy(session).encode()).log_keys:
            state.add_log(home, str(log))
    there = state.open_witness(home, (home / folder.KEY_OPENER).read_text().strip())
    note = Note.parse(system.shelf.read(CHECKPOINT) or b"")
    lines = there.add_checkpoint(bytes(Request(0, (), note)), at=at)
    outside.keep(system.main, system.shelf, note, there.vkey, lines)


def port(place: Path) -> int | None:
    """Where the witness of this demo listens; None for a demo without one."""
    path = place / folder.POLICY
    if not path.exists():
        return None
    [witness] = Policy.parse(path.read_bytes()).witnesses
    return urlsplit(witness.url or "").port
