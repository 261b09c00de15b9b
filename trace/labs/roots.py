"""Certificates to pin, as people upload them: PEM or DER."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from ..errors import Invalid, invalid, say
from ..files import bounds

MOST_BYTES = 200_000
_PEM = b"-----BEGIN CERTIFICATE-----"


@dataclass(frozen=True)
class ReadRoot:
    """A certificate to compare before it is pinned. `everyone` marks an authority's: all to whom it gives a certificate
    can sign in its name."""

    der: bytes
    sha256: str
    subject: str
    issuer: str
    not_before: datetime
    not_after: datetime
    everyone: bool


def read_root(data: bytes) -> ReadRoot:
    """Exactly one certificate. Raises `Invalid` (field `root`) for anything else."""
    found = read_roots(data)
    if len(found) != 1:
        raise invalid(
            "root",
            "root.one",
            say("The file holds %(count)d certificates. Upload the one that is to be pinned.", count=len(found)),
        )
    return found[0]


def read_roots(data: bytes) -> list[ReadRoot]:
    """Every certificate of a PEM file, or the one of a DER file. Raises `Invalid` (field `root`)."""
    if len(data) > MOST_BYTES:
        raise _unreadable()
    try:
        certificates = x509.load_pem_x509_certificates(data) if _PEM in data else [x509.load_der_x509_certificate(data)]
        return [_read(certificate) for certificate in certificates]
    except ValueError:
        raise _unreadable() from None


def _read(certificate: x509.Certificate) -> ReadRoot:
    der = certificate.public_bytes(Encoding.DER)
    if len(der) > bounds.MAX_ROOT_BYTES:
        raise ValueError("a certificate of that size is none")
    return ReadRoot(
        der=der,
        sha256=certificate.fingerprint(hashes.SHA256()).hex(),
        subject=_shown(certificate.subject),
        issuer=_shown(certificate.issuer),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        everyone=_is_authority(certificate),
    )


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _shown(name: x509.Name) -> str:
    text = name.rfc4514_string()
    return "".join(character for character in text if character.isprintable())[:500] or "–"


def read_fingerprint(text: str) -> str:
    """A SHA-256 as people copy it, with colons or spaces; empty when nothing was given. Raises `Invalid`."""
    plain = re.sub(r"[\s:]", "", text).lower()
    if plain and not re.fullmatch(r"[0-9a-f]{64}", plain):
        raise invalid(
            "sha256", "root.fingerprint-form", say("A SHA-256 has 64 hexadecimal digits. Copy it from the laboratory.")
        )
    return plain


def _unreadable() -> Invalid:
    return invalid(
        "root",
        "root.unreadable",
        say("This is no certificate. Upload it as PEM (it begins with BEGIN CERTIFICATE) or as DER (.cer, .crt)."),
    )
