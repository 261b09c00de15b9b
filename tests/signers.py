"""Laboratories that sign: certificate authorities, signers, and real PDF signatures made with pyHanko."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from io import BytesIO
from typing import Any

from asn1crypto import keys as asn1_keys
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from makers import AT
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign import fields, signers
from pyhanko_certvalidator.registry import SimpleCertificateStore
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from lotseal.trace.files.signatures import Root

BEFORE = AT - timedelta(days=100)
AFTER = AT + timedelta(days=900)
SIGNED_AT = AT - timedelta(days=3)


@dataclass(frozen=True)
class Holder:
    """A certificate with its key, and the certificates above it."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    above: tuple[x509.Certificate, ...] = ()

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def sha256(self) -> str:
        return self.certificate.fingerprint(hashes.SHA256()).hex()

    @property
    def root(self) -> Root:
        return Root(self.der)


def holder(
    name: str,
    by: Holder | None = None,
    *,
    authority: bool = False,
    start: datetime = BEFORE,
    end: datetime = AFTER,
    purposes: list[x509.ObjectIdentifier] | None = None,
    usage: bool = True,
) -> Holder:
    """A fresh key pair whose certificate is signed by `by`, or by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name(
        [x509.NameAttribute(NameOID.COMMON_NAME, name), x509.NameAttribute(NameOID.ORGANIZATION_NAME, "闽检 Minjian")]
    )
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by.certificate.subject if by else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    if usage:
        builder = builder.add_extension(
            x509.KeyUsage(
                digital_signature=not authority,
                content_commitment=not authority,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                key_cert_sign=authority,
                crl_sign=authority,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
    if purposes:
        builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
    certificate = builder.sign(by.key if by else key, hashes.SHA256())
    return Holder(certificate, key, (*by.above, by.certificate) if by else ())


@cache
def laboratory_root() -> Holder:
    """The authority of the laboratory that everything is right with."""
    return holder("Minjian Root", authority=True)


@cache
def laboratory() -> Holder:
    return holder("Minjian Testing", laboratory_root())


@cache
def stranger_root() -> Holder:
    return holder("Nobody's Root", authority=True)


@cache
def stranger() -> Holder:
    return holder("Minjian Testing", stranger_root())


SERVER = [ExtendedKeyUsageOID.SERVER_AUTH]


def report(text: str = "Lead 0.9 mg/kg", pages: int = 1) -> bytes:
    """A report without a signature."""
    target = BytesIO()
    canvas = Canvas(target, pagesize=A4, invariant=1)
    for page in range(1, pages + 1):
        canvas.drawString(60, 780, f"Test report YX-2026-10-0417, page {page}")
        canvas.drawString(60, 740, text)
        canvas.showPage()
    canvas.save()
    return target.getvalue()


def sign(
    data: bytes,
    by: Holder,
    *,
    name: str = "Laboratory",
    at: datetime = SIGNED_AT,
    box: tuple[int, int, int, int] | None = None,
    stamped_by: Any = None,
    **more: Any,
) -> bytes:
    """`data` with one more signature as an incremental update; `box` makes it one that the page shows."""
    writer = IncrementalPdfFileWriter(BytesIO(data))
    metadata = signers.PdfSignatureMetadata(
        field_name=name, md_algorithm="sha256", subfilter=fields.SigSeedSubFilter.PADES, **more
    )
    target = BytesIO()
    signer = _Signer(
        metadata, signer=_signer(by), new_field_spec=fields.SigFieldSpec(name, box=box), timestamper=stamped_by
    )
    signer.at = at
    signer.sign_pdf(writer, output=target)
    return target.getvalue()


class _Signer(signers.PdfSigner):
    """Claims the signing time that it is told."""

    at: datetime

    def init_signing_session(self, *arguments: Any, **options: Any) -> Any:
        session = super().init_signing_session(*arguments, **options)
        session.system_time = self.at
        return session


def _signer(by: Holder) -> signers.SimpleSigner:
    registry = SimpleCertificateStore()
    registry.register_multiple([_asn1(one) for one in by.above])
    key = by.key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return signers.SimpleSigner(
        signing_cert=_asn1(by.certificate), signing_key=asn1_keys.PrivateKeyInfo.load(key), cert_registry=registry
    )


def _asn1(certificate: x509.Certificate) -> asn1_x509.Certificate:
    return asn1_x509.Certificate.load(certificate.public_bytes(serialization.Encoding.DER))


def append(data: bytes, text: bytes = b"BT /F1 24 Tf 60 600 Td (Lead 0.1 mg/kg) Tj ET") -> bytes:
    """An incremental update that draws more on the first page."""
    writer = IncrementalPdfFileWriter(BytesIO(data))
    from pyhanko.pdf_utils import generic

    page = writer.root["/Pages"]["/Kids"][0].get_object()
    stream = writer.add_object(generic.StreamObject(stream_data=text))
    page[generic.pdf_name("/Contents")] = generic.ArrayObject([page.raw_get("/Contents"), stream])
    writer.mark_update(page.container_ref)
    target = BytesIO()
    writer.write(target)
    return target.getvalue()


def tampered(data: bytes, old: bytes = b"2026", new: bytes = b"2027") -> bytes:
    """One byte changed inside of what was signed."""
    at = data.index(b"/CreationDate")
    place = data.index(b"2000", at) if b"2000" in data[at : at + 60] else at + 20
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


def now() -> datetime:
    return datetime.now(UTC)


def reader(data: bytes) -> PdfFileReader:
    return PdfFileReader(BytesIO(data))
