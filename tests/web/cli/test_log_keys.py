"""After the log's key was rotated or revoked: what an auditor with the policy of before is told, and can confirm."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from shells import GTIN, LOT, Shell

RECALL = (
    "--reason-zh", "异物", "--reason-en", "Glass", "--remedy-zh", "退货", "--remedy-en", "Bring it back",
    "--phone", "400",
)  # fmt: skip
ROOT_WORDS = {"LOTSEAL_ROOT_PASSPHRASE": "three words apart"}


class Auditor:
    """Kept a policy, a checkpoint, the state of a monitor and a bundle, and learned the root's id elsewhere."""

    def __init__(self, shop: Shell, folder: Path) -> None:
        self.shop, self.folder = shop, folder
        folder.mkdir()
        self.state, self.checkpoint, self.bundle = folder / "state", folder / "checkpoint", folder / "before.zip"
        self.policy = self.takes_policy("policy")
        assert self.verify("--policy", self.policy, "--state", self.state)["sound"]
        shutil.copy(shop.data / "log" / "checkpoint", self.checkpoint)
        shop.ok("bundle", "batch", GTIN, LOT, "-o", str(self.bundle))
        self.root = shop.ok("key", "root", "show")["kid"]

    def takes_policy(self, name: str) -> Path:
        file = self.folder / name
        file.write_text(self.shop.said("log", "policy"))
        return file

    def verify(self, *words: str | Path, code: int = 0) -> Any:
        result = self.shop.run("log", "verify", "--data", str(self.shop.data), "--json", *map(str, words))
        assert result.exit_code == code, result.output
        return json.loads(result.stdout)

    def reads(self, *words: str | Path) -> str:
        return self.shop.run("log", "verify", "--data", str(self.shop.data), *map(str, words)).stdout

    def checks_root(self, policy: Path, root: str = "", code: int = 0) -> Any:
        file = self.shop.data / "keys" / "endorsement.json"
        words = ("key", "root", "check", str(file), "--policy", str(policy), "--root", root or self.root, "--json")
        result = Shell(self.folder / "nothing").run(*words)
        assert result.exit_code == code, result.output
        return json.loads(result.stdout)

    def bundle_of(self, policy: Path, file: Path | None = None) -> int:
        made = file or self.folder / "after.zip"
        if file is None:
            self.shop.ok("bundle", "batch", GTIN, LOT, "-o", str(made))
        return self.shop.run("verify", str(made), "--policy", str(policy)).exit_code


def endorse(shop: Shell) -> None:
    shop.ok("key", "root", "endorse", "--root", str(shop.data.parent / "root.pem"))


@pytest.fixture
def auditor(shop: Shell, tmp_path: Path) -> Auditor:
    shop.more.update(ROOT_WORDS)
    shop.ok("key", "root", "new", "--out", str(shop.data.parent / "root.pem"))
    endorse(shop)
    shop.run("worker", "--once")
    return Auditor(shop, tmp_path / "auditor")


def log_key(shop: Shell) -> str:
    [kid] = [key["kid"] for key in shop.ok("key", "list")["keys"] if key["role"] == "log" and key["state"] == "current"]
    return str(kid)


def test_the_old_policy_is_told_that_the_key_changed_and_where_in_the_log(auditor: Auditor) -> None:
    auditor.shop.ok("key", "rotate", "log")
    found = auditor.verify("--policy", auditor.policy, "--state", auditor.state, code=4)
    assert (found["sound"], found["rule"]) == (False, "policy.log")
    new = found["new_key"]
    assert new["key"] in auditor.takes_policy("new").read_text()
    assert new["continues"] is True
    assert [one["act"] for one in new["key_entries"]] == ["key:retire", "key:add"]
    assert new["key_entries"][0]["index"] == new["kept"]
    said = auditor.reads("--policy", auditor.policy, "--state", auditor.state)
    assert f"The key history grew by the entries {new['kept']} (key:retire), {new['kept'] + 1} (key:add)." in said
    assert "only the log's word" in said


def test_without_anything_kept_no_word_says_that_it_is_the_same_log(auditor: Auditor) -> None:
    auditor.shop.ok("key", "rotate", "log")
    found = auditor.verify("--policy", auditor.policy, code=4)
    assert found["new_key"]["continues"] is None
    assert "nothing here says that it is the log which you know" in auditor.reads("--policy", auditor.policy)


def test_another_log_under_another_key_is_not_taken_for_a_rotation(auditor: Auditor, traded: Path) -> None:
    shop = auditor.shop
    shutil.rmtree(shop.data)
    shutil.copytree(traded, shop.data)
    shop.ok("batch", "recall", GTIN, LOT, *RECALL)
    for _ in range(3):
        shop.ok("key", "rotate", "log")
    found = auditor.verify("--policy", auditor.policy, "--since", auditor.checkpoint, code=4)
    assert (found["rule"], found["new_key"]["continues"]) == ("policy.log", False)
    assert "Do not take its policy" in auditor.reads("--policy", auditor.policy, "--since", auditor.checkpoint)


def test_a_policy_that_knows_the_key_is_told_nothing_of_another_one(auditor: Auditor) -> None:
    assert "new_key" not in auditor.verify("--policy", auditor.policy)


def test_after_a_rotation_the_new_policy_reads_old_and_new(auditor: Auditor) -> None:
    auditor.shop.ok("key", "rotate", "log")
    endorse(auditor.shop)
    new = auditor.takes_policy("new")
    assert [one["state"] for one in auditor.checks_root(new)["log_keys"]] == ["retired", "present"]
    assert auditor.verify("--policy", new, "--state", auditor.state, "--since", auditor.checkpoint)["since_signed"]
    assert auditor.bundle_of(new) == 0
    assert auditor.bundle_of(new, auditor.bundle) == 0


def test_after_a_revocation_the_log_goes_on_and_bundles_are_taken_anew(auditor: Auditor) -> None:
    auditor.shop.ok("key", "revoke", log_key(auditor.shop), "--reason", "stolen")
    endorse(auditor.shop)
    new = auditor.takes_policy("new")
    assert auditor.checks_root(auditor.policy, code=4)["log_keys"][0]["state"] == "revoked"
    assert [one["state"] for one in auditor.checks_root(new)["log_keys"]] == ["present"]
    found = auditor.verify("--policy", new, "--state", auditor.state, "--since", auditor.checkpoint)
    assert (found["sound"], found["since_signed"]) == (True, False)
    assert auditor.bundle_of(new, auditor.bundle) == 2, "nobody can tell it from one that a thief signed"
    assert auditor.bundle_of(new) == 0


def test_a_kept_checkpoint_of_another_history_is_named_though_its_key_is_revoked(auditor: Auditor) -> None:
    twin = auditor.folder / "twin"
    shutil.copytree(auditor.shop.data, twin)
    auditor.shop.ok("batch", "hold", GTIN, LOT, "--reason-zh", "复检", "--reason-en", "Tested again")
    shutil.copy(auditor.shop.data / "log" / "checkpoint", auditor.checkpoint)
    shutil.rmtree(auditor.shop.data)
    shutil.copytree(twin, auditor.shop.data)
    auditor.shop.ok("key", "revoke", log_key(auditor.shop), "--reason", "stolen")
    found = auditor.verify("--policy", auditor.takes_policy("new"), "--since", auditor.checkpoint, code=4)
    assert found["rule"] == "monitor.rewritten"


def test_a_history_of_another_root_or_without_the_key_confirms_nothing(auditor: Auditor) -> None:
    assert auditor.checks_root(auditor.policy)["confirmed"]
    assert not auditor.checks_root(auditor.policy, root="a" * 43, code=4)["confirmed"]
    auditor.shop.ok("key", "rotate", "log")
    found = auditor.checks_root(auditor.takes_policy("new"), code=4)
    assert [one["state"] for one in found["log_keys"]] == ["present", "unknown"]


def test_an_endorsement_that_was_changed_confirms_nothing(auditor: Auditor) -> None:
    file = auditor.shop.data / "keys" / "endorsement.json"
    file.write_bytes(file.read_bytes().replace(b'"role":"log"', b'"role":"lob"'))
    assert not auditor.checks_root(auditor.policy, code=4)["confirmed"]
