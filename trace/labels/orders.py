"""What a print run can be ordered as, read from typed fields, and the layout behind it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any, TypeVar

from ..carriers.symbols import Carrier
from ..errors import Invalid, say
from ..intake import Intake
from ..items.models import CodeRun
from .compose import EVERYTHING, Composer, Field, usual_fields
from .layouts import LAYOUTS, Layout, read_layout, single, without_text
from .models import LabelSheet, Output
from .picture import MOST_MM, dot_mm
from .sheet import MOST_COPIES as MOST_SHEET_COPIES
from .zpl import MOST_COPIES as MOST_PRINTER_COPIES

StrEnumT = TypeVar("StrEnumT", bound=StrEnum)

MOST = 12_000
"""Labels in one file: 500 pages, which printers and people still handle."""

OWN = "own"
"""The word of a layout that has its own measures."""

NO_FIELDS = "none"
"""The word for labels with nothing but the symbol."""


class LayoutName(StrEnum):
    """Permanent words."""

    A4_3X8 = "a4-3x8"
    A4_2X7 = "a4-2x7"
    A4_3X7 = "a4-3x7"
    A4_4X10 = "a4-4x10"
    A4_4X11 = "a4-4x11"
    A4_5X13 = "a4-5x13"
    LETTER_2X5 = "letter-2x5"
    LETTER_3X10 = "letter-3x10"
    OWN = OWN


class LabelCarrier(StrEnum):
    """The carriers of `marks.CARRIERS`."""

    QR = Carrier.QR
    DATA_MATRIX = Carrier.DATA_MATRIX
    GS1_DATA_MATRIX = Carrier.GS1_DATA_MATRIX


class Language(StrEnum):
    ZH = "zh"
    EN = "en"


class Dpi(StrEnum):
    D203 = "203"
    D300 = "300"
    D600 = "600"


SINGLE = (Output.ZPL, Output.ZPL_DATA, Output.PNG)
"""Each label is a page of its own."""

_MOST_COPIES = {Output.PDF: MOST_SHEET_COPIES, Output.ZPL: MOST_PRINTER_COPIES, Output.ZPL_DATA: MOST_PRINTER_COPIES}


@dataclass(frozen=True)
class SheetOrder:
    """`measures` are those of an own layout. `dpi` is None where no printer is drawn for."""

    output: Output
    carrier: Carrier
    layout: LayoutName
    measures: dict[str, Any] | None
    language: Language
    fields: frozenset[Field]
    start: int
    first: int
    count: int
    copies: int
    dpi: int | None

    @property
    def page(self) -> Layout:
        """The sheet, or the single label as its own page."""
        page = _page(self.output, self.layout, self.measures)
        return page if self.fields else without_text(page)

    @property
    def dot_mm(self) -> float:
        return dot_mm(self.dpi or 300)

    @property
    def composer(self) -> Composer:
        """Raises Invalid if the label is too small for the fields."""
        return Composer(self.page, self.language.value, self.fields)


def read_sheet_order(raw: Mapping[str, str], run: CodeRun) -> SheetOrder:
    """Fields: output, carrier, layout, language, fields (words with commas between, or `none`), start (1-based place on
    the first sheet), first (1-based code of the run), count, copies, dpi; for the layout `own` also its measures, of
    which a single label needs `label_width` and `label_height` only.

    Empty means QR codes on A4 sheets in Chinese with the usual fields, from the first place, from the first code, as
    many as fit in one file, once. Raises Invalid.
    """
    intake = Intake(raw)
    output = _chosen(intake, "output", Output, Output.PDF)
    layout = _chosen(intake, "layout", LayoutName, LayoutName.A4_3X8)
    carrier = Carrier(_chosen(intake, "carrier", LabelCarrier, LabelCarrier.QR))
    language = _chosen(intake, "language", Language, Language.ZH)
    dpi = int(_chosen(intake, "dpi", Dpi, Dpi.D300 if output == Output.PNG else Dpi.D203)) if output in SINGLE else None
    page, measures = _read_page(intake, raw, output, layout)
    _refuse_unfit_carrier(intake, output, carrier, run)
    fields = _fields(intake, page, language)
    start = _whole(intake, "start", 1, page.per_page, default=1) if output == Output.PDF else 1
    first = _whole(intake, "first", 1, max(1, run.issued), default=1)
    copies = _whole(intake, "copies", 1, _MOST_COPIES.get(output, 1), default=1)
    most = MOST // copies if output == Output.PDF else MOST
    left = max(1, min(run.issued - first + 1, most))
    count = _whole(intake, "count", 1, left, default=left)
    intake.done()
    return SheetOrder(output, carrier, layout, measures, language, fields, start - 1, first - 1, count, copies, dpi)


def _chosen(intake: Intake, field: str, kind: type[StrEnumT], default: StrEnumT) -> StrEnumT:
    return intake.choice(field, kind, default=default) if intake.given(field) else default


def _whole(intake: Intake, field: str, low: int, high: int, *, default: int) -> int:
    number = intake.number(field, required=False, low=Decimal(low), high=Decimal(high))
    if number is None:
        return default
    if number != int(number):
        intake.refuse(field, "number.whole", say("Give a whole number."))
    return int(number)


def _read_page(
    intake: Intake, raw: Mapping[str, str], output: Output, name: LayoutName
) -> tuple[Layout, dict[str, Any] | None]:
    """The page, and the measures of an own one; what is wrong with them is noted."""
    if name != LayoutName.OWN:
        return _page(output, name, None), None
    try:
        own = _own_single(raw) if output in SINGLE else read_layout(raw)
    except Invalid as error:
        intake.problems += error.problems
        return LAYOUTS[LayoutName.A4_3X8], None
    return own, asdict(own)


def _own_single(raw: Mapping[str, str]) -> Layout:
    sizes = Intake(raw)
    width = sizes.number("label_width", low=Decimal(10), high=Decimal(MOST_MM))
    height = sizes.number("label_height", low=Decimal(10), high=Decimal(MOST_MM))
    sizes.done()
    return single(float(width or 0), float(height or 0))


def _page(output: Output, name: str, measures: Mapping[str, Any] | None) -> Layout:
    layout = Layout(**measures) if measures else LAYOUTS[name]
    return single(layout.label_width, layout.label_height) if output in SINGLE and not measures else layout


def page_of(sheet: LabelSheet) -> Layout:
    """The sheet of a print run, or its single label as a page of its own."""
    page = _page(Output(sheet.output), sheet.layout, sheet.measures)
    return page if fields_of(sheet) else without_text(page)


def fields_of(sheet: LabelSheet) -> frozenset[Field]:
    """Print runs before there was a choice have all of them."""
    if sheet.fields is None:
        return EVERYTHING
    return frozenset(Field(word) for word in sheet.fields.split(",") if word)


def _refuse_unfit_carrier(intake: Intake, output: Output, carrier: Carrier, run: CodeRun) -> None:
    if carrier == Carrier.GS1_DATA_MATRIX and run.letter:
        intake.refuse(
            "carrier",
            "labels.carrier-signature",
            say(
                "The signature of these codes stands in their address, which a GS1 DataMatrix does not carry. "
                "Choose a QR code or a plain Data Matrix."
            ),
        )
    if output == Output.ZPL_DATA and carrier != Carrier.QR:
        intake.refuse(
            "carrier",
            "labels.carrier-data",
            say("Printers are asked for QR codes only. Choose a QR code, or ZPL with pictures."),
        )


def _fields(intake: Intake, page: Layout, language: Language) -> frozenset[Field]:
    text = intake.given("fields")
    if text == NO_FIELDS:
        return frozenset()
    words = {word.strip() for word in text.split(",")} - {""}
    unknown = sorted(words - {field.value for field in Field})
    if unknown:
        intake.refuse(
            "fields",
            "label.field-unknown",
            say(
                "%(unknown)s is no field of a label. Take some of: %(words)s; or %(none)s.",
                unknown=unknown[0][:40],
                words=", ".join(Field),
                none=NO_FIELDS,
            ),
        )
        return frozenset()
    if words:
        return frozenset(Field(word) for word in words)
    try:
        return usual_fields(page, language.value)
    except Invalid:
        # Too small for letters: the symbol alone is still of use.
        return frozenset()
