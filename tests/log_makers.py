"""A small log and its witnesses, with keys that are always the same."""

from __future__ import annotations

import hashlib

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from lotseal.signing import merkle
from lotseal.signing.checkpoint import Checkpoint, sign_checkpoint
from lotseal.signing.cosignature import cosign
from lotseal.signing.notes import Note
from lotseal.signing.vkeys import Algorithm, VerifierKey

ORIGIN = "log.lotseal.example/tea"
ENTRIES = [b"entry %d" % number for number in range(300)]
LEAVES = merkle.leaf_hashes(ENTRIES)
NOON = 1_792_065_600
"""2026-10-15 12:00:00 UTC"""


class Signer:
    """An Ed25519 key that follows from its name."""

    def __init__(self, name: str, algorithm: Algorithm, seed: str = "") -> None:
        self.private = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(f"{name}{seed}".encode()).digest())
        self.key = VerifierKey(name, algorithm, self.private.public_key().public_bytes_raw())

    def sign(self, message: bytes) -> bytes:
        return self.private.sign(message)


LOG = Signer(ORIGIN, Algorithm.ED25519)
WITNESSES = [Signer(f"witness.example/w{number}", Algorithm.COSIGNATURE_V1) for number in range(4)]


def checkpoint(size: int) -> Checkpoint:
    return Checkpoint(ORIGIN, size, merkle.root(LEAVES[:size]))


def signed(size: int) -> Note:
    return sign_checkpoint(checkpoint(size), LOG.key, LOG.sign)


def cosigned(size: int, *witnesses: Signer, at: int = NOON) -> Note:
    """Signed by the log, then by each witness."""
    lines = [cosign(checkpoint(size), witness.key, witness.sign, at) for witness in witnesses]
    return signed(size).signed_also(*lines)
