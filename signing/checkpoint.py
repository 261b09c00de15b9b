"""Checkpoints (c2sp.org/tlog-checkpoint): what a log says of its tree, as the text of a signed note.

    example.com/behind-the-sofa
    20852163
    CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

First the origin, the name of the log; then the size of the tree in decimal; then its root in base64; then extension
lines, which this project never writes but leaves in place where others did.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Self

from . import notes
from .encoding import b64, unb64, undecimal
from .errors import Malformed, UnknownKey
from .merkle import HASH_SIZE, MAX_SIZE
from .notes import Note, Sign
from .vkeys import Algorithm, VerifierKey

MAX_ORIGIN: Final = 255
MAX_EXTENSIONS: Final = 16


@dataclass(frozen=True)
class Checkpoint:
    """Origin, number of leaves, 32-byte root and extension lines. Raises Malformed."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.size <= MAX_SIZE:
            raise Malformed("checkpoint.size", f"a tree has 0 to {MAX_SIZE} leaves")
        if len(self.root) != HASH_SIZE:
            raise Malformed("checkpoint.root", f"a root has {HASH_SIZE} bytes")
        if len(self.extensions) > MAX_EXTENSIONS or not all(map(_is_line, self.extensions)):
            raise Malformed("checkpoint.extensions", f"at most {MAX_EXTENSIONS} extension lines, none of them empty")
        notes.check_text(self.text)
        if not _is_line(self.origin) or len(self.origin.encode()) > MAX_ORIGIN:
            raise Malformed("checkpoint.origin", f"an origin is a line of 1 to {MAX_ORIGIN} bytes")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what `text` prints; every other spelling raises Malformed."""
        lines = text.split("\n", MAX_EXTENSIONS + 4)
        if len(lines) < 4 or lines[-1]:
            raise Malformed("checkpoint.lines", "a checkpoint has origin, size, root and a few extension lines")
        origin, size, root, *extensions = lines[:-1]
        checkpoint = cls(
            origin,
            undecimal(size, "checkpoint.size", MAX_SIZE),
            unb64(root, "checkpoint.root", HASH_SIZE),
            tuple(extensions),
        )
        if checkpoint.text != text:
            raise Malformed("checkpoint.spelling", "not the one spelling of this checkpoint")
        return checkpoint

    @property
    def text(self) -> str:
        return "".join(f"{line}\n" for line in (self.origin, self.size, b64(self.root), *self.extensions))


def sign_checkpoint(checkpoint: Checkpoint, key: VerifierKey, sign: Sign) -> Note:
    """A note signed by the log, whose key bears the name of the origin. Raises Malformed, or BadSignature."""
    if key.name != checkpoint.origin:
        raise Malformed("checkpoint.key-name", "the key of a log bears the origin as its name")
    return Note(checkpoint.text, (notes.sign(checkpoint.text, key, sign),))


def verify_checkpoint(note: Note, keys: Iterable[VerifierKey]) -> Checkpoint:
    """The checkpoint of a note that is signed by the log it names, with one of these keys.

    Raises Malformed, BadSignature, or UnknownKey when no key of that log is among those that signed.
    """
    checkpoint = Checkpoint.parse(note.text)
    logs = [key for key in keys if is_log_key(key, checkpoint.origin)]
    notes.verify(note, logs)
    return checkpoint


def is_log_key(key: VerifierKey, origin: str) -> bool:
    return key.name == origin and key.algorithm is Algorithm.ED25519


def open_checkpoint(data: bytes, keys: Iterable[VerifierKey], origin: str | None = None) -> tuple[Checkpoint, Note]:
    """As `verify_checkpoint`, from the bytes of the note, and of this log only when its origin is told."""
    note = Note.parse(data)
    checkpoint = verify_checkpoint(note, keys)
    if origin not in (None, checkpoint.origin):
        raise UnknownKey("checkpoint.other-log", "the checkpoint is of another log")
    return checkpoint, note


def _is_line(line: str) -> bool:
    return bool(line) and "\n" not in line
