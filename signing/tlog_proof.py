"""Proofs that something is in a log, checkable off-line (c2sp.org/tlog-proof).

c2sp.org/tlog-proof@v1
extra <base64>                                        may be left out; nobody signed it
index 73894
<base64 of a hash>                                    from the leaf's sibling up to the root's child

example.com/fancylog                                  the checkpoint, as the log signed it
109482
...
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Self

from . import merkle, notes
from .checkpoint import Checkpoint
from .encoding import b64, unb64, undecimal
from .errors import Malformed
from .merkle import HASH_SIZE, MAX_SIZE
from .notes import Note
from .tlog_policy import Accepted, Policy
from .vkeys import VerifierKey

SUFFIX: Final = ".tlog-proof"
MEDIA_TYPE: Final = "text/plain; charset=utf-8"
HEADER: Final = "c2sp.org/tlog-proof@v1"
MAX_EXTRA: Final = 65_536
MAX_HASHES: Final = 63
MAX_PROOF: Final = notes.MAX_NOTE + 2 * MAX_EXTRA + 8_192


@dataclass(frozen=True)
class Proof:
    """Index of the leaf, path of hashes, the note of the checkpoint, and unauthenticated extra bytes.

    Raises Malformed. Nothing is proved before `verify`.
    """

    index: int
    hashes: tuple[bytes, ...]
    note: Note
    extra: bytes = b""

    def __post_init__(self) -> None:
        if not 0 <= self.index < MAX_SIZE:
            raise Malformed("proof.index", "there is no such leaf in any tree")
        if len(self.hashes) > MAX_HASHES or any(len(step) != HASH_SIZE for step in self.hashes):
            raise Malformed("proof.hashes", f"a proof has at most {MAX_HASHES} hashes of {HASH_SIZE} bytes")
        if len(self.extra) > MAX_EXTRA:
            raise Malformed("proof.extra", f"at most {MAX_EXTRA} extra bytes", limit=MAX_EXTRA)

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read what `bytes` prints; every other spelling raises Malformed."""
        if len(data) > MAX_PROOF:
            raise Malformed("proof.size", f"a proof has at most {MAX_PROOF} bytes", limit=MAX_PROOF)
        head, separator, note = data.partition(b"\n\n")
        try:
            lines = head.decode("ascii").split("\n")
        except UnicodeDecodeError as error:
            raise Malformed("proof.head", "the lines above the checkpoint are ASCII") from error
        extra = unb64(lines.pop(1)[6:], "proof.extra") if lines[1:] and lines[1].startswith("extra ") else b""
        if not separator or lines[0] != HEADER or not 2 <= len(lines) <= 2 + MAX_HASHES:
            raise Malformed("proof.form", "a proof is a header, an index, hashes, an empty line and a checkpoint")
        index = undecimal(lines[1].removeprefix("index "), "proof.index", MAX_SIZE)
        hashes = tuple(unb64(line, "proof.hashes", HASH_SIZE) for line in lines[2:])
        proof = cls(index, hashes, Note.parse(note), extra)
        if bytes(proof) != data:
            raise Malformed("proof.spelling", "not the one spelling of this proof")
        return proof

    def __bytes__(self) -> bytes:
        extra = [f"extra {b64(self.extra)}"] if self.extra else []
        lines = [HEADER, *extra, f"index {self.index}", *map(b64, self.hashes)]
        return "\n".join([*lines, "", ""]).encode("ascii") + bytes(self.note)

    @property
    def checkpoint(self) -> Checkpoint:
        """As the note says; not yet verified. Raises Malformed."""
        return Checkpoint.parse(self.note.text)

    def verify(self, leaf_hash: bytes, policy: Policy, logs: Iterable[VerifierKey] = ()) -> Accepted:
        """That this leaf is in a tree whose checkpoint meets the policy.

        Raises Malformed, BadSignature or PolicyNotMet for the checkpoint, BadProof for the path. `logs` as in
        `Policy.verify`.
        """
        accepted = policy.verify(self.note, logs)
        checkpoint = accepted.checkpoint
        merkle.verify_inclusion(self.index, checkpoint.size, leaf_hash, self.hashes, checkpoint.root)
        return accepted

    def verify_entry(self, entry: bytes, policy: Policy, logs: Iterable[VerifierKey] = ()) -> Accepted:
        """As `verify`, for the bytes of the entry."""
        return self.verify(merkle.leaf_hash(entry), policy, logs)
