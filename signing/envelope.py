"""The log entry: an envelope of hashes, and the two documents behind it.

    content  {"act": …, "at": …, "facts": {…}, "salt": …, "subject": …}
    actor    {"by": {"name": …, "ref": …}, "private": {…}, "salt": …}
    entry    {"act": …, "actor": hash, "chain": …, "content": hash, "key": …, "keys": n, "prev": hash, "seq": n,
              "time": …, "type": "lotseal/entry/v1"}

All three are canonical JSON (RFC 8785). Only the envelope goes into the log: what can never be erased is hashes. The
content goes into evidence bundles; the actor document, which holds all that is personal, stays in the store and can be
erased there. It has the member `private` only where an act has personal facts.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from .canonical import canonical_json, parse_canonical, sha256_hex
from .encoding import b64url
from .errors import BadSignature, Malformed

TYPE: Final = "lotseal/entry/v1"
MAX_ENTRY: Final = 65_535
"""What the length prefix of an entry bundle can say (C2SP tlog-tiles)."""
SALT_SIZE: Final = 16

_HASH: Final = re.compile(r"[0-9a-f]{64}")
_ACT: Final = re.compile(r"[a-z-]{1,20}:[a-z-]{1,30}")
_CHAIN: Final = re.compile(r"[a-z-]{1,20}(:[A-Za-z0-9_-]{1,60})?")
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
_KEY: Final = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True)
class Envelope:
    """One log entry. `content`, `actor` and `prev` are SHA-256 in lower-case hexadecimal."""

    act: str
    actor: str
    chain: str
    content: str
    key: str | None
    keys: int
    prev: str | None
    seq: int
    time: str

    def to_bytes(self) -> bytes:
        """Canonical JSON. Raises Malformed for what no reader would accept."""
        data = canonical_json({**asdict(self), "type": TYPE})
        read_envelope(data)
        return data


def read_envelope(data: bytes) -> Envelope:
    """Parse, print back, compare. Raises Malformed."""
    if len(data) > MAX_ENTRY:
        raise Malformed("entry.size", f"an entry has at most {MAX_ENTRY} bytes", limit=MAX_ENTRY)
    value = parse_canonical(data)
    if not isinstance(value, dict) or value.keys() != {*Envelope.__dataclass_fields__, "type"}:
        raise Malformed("entry.members", "an entry has exactly the members of lotseal/entry/v1")
    if value.pop("type") != TYPE:
        raise Malformed("entry.type", f"the type of an entry is {TYPE}")
    _check(value)
    return Envelope(**value)


def _check(value: Mapping[str, Any]) -> None:
    for name, pattern in (("act", _ACT), ("chain", _CHAIN), ("actor", _HASH), ("content", _HASH), ("time", _TIME)):
        if not (isinstance(value[name], str) and pattern.fullmatch(value[name])):
            raise Malformed(f"entry.{name}", f"{name} of an entry does not have its form")
    for name, pattern in (("key", _KEY), ("prev", _HASH)):
        if value[name] is not None and not (isinstance(value[name], str) and pattern.fullmatch(value[name])):
            raise Malformed(f"entry.{name}", f"{name} of an entry does not have its form")
    if type(value["seq"]) is not int or value["seq"] < 1 or type(value["keys"]) is not int or value["keys"] < 0:
        raise Malformed("entry.seq", "seq counts from 1 and keys from 0")
    if (value["prev"] is None) != (value["seq"] == 1):
        raise Malformed("entry.prev", "the first entry of a chain has no previous one, every other has")


def content_document(act: str, subject: str, at: str, facts: Mapping[str, object]) -> bytes:
    """The salted document whose hash the envelope carries. Raises Malformed for facts that are no plain JSON."""
    return canonical_json({"act": act, "at": at, "facts": dict(facts), "salt": _salt(), "subject": subject})


def actor_document(ref: str, name: str, private: Mapping[str, object] | None = None) -> bytes:
    """Who acted, and the personal facts of the act, salted: the hash tells nobody what they were, and nothing once this
    document is erased. Raises Malformed for facts that are no plain JSON."""
    beside = {"private": dict(private)} if private else {}
    return canonical_json({"by": {"name": name, "ref": ref}, "salt": _salt(), **beside})


def check_document(data: bytes, sha256: str, rule: str) -> dict[str, Any]:
    """The document behind a hash of an envelope. Raises BadSignature under `rule` for another document, Malformed."""
    if sha256_hex(data) != sha256:
        raise BadSignature(rule, "this is not the document whose hash stands in the entry")
    value = parse_canonical(data)
    if not isinstance(value, dict):
        raise Malformed(rule, "a document of an entry is a JSON object")
    return value


def _salt() -> str:
    return b64url(os.urandom(SALT_SIZE))
