"""Ed25519 keys (RFC 8032): for checkpoints of the log and for the off-line root.

A signature is 64 bytes over the message as it stands. What is signed carries its own purpose: a note names its log,
and everything else is bound to a `Context` by the caller.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Final, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ed25519

from . import pkcs8
from .canonical import canonical_json
from .encoding import b64url, unb64url
from .errors import BadSignature, Malformed

KEY_SIZE: Final = 32
SIGNATURE_SIZE: Final = 64

_JWK_CONSTANTS: Final = {"kty": "OKP", "crv": "Ed25519", "alg": "Ed25519", "use": "sig"}
_JWK_REQUIRED: Final = {"kty", "crv", "x"}


class Ed25519Public:
    """The public half. Two keys are equal when their thumbprints are."""

    __slots__ = ("_key", "kid", "raw")

    def __init__(self, raw: bytes) -> None:
        """From the 32 bytes of RFC 8032 section 5.1.5. Raises Malformed for another length."""
        if len(raw) != KEY_SIZE:
            raise Malformed("key.length", f"an Ed25519 key has {KEY_SIZE} bytes")
        self._key = ed25519.Ed25519PublicKey.from_public_bytes(raw)
        self.raw = raw
        members = canonical_json({"crv": "Ed25519", "kty": "OKP", "x": b64url(raw)})
        self.kid = b64url(hashlib.sha256(members).digest())
        """The thumbprint of RFC 7638, over the members that RFC 8037 section 2 names."""

    @classmethod
    def from_jwk(cls, jwk: Mapping[str, object]) -> Self:
        """Read what `to_jwk` writes; `kid`, `alg` and `use` may be missing, nothing else may be there. Raises
        Malformed, first of all for a private key (`d`)."""
        if not _JWK_REQUIRED <= jwk.keys() <= _JWK_REQUIRED | {"kid", "alg", "use"}:
            raise Malformed("jwk.members", "a public JWK has kty, crv, x and may have kid, alg, use")
        for member, value in _JWK_CONSTANTS.items():
            if jwk.get(member, value) != value:
                raise Malformed(f"jwk.{member}", f"{member} must be {value}")
        key = cls(unb64url(jwk["x"], KEY_SIZE, "jwk.x"))
        if jwk.get("kid", key.kid) != key.kid:
            raise Malformed("jwk.kid", "kid is not the thumbprint of this key")
        return key

    def to_jwk(self) -> dict[str, str]:
        """kty, crv, x (RFC 8037 section 2) with kid, use and the algorithm's own name (RFC 9864 section 2.2)."""
        return {**_JWK_CONSTANTS, "x": b64url(self.raw), "kid": self.kid}

    def verify(self, message: bytes, signature: bytes) -> None:
        """Raises Malformed for a wrong length, BadSignature when the signature does not fit."""
        if len(signature) != SIGNATURE_SIZE:
            raise Malformed("signature.length", f"a signature has {SIGNATURE_SIZE} bytes")
        try:
            self._key.verify(signature, message)
        except InvalidSignature as error:
            raise BadSignature("signature.mismatch", "the signature does not fit these bytes and this key") from error

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Ed25519Public) and self.kid == other.kid

    def __hash__(self) -> int:
        return hash(self.kid)

    def __repr__(self) -> str:
        return f"<Ed25519Public {self.kid}>"


class Ed25519Key:
    """An Ed25519 key held in memory."""

    __slots__ = ("_key", "public")

    def __init__(self, key: ed25519.Ed25519PrivateKey) -> None:
        self._key = key
        self.public = Ed25519Public(key.public_key().public_bytes_raw())

    @classmethod
    def generate(cls) -> Self:
        return cls(ed25519.Ed25519PrivateKey.generate())

    @classmethod
    def from_pem(cls, pem: bytes, passphrase: bytes) -> Self:
        """Open an encrypted PKCS#8 key. Raises Malformed or WrongPassphrase; callers compare `kid` with the key id that
        they expect."""
        key = pkcs8.unseal(pem, passphrase)
        if not isinstance(key, ed25519.Ed25519PrivateKey):
            raise Malformed("key.curve", "not an Ed25519 key")
        return cls(key)

    def to_pem(self, passphrase: bytes) -> bytes:
        """Encrypted PKCS#8 in PEM form; another salt, so other bytes, at each call. Raises Malformed."""
        return pkcs8.seal(self._key, passphrase)

    @property
    def kid(self) -> str:
        return self.public.kid

    def sign(self, message: bytes) -> bytes:
        return self._key.sign(message)

    def __repr__(self) -> str:
        return f"<Ed25519Key {self.kid}>"
