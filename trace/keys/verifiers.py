"""The verifier keys of the log: which of them the operator still stands by, and which it ever had.

A retired key ended in good order. Checkpoints from before lie in bundles and with monitors, and are read with it; after
its end it signs none that covers that end (`checkpoint.key` of `signing.verify`). Of a revoked key somebody else may
have a copy, and whoever has one can sign a history that branches off before the revocation, in which it never
happened. No rule inside such a history can tell, so the key must not be in any policy.
"""

from __future__ import annotations

from sqlalchemy.orm import Session

from ...signing.ed25519 import Ed25519Public
from ...signing.keys import Role
from ...signing.vkeys import Algorithm, VerifierKey
from .models import SigningKey
from .service import all_of


def log_keys(session: Session, origin: str) -> list[VerifierKey]:
    """Those that a policy may name, oldest first: the present one and the retired ones, none that was revoked."""
    return [verifier for key, verifier in _all(session, origin) if key.revoked_at is None]


def log_keys_ever(session: Session, origin: str) -> dict[str, VerifierKey]:
    """Every one by key id, for checkpoints whose place before or after a key's end is known."""
    return {key.kid: verifier for key, verifier in _all(session, origin)}


def _all(session: Session, origin: str) -> list[tuple[SigningKey, VerifierKey]]:
    return [
        (key, VerifierKey(origin, Algorithm.ED25519, Ed25519Public.from_jwk(key.public_jwk).raw))
        for key in all_of(session, Role.LOG)
        if key.public_jwk
    ]
