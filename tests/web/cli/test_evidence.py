"""Evidence by commands: taken along from a data folder, checked without one."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from log_makers import WITNESSES
from shells import GTIN, LOT, Shell

from lotseal.signing.verify import read_zip, write_zip


@pytest.fixture
def policy(shop: Shell, tmp_path: Path) -> Path:
    """What an auditor wrote down earlier."""
    kept = tmp_path / "policy"
    kept.write_text(shop.ok("log", "policy")["policy"])
    return kept


def test_a_batch_is_taken_along_and_checked_without_the_data_folder(shop: Shell, policy: Path, tmp_path: Path) -> None:
    out = tmp_path / "batch.zip"
    told = shop.ok("bundle", "batch", GTIN, LOT, "-o", str(out))
    assert told["sha256"] == hashlib.sha256(out.read_bytes()).hexdigest()
    nowhere = Shell(tmp_path / "nowhere")
    report = nowhere.ok("verify", str(out), "--policy", str(policy))
    assert (report["result"], report["about"]["subject"]) == ("sound", told["subject"])
    assert not nowhere.data.exists()
    again = tmp_path / "again.zip"
    shop.ok("bundle", "batch", told["subject"].partition(":")[2], "-o", str(again))
    assert again.read_bytes() == out.read_bytes()


def test_a_report_and_a_code_are_taken_along_by_what_people_know(shop: Shell, policy: Path, tmp_path: Path) -> None:
    out = tmp_path / "one.zip"
    shop.ok("bundle", "certificate", "YX-1", "-o", str(out))
    assert shop.ok("verify", str(out), "--policy", str(policy))["about"]["kind"] == "certificate"
    runs = {run["tier"]: run["run"] for run in shop.ok("codes", "list", GTIN, LOT)["runs"]}
    for tier in ("A", "B"):
        code = shop.ok("codes", "list", "--run", runs[tier])["codes"][0]
        shop.ok("bundle", "item", code["link"], "-o", str(out))
        report = shop.ok("verify", str(out), "--policy", str(policy))
        assert report["about"]["subject"] == f"item:{code['serial'].replace('-', '')}"


def test_a_name_alone_is_enough_whatever_it_is_of(shop: Shell, tmp_path: Path) -> None:
    out = tmp_path / "one.zip"
    batch = shop.ok("bundle", "batch", GTIN, LOT, "-o", str(out))["subject"]
    run = shop.ok("codes", "list", GTIN, LOT)["runs"][0]["run"]
    link = shop.ok("codes", "list", "--run", run)["codes"][0]["link"]
    names = {(GTIN, LOT): "batch", (batch.partition(":")[2],): "batch", ("YX-1",): "certificate", (link,): "item"}
    for name, kind in names.items():
        assert shop.ok("bundle", *name, "-o", str(out))["subject"].startswith(f"{kind}:"), name
        assert shop.ok("verify", str(out))["about"]["kind"] == kind
    assert {one["rule"] for one in shop.refused("bundle", "nothing", "-o", str(out))} == {"evidence.unknown"}


def test_the_answer_is_for_people_too_and_says_whose_keys_were_taken(shop: Shell, tmp_path: Path) -> None:
    out = tmp_path / "batch.zip"
    assert "is in" in shop.said("bundle", "batch", GTIN, LOT, "-o", str(out))
    said = shop.said("verify", str(out))
    assert "proven  chain.complete" in said
    assert "sound, but policy taken from the bundle" in said


@pytest.mark.parametrize(
    ("change", "code", "rule"),
    [
        ({"files": b"other"}, 1, "bundle.hash"),
        ({"policy": b"quorum none\n"}, 1, "bundle.hash"),
        ({"bundle.json": b"{}"}, 3, "bundle.head"),
    ],
)
def test_the_exit_code_says_what_is_wrong(
    shop: Shell, tmp_path: Path, change: dict[str, bytes], code: int, rule: str
) -> None:
    out = tmp_path / "batch.zip"
    shop.ok("bundle", "batch", GTIN, LOT, "-o", str(out))
    members = read_zip(out.read_bytes())
    names = {name: data for start, data in change.items() for name in members if name.startswith(start)}
    out.write_bytes(write_zip({**members, **names}))
    result = shop.run("verify", str(out), "--json")
    assert (result.exit_code, json.loads(result.stdout)["refused"]["rule"]) == (code, rule)


def test_a_file_that_is_not_there_is_no_policy_that_is_not_met(shop: Shell, tmp_path: Path) -> None:
    out = tmp_path / "batch.zip"
    shop.ok("bundle", "batch", GTIN, LOT, "-o", str(out))
    missing = str(tmp_path / "missing")
    for words in ([missing], [str(tmp_path)], [str(out), "--policy", missing], [str(out), "--tsa-root", missing]):
        result = shop.run("verify", *words)
        assert (result.exit_code, "verify.file" in result.stderr) == (3, True), words


def test_a_policy_that_asks_for_a_witness_is_not_met(shop: Shell, policy: Path, tmp_path: Path) -> None:
    out = tmp_path / "batch.zip"
    shop.ok("bundle", "batch", GTIN, LOT, "-o", str(out))
    asked = f"witness w {WITNESSES[0].key}\nquorum w"
    policy.write_text(policy.read_text().replace("quorum none", asked))
    result = shop.run("verify", str(out), "--policy", str(policy), "--json")
    assert (result.exit_code, json.loads(result.stdout)["refused"]["rule"]) == (2, "policy.quorum")


def test_wrong_names_are_told(shop: Shell, tmp_path: Path) -> None:
    out = str(tmp_path / "x.zip")
    assert shop.run("bundle", "batch", GTIN, LOT, "more", "-o", out).exit_code == 2
    assert {one["rule"] for one in shop.refused("bundle", "batch", "nothing", "-o", out)} == {"batch.unknown"}
    assert {one["rule"] for one in shop.refused("bundle", "certificate", "nothing", "-o", out)} == {
        "certificate.unknown"
    }
    assert not Path(out).exists()
