"""One entry as a reader understands it, once its documents are those whose hashes it carries."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from ...signing.canonical import sha256_hex
from ...signing.envelope import read_envelope
from ...signing.errors import SigningError
from ..log import time_text
from ..log.models import LogEntry


@dataclass(frozen=True)
class Told:
    """What an entry says. `at` is spelt as in the log; `by` is reference and name, None once erased."""

    act: str
    at: str
    subject: str
    facts: dict[str, Any]
    by: tuple[str, str] | None

    @property
    def name(self) -> Any:
        """The name of who acted, or `ERASED`."""
        return ERASED if self.by is None else self.by[1]


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
        told = Told(value["act"], value["at"], value["subject"], value["facts"], _who(entry))
    except (SigningError, ValueError, KeyError, TypeError):
        return None
    right = isinstance(told.facts, dict) and isinstance(told.subject, str)
    return told if right and (told.act, told.at) == (entry.act, time_text(entry.at)) else None


def _who(entry: LogEntry) -> tuple[str, str] | None:
    if entry.actor is None or sha256_hex(entry.actor.encode()) != entry.actor_sha256:
        return None
    by = json.loads(entry.actor)["by"]
    return str(by["ref"]), str(by["name"])
