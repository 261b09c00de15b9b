r"""Encrypted PKCS#8 (RFC 5958) with PBES2, scrypt and AES-256-CBC (RFC 8018, RFC 7914 section 7.1), in PEM armour.

The cryptography library reads this form but writes only PBKDF2 with 2,048 rounds, which is too cheap to guess against
for a passphrase that a person chose. The openssl command reads these files: `openssl pkey -in KEY.pem -text`.

The armour has one accepted spelling (the strict form of RFC 7468): lines of 64 characters, line feeds only, nothing
before, after or between:

    -----BEGIN ENCRYPTED PRIVATE KEY-----\n<base64>\n-----END ENCRYPTED PRIVATE KEY-----\n
"""

from __future__ import annotations

import base64
import binascii
import os
import re
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import padding, serialization
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from . import passphrase as kdf
from .errors import Malformed, WrongPassphrase

MAX_PEM: Final = 4096

_BEGIN: Final = b"-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
_END: Final = b"-----END ENCRYPTED PRIVATE KEY-----\n"
_ARMOUR: Final = re.compile(re.escape(_BEGIN) + rb"([A-Za-z0-9+/=\n]+)" + re.escape(_END))

_PBES2: Final = bytes.fromhex("06092a864886f70d01050d")  # 1.2.840.113549.1.5.13
_SCRYPT: Final = bytes.fromhex("06092b06010401da47040b")  # 1.3.6.1.4.1.11591.4.11
_AES256_CBC: Final = bytes.fromhex("060960864801650304012a")  # 2.16.840.1.101.3.4.1.42


def encrypt(private_key_info: bytes, passphrase: bytes) -> bytes:
    """PrivateKeyInfo (DER) to the PEM of EncryptedPrivateKeyInfo. Raises Malformed for an unfit passphrase."""
    salt, iv = os.urandom(kdf.SALT_SIZE), os.urandom(16)
    padder = padding.PKCS7(128).padder()
    padded = padder.update(private_key_info) + padder.finalize()
    encryptor = Cipher(algorithms.AES256(kdf.stretch(passphrase, salt)), modes.CBC(iv)).encryptor()
    ciphertext = encryptor.update(padded) + encryptor.finalize()
    scrypt = _sequence(_SCRYPT, _sequence(_octets(salt), _integer(kdf.N), _integer(kdf.R), _integer(kdf.P)))
    scheme = _sequence(_PBES2, _sequence(scrypt, _sequence(_AES256_CBC, _octets(iv))))
    return _armour(_sequence(scheme, _octets(ciphertext)))


def seal(key: PrivateKeyTypes, passphrase: bytes) -> bytes:
    """A key to its encrypted PEM; another salt, so other bytes, at each call. Raises Malformed."""
    plain = key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return encrypt(plain, passphrase)


def unseal(pem: bytes, passphrase: bytes) -> PrivateKeyTypes:
    """Open an encrypted PKCS#8 key of any kind. Raises Malformed or WrongPassphrase.

    The form is not authenticated, so a changed ciphertext cannot be told from a wrong passphrase: both raise
    WrongPassphrase. Callers compare the key id with the one that they expect.
    """
    kdf.check(passphrase)
    der = der_of(pem)
    _refuse_bad_structure(der)
    try:
        return serialization.load_der_private_key(der, passphrase)
    except ValueError as error:
        raise WrongPassphrase("key.passphrase", "wrong passphrase, or the key file was changed") from error
    except UnsupportedAlgorithm as error:
        raise Malformed("key.unsupported", "the key file holds a kind of key that is not supported") from error


def der_of(pem: bytes) -> bytes:
    """The EncryptedPrivateKeyInfo inside the armour. Raises Malformed."""
    if len(pem) > MAX_PEM:
        raise Malformed("key.size", f"a key file has at most {MAX_PEM} bytes", limit=MAX_PEM)
    if b"-----BEGIN PRIVATE KEY-----" in pem or b"-----BEGIN EC PRIVATE KEY-----" in pem:
        raise Malformed("key.unencrypted", "the key file is not encrypted")
    found = _ARMOUR.fullmatch(pem)
    if found is None:
        raise Malformed("key.pem", "not an encrypted PKCS#8 key in PEM form")
    try:
        der = base64.b64decode(found.group(1).replace(b"\n", b""), validate=True)
    except binascii.Error as error:
        raise Malformed("key.pem", "the PEM body is not base64") from error
    if _armour(der) != pem:
        raise Malformed("key.pem", "not the one PEM spelling of this key")
    return der


def _armour(der: bytes) -> bytes:
    text = base64.b64encode(der)
    lines = [text[i : i + 64] + b"\n" for i in range(0, len(text), 64)]
    return _BEGIN + b"".join(lines) + _END


def _tlv(tag: int, body: bytes) -> bytes:
    """One DER element; the short and the one-byte long form of the length suffice for a key on a curve."""
    if len(body) < 128:
        return bytes((tag, len(body))) + body
    return bytes((tag, 0x81, len(body))) + body


def _sequence(*parts: bytes) -> bytes:
    return _tlv(0x30, b"".join(parts))


def _octets(data: bytes) -> bytes:
    return _tlv(0x04, data)


def _integer(value: int) -> bytes:
    return _tlv(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def _refuse_bad_structure(der: bytes) -> None:
    """Without a passphrase the loader says TypeError exactly when the outer structure is that of an encrypted key."""
    try:
        serialization.load_der_private_key(der, None)
    except TypeError:
        return
    except (ValueError, UnsupportedAlgorithm) as error:
        raise Malformed("key.structure", "not an encrypted PKCS#8 key") from error
    raise Malformed("key.unencrypted", "the key file is not encrypted")
