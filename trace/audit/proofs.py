"""That an entry is in the published log: its leaf, the path to the root, and the signed checkpoint."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...signing.checkpoint import verify_checkpoint
from ...signing.errors import BadProof
from ...signing.merkle import leaf_hash, verify_inclusion
from ...signing.notes import Note
from ...signing.tlog_proof import Proof
from ..keys.verifiers import log_keys
from ..log import reading
from ..log.models import LogEntry, LogHead
from ..log.shelf import CHECKPOINT, Shelf


@dataclass(frozen=True)
class Evidence:
    """A proof that was checked: `leaf` is computed from the entry itself, `root` and `size` are those of the signed
    checkpoint."""

    leaf: bytes
    root: bytes
    size: int
    proof: Proof


def evidence(session: Session, shelf: Shelf, entry: LogEntry) -> Evidence | None:
    """None while the entry waits to be published. Raises a SigningError of `signing` when anything does not fit."""
    data = shelf.read(CHECKPOINT)
    if data is None or entry.index is None or entry.envelope is None:
        return None
    note = Note.parse(data)
    # Of the whole log this is the newest checkpoint, so that no key which was revoked meanwhile may have signed it.
    origin = session.scalar(select(LogHead.origin)) or ""
    checkpoint = verify_checkpoint(note, log_keys(session, origin) if origin else ())
    if checkpoint.size <= entry.index:
        return None
    leaf = leaf_hash(entry.envelope.encode())
    if entry.leaf_hash != leaf:
        raise BadProof("proof.leaf", "the entry of the store is not the one that was sealed", index=entry.index)
    path = reading.proof(shelf, entry.index, checkpoint.size)
    verify_inclusion(entry.index, checkpoint.size, leaf, path, checkpoint.root)
    return Evidence(leaf, checkpoint.root, checkpoint.size, Proof(entry.index, tuple(path), note))
