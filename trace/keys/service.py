"""Add, rotate and look up signing keys."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...signing.item import ALPHABET
from ...signing.keys import Role
from .. import log
from ..errors import Problem, Unavailable, conflict, say
from ..log import Act, Actor
from .models import SigningKey
from .ring import KeyRing


def add_missing(session: Session, ring: KeyRing, *, by: Actor, at: datetime) -> list[SigningKey]:
    """Make what a fresh store lacks: for items a key pair and a tag secret, for credentials a key pair."""
    made = []
    if _current(session, Role.ITEM, pair=True) is None:
        made.append(_add_pair(session, ring, Role.ITEM, by=by, at=at))
    if _current(session, Role.ITEM, pair=False) is None:
        made.append(_add_secret(session, ring, by=by, at=at))
    if _current(session, Role.CREDENTIAL, pair=True) is None:
        made.append(_add_pair(session, ring, Role.CREDENTIAL, by=by, at=at))
    return made


def rotate(session: Session, ring: KeyRing, role: Role, *, by: Actor, at: datetime) -> list[SigningKey]:
    """Retire the current keys of a role and make new ones. Codes of the retired keys stay valid."""
    for key in all_of(session, role):
        if key.retired_at is None:
            key.retired_at = at
            log.record(session, Act.KEY_RETIRE, by=by, at=at, subject=f"key:{key.kid}", role=role)
    session.flush()
    return add_missing(session, ring, by=by, at=at)


def _add_pair(session: Session, ring: KeyRing, role: Role, *, by: Actor, at: datetime) -> SigningKey:
    letter = _free_letter(session) if role is Role.ITEM else None
    pair = ring.new_pair()
    key = SigningKey(kid=pair.kid, role=role, letter=letter, public_jwk=dict(pair.public.to_jwk()), added_at=at)
    return _added(session, key, by=by, at=at)


def _add_secret(session: Session, ring: KeyRing, *, by: Actor, at: datetime) -> SigningKey:
    return _added(session, SigningKey(kid=ring.new_secret().kid, role=Role.ITEM, added_at=at), by=by, at=at)


def _added(session: Session, key: SigningKey, *, by: Actor, at: datetime) -> SigningKey:
    session.add(key)
    session.flush()
    log.record(session, Act.KEY_ADD, by=by, at=at, subject=f"key:{key.kid}", role=key.role, letter=key.letter)
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


def _current(session: Session, role: Role, *, pair: bool) -> SigningKey | None:
    has_public = SigningKey.public_jwk.is_not(None) if pair else SigningKey.public_jwk.is_(None)
    query = select(SigningKey).where(SigningKey.role == role, SigningKey.retired_at.is_(None), has_public)
    return session.scalars(query.order_by(SigningKey.id.desc()).limit(1)).first()


def current_pair(session: Session, role: Role) -> SigningKey:
    """The key pair that signs now. Raises `Unavailable` when there is none."""
    return _there(_current(session, role, pair=True))


def current_secret(session: Session) -> SigningKey:
    """The tag secret of new codes. Raises `Unavailable` when there is none."""
    return _there(_current(session, Role.ITEM, pair=False))


def _there(key: SigningKey | None) -> SigningKey:
    if key is None:
        raise Unavailable(
            Problem(None, "key.none", say("There is no signing key yet. Run «lotseal init» in this data folder."))
        )
    return key


def all_of(session: Session, role: Role | None = None) -> Sequence[SigningKey]:
    """The key history, oldest first."""
    query = select(SigningKey).order_by(SigningKey.id)
    return session.scalars(query if role is None else query.where(SigningKey.role == role)).all()
