"""The keys for whoever verifies: a DID document (did:web) and a JWK Set (RFC 7517), both made from the key history.

Retired keys stay, since what they signed stays valid. A revoked key stays readable as such and may assert nothing any
more. Keys of item codes are listed too, but they assert nothing: they never sign credentials.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ...signing.keys import Role
from ..keys.models import SigningKey
from .issuer import Issuer, stamp

ASSERTING = frozenset((Role.CREDENTIAL, Role.STATUS))
_LISTED = ASSERTING | {Role.ITEM}
_CONTEXTS = ("https://www.w3.org/ns/did/v1", "https://w3id.org/security/jwk/v1")


def did_document(issuer: Issuer, history: Iterable[SigningKey]) -> dict[str, Any]:
    """What `did:web:…` resolves to (DID Core section 5, Controlled Identifiers section 2.2)."""
    listed = [key for key in history if _is_listed(key)]
    return {
        "@context": list(_CONTEXTS),
        "id": issuer.did,
        "verificationMethod": [_method(issuer, key) for key in listed],
        "assertionMethod": [issuer.key_id(key.kid) for key in listed if key.role in ASSERTING and not key.revoked_at],
    }


def _method(issuer: Issuer, key: SigningKey) -> dict[str, Any]:
    return {
        "id": issuer.key_id(key.kid),
        "type": "JsonWebKey",
        "controller": issuer.did,
        "publicKeyJwk": key.public_jwk,
        **({"revoked": stamp(key.revoked_at)} if key.revoked_at else {}),
    }


def jwks(issuer: Issuer, history: Iterable[SigningKey]) -> dict[str, Any]:
    """The keys that are not revoked, each under the `kid` that stands in what it signs: a DID URL for credentials and
    status lists, the thumbprint for item codes."""
    return {
        "keys": [
            {**(key.public_jwk or {}), "kid": issuer.key_id(key.kid) if key.role in ASSERTING else key.kid}
            for key in history
            if _is_listed(key) and not key.revoked_at
        ]
    }


def _is_listed(key: SigningKey) -> bool:
    return key.public_jwk is not None and key.role in _LISTED
