"""Laboratories that sign: certificate authorities, signers, and real PDF signatures made with pyHanko."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, wraps
from io import BytesIO
from typing import Any, ParamSpec

import pikepdf
from asn1crypto import keys as asn1_keys
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from makers import AT
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import fields, signers
from pyhanko.sign.timestamps.dummy_client import DummyTimeStamper
from pyhanko_certvalidator import registry as stores
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
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
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
    stamps: bool = False,
    lasting: bool = False,
) -> Holder:
    """A fresh key pair whose certificate is signed by `by`, or by itself; a `lasting` one is in force on the day of the
    test, for what looks at the real clock."""
    if lasting:
        start, end = datetime.now(UTC) - timedelta(days=1), datetime.now(UTC) + timedelta(days=1)
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey = ec.generate_private_key(ec.SECP256R1())
    if stamps:
        # The library's time stamper for tests takes this kind only.
        key, purposes = rsa.generate_private_key(65_537, 2_048), [ExtendedKeyUsageOID.TIME_STAMPING]
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
        builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=stamps)
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
def now_root() -> Holder:
    """An authority of today."""
    return holder("Today's Root", authority=True, lasting=True)


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


P = ParamSpec("P")


def _in_a_thread(work: Callable[P, bytes]) -> Callable[P, bytes]:
    """The library runs an event loop of its own, which a process that has driven a browser has already in its main
    thread."""

    @wraps(work)
    def apart(*arguments: P.args, **options: P.kwargs) -> bytes:
        with ThreadPoolExecutor(max_workers=1) as pool:
            return pool.submit(work, *arguments, **options).result()

    return apart


@_in_a_thread
def sign(
    data: bytes,
    by: Holder,
    *,
    name: str = "Laboratory",
    at: datetime | None = SIGNED_AT,
    box: tuple[int, int, int, int] | None = None,
    stamped_by: DummyTimeStamper | None = None,
    room: int | None = None,
    existing: bool = False,
) -> bytes:
    """`data` with one more signature as an incremental update; `box` makes it one that the page shows, `room` is how
    many bytes it takes, `existing` fills a field that is there. Without `at` it claims the real time."""
    writer = IncrementalPdfFileWriter(BytesIO(data))
    metadata = signers.PdfSignatureMetadata(
        field_name=name, md_algorithm="sha256", subfilter=fields.SigSeedSubFilter.PADES
    )
    target = BytesIO()
    spec = None if existing else fields.SigFieldSpec(name, box=box)
    signer = _Signer(metadata, signer=_signer(by), new_field_spec=spec, timestamper=stamped_by)
    signer.at = at or datetime.now(UTC)
    signer.sign_pdf(writer, output=target, bytes_reserved=room)
    return target.getvalue()


class _Signer(signers.PdfSigner):
    """Claims the signing time that it is told, and signs any field."""

    at: datetime

    def init_signing_session(self, *arguments: Any, **options: Any) -> Any:
        session = super().init_signing_session(*arguments, **options)
        session.system_time = self.at
        # A signer that does not mind what the field demands.
        session.sv_spec = None
        return session


def _signer(by: Holder) -> signers.SimpleSigner:
    store = stores.SimpleCertificateStore()
    store.register_multiple([_asn1(one) for one in by.above])
    key = by.key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return signers.SimpleSigner(
        signing_cert=_asn1(by.certificate), signing_key=asn1_keys.PrivateKeyInfo.load(key), cert_registry=store
    )


def _asn1(certificate: x509.Certificate) -> asn1_x509.Certificate:
    return asn1_x509.Certificate.load(certificate.public_bytes(serialization.Encoding.DER))


# --- attacks ----------------------------------------------------------------------------------------------------------


def appended(data: bytes, text: bytes = b"BT /F1 24 Tf 60 600 Td (Lead 0.1 mg/kg) Tj ET") -> bytes:
    """An incremental update that draws more on the first page."""
    writer = IncrementalPdfFileWriter(BytesIO(data))
    page = writer.root["/Pages"]["/Kids"][0].get_object()
    stream = writer.add_object(generic.StreamObject(stream_data=text))
    page[generic.pdf_name("/Contents")] = generic.ArrayObject([page.raw_get("/Contents"), stream])
    writer.mark_update(page.container_ref)
    return _written(writer)


def annotated(data: bytes) -> bytes:
    """An incremental update that lays a note over the first page."""
    writer = IncrementalPdfFileWriter(BytesIO(data))
    name = generic.pdf_name
    note = generic.DictionaryObject(
        {
            name("/Type"): name("/Annot"),
            name("/Subtype"): name("/FreeText"),
            name("/Rect"): generic.ArrayObject([generic.NumberObject(side) for side in (60, 700, 300, 760)]),
            name("/Contents"): generic.pdf_string("Lead 0.1 mg/kg"),
        }
    )
    writer.register_annotation(writer.find_page_for_modification(0)[0], writer.add_object(note))
    return _written(writer)


def smuggled(
    data: bytes, *, line: bytes = b" \n", text: bytes = b"BT /F1 24 Tf 60 600 Td (Lead 0.1 mg/kg) Tj ET"
) -> bytes:
    """An update that only adds an empty field for a signature, says its table, and carries another first page that the
    table does not name. A table whose lines end in one byte is none to PDFium, which then takes what it finds last."""
    with pikepdf.open(BytesIO(data)) as pdf:
        form, page, size = pdf.Root.AcroForm, pdf.pages[0].obj, int(pdf.trailer.Size)
        fields_there = b" ".join(b"%d 0 R" % field.objgen[0] for field in form.Fields)
        content, root = page.Contents.objgen[0], pdf.Root.objgen[0]
        field = b"<</FT/Sig/T(Two)/Type/Annot/Subtype/Widget/F 132/Rect[0 0 0 0]/P %d 0 R>>" % page.objgen[0]
        listed = {form.objgen[0]: b"<</Fields[%s %d 0 R]/SigFlags 3>>" % (fields_there, size), size: field}
    places = {}
    for number, body in listed.items():
        places[number] = len(data)
        data += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    data += b"%d 0 obj\n<</Length %d>>\nstream\n%s\nendstream\nendobj\n" % (content, len(text), text)
    table = b"".join(b"%d 1\n%010d 00000 n%s" % (number, place, line) for number, place in sorted(places.items()))
    before = re.findall(rb"startxref\s+(\d+)", data)[-1]
    ids = re.findall(rb"/ID\s*\[.*?\]", data, re.DOTALL)[-1]
    trailer = b"trailer\n<</Size %d/Root %d 0 R/Prev %s%s>>\n" % (size + 1, root, before, ids)
    return data + b"xref\n" + table + trailer + b"startxref\n%d\n%%%%EOF\n" % len(data)


def _written(writer: IncrementalPdfFileWriter) -> bytes:
    target = BytesIO()
    writer.write(target)
    return target.getvalue()


def tampered(data: bytes) -> bytes:
    """One byte of the page's packed text changed into another one, inside of what was signed."""
    place = data.index(b"/Producer") + len(b"/Producer (Re")
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


def byte_range(data: bytes) -> tuple[int, int, int, int]:
    """The numbers of the last signature."""
    numbers = re.findall(rb"/ByteRange \[(\d+) (\d+) (\d+) (\d+)\]", data)[-1]
    return tuple(int(number) for number in numbers)  # type: ignore[return-value]  # the pattern has four


@_in_a_thread
def covering_only(data: bytes, by: Holder, *, tail: int = 0, before: int = 0) -> bytes:
    """A right signature over less of the file: `tail` bytes at its end and `before` bytes before the signature are left
    out. The rest of the file is as it was."""
    zero, gap, rest, length = byte_range(data)
    old = b"/ByteRange [%d %d %d %d]" % (zero, gap, rest, length)
    new = (b"/ByteRange [%d %d %d %d]" % (zero, gap - before, rest, length - tail)).ljust(len(old))
    data = data.replace(old, new)
    covered = data[: gap - before] + data[rest : rest + length - tail]
    made = asyncio.run(_signer(by).async_sign(hashlib.sha256(covered).digest(), "sha256", use_pades=True)).dump()
    return data[:gap] + b"<" + made.hex().encode().ljust(rest - gap - 2, b"0") + b">" + data[rest:]


def another_ones(data: bytes, other: bytes) -> bytes:
    """The signature of `other` put into `data`."""
    _zero, gap, rest, _length = byte_range(data)
    _zero, start, end, _length = byte_range(other)
    seal = other[start + 1 : end - 1]
    return data[: gap + 1] + seal[: rest - gap - 2].ljust(rest - gap - 2, b"0") + data[rest - 1 :]


def time_authority(root: Holder) -> DummyTimeStamper:
    """A time-stamping authority that always says `SIGNED_AT`."""
    by = holder("Time", root, stamps=True)
    return DummyTimeStamper(
        tsa_cert=_asn1(by.certificate),
        tsa_key=_signer(by).signing_key,
        certs_to_embed=_signer(by).cert_registry,
        fixed_dt=SIGNED_AT,
    )


@_in_a_thread
def stamped(data: bytes, by: DummyTimeStamper) -> bytes:
    """`data` with a time stamp over all of it."""
    target = BytesIO()
    signers.PdfTimeStamper(by, field_name="Stamp").timestamp_pdf(
        IncrementalPdfFileWriter(BytesIO(data)), "sha256", output=target
    )
    return target.getvalue()
