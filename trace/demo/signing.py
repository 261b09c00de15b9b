"""Digital signatures of the demo's laboratories. The authorities live for one build: their keys are kept nowhere."""

from __future__ import annotations

from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any

from asn1crypto import keys as asn1_keys  # type: ignore[import-untyped]  # it ships no types
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from ..files.signatures import Root
from .firms import LABORATORIES
from .plan import At, Calendar, Laboratory, ReportPlan

FOUNDED, ENDS = -400, 1_400


class _Holder:
    """A key pair with its certificate, given by another holder or by itself."""

    def __init__(self, calendar: Calendar, name: str, firm: str, *, authority: bool, by: _Holder | None = None) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name(
            [x509.NameAttribute(NameOID.COMMON_NAME, name), x509.NameAttribute(NameOID.ORGANIZATION_NAME, firm)]
        )
        self.certificate: x509.Certificate = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(by.certificate.subject if by else subject)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(calendar.moment(At(FOUNDED)))
            .not_valid_after(calendar.moment(At(ENDS)))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=0 if authority else None), critical=True)
            .add_extension(_usage(authority=authority), critical=True)
            .sign(by.key if by else self.key, hashes.SHA256())
        )

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=not authority,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


class Authorities:
    """The pinned laboratories' own authorities, each with one signer, and a stranger who uses their names."""

    def __init__(self, calendar: Calendar) -> None:
        self._calendar = calendar
        self._roots = {one.name: self._authority(one) for one in LABORATORIES if one.pinned}
        self._signers = {one.name: self._signer(one, self._roots[one.name]) for one in LABORATORIES if one.pinned}

    @property
    def pinned(self) -> list[Root]:
        return [Root(root.der) for root in self._roots.values()]

    def root_of(self, laboratory: Laboratory) -> bytes:
        """The certificate to pin, in DER."""
        return self._roots[laboratory.name].der

    def sign(self, path: Path, report: ReportPlan) -> None:
        """Put the signature that the plan asks for on the PDF, on the day of its issue."""
        laboratory = report.laboratory
        if report.signed == "laboratory":
            signer = self._signers[laboratory.name]
        else:
            signer = self._signer(laboratory, self._authority(laboratory))
        at = self._calendar.moment(At(report.issued, "14:00"))
        path.write_bytes(signed(path.read_bytes(), signer.certificate, signer.key, at))

    def _authority(self, laboratory: Laboratory) -> _Holder:
        name = f"{laboratory.name_en} report signing authority"
        return _Holder(self._calendar, name, laboratory.name_zh, authority=True)

    def _signer(self, laboratory: Laboratory, by: _Holder) -> _Holder:
        return _Holder(self._calendar, f"{laboratory.name_en} reports", laboratory.name_zh, authority=False, by=by)


def signed(data: bytes, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey, at: datetime) -> bytes:
    """The PDF with a signature (PAdES) that no page shows and that claims this time."""
    # Loaded only when something is signed: it takes a second.
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.sign import fields, signers
    from pyhanko_certvalidator import registry as stores

    class Dated(signers.PdfSigner):
        def init_signing_session(self, *arguments: Any, **options: Any) -> Any:
            session = super().init_signing_session(*arguments, **options)
            session.system_time = at
            return session

    signer = signers.SimpleSigner(
        signing_cert=asn1_x509.Certificate.load(certificate.public_bytes(Encoding.DER)),
        signing_key=asn1_keys.PrivateKeyInfo.load(key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())),
        cert_registry=stores.SimpleCertificateStore(),  # type: ignore[no-untyped-call]  # its __init__ has no types
    )
    metadata = signers.PdfSignatureMetadata(
        field_name="Laboratory", md_algorithm="sha256", subfilter=fields.SigSeedSubFilter.PADES
    )
    target = BytesIO()
    Dated(metadata, signer=signer, new_field_spec=fields.SigFieldSpec("Laboratory")).sign_pdf(
        IncrementalPdfFileWriter(BytesIO(data)), output=target
    )
    return target.getvalue()
