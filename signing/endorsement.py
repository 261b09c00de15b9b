"""The off-line root's word for a key history: its Ed25519 signature over the history in canonical JSON.

An endorsement is canonical JSON (RFC 8785) of at most 1 MiB:

    {"history": the history, an array of objects, "root": the root's public JWK, "signature": base64url of 64 bytes}

The signature is over `Context.KEYS.bind(canonical JSON of the history)`. Whoever checks compares the root's key id with
one that was learned another way; the document itself proves only that one root said it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from .canonical import canonical_json, parse_canonical
from .context import Context
from .ed25519 import SIGNATURE_SIZE, Ed25519Key, Ed25519Public
from .encoding import b64url, unb64url
from .errors import Malformed


@dataclass(frozen=True)
class Endorsement:
    """A key history whose signature was checked, and the root that signed it."""

    root: Ed25519Public
    history: list[dict[str, Any]]


def endorse(root: Ed25519Key, history: Sequence[dict[str, Any]]) -> bytes:
    """The endorsement. Raises Malformed for a history that has no canonical form."""
    signature = root.sign(Context.KEYS.bind(canonical_json(list(history))))
    return _document(root.public, list(history), signature)


def read_endorsement(data: bytes) -> Endorsement:
    """Raises Malformed for another form, BadSignature when the root did not sign this history."""
    value = parse_canonical(data)
    if not isinstance(value, dict) or not isinstance(value.get("history"), list):
        raise Malformed("endorsement.members", "not the form of an endorsement")
    if not isinstance(value.get("root"), dict):
        raise Malformed("endorsement.members", "not the form of an endorsement")
    history = cast("list[dict[str, Any]]", value["history"])
    if not all(isinstance(key, dict) for key in history):
        raise Malformed("endorsement.history", "a key history is an array of objects")
    root = Ed25519Public.from_jwk(value["root"])
    signature = unb64url(value.get("signature"), SIGNATURE_SIZE, "endorsement.signature")
    if _document(root, history, signature) != data:
        raise Malformed("endorsement.members", "not the form of an endorsement")
    root.verify(Context.KEYS.bind(canonical_json(history)), signature)
    return Endorsement(root, history)


def _document(root: Ed25519Public, history: list[dict[str, Any]], signature: bytes) -> bytes:
    return canonical_json({"history": history, "root": root.to_jwk(), "signature": b64url(signature)})
