"""What a credential says, as plain JSON: VC Data Model 2.0, shaped after UNTP's Digital Product Passport and Digital
Conformity Credential. Numbers are text, so that no reader rounds them. Facts that are not there are left out.

The passport repeats the signed release snapshot and nothing else, so a later correction does not change it. Names of
people are in none of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ...signing.status_list import encode
from ..certificates.models import Certificate, Conclusion, ResultLine
from ..certificates.service import LINE_FIELDS
from ..codes.content import check_contents
from ..errors import Invalid
from ..releases.models import Release
from . import contexts
from .issuer import Issuer, stamp

Facts = dict[str, Any]

PROVES = (
    "This credential proves the record of the issuer, not the physical item: a printed code can be copied onto another "
    "one."
)
REPORT_PROVES = (
    "The issuer accepted this report and repeats what it says. The report speaks only for the sample that was tested; "
    "the issuer did not repeat the tests."
)
_GTIN_SCHEME = {
    "type": ["IdentifierScheme"],
    "id": "https://id.gs1.org/01/",
    "name": "Global Trade Item Number (GTIN)",
}
_TOPIC = "governance.compliance"
"""Of UNTP's fixed list the nearest one: keeping to the limits that a report names."""
_FILE_LINK = "https://ref.gs1.org/voc/certificationInfo"


@dataclass(frozen=True)
class Envelope:
    """What every credential says beside its subject. `status` is the number of its list and its place there."""

    issuer: Issuer
    ref: str
    status: tuple[int, int]
    signed_at: datetime


def passport(about: Envelope, release: Release, snapshot: Mapping[str, Any], reports: Mapping[str, str]) -> Facts:
    """The batch passport. `reports` gives the reference of each report on record by the SHA-256 of its file."""
    issuer, gtin, lot = about.issuer, snapshot["gtin"], snapshot["lot"]
    subject = {
        "type": ["ProductPassport"],
        "id": issuer.batch(gtin, lot),
        "granularityLevel": "batch",
        "product": _released_product(issuer, snapshot),
        "supplier": _party(snapshot["supplier"]),
        "supplierBatchNumber": snapshot["supplier_lot"],
        "origin": _said({"type": ["Origin"], **_some(snapshot["origin"], _ORIGIN)}),
        "expiryDate": snapshot["expires_on"],
        "quantity": snapshot["quantity"]
        and {"type": ["Measure"], "value": snapshot["quantity"], "unit": snapshot["unit"]},
        "madeFrom": snapshot["inputs"],
        "conformityClaim": [_claim(issuer, one, reports) for one in snapshot["certificates"]],
        "releaseRecord": {
            "type": ["ReleaseRecord", "SecureLink"],
            "hashDigest": release.sha256,
            "hashMethod": "SHA-256",
            "releasedAt": stamp(release.at),
        },
    }
    name = f"Batch passport {gtin} {lot}"
    return _credential(about, "DigitalProductPassport", name, PROVES, release.at, None, _said(subject))


def inspection(about: Envelope, report: Certificate) -> Facts:
    """The credential of an accepted report, under the numbers that its batch has at that moment."""
    issuer, product, lot = about.issuer, report.batch.product, report.batch.lot
    accepted_at = report.reviewed_at or about.signed_at
    subject = {
        "type": ["ConformityAttestation", "Attestation"],
        "id": issuer.report(report.ref),
        "name": f"Inspection report {report.number}",
        # What the report itself shows of the laboratory's standing is repeated below, not judged.
        "assessorLevel": "Unspecified",
        "assessmentLevel": "Unspecified",
        "attestationType": "testing",
        "issuedToParty": _party(
            {name: getattr(report.batch.supplier, name) for name in ("name_zh", "name_en", "country", "licence")}
        ),
        "reportNumber": report.number,
        "gdti": report.number if _is_gdti(report.number) else None,
        "laboratory": {"type": ["Party"], "name": report.laboratory, "accreditation": report.accreditation},
        "sample": report.sample,
        "method": report.method,
        "issueDate": report.issued_on.isoformat(),
        "expiryDate": report.expires_on and report.expires_on.isoformat(),
        "conclusion": report.conclusion,
        "acceptedAt": stamp(accepted_at),
        "conformityCertificate": _file(issuer, report.ref, report.number, report.file.sha256),
        "assessment": [
            {
                "type": ["ConformityAssessment", "Declaration"],
                "id": f"{issuer.report(report.ref)}#results",
                "conformityTopic": _TOPIC,
                "conformance": report.conclusion == Conclusion.PASS,
                "assessmentDate": report.issued_on.isoformat(),
                "assessedProduct": [_product(issuer, product.gtin, lot, product.name_zh, product.name_en)],
                "testResult": [_said({"type": ["TestResult"], **_result(line)}) for line in report.lines],
            }
        ],
    }
    until = issuer.end_of(report.expires_on) if report.expires_on else None
    name, text = f"Inspection report {report.number} on {product.gtin} {lot}", f"{PROVES} {REPORT_PROVES}"
    return _credential(about, "DigitalConformityCredential", name, text, accepted_at, until, _said(subject))


def status_list(issuer: Issuer, number: int, seq: int, bits: bytes, at: datetime) -> Facts:
    """The credential of a list (Bitstring Status List 1.0 section 2.2). `sequence` counts its publications."""
    address = issuer.status_list(number)
    return {
        "@context": [contexts.W3C, contexts.address(issuer.base)],
        "id": address,
        "type": ["VerifiableCredential", "BitstringStatusListCredential"],
        "issuer": _issuer(issuer),
        "iat": int(at.timestamp()),
        "validFrom": stamp(at),
        "relatedResource": contexts.related(issuer.base),
        "credentialSubject": {
            "id": f"{address}#list",
            "type": "BitstringStatusList",
            "statusPurpose": "revocation",
            "encodedList": encode(bits),
            "sequence": seq,
        },
    }


def _credential(
    about: Envelope,
    kind: str,
    name: str,
    description: str,
    since: datetime,
    until: datetime | None,
    subject: Facts,
) -> Facts:
    number, index = about.status
    where = about.issuer.status_list(number)
    return _said(
        {
            "@context": [contexts.W3C, contexts.address(about.issuer.base)],
            "id": about.issuer.credential(about.ref),
            "type": ["VerifiableCredential", kind],
            "issuer": _issuer(about.issuer),
            # The moment of the signature; what it is about may have begun earlier.
            "iat": int(about.signed_at.timestamp()),
            "validFrom": stamp(since),
            "validUntil": until and stamp(until),
            "name": name,
            "description": description,
            "credentialStatus": {
                "id": f"{where}#{index}",
                "type": "BitstringStatusListEntry",
                "statusPurpose": "revocation",
                "statusListIndex": str(index),
                "statusListCredential": where,
            },
            "relatedResource": contexts.related(about.issuer.base),
            "credentialSubject": subject,
        }
    )


def _issuer(issuer: Issuer) -> Facts:
    return {"id": issuer.did, "type": ["CredentialIssuer"], "name": issuer.host}


def _released_product(issuer: Issuer, snapshot: Mapping[str, Any]) -> Facts:
    product, origin = snapshot["product"], snapshot["origin"]
    return _said(
        {
            **_product(issuer, snapshot["gtin"], snapshot["lot"], product["name_zh"], product["name_en"]),
            "description": product["spec"],
            "producedByParty": origin["producer"] and {"type": ["Party"], "name": origin["producer"]},
            "producedAtFacility": origin["site"] and {"type": ["Facility"], "name": origin["site"]},
            "productionDate": snapshot["produced_on"],
            "countryOfProduction": origin["country"],
        }
    )


def _product(issuer: Issuer, gtin: str, lot: str, name_zh: str, name_en: str) -> Facts:
    return {
        "type": ["Product"],
        "id": issuer.batch(gtin, lot),
        "name": name_zh,
        "alternateName": name_en,
        "registeredId": gtin,
        "idScheme": _GTIN_SCHEME,
        "batchNumber": lot,
    }


_ORIGIN = ("place", "region", "country", "latitude", "longitude")


def _some(facts: Mapping[str, Any], names: Sequence[str]) -> Facts:
    """Some of these facts; a country is named as UNTP names that of a party."""
    return {"registrationCountry" if name == "country" else name: facts[name] for name in names}


def _party(facts: Mapping[str, Any]) -> Facts:
    return _said(
        {
            "type": ["Party"],
            "name": facts["name_zh"],
            "alternateName": facts["name_en"],
            "registeredId": facts["licence"],
            "registrationCountry": facts["country"],
        }
    )


def _claim(issuer: Issuer, report: Mapping[str, Any], refs: Mapping[str, str]) -> Facts:
    ref = refs.get(report["file_sha256"])
    where = issuer.report(ref) if ref else None
    return _said(
        {
            "type": ["Claim", "Declaration"],
            "id": where,
            "conformityTopic": _TOPIC,
            "conformance": report["conclusion"] == Conclusion.PASS,
            "assessmentDate": report["issued_on"],
            "expiryDate": report["expires_on"],
            "reportNumber": report["number"],
            "laboratory": {"type": ["Party"], "name": report["laboratory"], "accreditation": report["accreditation"]},
            "sample": report["sample"],
            "conformityEvidence": _file(issuer, ref, report["number"], report["file_sha256"]),
        }
    )


def _file(issuer: Issuer, ref: str | None, number: str, digest: str) -> Facts:
    return _said(
        {
            "type": ["SecureLink"],
            "linkURL": f"{issuer.report(ref)}/original" if ref else None,
            "linkName": f"Inspection report {number}",
            "linkType": _FILE_LINK,
            "hashDigest": digest,
            "hashMethod": "SHA-256",
        }
    )


def _result(line: ResultLine) -> Facts:
    return {name: getattr(line, name) for name in (*LINE_FIELDS, "outcome")}


def _is_gdti(number: str) -> bool:
    """Whether the number of a report is a Global Document Type Identifier (GS1 General Specifications, AI 253)."""
    try:
        check_contents([("253", number)])
    except Invalid:
        return False
    return True


def _said(facts: Facts) -> Facts:
    """Without what is not there."""
    return {name: value for name, value in facts.items() if value not in (None, "", [])}
