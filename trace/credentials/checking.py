"""Check a credential against this service's own key history, record and status lists. Others need only the key: see
`directory`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...signing import jws
from ...signing.canonical import sha256_hex
from ...signing.errors import BadSignature, Malformed, UnknownKey
from ...signing.keys import PublicKey, Role
from ...signing.status_list import decode, get
from ..keys.models import SigningKey
from .contexts import W3C
from .issuer import read_stamp
from .models import Credential, StatusList
from .service import TYP

_LIST_TYPE = "BitstringStatusListCredential"
_MOST_DIGITS = 9
"""Of the number of a list, and of a place in it."""


@dataclass(frozen=True)
class Checked:
    """A credential whose signature fits. `row` is what is on record of it; None for a status list, and for a credential
    that is not on record here, which nobody should rely on."""

    payload: Mapping[str, Any]
    sha256: str
    kid: str
    is_list: bool
    row: Credential | None
    revoked: bool
    """Its bit in the published list, or that it is not the list that is published now."""
    expired: bool


def check(session: Session, text: str, *, at: datetime) -> Checked:
    """Bounds, structure, key and its time, signature, status, in this order. Raises a `SigningError` of `signing` that
    names the rule; what `Checked` says of status and record is for the caller to judge."""
    header = jws.read_header(text)
    key = session.scalar(
        select(SigningKey).where(SigningKey.kid == header.thumbprint, SigningKey.public_jwk.is_not(None))
    )
    if key is None:
        raise UnknownKey("credential.unknown-key", "the key that this credential names is not in the key history")
    payload = jws.verify(PublicKey.from_jwk(key.public_jwk or {}), text, typ=TYP)
    is_list = _check_members(payload, header.kid)
    if key.role != (Role.STATUS if is_list else Role.CREDENTIAL):
        raise BadSignature("credential.key-role", "a key of another role signed this")
    _check_time(payload, key)
    digest = sha256_hex(text.encode("ascii"))
    if is_list:
        published = session.scalar(select(StatusList.id).where(StatusList.sha256 == digest))
        return Checked(payload, digest, key.kid, True, None, published is None, _is_over(payload, at))
    row = session.scalar(select(Credential).where(Credential.sha256 == digest))
    return Checked(payload, digest, key.kid, False, row, is_set(session, payload), _is_over(payload, at))


def is_set(session: Session, payload: Mapping[str, Any]) -> bool:
    """The bit of a credential, read from the list as it is published. Raises Malformed for a list that is not ours."""
    match payload.get("credentialStatus"):
        case {"type": "BitstringStatusListEntry", "statusListCredential": str(where), "statusListIndex": str(place)}:
            number = _count(where.rpartition("/")[2])
        case _:
            raise Malformed("credential.status", "the credential names no place in a status list")
    found = session.scalar(select(StatusList).where(StatusList.number == number))
    if found is None:
        raise Malformed("credential.status", "the credential names a status list that is not ours")
    return get(list_bits(session, found, where), _count(place))


def _count(text: str) -> int:
    """A number in the one spelling of it. Raises Malformed."""
    if not (len(text) <= _MOST_DIGITS and text.isascii() and text.isdecimal()) or str(int(text)) != text:
        raise Malformed("credential.status", "not a number in plain decimal digits")
    return int(text)


def list_bits(session: Session, status_list: StatusList, address: str) -> bytes:
    """The bits of the list that is published at `address`, out of its signed text. Raises a `SigningError` when that
    does not verify or is another list."""
    where, bits = signed_list(session, status_list)
    if where != address:
        raise Malformed("credential.status", "another list lies where this status list should be")
    return bits


def signed_list(session: Session, status_list: StatusList) -> tuple[str, bytes]:
    """Address and bits out of the signed text of a list. Raises a `SigningError` when that does not verify."""
    kid = jws.read_header(status_list.jwt).thumbprint
    key = session.scalar(select(SigningKey).where(SigningKey.kid == kid, SigningKey.role == Role.STATUS))
    if key is None:
        raise UnknownKey("credential.unknown-key", "the key that this status list names is not in the key history")
    payload: Mapping[str, Any] = jws.verify(PublicKey.from_jwk(key.public_jwk or {}), status_list.jwt, typ=TYP)
    match payload:
        case {"id": str(address), "credentialSubject": {"encodedList": encoded}}:
            return address, decode(encoded)
    raise Malformed("credential.status", "this is no status list")


def _check_members(payload: Mapping[str, Any], kid: str) -> bool:
    """The required members (VC Data Model 2.0 section 4), and an issuer who owns the key. Says whether it is a list."""
    contexts, kinds, issuer = (payload.get(name) for name in ("@context", "type", "issuer"))
    if not isinstance(contexts, list) or contexts[:1] != [W3C]:
        raise Malformed("credential.context", "the first context is not that of VC 2.0")
    if not isinstance(kinds, list) or "VerifiableCredential" not in kinds:
        raise Malformed("credential.type", "the type is not that of a credential")
    if not isinstance(issuer, dict) or issuer.get("id") != kid.partition("#")[0]:
        raise Malformed("credential.issuer", "the issuer is not the one to whom the key belongs")
    if not isinstance(payload.get("credentialSubject"), dict):
        raise Malformed("credential.subject", "the credential has no subject")
    return _LIST_TYPE in kinds


def _check_time(payload: Mapping[str, Any], key: SigningKey) -> None:
    signed_at = payload.get("iat")
    if not isinstance(signed_at, int) or isinstance(signed_at, bool):
        raise Malformed("credential.iat", "the credential does not say when it was signed")
    last = min((moment for moment in (key.retired_at, key.revoked_at) if moment), default=None)
    if signed_at < int(key.added_at.timestamp()) or (last is not None and signed_at > last.timestamp()):
        raise BadSignature("credential.key-time", "the key was not in use when this says that it was signed")


def _is_over(payload: Mapping[str, Any], at: datetime) -> bool:
    until = payload.get("validUntil")
    return until is not None and read_stamp(until) < at
