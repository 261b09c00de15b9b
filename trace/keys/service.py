"""Add, rotate, revoke and look up signing keys."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from ...signing.ed25519 import Ed25519Public
from ...signing.item import ALPHABET
from ...signing.keys import Role
from .. import log
from ..errors import Problem, Unavailable, conflict, invalid, not_found, say
from ..intake import Intake
from ..log import Act, Actor
from .models import Home, SigningKey
from .ring import KeyRing

WANTED: Final = ((Role.ITEM, True), (Role.ITEM, False), (Role.CREDENTIAL, True), (Role.LOG, True), (Role.STATUS, True))
"""What a store needs: role, and whether it is a key pair or the secret behind the tags."""

ROLES: Final = (Role.ITEM, Role.CREDENTIAL, Role.LOG, Role.STATUS)
"""Roles whose keys are made and rotated here; the root is made elsewhere and kept off-line."""


@dataclass(frozen=True)
class Place:
    """Where new key pairs of a role go. `token_key` is the id of a key that is on the token already; None: make one."""

    home: Home = Home.FILE
    token_key: int | None = None


def read_role(text: str) -> Role:
    """One of `ROLES` by its word. Raises `Invalid`."""
    if text not in ROLES:
        raise invalid("role", "choice.unknown", say("Choose one of: %(words)s.", words=", ".join(ROLES)))
    return Role(text)


# --- acting -----------------------------------------------------------------------------------------------------------


def missing(session: Session) -> list[tuple[Role, bool]]:
    """What of `WANTED` has no current key."""
    return [(role, pair) for role, pair in WANTED if _current(session, role, pair=pair) is None]


def add_missing(session: Session, ring: KeyRing, *, by: Actor, at: datetime) -> list[SigningKey]:
    """Make what a store lacks. Raises `Unavailable` when the key folder or token cannot take a key."""
    return _fill(session, ring, {}, by=by, at=at)


def rotate(
    session: Session,
    ring: KeyRing,
    role: Role,
    *,
    by: Actor,
    at: datetime,
    place: Place | None = None,
    reason: str = "",
) -> list[SigningKey]:
    """Retire the current keys of a role and make new ones, where the old one lives unless a `place` is given. What the
    retired keys signed stays valid. Raises also `Invalid` for a role or a place that has no such keys."""
    read_role(role)
    _refuse_place(role, place)
    text = _reason(reason, required=False)
    current = session.scalars(_to_change(SigningKey.role == role, SigningKey.retired_at.is_(None))).all()
    place = place or _place_of(current)
    for key in current:
        key.retired_at, key.reason = at, text
        log.record(session, Act.KEY_RETIRE, by=by, at=at, subject=f"key:{key.kid}", role=role, kid=key.kid, reason=text)
    session.flush()
    return _fill(session, ring, {role: place}, by=by, at=at)


def revoke(
    session: Session,
    key: SigningKey,
    reason: str,
    ring: KeyRing,
    *,
    by: Actor,
    at: datetime,
    place: Place | None = None,
) -> list[SigningKey]:
    """Nothing that this key signed at `at` or later counts; what it signed before stays. A current key is replaced at
    once, where it lives unless a `place` is given; says by which keys. `key` comes from `to_revoke`, and `at` is taken
    after that: nothing can then be signed in between. Raises `Invalid` without a reason, `Conflict` the second time,
    `Unavailable` when a new key cannot be made."""
    text = _reason(reason, required=True)
    role = Role(key.role)
    _refuse_place(role, place)
    if key.revoked_at is not None:
        raise conflict("key.revoked", say("This key is revoked already."))
    place = place or _place_of([key])
    key.revoked_at, key.revoked_reason = at, text
    key.retired_at = key.retired_at or at
    log.record(session, Act.KEY_REVOKE, by=by, at=at, subject=f"key:{key.kid}", role=role, kid=key.kid, reason=text)
    session.flush()
    return [] if role is Role.ROOT else _fill(session, ring, {role: place}, by=by, at=at)


def add_root(session: Session, public: Ed25519Public, *, by: Actor, at: datetime) -> SigningKey:
    """Write down the public half of the off-line root; another root than before retires that one. Raises `Conflict`
    for a root that was retired or revoked."""
    found = session.scalar(select(SigningKey).where(SigningKey.kid == public.kid))
    if found is not None:
        if found.retired_at is not None or found.role != Role.ROOT:
            raise conflict("root.retired", say("This root is no longer in use. Endorse with the present one."))
        return found
    for key in session.scalars(_to_change(SigningKey.role == Role.ROOT, SigningKey.retired_at.is_(None))):
        key.retired_at = at
        log.record(
            session, Act.KEY_RETIRE, by=by, at=at, subject=f"key:{key.kid}", role=key.role, kid=key.kid, reason=None
        )
    row = SigningKey(kid=public.kid, role=Role.ROOT, public_jwk=dict(public.to_jwk()), home=Home.OFFLINE, added_at=at)
    return _added(session, row, by=by, at=at)


def _reason(text: str, *, required: bool) -> str | None:
    intake = Intake({"reason": text})
    found = intake.text("reason", most=500, required=required, lines=True)
    intake.done()
    return found or None


def _refuse_place(role: Role, place: Place | None) -> None:
    if place is None:
        return
    if place.home is Home.OFFLINE or (
        place.home is Home.PKCS11 and role not in (Role.ITEM, Role.CREDENTIAL, Role.STATUS)
    ):
        raise invalid(
            "home", "key.home", say("Only key pairs of the roles item, credential and status can live on a token.")
        )


def _place_of(keys: Sequence[SigningKey]) -> Place:
    """Where keys of this kind live now."""
    return Place(next((Home(key.home) for key in keys if key.public_jwk is not None), Home.FILE))


def _fill(session: Session, ring: KeyRing, places: dict[Role, Place], *, by: Actor, at: datetime) -> list[SigningKey]:
    return [
        _added(session, _made(session, ring, role, places.get(role, Place()), pair=pair, at=at), by=by, at=at)
        for role, pair in missing(session)
    ]


def _made(session: Session, ring: KeyRing, role: Role, place: Place, *, pair: bool, at: datetime) -> SigningKey:
    if not pair:
        return SigningKey(kid=ring.new_secret().kid, role=role, added_at=at, home=Home.FILE)
    letter = _free_letter(session) if role is Role.ITEM else None
    uri = None
    if place.home is Home.PKCS11:
        on_token = ring.new_on_token(role) if place.token_key is None else ring.adopted(place.token_key)
        _refuse_known(session, on_token.kid)
        public, uri = on_token.public.to_jwk(), on_token.uri
    elif role is Role.LOG:
        public = ring.new_log_key().public.to_jwk()
    else:
        public = ring.new_pair().public.to_jwk()
    return SigningKey(
        kid=public["kid"],
        role=role,
        letter=letter,
        public_jwk=dict(public),
        home=place.home,
        token_uri=uri,
        added_at=at,
    )


def _refuse_known(session: Session, kid: str) -> None:
    """A key has one role and one life."""
    if session.scalar(select(SigningKey.id).where(SigningKey.kid == kid)) is not None:
        raise conflict(
            "key.known", say("This key of the token is in the key history already. Take another one."), "token_key"
        )


def _added(session: Session, key: SigningKey, *, by: Actor, at: datetime) -> SigningKey:
    session.add(key)
    session.flush()
    log.record(
        session,
        Act.KEY_ADD,
        by=by,
        at=at,
        subject=f"key:{key.kid}",
        role=key.role,
        kid=key.kid,
        alg=key.algorithm,
        jwk=key.public_jwk,
        letter=key.letter,
        home=key.home,
    )
    return key


def _free_letter(session: Session) -> str:
    taken = set(session.scalars(select(SigningKey.letter).where(SigningKey.letter.is_not(None))))
    for letter in ALPHABET:
        if letter not in taken:
            return letter
    raise conflict(
        "key.letters-used-up",
        say(
            "All %(count)d key letters of tier B codes are in use. Start a second host for new codes.",
            count=len(ALPHABET),
        ),
    )


# --- looking ----------------------------------------------------------------------------------------------------------


def _current(session: Session, role: Role, *, pair: bool, held: bool = False) -> SigningKey | None:
    has_public = SigningKey.public_jwk.is_not(None) if pair else SigningKey.public_jwk.is_(None)
    query = select(SigningKey).where(SigningKey.role == role, SigningKey.retired_at.is_(None), has_public)
    query = query.order_by(SigningKey.id.desc()).limit(1)
    return session.scalars(_held(query) if held else query).first()


def _held(query: Select[SigningKey]) -> Select[SigningKey]:
    """The rows as they are now, and as they stay until this transaction ends: who wants to retire or revoke them waits
    for it (FOR SHARE in PostgreSQL; SQLite has one writer anyway)."""
    return query.with_for_update(read=True).execution_options(populate_existing=True)


def _to_change(*conditions: Any) -> Select[SigningKey]:
    query = select(SigningKey).where(*conditions).order_by(SigningKey.id).with_for_update()
    return query.execution_options(populate_existing=True)


def current_pair(session: Session, role: Role) -> SigningKey:
    """The key pair that signs now. Raises `Unavailable` when there is none."""
    return _there(_current(session, role, pair=True))


def current_secret(session: Session) -> SigningKey:
    """The tag secret of new codes. Raises `Unavailable` when there is none."""
    return _there(_current(session, Role.ITEM, pair=False))


def pair_to_sign(session: Session, role: Role) -> SigningKey:
    """The same key pair for whoever signs and stores in this transaction: it can be neither retired nor revoked
    before that is committed."""
    # When a rotation was waited for, the row found at first fits no longer; the second look finds the new one.
    return _there(_current(session, role, pair=True, held=True) or _current(session, role, pair=True, held=True))


def secret_to_tag(session: Session) -> SigningKey:
    """The same for the tag secret."""
    role = Role.ITEM
    return _there(_current(session, role, pair=False, held=True) or _current(session, role, pair=False, held=True))


def held(session: Session, kids: Collection[str]) -> dict[str, SigningKey]:
    """These keys by key id, held in the same way. Raises `Unavailable` when one is not in the history."""
    found = {
        key.kid: key
        for key in session.scalars(_held(select(SigningKey).where(SigningKey.kid.in_(kids)).order_by(SigningKey.id)))
    }
    return {kid: _there(found.get(kid)) for kid in kids}


def _there(key: SigningKey | None) -> SigningKey:
    if key is None:
        raise Unavailable(
            Problem(None, "key.none", say("There is no signing key yet. Run «lotseal init» in this data folder."))
        )
    return key


def get(session: Session, name: str) -> SigningKey:
    """By key id or reference. Raises `NotFound`."""
    return _known(session.scalar(select(SigningKey).where(or_(SigningKey.kid == name, SigningKey.ref == name))))


def to_revoke(session: Session, name: str) -> SigningKey:
    """The same for whoever revokes it: waits until everything that signs with it just now is stored."""
    return _known(session.scalar(_to_change(or_(SigningKey.kid == name, SigningKey.ref == name))))


def _known(key: SigningKey | None) -> SigningKey:
    if key is None:
        raise not_found("key.unknown", say("There is no such key. «lotseal key list» shows all of them."))
    return key


def all_of(session: Session, role: Role | None = None) -> Sequence[SigningKey]:
    """The key history, oldest first."""
    query = select(SigningKey).order_by(SigningKey.id)
    return session.scalars(query if role is None else query.where(SigningKey.role == role)).all()


def history(session: Session) -> list[dict[str, Any]]:
    """The key history for publication, oldest first, as plain JSON values: `kid`, `role`, `alg`, `jwk` (null for the
    secret behind the tags, whose `kid` is a commitment), `letter`, `added_at`, `retired_at`, `revoked_at` (ISO 8601 in
    UTC to the microsecond, or null) and `reason`, that of the revocation before that of the retirement, or null."""
    return [
        {
            "kid": key.kid,
            "role": key.role,
            "alg": key.algorithm,
            "jwk": key.public_jwk,
            "letter": key.letter,
            "added_at": _moment(key.added_at),
            "retired_at": _moment(key.retired_at),
            "revoked_at": _moment(key.revoked_at),
            "reason": key.revoked_reason or key.reason,
        }
        for key in all_of(session)
    ]


def _moment(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat(timespec="microseconds")
