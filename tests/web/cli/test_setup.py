from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner
from shells import Shell

from lotseal.trace.db import migrate as migrations
from lotseal.web.cli import main


def snapshot(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.endswith(("-shm", "-wal", ".lock"))
    }


def test_init_makes_a_folder_that_only_its_owner_opens(empty: Shell) -> None:
    facts = empty.ok("init")
    assert facts["changed"] is True
    assert len(facts["keys"]) == 5
    assert stat.S_IMODE(empty.data.stat().st_mode) == 0o700
    for key in (empty.data / "keys").iterdir():
        assert stat.S_IMODE(key.stat().st_mode) == 0o600


def test_init_twice_changes_nothing_and_says_so(empty: Shell) -> None:
    empty.ok("init", "--admin", "boss")
    before, rows = snapshot(empty.data / "keys"), empty.rows()
    assert "nothing is changed" in empty.said("init", "--admin", "boss")
    assert empty.ok("init")["changed"] is False
    assert snapshot(empty.data / "keys") == before
    assert empty.rows() == rows


def test_the_first_admin_gets_a_random_password_once(empty: Shell) -> None:
    admin = empty.ok("init", "--admin", "boss")["admin"]
    assert admin["role"] == "admin"
    assert len(admin["password"]) == 19
    assert empty.ok("init", "--admin", "boss")["admin"] is None


def test_a_bad_login_is_refused_before_anything_is_made(empty: Shell) -> None:
    problems = empty.refused("init", "--admin", "a b")
    assert problems[0]["rule"] == "login.characters"
    assert not empty.data.exists()


def test_init_refuses_unsafe_production_settings_and_makes_nothing(empty: Shell) -> None:
    empty.more = {"LOTSEAL_MODE": "production", "LOTSEAL_PUBLIC_URL": "http://t.example.cn"}
    problems = empty.refused("init")
    assert "LOTSEAL_PUBLIC_URL" in problems[0]["message"]
    assert not empty.data.exists()


def test_init_without_a_passphrase_is_not_available_and_makes_nothing(empty: Shell) -> None:
    empty.more = {"LOTSEAL_KEY_PASSPHRASE": ""}
    assert empty.refused("init", code=3)[0]["field"] == "LOTSEAL_KEY_PASSPHRASE"
    assert not empty.data.exists()


@pytest.mark.parametrize("words", [("product", "list"), ("migrate",), ("doctor",), ("worker",), ("serve",)])
def test_a_folder_that_is_not_there_is_not_made_by_accident(empty: Shell, words: tuple[str, ...]) -> None:
    result = empty.run(*words)
    assert result.exit_code == 3
    assert "(store.missing)" in result.stderr
    assert not empty.data.exists()


@pytest.mark.parametrize("words", [("product", "list"), ("worker", "--once"), ("serve", "--port", "1")])
def test_commands_on_a_store_without_schema_say_migrate(empty: Shell, words: tuple[str, ...]) -> None:
    empty.data.mkdir(mode=0o700)
    result = empty.run(*words)
    assert result.exit_code == 3
    assert "lotseal migrate" in result.stderr


def test_migrate_check_tells_with_its_exit_code(empty: Shell) -> None:
    empty.data.mkdir(mode=0o700)
    result = empty.run("migrate", "--check", "--json")
    assert result.exit_code == 4
    assert json.loads(result.stdout)["pending"] == ["main", "scans"]
    assert empty.ok("migrate")["stores"]["main"]["now"] == migrations.head("main")
    assert empty.run("migrate", "--check").exit_code == 0
    assert "today's schema" in empty.said("migrate")


def test_a_store_that_is_down_is_not_available(fresh: Shell) -> None:
    fresh.more = {"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none?connect_timeout=2"}
    assert fresh.refused("product", "list", code=3)[0]["rule"] == "store.down"


def test_an_address_that_is_no_database_is_refused(fresh: Shell) -> None:
    fresh.more = {"DATABASE_URL": "nonsense"}
    assert fresh.refused("product", "list")[0]["rule"] == "setting.database-url"


def test_a_setting_that_is_wrong_is_named(fresh: Shell) -> None:
    fresh.more = {"LOTSEAL_TIMEZONE": "Mars/Base"}
    problems = fresh.refused("product", "list")
    assert (problems[0]["field"], problems[0]["rule"]) == ("LOTSEAL_TIMEZONE", "setting.invalid")


def test_wrong_usage_ends_with_two() -> None:
    assert CliRunner().invoke(main, ["batch", "show"]).exit_code == 2
    assert CliRunner().invoke(main, ["nothing"]).exit_code == 2
