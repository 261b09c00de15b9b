"""A witness as its specification describes it, from the first request to the last crash."""

from __future__ import annotations

import hashlib
import io
import sqlite3
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from log_makers import LEAVES, LOG, ORIGIN, Signer, checkpoint, signed
from witness_makers import PASSPHRASE, a_witness

from lotseal.signing import merkle, witness
from lotseal.signing.checkpoint import Checkpoint, sign_checkpoint
from lotseal.signing.cosignature import verify_cosignature
from lotseal.signing.notes import Note, NoteSignature
from lotseal.signing.vkeys import Algorithm
from lotseal.signing.witness import Request
from lotseal.trace.errors import Conflict, Invalid, Unavailable
from lotseal.trace.witness import state
from lotseal.trace.witness.state import Witness
from lotseal.web.witness import application

ORIGIN_HASH = hashlib.sha256(ORIGIN.encode()).hexdigest()


@dataclass
class Reply:
    status: int
    kind: str
    body: bytes


class Client:
    """Talks to the application as a server would."""

    def __init__(self, made: Witness, folder: Path) -> None:
        self.folder = folder
        self.vkey = made.vkey
        self._app = application(made)

    def restart(self) -> None:
        self._app = application(state.open_witness(self.folder, PASSPHRASE))

    def send(
        self, path: str, body: bytes = b"", method: str = "POST", length: str | None = None, **more: object
    ) -> Reply:
        got: dict[str, Any] = {}

        def start(status: str, headers: list[tuple[str, str]], *_more: object) -> Callable[[bytes], object]:
            got.update(status=int(status[:3]), headers=dict(headers))
            return lambda data: None

        environ = {
            "REQUEST_METHOD": method,
            "PATH_INFO": path,
            "CONTENT_LENGTH": str(len(body)) if length is None else length,
            "wsgi.input": io.BytesIO(body),
            **more,
        }
        data = b"".join(self._app(environ, start))
        return Reply(got["status"], got["headers"]["Content-Type"], data)

    def add(self, old: int, size: int, note: Note | None = None, proof: list[bytes] | None = None) -> Reply:
        if proof is None:
            proof = merkle.consistency_proof(LEAVES[:size], old) if 0 < old <= size else []
        return self.send("/add-checkpoint", bytes(Request(old, tuple(proof), note or signed(size))))

    def size(self) -> int | None:
        return state.logs(self.folder)[0].size


@pytest.fixture
def client(tmp_path: Path) -> Client:
    return Client(a_witness(tmp_path / "witness"), tmp_path / "witness")


def assert_cosigned(client: Client, reply: Reply, size: int) -> None:
    assert reply.status == 200, reply.body
    (line,) = witness.parse_answer(reply.body)
    assert verify_cosignature(Note(checkpoint(size).text, (line,)), client.vkey) > 1_600_000_000


# --- the table of the specification -----------------------------------------------------------------------------------


def test_the_first_checkpoint_and_those_that_continue_it_are_cosigned(client: Client) -> None:
    old = 0
    for size in (5, 5, 6, 8, 8, 64, 300):
        assert_cosigned(client, client.add(old, size), size)
        assert client.size() == size
        old = size


def test_an_empty_log_is_cosigned_and_grows(client: Client) -> None:
    assert_cosigned(client, client.add(0, 0), 0)
    assert_cosigned(client, client.add(0, 0), 0)
    assert_cosigned(client, client.add(0, 3), 3)


def test_an_unknown_log_is_not_found(client: Client) -> None:
    other = Signer("another.example", Algorithm.ED25519)
    unknown = Checkpoint(other.key.name, 5, checkpoint(5).root)
    assert client.add(0, 5, sign_checkpoint(unknown, other.key, other.sign)).status == 404


def test_a_checkpoint_that_the_log_did_not_sign_is_forbidden(client: Client) -> None:
    impostor = Signer(ORIGIN, Algorithm.ED25519, "another seed")
    assert client.add(0, 5, sign_checkpoint(checkpoint(5), impostor.key, impostor.sign)).status == 403
    spoilt = signed(5).signed_also(NoteSignature(LOG.key.name, LOG.key.key_id, b"x" * 64))
    assert client.add(0, 5, spoilt).status == 403
    assert client.size() is None


def test_an_old_size_beyond_the_checkpoint_is_a_bad_request(client: Client) -> None:
    assert client.add(6, 5).status == 400


def test_another_old_size_is_a_conflict_that_tells_the_right_one(client: Client) -> None:
    client.add(0, 5)
    for old, size in ((0, 7), (4, 7), (6, 7), (0, 3)):
        reply = client.add(old, size)
        assert (reply.status, reply.kind, reply.body) == (409, "text/x.tlog.size", b"5\n")
    assert client.add(3, 7).body == b"5\n"
    assert client.size() == 5


def test_before_the_first_checkpoint_the_right_size_is_zero(client: Client) -> None:
    reply = client.add(3, 5)
    assert (reply.status, reply.body) == (409, b"0\n")


def test_a_proof_that_does_not_verify_is_unprocessable(client: Client) -> None:
    client.add(0, 5)
    right = merkle.consistency_proof(LEAVES[:7], 5)
    for proof in ([], right[:-1], [*right, right[0]], [LEAVES[0], *right[1:]], merkle.consistency_proof(LEAVES[:7], 6)):
        assert client.add(5, 7, proof=proof).status == 422
    assert client.size() == 5


def test_a_proof_from_the_empty_tree_is_unprocessable(client: Client) -> None:
    assert client.add(0, 5, proof=[LEAVES[0]]).status == 422


def test_two_checkpoints_of_one_size_are_unprocessable(client: Client) -> None:
    """A split view: the log signs a second history of the same length."""
    client.add(0, 5)
    second = Checkpoint(ORIGIN, 5, merkle.root(LEAVES[1:6]))
    assert client.add(5, 5, sign_checkpoint(second, LOG.key, LOG.sign)).status == 422
    assert client.add(5, 5, proof=[LEAVES[0]]).status == 422
    assert_cosigned(client, client.add(5, 5), 5)


def test_an_empty_tree_with_a_root_is_unprocessable(client: Client) -> None:
    odd = Checkpoint(ORIGIN, 0, LEAVES[0])
    assert client.add(0, 0, sign_checkpoint(odd, LOG.key, LOG.sign)).status == 422


@pytest.mark.parametrize(
    "body",
    [b"", b"\0", b"old 0\n\n", b"{}", b"old -1\n\n", b"\xff" * 100, b"old 0\n" * 100, b"\n" * 1_000, "— ".encode() * 9],
)
def test_a_hostile_body_is_a_bad_request(client: Client, body: bytes) -> None:
    assert client.send("/add-checkpoint", body).status == 400


def test_every_cut_of_a_request_is_refused(client: Client) -> None:
    whole = bytes(Request(0, (), signed(5)))
    assert {client.send("/add-checkpoint", whole[:cut]).status for cut in range(len(whole))} == {400}
    assert client.size() is None


def test_a_body_beyond_the_bound_is_not_read(client: Client) -> None:
    long = b"x" * (witness.MAX_REQUEST + 1)
    assert client.send("/add-checkpoint", long).status == 413
    assert client.send("/add-checkpoint", b"", length="9" * 9).status == 413
    assert client.send("/add-checkpoint", b"x" * witness.MAX_REQUEST).status == 400
    for length in ("", "-1", "²", "1 0", "9" * 400):
        assert client.send("/add-checkpoint", long, length=length).status == 411


def test_a_body_that_comes_in_pieces_is_read_to_its_end_and_to_the_bound(client: Client) -> None:
    """Without a length, as from a proxy that speaks HTTP/2: then the server marks where the body ends."""
    marked: dict[str, object] = {"wsgi.input_terminated": True}
    whole = bytes(Request(0, (), signed(5)))
    assert_cosigned(client, client.send("/add-checkpoint", whole, length="", **marked), 5)
    for size, status in ((0, 400), (witness.MAX_REQUEST, 400), (witness.MAX_REQUEST + 1, 413)):
        assert client.send("/add-checkpoint", b"x" * size, length="", **marked).status == status
    assert client.send("/add-checkpoint", whole, length="-1", **marked).status == 411


def test_there_is_nothing_else(client: Client) -> None:
    for path in ("/", "/add-checkpoint/", "/sign-subtree", "/checkpoint", f"/{ORIGIN_HASH.upper()}/checkpoint"):
        assert client.send(path).status == 404
    for method in ("GET", "PUT", "DELETE"):
        assert client.send("/add-checkpoint", method=method).status == 405
    assert client.send(f"/{ORIGIN_HASH}/checkpoint", method="POST").status == 405


def test_monitors_get_the_latest_checkpoint_with_both_signatures(client: Client) -> None:
    address = f"/{ORIGIN_HASH}/checkpoint"
    assert client.send(address, method="GET").status == 404
    client.add(0, 5, signed(5).signed_also(NoteSignature("elsewhere", b"1234", b"x" * 64)))
    reply = client.send(address, method="GET")
    assert (reply.status, reply.kind) == (200, "text/plain; charset=utf-8")
    note = Note.parse(reply.body)
    assert note.text == checkpoint(5).text
    assert [line.name for line in note.signatures] == [ORIGIN, "witness.example/w1"]
    verify_cosignature(note, client.vkey)
    assert client.send(address, method="HEAD").body == b""


# --- state ------------------------------------------------------------------------------------------------------------


def test_a_restarted_witness_remembers(client: Client) -> None:
    client.add(0, 5)
    client.restart()
    assert client.add(0, 7).body == b"5\n"
    assert_cosigned(client, client.add(5, 7), 7)


def test_of_many_requests_at_once_one_continues_the_log(client: Client) -> None:
    """Each thread asks from the same old size to another new one: the second to come meets a conflict."""
    client.add(0, 5)
    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda size: (size, client.add(5, size)), range(6, 30)))
    won = [size for size, reply in replies if reply.status == 200]
    assert len(won) == 1
    assert {reply.status for _size, reply in replies} == {200, 409}, "they wait for each other and do not fail"
    assert client.size() == won[0]
    assert {reply.body for _size, reply in replies if reply.status == 409} == {b"%d\n" % won[0]}


def test_no_race_ever_takes_leaves_back(client: Client) -> None:
    """Four writers of one log push on as they learn of each other; in the end the largest cosigned size stands."""
    seen: list[int] = []

    def push(start: int) -> None:
        old = 0
        for size in range(start, 60, 4):
            reply = client.add(old, size)
            if reply.status == 409:
                old = int(reply.body)
                reply = client.add(old, size) if old <= size else reply
            if reply.status == 200:
                seen.append(size)
                old = size

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(push, range(1, 5)))
    assert client.size() == max(seen)


def test_the_store_itself_refuses_to_go_back(client: Client) -> None:
    """Even a fault of this program, or a hand with an SQL shell and no thought, meets a guard."""
    client.add(0, 5)
    store = sqlite3.connect(client.folder / state.STORE_FILE)
    for statement in ("UPDATE head SET size = 4", "DELETE FROM head", "UPDATE head SET origin = 'other'"):
        with pytest.raises(sqlite3.IntegrityError):
            store.execute(statement)
        store.rollback()
    store.close()
    assert client.size() == 5


def test_nothing_is_cosigned_when_it_cannot_be_kept(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    client.add(0, 5)

    def full(*_arguments: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(state, "_keep", full)
        reply = client.add(5, 7)
        assert reply.status == 503
        assert b"witness.example" not in reply.body
    assert client.size() == 5
    assert_cosigned(client, client.add(5, 7), 7)


def test_a_failing_signer_keeps_nothing(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_arguments: object) -> None:
        raise RuntimeError("the token is gone")

    with monkeypatch.context() as patch:
        patch.setattr(state, "cosign", broken)
        with pytest.raises(RuntimeError):
            client.add(0, 5)
    assert client.size() is None
    assert_cosigned(client, client.add(0, 7), 7)


def test_a_log_may_change_its_key(client: Client) -> None:
    client.add(0, 5)
    newer = Signer(ORIGIN, Algorithm.ED25519, "newer")
    note = sign_checkpoint(checkpoint(7), newer.key, newer.sign)
    assert client.add(5, 7, note).status == 403
    assert state.add_log(client.folder, str(newer.key)).size == 5
    assert_cosigned(client, client.add(5, 7, note), 7)


def test_key_and_store_are_for_the_owner_only(client: Client) -> None:
    client.add(0, 5)
    assert stat.S_IMODE(client.folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in client.folder.iterdir()} == {0o600}
    (client.folder / state.KEY_FILE).chmod(0o640)
    with pytest.raises(Unavailable) as refused:
        client.restart()
    assert refused.value.problems[0].rule == "witness.key-mode"


def test_a_witness_opens_with_its_own_passphrase_and_key_only(client: Client, tmp_path: Path) -> None:
    for passphrase in ("wrong", ""):
        with pytest.raises(Unavailable):
            state.open_witness(client.folder, passphrase)
    state.create(tmp_path / "other", "witness.example/w2", PASSPHRASE)
    (tmp_path / "other" / state.KEY_FILE).replace(client.folder / state.KEY_FILE)
    with pytest.raises(Unavailable) as refused:
        client.restart()
    assert refused.value.problems[0].rule == "witness.locked"
    (client.folder / state.KEY_FILE).unlink()
    with pytest.raises(Unavailable):
        client.restart()


def test_a_witness_is_made_once(client: Client, tmp_path: Path) -> None:
    with pytest.raises(Conflict):
        state.create(client.folder, "witness.example/w1", PASSPHRASE)
    for name, passphrase in (("with space", PASSPHRASE), ("", PASSPHRASE), ("w+1", PASSPHRASE), ("w1", "short")):
        with pytest.raises(Invalid):
            state.create(tmp_path / "new", name, passphrase)
    assert not (tmp_path / "new").exists()


def test_only_keys_of_logs_are_followed(client: Client, tmp_path: Path) -> None:
    for text in ("", "no key", str(client.vkey), str(LOG.key)[:-1]):
        with pytest.raises(Invalid):
            state.add_log(client.folder, text)
    state.add_log(client.folder, str(LOG.key))
    assert [(known.origin, known.size) for known in state.logs(client.folder)] == [(ORIGIN, None)]
    with pytest.raises(Unavailable):
        state.add_log(tmp_path / "nowhere", str(LOG.key))


def test_a_broken_store_is_told_and_answers_nothing(client: Client) -> None:
    (client.folder / state.STORE_FILE).write_bytes(b"no database at all" * 100)
    assert client.add(0, 5).status == 503
