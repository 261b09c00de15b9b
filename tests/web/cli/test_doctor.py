from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from shells import Shell, environment
from sqlalchemy import select

from lotseal.signing.vkeys import Algorithm, VerifierKey
from lotseal.trace import settings
from lotseal.trace.accounts.service import OPERATOR
from lotseal.trace.log import Act, record
from lotseal.trace.log.models import LogCheckpoint, LogTimestamp
from lotseal.web.cli.context import ready
from lotseal.web.cli.doctor.check import Level
from lotseal.web.cli.doctor.stores import wal_reset


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


# --- the log ----------------------------------------------------------------------------------------------------------


def warnings(shell: Shell) -> set[str]:
    return {line["check"] for line in lines(shell, 0) if line["level"] == "warning"}


def written(shell: Shell, at: datetime) -> None:
    """An entry of this time that waits for its seal."""
    with ready(settings.load(environment(shell.data))) as system, system.main.write() as session:
        record(session, Act.LINK_ADD, by=OPERATOR, at=at, subject="link:tea")


def test_entries_that_nobody_seals_are_a_warning(fresh: Shell) -> None:
    shell = fresh
    written(shell, datetime.now(UTC))
    assert warnings(shell) == set(), "a service seals once a second"
    written(shell, datetime.now(UTC) - timedelta(minutes=2))
    assert warnings(shell) == {"log.waiting"}
    assert "lotseal log seal" in shell.said("doctor")
    shell.ok("log", "seal")
    assert warnings(shell) == set()


def test_a_store_that_is_older_than_its_published_log_is_bad(fresh: Shell) -> None:
    fresh.ok("log", "seal")
    saved = {path: path.read_bytes() for path in fresh.data.glob("lotseal.db*")}
    written(fresh, datetime.now(UTC))
    fresh.ok("log", "seal")
    for path in fresh.data.glob("lotseal.db*"):
        path.unlink()
    for path, data in saved.items():
        path.write_bytes(data)
    assert bad(fresh) == {"log.rolled-back"}


def test_a_checkpoint_with_too_few_witnesses_is_a_warning_once_it_is_a_minute_old(
    fresh: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(fresh, datetime.now(UTC))
    fresh.ok("log", "seal")
    away = VerifierKey("away.example/w", Algorithm.COSIGNATURE_V1, bytes(32))
    policy = tmp_path / "witnesses"
    policy.write_text(f"witness away {away} https://away.example/\nquorum away\n")
    fresh.more = {"LOTSEAL_WITNESSES": str(policy)}
    assert warnings(fresh) == set(), "it may still be under way"
    later = datetime.now(UTC) + timedelta(minutes=2)
    monkeypatch.setattr("lotseal.trace.clock.now", lambda: later)
    assert warnings(fresh) == {"log.quorum"}
    policy.write_text("witness\n")
    assert bad(fresh) == {"witness.policy"}


def test_an_authority_that_never_stamped_is_a_warning(fresh: Shell, tmp_path: Path) -> None:
    fresh.ok("log", "seal")
    fresh.more = {"LOTSEAL_TSA_URL": "https://tsa.example/", "LOTSEAL_TSA_ROOTS": str(tmp_path / "roots.pem")}
    assert warnings(fresh) == {"log.stamp"}


def test_each_authority_that_owes_a_stamp_is_a_warning_of_its_own(fresh: Shell, tmp_path: Path) -> None:
    fresh.ok("log", "seal")
    fresh.more = {
        "LOTSEAL_TSA_URL": "https://one.example/ https://two.example/tsr",
        "LOTSEAL_TSA_ROOTS": str(tmp_path / "roots.pem"),
    }
    now = datetime.now(UTC)

    def stamp(authority: str, at: datetime) -> None:
        with ready(settings.load(environment(fresh.data))) as system, system.main.write() as session:
            size = session.scalars(select(LogCheckpoint.size).order_by(LogCheckpoint.size.desc())).first()
            session.add(LogTimestamp(size=size, authority=authority, token=b"t", at=at))

    def told() -> dict[str, list[str]]:
        found: dict[str, list[str]] = {"log.stamp": [], "log.stamped": []}
        for line in lines(fresh, 0):
            if line["check"] in found:
                found[line["check"]] += re.findall(r"(\w+)\.example", line["sentence"])
        return found

    assert told() == {"log.stamp": ["one", "two"], "log.stamped": []}
    stamp("one.example", now)
    stamp("left.example", now - timedelta(days=9))
    assert told() == {"log.stamp": ["two"], "log.stamped": ["one", "left"]}
    stamp("two.example", now - timedelta(days=9))
    assert told()["log.stamp"] == [], "nothing was published since"
    written(fresh, now)
    fresh.ok("log", "seal")
    assert told()["log.stamp"] == ["two"]


def test_authorities_without_roots_are_a_warning_as_nobody_is_asked(fresh: Shell) -> None:
    fresh.ok("log", "seal")
    fresh.more = {"LOTSEAL_TSA_URL": "https://one.example/"}
    assert warnings(fresh) == {"log.stamp-roots"}


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
