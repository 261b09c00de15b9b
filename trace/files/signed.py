"""Inside the child: the signatures that are embedded in a PDF, each told in five words (`findings.py`).

No network, no trust store of the system: only the pinned roots that came with the request count. pyHanko's general
judgement, `bottom_line`, has the last word over ours; its `valid` alone stays true for a file that was changed.
"""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import Any

from asn1crypto import x509  # type: ignore[import-untyped]  # it ships no types
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.x509 import load_der_x509_certificate
from pyhanko.pdf_utils.crypt.api import AuthStatus
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.ades.report import AdESIndeterminate, AdESSubIndic
from pyhanko.sign.diff_analysis import DiffResult, ModificationLevel
from pyhanko.sign.fields import enumerate_sig_fields
from pyhanko.sign.validation.generic_cms import async_validate_cms_signature
from pyhanko.sign.validation.pdf_embedded import (
    EmbeddedPdfSignature,
    async_validate_pdf_signature,
    async_validate_pdf_timestamp,
)
from pyhanko.sign.validation.settings import KeyUsageConstraints
from pyhanko.sign.validation.status import (
    DocumentTimestampStatus,
    PdfSignatureStatus,
    SignatureCoverageLevel,
    StandardCMSSignatureStatus,
)
from pyhanko_certvalidator import ValidationContext

from . import bounds
from .bounds import Refused
from .findings import UNREADABLE, Coverage, Five, Integrity, Later, Purpose, Shape, Trust, Works
from .shown import Shown

# Either says that the key signs what a person answers for. A certificate that names no usage may be used for all
# (RFC 5280, 4.2.1.3); pyHanko alone would want one named.
_USAGES = frozenset(("non_repudiation", "digital_signature"))
# What the holder of a certificate that lists purposes may sign documents under: RFC 9336, Adobe, Microsoft, mail, and
# the client's purpose, which many authorities give to persons. A server's certificate is none of these.
_PURPOSES = frozenset(
    (
        "1.3.6.1.5.5.7.3.36",
        "adobe_authentic_documents_trust",
        "microsoft_document_signing",
        "email_protection",
        "client_auth",
    )
)
_SPACE = b" \t\r\n\f\0"
_HEX = re.compile(rb"<[0-9A-Fa-f]*>")

_WHY: Mapping[AdESSubIndic, Trust] = {
    AdESIndeterminate.NO_CERTIFICATE_CHAIN_FOUND: Trust.UNKNOWN_ROOT,
    AdESIndeterminate.OUT_OF_BOUNDS_NO_POE: Trust.EXPIRED,
    AdESIndeterminate.CHAIN_CONSTRAINTS_FAILURE: Trust.PURPOSE,
    AdESIndeterminate.CRYPTO_CONSTRAINTS_FAILURE: Trust.WEAK,
    AdESIndeterminate.CRYPTO_CONSTRAINTS_FAILURE_NO_POE: Trust.WEAK,
}

Facts = dict[str, object]


@dataclass(frozen=True)
class _Root:
    """A pinned root, parsed."""

    certificate: x509.Certificate
    purpose: Purpose

    @cached_property
    def sha256(self) -> str:
        return str(self.certificate.sha256.hex())


@dataclass(frozen=True)
class _Roots:
    """The roots of a request and the moment for which everything is judged."""

    every: Sequence[_Root]
    at: datetime

    def living(self, purpose: Purpose) -> list[_Root]:
        return [root for root in self.every if root.purpose is purpose and _lives(root.certificate, self.at)]

    def context(self, roots: Iterable[_Root]) -> ValidationContext:
        """Revocation is «soft-fail»: nothing may be fetched here, and «hard-fail» would refuse every certificate that
        names a place where revocations are published. Staff take a root away instead."""
        return ValidationContext(
            trust_roots=[root.certificate for root in roots],
            allow_fetching=False,
            revocation_mode="soft-fail",
            moment=self.at,
            best_signature_time=self.at,
        )


def read_signatures(path: Path, roots: Sequence[Mapping[str, str]], at: str) -> Facts:
    """`revisions`, and `signatures` in the order of signing. Raises `Refused`; a signature that cannot be read is one
    whose words say so."""
    data = path.read_bytes()
    pinned = _Roots([_root(one) for one in roots[: bounds.MAX_ROOTS]], datetime.fromisoformat(at))
    reader = PdfFileReader(BytesIO(data), strict=True)
    if reader.encrypted and reader.decrypt(b"").status == AuthStatus.FAILED:
        raise Refused("file.password")
    revisions = reader.xrefs.total_revisions
    if revisions > bounds.MAX_REVISIONS:
        raise Refused("file.too-complex")
    fields = list(islice(enumerate_sig_fields(reader, filled_status=True), bounds.MAX_SIGNATURES + 1))
    if len(fields) > bounds.MAX_SIGNATURES:
        raise Refused("file.too-complex")
    shown = Shown(data)
    found = [_Seal(data, reader, pinned, shown, name, field).facts() for name, _value, field in fields]
    return {"revisions": revisions, "signatures": sorted(found, key=lambda facts: int(str(facts["revision"])))}


def _root(request: Mapping[str, str]) -> _Root:
    return _Root(x509.Certificate.load(base64.b64decode(request["der"]), strict=True), Purpose(request["purpose"]))


def _lives(certificate: x509.Certificate, at: datetime) -> bool:
    return bool(certificate.not_valid_before <= at <= certificate.not_valid_after)


class _Seal:
    """One filled signature field."""

    def __init__(self, data: bytes, reader: PdfFileReader, roots: _Roots, shown: Shown, name: str, field: Any) -> None:
        self._data, self._reader, self._roots, self._shown = data, reader, roots, shown
        self._name, self._field = str(name), field

    def facts(self) -> Facts:
        facts: Facts = {
            "field": self._name[: bounds.MAX_NAME_CHARACTERS],
            "shape": Shape.DOCUMENT,
            **UNREADABLE.words,
            "signer": "",
            "signed_at": None,
            "certificate_sha256": "",
            "roots": [],
            "revision": 0,
        }
        try:
            facts |= self._judged()
        except (MemoryError, RecursionError):
            raise
        except Exception:
            # Hostile bytes can make a parser raise anything at all. What was found until then is not believed either.
            return facts
        return facts

    def _judged(self) -> Facts:
        seal = EmbeddedPdfSignature(self._reader, self._field, self._name)
        if len(seal.pkcs7_content) > bounds.MAX_CMS_BYTES:
            raise ValueError("a signature of that size is none")
        if len(seal.signed_data["certificates"]) > bounds.MAX_CMS_CERTIFICATES:
            raise ValueError("nobody needs that many certificates")
        stamp = seal.sig_object_type == "/DocTimeStamp"
        return {"shape": Shape.TIME_STAMP, **self._stamp(seal)} if stamp else self._signature(seal)

    def _signature(self, seal: EmbeddedPdfSignature) -> Facts:
        usage = _usage_of(seal.signer_cert)
        roots = self._roots.living(Purpose.SIGNING)
        status: PdfSignatureStatus = asyncio.run(
            async_validate_pdf_signature(
                seal,
                self._roots.context(roots),
                ts_validation_context=self._roots.context(self._roots.living(Purpose.TIME_STAMPS)),
                key_usage_settings=usage,
            )
        )
        trust, anchors = self._trust(seal, status, usage)
        facts = self._common(seal, status) | {"trust": trust, "roots": anchors}
        if not status.bottom_line and Five.read(facts).all_hold:
            # It knows of a rule that our five words do not name, such as a wish of the field about its signer.
            facts |= {"trust": Trust.UNPROVEN, "roots": []}
        return facts

    def _stamp(self, seal: EmbeddedPdfSignature) -> Facts:
        context = self._roots.context(self._roots.living(Purpose.TIME_STAMPS))
        status: DocumentTimestampStatus = asyncio.run(async_validate_pdf_timestamp(seal, context))
        facts = self._common(seal, status) | {"signed_at": status.timestamp.isoformat()}
        if not status.trusted:
            return facts | {"trust": _why(status.trust_problem_indic, seal.signer_cert), "roots": []}
        anchor = status.validation_path.trust_anchor.authority.certificate  # type: ignore[union-attr]  # trusted has one
        return facts | {"trust": Trust.PINNED, "roots": [anchor.sha256.hex()]}

    def _common(self, seal: EmbeddedPdfSignature, status: PdfSignatureStatus | DocumentTimestampStatus) -> Facts:
        claimed = getattr(status, "signer_reported_dt", None)
        coverage = self._coverage(seal, status.coverage)
        return {
            "integrity": Integrity.INTACT if status.intact else Integrity.CHANGED,
            "signature": Works.RIGHT if status.valid else Works.WRONG,
            "coverage": coverage,
            "later": self._later(seal, status, coverage),
            "signer": _name_of(seal.signer_cert),
            "signed_at": claimed.isoformat() if claimed else None,
            "certificate_sha256": seal.signer_cert.sha256.hex(),
            "revision": seal.signed_revision + 1,
        }

    # --- trust --------------------------------------------------------------------------------------------------------

    def _trust(
        self, seal: EmbeddedPdfSignature, status: PdfSignatureStatus, usage: KeyUsageConstraints
    ) -> tuple[Trust, list[str]]:
        """The word, and the SHA-256 of every pinned root that the chain can end in: one root may belong to a
        laboratory, another one on the same chain to somebody else."""
        signer, at = seal.signer_cert, self._roots.at
        if not status.valid:
            return Trust.NOT_CHECKED, []
        if not _chained(status):
            return self._why_not(seal, status), []
        if not _lives(signer, at):
            return Trust.EXPIRED if at > signer.not_valid_after else Trust.NOT_YET_VALID, []
        claimed = status.signer_reported_dt
        if claimed is not None and not _believable(claimed, signer, at):
            return Trust.CLAIMED_TIME, []
        for stamp in (status.timestamp_validity, status.content_timestamp_validity):
            if stamp is not None and not (stamp.intact and stamp.valid and stamp.trusted):
                return Trust.TIME_STAMP, []
        anchors = [
            root.sha256 for root in self._roots.living(Purpose.SIGNING) if self._ends_in(seal, status, usage, root)
        ]
        return (Trust.PINNED, anchors) if anchors else (Trust.UNPROVEN, [])

    def _why_not(self, seal: EmbeddedPdfSignature, status: PdfSignatureStatus) -> Trust:
        why = _why(status.trust_problem_indic, seal.signer_cert)
        lapsed = [root for root in self._roots.every if not _lives(root.certificate, self._roots.at)]
        if why in (Trust.UNKNOWN_ROOT, Trust.SELF_SIGNED) and any(_near(seal, root) for root in lapsed):
            return Trust.EXPIRED
        if why is Trust.UNPROVEN and not any(_issued(seal, root) for root in self._roots.every):
            # An authority that only has the name of a pinned one.
            return Trust.UNKNOWN_ROOT
        if why is Trust.UNPROVEN and not _lives(seal.signer_cert, self._roots.at):
            early = self._roots.at < seal.signer_cert.not_valid_before
            return Trust.NOT_YET_VALID if early else Trust.EXPIRED
        return why

    def _ends_in(
        self, seal: EmbeddedPdfSignature, status: PdfSignatureStatus, usage: KeyUsageConstraints, root: _Root
    ) -> bool:
        if not _near(seal, root):
            return False
        alone: StandardCMSSignatureStatus = asyncio.run(
            async_validate_cms_signature(
                seal.signed_data,
                status_cls=StandardCMSSignatureStatus,
                raw_digest=seal.compute_digest(),
                validation_context=self._roots.context([root]),
                key_usage_settings=usage,
            )
        )
        return _chained(alone)

    # --- coverage and what came later ---------------------------------------------------------------------------------

    def _coverage(self, seal: EmbeddedPdfSignature, level: SignatureCoverageLevel | None) -> Coverage:
        """pyHanko compares lengths; here the gap must also be the very text of this signature, and nothing else."""
        numbers = [int(number) for number in seal.byte_range]
        if level is None or len(numbers) != 4 or numbers[0] != 0:
            return Coverage.PART
        _zero, gap, rest, length = numbers
        text = self._data[gap:rest]
        if not _HEX.fullmatch(text) or bytes.fromhex(text[1:-1].decode("ascii")) != seal.pkcs7_content:
            return Coverage.PART
        if rest + length == len(self._data) and level == SignatureCoverageLevel.ENTIRE_FILE:
            return Coverage.FILE
        return Coverage.REVISION if level == SignatureCoverageLevel.ENTIRE_REVISION else Coverage.PART

    def _later(
        self, seal: EmbeddedPdfSignature, status: PdfSignatureStatus | DocumentTimestampStatus, coverage: Coverage
    ) -> Later:
        """What was added after this signature. Allowed is only what no page shows: data about validity, time stamps,
        and signatures without a picture. A field that was filled in, or a seal that was laid over the text, is not.

        pyHanko compares the objects that the tables name; the pages are drawn by another program, which is asked too.
        """
        if coverage is Coverage.FILE:
            return Later.NOTHING
        later = self._later_objects(seal, status, coverage)
        return Later.CHANGED if later.holds and not self._shown.same_since(_end_of(seal)) else later

    def _later_objects(
        self, seal: EmbeddedPdfSignature, status: PdfSignatureStatus | DocumentTimestampStatus, coverage: Coverage
    ) -> Later:
        diff = status.diff_result
        if coverage is not Coverage.REVISION or not isinstance(diff, DiffResult) or status.docmdp_ok is False:
            return Later.CHANGED
        if diff.modification_level == ModificationLevel.NONE:
            return Later.CHANGED if self._bytes_after(seal) else Later.NOTHING
        if diff.modification_level not in (ModificationLevel.LTA_UPDATES, ModificationLevel.FORM_FILLING):
            return Later.CHANGED
        now = dict(_signature_fields(self._reader))
        before = dict(_signature_fields(self._reader.get_historical_resolver(seal.signed_revision)))
        if any(state.shown for name, state in now.items() if before.get(name) != state):
            return Later.SEEN_SIGNATURE
        if diff.changed_form_fields - now.keys():
            return Later.FORM
        return Later.ARCHIVE if diff.modification_level == ModificationLevel.LTA_UPDATES else Later.SIGNATURES

    def _bytes_after(self, seal: EmbeddedPdfSignature) -> bytes:
        return self._data[_end_of(seal) :].translate(None, _SPACE)


@dataclass(frozen=True)
class _Field:
    """A signature field in one state of the file."""

    filled: bool
    shown: bool


def _signature_fields(handler: Any) -> Iterator[tuple[str, _Field]]:
    for name, value, reference in enumerate_sig_fields(handler):
        field = reference.get_object()
        widgets = [field, *(kid.get_object() for kid in field.get("/Kids", ()))]
        yield str(name), _Field(bool(value), any(_has_area(widget.get("/Rect")) for widget in widgets))


def _has_area(box: Any) -> bool:
    """Whether a widget takes room on its page. A box that is no box counts as one."""
    if box is None:
        return False
    left, bottom, right, top = (float(side) for side in box)
    return left != right and bottom != top


def _end_of(seal: EmbeddedPdfSignature) -> int:
    """Where the last bytes that it covers end."""
    return int(seal.byte_range[2]) + int(seal.byte_range[3])


def _near(seal: EmbeddedPdfSignature, root: _Root) -> bool:
    """Whether the chain could end in this root: only then it is worth a full look."""
    certificate = root.certificate
    chain = [seal.signer_cert, *seal.other_embedded_certs]
    return any(one.issuer == certificate.subject or one.sha256 == certificate.sha256 for one in chain)


def _issued(seal: EmbeddedPdfSignature, root: _Root) -> bool:
    """Whether this root's key signed one of the certificates that came with the signature."""
    issuer = load_der_x509_certificate(root.certificate.dump())
    for one in (seal.signer_cert, *seal.other_embedded_certs):
        with suppress(ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
            load_der_x509_certificate(one.dump()).verify_directly_issued_by(issuer)
            return True
    return False


def _chained(status: PdfSignatureStatus | StandardCMSSignatureStatus) -> bool:
    """Whether the chain is right, also for a signature over bytes that were changed: that is another fact."""
    return status.trust_problem_indic is None and status.validation_path is not None


def _usage_of(signer: x509.Certificate) -> KeyUsageConstraints:
    purposes = signer.extended_key_usage_value
    unbound = purposes is None or "any_extended_key_usage" in purposes.native
    return KeyUsageConstraints(
        key_usage=frozenset() if signer.key_usage_value is None else _USAGES,
        extd_key_usage=None if unbound else _PURPOSES,
    )


def _believable(claimed: datetime, signer: x509.Certificate, at: datetime) -> bool:
    """A signer's own word about the time: not after we had the file, and within the life of the certificate."""
    if claimed.tzinfo is None:
        return False
    slack = timedelta(hours=bounds.CLAIMED_TIME_SLACK_HOURS)
    return bool(signer.not_valid_before - slack <= claimed <= min(signer.not_valid_after, at + slack))


def _why(problem: AdESSubIndic | None, signer: x509.Certificate) -> Trust:
    if problem is None:
        return Trust.UNPROVEN
    why = _WHY.get(problem, Trust.UNPROVEN)
    # A certificate that nobody else vouches for is refused as a chain of its own, by one rule or another.
    alone = signer.self_signed in ("yes", "maybe") and why in (Trust.UNKNOWN_ROOT, Trust.PURPOSE)
    return Trust.SELF_SIGNED if alone else why


def _name_of(certificate: x509.Certificate) -> str:
    """Who the certificate says that the signer is: common name and organisation, else all that is there."""
    subject = certificate.subject.native
    names = [subject.get("common_name"), subject.get("organization_name")]
    told = " · ".join(dict.fromkeys(name for name in names if isinstance(name, str) and name))
    return (told or str(certificate.subject.human_friendly))[: bounds.MAX_NAME_CHARACTERS]
