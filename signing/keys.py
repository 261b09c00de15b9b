"""ES256 keys: ECDSA over P-256 with SHA-256 (RFC 7518 section 3.4), deterministic nonces (RFC 6979), low S.

A signature is 64 bytes, r then s, each big-endian. Of the two values of s that fit the same message only the lower
one is made and accepted, so that nobody can turn one valid signature into another one.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Final, Protocol, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from . import pkcs8
from .canonical import canonical_json
from .context import Context
from .encoding import b64url, unb64url
from .errors import BadSignature, Malformed

SIGNATURE_SIZE: Final = 64
ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Order n of the P-256 group (SEC 2 section 2.4.2)."""

_MAKE: Final = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)
_CHECK: Final = ec.ECDSA(hashes.SHA256())
_JWK_CONSTANTS: Final = {"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig"}
_JWK_REQUIRED: Final = {"kty", "crv", "x", "y"}
_JWS_INPUT: Final = re.compile(rb"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")


class Role(StrEnum):
    """What a key is for. A key has one role for its whole life."""

    ITEM = "item"
    """ES256, and the secret behind the tags: codes on packs."""

    CREDENTIAL = "credential"
    """ES256: releases and credentials."""

    LOG = "log"
    """Ed25519: checkpoints of the log."""

    STATUS = "status"
    """ES256: status lists."""

    ROOT = "root"
    """Ed25519, kept off-line: endorses the key history."""


class Signer(Protocol):
    """Signs with one key, wherever that key lives: in an encrypted file, a token or a key service.

    `sign` returns the 64-byte ES256 signature, with low S, over the message bound to the context. Verifying it with
    the public key whose thumbprint is `kid` succeeds. The private part never leaves the signer.

    `sign_jws` does the same over a JWS signing input as it stands (RFC 7515 section 5.1), which has no room for a
    context. It raises Malformed for anything but two non-empty base64url parts joined by one dot. No bound message
    has that form, since each context has a slash and a line feed follows it: neither method can sign for the other.
    """

    @property
    def kid(self) -> str: ...

    def sign(self, context: Context, message: bytes) -> bytes: ...

    def sign_jws(self, signing_input: bytes) -> bytes: ...


class PublicKey:
    """A P-256 point. Two keys are equal when their thumbprints are."""

    __slots__ = ("_key", "_x", "_y", "kid")

    def __init__(self, key: ec.EllipticCurvePublicKey) -> None:
        if not isinstance(key.curve, ec.SECP256R1):
            raise Malformed("key.curve", "not a P-256 key")
        numbers = key.public_numbers()
        self._key = key
        self._x = b64url(numbers.x.to_bytes(32, "big"))
        self._y = b64url(numbers.y.to_bytes(32, "big"))
        self.kid = _thumbprint(self._x, self._y)

    @classmethod
    def from_jwk(cls, jwk: Mapping[str, object]) -> Self:
        """Read what `to_jwk` writes; `kid`, `alg` and `use` may be missing. Raises Malformed.

        Every other member is refused, first of all `d`: a private key pasted by mistake must not pass unnoticed.
        """
        if not _JWK_REQUIRED <= jwk.keys() <= _JWK_REQUIRED | {"kid", "alg", "use"}:
            raise Malformed("jwk.members", "a public JWK has kty, crv, x, y and may have kid, alg, use")
        for member, value in _JWK_CONSTANTS.items():
            if jwk.get(member, value) != value:
                raise Malformed(f"jwk.{member}", f"{member} must be {value}")
        x = int.from_bytes(unb64url(jwk["x"], 32, "jwk.x"), "big")
        y = int.from_bytes(unb64url(jwk["y"], 32, "jwk.y"), "big")
        try:
            key = cls(ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key())
        except ValueError as error:
            raise Malformed("jwk.point", "the point is not on the curve") from error
        if jwk.get("kid", key.kid) != key.kid:
            raise Malformed("jwk.kid", "kid is not the thumbprint of this key")
        return key

    def to_jwk(self) -> dict[str, str]:
        """kty, crv, x, y (RFC 7518 section 6.2) with kid, alg and use."""
        return {**_JWK_CONSTANTS, "x": self._x, "y": self._y, "kid": self.kid}

    def verify(self, context: Context, message: bytes, signature: bytes) -> None:
        """Raises Malformed for a wrong length, BadSignature for everything else that does not fit."""
        self._verify(context.bind(message), signature)

    def verify_jws(self, signing_input: bytes, signature: bytes) -> None:
        """The same for what `Signer.sign_jws` made; raises Malformed also for an input of another form."""
        check_jws_input(signing_input)
        self._verify(signing_input, signature)

    def _verify(self, data: bytes, signature: bytes) -> None:
        if len(signature) != SIGNATURE_SIZE:
            raise Malformed("signature.length", f"a signature has {SIGNATURE_SIZE} bytes")
        r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
        if not (1 <= r < ORDER and 1 <= s < ORDER):
            raise BadSignature("signature.range", "r or s is out of range")
        if s > ORDER // 2:
            raise BadSignature("signature.high-s", "s is the higher of its two values")
        try:
            self._key.verify(encode_dss_signature(r, s), data, _CHECK)
        except InvalidSignature as error:
            raise BadSignature("signature.mismatch", "the signature does not fit these bytes and this key") from error

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PublicKey) and self.kid == other.kid

    def __hash__(self) -> int:
        return hash(self.kid)

    def __repr__(self) -> str:
        return f"<PublicKey {self.kid}>"


class PrivateKey:
    """A P-256 key held in memory; the `Signer` for keys that live in an encrypted file."""

    __slots__ = ("_key", "public")

    def __init__(self, key: ec.EllipticCurvePrivateKey) -> None:
        self.public = PublicKey(key.public_key())
        self._key = key

    @classmethod
    def generate(cls) -> Self:
        return cls(ec.generate_private_key(ec.SECP256R1()))

    @classmethod
    def from_pem(cls, pem: bytes, passphrase: bytes) -> Self:
        """Open an encrypted PKCS#8 key. Raises Malformed or WrongPassphrase.

        The form is not authenticated, so a changed ciphertext cannot be told from a wrong passphrase: both raise
        WrongPassphrase. Callers compare `kid` with the key id they expect.
        """
        key = pkcs8.unseal(pem, passphrase)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise Malformed("key.curve", "not a P-256 key")
        return cls(key)

    def to_pem(self, passphrase: bytes) -> bytes:
        """Encrypted PKCS#8 in PEM form; another salt, so other bytes, at each call. Raises Malformed."""
        return pkcs8.seal(self._key, passphrase)

    @property
    def kid(self) -> str:
        return self.public.kid

    def sign(self, context: Context, message: bytes) -> bytes:
        return raw_low_s(self._key.sign(context.bind(message), _MAKE))

    def sign_jws(self, signing_input: bytes) -> bytes:
        check_jws_input(signing_input)
        return raw_low_s(self._key.sign(signing_input, _MAKE))

    def __repr__(self) -> str:
        return f"<PrivateKey {self.kid}>"


def check_jws_input(signing_input: bytes) -> None:
    """Raises Malformed unless these are two non-empty base64url parts joined by one dot (RFC 7515 section 5.1)."""
    if _JWS_INPUT.fullmatch(signing_input) is None:
        raise Malformed("jws.input", "a JWS signing input is two base64url parts joined by one dot")


def raw_low_s(der: bytes) -> bytes:
    """An ECDSA signature in DER (RFC 3279 section 2.2.3) as 64 bytes with the lower s."""
    r, s = decode_dss_signature(der)
    return r.to_bytes(32, "big") + min(s, ORDER - s).to_bytes(32, "big")


def _thumbprint(x: str, y: str) -> str:
    """RFC 7638: SHA-256 of the required members only, in canonical JSON, as base64url."""
    members = canonical_json({"crv": "P-256", "kty": "EC", "x": x, "y": y})
    return b64url(hashlib.sha256(members).digest())
