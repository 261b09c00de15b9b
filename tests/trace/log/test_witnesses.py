"""The client's side, against a real witness over HTTP and against hostile ones."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from log_makers import LEAVES, LOG, NOON, WITNESSES, Signer, checkpoint, signed
from serving import recording, saying, served
from witness_makers import a_witness

from lotseal.signing import merkle, witness
from lotseal.signing.cosignature import cosign, verify_cosignature
from lotseal.signing.notes import NoteSignature
from lotseal.signing.tlog_policy import Log, Policy, Witness
from lotseal.signing.vkeys import Algorithm, VerifierKey
from lotseal.trace.errors import Invalid, Unavailable
from lotseal.trace.log.witnesses import load_policy, submit
from lotseal.web.witness import application

W = WITNESSES[0]


class Real:
    """A real witness, and every body that it was sent."""

    def __init__(self, folder: Path) -> None:
        made = a_witness(folder)
        self.vkey, self.app = made.vkey, application(made)
        self.asked: list[int] = []
        self.url = ""

    def keep(self, body: bytes) -> None:
        self.asked.append(witness.read(body)[0].old_size)

    def submit(self, size: int, old: int) -> tuple[NoteSignature, ...]:
        return ask(self.url, self.vkey, size, old)


def ask(url: str, key: VerifierKey, size: int = 7, old: int = 0) -> tuple[NoteSignature, ...]:
    def proof(older: int) -> list[bytes]:
        return merkle.consistency_proof(LEAVES[:size], older)

    return submit(signed(size), url, key, old_size=old, proof_from=proof, timeout_s=5)


@pytest.fixture
def real(tmp_path: Path) -> Iterator[Real]:
    one = Real(tmp_path / "witness")
    with served(recording(one.app, one.keep)) as one.url:
        yield one


def test_a_witness_cosigns_what_grows(real: Real) -> None:
    for old, size in ((0, 5), (5, 8), (8, 8), (8, 300)):
        (line,) = real.submit(size, old)
        assert verify_cosignature(signed(size).signed_also(line), real.vkey)
    assert real.asked == [0, 5, 8, 8]


@pytest.mark.parametrize("believed", [0, 3, 6])
def test_a_client_that_does_not_know_the_size_learns_it(real: Real, believed: int) -> None:
    real.submit(5, 0)
    real.submit(7, believed)
    assert real.asked == [0, believed, 5]


def test_a_witness_that_lost_its_state_is_served_from_the_start(real: Real) -> None:
    real.submit(7, 5)
    assert real.asked == [5, 0]


def test_a_log_that_went_back_is_told_so(real: Real) -> None:
    """As after an old backup: the witness knows more than the log does."""
    real.submit(8, 0)
    with pytest.raises(Unavailable) as refused:
        real.submit(5, 5)
    assert refused.value.problems[0].rule == "witness.ahead"


def test_a_refusal_is_told(tmp_path: Path) -> None:
    stranger = a_witness(tmp_path / "w", Signer("another.example", Algorithm.ED25519).key)
    with served(application(stranger)) as url, pytest.raises(Unavailable) as refused:
        ask(url, stranger.vkey)
    assert refused.value.problems[0].rule == "witness.refused"
    assert "404" in str(refused.value)


def test_lines_of_other_keys_are_left_out() -> None:
    lines = [cosign(checkpoint(7), one.key, one.sign, NOON) for one in WITNESSES[:3]]
    with served(saying("200 OK", "text/plain", witness.answer(lines))) as url:
        assert ask(url, W.key) == (lines[0],)


ANOTHER = cosign(checkpoint(8), W.key, W.sign, NOON)
STRANGER = cosign(checkpoint(7), WITNESSES[1].key, WITNESSES[1].sign, NOON)
TRUE = cosign(checkpoint(7), W.key, W.sign, NOON)
FALSE = NoteSignature(W.key.name, W.key.key_id, NOON.to_bytes(8, "big") + bytes(64))


@pytest.mark.parametrize(
    "body",
    [
        b"", b"ok\n", b"\xff", witness.answer([ANOTHER]), witness.answer([STRANGER]), witness.answer([TRUE, FALSE]),
        witness.answer([FALSE]), witness.answer([TRUE])[:-1], witness.answer([TRUE]) + b"\n", b"x" * 70_000,
    ],
)  # fmt: skip
def test_an_answer_that_is_no_cosignature_of_this_checkpoint_is_refused(body: bytes) -> None:
    with served(saying("200 OK", "text/plain", body)) as url, pytest.raises(Unavailable):
        ask(url, W.key)


@pytest.mark.parametrize("body", [b"", b"5", b"05\n", b"-1\n", b"x\n", b"9" * 50 + b"\n"])
def test_a_conflict_without_a_size_is_refused(body: bytes) -> None:
    with served(saying("409 Conflict", "text/x.tlog.size", body)) as url, pytest.raises(Unavailable) as refused:
        ask(url, W.key)
    assert refused.value.problems[0].rule == "witness.answer"


def test_a_witness_that_always_wants_another_size_is_given_up() -> None:
    asked: list[bytes] = []
    app = recording(saying("409 Conflict", "text/x.tlog.size", b"3\n"), asked.append)
    with served(app) as url, pytest.raises(Unavailable) as refused:
        ask(url, W.key)
    assert refused.value.problems[0].rule == "witness.refused"
    assert len(asked) == 3


def test_another_conflict_is_a_refusal() -> None:
    with served(saying("409 Conflict", "text/html", b"5\n")) as url, pytest.raises(Unavailable):
        ask(url, W.key)


def test_a_policy_comes_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "policy"
    policy = Policy((Log(LOG.key),), (Witness("a", W.key, "https://w.example/"),), (), "a")
    path.write_bytes(bytes(policy))
    assert load_policy(path) == policy


@pytest.mark.parametrize("text", [None, b"", b"quorum none", b"quorum w\n", b"x" * 300_000])
def test_a_policy_that_cannot_be_used_is_told(text: bytes | None, tmp_path: Path) -> None:
    if text is not None:
        (tmp_path / "policy").write_bytes(text)
    with pytest.raises(Unavailable) as refused:
        load_policy(tmp_path / "policy")
    assert refused.value.problems[0].rule == "witness.policy"


def test_a_policy_with_an_address_that_may_not_be_asked_is_refused(tmp_path: Path) -> None:
    (tmp_path / "policy").write_bytes(f"witness a {W.key} http://w.example/\nquorum a\n".encode())
    with pytest.raises(Invalid):
        load_policy(tmp_path / "policy")
