"""`lotseal log`: sealing, and the reading of a log as an outsider."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from shells import GTIN, LOT, Shell, environment

from lotseal.trace import settings
from lotseal.trace.system import open_system
from lotseal.web import create_app


class Quiet(WSGIRequestHandler):
    def log_message(self, *_words: object) -> None:
        """Nothing on the terminal."""


@pytest.fixture
def address(shop: Shell) -> Iterator[str]:
    """Where the log of the shop is served."""
    system = open_system(settings.load(environment(shop.data)))
    server = make_server("127.0.0.1", 0, create_app(system), handler_class=Quiet)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/log/"
    server.shutdown()
    thread.join()
    server.server_close()
    system.close()


def test_every_command_that_changes_something_seals_it(shop: Shell) -> None:
    before = shop.ok("log", "status")
    assert (before["waiting"], before["published"]) == (0, before["size"])
    shop.ok("batch", "hold", GTIN, LOT, "--reason-zh", "复检", "--reason-en", "Tested again")
    after = shop.ok("log", "status")
    assert (after["size"], after["waiting"]) == (before["size"] + 1, 0)


def test_a_log_that_cannot_be_sealed_now_waits_and_says_so(shop: Shell) -> None:
    for file in (shop.data / "keys").glob("*.pem"):
        file.rename(file.with_suffix(".away"))
    result = shop.run("supplier", "suspend", "91999999MADEM0011Y", "--reason", "papers")
    assert result.exit_code == 0
    assert "The log is sealed later" in result.stderr
    assert shop.ok("log", "status")["waiting"] == 1


def test_an_outsider_reads_the_whole_log_over_http(shop: Shell, address: str, tmp_path: Path) -> None:
    elsewhere = Shell(tmp_path / "nothing")
    read = elsewhere.ok("log", "verify", "--url", address)
    assert (read["sound"], read["policy"]) == (True, "from the log itself")
    assert read["size"] == shop.ok("log", "status")["size"]


def test_who_kept_the_policy_and_a_state_reads_on_from_there(shop: Shell, address: str, tmp_path: Path) -> None:
    policy, state = tmp_path / "policy", tmp_path / "state"
    policy.write_text(shop.said("log", "policy"))
    words = ("log", "verify", "--url", address, "--policy", str(policy), "--state", str(state))
    first = shop.ok(*words)
    shop.ok("batch", "hold", GTIN, LOT, "--reason-zh", "复检", "--reason-en", "Tested again")
    second = shop.ok(*words)
    assert (first["read_from"], second["read_from"]) == (0, first["size"])
    assert (second["size"], second["policy"]) == (first["size"] + 1, "own")


def test_a_wrong_file_of_the_auditor_says_nothing_about_the_log(shop: Shell, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_text("nonsense\n")
    for option in ("policy", "since", "state"):
        result = shop.run("log", "verify", "--data", str(shop.data), f"--{option}", str(wrong))
        assert result.exit_code == 1
        assert f"{option}: This file of yours cannot be used" in result.output
        assert "NOT SOUND" not in result.output


def test_a_log_that_was_rolled_back_is_named(shop: Shell, tmp_path: Path) -> None:
    kept = tmp_path / "checkpoint"
    old = {path: path.read_bytes() for path in (shop.data / "log").rglob("*") if path.is_file()}
    shop.ok("batch", "hold", GTIN, LOT, "--reason-zh", "复检", "--reason-en", "Tested again")
    kept.write_bytes((shop.data / "log" / "checkpoint").read_bytes())
    for path, data in old.items():
        path.write_bytes(data)
    result = shop.run("log", "verify", "--data", str(shop.data), "--since", str(kept))
    assert result.exit_code == 4
    assert "[monitor.shrunk]" in result.stdout


def test_an_edited_entry_is_named_by_its_index(shop: Shell) -> None:
    [bundle] = sorted((shop.data / "log" / "tile" / "entries").rglob("000*.p/*"), key=lambda path: int(path.name))[-1:]
    data = bundle.read_bytes()
    bundle.write_bytes(data.replace(b'"act":"batch:submit"', b'"act":"batch:recall"', 1))
    result = shop.run("log", "verify", "--data", str(shop.data), "--json")
    assert result.exit_code == 4
    assert '"sound": false' in result.stdout


@pytest.mark.parametrize(
    "words",
    [
        (),
        *(
            ("--url", url)
            for url in ("ftp://x", "http://127.0.0.1:9/log", "http://x:abc/", "http://[::1/", "http://a..b/")
        ),
    ],
)
def test_an_address_that_leads_nowhere_is_a_sentence(fresh: Shell, words: tuple[str, ...]) -> None:
    result = fresh.run("log", "verify", *words)
    assert result.exit_code in (1, 3)
    assert "Traceback" not in result.output
