"""The whole way of a batch, by commands alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import zxingcpp
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from PIL import Image
from shells import BATCH, GTIN, LICENCE, LINE, LOT, REPORT, Shell

from lotseal.trace.jobs.models import JobState
from lotseal.web.cli import context


def runs(shop: Shell) -> dict[str, str]:
    return {run["tier"]: run["run"] for run in shop.ok("codes", "list", GTIN, LOT)["runs"]}


def codes(shop: Shell, tier: str = "A") -> list[dict[str, str]]:
    found: list[dict[str, str]] = shop.ok("codes", "list", "--run", runs(shop)[tier])["codes"]
    return found


def test_a_released_batch_shows_its_steps_and_its_signed_record(shop: Shell) -> None:
    facts = shop.ok("batch", "show", GTIN, LOT)
    assert [step["state"] for step in facts["steps"]] == ["draft", "awaiting-tests", "released"]
    assert len(facts["release"]["document_sha256"]) == 64
    assert facts["codes"] == {"issued": 13, "voided": 0}


def test_the_gate_names_what_is_missing(fresh: Shell) -> None:
    fresh.ok("supplier", "add", "--name-zh", "武夷", "--name-en", "Wuyi", "--country", "CN", "--licence", LICENCE)
    fresh.ok("category", "add", "--code", "tea", "--name-zh", "茶", "--name-en", "Tea")
    product = ("--gtin", GTIN, "--name-zh", "大红袍", "--name-en", "Rock tea", "--category", "tea")
    fresh.ok("product", "add", *product, "--supplier", LICENCE)
    fresh.ok("batch", "add", *BATCH)
    gate = fresh.ok("batch", "gate", GTIN, LOT)
    assert gate["clear"] is False
    assert {line["rule"] for line in gate["gate"] if not line["done"]} == {"gate.submitted", "gate.lab-test"}
    assert {problem["rule"] for problem in fresh.refused("batch", "release", GTIN, LOT)} == {
        "gate.submitted",
        "gate.lab-test",
    }


@pytest.mark.parametrize("tier", ["A", "B"])
def test_a_fresh_code_is_valid_and_checking_it_is_not_counted(shop: Shell, tier: str) -> None:
    link = codes(shop, tier)[0]["link"]
    for _ in range(2):
        verdict = shop.ok("codes", "check", link)
        assert verdict["state"] == "ok-first"
        assert verdict["counted"] is False
        assert verdict["tier"] == tier
    assert "Record valid" in shop.said("codes", "check", link)


def test_a_typed_serial_is_as_good_as_its_link(shop: Shell) -> None:
    serial = codes(shop)[0]["serial"]
    assert shop.ok("codes", "check", serial.lower())["state"] == "ok-first"


def test_a_changed_link_is_not_ours(shop: Shell) -> None:
    link = codes(shop)[0]["link"]
    changed = link[:-1] + ("2" if link[-1] != "2" else "3")
    assert shop.ok("codes", "check", changed)["state"] == "bad-signature"


def test_void_takes_one_code_and_then_the_rest_of_its_run(shop: Shell) -> None:
    first, second = codes(shop)[:2]
    shop.ok("codes", "void", first["link"], "--reason", "Label torn")
    assert shop.ok("codes", "check", first["link"])["state"] == "voided"
    assert shop.ok("codes", "check", second["link"])["state"] == "ok-first"
    assert shop.ok("codes", "void", "--run", runs(shop)["A"], "--reason", "Roll lost")["voided"] == 9
    assert shop.refused("codes", "void", first["serial"], "--reason", "Again")[0]["rule"] == "codes.voided"


def test_hold_lift_recall_and_close_follow_their_order(shop: Shell) -> None:
    link = codes(shop)[0]["link"]
    shop.ok("batch", "hold", GTIN, LOT, "--reason-zh", "复检", "--reason-en", "Being tested again")
    assert shop.ok("codes", "check", link)["state"] == "hold"
    assert shop.ok("batch", "lift", GTIN, LOT, "--reason", "Second test passed")["state"] == "released"
    assert shop.ok("batch", "close", GTIN, LOT, "--reason", "Sold out")["state"] == "closed"
    words = ("--reason-zh", "农残", "--reason-en", "Residue", "--remedy-zh", "退款", "--remedy-en", "Refund")
    shop.ok("batch", "recall", GTIN, LOT, *words, "--phone", "400 000 0000")
    assert shop.ok("codes", "check", link)["state"] == "recalled"
    assert shop.refused("batch", "lift", GTIN, LOT, "--reason", "x")[0]["rule"] == "batch.state"


def test_a_correction_after_release_needs_a_reason_and_stays_visible(shop: Shell) -> None:
    before = shop.rows()
    assert shop.refused("batch", "correct", GTIN, LOT, "--region", "福建")[0]["field"] == "reason"
    assert shop.rows() == before
    changed = shop.ok("batch", "correct", GTIN, LOT, "--region", "福建", "--reason", "Forgotten")["changed"]
    assert changed == ["region"]
    assert shop.ok("batch", "show", GTIN, LOT)["corrections"][0]["after"] == "福建"
    assert shop.ok("batch", "correct", GTIN, LOT, "--region", "福建", "--reason", "Twice")["changed"] == []


def test_a_withdrawn_report_leaves_a_gap_on_the_page(shop: Shell) -> None:
    shop.ok("certificate", "withdraw", "YX-1", "--reason", "Laboratory lost its accreditation")
    assert shop.ok("codes", "check", codes(shop)[0]["link"])["state"] == "evidence-gap"


def test_a_suspended_supplier_gets_no_codes(shop: Shell) -> None:
    shop.ok("supplier", "suspend", LICENCE, "--reason", "Audit failed")
    assert shop.refused("codes", "issue", GTIN, LOT, "--count", "1")[0]["rule"] == "codes.supplier-suspended"
    shop.ok("supplier", "resume", LICENCE)
    assert shop.ok("codes", "issue", GTIN, LOT, "--count", "1")["issued"] == 1


def test_codes_without_an_address_to_print_are_refused_before_they_are_ordered(shop: Shell) -> None:
    before = shop.rows()
    shop.more = {"LOTSEAL_PUBLIC_URL": ""}
    assert shop.refused("codes", "issue", GTIN, LOT, "--count", "1")[0]["field"] == "LOTSEAL_PUBLIC_URL"
    assert shop.rows() == before


def test_codes_in_the_background_wait_for_a_worker(shop: Shell) -> None:
    ordered = shop.ok("codes", "issue", GTIN, LOT, "--count", "5", "--background")
    assert (ordered["issued"], ordered["job"]["state"]) == (0, JobState.QUEUED)
    assert shop.run("worker", "--once").exit_code == 0
    found = shop.ok("codes", "list", GTIN, LOT)["runs"]
    assert next(run for run in found if run["run"] == ordered["run"])["issued"] == 5


def test_a_job_whose_key_is_away_is_not_available_now_and_goes_on_later(shop: Shell) -> None:
    secret = next((shop.data / "keys").glob("*.secret"))
    away = secret.rename(shop.data / "away")
    problem = shop.refused("codes", "issue", GTIN, LOT, "--count", "1", code=3)[0]
    assert problem["rule"] == "job.later"
    assert secret.name in problem["message"]
    away.rename(secret)
    assert shop.ok("codes", "list", GTIN, LOT)["runs"][0]["job"]["state"] == JobState.QUEUED


def test_a_sheet_is_made_listed_and_saved_once(shop: Shell, tmp_path: Path) -> None:
    run, target = runs(shop)["A"], tmp_path / "labels.pdf"
    sheet = shop.ok("labels", "make", run, "--language", "en", "--start", "23")
    assert sheet["ready"] is True
    shop.ok("labels", "save", sheet["sheet"], str(target))
    assert target.read_bytes().startswith(b"%PDF")
    assert shop.refused("labels", "save", sheet["sheet"], str(target))[0]["rule"] == "file.exists"
    assert [one["sheet"] for one in shop.ok("labels", "list", run)["sheets"]] == [sheet["sheet"]]


def test_a_sheet_that_is_not_made_yet_cannot_be_saved(shop: Shell, tmp_path: Path) -> None:
    sheet = shop.ok("labels", "make", runs(shop)["B"], "--background")["sheet"]
    assert shop.refused("labels", "save", sheet, str(tmp_path / "x.pdf"))[0]["rule"] == "labels.not-ready"
    assert not (tmp_path / "x.pdf").exists()


def test_labels_are_made_in_every_form_by_command(shop: Shell, tmp_path: Path) -> None:
    run, table = runs(shop)["A"], tmp_path / "labels.csv"
    made = shop.ok("labels", "make", run, "--output", "csv", "--count", "2", "--language", "en")
    assert (made["output"], made["count"], made["verification"]) == ("csv", 2, "unverified")
    shop.ok("labels", "save", made["sheet"], str(table))
    assert codes(shop, "A")[0]["link"] in table.read_text(encoding="utf-8-sig")
    own = shop.ok(
        "labels", "make", run, "--output", "png", "--layout", "own", "--label-width", "60", "--label-height", "30",
        "--carrier", "gs1-data-matrix", "--fields", "lot,serial", "--dpi", "203", "--count", "1",
    )  # fmt: skip
    assert (own["layout"], own["carrier"], own["fields"], own["dpi"]) == ("own", "gs1-data-matrix", "lot,serial", 203)
    assert shop.refused("labels", "make", run, "--fields", "colour")[0]["rule"] == "label.field-unknown"


def test_labels_that_a_hand_scanner_read_verify_their_print_run(shop: Shell, tmp_path: Path) -> None:
    run, scanned = runs(shop)["B"], tmp_path / "scanned.txt"
    links = [code["link"] for code in codes(shop, "B")]
    sheet = shop.ok("labels", "make", run)
    assert sheet["sample"] == [1, 2, 3]
    scanned.write_text(f"]Q1{links[0]}\n{links[2]}\n\n", encoding="utf-8")
    found = shop.ok("labels", "verify", run, "--scanned", str(scanned))
    assert (found["verification"], found["matched"], found["missing"]) == ("unverified", 2, [2])
    scanned.write_text(links[1], encoding="utf-8")
    assert shop.ok("labels", "verify", sheet["sheet"], "--scanned", str(scanned))["verification"] == "verified"
    scanned.write_text(codes(shop, "A")[0]["link"], encoding="utf-8")
    assert shop.refused("labels", "verify", run, "--scanned", str(scanned))[0]["rule"] == "labels.mismatch"
    assert shop.ok("labels", "list", run)["sheets"][0]["verification"] == "mismatch"


def test_the_symbol_of_a_code_reads_back_as_its_link(shop: Shell, tmp_path: Path) -> None:
    code = codes(shop, "B")[0]
    png, svg = tmp_path / "code.png", tmp_path / "code.svg"
    printed = shop.said("codes", "link", code["serial"], "--png", str(png), "--svg", str(svg)).strip()
    assert printed == code["link"]
    with Image.open(png) as image:
        assert [found.text for found in zxingcpp.read_barcodes(image.convert("L"))] == [printed]
    assert svg.read_text(encoding="utf-8").startswith("<svg")


def test_codes_of_a_retired_key_stay_valid(shop: Shell) -> None:
    links = [codes(shop, tier)[0]["link"] for tier in "AB"]
    assert len(shop.ok("key", "rotate", "item")["made"]) == 2
    assert sum(key["retired_at"] is not None for key in shop.ok("key", "list")["keys"]) == 2
    assert {shop.ok("codes", "check", link)["state"] for link in links} == {"ok-first"}


def test_a_picture_is_taken_in_and_a_false_one_is_refused(shop: Shell, tmp_path: Path) -> None:
    good, bad = tmp_path / "tea.png", tmp_path / "bad.png"
    Image.new("RGB", (64, 64), "green").save(good)
    bad.write_text("<svg/>")
    assert shop.refused("product", "picture", GTIN, str(bad))[0]["field"] == "file"
    assert len(shop.ok("product", "picture", GTIN, str(good))["picture"]) == 64


def test_result_lines_come_from_a_table(shop: Shell, tmp_path: Path) -> None:
    shop.ok("batch", "add", *("OTHER" if word == LOT else word for word in BATCH))
    table, file = tmp_path / "lines.csv", tmp_path / "scan.png"
    table.write_text(
        'result,unit,parameter,limit,method\n0.9,mg/kg,"铅, total",≤ 5.0,GB 5009.12\n', encoding="utf-8-sig"
    )
    Image.new("L", (800, 1100), 255).save(file)
    words = ["OTHER" if word == LOT else word.replace("YX-1", "YX-2") for word in REPORT]
    facts = shop.ok("certificate", "add", str(file), *words, "--lines", str(table))
    assert facts["lines"][0] | {"outcome": "pass"} == facts["lines"][0]
    assert facts["lines"][0]["parameter"] == "铅, total"
    assert shop.ok("certificate", "reject", "YX-2", "--reason", "unreadable")["status"] == "rejected"


def test_the_same_report_twice_is_refused_and_says_where_it_is(shop: Shell, report: Path) -> None:
    before = shop.rows()
    words = [word.replace("YX-1", "YX-9") for word in REPORT]
    problem = shop.refused("certificate", "add", str(report), *words, *LINE)[0]
    assert problem["rule"] == "certificate.same-file"
    assert "YX-1" in problem["message"]
    assert shop.rows() == before


def test_lists_can_be_searched_and_bounded(shop: Shell) -> None:
    assert shop.ok("product", "list", "--search", "rock")["total"] == 1
    assert shop.ok("product", "list", "--search", "nothing")["products"] == []
    assert "Nothing found" in shop.said("batch", "list", "--state", "held")
    found = shop.ok("codes", "list", "--run", runs(shop)["A"], "--limit", "4")
    assert (len(found["codes"]), found["total"]) == (4, 10)


def test_a_list_in_a_pipe_is_not_cut(shop: Shell) -> None:
    link = codes(shop, "B")[0]["link"]
    assert link in shop.said("codes", "list", "--run", runs(shop)["B"])


def test_people_read_a_reason_and_programs_read_json(shop: Shell) -> None:
    for words in (("supplier", "show", LICENCE), ("certificate", "show", "YX-1"), ("product", "show", GTIN)):
        assert json.loads(shop.run(*words, "--json").stdout)
        assert "{" not in shop.said(*words)


def test_a_chinese_terminal_is_answered_in_chinese(
    shop: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalogue = Catalog(locale="zh")
    catalogue.add("There is no batch with this GTIN and lot.", "没有此 GTIN 与批号的批次。")
    file = tmp_path / "zh" / "LC_MESSAGES" / "messages.mo"
    file.parent.mkdir(parents=True)
    with file.open("wb") as target:
        write_mo(target, catalogue)
    monkeypatch.setattr(context, "_TRANSLATIONS", tmp_path)
    shop.more = {"LANGUAGE": "", "LC_ALL": "zh_CN.UTF-8"}
    context._catalogue.cache_clear()
    try:
        assert shop.refused("batch", "show", GTIN, "NONE")[0]["message"] == "没有此 GTIN 与批号的批次。"
    finally:
        context._catalogue.cache_clear()
