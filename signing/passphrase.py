"""From a passphrase to an encryption key: scrypt (RFC 7914), the same cost for every sealed thing."""

from __future__ import annotations

from typing import Final

from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from .errors import Malformed

SALT_SIZE: Final = 16
# 16 MiB five times over: as dear to guess as 128 MiB once, and within the 32 MiB that the openssl command allows.
N: Final = 2**14
R: Final = 8
P: Final = 5
# A later release may raise N; a container may not ask for less than today's cost, nor for more than 128 MiB.
ACCEPTED_N: Final = (2**14, 2**15, 2**16, 2**17)
MAX_PASSPHRASE: Final = 1024


def stretch(passphrase: bytes, salt: bytes, n: int = N) -> bytes:
    """A 32-byte AES key. Raises Malformed for an empty or over-long passphrase."""
    check(passphrase)
    return Scrypt(salt=salt, length=32, n=n, r=R, p=P).derive(passphrase)


def check(passphrase: bytes) -> None:
    if not 1 <= len(passphrase) <= MAX_PASSPHRASE:
        raise Malformed("passphrase.length", f"a passphrase has 1 to {MAX_PASSPHRASE} bytes", limit=MAX_PASSPHRASE)
