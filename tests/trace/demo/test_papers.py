"""The drawn reports and pictures."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from PIL import Image, ImageStat

from lotseal.trace.demo import formula, tea
from lotseal.trace.demo.pictures import DRAWINGS, SIDE, write_picture
from lotseal.trace.demo.plan import BatchPlan, Calendar, ReportPlan
from lotseal.trace.demo.reports import Subject, write_report
from lotseal.trace.demo.service import STORIES
from lotseal.trace.files.inspect import inspect_document, inspect_picture
from lotseal.trace.labels import font

CALENDAR = Calendar(date(2026, 11, 22), ZoneInfo("Asia/Shanghai"))
SUBJECT = Subject("大红袍（演示） Tea (demo)", "100 g", "DHP261012A", "甲（演示）", "乙（演示）", date(2026, 10, 12))
BATCHES = [batch for story in STORIES for batch in story.batches]


def report_of(batch: BatchPlan, number: str) -> ReportPlan:
    return next(report for report in batch.reports if report.number == number)


TEA_REPORT = report_of(tea.MAIN, "YX-2026-10-0417")


def test_a_report_passes_the_gate_and_its_text_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "report.pdf"
    write_report(path, TEA_REPORT, SUBJECT, CALENDAR)

    facts = inspect_document(path, tmp_path, original_name="report.pdf")

    assert (facts.kind, facts.pages, facts.has_text_layer) == ("pdf", 1, True)
    text = facts.text[0]
    for words in (
        "YX-2026-10-0417",
        "DHP261012A",
        "闽检测试（演示）",
        "260000DEMO01",
        "联苯菊酯",
        "0.12",
        "示例限量",
        "Example limit",
        "仅对来样负责",
        "apply to the sample received only",
        "第 1 页 共 1 页",
        "检验结论",
    ):
        assert words in text, words


def test_a_long_report_goes_over_two_numbered_pages(tmp_path: Path) -> None:
    path = tmp_path / "report.pdf"
    write_report(path, report_of(formula.WAITING, "CH-261105-N"), SUBJECT, CALENDAR)

    facts = inspect_document(path, tmp_path, original_name="report.pdf")

    assert facts.pages == 2
    assert "Page 2 of 2" in facts.text[1]


def test_a_result_outside_its_limit_is_judged_so_on_paper(tmp_path: Path) -> None:
    path = tmp_path / "report.pdf"
    write_report(path, report_of(formula.RECALLED, "HD-2026-11-R715"), SUBJECT, CALENDAR)

    facts = inspect_document(path, tmp_path, original_name="report.pdf")

    assert "不合格 fail" in facts.text[0]
    assert "Conclusion: fail" in facts.text[0]


def test_the_same_facts_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_report(tmp_path / name, TEA_REPORT, SUBJECT, CALENDAR)

    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_the_font_has_every_character_of_every_report() -> None:
    texts = [
        text
        for batch in BATCHES
        for report in batch.reports
        for text in (report.title_zh, report.sample, report.laboratory.name, report.laboratory.address)
    ]
    texts += [field for batch in BATCHES for report in batch.reports for line in report.lines for field in line]

    assert font.covers("".join(texts)) == ""


def test_report_numbers_are_unique() -> None:
    numbers = [report.number for batch in BATCHES for report in batch.reports]

    assert len(numbers) == len(set(numbers))


@pytest.mark.parametrize("name", DRAWINGS)
def test_a_picture_passes_the_gate_and_is_not_blank(tmp_path: Path, name: str) -> None:
    path = tmp_path / "picture.jpg"
    write_picture(name, path)

    facts = inspect_picture(path, tmp_path)

    assert facts.kind == "jpeg"
    with Image.open(path) as picture:
        assert picture.size == (SIDE, SIDE)
        assert min(ImageStat.Stat(picture).stddev) > 15


def test_every_named_picture_can_be_drawn() -> None:
    named = {product.picture for story in STORIES for product in story.products if product.picture}

    assert named == set(DRAWINGS)


def test_a_date_in_running_text_is_counted_from_today() -> None:
    assert CALENDAR.write("{day[-203]} 采摘") == "2026-05-03 采摘"
