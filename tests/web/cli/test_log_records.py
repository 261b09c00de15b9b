"""`lotseal log verify --data` and `log sample`: an edit of the store is named, with exit code 4."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from contextlib import closing
from typing import Any

import pytest
from audit_store import live
from click.testing import CliRunner, Result
from makers import PASSPHRASE

from lotseal.trace.system import System
from lotseal.web.cli import main


@pytest.fixture
def lived(sqlite_system: System, monkeypatch: pytest.MonkeyPatch) -> System:
    live(sqlite_system)
    for name, value in (
        ("LOTSEAL_DATA", str(sqlite_system.settings.data)),
        ("LOTSEAL_PUBLIC_URL", sqlite_system.settings.public_url),
        ("LOTSEAL_KEY_PASSPHRASE", PASSPHRASE),
    ):
        monkeypatch.setenv(name, value)
    return sqlite_system


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["log", *arguments])


def verify(system: System, *more: str) -> Result:
    return run("verify", "--data", str(system.settings.data), *more)


def as_operator(system: System, statement: str) -> None:
    """Past every guard: the triggers are dropped first."""
    with closing(sqlite3.connect(system.settings.data / "lotseal.db")) as store, store:
        for (name,) in store.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            store.execute(f"DROP TRIGGER {name}")
        store.execute(statement)


def test_an_untouched_store_is_as_logged(lived: System) -> None:
    answer = verify(lived)
    assert answer.exit_code == 0, answer.output
    assert "Every record and file is as the log says." in answer.output
    assert json.loads(verify(lived, "--json").output)["records"] == []


@pytest.mark.parametrize(
    ("statement", "subject", "field"),
    [
        ("UPDATE certificate SET conclusion = 'fail' WHERE id = 2", "certificate:", "conclusion"),
        ("UPDATE signing_key SET revoked_at = NULL WHERE revoked_at IS NOT NULL", "key:", "revoked_at"),
        ("UPDATE recall_notice SET phone = '0'", "batch:", "notice.phone"),
        ("DELETE FROM audit_act WHERE act = 'batch:recall'", "batch:", "batch:recall"),
        ("UPDATE log_entry SET content = replace(content, 'a', 'b') WHERE log_index = 9", "entry:9", "content"),
    ],
)
def test_an_edit_is_named_with_exit_code_4(lived: System, statement: str, subject: str, field: str) -> None:
    as_operator(lived, statement)
    answer = verify(lived)
    assert answer.exit_code == 4, answer.output
    assert "NOT AS LOGGED: " + subject in answer.output
    facts: dict[str, Any] = json.loads(verify(lived, "--json").output)
    assert not facts["sound"]
    first = facts["records"][0]
    assert (first["subject"].startswith(subject), first["field"]) == (True, field)


def test_at_most_a_hundred_differences_are_listed(lived: System) -> None:
    as_operator(lived, "DELETE FROM audit_act")
    as_operator(lived, "UPDATE batch SET state = 'draft', producer = 'x', site = 'x', place = 'x', inputs = 'x'")
    as_operator(lived, "UPDATE certificate SET number = 'x' || id, sample = 'x', method = 'x', note = 'x'")
    as_operator(lived, "UPDATE item SET voided_at = NULL, void_reason = 'x', voided_by = 'x'")
    as_operator(lived, "UPDATE product SET spec = 'x', name_zh = 'x', name_en = 'x', after_sales_en = 'x'")
    as_operator(lived, "UPDATE supplier SET name_zh = 'x', name_en = 'x', contact = 'x', country = 'x'")
    facts = json.loads(verify(lived, "--json").output)
    assert (len(facts["records"]), facts["more"]) == (100, True)


def test_a_sample_is_drawn_by_its_seed_alone(lived: System) -> None:
    answer = run("sample", "--seed", "3412.66", "--count", "4", "--of", "items", "--json")
    assert answer.exit_code == 0, answer.output
    facts = json.loads(answer.output)
    hashes = [row["hash"] for row in facts["sample"]]
    assert hashes == sorted(hashes)
    assert facts["out_of"] == 10
    for row in facts["sample"]:
        assert row["hash"] == hashlib.sha256(f"3412.66\n{row['identifier']}".encode()).hexdigest()
        assert {check["outcome"] for check in row["checks"]} == {"fits"}


def test_a_sample_with_a_forged_code_ends_with_4(lived: System) -> None:
    as_operator(lived, "UPDATE item SET signature = zeroblob(64) WHERE signature IS NOT NULL")
    answer = run("sample", "--seed", "s", "--count", "200")
    assert answer.exit_code == 4
    assert "Tag or signature do not fit the code." in answer.output


@pytest.mark.parametrize("count", ["0", "201", "x"])
def test_a_sample_has_bounds(lived: System, count: str) -> None:
    assert run("sample", "--seed", "s", "--count", count).exit_code == 1
