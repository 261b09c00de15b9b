"""`lotseal key`: list, add what is missing, rotate, revoke; the off-line root."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from shells import Shell

from lotseal.signing.endorsement import read_endorsement

ROOT = {"LOTSEAL_ROOT_PASSPHRASE": "correct horse root"}


def current(shell: Shell, role: str, kind: str = "pair") -> dict[str, Any]:
    [found] = [
        key
        for key in shell.ok("key", "list")["keys"]
        if (key["role"], key["kind"], key["state"]) == (role, kind, "current")
    ]
    return dict(found)


def test_an_older_data_folder_gets_what_it_lacks(fresh: Shell) -> None:
    with sqlite3.connect(fresh.data / "lotseal.db") as store:
        store.execute("DELETE FROM signing_key WHERE role IN ('log', 'status')")
    store.close()
    # Nor had it a log that was published.
    shutil.rmtree(fresh.data / "log")
    [bad] = [check for check in json.loads(fresh.run("doctor", "--json").stdout)["checks"] if check["level"] == "bad"]
    assert (bad["check"], "log, status" in bad["sentence"]) == ("key.missing-role", True)
    assert [key["role"] for key in fresh.ok("key", "add-missing")["made"]] == ["log", "status"]
    assert fresh.ok("key", "add-missing")["made"] == []
    assert "nothing is changed" in fresh.said("key", "add-missing")
    assert fresh.run("doctor").exit_code == 0


def test_a_key_is_revoked_with_a_reason_and_replaced(fresh: Shell) -> None:
    old = current(fresh, "credential")["kid"]
    [problem] = fresh.refused("key", "revoke", old)
    assert (problem["field"], problem["rule"]) == ("reason", "text.missing")
    done = fresh.ok("key", "revoke", old, "--reason", "stolen laptop")
    assert (done["state"], done["reason"], len(done["made"])) == ("revoked", "stolen laptop", 1)
    assert current(fresh, "credential")["kid"] == done["made"][0]["kid"]
    [told] = [key for key in fresh.ok("key", "history")["keys"] if key["kid"] == old]
    assert told["revoked_at"]
    assert fresh.refused("key", "revoke", old, "--reason", "again")[0]["rule"] == "key.revoked"
    assert fresh.refused("key", "revoke", "unknown", "--reason", "x")[0]["rule"] == "key.unknown"


@pytest.mark.parametrize("kid", ["-h8nSb", "--reasonable", "-", "--json_"])
def test_a_key_id_may_begin_like_an_option(fresh: Shell, kid: str) -> None:
    with sqlite3.connect(fresh.data / "lotseal.db") as store:
        store.execute("UPDATE signing_key SET kid = ? WHERE role = 'status'", (kid,))
    store.close()
    assert fresh.ok("key", "revoke", kid, "--reason", "stolen")["kid"] == kid


def test_without_a_token_the_settings_that_are_missing_are_named(fresh: Shell) -> None:
    [problem] = fresh.refused("key", "rotate", "credential", "--hsm", code=3)
    assert problem["rule"] == "hsm.settings"
    assert fresh.run("key", "rotate", "credential", "--token-key", "7").exit_code == 2
    assert fresh.run("key", "rotate", "root").exit_code == 2
    assert fresh.refused("key", "rotate", "log", "--hsm")[0]["rule"] == "key.home"
    assert current(fresh, "credential")["home"] == "file"


# --- the root ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root, made where no data folder is."""
    path = tmp_path / "stick" / "root.pem"
    path.parent.mkdir()
    Shell(tmp_path / "nothing", ROOT).ok("key", "root", "new", "--out", str(path))
    return path


def test_a_root_is_an_encrypted_file_that_is_made_once(root: Path, fresh: Shell) -> None:
    assert root.stat().st_mode & 0o777 == 0o600
    assert root.read_bytes().startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----")
    fresh.more = ROOT
    assert fresh.refused("key", "root", "new", "--out", str(root))[0]["rule"] == "root.exists"
    fresh.more = {"LOTSEAL_ROOT_PASSPHRASE": "short"}
    assert fresh.refused("key", "root", "new", "--out", f"{root}2")[0]["rule"] == "root.passphrase"
    fresh.more = {"LOTSEAL_ROOT_PASSPHRASE": "x" * 2000}
    assert fresh.refused("key", "root", "new", "--out", f"{root}2")[0]["rule"] == "root.passphrase"


def test_a_root_may_not_lie_in_the_data_folder(root: Path, fresh: Shell) -> None:
    fresh.more = ROOT
    inside = fresh.data / "keys" / "root.pem"
    assert fresh.refused("key", "root", "new", "--out", str(inside))[0]["rule"] == "root.inside"
    assert not inside.exists()
    inside.write_bytes(root.read_bytes())
    inside.chmod(0o600)
    assert fresh.refused("key", "root", "endorse", "--root", str(inside))[0]["rule"] == "root.inside"


def test_the_passphrase_is_asked_for_when_it_is_not_set(fresh: Shell, tmp_path: Path) -> None:
    path = tmp_path / "root.pem"
    typed = "correct horse root\n"
    made = json.loads(fresh.run("key", "root", "new", "--out", str(path), "--json", stdin=typed * 2).stdout)
    done = json.loads(fresh.run("key", "root", "endorse", "--root", str(path), "--json", stdin=typed).stdout)
    assert done["kid"] == made["kid"]


def test_the_root_endorses_the_history_until_that_changes(root: Path, fresh: Shell) -> None:
    assert fresh.ok("key", "root", "show")["kid"] is None
    fresh.more = ROOT
    done = fresh.ok("key", "root", "endorse", "--root", str(root))
    assert done["keys"] == 6
    found = read_endorsement(Path(done["file"]).read_bytes())
    assert found.history == fresh.ok("key", "history")["keys"]
    assert (found.history[-1]["role"], found.history[-1]["kid"], found.root.kid) == ("root", done["kid"], done["kid"])
    shown = fresh.ok("key", "root", "show")
    assert (shown["kid"], shown["current"]) == (done["kid"], True)
    fresh.ok("key", "rotate", "status")
    assert not fresh.ok("key", "root", "show")["current"]
    levels = {check["check"]: check["level"] for check in fresh.ok("doctor")["checks"]}
    assert levels["key.endorsement"] == "warning"
    assert fresh.ok("key", "root", "endorse", "--root", str(root))["keys"] == 7
    assert fresh.ok("key", "root", "show")["current"]
    assert "endorsed the key history as it is now" in fresh.said("key", "root", "show")


def test_another_root_retires_the_one_before(root: Path, fresh: Shell, tmp_path: Path) -> None:
    fresh.more = ROOT
    first = fresh.ok("key", "root", "endorse", "--root", str(root))["kid"]
    other = tmp_path / "other.pem"
    fresh.ok("key", "root", "new", "--out", str(other))
    second = fresh.ok("key", "root", "endorse", "--root", str(other))["kid"]
    roots = [(key["kid"], key["state"]) for key in fresh.ok("key", "list")["keys"] if key["role"] == "root"]
    assert roots == [(first, "retired"), (second, "current")]
    assert fresh.refused("key", "root", "endorse", "--root", str(root))[0]["rule"] == "root.retired"
    assert fresh.ok("key", "revoke", second, "--reason", "stick lost")["made"] == []


def test_a_root_that_does_not_open_or_that_others_may_read_endorses_nothing(root: Path, fresh: Shell) -> None:
    fresh.more = {"LOTSEAL_ROOT_PASSPHRASE": "wrong horse battery"}
    assert fresh.refused("key", "root", "endorse", "--root", str(root), code=3)[0]["rule"] == "root.locked"
    fresh.more = ROOT
    root.chmod(0o644)
    assert fresh.refused("key", "root", "endorse", "--root", str(root))[0]["rule"] == "key.mode"
    assert not (fresh.data / "keys" / "endorsement.json").exists()


def test_a_changed_endorsement_is_named(root: Path, fresh: Shell) -> None:
    fresh.more = ROOT
    path = Path(fresh.ok("key", "root", "endorse", "--root", str(root))["file"])
    path.write_bytes(path.read_bytes().replace(b'"role":"log"', b'"role":"item"'))
    assert fresh.refused("key", "root", "show", code=3)[0]["rule"] == "root.endorsement"
    assert fresh.run("doctor").exit_code == 4
