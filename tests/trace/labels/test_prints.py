"""Print runs in every form, and print-then-verify, on both databases."""

from __future__ import annotations

import csv
import re
from io import BytesIO, TextIOWrapper
from typing import Any
from zipfile import ZipFile

import pytest
import zxingcpp
from makers import AT, Clock, a_batch, acts, codes, rows, rules
from PIL import Image

from lotseal.trace.accounts.service import OPERATOR
from lotseal.trace.codes.digital_link import parse
from lotseal.trace.codes.element_string import print_bracketed
from lotseal.trace.errors import Conflict, Invalid
from lotseal.trace.items import service as items
from lotseal.trace.items.models import CodeRun
from lotseal.trace.labels import checks, making
from lotseal.trace.labels import service as labels
from lotseal.trace.labels.checks import Outcome
from lotseal.trace.labels.models import LabelCheck, Verification
from lotseal.trace.labels.orders import page_of
from lotseal.trace.system import System


def run_of(system: System, count: int = 8, tier: str = "A") -> tuple[str, list[str]]:
    """A run of codes: its reference and its links in order."""
    with system.main.write() as session:
        batch = a_batch(session)
    made = codes(system, batch, count, tier)
    with system.main.read() as session:
        return items.runs_of(session, batch)[0].ref, [one.link for one in made]


def printed(system: System, run: str, **raw: str) -> str:
    with system.main.write() as session:
        row = items.get_run(session, run)
        ref = labels.order_sheet(session, row, labels.read_sheet_order(raw, row), by=OPERATOR, at=AT).ref
    system.worker().run_all()
    with system.main.read() as session:
        sheet = labels.get(session, ref)
        assert sheet.job
        assert sheet.job.error == ""
        assert sheet.sha256, sheet.job.state
    return ref


def content(system: System, ref: str) -> bytes:
    with system.main.read() as session:
        sha256 = labels.get(session, ref).sha256
    assert sha256
    with system.storage.open(sha256) as file:
        return file.read()


def scan(system: System, ref: str, text: str) -> tuple[Outcome, int | None]:
    with system.main.write() as session:
        checked = checks.check(session, labels.get(session, ref), text, by=OPERATOR, at=AT)
    return checked.outcome, checked.number


def state(system: System, ref: str) -> str:
    with system.main.read() as session:
        return labels.get(session, ref).verification


def sample(system: System, ref: str) -> list[int]:
    with system.main.read() as session:
        return [number for number, _serial in labels.get(session, ref).sample or ()]


# --- every form -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("carrier", ["qr", "data-matrix", "gs1-data-matrix"])
def test_sheets_with_every_carrier_and_with_copies(system: System, time: Clock, carrier: str) -> None:
    run, _links = run_of(system, 3)
    ref = printed(system, run, carrier=carrier, layout="a4-2x7", copies="2", start="13", language="en")
    with system.main.read() as session:
        sheet = labels.get(session, ref)
        assert (sheet.made, sheet.copies, sheet.start) == (3, 2, 12)
        assert sheet.job
        assert (sheet.job.done, sheet.job.total) == (12, 12)
        plan = making.plan_of(sheet)
    assert [list(making.places(plan, number)) for number in (1, 2, 3)] == [[1, 7, 1], [2, 1, 1], [2, 2, 1]]


def test_an_own_layout_is_kept_with_the_print_run(system: System, time: Clock) -> None:
    run, _links = run_of(system, 2)
    own = {"page_width": "100", "page_height": "150", "columns": "1", "rows": "3", "label_width": "90"}
    ref = printed(system, run, layout="own", label_height="40", left="5", top="10", gap_y="2", **own)
    with system.main.read() as session:
        page = page_of(labels.get(session, ref))
    assert (page.per_page, page.corner(2)) == (3, (5, 94))


def test_single_labels_as_pictures_are_read_back_and_named(system: System, time: Clock) -> None:
    run, links = run_of(system, 2)
    ref = printed(system, run, output="png", layout="own", label_width="60", label_height="30", dpi="300")
    with ZipFile(BytesIO(content(system, ref))) as archive:
        assert [name[:7] for name in archive.namelist()] == ["000001-", "000002-"]
        for name, link in zip(archive.namelist(), links, strict=True):
            with Image.open(BytesIO(archive.read(name))) as picture:
                assert picture.size == (round(60 / 25.4 * 300), round(30 / 25.4 * 300))
                found = zxingcpp.read_barcode(picture.convert("L"))
            assert found
            assert found.text == link


@pytest.mark.parametrize(("output", "sign"), [("zpl", "^GFA"), ("zpl-data", "^BQN")])
def test_single_labels_for_a_thermal_printer(system: System, time: Clock, output: str, sign: str) -> None:
    run, links = run_of(system, 2)
    text = content(system, printed(system, run, output=output, copies="3", dpi="203")).decode("ascii")
    assert text.count("^XA") == text.count("^PQ3") == 2
    assert sign in text
    assert (links[0] in text) is (output == "zpl-data")


def test_a_table_for_a_printing_house(system: System, time: Clock) -> None:
    run, links = run_of(system, 2)
    file = TextIOWrapper(BytesIO(content(system, printed(system, run, output="csv", language="en"))), "utf-8-sig")
    assert [row["Code text"] for row in csv.DictReader(file)] == links


def test_the_same_order_prints_again_and_says_so(system: System, time: Clock) -> None:
    run, _links = run_of(system, 6)
    first = printed(system, run, first="1", count="3")
    other = printed(system, run, first="4", count="3")
    again = printed(system, run, first="3", count="2")
    with system.main.read() as session:
        for ref in (first, other):
            assert labels.earlier(session, labels.get(session, ref)) == []
        assert [one.ref for one in labels.earlier(session, labels.get(session, again))] == [other, first]


# --- what cannot be printed -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        ({"output": "docx"}, ("output", "choice.unknown")),
        ({"carrier": "ean-13"}, ("carrier", "choice.unknown")),
        ({"output": "zpl-data", "carrier": "data-matrix"}, ("carrier", "labels.carrier-data")),
        ({"fields": "name,colour"}, ("fields", "label.field-unknown")),
        ({"copies": "101"}, ("copies", "number.too-high")),
        ({"output": "png", "copies": "2"}, ("copies", "number.too-high")),
        ({"output": "zpl", "dpi": "250"}, ("dpi", "choice.unknown")),
        ({"layout": "own", "output": "png", "label_width": "60"}, ("label_height", "number.missing")),
        ({"layout": "a4-5x13", "start": "66"}, ("start", "number.too-high")),
        ({"copies": "100", "count": "121"}, ("count", "number.too-high")),
    ],
)
def test_each_wrong_choice_is_refused(raw: dict[str, str], problem: tuple[str, str]) -> None:
    with pytest.raises(Invalid) as error:
        labels.read_sheet_order(raw, CodeRun(issued=500))
    assert rules(error) == [problem]


def test_a_signature_does_not_fit_a_carrier_of_numbers_only() -> None:
    with pytest.raises(Invalid) as error:
        labels.read_sheet_order({"carrier": "gs1-data-matrix"}, CodeRun(issued=5, letter="A"))
    assert rules(error) == [("carrier", "labels.carrier-signature")]


def test_a_code_too_fine_for_the_label_is_refused_before_anything_is_ordered(system: System, time: Clock) -> None:
    run, _links = run_of(system, 2, "B")
    with pytest.raises(Invalid, match="mm") as error:
        printed(system, run, layout="a4-5x13")
    assert rules(error) == [("layout", "label.symbol-size")]
    with system.main.read() as session:
        assert labels.of_run(session, items.get_run(session, run)) == []


# --- print, then verify -----------------------------------------------------------------------------------------------


def test_a_sample_of_five_is_chosen_and_all_of_it_makes_the_run_verified(system: System, time: Clock) -> None:
    run, links = run_of(system, 8)
    ref = printed(system, run, first="2", count="7")
    numbers = sample(system, ref)
    assert len(set(numbers)) == 5
    assert numbers == sorted(numbers)
    assert set(numbers) <= set(range(1, 8))
    for number in numbers:
        assert state(system, ref) == Verification.UNVERIFIED
        assert scan(system, ref, links[number]) == (Outcome.MATCHED, number)
        assert scan(system, ref, links[number]) == (Outcome.AGAIN, number)
    assert state(system, ref) == Verification.VERIFIED
    with system.main.read() as session:
        assert acts(session)[-1] == "labels:verify"
        assert acts(session).count("labels:verify") == 1
        assert rows(session, LabelCheck) == 5


def test_a_short_run_is_scanned_back_whole(system: System, time: Clock) -> None:
    run, _links = run_of(system, 2)
    assert sample(system, printed(system, run)) == [1, 2]


def test_a_right_label_outside_of_the_sample_changes_nothing(system: System, time: Clock) -> None:
    run, links = run_of(system, 8)
    ref = printed(system, run)
    other = next(number for number in range(1, 9) if number not in sample(system, ref))
    assert scan(system, ref, links[other - 1]) == (Outcome.NOT_ASKED, other)
    assert state(system, ref) == Verification.UNVERIFIED


@pytest.mark.parametrize("carrier", ["qr", "gs1-data-matrix"])
def test_whatever_a_reader_hands_over_is_compared(system: System, time: Clock, carrier: str) -> None:
    run, links = run_of(system, 1)
    ref = printed(system, run, carrier=carrier)
    elements = parse(links[0]).elements
    plain = "".join(ai + value for ai, value in elements[:2]) + "\x1d21" + elements[2][1]
    said = {"qr": ["]Q1" + links[0], links[0]], "gs1-data-matrix": ["]d2" + plain, print_bracketed(elements), plain]}
    for text in said[carrier]:
        assert scan(system, ref, text)[0] in (Outcome.MATCHED, Outcome.AGAIN), text
    serial = elements[2][1]
    for text in (serial, f"{serial[:5]} {serial[5:10]}".lower()):
        assert scan(system, ref, text) == (Outcome.AGAIN, 1)


@pytest.mark.parametrize("wrong", ["another run", "another range", "another host", "another lot", "a barcode"])
def test_a_label_that_does_not_belong_makes_a_mismatch(system: System, time: Clock, wrong: str) -> None:
    run, links = run_of(system, 4)
    ref = printed(system, run, count="2")
    foreign: dict[str, Any] = {
        "another run": lambda: run_of(system, 1)[1][0],
        "another range": lambda: links[3],
        "another host": lambda: re.sub("//[^/]+", "//evil.example", links[0]),
        "another lot": lambda: re.sub("/10/[^/]+", "/10/OTHER", links[0]),
        "a barcode": lambda: "4006381333931",
    }
    assert scan(system, ref, foreign[wrong]()) == (Outcome.MISMATCH, None)
    for number in sample(system, ref):
        scan(system, ref, links[number - 1])
    assert state(system, ref) == Verification.MISMATCH


def test_only_a_new_sample_ends_a_mismatch_and_the_old_scans_stay(system: System, time: Clock) -> None:
    run, links = run_of(system, 3)
    ref = printed(system, run)
    scan(system, ref, links[0])
    scan(system, ref, "4006381333931")
    with system.main.write() as session:
        checks.begin_again(session, labels.get(session, ref), by=OPERATOR, at=AT)
    assert state(system, ref) == Verification.UNVERIFIED
    for link in links:
        assert scan(system, ref, link)[0] == Outcome.MATCHED
    assert state(system, ref) == Verification.VERIFIED
    with system.main.read() as session:
        assert rows(session, LabelCheck) == 5
        assert acts(session)[-3:] == ["labels:verify"] * 3


def test_a_voided_code_is_neither_printed_nor_asked_for(system: System, time: Clock) -> None:
    run, links = run_of(system, 3)
    with system.main.write() as session:
        items.void(session, items.get_item(session, links[1].rsplit("/", 1)[1]), "torn", by=OPERATOR, at=AT)
    ref = printed(system, run)
    with system.main.read() as session:
        sheet = labels.get(session, ref)
        assert sheet.made == 2
        assert [serial for _number, serial in sheet.sample or ()] == [link.rsplit("/", 1)[1] for link in links[::2]]
    assert scan(system, ref, links[2]) == (Outcome.MATCHED, 2)


@pytest.mark.parametrize("text", ["", "hello world", "https://example.com/", "x" * 9000])
def test_what_is_no_code_says_nothing_about_the_labels(system: System, time: Clock, text: str) -> None:
    run, _links = run_of(system, 1)
    ref = printed(system, run)
    with pytest.raises(Invalid) as error:
        scan(system, ref, text)
    assert error.value.problems[0].field == "code"
    assert state(system, ref) == Verification.UNVERIFIED


def test_nothing_is_verified_before_it_is_made(system: System, time: Clock) -> None:
    run, links = run_of(system, 1)
    with system.main.write() as session:
        row = items.get_run(session, run)
        ref = labels.order_sheet(session, row, labels.read_sheet_order({}, row), by=OPERATOR, at=AT).ref
    with pytest.raises(Conflict) as error:
        scan(system, ref, links[0])
    assert rules(error) == [(None, "labels.not-made")]
