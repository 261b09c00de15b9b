"""Upload, review and withdrawal of inspection certificates."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from typing import Any

import makers
import pikepdf
import pytest

from lotseal.trace.batches import service as batches
from lotseal.trace.batches.models import BatchState
from lotseal.trace.certificates import service as certificates
from lotseal.trace.certificates.models import Certificate, ResultLine
from lotseal.trace.files.models import StoredFile
from lotseal.trace.suppliers.models import Supplier
from lotseal.trace.system import System

Find = Callable[[Any, str], Supplier]
ADD = "/staff/certificates/add"
FACTS = {**makers.CERTIFICATE, "number": "YX-2026-10-0417"}
LINES = {
    "lines-0.parameter": "铅",
    "lines-0.method": "GB 5009.12",
    "lines-0.limit": "≤ 5.0",
    "lines-0.result": "0.9",
    "lines-0.unit": "mg/kg",
}


@pytest.fixture
def batch(sqlite_system: System, supplier_of: Find) -> str:
    """A submitted batch of Chen's supplier."""
    with sqlite_system.main.write() as session:
        product = makers.a_product(session, supplier_of(session, "chen"))
        return makers.a_batch(session, product).ref


@pytest.fixture
def report(sqlite_system: System, batch: str) -> Callable[..., str]:
    """Makes a report on the batch; gives its reference."""

    def make(**options: Any) -> str:
        with sqlite_system.main.write() as session:
            return makers.a_certificate(session, batches.get(session, batch), **options).ref

    return make


def rows(system: System) -> list[int]:
    with system.main.read() as session:
        return [makers.rows(session, model) for model in (Certificate, ResultLine, StoredFile)]


def status_of(system: System, ref: str) -> str:
    with system.main.read() as session:
        return certificates.get(session, ref).status


# --- upload -----------------------------------------------------------------------------------------------------------


def test_a_supplier_uploads_a_report_and_the_quality_team_accepts_it(
    chen: Any, bob: Any, sqlite_system: System, batch: str, a_pdf: Any
) -> None:
    assert 'name="lines-5.parameter"' in chen.open(f"{ADD}?batch={batch}")
    where = chen.send(ADD, {"batch": batch, **FACTS, **LINES}, file=(a_pdf(), "report.pdf"))
    page = chen.open(where)
    assert "YX-2026-10-0417" in page
    assert "Pass" in page
    assert "/accept" not in page
    queue = bob.open("/staff/certificates")
    assert where in queue
    page = bob.open(where)
    image = bob.ask(f"{where}/page/1")
    assert image.mimetype == "image/webp"
    assert "no-store" in image.headers["Cache-Control"]
    original = bob.ask(f"{where}/original")
    assert original.data == a_pdf()
    assert original.headers["Content-Disposition"].startswith("attachment")
    bob.send(f"{where}/accept")
    assert status_of(sqlite_system, where.split("/")[-1]) == "accepted"
    assert "Nothing to review" in bob.open("/staff/certificates")


def test_more_lines_come_without_a_script_and_keep_everything_typed(
    chen: Any, sqlite_system: System, batch: str, a_pdf: Any
) -> None:
    chen.open(f"{ADD}?batch={batch}")
    typed = {"batch": batch, **FACTS, **LINES, "lines-5.parameter": "水分", "more": "1"}
    page = chen.send(ADD, typed, status=200, file=(a_pdf(), "report.pdf"))
    assert 'name="lines-11.parameter"' in page
    assert 'value="水分"' in page
    assert 'value="YX-2026-10-0417"' in page
    assert "Choose the file again" in page
    assert rows(sqlite_system) == [0, 0, 0]


def test_everything_that_is_wrong_is_said_at_once_and_nothing_is_stored(
    chen: Any, sqlite_system: System, batch: str
) -> None:
    typed = {"batch": batch, **FACTS, "number": "", "issued_on": "2027-01-01", "lines-0.parameter": "铅"}
    page = chen.send(ADD, typed, status=422, file=(b"plain text", "report.pdf"))
    for field in ("number", "issued_on", "lines-0.limit", "lines-0.result", "file"):
        assert f'href="#f-{field}"' in page
    assert "Line 1, Limit" in page
    assert 'value="闽检"' in page
    assert rows(sqlite_system) == [0, 0, 0]
    assert not [path for path in sqlite_system.settings.files_folder.rglob("*") if path.is_file()]


def test_what_is_wrong_stands_in_the_order_and_words_of_the_form(chen: Any, batch: str) -> None:
    typed = {"batch": batch, **FACTS, "number": "", "issued_on": "2026-11-20", "expires_on": "2026-11-01"}
    page = chen.send(ADD, typed, status=422, file=(b"plain text", "report.pdf"))
    summary = page[page.index("error-summary") : page.index("</ul>", page.index("error-summary"))]
    assert re.findall(r'href="#f-([\w-]+)">', summary) == ["file", "number", "expires_on", "lines"]
    assert "Valid until: This is before the issue date" in summary


def _with_password(pdf: bytes) -> bytes:
    out = BytesIO()
    with pikepdf.open(BytesIO(pdf)) as document:
        document.save(out, encryption=pikepdf.Encryption(owner="a", user="b"))
    return out.getvalue()


def _huge_png() -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 40_000, 40_000, 1, 0, 0, 0, 0)
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
BAD_FILES: dict[str, tuple[Callable[[Any], bytes], str]] = {
    "no PDF": (lambda _pdf: b"this is a letter", "This type of file is not taken."),
    "empty": (lambda _pdf: b"", "The file is empty."),
    "25 MB": (lambda pdf: pdf() + b"\0" * 25_000_000, "at most 20 MB are taken"),
    "password": (lambda pdf: _with_password(pdf()), "The PDF asks for a password."),
    "page-size bomb": (lambda pdf: pdf(width=1_000_000, height=1_000_000), "Page 1 has a size that no report has"),
    "SVG": (lambda _pdf: SVG, "SVG and HTML files can hold programs"),
    "PNG of 40,000 × 40,000": (lambda _pdf: _huge_png(), "The picture has too many pixels"),
    "script in front": (
        lambda pdf: b"<script>alert(1)</script>\n" + pdf(),
        "The file holds other data before its start",
    ),
    "none": (lambda _pdf: b"", "Choose a file."),
}


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("kind", BAD_FILES)
def test_a_bad_file_gets_its_sentence_and_changes_no_row(
    chen: Any, sqlite_system: System, batch: str, a_pdf: Any, kind: str, language: str
) -> None:
    make, sentence = BAD_FILES[kind]
    name = "" if kind == "none" else "report.svg" if kind == "SVG" else "report.pdf"
    chen.language = language
    chen.open(f"{ADD}?batch={batch}")
    page = chen.send(ADD, {"batch": batch, **FACTS, **LINES}, status=422, file=(make(a_pdf), name))
    assert 'href="#f-file"' in page
    assert 'id="f-file-error"' in page
    if language == "en":
        assert sentence.lower() in page.lower()
    else:
        assert sentence not in page
        said = re.search(r'id="f-file-error".*?</p>', page, re.DOTALL)
        assert said is not None
        assert re.search("[\u4e00-\u9fff]", said.group().replace("错误", ""))
    assert 'value="YX-2026-10-0417"' in page
    assert rows(sqlite_system) == [0, 0, 0]


def test_a_request_above_all_bounds_is_refused_before_it_is_read(chen: Any, sqlite_system: System, batch: str) -> None:
    page = chen.send(ADD, {"batch": batch, **FACTS}, status=413, file=(b"\0" * 70_000_000, "report.pdf"))
    assert "larger than 64 MB" in page
    assert rows(sqlite_system) == [0, 0, 0]


@pytest.mark.parametrize(
    "name", ["<img src=x onerror=alert(1)>.pdf", "报告🍵.pdf", "../../etc/passwd.pdf", "x" * 300 + ".pdf"]
)
def test_a_strange_file_name_does_no_harm(chen: Any, batch: str, a_pdf: Any, name: str) -> None:
    where = chen.send(ADD, {"batch": batch, **FACTS, **LINES}, file=(a_pdf(), name))
    chen.open(where)
    assert "<img src=x" not in chen.answer.text
    disposition = chen.ask(f"{where}/original").headers["Content-Disposition"]
    assert disposition.startswith("attachment")
    assert "/" not in disposition


def test_the_same_file_and_the_same_number_are_told_kindly(
    chen: Any, dana: Any, sqlite_system: System, supplier_of: Find, batch: str, a_pdf: Any
) -> None:
    chen.send(ADD, {"batch": batch, **FACTS, **LINES}, file=(a_pdf(), "report.pdf"))
    before = rows(sqlite_system)
    page = chen.send(ADD, {"batch": batch, **FACTS, **LINES, "number": "YX-2"}, status=409, file=(a_pdf(), "r.pdf"))
    assert "This file was uploaded on 2026-11-22 for lot DHP261012A as report YX-2026-10-0417." in page
    page = chen.send(ADD, {"batch": batch, **FACTS, **LINES}, status=409, file=(a_pdf("other"), "r.pdf"))
    assert 'href="#f-number"' in page
    with sqlite_system.main.write() as session:
        product = makers.a_product(session, supplier_of(session, "dana"))
        other = makers.a_batch(session, product, lot="LED2641").ref
    page = dana.send(ADD, {"batch": other, **FACTS, **LINES}, status=409, file=(a_pdf(), "report.pdf"))
    assert "DHP261012A" not in page
    assert rows(sqlite_system) == before


# --- review -----------------------------------------------------------------------------------------------------------


def test_the_queue_shows_the_oldest_first_with_its_age(bob: Any, report: Any, time: Any) -> None:
    report(accepted=False, number="YX-OLD")
    time.on(days=3)
    bob.sign_in("bob")
    page = bob.open("/staff/certificates")
    assert "3 days ago" in page
    assert "YX-OLD" in page


def test_the_queue_is_searched_by_number_lot_and_hash(bob: Any, sqlite_system: System, report: Any) -> None:
    ref = report(number="YX-FIND", accepted=False)
    with sqlite_system.main.read() as session:
        sha256 = certificates.get(session, ref).file.sha256
    for search in ("yx-find", "dhp261012a", sha256, "闽检"):
        assert ref in bob.open(f"/staff/certificates?q={search}")
    assert "Nothing found" in bob.open("/staff/certificates?q=nothing")


def test_doubts_are_shown_and_a_contradicted_conclusion_cannot_be_accepted(
    bob: Any, sqlite_system: System, report: Any
) -> None:
    ref = report(accepted=False, lines=[{"result": "5.1"}, {"parameter": "感官", "limit": "—", "result": "条索紧结"}])
    page = bob.open(f"/staff/certificates/{ref}")
    assert "Outside its limit: 铅." in page
    assert "Cannot be compared by rule, please judge: 感官." in page
    assert "Fail" in page
    assert "Undecided" in page
    assert "outside its limit" in bob.send(f"/staff/certificates/{ref}/accept", status=409)
    assert status_of(sqlite_system, ref) == "submitted"


def test_nobody_accepts_a_report_that_they_sent_in(
    bob: Any, alice: Any, sqlite_system: System, batch: str, a_pdf: Any
) -> None:
    where = bob.send(ADD, {"batch": batch, **FACTS, **LINES}, file=(a_pdf(), "report.pdf"))
    assert "/accept" not in bob.open(where)
    assert "Somebody else has to accept it." in bob.send(f"{where}/accept", status=409)
    alice.send(f"{where}/accept")
    assert status_of(sqlite_system, where.split("/")[-1]) == "accepted"


def test_a_rejected_report_comes_back_as_version_2(
    bob: Any, chen: Any, sqlite_system: System, batch: str, a_pdf: Any
) -> None:
    first = chen.send(ADD, {"batch": batch, **FACTS, **LINES}, file=(a_pdf(), "report.pdf"))
    bob.open(first)
    refused = bob.send(f"{first}/reject", {"reason": "", "note": "see page 2"}, status=422)
    assert "Choose one from the list." in refused
    assert "see page 2" in refused
    bob.send(f"{first}/reject", {"reason": "lot-differs", "note": "see page 2"})
    page = chen.open(first)
    assert "The batch number differs — see page 2" in page
    replaces = first.split("/")[-1]
    form = chen.open(f"{ADD}?batch={batch}&replaces={replaces}")
    assert 'value="YX-2026-10-0417"' in form
    assert 'value="GB 5009.12"' in form
    second = chen.send(ADD, {"batch": batch, "replaces": replaces, **FACTS, **LINES}, file=(a_pdf("new"), "report.pdf"))
    assert first in chen.open(second)
    assert second in chen.open(first)
    with sqlite_system.main.read() as session:
        assert certificates.get(session, second.split("/")[-1]).version == 2


def test_the_supplier_reads_the_reason_in_its_own_language(bob: Any, chen: Any, report: Any) -> None:
    ref = report(accepted=False)
    bob.send(f"/staff/certificates/{ref}/reject", {"reason": "lot-differs"})
    chen.language = "zh"
    page = chen.open(f"/staff/certificates/{ref}")
    assert "批号不符" in page


def test_an_accepted_report_is_withdrawn_with_a_reason(bob: Any, sqlite_system: System, report: Any) -> None:
    ref = report()
    assert 'href="#f-reason"' in bob.send(f"/staff/certificates/{ref}/withdraw", {"reason": ""}, status=422)
    assert status_of(sqlite_system, ref) == "accepted"
    bob.send(f"/staff/certificates/{ref}/withdraw", {"reason": "wrong sample"})
    assert "wrong sample" in bob.open(f"/staff/certificates/{ref}")
    assert status_of(sqlite_system, ref) == "withdrawn"


# --- who --------------------------------------------------------------------------------------------------------------


def test_a_supplier_sees_only_its_own_reports(
    dana: Any, sqlite_system: System, batch: str, report: Any, a_pdf: Any
) -> None:
    ref = report()
    assert ref not in dana.open("/staff/certificates")
    for path in (ref, f"{ref}/page/1", f"{ref}/original", f"add?batch={batch}"):
        dana.open(f"/staff/certificates/{path}", status=404)
    before = rows(sqlite_system)
    dana.send(ADD, {"batch": batch, **FACTS, **LINES}, status=404, file=(a_pdf(), "report.pdf"))
    assert rows(sqlite_system) == before


@pytest.mark.parametrize("who", ["chen", "erik"])
@pytest.mark.parametrize("action", ["accept", "reject", "withdraw"])
def test_suppliers_and_auditors_do_not_review(
    request: pytest.FixtureRequest, sqlite_system: System, report: Any, who: str, action: str
) -> None:
    person = request.getfixturevalue(who)
    ref = report(accepted=action == "withdraw")
    before = status_of(sqlite_system, ref)
    assert f"/{action}" not in person.open(f"/staff/certificates/{ref}")
    person.send(f"/staff/certificates/{ref}/{action}", {"reason": "expired"}, status=403)
    assert status_of(sqlite_system, ref) == before


def test_an_auditor_uploads_nothing(erik: Any, sqlite_system: System, batch: str, a_pdf: Any) -> None:
    erik.open(f"{ADD}?batch={batch}", status=403)
    erik.send(ADD, {"batch": batch, **FACTS, **LINES}, status=403, file=(a_pdf(), "report.pdf"))
    assert rows(sqlite_system) == [0, 0, 0]


def test_a_closed_batch_takes_no_report(bob: Any, sqlite_system: System, supplier_of: Find, a_pdf: Any) -> None:
    with sqlite_system.main.write() as session:
        product = makers.a_product(session, supplier_of(session, "chen"))
        ref = makers.a_batch_in(session, BatchState.CLOSED, sqlite_system.ring, product).ref
    before = rows(sqlite_system)
    assert "This batch is closed" in bob.send(
        ADD, {"batch": ref, **FACTS, **LINES}, status=409, file=(a_pdf(), "report.pdf")
    )
    assert rows(sqlite_system) == before


def test_an_expired_report_says_so(bob: Any, report: Any, time: Any) -> None:
    ref = report(expires_on=str(makers.TODAY + timedelta(days=1)))
    time.on(days=3)
    bob.sign_in("bob")
    assert "This report has expired" in bob.open(f"/staff/certificates/{ref}")
