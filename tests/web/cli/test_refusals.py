"""Bad input: its field, its rule and its mend, exit code 1, and not one row written."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from shells import BATCH, GTIN, LICENCE, LINE, LOT, REPORT, Shell

from lotseal.trace.errors import NotFound
from lotseal.trace.products import service as products
from lotseal.web.cli import main

PRODUCT = ("product", "add", "--name-zh", "茶", "--name-en", "Tea", "--category", "tea", "--supplier", LICENCE)
ANOTHER = ("batch", "add", "--gtin", GTIN, "--lot", "L2")
SUPPLIER = ("supplier", "add", "--name-en", "X", "--country", "CN")

BAD = [
    ((*PRODUCT, "--gtin", "09521321000019"), "gtin", "gtin.check-digit"),
    ((*PRODUCT, "--gtin", "12x"), "gtin", "gtin.digits"),
    ((*PRODUCT, "--gtin", GTIN), "gtin", "product.gtin-taken"),
    ((*PRODUCT[:-2], "--gtin", "09521323000016"), "supplier", "choice.missing"),
    (("batch", "add", "--gtin", GTIN, "--lot", "A B"), "lot", "lot.characters"),
    (("batch", "add", "--gtin", GTIN), "lot", "text.missing"),
    (("batch", "add", "--lot", "L2"), "gtin", "gtin.digits"),
    (("batch", "add", *BATCH), "lot", "batch.lot-taken"),
    ((*ANOTHER, "--quantity", "-1"), "quantity", "number.too-low"),
    ((*ANOTHER, "--produced-on", "2026-02-30"), "produced_on", "date.format"),
    ((*ANOTHER, "--produced-on", "2026-10-12", "--expires-on", "2026-10-11"), "expires_on", "date.before-production"),
    ((*ANOTHER, "--country", "ZZ"), "country", "country.unknown"),
    ((*ANOTHER, "--unit", "bushel"), "unit", "choice.unknown"),
    ((*ANOTHER, "--latitude", "27.7"), "longitude", "coordinates.half"),
    ((*ANOTHER, "--inputs", "x" * 10_000), "inputs", "text.too-long"),
    ((*SUPPLIER, "--name-zh", "<img onerror=x>"), "name_zh", "text.markup"),
    ((*SUPPLIER, "--name-zh", "茶\N{GRINNING FACE}"), "name_zh", "text.symbol"),
    ((*SUPPLIER, "--name-zh", "שלום"), "name_zh", "text.right-to-left"),
    ((*SUPPLIER, "--name-zh", "茶", "--licence", LICENCE[:-1] + "A"), "licence", "licence.check"),
    (("category", "add", "--code", "Tea!", "--name-zh", "茶", "--name-en", "Tea"), "code", "category.code"),
    (("codes", "issue", GTIN, LOT, "--count", "0"), "count", "number.too-low"),
    (("codes", "issue", GTIN, LOT, "--count", "1.5"), "count", "number.whole"),
    (("codes", "issue", GTIN, LOT), "count", "number.missing"),
    (("codes", "issue", GTIN, LOT, "--count", "1", "--tier", "C"), "tier", "choice.unknown"),
    (("codes", "check", "https://t.example.cn/x/y"), "url", "link.form"),
    (("codes", "check", "https://t.example.cn/01/09521321000019"), "gtin", "gtin.check-digit"),
    (("codes", "check", "0000000000"), "serial", "serial.character"),
    (("batch", "hold", GTIN, LOT, "--reason-zh", "复检"), "reason_en", "text.missing"),
    (("batch", "show", GTIN, "NONE"), None, "batch.unknown"),
    (("certificate", "accept", "YX-1"), None, "certificate.reviewed"),
    (("certificate", "show", "none"), None, "certificate.unknown"),
    (("supplier", "show", "none"), None, "supplier.unknown"),
    (("account", "block", "nobody"), None, "account.unknown"),
    (("account", "add", "--login", "eve", "--name", "Eve", "--role", "king"), "role", "choice.unknown"),
    (("account", "add", "--login", "eve", "--name", "Eve", "--role", "supplier"), "supplier", "account.supplier"),
    (("labels", "make", "none"), None, "run.unknown"),
]


@pytest.mark.parametrize(("words", "field", "rule"), BAD, ids=[f"{words[0]}-{rule}" for words, _, rule in BAD])
def test_bad_input_is_refused_with_its_rule_and_writes_nothing(
    shop: Shell, words: tuple[str, ...], field: str | None, rule: str
) -> None:
    before = shop.rows()
    problems = shop.refused(*words)
    assert (field, rule) in [(problem["field"], problem["rule"]) for problem in problems]
    assert all(problem["message"] for problem in problems)
    assert shop.rows() == before


def test_every_problem_is_told_at_once(shop: Shell) -> None:
    problems = shop.refused("supplier", "add")
    assert {problem["field"] for problem in problems} >= {"name_zh", "name_en", "country"}


def test_people_read_field_sentence_and_rule_on_stderr_only(shop: Shell) -> None:
    result = shop.run(*PRODUCT, "--gtin", "09521321000019")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith("gtin: The check digit 9 does not fit")
    assert result.stderr.rstrip().endswith("(gtin.check-digit)")


@pytest.mark.parametrize(
    ("content", "rule"), [(b"", "file.empty"), (b"hello", "file.kind"), (b"<svg xmlns='x'/>", "file.kind")]
)
def test_a_file_that_is_no_report_is_refused_and_nothing_is_stored(
    shop: Shell, tmp_path: Path, content: bytes, rule: str
) -> None:
    shop.ok("batch", "add", *ANOTHER[2:])
    file, before, stored = tmp_path / "x.pdf", shop.rows(), sorted((shop.data / "files").rglob("*"))
    file.write_bytes(content)
    words = ["L2" if word == LOT else word.replace("YX-1", "YX-3") for word in REPORT]
    problem = shop.refused("certificate", "add", str(file), *words, *LINE)[0]
    assert problem["field"] == "file"
    assert problem["rule"].startswith("file."), rule
    assert shop.rows() == before
    assert sorted((shop.data / "files").rglob("*")) == stored


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b"parameter,limit\n", "lines.headers"),
        (b"parameter,method,limit,result,unit\na,b\n", "lines.cells"),
        ("parameter,method,limit,result,unit\n总汞,,1,1,".encode("gb18030"), "lines.encoding"),
        (b'parameter,method,limit,result,unit\n"a,b,c,d,e\n', "lines.csv"),
        (b"x" * 1_000_001, "lines.too-large"),
        (b"parameter,method,limit,result,unit\n", "lines.none"),
    ],
)
def test_a_table_of_results_that_cannot_be_read_is_refused(
    shop: Shell, tmp_path: Path, report: Path, content: bytes, rule: str
) -> None:
    table, before = tmp_path / "lines.csv", shop.rows()
    table.write_bytes(content)
    assert shop.refused("certificate", "add", str(report), *REPORT, "--lines", str(table))[0]["rule"] == rule
    assert shop.rows() == before


def test_a_result_line_with_missing_parts_is_refused(shop: Shell, report: Path) -> None:
    problem = shop.refused("certificate", "add", str(report), *REPORT, "--line", "铅|0.9")[0]
    assert (problem["field"], problem["rule"]) == ("line", "lines.parts")


def test_a_run_or_a_batch_but_not_both(shop: Shell) -> None:
    assert shop.run("codes", "list").exit_code == 2
    assert shop.run("codes", "list", GTIN, LOT, "--run", "x").exit_code == 2
    assert shop.run("codes", "void", "--reason", "x").exit_code == 2


def test_a_fault_of_the_program_is_a_sentence_unless_someone_asks_for_more(
    shop: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> NotFound:
        raise RuntimeError("cable out")

    monkeypatch.setattr(products, "by_gtin", broken)
    result = shop.run("product", "show", GTIN)
    assert result.exit_code == 70
    assert "RuntimeError: cable out" in result.stderr
    assert "Traceback" not in result.output
    assert isinstance(shop.run("--debug", "product", "show", GTIN).exception, RuntimeError)


def test_ctrl_c_ends_with_130(shop: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(products, "by_gtin", stopped)
    result = shop.run("product", "show", GTIN)
    assert (result.exit_code, result.stderr.strip()) == (130, "Stopped.")


def test_a_folder_that_may_not_be_written_is_told(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("x")
    result = CliRunner().invoke(
        main,
        ["init"],
        env={
            "LOTSEAL_DATA": str(blocked / "data"),
            "LOTSEAL_MODE": "development",
            "LOTSEAL_KEY_PASSPHRASE": "correct horse battery",
        },
    )
    assert result.exit_code == 3
    assert "(system.refused)" in result.stderr
