from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from shells import Shell

from lotseal.web.cli.doctor import Level, wal_reset


def lines(shell: Shell, code: int) -> list[dict[str, Any]]:
    result = shell.run("doctor", "--json")
    assert result.exit_code == code, result.output
    document = json.loads(result.stdout)
    assert document["ok"] is (code == 0)
    found: list[dict[str, Any]] = document["checks"]
    return found


def bad(shell: Shell) -> set[str]:
    return {line["check"] for line in lines(shell, 4) if line["level"] == "bad"}


def test_a_healthy_system_is_green(shop: Shell) -> None:
    found = lines(shop, 0)
    assert {line["level"] for line in found} == {"ok"}
    names = {line["check"] for line in found}
    assert names >= {"version.lotseal", "version.libraries", "migrations.main", "migrations.scans", "key", "disk.free"}
    assert names >= {"guard.main.writer.journal_mode", "guard.scans.reader.wal_autocheckpoint", "files", "settings"}
    assert "1 of 1 stored files" in shop.said("doctor")


def test_a_key_file_that_others_may_read_is_bad(fresh: Shell) -> None:
    next((fresh.data / "keys").glob("*.pem")).chmod(0o644)
    assert bad(fresh) == {"key.mode"}


def test_a_missing_key_file_is_bad(fresh: Shell) -> None:
    next((fresh.data / "keys").glob("*.secret")).unlink()
    assert bad(fresh) == {"key.missing"}


def test_a_wrong_passphrase_is_bad(fresh: Shell) -> None:
    fresh.more = {"LOTSEAL_KEY_PASSPHRASE": "wrong horse battery"}
    assert bad(fresh) == {"key.locked"}


def test_a_key_file_under_another_name_is_bad(fresh: Shell) -> None:
    first, second, *_ = sorted((fresh.data / "keys").glob("*.pem"))
    first.write_bytes(second.read_bytes())
    assert bad(fresh) == {"key.locked"}


def test_a_file_that_changed_on_the_disk_is_bad(shop: Shell) -> None:
    for path in (shop.data / "files" / "sha256").rglob("*"):
        if path.is_file() and path.read_bytes().startswith(b"%PDF"):
            path.write_bytes(b"%PDF-forged")
    assert bad(shop) == {"files.changed"}


def test_pending_migrations_are_bad_and_everything_else_is_still_looked_at(empty: Shell) -> None:
    empty.data.mkdir(mode=0o700)
    found = lines(empty, 4)
    assert {"migrations.main", "migrations.scans"} <= {line["check"] for line in found if line["level"] == "bad"}
    assert "disk.free" in {line["check"] for line in found}


def test_unsafe_settings_are_bad(fresh: Shell) -> None:
    fresh.more = {"LOTSEAL_MODE": "production", "LOTSEAL_PUBLIC_URL": "http://t.example.cn"}
    assert bad(fresh) == {"settings.unsafe"}
    fresh.more = {"LOTSEAL_PUBLIC_URL": ""}
    assert bad(fresh) == {"settings.public-url"}


def test_a_data_folder_that_others_may_read_is_a_warning_outside_production(fresh: Shell) -> None:
    fresh.data.chmod(0o755)
    assert "settings.folder" in {line["check"] for line in lines(fresh, 0) if line["level"] == "warning"}
    fresh.more = {"LOTSEAL_MODE": "production"}
    assert bad(fresh) == {"settings.unsafe"}


def test_doctor_leaves_nothing_behind(fresh: Shell) -> None:
    def names(folder: Path) -> list[str]:
        return sorted(str(path) for path in folder.rglob("*") if not path.name.endswith(("-wal", "-shm", ".lock")))

    before, rows = names(fresh.data), fresh.rows()
    lines(fresh, 0)
    assert (names(fresh.data), fresh.rows()) == (before, rows)


@pytest.mark.parametrize(
    ("found", "lock", "level"),
    [
        ("3.40.1", True, Level.OK),
        ("3.40.1", False, Level.BAD),
        ("3.51.2", False, Level.BAD),
        ("3.51.3", False, Level.OK),
        ("3.53.0", False, Level.OK),
        ("3.50.6", False, Level.BAD),
        ("3.50.7", False, Level.OK),
        ("3.44.6", False, Level.OK),
        ("3.45.0", False, Level.BAD),
    ],
)
def test_the_wal_reset_bug_is_fine_only_where_it_is_mended_or_locked_out(found: str, lock: bool, level: Level) -> None:
    assert wal_reset("main", found, lock=lock).level is level
