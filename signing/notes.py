"""Signed notes (c2sp.org/signed-note): text, an empty line, and one line for each signature.

    This is an example message.

    — example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=

The text may be relied upon only after `verify`. A note has one spelling: it is parsed, printed back and compared.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Self

from .encoding import b64, unb64
from .errors import Malformed, UnknownKey
from .vkeys import Algorithm as Algorithm
from .vkeys import VerifierKey as VerifierKey
from .vkeys import check_name

KEY_ID_SIZE: Final = 4
MAX_NOTE: Final = 262_144
MAX_SIGNATURES: Final = 64

Sign = Callable[[bytes], bytes]
"""A message to its 64-byte Ed25519 signature."""

_LINE: Final = re.compile("— ([^ ]+) ([A-Za-z0-9+/=]+)")
_CONTROL: Final = re.compile(r"[\x00-\x09\x0b-\x1f]")


@dataclass(frozen=True)
class NoteSignature:
    """Key name, four bytes of key id, and the signature in the form of its type. Raises Malformed."""

    name: str
    key_id: bytes
    signature: bytes

    def __post_init__(self) -> None:
        check_name(self.name)
        if len(self.key_id) != KEY_ID_SIZE or not self.signature:
            raise Malformed("note.signature-form", f"a key id has {KEY_ID_SIZE} bytes, and a signature follows it")

    @classmethod
    def parse(cls, line: str) -> Self:
        """Read a line without its newline. Raises Malformed."""
        found = _LINE.fullmatch(line) if len(line) <= MAX_NOTE else None
        if found is None:
            raise Malformed("note.line", "not a signature line")
        data = unb64(found.group(2), "note.base64")
        return cls(found.group(1), data[:KEY_ID_SIZE], data[KEY_ID_SIZE:])

    @property
    def line(self) -> str:
        """With the newline that ends it."""
        return f"— {self.name} {b64(self.key_id + self.signature)}\n"

    def is_of(self, key: VerifierKey) -> bool:
        """Whether it claims to be of this key; only `verify` tells whether it is."""
        return (self.name, self.key_id) == (key.name, key.key_id)


@dataclass(frozen=True)
class Note:
    """Text that ends in a newline, and 1 to 64 signatures. Raises Malformed."""

    text: str
    signatures: tuple[NoteSignature, ...]

    def __post_init__(self) -> None:
        check_text(self.text)
        if not 1 <= len(self.signatures) <= MAX_SIGNATURES:
            raise Malformed("note.signatures", f"a note has 1 to {MAX_SIGNATURES} signatures", limit=MAX_SIGNATURES)

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read what `bytes` prints; every other spelling raises Malformed."""
        if len(data) > MAX_NOTE:
            raise Malformed("note.size", f"a note has at most {MAX_NOTE} bytes", limit=MAX_NOTE)
        try:
            whole = data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise Malformed("note.utf8", "a note is text in UTF-8") from error
        # The text may hold empty lines itself; the last one separates.
        text, separator, lines = whole.rpartition("\n\n")
        if not separator or not lines.endswith("\n") or lines.count("\n") > MAX_SIGNATURES:
            raise Malformed("note.form", f"a note is text, an empty line and 1 to {MAX_SIGNATURES} signature lines")
        note = cls(f"{text}\n", tuple(map(NoteSignature.parse, lines[:-1].split("\n"))))
        if bytes(note) != data:
            raise Malformed("note.spelling", "not the one spelling of this note")
        return note

    def __bytes__(self) -> bytes:
        return f"{self.text}\n{''.join(signature.line for signature in self.signatures)}".encode()

    def signed_also(self, *signatures: NoteSignature) -> Self:
        """With these behind those it has; one that it has already is not repeated. Raises Malformed."""
        return type(self)(self.text, tuple(dict.fromkeys((*self.signatures, *signatures))))


@dataclass(frozen=True)
class Verified:
    """A signature that fits, its key, and the POSIX time when it is a cosignature."""

    key: VerifierKey
    signature: NoteSignature
    timestamp: int | None


def check_text(text: str) -> None:
    """Note text is UTF-8, ends in a newline and has no other control character. Raises Malformed."""
    try:
        length = len(text.encode())
    except UnicodeEncodeError as error:
        raise Malformed("note.utf8", "a note is text in UTF-8") from error
    if length > MAX_NOTE:
        raise Malformed("note.size", f"a note has at most {MAX_NOTE} bytes", limit=MAX_NOTE)
    if not text.endswith("\n") or _CONTROL.search(text):
        raise Malformed("note.text", "note text ends in a newline and has no other control character")


def sign(text: str, key: VerifierKey, sign: Sign) -> NoteSignature:
    """Sign with a key of type Ed25519. Raises Malformed.

    What was signed is verified before it leaves, so that a signer with another key behind it is found at once: that
    raises BadSignature.
    """
    if key.algorithm is not Algorithm.ED25519:
        raise Malformed("note.algorithm", "a cosigner's key signs no notes of its own")
    check_text(text)
    signature = sign(text.encode())
    key.verify(text.encode(), signature)
    return NoteSignature(key.name, key.key_id, signature)


def verified(note: Note, keys: Iterable[VerifierKey]) -> tuple[Verified, ...]:
    """The signatures of these keys, each verified; perhaps none. Signatures of other keys are passed over.

    A signature of one of these keys that does not fit raises BadSignature or Malformed: the whole note is refused.
    """
    known: dict[tuple[str, bytes], VerifierKey] = {}
    for key in keys:
        if known.setdefault((key.name, key.key_id), key) != key:
            raise Malformed("note.ambiguous-key", "two different keys share name and id", key=key.name)
    text, found = note.text.encode(), []
    for signature in note.signatures:
        owner = known.get((signature.name, signature.key_id))
        if owner is not None:
            found.append(Verified(owner, signature, owner.verify(text, signature.signature)))
    return tuple(found)


def verify(note: Note, keys: Iterable[VerifierKey]) -> tuple[Verified, ...]:
    """As `verified`, but at least one signature, else UnknownKey."""
    found = verified(note, keys)
    if not found:
        raise UnknownKey("note.unknown-keys", "no signature of this note is of a key that is known here")
    return found
