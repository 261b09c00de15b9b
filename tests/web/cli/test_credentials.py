"""Signed records on the command line."""

from __future__ import annotations

from typing import Any

import pytest
from shells import GTIN, LOT, Shell


@pytest.fixture
def issued(shop: Shell) -> Shell:
    """The worker has done what is due."""
    work(shop)
    return shop


def work(shell: Shell) -> None:
    shell.said("worker", "--once")


def found(shell: Shell, kind: str) -> dict[str, Any]:
    [row] = shell.ok("credential", "list", "--kind", kind)["credentials"]
    facts: dict[str, Any] = shell.ok("credential", "show", row["ref"])
    return facts


def kept(shell: Shell, text: str) -> str:
    path = shell.data.parent / "given.jwt"
    path.write_text(text)
    return str(path)


def test_credentials_are_listed_with_their_state(issued: Shell) -> None:
    facts = issued.ok("credential", "list")
    assert facts["total"] == 2
    assert {(row["kind"], row["state"], row["gtin"], row["lot"]) for row in facts["credentials"]} == {
        ("passport", "in-force", GTIN, LOT),
        ("inspection", "in-force", GTIN, LOT),
    }
    assert "in-force" in issued.said("credential", "list", "--search", LOT)


@pytest.mark.parametrize("kind", ["passport", "inspection"])
@pytest.mark.parametrize("end", ["", "\n"])
def test_a_file_with_a_credential_is_verified(issued: Shell, kind: str, end: str) -> None:
    row = found(issued, kind)
    facts = issued.ok("credential", "verify", kept(issued, row["jwt"] + end))
    assert (facts["ok"], facts["revoked"], facts["sha256"]) == (True, False, row["sha256"])
    assert facts["id"] == row["url"] == f"https://t.example.cn/credentials/{row['ref']}"
    assert facts["credential"]["ref"] == row["ref"]
    assert "proves the record, not the item" in issued.said("credential", "verify", kept(issued, row["jwt"]))


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (lambda text: text[:-2] + ("AA" if text[-2:] != "AA" else "BA"), "signature.mismatch"),
        (lambda text: text.replace("eyJ", "ey0", 1), "jws.header"),
        (lambda text: f"{text} ", "jws.signature"),
        (lambda text: f"{text}\n\n", "jws.signature"),
        (lambda text: "大红袍", "jws.parts"),
        (lambda text: "", "jws.parts"),
        (lambda text: "A" * 2_000_000, "jws.size"),
    ],
)
def test_a_changed_file_is_refused(issued: Shell, change: Any, rule: str) -> None:
    text = found(issued, "passport")["jwt"]
    [problem] = issued.refused("credential", "verify", kept(issued, change(text)))
    assert problem["rule"] in (rule, "json.syntax", "json.canonical")


def test_a_revoked_one_is_refused(issued: Shell) -> None:
    text = found(issued, "inspection")["jwt"]
    issued.ok("certificate", "withdraw", "YX-1", "--reason", "mistake of the laboratory")
    work(issued)
    [problem] = issued.refused("credential", "verify", kept(issued, text))
    assert problem["rule"] == "credential.revoked"
    assert found(issued, "inspection")["state"] == "revoked"


def test_one_of_another_service_is_refused(issued: Shell, empty: Shell) -> None:
    stranger = Shell(empty.data.with_name("stranger"))
    stranger.ok("init")
    path = kept(issued, found(issued, "passport")["jwt"])
    assert stranger.refused("credential", "verify", path)[0]["rule"] == "credential.unknown-key"


def test_revoking_a_key_lets_the_worker_issue_anew(issued: Shell) -> None:
    before = found(issued, "passport")
    issued.ok("key", "revoke", before["kid"], "--reason", "stolen laptop")
    work(issued)
    rows = issued.ok("credential", "list", "--kind", "passport")["credentials"]
    assert [(row["state"], row["reason"]) for row in rows] == [("in-force", ""), ("revoked", "key-revoked")]


def test_renew_orders_the_jobs_and_changes_nothing_that_is_right(issued: Shell) -> None:
    before = issued.ok("credential", "list")
    assert issued.ok("credential", "renew") == {"batches": 1}
    work(issued)
    assert issued.ok("credential", "list") == before


def test_a_credential_that_is_not_there_is_refused(issued: Shell) -> None:
    assert issued.refused("credential", "show", "nope")[0]["rule"] == "credential.unknown"
