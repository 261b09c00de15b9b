"""Record an act in the transaction of the fact itself, so that neither exists without the other."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from . import entries
from .actor import Actor
from .models import AuditAct


class Act(StrEnum):
    """Permanent words, `object:act`. A word may be added, never changed or reused."""

    ACCOUNT_ADD = "account:add"
    ACCOUNT_CHANGE = "account:change"
    ACCOUNT_SIGN_IN = "account:sign-in"
    ACCOUNT_SIGN_IN_REFUSED = "account:sign-in-refused"
    ACCOUNT_SIGN_OUT = "account:sign-out"
    ACCOUNT_SESSIONS_REVOKE = "account:sessions-revoke"
    ACCOUNT_READ = "account:read"
    ACCOUNT_LIST = "account:list"
    LOG_READ_ACTOR = "log:read-actor"
    LOG_READ_ACTS = "log:read-acts"
    SUPPLIER_ADD = "supplier:add"
    SUPPLIER_CHANGE = "supplier:change"
    SUPPLIER_SUSPEND = "supplier:suspend"
    SUPPLIER_RESUME = "supplier:resume"
    CATEGORY_ADD = "category:add"
    CATEGORY_CHANGE = "category:change"
    PRODUCT_ADD = "product:add"
    PRODUCT_CHANGE = "product:change"
    PRODUCT_PICTURE = "product:picture"
    PRODUCT_RENUMBER = "product:renumber"
    BATCH_ADD = "batch:add"
    BATCH_CHANGE = "batch:change"
    BATCH_SUBMIT = "batch:submit"
    BATCH_RELEASE = "batch:release"
    BATCH_CORRECT = "batch:correct"
    BATCH_RENUMBER = "batch:renumber"
    BATCH_HOLD = "batch:hold"
    BATCH_HOLD_LIFT = "batch:hold-lift"
    BATCH_RECALL = "batch:recall"
    BATCH_CLOSE = "batch:close"
    CERTIFICATE_SUBMIT = "certificate:submit"
    CERTIFICATE_ACCEPT = "certificate:accept"
    CERTIFICATE_REJECT = "certificate:reject"
    CERTIFICATE_WITHDRAW = "certificate:withdraw"
    LABORATORY_ADD = "laboratory:add"
    LABORATORY_CHANGE = "laboratory:change"
    LABORATORY_SUSPEND = "laboratory:suspend"
    LABORATORY_RESUME = "laboratory:resume"
    LABORATORY_PIN = "laboratory:pin"
    LABORATORY_UNPIN = "laboratory:unpin"
    LINK_ADD = "link:add"
    LINK_CHANGE = "link:change"
    LINK_REMOVE = "link:remove"
    LINK_HOST_ALLOW = "link-host:allow"
    LINK_HOST_REFUSE = "link-host:refuse"
    CODES_ISSUE = "codes:issue"
    CODES_COMMIT = "codes:commit"
    CODES_VOID = "codes:void"
    LABELS_PRINT = "labels:print"
    LABELS_VERIFY = "labels:verify"
    CREDENTIAL_ISSUE = "credential:issue"
    CREDENTIAL_REVOKE = "credential:revoke"
    STATUS_PUBLISH = "status:publish"
    BUNDLE_EXPORT = "bundle:export"
    KEY_ADD = "key:add"
    KEY_RETIRE = "key:retire"
    KEY_REVOKE = "key:revoke"


UNLOGGED = frozenset(
    (
        Act.ACCOUNT_ADD,
        Act.ACCOUNT_CHANGE,
        Act.ACCOUNT_SIGN_IN,
        Act.ACCOUNT_SIGN_IN_REFUSED,
        Act.ACCOUNT_SIGN_OUT,
        Act.ACCOUNT_SESSIONS_REVOKE,
        # Who looked at personal data is personal itself.
        Act.ACCOUNT_READ,
        Act.ACCOUNT_LIST,
        Act.LOG_READ_ACTOR,
        Act.LOG_READ_ACTS,
        Act.LABELS_PRINT,
        Act.LABELS_VERIFY,
        Act.BUNDLE_EXPORT,
    )
)
"""Acts that stay inside: nobody outside relies on them, and most are personal."""

KEYS_CHAIN = "keys"
_ON_KEYS = frozenset((Act.KEY_ADD, Act.KEY_RETIRE, Act.KEY_REVOKE))


def record(
    session: Session,
    act: Act,
    *,
    by: Actor,
    at: datetime,
    subject: str,
    chain: str | None = None,
    key: str | None = None,
    private: Collection[str] = (),
    **facts: object,
) -> AuditAct:
    """Write the act, and its log entry unless the act is one of `UNLOGGED`.

    `facts` must be plain JSON values and hold no secret. `chain` is whose history the entry belongs to when that is not
    the subject's own, `key` the id of the key that signed what the facts name.

    `private` are the names of facts that are personal, also among what changed. They are told beside the actor only,
    where they can be erased: neither the act nor the content of the entry holds them. Raises ValueError when they would
    be told nowhere.
    """
    told, hidden = entries.apart(facts, private)
    if hidden and act in UNLOGGED:
        raise ValueError(f"{act} has no entry that could carry {sorted(hidden)}")
    row = AuditAct(at=at, act=act, by_ref=by.ref, by_name=by.name, subject=subject, facts=told)
    session.add(row)
    if act not in UNLOGGED:
        own = KEYS_CHAIN if act in _ON_KEYS else subject
        chain = chain or own
        entries.enter(session, act, by=by, at=at, subject=subject, chain=chain, key=key, facts=told, private=hidden)
    return row


def of_subject(session: Session, subject: str, limit: int = 100) -> Sequence[AuditAct]:
    """The newest acts on one thing, newest first."""
    query = select(AuditAct).where(AuditAct.subject == subject).order_by(AuditAct.id.desc()).limit(limit)
    return session.scalars(query).all()


def matching(act: str = "", subject: str = "") -> Select[AuditAct]:
    """All acts, or those with this word, or on things whose `kind:reference` begins like `subject`."""
    query = select(AuditAct)
    if act:
        query = query.where(AuditAct.act == act)
    if subject:
        query = query.where(AuditAct.subject.startswith(subject, autoescape=True))
    return query
