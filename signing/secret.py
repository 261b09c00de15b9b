"""The symmetric secret behind the tags of item codes, and its sealed form at rest.

The sealed form is canonical JSON (RFC 8785) without a final newline:

    {"ciphertext": base64url of 48 bytes (secret, then GCM tag),
     "kdf": {"n": 16384, "name": "scrypt", "p": 5, "r": 8, "salt": base64url of 16 bytes},
     "kid": key id, "nonce": base64url of 12 bytes, "role": "item", "version": 1}

AES-256-GCM authenticates everything but the ciphertext as associated data, so neither the key id nor the role can be
exchanged without the passphrase.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from dataclasses import dataclass
from typing import Any, Final, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from . import passphrase as kdf
from .canonical import canonical_json, parse_canonical
from .context import Context
from .encoding import b64url, unb64url
from .errors import Malformed, WrongPassphrase
from .keys import Role

SECRET_SIZE: Final = 32
MAX_SEALED: Final = 1024
_NONCE_SIZE: Final = 12
_GCM_TAG_SIZE: Final = 16
_VERSION: Final = 1


class MacSecret:
    """32 random bytes that make HMAC-SHA256 tags; whoever holds them can make and check tags alike."""

    __slots__ = ("_secret", "kid")

    def __init__(self, secret: bytes) -> None:
        if len(secret) != SECRET_SIZE:
            raise Malformed("secret.length", f"a MAC secret has {SECRET_SIZE} bytes")
        self._secret = secret
        # The id is a hash of a MAC, so publishing it tells no more than one tag does. It still names one secret.
        commitment = self.mac(Context.SECRET_COMMITMENT, b"")
        self.kid = b64url(hashlib.sha256(Context.SECRET_KEY_ID.bind(commitment)).digest())

    @classmethod
    def generate(cls) -> Self:
        return cls(os.urandom(SECRET_SIZE))

    def mac(self, context: Context, message: bytes) -> bytes:
        """32 bytes of HMAC-SHA256 over the message bound to its context."""
        return hmac.digest(self._secret, context.bind(message), "sha256")

    def seal(self, passphrase: bytes, role: Role = Role.ITEM) -> bytes:
        """The sealed form; another salt and nonce, so other bytes, at each call. Raises Malformed."""
        header = _Header(self.kid, role, os.urandom(kdf.SALT_SIZE), os.urandom(_NONCE_SIZE), kdf.N)
        cipher = AESGCM(kdf.stretch(passphrase, header.salt))
        return header.container(cipher.encrypt(header.nonce, self._secret, header.associated_data()))

    @classmethod
    def unseal(cls, sealed: bytes, passphrase: bytes, role: Role = Role.ITEM) -> Self:
        """Open the sealed form. Raises Malformed, or WrongPassphrase also when the bytes were changed."""
        header, ciphertext = _parse(sealed)
        if header.role is not role:
            raise Malformed("secret.role", f"the secret is sealed for another role than {role}", role=header.role)
        cipher = AESGCM(kdf.stretch(passphrase, header.salt, header.n))
        try:
            secret = cls(cipher.decrypt(header.nonce, ciphertext, header.associated_data()))
        except InvalidTag as error:
            raise WrongPassphrase("secret.passphrase", "wrong passphrase, or the secret was changed") from error
        if secret.kid != header.kid:
            raise Malformed("secret.kid", "the sealed secret does not have the key id it names")
        return secret

    def __repr__(self) -> str:
        return f"<MacSecret {self.kid}>"


@dataclass(frozen=True)
class _Header:
    """What the sealed form says in clear."""

    kid: str
    role: Role
    salt: bytes
    nonce: bytes
    n: int

    def members(self) -> dict[str, object]:
        return {
            "kdf": {"name": "scrypt", "n": self.n, "r": kdf.R, "p": kdf.P, "salt": b64url(self.salt)},
            "kid": self.kid,
            "nonce": b64url(self.nonce),
            "role": str(self.role),
            "version": _VERSION,
        }

    def associated_data(self) -> bytes:
        return Context.SEALED_SECRET.bind(canonical_json(self.members()))

    def container(self, ciphertext: bytes) -> bytes:
        return canonical_json({**self.members(), "ciphertext": b64url(ciphertext)})


def _parse(sealed: bytes) -> tuple[_Header, bytes]:
    """Bounds first, then structure; rebuilding the container from what was read proves that nothing else was in it."""
    if len(sealed) > MAX_SEALED:
        raise Malformed("secret.size", f"a sealed secret has at most {MAX_SEALED} bytes", limit=MAX_SEALED)
    value = parse_canonical(sealed)
    try:
        header, ciphertext = _read(value)
    except (TypeError, KeyError, ValueError) as error:
        raise Malformed("secret.members", "not the form of a sealed secret") from error
    if header.n not in kdf.ACCEPTED_N:
        raise Malformed("secret.kdf", "the scrypt cost is outside the accepted values")
    if header.container(ciphertext) != sealed:
        raise Malformed("secret.members", "not the form of a sealed secret")
    return header, ciphertext


def _read(value: Any) -> tuple[_Header, bytes]:
    header = _Header(
        kid=b64url(unb64url(value["kid"], 32, "secret.kid")),
        role=Role(value["role"]),
        salt=unb64url(value["kdf"]["salt"], kdf.SALT_SIZE, "secret.salt"),
        nonce=unb64url(value["nonce"], _NONCE_SIZE, "secret.nonce"),
        n=value["kdf"]["n"],
    )
    return header, unb64url(value["ciphertext"], SECRET_SIZE + _GCM_TAG_SIZE, "secret.ciphertext")
