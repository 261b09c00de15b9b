"""A time-stamp authority (RFC 3161) of the tests' own, which can also be wrong in each way that matters."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from asn1crypto import algos, cms, tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

NOON = datetime(2026, 10, 15, 12, tzinfo=UTC)
YEAR = timedelta(days=365)


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


@dataclass
class Authority:
    """Root and signer certificate, valid for a year around NOON. The fields after them are the ways to go wrong."""

    common: str = "Test authority"
    usages: tuple[x509.ObjectIdentifier, ...] = (ExtendedKeyUsageOID.TIME_STAMPING,)
    critical: bool = True
    at: datetime = NOON
    status: int = 0
    nonce_added: int = 0
    imprint: bytes | None = None
    hash_name: str = "sha256"
    with_certificate: bool = True
    with_root: bool = False
    expires: datetime = NOON + YEAR
    asked: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._root_key, self._key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        root = _name(f"{self.common} root")
        self.root = (
            self._certificate(root, root, self._root_key)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(self._root_key, hashes.SHA256())
        )
        builder = self._certificate(_name(self.common), root, self._key)
        if self.usages:
            builder = builder.add_extension(x509.ExtendedKeyUsage(self.usages), critical=self.critical)
        self.certificate = builder.sign(self._root_key, hashes.SHA256())

    def _certificate(
        self, subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey
    ) -> x509.CertificateBuilder:
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
        builder = builder.serial_number(x509.random_serial_number())
        return builder.not_valid_before(NOON - YEAR).not_valid_after(self.expires)

    def respond(self, request: bytes) -> bytes:
        """A TimeStampResp in DER."""
        self.asked.append(request)
        asked = tsp.TimeStampReq.load(request, strict=True)
        if self.status:
            # A refusal has no token: the sequence of a sequence of the status.
            return bytes.fromhex("3005300302 01") + bytes((self.status,))
        return bytes(tsp.TimeStampResp({"status": {"status": 0}, "time_stamp_token": self._token(asked)}).dump())

    def _token(self, asked: Any) -> cms.ContentInfo:
        imprint = asked["message_imprint"]["hashed_message"].native if self.imprint is None else self.imprint
        info = tsp.TSTInfo(
            {
                "version": "v1",
                "policy": "1.2.3.4",
                "message_imprint": {"hash_algorithm": {"algorithm": self.hash_name}, "hashed_message": imprint},
                "serial_number": 7,
                "gen_time": self.at,
                "nonce": asked["nonce"].native + self.nonce_added,
            }
        ).dump()
        own = asn1_x509.Certificate.load(self.certificate.public_bytes(Encoding.DER))
        attributes = cms.CMSAttributes(
            [
                {"type": "content_type", "values": ["tst_info"]},
                {"type": "message_digest", "values": [hashlib.sha256(info).digest()]},
                {
                    "type": "signing_certificate_v2",
                    "values": [{"certs": [{"cert_hash": hashlib.sha256(own.dump()).digest()}]}],
                },
            ]
        )
        signer = {
            "version": "v1",
            "sid": {"issuer_and_serial_number": {"issuer": own.issuer, "serial_number": own.serial_number}},
            "digest_algorithm": algos.DigestAlgorithm({"algorithm": "sha256"}),
            "signed_attrs": attributes,
            "signature_algorithm": {"algorithm": "sha256_ecdsa"},
            "signature": self._key.sign(attributes.dump(), ec.ECDSA(hashes.SHA256())),
        }
        signed = {
            "version": "v3",
            "digest_algorithms": [{"algorithm": "sha256"}],
            "encap_content_info": {"content_type": "tst_info", "content": cms.ParsableOctetString(info)},
            "signer_infos": [signer],
        }
        if self.with_certificate:
            root = asn1_x509.Certificate.load(self.root.public_bytes(Encoding.DER))
            signed["certificates"] = [own, root] if self.with_root else [own]
        return cms.ContentInfo({"content_type": "signed_data", "content": signed})

    def app(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """The HTTP transport of RFC 3161 section 3.4."""
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        start_response("200 OK", [("Content-Type", "application/timestamp-reply")])
        return [self.respond(body)]
