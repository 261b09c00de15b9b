"""The JSON-LD contexts of our credentials: what each of their words means.

The context of W3C is named by its address and is never fetched here. Our own is small and served by ourselves; most of
its words are those of UNTP and schema.org. Each credential carries the hashes of both (`relatedResource`, VC Data Model
2.0 section 5.3), so that nobody can change the meaning of its words afterwards.
"""

from __future__ import annotations

import json
from hashlib import sha256
from types import MappingProxyType
from typing import Final

from ...signing.encoding import b64url

W3C: Final = "https://www.w3.org/ns/credentials/v2"
PINNED: Final = MappingProxyType({W3C: "59955ced6697d61e03f2b2556febe5308ab16842846f5b586d7f1f7adec92734"})
"""SHA-256 of contexts of others, as they publish them (VC Data Model 2.0 appendix B.1)."""
PATH: Final = "/contexts/records/v1"

_CORE: Final = "https://test.uncefact.org/vocabulary/untp/core/0/"
_DPP: Final = "https://test.uncefact.org/vocabulary/untp/dpp/0/"
_DCC: Final = "https://test.uncefact.org/vocabulary/untp/dcc/0/"
_SCHEMA: Final = "https://schema.org/"

_FROM_OTHERS: Final = MappingProxyType(
    {
        _DPP: ("DigitalProductPassport", "ProductPassport", "granularityLevel", "conformityClaim", "product"),
        _DCC: (
            "DigitalConformityCredential", "ConformityAttestation", "ConformityAssessment", "assessorLevel",
            "assessmentLevel", "attestationType", "issuedToParty", "conformityCertificate", "assessment",
            "assessedProduct",
        ),
        _CORE: (
            "Attestation", "Claim", "CredentialIssuer", "Declaration", "Facility", "IdentifierScheme", "Measure",
            "Party", "Product", "SecureLink", "assessmentDate", "batchNumber", "conformance", "conformityEvidence",
            "conformityTopic", "countryOfProduction", "hashDigest", "hashMethod", "idScheme", "linkName", "linkType",
            "linkURL", "producedAtFacility", "producedByParty", "productionDate", "registeredId",
            "registrationCountry", "unit", "value",
        ),
        _SCHEMA: ("alternateName", "latitude", "longitude"),
    }
)  # fmt: skip
OWN: Final = (
    "Origin", "ReleaseRecord", "TestResult", "acceptedAt", "accreditation", "conclusion", "expiryDate", "gdti",
    "issueDate", "laboratory", "limit", "madeFrom", "method", "origin", "outcome", "parameter", "place", "quantity",
    "region", "releaseRecord", "releasedAt", "reportNumber", "result", "sample", "sequence", "supplier",
    "supplierBatchNumber", "testResult",
)  # fmt: skip
"""Words of our own. They say what the words of the others cannot: a limit, a result and its outcome as a report states
them, and the record that was frozen at release."""


def address(base: str) -> str:
    return base + PATH


def document(base: str) -> bytes:
    """Our context of the service at `base`, byte for byte as it is served."""
    own = address(base)
    words = {word: prefix + word for prefix, some in _FROM_OTHERS.items() for word in some}
    words |= {word: f"{own}#{word}" for word in OWN}
    context = {"@context": {"@version": 1.1, "@protected": True, **dict(sorted(words.items()))}}
    return (json.dumps(context, indent=1) + "\n").encode("ascii")


def hashes(base: str) -> dict[str, bytes]:
    """Address and SHA-256 of each context that a credential names, in the order in which it names them."""
    return {W3C: bytes.fromhex(PINNED[W3C]), address(base): sha256(document(base)).digest()}


def related(base: str) -> list[dict[str, object]]:
    """The same as a credential carries it: multihash of SHA-256 in multibase."""
    return [
        {"id": name, "mediaType": "application/ld+json", "digestMultibase": _multibase(digest)}
        for name, digest in hashes(base).items()
    ]


def _multibase(digest: bytes) -> str:
    return "u" + b64url(b"\x12\x20" + digest)
