"""From an act to an entry that waits for its place in the log."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.orm import Session

from ...signing.canonical import sha256_hex
from ...signing.envelope import actor_document, content_document
from .actor import Actor
from .models import LogEntry, LogTerm

MAX_TERM = 120
PRIVATE = "private"
"""The fact that names those which are told beside the actor."""
# What people look for: hashes, numbers of things, references, key ids. Sentences and names are none.
_TERM = re.compile(r"[^\s]{4,120}")
_SEARCHED = frozenset(
    (
        "batch",
        "certificate",
        "credential",
        "document_sha256",
        "file_sha256",
        "gtin",
        "jwt_sha256",
        "kid",
        "licence",
        "lot",
        "number",
        "original",
        "root",
        "root_sha256",
        "run",
        "serial",
        "sha256",
        "supplier_lot",
    )
)


def time_text(at: datetime) -> str:
    """The one spelling of a moment in the log: UTC, microseconds, Z."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def apart(facts: Mapping[str, Any], names: Collection[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The facts that anybody may read, and those of these names. A personal fact among what changed goes by the name
    `changed.<name>`. The first say under `private` which ones were taken out: so an erased one is known as erased."""
    told: dict[str, Any] = {}
    private: dict[str, Any] = {}
    for name, value in facts.items():
        if name in names:
            private[name] = value
        elif name == "changed" and isinstance(value, Mapping):
            private |= {f"changed.{field}": both for field, both in value.items() if field in names}
            told[name] = {field: both for field, both in value.items() if field not in names}
        else:
            told[name] = value
    return ({**told, PRIVATE: sorted(private)} if private else told), private


def together(told: Mapping[str, Any], private: Mapping[str, Any]) -> dict[str, Any]:
    """`apart` undone. Raises KeyError when one is missing that `told` names."""
    facts = {name: value for name, value in told.items() if name != PRIVATE}
    for name in told.get(PRIVATE, ()):
        where, _dot, field = name.rpartition(".")
        if where:
            facts[where] = {**facts[where], field: private[name]}
        else:
            facts[field] = private[name]
    return facts


def enter(
    session: Session,
    act: str,
    *,
    by: Actor,
    at: datetime,
    subject: str,
    chain: str,
    key: str | None,
    facts: Mapping[str, object],
    private: Mapping[str, object],
) -> None:
    """Write the entry in the transaction of the fact. What it says is settled now; its place comes with the seal.
    `facts` and `private` are those of `apart`."""
    content = content_document(act, subject, time_text(at), facts)
    actor = actor_document(by.ref, by.name, private)
    entry = LogEntry(
        chain=chain,
        act=act,
        at=at,
        key=key,
        content=content.decode(),
        actor=actor.decode(),
        actor_sha256=sha256_hex(actor),
    )
    session.add(entry)
    session.flush()
    session.add_all(LogTerm(entry_id=entry.id, term=term) for term in sorted(set(_terms(subject, chain, key, facts))))


def _terms(subject: str, chain: str, key: str | None, facts: Mapping[str, object]) -> Iterator[str]:
    for reference in (subject, chain):
        yield reference.partition(":")[2] or reference
    if key:
        yield key
    changed = facts.get("changed")
    told = [*facts.items(), *(changed.items() if isinstance(changed, Mapping) else ())]
    for name, value in told:
        if name in _SEARCHED:
            values = value if isinstance(value, list | tuple) else [value]
            yield from (text for text in values if isinstance(text, str) and _TERM.fullmatch(text))
