"""Compact JWS with ES256 (RFC 7515 section 7.1, RFC 7518 section 3.4): three base64url parts joined by dots.

    eyJhbGciOiJFUzI1NiIsImtpZCI6Ij…InR5cCI6InZjK2p3dCJ9 . eyJAY29udGV4dCI6…fQ . 86 characters

Header and payload are canonical JSON (RFC 8785), the header has exactly the members alg, kid and typ, and the signature
is 64 bytes with the lower s. So a content signed by one key has one accepted spelling, and the hash of the text names
it. Any JOSE library reads these; this module reads no others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from .canonical import canonical_json, parse_canonical
from .encoding import b64url, unb64url
from .errors import Malformed, UnknownKey
from .keys import SIGNATURE_SIZE, PublicKey, Signer

MAX_CHARACTERS: Final = 1_000_000
"""Above 700,000 bytes of payload: far more than a report with its 200 results."""
MAX_HEADER: Final = 600
_ALGORITHM: Final = "ES256"


@dataclass(frozen=True)
class Header:
    """The protected header. `kid` is the key's thumbprint (RFC 7638), or a DID URL whose fragment it is."""

    kid: str
    typ: str

    @property
    def thumbprint(self) -> str:
        return self.kid.rpartition("#")[2]

    def encoded(self) -> str:
        return b64url(canonical_json({"alg": _ALGORITHM, "kid": self.kid, "typ": self.typ}))


def sign(signer: Signer, payload: Mapping[str, object], *, kid: str, typ: str) -> str:
    """The compact JWS of a JSON object. Raises Malformed when `kid` does not name the signer's key, or when the payload
    has no canonical form that reads back to itself or is too long."""
    header = Header(kid, typ)
    if header.thumbprint != signer.kid:
        raise Malformed("jws.kid", "the key id of the header does not name the key that signs")
    data = canonical_json(dict(payload))
    # What could never be verified must not be signed.
    parse_canonical(data)
    signing_input = f"{header.encoded()}.{b64url(data)}"
    text = f"{signing_input}.{b64url(signer.sign_jws(signing_input.encode('ascii')))}"
    _parts(text)
    return text


def read_header(text: str) -> Header:
    """What the text says of its key and kind. Nothing is verified yet. Raises Malformed."""
    return _header(_parts(text)[0])


def verify(public: PublicKey, text: str, *, typ: str) -> dict[str, object]:
    """The payload of a JWS that this key signed as this kind.

    Raises Malformed for another form, UnknownKey when the header names another key, BadSignature when the signature
    does not fit.
    """
    head, body, tail = _parts(text)
    header = _header(head)
    if header.typ != typ:
        raise Malformed("jws.typ", f"the header says another kind than {typ}")
    if header.thumbprint != public.kid:
        raise UnknownKey("jws.kid", "the header names another key")
    signature = unb64url(tail, SIGNATURE_SIZE, "jws.signature")
    payload = parse_canonical(_bytes(body, "jws.payload"))
    if not isinstance(payload, dict):
        raise Malformed("jws.payload", "the payload is no JSON object")
    public.verify_jws(f"{head}.{body}".encode("ascii"), signature)
    return payload


def _parts(text: str) -> tuple[str, str, str]:
    if len(text) > MAX_CHARACTERS:
        raise Malformed("jws.size", f"a JWS has at most {MAX_CHARACTERS} characters here", limit=MAX_CHARACTERS)
    parts = text.split(".")
    if len(parts) != 3 or not all(parts) or not text.isascii():
        raise Malformed("jws.parts", "a compact JWS has three base64url parts joined by dots")
    return parts[0], parts[1], parts[2]


def _header(part: str) -> Header:
    if len(part) > MAX_HEADER:
        raise Malformed("jws.header", f"a header has at most {MAX_HEADER} characters here", limit=MAX_HEADER)
    found = parse_canonical(_bytes(part, "jws.header"))
    match found:
        case {"alg": "ES256", "kid": str(kid), "typ": str(typ), **rest} if not rest and kid and typ:
            return Header(kid, typ)
    raise Malformed("jws.header", "a header has exactly the members alg (ES256), kid and typ here")


def _bytes(part: str, rule: Literal["jws.header", "jws.payload"]) -> bytes:
    return unb64url(part, len(part) * 3 // 4, rule)
