"""Cosignatures of checkpoints (c2sp.org/tlog-cosignature, `cosignature/v1` with Ed25519).

A cosigner states that, at this time, the checkpoint is the largest it has seen of this log, and that all it saw before
is a beginning of it. Its signature line stands in the note of the checkpoint beside the one of the log.
"""

from __future__ import annotations

from .checkpoint import Checkpoint
from .errors import Malformed, UnknownKey
from .notes import Note, NoteSignature, Sign
from .vkeys import Algorithm, VerifierKey, cosigned_message, pack


def cosign(checkpoint: Checkpoint, key: VerifierKey, sign: Sign, timestamp: int) -> NoteSignature:
    """Raises Malformed for a key of another type or a time that is out of bounds.

    `timestamp` is POSIX time in seconds. The signature is verified before it leaves; a signer with another key behind
    it raises BadSignature.
    """
    _check_key(key)
    text = checkpoint.text.encode()
    signature = pack(timestamp, sign(cosigned_message(text, timestamp)))
    key.verify(text, signature)
    return NoteSignature(key.name, key.key_id, signature)


def verify_cosignature(note: Note, key: VerifierKey) -> int:
    """The earliest POSIX time at which this key cosigned the note.

    Raises Malformed, BadSignature, or UnknownKey when no signature is of this key.
    """
    _check_key(key)
    Checkpoint.parse(note.text)
    text = note.text.encode()
    times = [key.verify(text, line.signature) for line in note.signatures if line.is_of(key)]
    if not times:
        raise UnknownKey("cosignature.absent", "the checkpoint is not cosigned by this key", key=key.name)
    return min(time for time in times if time is not None)


def _check_key(key: VerifierKey) -> None:
    if key.algorithm is not Algorithm.COSIGNATURE_V1:
        raise Malformed("cosignature.algorithm", "this key is not the one of a cosigner")
