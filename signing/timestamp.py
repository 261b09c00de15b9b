"""Time-stamp tokens (RFC 3161): an authority signs that these bytes existed at a time.

A token is kept as the authority made it, so that `openssl ts -verify -token_in` reads it; only its certificates, a set
that nobody signed, are brought into the order of DER. Only SHA-256 imprints count, only roots that are told, and only
signers whose certificate is for time stamping (RFC 3161 section 2.3); the certificates have to be valid at the time of
the stamp, not today.

One field of a token is under nobody's signature: the name of the signature algorithm (RFC 5652 section 5.3), which
the key decides anyway.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from cryptography.x509 import Certificate, ObjectIdentifier, load_pem_x509_certificates
from rfc3161_client import (
    HashAlgorithm,
    TimestampRequestBuilder,
    TimeStampResponse,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from .errors import BadSignature, Malformed
from .verify import Refused, inside, read_der

MAX_RESPONSE: Final = 65_536
MAX_ROOTS: Final = 262_144
MAX_ROOT_COUNT: Final = 32
REQUEST_TYPE: Final = "application/timestamp-query"
RESPONSE_TYPE: Final = "application/timestamp-reply"

_SHA256: Final = ObjectIdentifier("2.16.840.1.101.3.4.2.1")
_GRANTED: Final = 0
_VERSIONS: Final = (3, {1})
"""Of the CMS structures around TSTInfo with a signer known by issuer and number (RFC 5652 sections 5.1 and 5.3)."""

_CERTIFICATES: Final = 3
_IMPLICIT_0: Final = 0xA0
"""Place and tag of the certificates in SignedData (RFC 5652 section 5.1)."""

_STATUS_GRANTED: Final = bytes.fromhex("3003020100")


@dataclass(frozen=True)
class Request:
    """The bytes to send, and the number that the answer has to repeat."""

    der: bytes
    nonce: int


@dataclass(frozen=True)
class Stamp:
    """A verified token, and the time that the authority states, in UTC."""

    token: bytes
    at: datetime


def make_request(data: bytes) -> Request:
    """For the SHA-256 of `data` (at least one byte), with a random nonce, asking for the signer's certificate."""
    if not data:
        raise Malformed("timestamp.empty", "nothing to stamp")
    made = TimestampRequestBuilder().data(data).hash_algorithm(HashAlgorithm.SHA256).cert_request(cert_request=True)
    request = made.nonce(nonce=True).build()
    assert request.nonce is not None
    return Request(request.as_bytes(), request.nonce)


def verify_response(response: bytes, request: Request, data: bytes, roots: Sequence[Certificate]) -> Stamp:
    """The token of an answer to this request over these bytes. Raises Malformed or BadSignature."""
    return _verify(_decoded(response), data, roots, request.nonce)


def verify_token(token: bytes, data: bytes, roots: Sequence[Certificate]) -> datetime:
    """The time of a token that was kept. Raises Malformed or BadSignature."""
    if len(token) > MAX_RESPONSE:
        raise _too_long()
    stamp = _verify(_decoded(as_response(token)), data, roots, None)
    if stamp.token != token:
        raise Malformed("timestamp.spelling", "not the one spelling of this token")
    return stamp.at


def as_response(token: bytes) -> bytes:
    """The token inside a response that grants it, which is what `openssl ts -verify -in` reads."""
    return _tlv(_STATUS_GRANTED + token)


def parse_roots(pem: bytes) -> list[Certificate]:
    """1 to 32 certificates. Raises Malformed."""
    if len(pem) > MAX_ROOTS:
        raise Malformed("timestamp.roots", f"a file of roots has at most {MAX_ROOTS} bytes", limit=MAX_ROOTS)
    try:
        roots = load_pem_x509_certificates(pem)
    except ValueError as error:
        raise Malformed("timestamp.roots", "not certificates in PEM form") from error
    if len(roots) > MAX_ROOT_COUNT:
        raise Malformed("timestamp.roots", f"at most {MAX_ROOT_COUNT} roots", limit=MAX_ROOT_COUNT)
    return roots


def _decoded(response: bytes) -> TimeStampResponse:
    if len(response) > MAX_RESPONSE:
        raise _too_long()
    try:
        decoded = decode_timestamp_response(_in_order(response))
    except ValueError as error:
        raise Malformed("timestamp.form", "not a time-stamp response") from error
    if decoded.status != _GRANTED:
        raise BadSignature("timestamp.not-granted", "the authority did not grant the stamp", status=decoded.status)
    return decoded


def _in_order(response: bytes) -> bytes:
    """With the certificates of the token in the order of DER, the only one that the decoder takes.

    RFC 5652 asks for DER in the signed attributes alone: openssl, and authorities that run it, send the signer first
    and then its chain. What cannot be read is left for the decoder to refuse.
    """
    try:
        head, certificates = read_der(inside(response, 0, 1, 1, 0))[_CERTIFICATES]
        ordered = sorted(head + body for head, body in read_der(certificates))
    except (Refused, IndexError):
        return response
    return response.replace(certificates, b"".join(ordered), 1) if head[0] == _IMPLICIT_0 else response


def _verify(response: TimeStampResponse, data: bytes, roots: Sequence[Certificate], nonce: int | None) -> Stamp:
    try:
        info = response.tst_info
        imprint, stated = info.message_imprint, info.gen_time
        answered, signed = info.nonce, response.signed_data
        versions = (signed.version, {signer.version for signer in signed.signer_infos})
    except ValueError as error:
        raise Malformed("timestamp.form", "the token holds no time-stamp information") from error
    if versions != _VERSIONS:
        raise Malformed("timestamp.version", "not the form of a time-stamp token")
    if imprint.hash_algorithm != _SHA256 or imprint.message != hashlib.sha256(data).digest():
        raise BadSignature("timestamp.imprint", "the token stamps other bytes")
    if nonce is not None and answered != nonce:
        raise BadSignature("timestamp.nonce", "the token answers another request")
    # One root at a time: of two with the same name only one would be tried.
    if not any(_leads_to(root, response, data) for root in dict.fromkeys(roots)):
        raise BadSignature("timestamp.signature", "no known authority signed the token")
    return Stamp(response.time_stamp_token(), stated.astimezone(UTC))


def _leads_to(root: Certificate, response: TimeStampResponse, data: bytes) -> bool:
    try:
        VerifierBuilder().add_root_certificate(root).build().verify_message(response, data)
    except (VerificationError, ValueError):
        return False
    return True


def _tlv(body: bytes) -> bytes:
    """A DER sequence around the body."""
    length = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    return b"\x30" + (bytes((0x80 | len(length),)) + length if len(body) > 127 else length) + body


def _too_long() -> Malformed:
    return Malformed("timestamp.size", f"a time stamp has at most {MAX_RESPONSE} bytes", limit=MAX_RESPONSE)
