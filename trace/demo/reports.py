"""Inspection reports as a laboratory would send them: A4, Chinese and English, a text layer, a seal drawn as vectors.

Everything on them is fictional and says so: «演示» stands in the letterhead, in the seal, across the page and in the
footer, and the limits are called examples.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date
from html import escape
from pathlib import Path

from reportlab.lib.colors import Color, HexColor
from reportlab.lib.enums import TA_CENTER
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import BaseDocTemplate, Flowable, Frame, KeepTogether, PageTemplate, Paragraph, Spacer, Table

from ..certificates.limits import judge
from ..certificates.models import Outcome
from ..labels import font
from .plan import Calendar, Laboratory, ReportPlan

INK = HexColor("#1d2430")
GREY = HexColor("#5c6470")
RULE = HexColor("#c9ced6")
CINNABAR = HexColor("#b5322a")
WHITE = HexColor("#ffffff")
SHADE = HexColor("#f5f6f8")
SIDE = 18 * mm
INSIDE = A4[0] - 2 * SIDE

_COLUMNS = (
    "序号\nNo.",
    "检验项目\nParameter",
    "方法\nMethod",
    "示例限量\nExample limit",
    "结果\nResult",
    "单位\nUnit",
    "单项判定\nJudgement",
)
_JUDGED = {Outcome.PASS: "合格 pass", Outcome.FAIL: "不合格 fail", Outcome.UNDECIDED: "— n/a"}
_CONCLUDED = {
    "pass": (
        "所检项目符合委托方给定的示例限量，检验结论：合格。",
        "All tested parameters meet the example limits given by the client. Conclusion: pass.",
    ),
    "fail": (
        "有项目不符合委托方给定的示例限量，检验结论：不合格。",
        "At least one parameter is outside the example limits given by the client. Conclusion: fail.",
    ),
}
_NOTES = (
    "1. 仅对来样负责。 The results apply to the sample received only.",
    "2. 限量为示例限量，引用标准以现行版本为准。 Limits are example limits; the edition of a standard in force "
    "prevails.",
    "3. 本报告为演示文件，实验室、编号与数据均为虚构。 This report is a demonstration: laboratory, numbers and "
    "data are fictional.",
)


@dataclass(frozen=True)
class Subject:
    """What the sample was taken from, in words for the page."""

    product: str
    spec: str
    lot: str
    client: str
    producer: str
    produced_on: date | None


def write_report(path: Path, report: ReportPlan, subject: Subject, calendar: Calendar) -> None:
    """Draw one report. The same facts give the same bytes."""
    font.register()
    document = BaseDocTemplate(
        str(path), pagesize=A4, title=f"{report.number}（演示）", author=report.laboratory.name, invariant=1
    )
    frame = Frame(
        SIDE, 27 * mm, INSIDE, A4[1] - (27 + 44) * mm, leftPadding=0, rightPadding=0, topPadding=0, bottomPadding=0
    )
    document.addPageTemplates(
        PageTemplate(frames=[frame], onPage=lambda canvas, _document: _draw_paper(canvas, report.laboratory))
    )
    body: list[Flowable] = [
        *_heading(report),
        _facts(report, subject, calendar),
        Spacer(1, 5 * mm),
        _results(report),
        Spacer(1, 5 * mm),
        KeepTogether([_Conclusion(report, calendar.date(report.issued))]),
    ]
    with font.embedding:
        document.build(body, canvasmaker=_Numbered)


def _style(size: float, *, colour: Color = INK, centred: bool = False) -> ParagraphStyle:
    return ParagraphStyle(
        f"demo-{size}-{centred}",
        fontName=font.NAME,
        fontSize=size,
        leading=size * 1.45,
        textColor=colour,
        wordWrap="CJK",
        alignment=TA_CENTER if centred else 0,
    )


def _text(words: str, size: float = 8.2, *, colour: Color = INK, centred: bool = False) -> Paragraph:
    return Paragraph(escape(words), _style(size, colour=colour, centred=centred))


def _heading(report: ReportPlan) -> list[Flowable]:
    return [
        _text(" ".join(report.title_zh), 17, centred=True),
        Spacer(1, 1 * mm),
        _text(report.title_en.upper(), 8.5, colour=GREY, centred=True),
        Spacer(1, 2.5 * mm),
        _text(f"报告编号 Report No. {report.number}", 9.5, centred=True),
        Spacer(1, 4 * mm),
    ]


def _facts(report: ReportPlan, subject: Subject, calendar: Calendar) -> Table:
    produced = subject.produced_on.isoformat() if subject.produced_on else "—"
    expires = calendar.date(report.expires).isoformat() if report.expires is not None else "—"
    pairs = (
        ("样品名称 Sample", subject.product),
        ("批号 Lot", subject.lot),
        ("规格 Size", subject.spec),
        ("样品编号 Sample No.", report.sample),
        ("委托单位 Client", subject.client),
        ("生产单位 Producer", subject.producer),
        ("生产日期 Produced on", produced),
        ("签发日期 Issued on", calendar.date(report.issued).isoformat()),
        ("检验依据 Method", report.method or "见结果表 see table"),
        ("有效期至 Valid until", expires),
    )
    cells = [(_text(name, 7.4, colour=GREY), _text(value)) for name, value in pairs]
    rows = [[*left, *right] for left, right in zip(cells[::2], cells[1::2], strict=True)]
    table = Table(rows, colWidths=[32 * mm, INSIDE / 2 - 32 * mm] * 2)
    table.setStyle(
        [
            ("LINEABOVE", (0, 0), (-1, 0), 0.8, INK),
            ("LINEBELOW", (0, 0), (-1, -2), 0.3, RULE),
            ("LINEBELOW", (0, -1), (-1, -1), 0.8, INK),
            ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
            ("LEFTPADDING", (0, 0), (-1, -1), 2),
            ("RIGHTPADDING", (0, 0), (-1, -1), 4),
            ("TOPPADDING", (0, 0), (-1, -1), 3),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 4),
        ]
    )
    return table


def _results(report: ReportPlan) -> Table:
    # Two paragraphs, because a line break does not survive the wrapping of Chinese text.
    rows: list[list[object]] = [
        [
            [_text(words, 7.2, colour=WHITE, centred=place != 1) for words in name.split("\n")]
            for place, name in enumerate(_COLUMNS)
        ]
    ]
    shaded = []
    for number, line in enumerate(report.lines, start=1):
        outcome = judge(line.limit, line.result)
        colour = CINNABAR if outcome is Outcome.FAIL else INK
        rows.append(
            [
                _text(str(number), centred=True),
                _text(line.parameter),
                _text(line.method or "—", 7.4, colour=GREY, centred=True),
                _text(line.limit, centred=True),
                _text(line.result, colour=colour, centred=True),
                _text(line.unit or "—", 7.6, centred=True),
                _text(_JUDGED[outcome], colour=colour, centred=True),
            ]
        )
        if number % 2 == 0:
            shaded.append(number)
    widths = [11 * mm, 0.0, 27 * mm, 24 * mm, 22 * mm, 19 * mm, 22 * mm]
    widths[1] = INSIDE - sum(widths)
    table = Table(rows, colWidths=widths, repeatRows=1)
    table.setStyle(
        [
            ("BACKGROUND", (0, 0), (-1, 0), HexColor(report.laboratory.colour)),
            ("LINEBELOW", (0, 1), (-1, -1), 0.3, RULE),
            ("LINEBELOW", (0, -1), (-1, -1), 0.8, INK),
            ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
            ("LEFTPADDING", (0, 0), (-1, -1), 3),
            ("RIGHTPADDING", (0, 0), (-1, -1), 3),
            ("TOPPADDING", (0, 0), (-1, -1), 2.5),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 4),
            *(("BACKGROUND", (0, number), (-1, number), SHADE) for number in shaded),
        ]
    )
    return table


class _Conclusion(Flowable):
    """The conclusion in a box, three signatures below it, and the seal across date and signature as on paper."""

    def __init__(self, report: ReportPlan, issued_on: date) -> None:
        super().__init__()
        self._report, self._issued_on = report, issued_on
        self.width, self.height = INSIDE, 56 * mm

    def wrap(self, _width: float, _height: float) -> tuple[float, float]:
        return self.width, self.height

    def draw(self) -> None:
        canvas: Canvas = self.canv
        top = self.height
        canvas.setStrokeColor(INK)
        canvas.setLineWidth(0.6)
        canvas.rect(0, top - 22 * mm, self.width, 22 * mm)
        zh, en = _CONCLUDED[self._report.conclusion]
        for words, size, down in (("检验结论 Conclusion", 7.4, 6), (zh, 10.5, 12.5), (en, 8, 18)):
            canvas.setFont(font.NAME, size)
            canvas.setFillColor(GREY if down == 6 else INK)
            canvas.drawString(3 * mm, top - down * mm, words)
        canvas.setFont(font.NAME, 8.2)
        for place, words in enumerate(
            ("编制 Prepared: 甲（演示）", "审核 Checked: 乙（演示）", "批准 Approved: 丙（演示）")
        ):
            canvas.setFillColor(INK)
            canvas.drawString((3 + place * 42) * mm, top - 34 * mm, words)
            canvas.setStrokeColor(RULE)
            canvas.line((3 + place * 42) * mm, top - 35.5 * mm, (40 + place * 42) * mm, top - 35.5 * mm)
        canvas.drawString(3 * mm, top - 44 * mm, f"签发日期 Date of issue: {self._issued_on.isoformat()}")
        draw_seal(canvas, self.width - 22 * mm, top - 35 * mm, 18 * mm, self._report.laboratory.name_zh)


def draw_seal(canvas: Canvas, x: float, y: float, radius: float, name: str) -> None:
    """A round seal with the name along its ring and «演示» where a real one has its star."""
    canvas.saveState()
    canvas.translate(x, y)
    canvas.rotate(-7)
    canvas.setStrokeColor(CINNABAR)
    canvas.setFillColor(CINNABAR)
    canvas.setStrokeAlpha(0.86)
    canvas.setFillAlpha(0.86)
    canvas.setLineWidth(1.7)
    canvas.circle(0, 0, radius)
    canvas.setLineWidth(0.5)
    canvas.circle(0, 0, radius - 1.3 * mm)
    size = 8.6
    canvas.setFont(font.NAME, size)
    reach = radius - 2.4 * mm - size * 0.8
    step = min(math.radians(20), math.radians(236) / max(1, len(name) - 1))
    for place, character in enumerate(name):
        canvas.saveState()
        canvas.rotate(-math.degrees((place - (len(name) - 1) / 2) * step))
        canvas.drawCentredString(0, reach, character)
        canvas.restoreState()
    canvas.setFont(font.NAME, 17)
    canvas.drawCentredString(0, -3.6 * mm + 4, "演示")
    canvas.setFont(font.NAME, 6.4)
    canvas.drawCentredString(0, -radius * 0.46, "检验检测专用章")
    canvas.setFont(font.NAME, 5.4)
    canvas.drawCentredString(0, -radius * 0.66, "DEMO · NOT VALID")
    canvas.restoreState()


def _draw_paper(canvas: Canvas, laboratory: Laboratory) -> None:
    _draw_watermark(canvas)
    _draw_letterhead(canvas, laboratory)
    canvas.setFont(font.NAME, 6.6)
    canvas.setFillColor(GREY)
    canvas.setStrokeColor(RULE)
    canvas.setLineWidth(0.4)
    canvas.line(SIDE, 24 * mm, A4[0] - SIDE, 24 * mm)
    for place, note in enumerate(_NOTES):
        canvas.drawString(SIDE, (20.5 - place * 3.6) * mm, note)


def _draw_watermark(canvas: Canvas) -> None:
    canvas.saveState()
    canvas.setFillColor(HexColor("#eef0f3"))
    canvas.translate(A4[0] / 2, A4[1] / 2)
    canvas.rotate(38)
    canvas.setFont(font.NAME, 78)
    canvas.drawCentredString(0, -20, "演示 DEMO")
    canvas.restoreState()


def _draw_letterhead(canvas: Canvas, laboratory: Laboratory) -> None:
    colour = HexColor(laboratory.colour)
    top = A4[1] - 14 * mm
    _draw_emblem(canvas, SIDE + 7 * mm, top - 6.5 * mm, colour)
    canvas.setFillColor(INK)
    canvas.setFont(font.NAME, 13)
    canvas.drawString(SIDE + 18 * mm, top - 4.5 * mm, laboratory.name_zh)
    canvas.setFont(font.NAME, 8.4)
    canvas.setFillColor(GREY)
    canvas.drawString(SIDE + 18 * mm, top - 9 * mm, laboratory.name_en)
    canvas.setFont(font.NAME, 6.8)
    canvas.drawString(SIDE + 18 * mm, top - 13 * mm, laboratory.address)
    _draw_accreditation(canvas, A4[0] - SIDE, top, laboratory.accreditation, colour)
    canvas.setStrokeColor(colour)
    canvas.setLineWidth(1.4)
    canvas.line(SIDE, top - 18 * mm, A4[0] - SIDE, top - 18 * mm)
    canvas.setLineWidth(0.4)
    canvas.line(SIDE, top - 19 * mm, A4[0] - SIDE, top - 19 * mm)


def _draw_emblem(canvas: Canvas, x: float, y: float, colour: Color) -> None:
    """A flask in a ring: the sign of nobody in particular."""
    canvas.setStrokeColor(colour)
    canvas.setFillColor(colour)
    canvas.setLineWidth(1.2)
    canvas.circle(x, y, 6.6 * mm)
    path = canvas.beginPath()
    for place, (right, up) in enumerate(((-1, 4), (-1, 1), (-3.6, -3.4), (3.6, -3.4), (1, 1), (1, 4))):
        (path.lineTo if place else path.moveTo)(x + right * mm, y + up * mm)
    canvas.drawPath(path)
    level = canvas.beginPath()
    for place, (right, up) in enumerate(((-2.2, -1), (-3.6, -3.4), (3.6, -3.4), (2.2, -1))):
        (level.lineTo if place else level.moveTo)(x + right * mm, y + up * mm)
    level.close()
    canvas.drawPath(level, fill=1)
    canvas.line(x - 1.6 * mm, y + 4 * mm, x + 1.6 * mm, y + 4 * mm)


def _draw_accreditation(canvas: Canvas, right: float, top: float, text: str, colour: Color) -> None:
    """One small box per demo number, such as `CMA 260000DEMO01`."""
    for place, number in enumerate(text.split(" / ")):
        canvas.setStrokeColor(colour)
        canvas.setLineWidth(0.5)
        canvas.roundRect(right - 37 * mm, top - (6 + place * 7.2) * mm, 37 * mm, 6 * mm, 1 * mm)
        canvas.setFillColor(INK)
        canvas.setFont(font.NAME, 7)
        canvas.drawCentredString(right - 18.5 * mm, top - (4.1 + place * 7.2) * mm, f"{number}（演示）")


class _Numbered(Canvas):
    """Writes «page x of y»: the number of pages is known only at the end, so finished pages wait for it."""

    def __init__(self, *arguments: object, **options: object) -> None:
        super().__init__(*arguments, **options)  # type: ignore[arg-type]  # handed through as platypus gives them
        self._waiting: list[dict[str, object]] = []

    def showPage(self) -> None:
        self._waiting.append(dict(self.__dict__))
        self._startPage()  # type: ignore[attr-defined]  # the usual way of numbering pages with reportlab

    def save(self) -> None:
        for number, page in enumerate(self._waiting, start=1):
            self.__dict__.update(page)
            self.setFont(font.NAME, 7.2)
            self.setFillColor(GREY)
            words = f"第 {number} 页 共 {len(self._waiting)} 页  Page {number} of {len(self._waiting)}"
            self.drawRightString(A4[0] - SIDE, 8.4 * mm, words)
            super().showPage()
        super().save()
