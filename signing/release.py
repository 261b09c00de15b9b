"""The signed snapshot of a batch at its release: canonical JSON under the release context."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .canonical import canonical_json, parse_canonical
from .context import Context
from .errors import Malformed
from .keys import PublicKey, Signer


@dataclass(frozen=True)
class SignedDocument:
    """Canonical JSON bytes, the id of the key, and its 64-byte signature over them."""

    document_bytes: bytes
    kid: str
    signature: bytes


def sign_release(signer: Signer, document: Mapping[str, object]) -> SignedDocument:
    """Raises Malformed when the document has no canonical form that reads back to itself."""
    data = canonical_json(dict(document))
    # What could never be verified must not be signed: a whole float of 2**53 or more prints, but does not read back.
    parse_canonical(data)
    return SignedDocument(data, signer.kid, signer.sign(Context.RELEASE, data))


def verify_release(public_key: PublicKey, document_bytes: bytes, signature: bytes) -> None:
    """Raises Malformed when the bytes are no canonical JSON object, BadSignature when the signature does not fit."""
    if not isinstance(parse_canonical(document_bytes), dict):
        raise Malformed("release.object", "a release document is a JSON object")
    public_key.verify(Context.RELEASE, document_bytes, signature)
