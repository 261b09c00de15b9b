"""The off-line root: made into a file that the operator carries away, and its word for the key history."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from ...signing import endorsement
from ...signing.ed25519 import Ed25519Key
from ...signing.endorsement import Endorsement
from ...signing.errors import SigningError
from ...signing.pkcs8 import MAX_PEM
from ..errors import Invalid, Problem, Unavailable, conflict, invalid, say

FILE: Final = "endorsement.json"
MIN_PASSPHRASE: Final = 12


def make(path: Path, passphrase: str, *, data: Path) -> Ed25519Key:
    """Make a root and write it, encrypted, to a file outside of the data folder. Raises `Invalid` for a short
    passphrase or a place inside of it, `Conflict` when the file is there already."""
    _refuse_inside(path, data)
    if len(passphrase) < MIN_PASSPHRASE:
        raise invalid(
            "LOTSEAL_ROOT_PASSPHRASE",
            "root.passphrase",
            say("Take a passphrase of at least %(count)d characters for the root.", count=MIN_PASSPHRASE),
        )
    try:
        key = Ed25519Key.generate()
        _write_new(path, key.to_pem(passphrase.encode()))
    except SigningError as error:
        raise invalid(
            "LOTSEAL_ROOT_PASSPHRASE", "root.passphrase", say("This passphrase is too long. Take a shorter one.")
        ) from error
    except FileExistsError:
        raise conflict("root.exists", say("There is a file %(path)s already. Name another one.", path=path)) from None
    return key


def open_root(path: Path, passphrase: str, *, data: Path) -> Ed25519Key:
    """Raises `Invalid` for a file inside the data folder or one that others may read, `Unavailable` when it does not
    open."""
    _refuse_inside(path, data)
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise invalid(
            "root", "key.mode", say("Other users may read the key file %(name)s. Run chmod 600 on it.", name=path)
        )
    with path.open("rb") as file:
        pem = file.read(MAX_PEM + 1)
    try:
        return Ed25519Key.from_pem(pem, passphrase.encode())
    except SigningError as error:
        sentence = say("The root %(path)s does not open: the passphrase is wrong, or it is no root.", path=path)
        raise Unavailable(Problem("root", "root.locked", sentence)) from error


def _refuse_inside(path: Path, data: Path) -> None:
    if path.resolve().is_relative_to(data.resolve()):
        raise Invalid(
            Problem(
                "root",
                "root.inside",
                say("The root must not lie in the data folder. Keep it off-line, such as on a locked-away stick."),
            )
        )


def _write_new(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def keep(folder: Path, document: bytes) -> Path:
    """Put an endorsement beside the keys, in place of an older one. Raises a `SigningError` when it is not sound."""
    endorsement.read_endorsement(document)
    path = folder / FILE
    aside = path.with_name(f"{FILE}.new")
    aside.unlink(missing_ok=True)
    _write_new(aside, document)
    os.replace(aside, path)
    return path


def kept(folder: Path) -> Endorsement | None:
    """The endorsement beside the keys, its signature checked. Raises `Unavailable` when it is not sound."""
    try:
        data = (folder / FILE).read_bytes()
    except FileNotFoundError:
        return None
    try:
        return endorsement.read_endorsement(data)
    except SigningError as error:
        sentence = say("The file %(name)s of the key folder was changed. Endorse the key history again.", name=FILE)
        raise Unavailable(Problem(None, "root.endorsement", sentence)) from error


def covers(folder: Path, history: Sequence[dict[str, Any]]) -> bool | None:
    """Whether the endorsement is that of this history by a root in use; None: there is none."""
    found = kept(folder)
    if found is None:
        return None
    roots = {key["kid"] for key in history if key["role"] == "root" and key["retired_at"] is None}
    return found.root.kid in roots and found.history == list(history)
