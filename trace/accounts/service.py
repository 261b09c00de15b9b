"""Add accounts, sign in and out. Passwords are hashed with argon2id; sessions live on the server and can be revoked."""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError, VerifyMismatchError
from sqlalchemy import Select, func, select, update
from sqlalchemy.orm import Session

from .. import log
from ..db.engines import Database
from ..db.search import containing
from ..errors import Forbidden, Problem, conflict, invalid, not_found, say
from ..intake import Intake
from ..log import Act, Actor
from .models import Account, LoginSession, Role

IDLE = timedelta(hours=2)
LONGEST = timedelta(hours=12)
MIN_PASSWORD = 12

_hasher = PasswordHasher()
# One hash takes 64 MiB and 0.1 s on purpose; without a cap a flood of sign-ins would take all memory.
_hashing = threading.BoundedSemaphore(4)
_DUMMY = _hasher.hash("no account has this password")


@dataclass(frozen=True)
class Operator:
    """The command line: whoever may read the data folder acts as the operator."""

    ref: str = "operator"
    name: str = "operator (command line)"


OPERATOR = Operator()
SERVICE = Operator("service", "Lotseal (background work)")
"""Jobs, which nobody does in person."""


def hash_password(password: str) -> str:
    with _hashing:
        return _hasher.hash(password)


def random_password() -> str:
    """A password that a person can copy by hand: 16 characters without look-alikes, in groups (79 bits)."""
    alphabet = "abcdefghjkmnpqrstuvwxyz23456789"
    text = "".join(secrets.choice(alphabet) for _ in range(16))
    return "-".join(text[start : start + 4] for start in range(0, 16, 4))


@dataclass(frozen=True)
class AccountDraft:
    login: str
    name: str
    role: Role
    password: str
    supplier_ref: str | None


def read_account(raw: dict[str, str]) -> AccountDraft:
    """Raises `Invalid` naming every field that is wrong."""
    intake = Intake(raw)
    draft = AccountDraft(
        login=intake.login("login"),
        name=intake.text("name", most=100),
        role=intake.choice("role", Role, default=Role.SUPPLIER),
        password=intake.password("password", least=MIN_PASSWORD),
        supplier_ref=intake.reference("supplier", required=False),
    )
    intake.done()
    return draft


def add(session: Session, draft: AccountDraft, *, supplier_id: int | None, by: Actor, at: datetime) -> Account:
    """Raises `Conflict` when the login is taken, `Invalid` when a supplier account names no supplier."""
    if (draft.role is Role.SUPPLIER) != (supplier_id is not None):
        raise invalid(
            "supplier", "account.supplier", say("A supplier's account belongs to one supplier, any other to none.")
        )
    if session.scalar(select(Account.id).where(Account.login == draft.login)):
        raise conflict("account.login-taken", say("This login is taken. Choose another one."), field="login")
    account = Account(
        login=draft.login,
        name=draft.name,
        role=draft.role,
        password_hash=hash_password(draft.password),
        supplier_id=supplier_id,
        added_at=at,
        added_by=by.name,
    )
    session.add(account)
    session.flush()
    log.record(
        session, Act.ACCOUNT_ADD, by=by, at=at, subject=f"account:{account.ref}", role=draft.role, login=draft.login
    )
    return account


def check_password(database: Database, login: str, password: str, *, at: datetime) -> Account:
    """Who this is. Raises `Forbidden` with one sentence, whatever was wrong.

    Hashing is slow on purpose, so it runs outside of any write transaction: a flood of sign-ins holds nobody up.
    """
    with database.read() as session:
        account = session.scalar(select(Account).where(Account.login == login.strip().lower().replace("\0", "")[:120]))
    # The dummy makes an unknown login take as long as a wrong password.
    fits = _matches(account.password_hash if account else _DUMMY, password)
    if account is not None and fits and account.active:
        return account
    if account is not None:
        with database.write() as session:
            log.record(session, Act.ACCOUNT_SIGN_IN_REFUSED, by=account, at=at, subject=f"account:{account.ref}")
    raise Forbidden(
        Problem(None, "account.sign-in", say("Login or password is wrong. Check both; capital letters count."))
    )


def open_session(session: Session, account: Account, *, browser: str, at: datetime) -> tuple[str, LoginSession]:
    """A fresh session token and its row."""
    token = secrets.token_urlsafe(32)
    row = LoginSession(
        token_hash=_digest(token),
        account_id=account.id,
        started_at=at,
        seen_at=at,
        expires_at=at + LONGEST,
        browser=browser[:200],
    )
    session.add(row)
    session.flush()
    session.refresh(row, ["account"])
    log.record(session, Act.ACCOUNT_SIGN_IN, by=account, at=at, subject=f"account:{account.ref}")
    return token, row


def _matches(stored: str, password: str) -> bool:
    with _hashing:
        try:
            return _hasher.verify(stored, password[:1000])
        # A lone surrogate cannot be encoded, so it is in no password.
        except (VerifyMismatchError, VerificationError, UnicodeEncodeError):
            return False


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def alive(session: Session, token: str, *, at: datetime) -> LoginSession | None:
    """The session behind a token, or None when it is unknown, over, idle too long, revoked or its account inactive."""
    row = session.scalar(select(LoginSession).where(LoginSession.token_hash == _digest(token)))
    if row is None or row.revoked_at or row.expires_at <= at or row.seen_at + IDLE <= at or not row.account.active:
        return None
    return row


def touch(session: Session, token: str, *, at: datetime) -> None:
    """The session was used just now."""
    session.execute(update(LoginSession).where(LoginSession.token_hash == _digest(token)).values(seen_at=at))


def sign_out(session: Session, token: str, *, at: datetime) -> None:
    row = session.scalar(select(LoginSession).where(LoginSession.token_hash == _digest(token)))
    if row and not row.revoked_at:
        row.revoked_at = at
        log.record(session, Act.ACCOUNT_SIGN_OUT, by=row.account, at=at, subject=f"account:{row.account.ref}")


def revoke_sessions(session: Session, account: Account, *, by: Actor, at: datetime, keep: str | None = None) -> int:
    """End every session of an account (but the one with token `keep`); says how many were ended."""
    rows = session.scalars(
        select(LoginSession).where(LoginSession.account_id == account.id, LoginSession.revoked_at.is_(None))
    ).all()
    ended = [row for row in rows if keep is None or row.token_hash != _digest(keep)]
    for row in ended:
        row.revoked_at = at
    log.record(session, Act.ACCOUNT_SESSIONS_REVOKE, by=by, at=at, subject=f"account:{account.ref}", ended=len(ended))
    return len(ended)


def end_session(session: Session, account: Account, ref: str, *, by: Actor, at: datetime) -> None:
    """End one session of an account. Raises `NotFound` when it is none of its own."""
    row = session.scalar(select(LoginSession).where(LoginSession.ref == ref, LoginSession.account_id == account.id))
    if row is None:
        raise not_found("session.unknown", say("There is no such session."))
    if row.revoked_at is None:
        row.revoked_at = at
        log.record(session, Act.ACCOUNT_SESSIONS_REVOKE, by=by, at=at, subject=f"account:{account.ref}", ended=1)


def set_password(
    session: Session, account: Account, password: str, *, by: Actor, at: datetime, keep: str | None = None
) -> None:
    """Change the password and end all sessions (but the one with token `keep`), so that whoever knew the old one is
    out."""
    intake = Intake({"password": password})
    intake.password("password", least=MIN_PASSWORD)
    intake.done()
    account.password_hash = hash_password(password)
    log.record(session, Act.ACCOUNT_CHANGE, by=by, at=at, subject=f"account:{account.ref}", changed=["password"])
    revoke_sessions(session, account, by=by, at=at, keep=keep)


def set_active(session: Session, account: Account, active: bool, *, by: Actor, at: datetime) -> None:
    """Block or unblock. The last active admin cannot be blocked."""
    if not active and account.role == Role.ADMIN and _active_admins(session) <= 1:
        raise conflict("account.last-admin", say("This is the last active administrator. Add another one first."))
    account.active = active
    log.record(
        session, Act.ACCOUNT_CHANGE, by=by, at=at, subject=f"account:{account.ref}", changed=["active"], active=active
    )
    if not active:
        revoke_sessions(session, account, by=by, at=at)


def _active_admins(session: Session) -> int:
    query = select(func.count()).where(Account.role == Role.ADMIN, Account.active.is_(True))
    return session.scalar(query) or 0


def get(session: Session, ref: str) -> Account:
    account = session.scalar(select(Account).where(Account.ref == ref))
    if account is None:
        raise not_found("account.unknown", say("There is no such account."))
    return account


def matching(search: str = "") -> Select[Account]:
    query = select(Account)
    if search:
        query = query.where(containing(search, Account.login, Account.name))
    return query


def sessions_of(session: Session, account: Account, *, at: datetime) -> Sequence[LoginSession]:
    """The living sessions of an account, newest first."""
    query = (
        select(LoginSession)
        .where(
            LoginSession.account_id == account.id,
            LoginSession.revoked_at.is_(None),
            LoginSession.expires_at > at,
            LoginSession.seen_at > at - IDLE,
        )
        .order_by(LoginSession.id.desc())
    )
    return session.scalars(query).all()


# --- reads of personal data, which are acts themselves ----------------------------------------------------------------


def read_one(session: Session, account: Account, *, by: Actor, at: datetime) -> None:
    """Somebody looks at an account and its sessions."""
    log.record(session, Act.ACCOUNT_READ, by=by, at=at, subject=f"account:{account.ref}")


def read_list(session: Session, shown: Sequence[str], *, by: Actor, at: datetime) -> None:
    """Somebody looks at a page of the list; `shown` are the references of the accounts on it."""
    log.record(session, Act.ACCOUNT_LIST, by=by, at=at, subject="account:all", shown=list(shown))
