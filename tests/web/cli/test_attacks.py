"""Every attack on the record, carried out by somebody with every right on the machine, and the line that names it.

The operator may write any row (the triggers are dropped first), any file, and has the keys where the attack says so.
The auditor has what an auditor keeps: a policy, a checkpoint or the state of a monitor, or a bundle. Each test does one
row of the table in docs/attacks.md; the last test holds the table against them.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from makers import PASSPHRASE, settings_of
from shells import GTIN, LINE, LOT, Shell

from lotseal.signing.verify import read_zip, write_zip
from lotseal.trace import clock
from lotseal.trace.accounts.service import OPERATOR
from lotseal.trace.batches import service as batches
from lotseal.trace.system import open_system

OTHER_LOT = "DHP261013B"
PAGE = "docs/attacks.md"


class Auditor:
    """What an auditor kept from before the attack, on a machine of the auditor's own."""

    def __init__(self, shop: Shell, folder: Path) -> None:
        self.shop, self.folder = shop, folder
        folder.mkdir()
        self.policy, self.state, self.checkpoint = folder / "policy", folder / "state", folder / "checkpoint"
        self.policy.write_text(shop.said("log", "policy"))
        shop.ok("log", "verify", "--data", str(shop.data), "--policy", str(self.policy), "--state", str(self.state))
        shutil.copy(shop.data / "log" / "checkpoint", self.checkpoint)

    def log(self, *more: str) -> str:
        """`lotseal log verify` must find something."""
        result = self.shop.run("log", "verify", "--data", str(self.shop.data), "--policy", str(self.policy), *more)
        assert result.exit_code == 4, result.output
        return result.stdout

    def bundle(self, *of: str, code: int = 1) -> str:
        """`lotseal bundle` and `lotseal verify`."""
        file = self.folder / "bundle.zip"
        self.shop.ok("bundle", *of, "-o", str(file))
        return self.verify(file, code)

    def verify(self, file: Path, code: int = 1) -> str:
        result = self.shop.run("verify", str(file), "--policy", str(self.policy))
        assert result.exit_code == code, result.output
        return result.output


@pytest.fixture
def shop(shop: Shell, report: Path) -> Shell:
    """With a second released batch, and every job done."""
    release(shop, OTHER_LOT, "YX-2", report)
    shop.run("worker", "--once")
    return shop


def release(shop: Shell, lot: str, number: str, report: Path) -> None:
    """A batch from its draft to its release, with a report of its own."""
    file = shop.data.parent / f"{number}.pdf"
    file.write_bytes(report.read_bytes() + b"% " + number.encode() + b"\n")
    of = ("--gtin", GTIN, "--lot", lot)
    dates = ("--produced-on", "2026-10-13", "--expires-on", "2046-10-11")
    shop.ok(
        "batch", "add", *of, "--place", "武夷山", "--country", "CN", "--producer", "武夷", *dates, "--quantity", "10"
    )
    shop.ok("batch", "submit", GTIN, lot)
    told = ("--number", number, "--laboratory", "闽检", "--accreditation", "CMA 1", "--sample", "Tea")
    more = ("--issued-on", "2026-10-21", "--conclusion", "pass")
    shop.ok("certificate", "add", str(file), *of, *told, *more, *LINE)
    shop.ok("certificate", "accept", number)
    shop.ok("batch", "release", GTIN, lot)


@pytest.fixture
def auditor(shop: Shell, tmp_path: Path) -> Auditor:
    return Auditor(shop, tmp_path / "auditor")


def sql(shop: Shell, *statements: str) -> None:
    """As the administrator of the database."""
    with closing(sqlite3.connect(shop.data / "lotseal.db")) as store, store:
        for (name,) in store.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            store.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            assert store.execute(statement).rowcount, statement


def ask(shop: Shell, question: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(shop.data / "lotseal.db")) as store:
        return store.execute(question).fetchall()


def hold(shop: Shell, lot: str = LOT) -> None:
    shop.ok("batch", "hold", GTIN, lot, "--reason-zh", "复检", "--reason-en", "Tested again")


# --- one attack each; what it returns is what the auditor reads ------------------------------------------------------


def edit_a_record(auditor: Auditor) -> str:
    sql(auditor.shop, f"UPDATE batch SET place = 'Elsewhere' WHERE lot = '{LOT}'")
    return auditor.log()


def edit_a_file(auditor: Auditor) -> str:
    [(name,)] = ask(auditor.shop, "SELECT sha256 FROM stored_file ORDER BY id LIMIT 1")
    [file] = (auditor.shop.data / "files").rglob(str(name))
    file.write_bytes(file.read_bytes().replace(b"0.9 mg/kg", b"0.1 mg/kg") + b"\n")
    return auditor.log()


def delete_an_entry(auditor: Auditor) -> str:
    hold(auditor.shop)
    sql(
        auditor.shop,
        "DELETE FROM log_term WHERE entry_id = (SELECT id FROM log_entry WHERE act = 'batch:hold')",
        "DELETE FROM log_entry WHERE act = 'batch:hold'",
    )
    return auditor.log()


def reorder_entries(auditor: Auditor) -> str:
    sql(
        auditor.shop,
        "UPDATE log_entry SET log_index = -1 WHERE log_index = 7",
        "UPDATE log_entry SET log_index = 7 WHERE log_index = 8",
        "UPDATE log_entry SET log_index = 8 WHERE log_index = -1",
    )
    return auditor.log()


def insert_late(auditor: Auditor) -> str:
    sql(
        auditor.shop,
        "INSERT INTO item (serial, batch_id, run_id, issued_at) "
        "SELECT 'ACDEFGHJKMNPQRTUVWXY', batch_id, run_id, issued_at FROM item LIMIT 1",
    )
    return auditor.log()


def back_date(auditor: Auditor) -> str:
    """A hold that is written down today, as if it had been decided last month."""
    system = open_system(settings_of(auditor.shop.data))
    with system.main.write() as session:
        batch = batches.by_lot(session, GTIN, LOT)
        words = {"reason_zh": "复检", "reason_en": "Tested again"}
        batches.hold(session, batch, words, by=OPERATOR, at=clock.now() - timedelta(days=30))
    system.close()
    auditor.shop.ok("log", "seal")
    return auditor.bundle("batch", GTIN, LOT, code=0)


def truncate(auditor: Auditor) -> str:
    """The newest entries are taken off, and everything that is left fits together."""
    before = auditor.folder / "before"
    shutil.copytree(auditor.shop.data, before)
    hold(auditor.shop)
    auditor.shop.ok("log", "verify", "--data", str(auditor.shop.data), "--state", str(auditor.state))
    shutil.rmtree(auditor.shop.data)
    shutil.copytree(before, auditor.shop.data)
    return auditor.log("--state", str(auditor.state))


def roll_back_to_a_backup(auditor: Auditor) -> str:
    """Only the store comes from the backup; the service itself refuses to make a second history beside the first."""
    backup = auditor.folder / "backup.db"
    with closing(sqlite3.connect(auditor.shop.data / "lotseal.db")) as store, closing(sqlite3.connect(backup)) as copy:
        store.backup(copy)
    hold(auditor.shop)
    for name in ("lotseal.db-wal", "lotseal.db-shm"):
        (auditor.shop.data / name).unlink(missing_ok=True)
    shutil.copy(backup, auditor.shop.data / "lotseal.db")
    hold(auditor.shop, OTHER_LOT)
    result = auditor.shop.run("log", "seal")
    assert result.exit_code == 3
    return result.stderr


def split_view(auditor: Auditor) -> str:
    """Two histories of one size, each shown to somebody else. Both are signed with the log's key."""
    twin = auditor.folder / "twin"
    shutil.copytree(auditor.shop.data, twin)
    hold(auditor.shop)
    shutil.copy(auditor.shop.data / "log" / "checkpoint", auditor.checkpoint)
    shutil.rmtree(auditor.shop.data)
    shutil.copytree(twin, auditor.shop.data)
    hold(auditor.shop, OTHER_LOT)
    return auditor.log("--since", str(auditor.checkpoint))


def swap_a_key(auditor: Auditor) -> str:
    sql(
        auditor.shop,
        "UPDATE signing_key SET public_jwk = (SELECT public_jwk FROM signing_key WHERE role = 'status') "
        "WHERE role = 'credential'",
    )
    return auditor.log()


def extend_a_keys_validity(auditor: Auditor) -> str:
    auditor.shop.ok("key", "rotate", "credential")
    sql(auditor.shop, "UPDATE signing_key SET retired_at = NULL WHERE retired_at IS NOT NULL")
    return auditor.log()


def sign_after_revocation(auditor: Auditor) -> str:
    """The stolen key of credentials, revoked since, releases a batch: the store says that it is in force again."""
    [(kid,)] = ask(auditor.shop, "SELECT kid FROM signing_key WHERE role = 'credential'")
    auditor.shop.ok("key", "revoke", str(kid), "--reason", "stolen")
    sql(
        auditor.shop,
        "UPDATE signing_key SET retired_at = '2026-01-01T00:00:00.000000+00:00' "
        "WHERE role = 'credential' AND revoked_at IS NULL",
        "UPDATE signing_key SET revoked_at = NULL, retired_at = NULL WHERE revoked_at IS NOT NULL",
    )
    release(auditor.shop, "STOLEN-1", "YX-3", auditor.shop.data.parent / "YX-2.pdf")
    return auditor.bundle("batch", GTIN, "STOLEN-1")


def roll_back_the_status_list(auditor: Auditor) -> str:
    """A recall set the bit; the old list, validly signed, is put back."""
    [old] = ask(auditor.shop, "SELECT jwt, sha256 FROM status_list")
    recall(auditor.shop)
    sql(auditor.shop, f"UPDATE status_list SET jwt = '{old[0]}', sha256 = '{old[1]}'")
    return auditor.bundle("batch", GTIN, LOT)


def replay_an_old_status_list(auditor: Auditor) -> str:
    """The record stays as it is; only the list inside a bundle is the one of yesterday."""
    old = auditor.folder / "old.zip"
    auditor.shop.ok("bundle", "batch", GTIN, LOT, "-o", str(old))
    recall(auditor.shop)
    new = auditor.folder / "new.zip"
    auditor.shop.ok("bundle", "batch", GTIN, LOT, "-o", str(new))
    members, before = read_zip(new.read_bytes()), read_zip(old.read_bytes())
    members["status/1.jwt"] = before["status/1.jwt"]
    new.write_bytes(write_zip(_repaired(members)))
    return auditor.verify(new)


def swap_two_certificates(auditor: Auditor) -> str:
    sql(auditor.shop, "UPDATE certificate SET batch_id = 3 - batch_id")
    return auditor.log()


def cut_an_item_out(auditor: Auditor) -> str:
    sql(auditor.shop, "DELETE FROM item WHERE id = 5")
    return auditor.log()


def recall(shop: Shell) -> None:
    words = ("--reason-zh", "异物", "--reason-en", "Glass found", "--remedy-zh", "退货", "--remedy-en", "Bring it back")
    shop.ok("batch", "recall", GTIN, LOT, *words, "--phone", "400")
    shop.run("worker", "--once")


def _repaired(members: dict[str, bytes]) -> dict[str, bytes]:
    """With the hashes of the list of members made anew."""
    head = json.loads(members["bundle.json"])
    head["members"] = {
        name: hashlib.sha256(data).hexdigest() for name, data in members.items() if name != "bundle.json"
    }
    text = json.dumps(head, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return {**members, "bundle.json": text.encode()}


ATTACKS: dict[str, tuple[Callable[[Auditor], str], str]] = {
    "edit a record": (edit_a_record, "NOT AS LOGGED: batch:"),
    "edit a file": (edit_a_file, "NOT AS LOGGED: certificate:"),
    "delete an entry": (delete_an_entry, "NOT AS LOGGED: entry:"),
    "reorder entries": (reorder_entries, "NOT AS LOGGED: entry:"),
    "insert late": (insert_late, "NOT AS LOGGED: run:"),
    "back-date": (back_date, "time.back-dated"),
    "truncate": (truncate, "[monitor.shrunk]"),
    "roll back to an old backup": (roll_back_to_a_backup, "(log.rolled-back)"),
    "split view": (split_view, "[monitor.rewritten]"),
    "swap a key": (swap_a_key, "the key history holds another key under this key id"),
    "extend a key's validity": (extend_a_keys_validity, "NOT AS LOGGED: key:"),
    "sign after revocation": (sign_after_revocation, "key.revoked"),
    "roll back the status list": (roll_back_the_status_list, "status.edition"),
    "replay an old status list": (replay_an_old_status_list, "status.edition"),
    "swap two certificates": (swap_two_certificates, "NOT AS LOGGED: certificate:"),
    "cut an item out of a batch": (cut_an_item_out, "NOT AS LOGGED: run:"),
}
"""The attack, and what the auditor's tool must say. Forged codes are in tests/faults."""


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_is_named(auditor: Auditor, name: str) -> None:
    attack, named = ATTACKS[name]
    said = attack(auditor)
    assert named in said, said
    assert PASSPHRASE not in said


def test_without_an_attack_nothing_is_named(auditor: Auditor) -> None:
    hold(auditor.shop)
    words = ("--policy", str(auditor.policy), "--state", str(auditor.state), "--since", str(auditor.checkpoint))
    assert auditor.shop.ok("log", "verify", "--data", str(auditor.shop.data), *words)["sound"]
    assert "sound" in auditor.bundle("batch", GTIN, LOT, code=0)


def test_the_table_of_attacks_is_what_the_tests_do() -> None:
    text = (Path(__file__).parents[3] / PAGE).read_text()
    rows = re.findall(r"^\| ([^|`]+?) \|[^|]+\| `([^`]+)`[^|]*\| `([^`]+)`", text, re.MULTILINE)
    told = {attack: output for attack, _command, output in rows}
    assert {name: named for name, (_attack, named) in ATTACKS.items()}.items() <= told.items()
