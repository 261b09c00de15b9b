"""The signatures of a stored file as plain facts: asked of the child, checked word for word, kept as JSON."""

from __future__ import annotations

import base64
import hashlib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from ..errors import Invalid
from . import bounds
from .findings import Coverage, Five, Later, Purpose, Shape
from .inspect import ask_child

_SHA256 = re.compile(r"[0-9a-f]{64}")

Facts = dict[str, Any]


class State(StrEnum):
    """`impossible`: pictures carry no signatures. `unknown`: nobody has looked yet. Permanent words."""

    NONE = "none"
    READ = "read"
    UNREADABLE = "unreadable"
    IMPOSSIBLE = "impossible"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Root:
    """A certificate that signatures may end in, in DER."""

    der: bytes
    purpose: Purpose = Purpose.SIGNING

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.der).hexdigest()


@dataclass(frozen=True)
class Signature:
    """One signature: five facts, and who, when and with what.

    `signed_at` is what the signer claims, or what a time stamp says. `roots` are the SHA-256 of the pinned roots that
    its chain can end in, empty unless `trust` holds. `revision` is the state of the file that it was put on, from 1.
    """

    field: str
    shape: Shape
    five: Five
    signer: str
    signed_at: datetime | None
    certificate_sha256: str
    roots: tuple[str, ...]
    revision: int

    @property
    def all_hold(self) -> bool:
        """Never for a time stamp, which is nobody's word about the content."""
        return self.shape is Shape.DOCUMENT and self.five.all_hold

    def plain(self) -> Facts:
        """As JSON: each fact with its word and whether it holds."""
        words, holds = self.five.words, self.five.holds
        return {
            "field": self.field,
            "kind": str(self.shape),
            "signer": self.signer,
            "signed_at": self.signed_at.isoformat() if self.signed_at else None,
            "certificate_sha256": self.certificate_sha256,
            "root_sha256": list(self.roots),
            "revision": self.revision,
            "facts": {name: {"holds": holds[name], "word": word} for name, word in words.items()},
            "all_hold": self.all_hold,
        }


@dataclass(frozen=True)
class Signatures:
    """What is known of the signatures of one file. `judged_at` is the moment for which certificates were judged: when
    the file came in. `pins` names the set of roots that were pinned then (see `name_of`)."""

    state: State
    signatures: tuple[Signature, ...] = ()
    revisions: int = 0
    judged_at: datetime | None = None
    pins: str = ""

    def plain(self) -> Facts:
        """As JSON, the form in which it is stored and handed on."""
        return {
            "state": str(self.state),
            "judged_at": self.judged_at.isoformat() if self.judged_at else None,
            "pins": self.pins,
            "revisions": self.revisions,
            "signatures": [signature.plain() for signature in self.signatures],
        }


def name_of(roots: Sequence[Root]) -> str:
    """One SHA-256 for a set of roots, whatever its order."""
    lines = sorted({f"{root.purpose}:{root.sha256}" for root in roots})
    return hashlib.sha256("\n".join(lines).encode("ascii")).hexdigest()


def judge(path: Path, roots: Sequence[Root], *, at: datetime) -> Signatures:
    """The signatures of a PDF that the gate has let in. Whatever fails is `unreadable` and never counts.

    Raises `Unavailable` when no child can be had just now.
    """
    told = [{"der": base64.b64encode(root.der).decode("ascii"), "purpose": root.purpose} for root in roots]
    pins = name_of(roots)
    allowed = {(root.sha256, root.purpose) for root in roots}
    try:
        found = ask_child("signatures", path, "pdf", roots=told, at=at.isoformat())
        revisions = _between(found["revisions"], 1, bounds.MAX_REVISIONS)
        signatures = tuple(_checked(one, revisions, allowed) for one in found["signatures"])
        if len(signatures) > bounds.MAX_SIGNATURES:
            raise ValueError("more than any file may have")
    except (Invalid, AttributeError, KeyError, TypeError, ValueError, OverflowError):
        return Signatures(State.UNREADABLE, judged_at=at, pins=pins)
    return Signatures(State.READ if signatures else State.NONE, signatures, revisions, at, pins)


def _checked(raw: Mapping[str, Any], revisions: int, allowed: set[tuple[str, Purpose]]) -> Signature:
    """One signature out of the child's answer. Raises `ValueError` and its like for what is not of its form, or what
    contradicts itself: a root that we did not hand in, trust without a root, a root without trust."""
    five = Five.read(raw)
    shape = Shape(raw["shape"])
    roots = tuple(_sha256(one) for one in raw["roots"])
    purpose = Purpose.SIGNING if shape is Shape.DOCUMENT else Purpose.TIME_STAMPS
    if len(set(roots)) != len(roots) or any((root, purpose) not in allowed for root in roots):
        raise ValueError("a root that nobody handed in")
    if bool(roots) != five.trust.holds:
        raise ValueError("trust and root go together")
    if any(five.holds.values()) or raw["certificate_sha256"]:
        _sha256(raw["certificate_sha256"])
        _between(raw["revision"], 1, revisions)
    if five.coverage is Coverage.FILE and five.later is not Later.NOTHING:
        raise ValueError("nothing can come after the end of a file")
    return Signature(
        field=_shown(raw["field"]),
        shape=shape,
        five=five,
        signer=_shown(raw["signer"]),
        signed_at=_moment(raw["signed_at"]),
        certificate_sha256=raw["certificate_sha256"],
        roots=roots,
        revision=_between(raw["revision"], 0, revisions),
    )


def from_plain(stored: Mapping[str, Any] | None, kind: str) -> Signatures:
    """Back from the store; `None` is a PDF that came in before anybody looked."""
    if kind != "pdf":
        return Signatures(State.IMPOSSIBLE)
    if not stored:
        return Signatures(State.UNKNOWN)
    return Signatures(
        State(stored["state"]),
        tuple(_stored(one) for one in stored["signatures"]),
        stored["revisions"],
        _moment(stored["judged_at"]),
        stored["pins"],
    )


def _stored(raw: Mapping[str, Any]) -> Signature:
    return Signature(
        field=raw["field"],
        shape=Shape(raw["kind"]),
        five=Five.read({name: fact["word"] for name, fact in raw["facts"].items()}),
        signer=raw["signer"],
        signed_at=_moment(raw["signed_at"]),
        certificate_sha256=raw["certificate_sha256"],
        roots=tuple(raw["root_sha256"]),
        revision=raw["revision"],
    )


def _between(value: object, low: int, high: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise ValueError("a number out of bounds")
    return value


def _sha256(value: object) -> str:
    if not isinstance(value, str) or not _SHA256.fullmatch(value):
        raise ValueError("no SHA-256")
    return value


def _moment(value: object) -> datetime | None:
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > 40:
        raise ValueError("no moment")
    moment = datetime.fromisoformat(value)
    # A claim without its offset names no moment.
    return moment if moment.tzinfo else None


def _shown(value: object) -> str:
    """A name from the file: what cannot be printed, or turns the direction of writing, is left out."""
    if not isinstance(value, str) or len(value) > bounds.MAX_NAME_CHARACTERS:
        raise ValueError("no name")
    text = unicodedata.normalize("NFC", value)
    return "".join(one for one in text if one.isprintable() and unicodedata.category(one) not in ("Cf", "Co", "Cs"))
