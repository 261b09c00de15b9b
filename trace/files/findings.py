"""The words in which a signature is told, for both sides of the process border. They are permanent.

Five facts per signature, each one word: is what was signed still what is there; is the signature cryptographically
right; does its certificate lead to a pinned root and was it in force; how much of the file does it cover; and was
anything added afterwards. A fact holds or does not; only `holds` decides, and every unknown word does not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any


class Purpose(StrEnum):
    """What a pinned root is trusted for."""

    SIGNING = "signing"
    TIME_STAMPS = "time-stamps"


class Shape(StrEnum):
    """A signature of somebody, or the time stamp of a time-stamping authority over the whole file."""

    DOCUMENT = "document"
    TIME_STAMP = "time-stamp"


class Integrity(StrEnum):
    INTACT = "intact"
    CHANGED = "changed"
    UNREADABLE = "unreadable"

    @property
    def holds(self) -> bool:
        return self is Integrity.INTACT


class Works(StrEnum):
    """Whether the key in the certificate made this signature."""

    RIGHT = "right"
    WRONG = "wrong"
    UNREADABLE = "unreadable"

    @property
    def holds(self) -> bool:
        return self is Works.RIGHT


class Trust(StrEnum):
    """`claimed-time`: the signer names a time outside of the certificate's life or in the future. `time-stamp`: the
    time stamp inside the signature is not from a pinned authority. `unproven`: none of the others, yet not proven."""

    PINNED = "pinned"
    UNKNOWN_ROOT = "unknown-root"
    SELF_SIGNED = "self-signed"
    EXPIRED = "expired"
    NOT_YET_VALID = "not-yet-valid"
    CLAIMED_TIME = "claimed-time"
    PURPOSE = "purpose"
    WEAK = "weak"
    TIME_STAMP = "time-stamp"
    NOT_CHECKED = "not-checked"
    UNPROVEN = "unproven"
    UNREADABLE = "unreadable"

    @property
    def holds(self) -> bool:
        return self is Trust.PINNED


class Coverage(StrEnum):
    """`revision`: all of the file as it was when it was signed. `part`: there were bytes that it does not cover."""

    FILE = "file"
    REVISION = "revision"
    PART = "part"
    UNREADABLE = "unreadable"

    @property
    def holds(self) -> bool:
        return self in (Coverage.FILE, Coverage.REVISION)


class Later(StrEnum):
    """What was added after this signature. `archive`: data about validity and time stamps; `signatures`: more
    signatures that no page shows; `seen-signature`: one that a page shows; `form`: fields that were filled in."""

    NOTHING = "nothing"
    ARCHIVE = "archive"
    SIGNATURES = "signatures"
    SEEN_SIGNATURE = "seen-signature"
    FORM = "form"
    CHANGED = "changed"
    UNREADABLE = "unreadable"

    @property
    def holds(self) -> bool:
        return self in (Later.NOTHING, Later.ARCHIVE, Later.SIGNATURES)


@dataclass(frozen=True)
class Five:
    """The five facts of one signature, named as in JSON."""

    integrity: Integrity
    signature: Works
    trust: Trust
    coverage: Coverage
    later: Later

    @classmethod
    def read(cls, words: Mapping[str, Any]) -> Five:
        """From words by their names. Raises `KeyError`, `ValueError` for a word that is missing or unknown."""
        return cls(
            Integrity(words["integrity"]),
            Works(words["signature"]),
            Trust(words["trust"]),
            Coverage(words["coverage"]),
            Later(words["later"]),
        )

    @property
    def words(self) -> dict[str, str]:
        return {one.name: str(getattr(self, one.name)) for one in fields(self)}

    @property
    def holds(self) -> dict[str, bool]:
        return {one.name: bool(getattr(self, one.name).holds) for one in fields(self)}

    @property
    def all_hold(self) -> bool:
        return all(self.holds.values())


UNREADABLE = Five(Integrity.UNREADABLE, Works.UNREADABLE, Trust.UNREADABLE, Coverage.UNREADABLE, Later.UNREADABLE)
