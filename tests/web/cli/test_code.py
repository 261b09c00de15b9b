"""`lotseal code`, through click."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
import zxingcpp
from click.testing import CliRunner, Result
from PIL import Image

from lotseal.trace.codes.model import Kind
from lotseal.trace.errors import Invalid
from lotseal.web.cli import code as command

LINK = "https://a.example/01/09521234543213/10/L1"
KEYS = ["input", "ok", "kind", "ai", "canonical", "bracketed", "element_string", "scan_data", "errors"]


def run(*arguments: str, stdin: bytes | None = None) -> Result:
    return CliRunner().invoke(command.code, ["inspect", *arguments], input=stdin)


def answers(*lines: str | bytes, options: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    stdin = b"\n".join(line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines)
    result = run("--jsonl", *options, stdin=stdin)
    assert result.exit_code == 0
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_people_see_each_identifier_and_each_form() -> None:
    result = run(LINK)
    assert result.exit_code == 0
    assert "(10) BATCH/LOT" in result.stdout
    assert "https://id.gs1.org/01/09521234543213/10/L1" in result.stdout


def test_a_wrong_code_ends_with_1_and_its_problems_on_stderr() -> None:
    result = run("(01)09521234543214")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "(01) The check digit 4 does not fit" in result.stderr
    assert "(csum.incorrect-check-digit)" in result.stderr


@pytest.mark.parametrize(("text", "ok"), [(LINK, True), ("(01)1", False)])
def test_json_is_one_document_with_the_same_names_right_or_wrong(text: str, ok: bool) -> None:
    result = run("--json", text)
    document = json.loads(result.stdout)
    assert list(document) == KEYS
    assert document["ok"] is ok
    assert result.exit_code == (0 if ok else 1)


def test_each_line_gets_one_answer_in_order() -> None:
    right, wrong, scanned = answers(LINK, "(10)L", "]Q30109521234543213\x1d")
    assert right["ai"] == [["01", "09521234543213"], ["10", "L1"]]
    assert right["scan_data"] == "]Q3010952123454321310L1"
    assert [error["rule"] for error in wrong["errors"]] == ["association.requisites"]
    assert list(wrong["errors"][0]) == ["ai", "rule", "position", "message"]
    assert scanned["element_string"] == "^0109521234543213"


@pytest.mark.parametrize(
    "bad",
    [
        b"",
        b"hello",
        b"[1]",
        b"[" * 20_000,
        b"42",
        b'"open',
        b'"\xff"',
        b"\x00",
        b'"' + b"x" * 100_000 + b'"',
        b"9" * 50_000,
    ],
)
def test_a_bad_line_is_answered_and_the_next_one_too(bad: bytes) -> None:
    first, second = answers(bad, LINK)
    assert (first["ok"], first["input"]) == (False, None)
    assert first["errors"][0]["rule"] in ("line.no-string", "line.too-long")
    assert second["ok"]


def test_a_line_that_is_too_long_is_one_answer_and_not_kept() -> None:
    first, second = answers(b'"' + b"x" * 3_000_000 + b'"', LINK)
    assert first["errors"][0]["rule"] == "line.too-long"
    assert second["ok"]


def test_text_that_is_no_unicode_is_answered() -> None:
    (answer,) = answers(b'"]Q1\\ud800"')
    assert answer["ok"]
    assert run("--json", "(10)\udcff").exit_code == 1


def test_an_answer_comes_before_the_next_line_is_asked_for() -> None:
    class Waiting(io.BytesIO):
        """Gives one line at a time, as a pipe does while its writer waits for the answer."""

        def read1(self, size: int | None = -1, /) -> bytes:
            return self.readline()

    batches = list(command._batches(Waiting(b'"a"\n"b"\n"c"')))
    assert batches == [[b'"a"'], [b'"b"'], [b'"c"']]


def test_associations_can_be_left_out() -> None:
    (answer,) = answers("(10)L", options=("--no-associations",))
    assert answer["ok"]
    assert run("--no-associations", "(10)L").exit_code == 0


@pytest.mark.parametrize("kind", [kind.value for kind in Kind])
def test_a_kind_can_be_forced(kind: str) -> None:
    (answer,) = answers("9521234543213", options=("--kind", kind))
    assert answer["kind"] == kind
    assert answer["ok"] is (kind == "gtin")


@pytest.mark.parametrize("arguments", [(), ("--jsonl", "x"), ("--jsonl", "--json"), ("--kind", "ean", "x")])
def test_wrong_usage_ends_with_2(arguments: tuple[str, ...]) -> None:
    assert run(*arguments).exit_code == 2


def test_control_characters_of_a_symbol_do_not_reach_the_terminal() -> None:
    result = run("]Q1\x1b[2Jhello")
    assert "\x1b" not in result.stdout
    assert "␛[2Jhello" in result.stdout
    assert "\x1b" not in run("^\x1b[2J").stderr


# --- symbols ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("carrier", "text", "said"),
    [
        ("ean-13", "9521321000018", ("]E0", "9521321000018")),
        ("itf-14", "09521321000018", ("]I1", "09521321000018")),
        ("gs1-128", "(01)09521321000018(10)L1", ("]C1", "(01)09521321000018(10)L1")),
        ("databar-expanded", LINK, ("]e0", "(01)09521234543213(10)L1")),
        ("data-matrix", LINK, ("]d1", LINK)),
    ],
)
def test_a_symbol_is_drawn_as_its_code_says(carrier: str, text: str, said: tuple[str, str], tmp_path: Path) -> None:
    png, svg = tmp_path / "s.png", tmp_path / "s.svg"
    result = CliRunner().invoke(
        command.code, ["draw", text, "--carrier", carrier, "--png", str(png), "--svg", str(svg), "--json"]
    )
    assert result.exit_code == 0
    [symbol] = zxingcpp.read_barcodes(Image.open(png).convert("L"))
    assert (symbol.symbology_identifier, symbol.text) == said
    facts = json.loads(result.stdout)
    width = re.search(r'width="([0-9.]+)mm"', svg.read_text("utf-8"))
    assert width
    assert float(width[1]) == pytest.approx(facts["width_mm"], abs=0.01)


def test_a_wrong_code_or_one_that_does_not_fit_is_not_drawn(tmp_path: Path) -> None:
    for text, carrier in (("9521321000017", "ean-13"), ("(01)09521321000018(10)L1", "ean-13"), ("(01)1", "gs1-128")):
        with pytest.raises(Invalid):
            CliRunner().invoke(
                command.code,
                ["draw", text, "--carrier", carrier, "--svg", str(tmp_path / "no.svg")],
                catch_exceptions=False,
            )
    assert not (tmp_path / "no.svg").exists()
