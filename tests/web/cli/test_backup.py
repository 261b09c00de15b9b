"""`lotseal backup`: the copy is a data folder of its own, whole, and behind nothing that it names."""

from __future__ import annotations

import json
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from makers import PASSPHRASE
from shells import GTIN, LOT, Shell

from lotseal.trace import backup
from lotseal.trace.db.engines import Database
from lotseal.trace.system import System


@pytest.fixture
def to(tmp_path: Path) -> Path:
    return tmp_path / "backups" / "monday"


def everything(folder: Path) -> dict[str, bytes]:
    """All but the stores, which are held against each other by their rows, and what is being written."""
    kept = (path for path in folder.rglob("*") if path.is_file())
    named = {str(path.relative_to(folder)): path.read_bytes() for path in kept}
    return {
        name: data
        for name, data in named.items()
        if ".db" not in name and not name.startswith("files/incoming/") and Path(name).name != ".lock"
    }


def hold(shop: Shell) -> None:
    shop.ok("batch", "hold", GTIN, LOT, "--reason-zh", "复检", "--reason-en", "Tested again")


def test_the_copy_is_the_data_folder(shop: Shell, to: Path) -> None:
    told = shop.ok("backup", str(to))
    assert (told["missing"], told["waiting"], told["passphrase_inside"]) == ([], 0, False)
    assert told["files"] > 0
    assert everything(to) == everything(shop.data)
    copy = Shell(to)
    assert copy.rows() == shop.rows()
    assert told["entries"] == copy.ok("log", "status")["size"]
    assert copy.ok("log", "verify", "--data", str(to))["sound"]
    assert list(to.parent.iterdir()) == [to], "nothing is left aside"
    assert stat.S_IMODE(to.stat().st_mode) == 0o700


def test_a_restored_copy_goes_on(shop: Shell, to: Path, tmp_path: Path) -> None:
    shop.ok("backup", str(to))
    restored = Shell(Path(shutil.copytree(to, tmp_path / "restored")))
    hold(restored)
    assert restored.ok("log", "verify", "--data", str(restored.data))["sound"]
    restored.ok("verify", *_bundle(restored, tmp_path))


def test_a_log_without_its_files_is_made_again_from_the_store(shop: Shell, to: Path) -> None:
    """As after pg_restore: its data folder was copied without them."""
    shop.ok("backup", str(to))
    shutil.rmtree(to / "log")
    Shell(to).ok("log", "seal")
    assert (to / "log" / "checkpoint").read_bytes() == (shop.data / "log" / "checkpoint").read_bytes()
    assert Shell(to).ok("log", "verify", "--data", str(to))["sound"]


def _bundle(shop: Shell, folder: Path) -> list[str]:
    shop.ok("bundle", "batch", GTIN, LOT, "-o", str(folder / "bundle.zip"))
    return [str(folder / "bundle.zip")]


def test_a_copy_beside_a_newer_log_is_not_sealed_and_says_by_how_much(shop: Shell, to: Path) -> None:
    shop.ok("backup", str(to))
    hold(shop)
    newer = shop.data / "log" / "checkpoint"
    copy = Shell(to)
    result = copy.run("log", "verify", "--data", str(to), "--since", str(newer), "--json")
    assert (result.exit_code, json.loads(result.stdout)["rule"]) == (4, "monitor.shrunk")
    shutil.rmtree(to / "log")
    shutil.copytree(shop.data / "log", to / "log")
    [problem] = copy.refused("log", "seal", code=3)
    assert problem["rule"] == "log.rolled-back"
    assert "rolled back by 1:" in problem["message"]


def test_what_is_put_while_it_copies_breaks_nothing(shop: Shell, to: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between any two steps somebody writes and the log is published: the stores know all that the copied log tells."""
    for name in ("_copy_log", "_copy_store", "_copy_any"):
        step = getattr(backup, name)

        def busy(*given: object, step: Callable[..., None] = step) -> None:
            step(*given)
            shop.ok("supplier", "add", "--name-zh", "武夷", "--name-en", "Wuyi", "--country", "CN")

        monkeypatch.setattr(backup, name, busy)
    told = shop.ok("backup", str(to))
    monkeypatch.undo()
    copy = Shell(to)
    assert copy.ok("log", "status")["published"] < told["entries"]
    assert copy.ok("log", "verify", "--data", str(to))["sound"], "what waits for its seal is no difference"
    copy.ok("log", "seal")
    assert copy.ok("log", "verify", "--data", str(to))["sound"]


def test_no_look_up_is_of_a_code_that_the_copy_lacks(shop: Shell, to: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its number would be given to another code after a restore."""
    step, order = backup._copy_store, []

    def seen(database: Database, folder: Path) -> None:
        step(database, folder)
        order.append(sorted(path.name for path in folder.glob("*.db")))

    monkeypatch.setattr(backup, "_copy_store", seen)
    shop.ok("backup", str(to))
    assert order == [["scans.db"], ["lotseal.db", "scans.db"]]


def test_files_that_are_missing_or_changed_are_named(shop: Shell, to: Path) -> None:
    lost, changed = sorted(path for path in (shop.data / "files" / "sha256").rglob("*") if path.is_file())[:2]
    lost.unlink()
    changed.write_bytes(b"other")
    result = shop.run("backup", str(to), "--json")
    assert result.exit_code == 4
    assert json.loads(result.stdout)["missing"] == sorted([lost.name, changed.name])
    assert Shell(to).rows() == shop.rows()


def test_a_place_that_is_taken_or_inside_is_refused(shop: Shell, to: Path) -> None:
    to.mkdir(parents=True)
    assert shop.refused("backup", str(to))[0]["rule"] == "backup.exists"
    assert shop.refused("backup", str(shop.data / "copies" / "one"))[0]["rule"] == "backup.inside"
    assert not (shop.data / "copies").exists()


def test_a_disk_that_takes_nothing_leaves_no_half_of_a_copy(
    shop: Shell, to: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_given: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(backup, "_copy_any", full)
    [problem] = shop.refused("backup", str(to), code=3)
    assert problem["rule"] == "backup.failed"
    assert list(to.parent.iterdir()) == []


def test_a_damaged_store_is_no_backup(shop: Shell, to: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy_store = backup._copy_store

    def damaged(database: Database, folder: Path) -> None:
        copy_store(database, folder)
        for store in folder.glob("lotseal.db"):
            data = bytearray(store.read_bytes())
            data[len(data) // 2 : len(data) // 2 + 4096] = bytes(4096)
            store.write_bytes(data)

    monkeypatch.setattr(backup, "_copy_store", damaged)
    assert shop.refused("backup", str(to), code=3)[0]["rule"] == "backup.failed"
    assert not to.exists()


def test_a_passphrase_inside_is_pointed_at(shop: Shell, to: Path) -> None:
    (shop.data / "lotseal.env").write_text(f"LOTSEAL_KEY_PASSPHRASE={PASSPHRASE}\n")
    assert "passphrase beside the keys" in shop.said("backup", str(to))


def test_postgresql_has_its_own_way(postgres_system: System, tmp_path: Path) -> None:
    url = postgres_system.main.write_engine.url.render_as_string(hide_password=False)
    shell = Shell(postgres_system.settings.data, {"DATABASE_URL": url})
    [problem] = shell.refused("backup", str(tmp_path / "copy"))
    assert problem["rule"] == "backup.postgresql"
    assert "pg_dump" in problem["message"]
