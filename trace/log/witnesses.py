"""Ask witnesses to cosign a checkpoint (c2sp.org/tlog-witness, the client's side): one, or all of a policy at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from ...signing import witness
from ...signing.checkpoint import Checkpoint
from ...signing.cosignature import verify_cosignature
from ...signing.errors import SigningError
from ...signing.notes import Note, NoteSignature
from ...signing.tlog_policy import MAX_POLICY, Policy
from ...signing.vkeys import VerifierKey
from ...signing.witness import Request
from .. import outbound
from ..errors import Message, Problem, Unavailable, say

TIMEOUT_S: Final = 10
_TRIES: Final = 3
_AT_ONCE: Final = 8
_OK: Final = 200

ProofFrom = Callable[[int], Sequence[bytes]]
"""The consistency proof from an old size (1 or more) to the size of the checkpoint."""


def submit(
    note: Note, url: str, key: VerifierKey, *, old_size: int, proof_from: ProofFrom, timeout_s: float = TIMEOUT_S
) -> tuple[NoteSignature, ...]:
    """The verified signature lines of this witness for this checkpoint, without those of other keys.

    `url` is the submission prefix of the witness, `old_size` what it cosigned last as far as is known, else 0; when it
    tells another size, the proof is made anew from there. Raises `Unavailable` when it does not cosign; the rule tells
    why: `witness.ahead`, `witness.refused`, `witness.answer`, or `outbound.silent`.
    """
    size, host = Checkpoint.parse(note.text).size, urlsplit(url).netloc
    for _ in range(_TRIES):
        if old_size > size:
            raise _unavailable(
                "witness.ahead", say("The witness %(host)s has cosigned a larger log than this one.", host=host)
            )
        answer = _ask(note, url, old_size, proof_from, timeout_s)
        if answer.status == _OK:
            return _cosignatures(note, key, answer.body, host)
        if answer.status != witness.CONFLICT or answer.media_type != witness.SIZE_TYPE:
            raise _refused(host, answer.status)
        try:
            old_size = witness.parse_size(answer.body)
        except SigningError as error:
            raise _odd(host) from error
    raise _refused(host, witness.CONFLICT)


def load_policy(path: Path) -> Policy:
    """The policy with the witnesses to ask. Raises `Unavailable`, with the line that is to blame."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_POLICY + 1)
    except OSError as error:
        raise _bad_policy(path, error.strerror or "") from error
    try:
        policy = Policy.parse(data)
    except SigningError as error:
        raise _bad_policy(path, error.message) from error
    for one in policy.witnesses:
        if one.url:
            outbound.check_address(one.url, "LOTSEAL_WITNESSES")
    return policy


def _ask(note: Note, url: str, old_size: int, proof_from: ProofFrom, timeout_s: float) -> outbound.Answer:
    request = Request(old_size, tuple(proof_from(old_size)) if old_size else (), note)
    return outbound.post(
        f"{url.rstrip('/')}/add-checkpoint",
        bytes(request),
        media_type="text/plain; charset=utf-8",
        limit=witness.MAX_ANSWER,
        timeout_s=timeout_s,
    )


def _cosignatures(note: Note, key: VerifierKey, body: bytes, host: str) -> tuple[NoteSignature, ...]:
    try:
        lines = tuple(line for line in witness.parse_answer(body) if line.is_of(key))
        # One note with all of them: it has no cosignature of this key when there is no line, or a false one.
        verify_cosignature(Note(note.text, lines), key)
    except SigningError as error:
        raise _odd(host) from error
    return lines


def _bad_policy(path: Path, reason: str) -> Unavailable:
    sentence = say("The policy %(path)s cannot be used: %(reason)s. See LOTSEAL_WITNESSES.", path=path, reason=reason)
    return _unavailable("witness.policy", sentence)


def _refused(host: str, status: int) -> Unavailable:
    sentence = say(
        "The witness %(host)s does not cosign this checkpoint (status %(status)d).", host=host, status=status
    )
    return _unavailable("witness.refused", sentence)


def _odd(host: str) -> Unavailable:
    return _unavailable("witness.answer", say("What the witness %(host)s answered is no cosignature.", host=host))


def _unavailable(rule: str, message: Message) -> Unavailable:
    return Unavailable(Problem(None, rule, message))
