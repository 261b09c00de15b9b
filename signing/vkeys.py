"""Verifier keys of signed notes (c2sp.org/signed-note, c2sp.org/tlog-cosignature).

A key is known by its name and by its id, four bytes of a hash over name, signature type and public key. As a line of
text, a *vkey*, it is what operators publish and write into policies:

    example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k

Two signature types are known, both with Ed25519 (RFC 8032). A type also says what is signed: type 1 signs the text of
the note, type 4 signs it behind a header with the time of the cosignature.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from .encoding import b64, unb64
from .errors import BadSignature, Malformed

PUBLIC_KEY_SIZE: Final = 32
SIGNATURE_SIZE: Final = 64
TIMESTAMP_SIZE: Final = 8
MAX_TIMESTAMP: Final = 2**63 - 1
MAX_NAME: Final = 255
MAX_VKEY: Final = 512

_VKEY: Final = re.compile(r"([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)")


class Algorithm(IntEnum):
    """Signature type identifier bytes of c2sp.org/signed-note."""

    ED25519 = 0x01
    COSIGNATURE_V1 = 0x04


@dataclass(frozen=True)
class VerifierKey:
    """Name, signature type and 32-byte Ed25519 public key. Raises Malformed."""

    name: str
    algorithm: Algorithm
    public_key: bytes

    def __post_init__(self) -> None:
        check_name(self.name)
        if len(self.public_key) != PUBLIC_KEY_SIZE:
            raise Malformed("vkey.public-key", f"an Ed25519 public key has {PUBLIC_KEY_SIZE} bytes")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what `str` prints; every other spelling, an id that does not fit and an unknown type raise Malformed."""
        found = _VKEY.fullmatch(text) if len(text) <= MAX_VKEY else None
        if found is None:
            raise Malformed("vkey.form", "not a verifier key: name, id and key, each behind a plus sign")
        name, key_id, material = found.groups()
        typed = unb64(material, "vkey.base64")
        try:
            algorithm = Algorithm(typed[0])
        except ValueError as error:
            raise Malformed("vkey.algorithm", f"signature type {typed[0]} is not supported") from error
        key = cls(name, algorithm, typed[1:])
        if key.key_id.hex() != key_id:
            raise Malformed("vkey.id", "the id is not the one of this name and key")
        return key

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{b64(bytes((self.algorithm,)) + self.public_key)}"

    @property
    def key_id(self) -> bytes:
        """Four bytes; identifies, together with the name, but proves nothing."""
        hashed = self.name.encode() + b"\n" + bytes((self.algorithm,)) + self.public_key
        return hashlib.sha256(hashed).digest()[:4]

    def verify(self, text: bytes, signature: bytes) -> int | None:
        """That `signature`, as it follows the key id in a note, fits the text of the note.

        Returns the POSIX time of a cosignature, None for the other type. Raises Malformed or BadSignature.
        """
        timestamp, message, raw = None, text, signature
        if self.algorithm is Algorithm.COSIGNATURE_V1:
            timestamp, raw = unpack(signature)
            message = cosigned_message(text, timestamp)
        if len(raw) != SIGNATURE_SIZE:
            raise Malformed("note.signature-length", f"an Ed25519 signature has {SIGNATURE_SIZE} bytes")
        try:
            Ed25519PublicKey.from_public_bytes(self.public_key).verify(raw, message)
        except InvalidSignature as error:
            raise BadSignature("note.signature", "a signature of a known key does not fit", key=self.name) from error
        return timestamp


def check_name(name: str) -> None:
    """A key name has no space of any script, no plus sign and no control character. Raises Malformed."""
    try:
        length = len(name.encode())
    except UnicodeEncodeError as error:
        raise Malformed("vkey.name", "a key name is text in UTF-8") from error
    if not 1 <= length <= MAX_NAME or "+" in name or any(letter.isspace() or letter < " " for letter in name):
        raise Malformed("vkey.name", f"a key name has 1 to {MAX_NAME} bytes without spaces and plus signs")


def cosigned_message(text: bytes, timestamp: int) -> bytes:
    """What a cosigner signs: c2sp.org/tlog-cosignature, Ed25519 signed message. Raises Malformed."""
    _check_timestamp(timestamp)
    return b"cosignature/v1\ntime %d\n" % timestamp + text


def pack(timestamp: int, signature: bytes) -> bytes:
    """The `timestamped_signature` structure. Raises Malformed."""
    _check_timestamp(timestamp)
    return timestamp.to_bytes(TIMESTAMP_SIZE, "big") + signature


def unpack(data: bytes) -> tuple[int, bytes]:
    """Timestamp and 64-byte signature. Raises Malformed."""
    if len(data) != TIMESTAMP_SIZE + SIGNATURE_SIZE:
        raise Malformed("cosignature.length", f"a cosignature has {TIMESTAMP_SIZE + SIGNATURE_SIZE} bytes")
    timestamp = int.from_bytes(data[:TIMESTAMP_SIZE], "big")
    _check_timestamp(timestamp)
    return timestamp, data[TIMESTAMP_SIZE:]


def _check_timestamp(timestamp: int) -> None:
    """Zero would say that the cosigner makes no statement about the time; witnesses may not leave it out."""
    if not 1 <= timestamp <= MAX_TIMESTAMP:
        raise Malformed("cosignature.time", f"a cosignature has a time from 1 to {MAX_TIMESTAMP}")
