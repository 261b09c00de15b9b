"""Record an act in the transaction of the fact itself, so that neither exists without the other."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from .models import AuditAct


class Act(StrEnum):
    """Permanent words, `object:act`. A word may be added, never changed or reused."""

    ACCOUNT_ADD = "account:add"
    ACCOUNT_CHANGE = "account:change"
    ACCOUNT_SIGN_IN = "account:sign-in"
    ACCOUNT_SIGN_IN_REFUSED = "account:sign-in-refused"
    ACCOUNT_SIGN_OUT = "account:sign-out"
    ACCOUNT_SESSIONS_REVOKE = "account:sessions-revoke"
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
    LINK_ADD = "link:add"
    LINK_CHANGE = "link:change"
    LINK_REMOVE = "link:remove"
    LINK_HOST_ALLOW = "link-host:allow"
    LINK_HOST_REFUSE = "link-host:refuse"
    CODES_ISSUE = "codes:issue"
    CODES_VOID = "codes:void"
    LABELS_PRINT = "labels:print"
    LABELS_VERIFY = "labels:verify"
    CREDENTIAL_ISSUE = "credential:issue"
    CREDENTIAL_REVOKE = "credential:revoke"
    STATUS_PUBLISH = "status:publish"
    KEY_ADD = "key:add"
    KEY_RETIRE = "key:retire"
    KEY_REVOKE = "key:revoke"


class Actor(Protocol):
    """Who acts: an account, or the command line of the operator."""

    @property
    def ref(self) -> str: ...

    @property
    def name(self) -> str: ...


def record(session: Session, act: Act, *, by: Actor, at: datetime, subject: str, **facts: object) -> AuditAct:
    """Write the act. `facts` must be plain JSON values and hold no secret."""
    row = AuditAct(at=at, act=act, by_ref=by.ref, by_name=by.name, subject=subject, facts=facts)
    session.add(row)
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
