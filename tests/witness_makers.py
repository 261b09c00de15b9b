"""Witnesses that are quickly made: the key is opened once, since that is slow on purpose."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from log_makers import LOG

from lotseal.signing.ed25519 import Ed25519Key
from lotseal.signing.vkeys import VerifierKey
from lotseal.trace.witness import state
from lotseal.trace.witness.state import Witness

NAME = "witness.example/w1"
PASSPHRASE = "correct horse battery"


@cache
def _made() -> tuple[dict[str, bytes], Ed25519Key, VerifierKey]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "made"
        vkey = state.create(folder, NAME, PASSPHRASE)
        files = {path.name: path.read_bytes() for path in folder.iterdir()}
    return files, Ed25519Key.from_pem(files[state.KEY_FILE], PASSPHRASE.encode()), vkey


def a_witness(folder: Path, *follows: VerifierKey) -> Witness:
    """A new witness in this folder, always of one key; it follows the log of the tests, or those that are told."""
    files, key, vkey = _made()
    folder.mkdir(mode=0o700)
    for file, data in files.items():
        (folder / file).touch(mode=0o600)
        (folder / file).write_bytes(data)
    for log in follows or (LOG.key,):
        state.add_log(folder, str(log))
    return Witness(folder, key, vkey)
