"""What `lotseal log verify` adds when no key of the auditor's policy signed: was its key changed, and in this log?

All of it is the log's own word, and the answer says so. It tells where to look, and never that a key is right.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from ...signing import monitor
from ...signing.checkpoint import Checkpoint
from ...signing.errors import SigningError
from ...signing.monitor import State
from ...signing.notes import Note
from ...signing.tiles import Fetch
from ...signing.tlog_policy import NONE, Policy
from ...signing.vkeys import VerifierKey
from ...trace.errors import Message, say
from ...trace.log.shelf import CHECKPOINT


@dataclass(frozen=True)
class Kept:
    """What the auditor brought along: how far a monitor read, and a checkpoint."""

    state: State | None
    since: Checkpoint | None

    @property
    def size(self) -> int:
        return max(self.state.size if self.state else 0, self.since.size if self.since else 0)


@dataclass(frozen=True)
class Changed:
    """A key that the log names itself. `difference` says what is other than was kept; `entries` are index and act of
    each entry of the key history since."""

    key: VerifierKey
    kept: int
    difference: str
    entries: tuple[tuple[int, str], ...]

    def facts(self) -> dict[str, Any]:
        return {
            "key": str(self.key),
            "kept": self.kept,
            "continues": not self.difference if self.kept else None,
            "key_entries": [{"index": index, "act": act} for index, act in self.entries],
        }

    def sentences(self) -> list[Message]:
        first = say("The log's own policy names another key, and that one signed: %(key)s", key=self.key)
        if not self.kept:
            return [
                first,
                say("Without --state or --since nothing here says that it is the log which you know."),
                _ONLY_ITS_WORD,
            ]
        if self.difference:
            told = say(
                "It is not the log which you kept: %(difference)s. Do not take its policy.", difference=self.difference
            )
            return [first, told]
        found = ", ".join(f"{index} ({act})" for index, act in self.entries) or "–"
        told = say(
            "The %(size)d entries that you kept are still its beginning. The key history grew by the entries "
            "%(found)s.",
            size=self.kept,
            found=found,
        )
        return [first, told, _ONLY_ITS_WORD]


_ONLY_ITS_WORD = say(
    "This is only the log's word. Take its new policy when the key history confirms the key; docs/keys.md says how."
)


def changed(fetch: Fetch, kept: Kept) -> Changed | None:
    """None when the log names no key of its own that signed."""
    try:
        policy = replace(Policy.parse(fetch("policy") or b""), witnesses=(), groups=(), quorum=NONE)
        accepted = policy.verify(Note.parse(fetch(CHECKPOINT) or b""))
    except SigningError:
        return None
    checkpoint, before = accepted.checkpoint, kept.size
    if not before:
        return Changed(accepted.log, 0, "", ())
    try:
        # The state grows with what is read; it is the caller's copy, and is not kept.
        monitor.follow(fetch, kept.state or State(checkpoint.origin), checkpoint, since=kept.since)
        entries = tuple(monitor.key_entries(fetch, before, checkpoint.size))
    except SigningError as error:
        return Changed(accepted.log, before, error.message, ())
    return Changed(accepted.log, before, "", entries)
