"""One entry as a reader understands it, once its documents are those whose hashes it carries."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ...signing.canonical import sha256_hex
from ...signing.envelope import read_envelope
from ...signing.errors import SigningError
from ..log import time_text
from ..log.entries import PRIVATE, together
from ..log.models import LogEntry


@dataclass(frozen=True)
class Told:
    """What an entry says. `at` is spelt as in the log; `by` is reference and name, None once erased. `facts` are those
    that anybody may read, `private` the personal ones beside the actor."""

    act: str
    at: str
    subject: str
    facts: dict[str, Any]
    by: tuple[str, str] | None
    private: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> Any:
        """The name of who acted, or `ERASED`."""
        return ERASED if self.by is None else self.by[1]

    def whole(self) -> Told:
        """With the personal facts among the others, each `ERASED` once nobody can know it. For the audit, never for a
        page. Raises KeyError when the actor document does not hold what the content says it does."""
        names = self.facts.get(PRIVATE, ())
        private = dict.fromkeys(names, ERASED) if self.by is None else self.private
        return replace(self, facts=together(self.facts, private), private={})


ERASED = object()
"""Stands where nobody can know what a record has to say."""


def as_logged(entry: LogEntry) -> Told | None:
    """None when the documents are not those of the envelope, or cannot be read. An entry that waits for its seal has no
    envelope yet and is taken at its word."""
    content = entry.content.encode()
    try:
        if entry.envelope is not None and read_envelope(entry.envelope.encode()).content != sha256_hex(content):
            return None
        value = json.loads(content)
        told = Told(value["act"], value["at"], value["subject"], value["facts"], *_beside(entry))
    except (SigningError, ValueError, KeyError, TypeError):
        return None
    right = isinstance(told.facts, dict) and isinstance(told.subject, str)
    return told if right and (told.act, told.at) == (entry.act, time_text(entry.at)) else None


def _beside(entry: LogEntry) -> tuple[tuple[str, str] | None, Mapping[str, Any]]:
    """Who acted, and the personal facts."""
    if entry.actor is None or sha256_hex(entry.actor.encode()) != entry.actor_sha256:
        return None, {}
    document = json.loads(entry.actor)
    by = document["by"]
    return (str(by["ref"]), str(by["name"])), dict(document.get(PRIVATE, {}))
