"""Somebody who follows the log from outside and forgets nothing: every checkpoint that was ever shown must be a
beginning of the newest one."""

from __future__ import annotations

from collections.abc import Callable

from lotseal.signing import merkle, monitor, tiles
from lotseal.signing.checkpoint import Checkpoint
from lotseal.signing.monitor import State
from lotseal.signing.notes import Note
from lotseal.signing.tlog_policy import Policy

Fetch = Callable[[str], bytes | None]


class Outsider:
    """Took the policy once and keeps every checkpoint that it saw."""

    def __init__(self, policy: bytes) -> None:
        self.policy = Policy.parse(policy)
        self.kept: dict[bytes, Checkpoint] = {}
        self._new: list[Checkpoint] = []
        [log] = self.policy.logs
        self.state = State(log.key.name)

    def see(self, note: bytes) -> None:
        """Keep a checkpoint. Raises `SigningError` when the log did not sign it."""
        if note not in self.kept:
            self.kept[note] = self.policy.verify(Note.parse(note)).checkpoint
            self._new.append(self.kept[note])

    def follow(self, fetch: Fetch) -> Checkpoint | None:
        """Read on to the newest checkpoint: chains without a gap, entries that give the signed root, and a proof from
        each checkpoint since the last time. Raises `SigningError` for the first that does not fit."""
        note = fetch("checkpoint")
        if note is None:
            assert not self.kept, "the checkpoint is gone"
            return None
        self.see(note)
        newest = self.kept[note]
        self._prove(fetch, self._new, newest)
        self._new = [newest]
        monitor.follow(fetch, self.state, newest)
        return newest

    def prove_all(self, fetch: Fetch, newest: Checkpoint) -> None:
        """The same for every checkpoint of its whole life, and the entries once more from the first."""
        self._prove(fetch, list(self.kept.values()), newest)
        monitor.follow(fetch, State(newest.origin), newest)
        assert merkle.root_from(tiles.TileReader(fetch, newest.size), newest.size) == newest.root

    def _prove(self, fetch: Fetch, olds: list[Checkpoint], newest: Checkpoint) -> None:
        reader = tiles.TileReader(fetch, newest.size)
        for old in olds:
            assert old.size <= newest.size, f"the log shrank from {old.size} to {newest.size}"
            proof = merkle.consistency_proof_from(reader, old.size, newest.size)
            merkle.verify_consistency(old.size, newest.size, proof, old.root, newest.root)
