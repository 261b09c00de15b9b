"""`lotseal certificate inspect`, and laboratories on the command line."""

from __future__ import annotations

import json
import os
from io import BytesIO
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from click.testing import CliRunner, Result
from PIL import Image
from shells import LINE, REPORT, Shell
from signers import holder, laboratory, now_root, report, sign, tampered

from lotseal.web.cli import certificates as command

LABORATORY = ("--name-zh", "闽检", "--name-en", "Minjian", "--country", "CN", "--cma", "CMA 1234567")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(command.certificate, ["inspect", *arguments])


def inspected(path: Path, data: bytes, *more: str) -> tuple[int, dict[str, Any]]:
    path.write_bytes(data)
    result = run(str(path), "--json", *more)
    found: dict[str, Any] = json.loads(result.stdout)
    return result.exit_code, found


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "report.pdf"


@pytest.fixture
def roots(tmp_path: Path) -> Path:
    folder = tmp_path / "roots"
    folder.mkdir()
    (folder / "authority.pem").write_bytes(now_root().pem)
    (folder / "README").write_text("not a certificate, and not read")
    return folder


def test_a_report_is_told_with_all_its_facts(path: Path) -> None:
    code, found = inspected(path, report(pages=2))
    assert code == 0
    assert found["acceptable"] is True
    assert (found["type"], found["pages"], found["page_sizes_mm"][0]) == ("pdf", 2, [210.0, 297.0])
    assert found["text"]["has_text_layer"] is True
    assert found["text"]["pages_with_text"] == 2
    assert found["text"]["characters"] > 40
    assert found["active_content"] == []
    assert found["signatures"]["state"] == "none"


@pytest.mark.parametrize("missing", ["file", "folder", "roots"])
def test_what_cannot_be_read_is_a_document_too(empty: Shell, path: Path, missing: str) -> None:
    path.write_bytes(report())
    absent = path.with_name("nope")
    what, roots = {"file": (absent, None), "folder": (path.parent, None), "roots": (path, absent)}[missing]
    [problem] = empty.refused("certificate", "inspect", str(what), *(("--roots", str(roots)) if roots else ()), code=3)
    assert problem["rule"] == "file.unreadable"
    assert str(roots or what) in problem["message"]


def test_a_signature_is_judged_with_the_roots_of_the_folder(path: Path, roots: Path) -> None:
    by = holder("Desk", now_root(), lasting=True)
    code, found = inspected(path, sign(report(), by, at=None), "--roots", str(roots))
    (one,) = found["signatures"]["signatures"]
    assert code == 0
    assert one["all_hold"] is True
    assert {name: fact["holds"] for name, fact in one["facts"].items()} == dict.fromkeys(
        ("integrity", "signature", "trust", "coverage", "later"), True
    )
    assert one["root_sha256"] == [now_root().sha256]
    assert one["certificate_sha256"] == by.sha256


@pytest.mark.parametrize("given", [True, False])
def test_a_signer_that_no_root_vouches_for_is_told_and_the_file_stays_acceptable(
    given: bool, path: Path, roots: Path
) -> None:
    data = sign(report(), holder("Desk", holder("Else", authority=True, lasting=True), lasting=True), at=None)
    code, found = inspected(path, data, *(("--roots", str(roots)) if given else ()))
    (one,) = found["signatures"]["signatures"]
    assert code == 0
    assert one["facts"]["trust"] == {"holds": False, "word": "unknown-root"}
    assert one["all_hold"] is False


def test_a_changed_byte_is_told(path: Path, roots: Path) -> None:
    data = tampered(sign(report(), holder("Desk", now_root(), lasting=True), at=None))
    _code, found = inspected(path, data, "--roots", str(roots))
    (one,) = found["signatures"]["signatures"]
    assert one["facts"]["integrity"] == {"holds": False, "word": "changed"}
    assert one["all_hold"] is False


def test_a_refused_file_ends_with_3_and_its_reason(path: Path) -> None:
    target = BytesIO()
    with pikepdf.open(BytesIO(report())) as pdf:
        pdf.Root.OpenAction = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS=pikepdf.String("app.alert(1)"))
        pdf.save(target)
    code, found = inspected(path, target.getvalue())
    assert code == 3
    assert found["acceptable"] is False
    assert found["active_content"] == ["JavaScript", "OpenAction"]
    assert found["refused"]["rule"] == "file.active-content"
    assert found["refused"]["active_content"] == ["JavaScript", "OpenAction"]
    result = run(str(path))
    assert (result.exit_code, result.stdout) == (3, "")
    assert "act by themselves" in result.stderr


@pytest.mark.parametrize(
    ("data", "kind", "rule"),
    [
        (b"", None, "file.empty"),
        (b"hello", None, "file.type"),
        (b"%PDF-1.7 junk", "pdf", "file.damaged"),
        (b"<svg/>", None, "file.type-program"),
    ],
)
def test_whatever_the_gate_refuses_is_json_all_the_same(data: bytes, kind: str | None, rule: str, path: Path) -> None:
    code, found = inspected(path, data)
    assert (code, found["type"], found["refused"]["rule"]) == (3, kind, rule)


def test_a_picture_has_one_page_and_no_signature(tmp_path: Path) -> None:
    target = BytesIO()
    Image.new("RGB", (300, 300), "white").save(target, "PNG")
    code, found = inspected(tmp_path / "scan.png", target.getvalue())
    assert (code, found["type"], found["pages"]) == (0, "png", 1)
    assert found["signatures"]["state"] == "impossible"


def test_people_read_the_same_in_lines(path: Path) -> None:
    path.write_bytes(sign(report(), laboratory()))
    result = run(str(path))
    assert result.exit_code == 0
    assert "signatures.state" in result.stdout


def test_a_folder_with_something_else_is_refused(path: Path, tmp_path: Path) -> None:
    path.write_bytes(report())
    folder = tmp_path / "empty"
    folder.mkdir()
    assert run(str(path), "--roots", str(folder)).exit_code == 1
    (folder / "a.crt").write_bytes(b"hello")
    assert run(str(path), "--roots", str(folder)).exit_code == 1


def test_certificates_in_every_form_count_and_strangers_beside_them_do_not(path: Path, tmp_path: Path) -> None:
    data = sign(report(), holder("Desk", now_root(), lasting=True), at=None)
    for form in ("der", "bundle", "upper"):
        folder = tmp_path / form
        folder.mkdir()
        (folder / "notes.txt").write_text("no certificate")
        (folder / "more.pem").mkdir()
    (tmp_path / "der" / "a.der").write_bytes(now_root().der)
    (tmp_path / "bundle" / "a.pem").write_bytes(b"# two\n" + laboratory().pem + b"and\n" + now_root().pem)
    (tmp_path / "upper" / "A.CRT").write_bytes(now_root().pem)
    for form in ("der", "bundle", "upper"):
        _code, found = inspected(path, data, "--roots", str(tmp_path / form))
        assert found["signatures"]["signatures"][0]["all_hold"] is True


def test_more_certificates_than_are_looked_at_are_refused_and_not_left_out(path: Path, tmp_path: Path) -> None:
    path.write_bytes(report())
    folder = tmp_path / "many"
    folder.mkdir()
    pems = [holder(f"Root {number}", authority=True, lasting=True).pem for number in range(201)]
    (folder / "a.pem").write_bytes(b"".join(pems[:100]))
    (folder / "b.pem").write_bytes(b"".join(pems[100:200]))
    assert run(str(path), "--roots", str(folder)).exit_code == 0
    (folder / "c.pem").write_bytes(pems[200])
    result = run(str(path), "--roots", str(folder))
    assert result.exit_code == 1


def test_a_name_that_is_no_text_is_read_and_told_all_the_same(tmp_path: Path) -> None:
    data = sign(report(), laboratory())
    code, found = inspected(Path(os.fsdecode(os.fsencode(tmp_path) + b"/report-\xff.pdf")), data)
    assert (code, found["acceptable"], found["file"]) == (0, True, "report-\ufffd.pdf")
    assert found["signatures"]["state"] == "read"


def test_a_file_without_an_end_is_not_read(empty: Shell, tmp_path: Path) -> None:
    huge = tmp_path / "huge.pdf"
    huge.write_bytes(b"%PDF-1.7\n")
    os.truncate(huge, 1 << 40)
    result = run(str(huge), "--json")
    found = json.loads(result.stdout)
    assert (result.exit_code, found["refused"]["rule"], found["sha256"]) == (3, "file.too-large", None)
    os.mkfifo(tmp_path / "pipe.pdf")
    for endless in (str(tmp_path / "pipe.pdf"), "/dev/zero"):
        [problem] = empty.refused("certificate", "inspect", endless, code=3)
        assert problem["rule"] == "file.unreadable"


# --- laboratories -----------------------------------------------------------------------------------------------------


def test_a_laboratory_is_added_and_its_certificate_pinned_and_unpinned(fresh: Shell, tmp_path: Path) -> None:
    added = fresh.ok("laboratory", "add", *LABORATORY)
    assert fresh.ok("laboratory", "list")["total"] == 1
    file = tmp_path / "root.der"
    file.write_bytes(now_root().der)
    (problem,) = fresh.refused("laboratory", "pin", "CMA1234567", str(file))
    assert problem["rule"] == "root.compare"
    assert now_root().sha256 in problem["message"]
    done = fresh.ok("laboratory", "pin", "CMA1234567", str(file), "--fingerprint", now_root().sha256)
    assert (done["sha256"], done["counts"]) == (now_root().sha256, True)
    gone = fresh.ok("laboratory", "unpin", added["ref"], now_root().sha256, "--reason", "key lost")
    assert (gone["counts"], gone["removed_reason"]) == (False, "key lost")
    (root,) = fresh.ok("laboratory", "show", added["ref"])["roots"]
    assert root["removed_reason"] == "key lost"


def test_a_report_added_by_command_is_judged_and_shown(shop: Shell, tmp_path: Path) -> None:
    shop.ok("laboratory", "add", *LABORATORY)
    root = tmp_path / "root.pem"
    root.write_bytes(now_root().pem)
    shop.ok("laboratory", "pin", "CMA 1234567", str(root), "--fingerprint", now_root().sha256)
    file = tmp_path / "signed.pdf"
    file.write_bytes(sign(report(), holder("Desk", now_root(), lasting=True), at=None))
    given = list(REPORT)
    given[given.index("--number") + 1] = "YX-9"
    given[given.index("--accreditation") + 1] = "CMA 1234567"
    shop.ok("certificate", "add", str(file), *given, *LINE)
    shown = shop.ok("certificate", "show", "YX-9")
    assert shown["signed"]["signed_by_laboratory"] is True
    assert shown["signed"]["standing"] == "laboratory"
