"""What a witness keeps: its key, the logs it knows, and the latest checkpoint of each, in one folder of its own.

    witness.pem        Ed25519 key, encrypted, 0600
    witness.sqlite3    name, logs, latest checkpoints

The store is written with `synchronous=FULL`, and a checkpoint is compared with the latest one and kept in a single
write transaction, before anybody gets to see its cosignature.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from ...signing import witness
from ...signing.checkpoint import Checkpoint
from ...signing.cosignature import cosign
from ...signing.ed25519 import Ed25519Key
from ...signing.errors import SigningError
from ...signing.notes import Note, NoteSignature
from ...signing.vkeys import Algorithm, VerifierKey
from ...signing.witness import Head
from ..errors import Message, Problem, Unavailable, conflict, invalid, say

KEY_FILE: Final = "witness.pem"
STORE_FILE: Final = "witness.sqlite3"
MIN_PASSPHRASE: Final = 12
MAX_KEY_FILE: Final = 65_536

_BUSY_S: Final = 10
_TABLES: Final = """
CREATE TABLE own (one INTEGER PRIMARY KEY CHECK (one = 1), vkey TEXT NOT NULL) STRICT;
CREATE TABLE log (vkey TEXT PRIMARY KEY, origin TEXT NOT NULL) STRICT;
CREATE TABLE head (
    origin TEXT PRIMARY KEY, origin_hash TEXT NOT NULL UNIQUE,
    size INTEGER NOT NULL CHECK (size >= 0), root BLOB NOT NULL CHECK (length(root) = 32),
    note BLOB NOT NULL, at TEXT NOT NULL
) STRICT;
CREATE TRIGGER head_grows BEFORE UPDATE ON head WHEN new.size < old.size OR new.origin <> old.origin
BEGIN SELECT RAISE(ABORT, 'a checkpoint is never replaced by a smaller one'); END;
CREATE TRIGGER head_stays BEFORE DELETE ON head
BEGIN SELECT RAISE(ABORT, 'the latest checkpoint is never forgotten'); END;
"""


@dataclass(frozen=True)
class Known:
    """A log that the witness follows; `size` is None as long as it cosigned nothing of it."""

    vkey: str
    origin: str
    size: int | None


class Witness:
    """An opened witness: its key is in memory, its store in the folder. Any thread may use it."""

    def __init__(self, folder: Path, key: Ed25519Key, vkey: VerifierKey) -> None:
        self._folder = folder
        self._key = key
        self.vkey = vkey

    def add_checkpoint(self, body: bytes, *, at: datetime) -> tuple[NoteSignature, ...]:
        """Cosign the checkpoint of this request, if it continues what was cosigned before.

        Raises `signing.witness.Refused` with the status to answer, `Unavailable` when the store does not work; then
        nothing was kept and nothing signed goes out.
        """
        request, checkpoint = witness.read(body)
        with _opened(self._folder) as store:
            signed = witness.authenticate(request, checkpoint, _keys(store, checkpoint.origin))
            with _writing(store):
                head = witness.decide(request, checkpoint, _head(store, checkpoint.origin))
                line = cosign(checkpoint, self.vkey, self._key.sign, int(at.timestamp()))
                _keep(store, checkpoint, head, Note(checkpoint.text, (*signed, line)), at)
        return (line,)

    def checkpoint(self, origin_hash: str) -> bytes | None:
        """The latest cosigned checkpoint of the log with this origin (SHA-256 in hexadecimal), for monitors."""
        with _opened(self._folder) as store:
            found = store.execute("SELECT note FROM head WHERE origin_hash = ?", (origin_hash,)).fetchone()
        return bytes(found[0]) if found else None


def create(folder: Path, name: str, passphrase: str) -> VerifierKey:
    """Make the folder, the key and the store of a new witness.

    Raises `Invalid` for an unfit name or passphrase, `Conflict` when there is a witness already.
    """
    if len(passphrase) < MIN_PASSPHRASE:
        raise invalid(
            "LOTSEAL_WITNESS_PASSPHRASE",
            "witness.passphrase",
            say(
                "Set LOTSEAL_WITNESS_PASSPHRASE (or LOTSEAL_WITNESS_PASSPHRASE_FILE) to at least %(count)d characters: "
                "it protects the key of the witness.",
                count=MIN_PASSPHRASE,
            ),
        )
    key = Ed25519Key.generate()
    try:
        vkey = VerifierKey(name, Algorithm.COSIGNATURE_V1, key.public.raw)
    except SigningError as error:
        raise invalid(
            "name",
            "witness.name",
            say("Give the witness a name without spaces and plus signs, such as witness.example.cn/w1."),
        ) from error
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if (folder / STORE_FILE).exists() or (folder / KEY_FILE).exists():
        raise conflict("witness.exists", say("There is a witness in %(path)s already.", path=folder))
    _write(folder / KEY_FILE, key.to_pem(passphrase.encode()))
    with closing(_connect(folder / STORE_FILE, mode="rwc")) as store:
        os.chmod(folder / STORE_FILE, 0o600)
        store.executescript(f"PRAGMA journal_mode=WAL; BEGIN IMMEDIATE; {_TABLES}")
        store.execute("INSERT INTO own VALUES (1, ?)", (str(vkey),))
        store.execute("COMMIT")
    return vkey


def open_witness(folder: Path, passphrase: str) -> Witness:
    """Raises `Unavailable` when the folder, the passphrase, or the key in it is not the one of this witness."""
    with _opened(folder) as store:
        vkey = VerifierKey.parse(store.execute("SELECT vkey FROM own").fetchone()[0])
    path = folder / KEY_FILE
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        with path.open("rb") as file:
            pem = file.read(MAX_KEY_FILE)
    except OSError as error:
        raise _unavailable("witness.key-missing", say("The key file %(path)s cannot be read.", path=path)) from error
    if mode & 0o077:
        raise _unavailable("witness.key-mode", say("Other users may read %(path)s. Run chmod 600 on it.", path=path))
    try:
        key = Ed25519Key.from_pem(pem, passphrase.encode())
    except SigningError as error:
        raise _locked(path) from error
    # A key file from elsewhere would make cosignatures that nobody can check.
    if key.public.raw != vkey.public_key:
        raise _locked(path)
    return Witness(folder, key, vkey)


def add_log(folder: Path, text: str) -> Known:
    """Follow the log with this verifier key; a second key of a known origin is trusted too (rotation).

    Raises `Invalid` when it is no key of a log, `Unavailable` without a witness in the folder.
    """
    try:
        key = VerifierKey.parse(text)
    except SigningError as error:
        raise _no_log_key() from error
    if key.algorithm is not Algorithm.ED25519:
        raise _no_log_key()
    with _opened(folder) as store, _writing(store):
        store.execute("INSERT INTO log VALUES (?, ?) ON CONFLICT DO NOTHING", (str(key), key.name))
        head = _head(store, key.name)
    return Known(str(key), key.name, head.size if head else None)


def logs(folder: Path) -> list[Known]:
    """Every log that the witness follows, by origin. Raises `Unavailable` without a witness in the folder."""
    query = "SELECT vkey, log.origin, size FROM log LEFT JOIN head ON head.origin = log.origin ORDER BY 2, 1"
    with _opened(folder) as store:
        return [Known(*row) for row in store.execute(query)]


def _keys(store: sqlite3.Connection, origin: str) -> list[VerifierKey]:
    rows = store.execute("SELECT vkey FROM log WHERE origin = ?", (origin,))
    return [VerifierKey.parse(vkey) for (vkey,) in rows]


def _head(store: sqlite3.Connection, origin: str) -> Head | None:
    found = store.execute("SELECT size, root FROM head WHERE origin = ?", (origin,)).fetchone()
    return Head(found[0], bytes(found[1])) if found else None


def _keep(store: sqlite3.Connection, checkpoint: Checkpoint, head: Head, note: Note, at: datetime) -> None:
    origin_hash = hashlib.sha256(checkpoint.origin.encode()).hexdigest()
    store.execute(
        "INSERT INTO head VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (origin) DO UPDATE SET "
        "size = excluded.size, root = excluded.root, note = excluded.note, at = excluded.at",
        (checkpoint.origin, origin_hash, head.size, head.root, bytes(note), at.isoformat()),
    )


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    store = sqlite3.connect(f"{path.absolute().as_uri()}?mode={mode}", uri=True, timeout=_BUSY_S, isolation_level=None)
    store.execute("PRAGMA synchronous=FULL")
    store.execute("PRAGMA trusted_schema=OFF")
    return store


@contextmanager
def _opened(folder: Path) -> Iterator[sqlite3.Connection]:
    path = folder / STORE_FILE
    if not path.is_file():
        raise _unavailable(
            "witness.none", say("There is no witness in %(path)s. Run «lotseal witness init» first.", path=folder)
        )
    try:
        with closing(_connect(path, mode="rw")) as store:
            yield store
    except sqlite3.Error as error:
        raise _unavailable(
            "witness.store", say("The store %(path)s does not work: %(reason)s.", path=path, reason=error)
        ) from error


@contextmanager
def _writing(store: sqlite3.Connection) -> Iterator[None]:
    """One write transaction: nobody else reads in order to write before it ends."""
    store.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        store.execute("ROLLBACK")
        raise
    store.execute("COMMIT")


def _write(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    folder = os.open(path.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


def _no_log_key() -> Exception:
    return invalid("vkey", "witness.log-key", say("Give the verifier key of a log, one line with two plus signs."))


def _locked(path: Path) -> Unavailable:
    return _unavailable(
        "witness.locked",
        say("The key %(path)s does not open: the passphrase is wrong or the file was changed.", path=path),
    )


def _unavailable(rule: str, message: Message) -> Unavailable:
    return Unavailable(Problem(None, rule, message))
