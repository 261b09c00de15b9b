"""`lotseal witness`, as processes of their own; killed while they work."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from urllib.request import urlopen

import pytest
from click.testing import CliRunner, Result
from log_makers import LEAVES, LOG, ORIGIN, signed
from serving import free_port, wait_for
from shells import SCRIPT
from witness_makers import NAME, PASSPHRASE, a_witness

from lotseal.signing import merkle
from lotseal.signing.cosignature import verify_cosignature
from lotseal.signing.notes import Note
from lotseal.signing.vkeys import Algorithm, VerifierKey
from lotseal.signing.witness import Request
from lotseal.trace.errors import Unavailable
from lotseal.trace.log.witnesses import submit
from lotseal.trace.witness import state
from lotseal.web.cli import main


def run(*words: str, passphrase: str = PASSPHRASE) -> Result:
    return CliRunner().invoke(main, ["witness", *words], env={"LOTSEAL_WITNESS_PASSPHRASE": passphrase})


def test_a_witness_is_made_and_told_what_to_follow(tmp_path: Path) -> None:
    folder = str(tmp_path / "w")
    made = run("init", "--state", folder, "--name", NAME)
    assert made.exit_code == 0, made.output
    key = VerifierKey.parse(made.stdout.strip())
    assert (key.name, key.algorithm) == (NAME, Algorithm.COSIGNATURE_V1)
    assert run("log", "add", "--state", folder, str(LOG.key)).exit_code == 0
    listed = json.loads(run("log", "list", "--state", folder, "--json").stdout)
    assert listed["logs"] == [{"origin": ORIGIN, "size": None, "vkey": str(LOG.key)}]
    again = run("init", "--state", folder, "--name", NAME)
    assert (again.exit_code, "already" in again.output) == (1, True)


def test_init_speaks_json(tmp_path: Path) -> None:
    made = json.loads(run("init", "--state", str(tmp_path / "w"), "--name", NAME, "--json").stdout)
    assert VerifierKey.parse(made["vkey"]).name == made["name"] == NAME


def test_what_cannot_be_is_refused_with_a_sentence(tmp_path: Path) -> None:
    refused = run("init", "--state", str(tmp_path / "w"), "--name", NAME, passphrase="short")
    assert (refused.exit_code, "LOTSEAL_WITNESS_PASSPHRASE" in refused.output) == (1, True)
    assert not (tmp_path / "w").exists()
    assert run("log", "add", "--state", str(tmp_path), str(LOG.key)).exit_code == 3
    assert run("serve", "--state", str(tmp_path)).exit_code == 3


def test_the_passphrase_may_stand_in_the_folder_of_the_witness(tmp_path: Path) -> None:
    folder = tmp_path / "w"
    folder.mkdir()
    (folder / "lotseal.env").write_text(f"LOTSEAL_WITNESS_PASSPHRASE={PASSPHRASE}\n")
    words = ["witness", "init", "--state", str(folder), "--name", NAME]
    assert CliRunner().invoke(main, words, env={"LOTSEAL_WITNESS_PASSPHRASE": None}).exit_code == 0
    state.open_witness(folder, PASSPHRASE)


class Served:
    """A witness that runs in a process of its own, as often as it is started."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.vkey = a_witness(folder).vkey
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"

    @contextmanager
    def running(self) -> Iterator[subprocess.Popen[str]]:
        kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "TMPDIR")}
        process = subprocess.Popen(
            [SCRIPT, "witness", "serve", "--state", str(self.folder), "--port", str(self.port)],
            env={**kept, "LC_ALL": "C.UTF-8", "LOTSEAL_WITNESS_PASSPHRASE": PASSPHRASE},
            cwd="/", stderr=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip
        try:
            assert wait_for(f"{self.url}/", process) == 404
            yield process
        finally:
            if process.poll() is None:
                kill(process)
            process.communicate()

    def submit(self, size: int, old: int) -> None:
        def proof(older: int) -> list[bytes]:
            return merkle.consistency_proof(LEAVES[:size], older)

        submit(signed(size), self.url, self.vkey, old_size=old, proof_from=proof, timeout_s=20)


def kill(process: subprocess.Popen[str]) -> None:
    """All of it at once: the process that answers runs in a group of its own."""
    for child in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split():
        os.kill(int(child), signal.SIGKILL)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@pytest.fixture
def witness(tmp_path: Path) -> Served:
    return Served(tmp_path / "witness")


def test_a_witness_serves_logs_and_monitors_and_stops_gracefully(witness: Served) -> None:
    with witness.running() as process:
        witness.submit(5, 0)
        witness.submit(7, 5)
        with urlopen(f"{witness.url}/{hashlib.sha256(ORIGIN.encode()).hexdigest()}/checkpoint") as answer:
            note = Note.parse(answer.read())
        verify_cosignature(note, witness.vkey)
        process.terminate()
        assert process.wait(timeout=60) == 0
    assert state.logs(witness.folder)[0].size == 7


def test_who_says_half_a_request_and_waits_holds_up_nobody(witness: Served) -> None:
    """More of them than there are threads, and as many monitors as before are answered."""
    with witness.running(), ExitStack() as held:
        for _ in range(12):
            half = held.enter_context(socket.create_connection(("127.0.0.1", witness.port)))
            half.sendall(b"POST /add-checkpoint HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\nold")
        # One after the other: by the second at the latest, those who wait would hold every thread.
        for size, before in ((5, 0), (6, 5), (7, 6)):
            witness.submit(size, before)


def test_a_request_in_chunks_is_a_request(witness: Served) -> None:
    body = bytes(Request(0, (), signed(5)))
    with witness.running():
        connection = HTTPConnection("127.0.0.1", witness.port, timeout=30)
        connection.request("POST", "/add-checkpoint", iter([body[:9], body[9:]]), encode_chunked=True)
        assert connection.getresponse().status == 200
        connection.close()


def test_a_killed_witness_never_forgets_what_it_cosigned(witness: Served) -> None:
    """Killed in the middle of a stream of requests: its state has everything that any client ever got to see."""
    cosigned = [0]
    enough = threading.Event()

    def push() -> None:
        for size in range(1, len(LEAVES)):
            try:
                witness.submit(size, cosigned[-1])
            except Unavailable:
                return
            cosigned.append(size)
            if size == 9:
                enough.set()

    with witness.running() as process:
        pushing = threading.Thread(target=push)
        pushing.start()
        assert enough.wait(60)
        kill(process)
        pushing.join()
    kept = state.logs(witness.folder)[0].size
    # The last request may have been kept and its answer lost; nothing that was answered is lost.
    assert kept in (cosigned[-1], cosigned[-1] + 1)
    with witness.running():
        witness.submit(299, cosigned[-1])
    assert state.logs(witness.folder)[0].size == 299
