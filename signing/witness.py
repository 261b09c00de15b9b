"""The witness protocol, `add-checkpoint` (c2sp.org/tlog-witness): what is asked, and whether to cosign.

    old 20852014
    <base64 of a hash>                                    consistency proof, up to 63 lines, none from size 0

    example.com/behind-the-sofa                           the checkpoint, as the log signed it
    20852163
    ...

An answer is signature lines of the witness. Whoever decides here must keep `Head` and this decision in one atomic
step, or two requests could roll the log back.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Self

from . import merkle, notes
from .checkpoint import Checkpoint, is_log_key
from .encoding import b64, unb64, undecimal
from .errors import Malformed, SigningError
from .merkle import EMPTY_ROOT, HASH_SIZE, MAX_SIZE
from .notes import Note, NoteSignature
from .vkeys import VerifierKey

MAX_HASHES: Final = 63
MAX_REQUEST: Final = notes.MAX_NOTE + 4_096
MAX_ANSWER: Final = 65_536
MAX_LINES: Final = 16
SIZE_TYPE: Final = "text/x.tlog.size"

BAD_REQUEST, FORBIDDEN, NOT_FOUND, CONFLICT, UNPROCESSABLE = 400, 403, 404, 409, 422


class Refused(SigningError):
    """The witness does not cosign; `status` is the HTTP status that the protocol prescribes.

    `size` is the size of the latest cosigned checkpoint for CONFLICT. `evidence` says that the log did sign what is
    refused, so that the request may prove its misbehaviour.
    """

    def __init__(self, status: int, rule: str, message: str, *, size: int = 0, evidence: bool = False) -> None:
        super().__init__(rule, message)
        # For pickling, as in the base class.
        self.args = (status, rule, message)
        self.status = status
        self.size = size
        self.evidence = evidence


@dataclass(frozen=True)
class Head:
    """The latest checkpoint that this witness cosigned for a log."""

    size: int
    root: bytes


NOTHING: Final = Head(0, EMPTY_ROOT)
"""Before the first checkpoint: the empty tree, which is a beginning of every tree."""


@dataclass(frozen=True)
class Request:
    """Old size, consistency proof from there, and the note of the new checkpoint. Raises Malformed."""

    old_size: int
    proof: tuple[bytes, ...]
    note: Note

    def __post_init__(self) -> None:
        if not 0 <= self.old_size <= MAX_SIZE:
            raise Malformed("witness.old-size", f"a tree has 0 to {MAX_SIZE} leaves")
        if len(self.proof) > MAX_HASHES or any(len(step) != HASH_SIZE for step in self.proof):
            raise Malformed("witness.proof", f"a proof has at most {MAX_HASHES} hashes of {HASH_SIZE} bytes")

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read what `bytes` prints; every other spelling raises Malformed."""
        if len(data) > MAX_REQUEST:
            raise Malformed("witness.size", f"a request has at most {MAX_REQUEST} bytes", limit=MAX_REQUEST)
        head, separator, note = data.partition(b"\n\n")
        try:
            lines = head.decode("ascii").split("\n")
        except UnicodeDecodeError as error:
            raise Malformed("witness.head", "the lines above the checkpoint are ASCII") from error
        if not separator or len(lines) > 1 + MAX_HASHES:
            raise Malformed("witness.form", "a request is an old size, a proof, an empty line and a checkpoint")
        old_size = undecimal(lines[0].removeprefix("old "), "witness.old-size", MAX_SIZE)
        proof = tuple(unb64(line, "witness.proof", HASH_SIZE) for line in lines[1:])
        request = cls(old_size, proof, Note.parse(note))
        if bytes(request) != data:
            raise Malformed("witness.spelling", "not the one spelling of this request")
        return request

    def __bytes__(self) -> bytes:
        lines = [f"old {self.old_size}", *map(b64, self.proof), "", ""]
        return "\n".join(lines).encode("ascii") + bytes(self.note)


def read(data: bytes) -> tuple[Request, Checkpoint]:
    """The request and its checkpoint, nothing of it verified. Raises Refused."""
    try:
        request = Request.parse(data)
        return request, Checkpoint.parse(request.note.text)
    except SigningError as error:
        raise Refused(BAD_REQUEST, error.rule, error.message) from error


def authenticate(request: Request, checkpoint: Checkpoint, keys: Iterable[VerifierKey]) -> tuple[NoteSignature, ...]:
    """The signature lines of the log, verified; `keys` are those this witness trusts. Raises Refused."""
    own = [key for key in keys if is_log_key(key, checkpoint.origin)]
    if not own:
        raise Refused(NOT_FOUND, "witness.unknown-log", "this witness does not know that log")
    try:
        return tuple(found.signature for found in notes.verify(request.note, own))
    except SigningError as error:
        raise Refused(FORBIDDEN, error.rule, error.message) from error


def decide(request: Request, checkpoint: Checkpoint, latest: Head | None) -> Head:
    """The new head, which the caller keeps before it cosigns. Raises Refused.

    The checkpoint is authenticated already. `latest` is None when the witness never cosigned one of this log; then
    the empty tree is the beginning.
    """
    head = latest or NOTHING
    if request.old_size > checkpoint.size:
        raise Refused(BAD_REQUEST, "witness.backwards", "the old size is larger than the checkpoint")
    if request.old_size != head.size:
        raise Refused(CONFLICT, "witness.conflict", f"the latest checkpoint has size {head.size}", size=head.size)
    if checkpoint.size == 0 and checkpoint.root != EMPTY_ROOT:
        raise _misbehaviour("witness.empty-root", "an empty tree has the hash of nothing as its root")
    if head.size == 0:
        # Nothing has to be proved, and nothing may look as if it were.
        if request.proof:
            raise _misbehaviour("witness.proof-from-empty", "from the empty tree the proof is empty")
        return Head(checkpoint.size, checkpoint.root)
    try:
        merkle.verify_consistency(head.size, checkpoint.size, request.proof, head.root, checkpoint.root)
    except SigningError as error:
        raise _misbehaviour(error.rule, error.message) from error
    return Head(checkpoint.size, checkpoint.root)


def answer(lines: Sequence[NoteSignature]) -> bytes:
    """The body of a success."""
    return "".join(line.line for line in lines).encode()


def parse_answer(data: bytes) -> tuple[NoteSignature, ...]:
    """Signature lines, nothing of them verified. Raises Malformed."""
    if not 1 <= len(data) <= MAX_ANSWER:
        raise Malformed("witness.answer-size", f"an answer has 1 to {MAX_ANSWER} bytes", limit=MAX_ANSWER)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Malformed("witness.answer", "an answer is text in UTF-8") from error
    if not text.endswith("\n") or text.count("\n") > MAX_LINES:
        raise Malformed("witness.answer", f"an answer is 1 to {MAX_LINES} lines, each ended by a newline")
    return tuple(map(NoteSignature.parse, text[:-1].split("\n")))


def parse_size(data: bytes) -> int:
    """The body of a conflict: the size of the latest checkpoint that the witness cosigned. Raises Malformed."""
    try:
        text = data[: len(str(MAX_SIZE)) + 2].decode("ascii")
    except UnicodeDecodeError as error:
        raise Malformed("witness.answer-size-line", "not a size and a newline") from error
    if not text.endswith("\n"):
        raise Malformed("witness.answer-size-line", "not a size and a newline")
    return undecimal(text[:-1], "witness.answer-size-line", MAX_SIZE)


def _misbehaviour(rule: str, message: str) -> Refused:
    return Refused(UNPROCESSABLE, rule, message, evidence=True)
