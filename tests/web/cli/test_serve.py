"""The real script in processes of its own."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import pytest
from serving import free_port, wait_for
from shells import GTIN, LOT, SCRIPT, Shell, environment

from lotseal.signing.checkpoint import Checkpoint
from lotseal.signing.notes import Note

PATIENCE_S = 60


def clean(data: Path, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "TMPDIR")}
    return {**kept, "LC_ALL": "C.UTF-8", **environment(data, **more)}


@contextmanager
def running(shell: Shell, *words: str) -> Iterator[subprocess.Popen[str]]:
    """In a session of its own, so that Ctrl-C can be sent to all of it as a terminal does."""
    process = subprocess.Popen(
        [SCRIPT, *words], env=clean(shell.data), cwd="/", stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def test_the_script_works_from_another_folder(shop: Shell, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    words = [SCRIPT, "product", "list", "--json"]
    done = subprocess.run(words, env=clean(shop.data), cwd=elsewhere, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["products"][0]["gtin"] == GTIN
    assert done.stderr == ""
    refused = subprocess.run([SCRIPT, "product", "show", "1"], env=clean(shop.data), cwd=elsewhere, capture_output=True)
    assert refused.returncode == 1
    assert list(elsewhere.iterdir()) == []


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_serve_answers_runs_jobs_and_stops_gracefully(shop: Shell, stop: signal.Signals) -> None:
    port = free_port()
    with running(shop, "serve", "--port", str(port)) as server:
        assert wait_for(f"http://127.0.0.1:{port}/01/{GTIN}", server)
        run = shop.ok("codes", "issue", GTIN, LOT, "--count", "3", "--background")["run"]
        taken = shop.run("serve", "--port", str(port))
        assert (taken.exit_code, "serve.port-taken" in taken.stderr) == (3, True)
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            found = {one["run"]: one["issued"] for one in shop.ok("codes", "list", GTIN, LOT)["runs"]}
            if found[run] == 3:
                break
            time.sleep(0.2)
        assert found[run] == 3
        os.killpg(server.pid, stop) if stop is signal.SIGINT else server.terminate()
        _, said = server.communicate(timeout=PATIENCE_S)
    assert server.returncode == 0, said
    assert said.rstrip().endswith("Stopped.")
    assert "Traceback" not in said


def test_serve_refuses_unsafe_settings_and_says_what_to_set(shop: Shell) -> None:
    shop.more = {"LOTSEAL_MODE": "production", "LOTSEAL_PUBLIC_URL": "http://t.example.cn"}
    assert "LOTSEAL_PUBLIC_URL" in shop.run("serve").stderr
    assert shop.run("serve").exit_code == 1
    shop.more = {"LOTSEAL_PUBLIC_URL": ""}
    assert "LOTSEAL_PUBLIC_URL" in shop.run("serve").stderr


@pytest.mark.parametrize("words", [("serve",), ("worker", "--once")])
@pytest.mark.parametrize("suffix", ["pem", "secret"])
def test_nothing_starts_while_others_may_read_a_key(shop: Shell, words: tuple[str, ...], suffix: str) -> None:
    next((shop.data / "keys").glob(f"*.{suffix}")).chmod(0o640)
    started = shop.run(*words)
    assert (started.exit_code, "key.mode" in started.stderr) == (3, True)


def test_worker_stops_with_ctrl_c(fresh: Shell) -> None:
    with running(fresh, "worker") as worker:
        assert worker.stderr
        assert "waits for jobs" in worker.stderr.readline()
        os.killpg(worker.pid, signal.SIGINT)
        _, said = worker.communicate(timeout=PATIENCE_S)
    assert (worker.returncode, said.strip()) == (130, "Stopped.")


def test_the_witness_of_a_served_demo_cosigns_what_is_new_and_ends_with_it(tmp_path: Path) -> None:
    port = next(one for one in iter(free_port, None) if not listens(one + 1))
    demo = Shell(tmp_path / "demo")
    address = f"http://127.0.0.1:{port}/log/checkpoint"
    with running(demo, "demo", "--data", str(demo.data), "--port", str(port)) as served:
        assert wait_for(address, served)
        assert listens(port + 1)
        size = checkpoint(address).size
        trust = [SCRIPT, "link", "trust", "partner.example"]
        bare = {name: value for name, value in clean(demo.data).items() if not name.startswith("LOTSEAL_")}
        subprocess.run(trust, env=bare | {"LOTSEAL_DATA": str(demo.data)}, check=True, capture_output=True)
        until(lambda: checkpoint(address).size > size)
        until(lambda: len(note(address).signatures) == 2)
        served.kill()
        served.wait()
        until(lambda: not listens(port + 1))


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < end
        time.sleep(0.1)


def note(address: str) -> Note:
    with urlopen(address) as answer:
        return Note.parse(answer.read())


def checkpoint(address: str) -> Checkpoint:
    return Checkpoint.parse(note(address).text)


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_the_demo_is_built_once_and_every_command_works_on_its_folder_alone(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    words = [SCRIPT, "demo", "--data", folder, "--no-serve", "--json"]
    bare = {name: value for name, value in clean(folder).items() if not name.startswith("LOTSEAL_")}
    first = json.loads(subprocess.run(words, env=bare, cwd="/", capture_output=True, check=True).stdout)
    assert all(account["password"] for account in first["accounts"])
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    again = subprocess.run(words, env=bare, cwd="/", capture_output=True, text=True, check=True)
    second = json.loads(again.stdout)
    assert "nothing is changed" in again.stderr
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before
    assert second["codes"] == first["codes"]
    assert not any(account["password"] for account in second["accounts"])
    alone = {**bare, "LOTSEAL_DATA": str(folder)}
    code = next(code for code in first["codes"] if code["state"] == "recalled")
    checked = subprocess.run(
        [SCRIPT, "codes", "check", code["url"], "--json"], env=alone, cwd="/", capture_output=True, check=True
    )
    assert json.loads(checked.stdout)["state"] == "recalled"
    assert subprocess.run([SCRIPT, "doctor"], env=alone, cwd="/", capture_output=True).returncode == 0
