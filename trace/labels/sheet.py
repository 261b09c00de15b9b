"""Label sheets as PDF: QR symbol at true size, product, lot, expiry and the serial that people type.

A label has the symbol on the left and, under it, the host; on the right three groups on one baseline grid: up to three
lines for the two names, lot and expiry, and two lines for the serial. All of it is black: small grey letters print as
loose dots.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from typing import IO, Literal

from reportlab.pdfgen.canvas import Canvas

from ..carriers import qr
from ..errors import invalid, say
from . import font
from .stream import streamed_canvas
from .typeset import cut, fit, wrap

Language = Literal["zh", "en"]

POINT = 72 / 25.4
"""Points in a millimetre."""

DOT_MM = 25.4 / 300
"""Modules are whole dots of a 300 dpi printer (and of 600 and 1,200 dpi), so all of them print equally wide."""

SMALLEST_MODULE_MM = 0.33
SMALLEST_SYMBOL_MM = 15.0
SMALLEST_LARGE_SYMBOL_MM = 20.0
LARGE_FROM_VERSION = 5
"""Symbols up to version 4 (tier A) are at least 15 mm, larger ones (tier B) at least 20 mm, without quiet zone."""

LONGEST_SERIAL = 20

# Steps of the baseline grid on which the lines stand; one more step parts the groups.
_NAME_STEPS = (0, 2, 4)
_LOT_STEP = 7
_EXPIRY_STEP = 9
_SERIAL_STEPS = (12, 14)
_LAST_STEP = 14

_NAME_PT = 9.0
_SECOND_NAME_PT = 7.0
_CAPTION_PT = 5.2
_VALUE_PT = 7.8
_SERIAL_PT = 10.0
_FOOTER_PT = 6.5
_SMALLEST_PT = 5.0
_NARROWEST = 0.7
# Cells of the typed serial in shares of its font size. Letters that are wider than `_WIDEST` (M, Q, W) are drawn
# narrower, as in any typewriter face, and the first cell begins a little before the column so that the edges look even.
_CELL = 0.76
_WIDEST = 0.7
_HANG = 0.06
_GROUP_GAP = 0.6
_GROUP = 5
_GROUPS_IN_LINE = 2
_GUTTER_MM = 0.6

_CAPTIONS: dict[Language, tuple[str, str]] = {
    "zh": ("批号 / Lot", "有效期至 / Best before"),
    "en": ("Lot / 批号", "Best before / 有效期至"),
}


@dataclass(frozen=True)
class Label:
    """What one label says. `uri` is the text of the symbol, `expiry` a date already written out, `footer` a host."""

    uri: str
    name_zh: str
    name_en: str
    lot: str
    expiry: str
    serial: str
    footer: str = ""


@dataclass(frozen=True)
class Layout:
    """A sheet of equal labels without gaps, in mm. `safe` is the inner margin that a printer's drift may eat.

    `symbol` is the width for the dark square and the quiet zone on its right, counted from the safe margin.
    """

    page_width: float
    page_height: float
    columns: int
    rows: int
    label_width: float
    label_height: float
    left: float
    top: float
    safe: float
    symbol: float

    @property
    def per_page(self) -> int:
        return self.columns * self.rows

    def corner(self, position: int) -> tuple[float, float]:
        """Left and top edge in mm, from the page's top left, of the label at this position (row by row, from 0)."""
        row, column = divmod(position, self.columns)
        return self.left + column * self.label_width, self.top + row * self.label_height


A4_3X8 = Layout(
    page_width=210, page_height=297, columns=3, rows=8, label_width=70, label_height=37, left=0, top=0.5, safe=4,
    symbol=25.5,
)  # fmt: skip


@dataclass(frozen=True)
class Placed:
    """Where a symbol's dark square lies on its label, in mm from the label's top left."""

    left: float
    top: float
    module: float
    side: float


def place(symbol: qr.Symbol, layout: Layout = A4_3X8) -> Placed:
    """The largest module of whole printer dots at which the symbol and its quiet zone stay inside the label.

    Raises Invalid (`label.symbol-size`) if that is below 0.33 mm a module, 15 mm for a symbol up to version 4 or
    20 mm for a larger one.
    """
    room = layout.symbol / (symbol.side + qr.QUIET_ZONE)
    room = min(room, layout.safe / qr.QUIET_ZONE, (layout.label_height - layout.safe) / (symbol.side + qr.QUIET_ZONE))
    module = int(room / DOT_MM + 1e-9) * DOT_MM
    side = module * symbol.side
    smallest = SMALLEST_SYMBOL_MM if symbol.version < LARGE_FROM_VERSION else SMALLEST_LARGE_SYMBOL_MM
    if module < SMALLEST_MODULE_MM or side < smallest:
        raise invalid(
            "uri",
            "label.symbol-size",
            say(
                "The code of %(length)s characters would be too fine to scan on this label; "
                "use a larger label or a shorter code.",
                length=len(symbol.text),
            ),
        )
    return Placed(layout.safe, layout.safe, module, side)


def check(label: Label, layout: Layout = A4_3X8, language: Language = "zh") -> None:
    """Raise Invalid if the label cannot be printed whole: characters the font lacks, or a text that must not be cut.

    Names and footer are shortened with an ellipsis; lot, expiry date and serial never are.
    """
    for field in ("name_zh", "name_en", "lot", "expiry", "serial", "footer"):
        missing = font.covers(getattr(label, field))
        if missing:
            raise invalid(
                field,
                "label.characters",
                say(
                    "The label font cannot print these characters: %(characters)s. Leave them out.",
                    characters=" ".join(c if c.isprintable() else f"U+{ord(c):04X}" for c in missing[:10]),
                ),
            )
    if len(label.serial) > LONGEST_SERIAL:
        raise invalid(
            "serial",
            "label.serial-length",
            say("A serial on a label has at most %(most)s characters.", most=LONGEST_SERIAL),
        )
    for row in _serial_rows(label.serial):
        _fit_serial(row, _text_width(layout))
    for field, caption in zip(("lot", "expiry"), _CAPTIONS[language], strict=True):
        _fit_value(field, getattr(label, field), caption, _text_width(layout))


def write_sheet(
    file: IO[bytes],
    labels: Iterable[Label],
    layout: Layout = A4_3X8,
    start: int = 0,
    on_page: Callable[[int, int], None] | None = None,
    *,
    language: Language = "zh",
    title: str = "Lotseal labels",
) -> int:
    """Write the labels as PDF to a binary file, page by page, and return how many there were.

    `start` labels of the first page stay empty (they are already used up). `on_page(page, labels)` is told after each
    page how many pages and labels are in the file. Memory does not grow with the run. The same labels give the same
    bytes. Raises Invalid for a label that cannot be printed, for a start outside the page and for no labels at all.
    """
    if not 0 <= start < layout.per_page:
        raise invalid(
            "start",
            "label.start",
            say("The first label is at position 1 to %(last)s of the sheet.", last=layout.per_page),
        )
    rest = iter(labels)
    first = next(rest, None)
    if first is None:
        raise invalid("labels", "label.none", say("There are no labels to print; issue codes first."))
    font.register()
    canvas = streamed_canvas(file, (layout.page_width * POINT, layout.page_height * POINT), _LANG[language])
    _describe(canvas, title)
    written = 0
    for page, batch in enumerate(_pages(chain([first], rest), layout.per_page, start), 1):
        for position, label in batch:
            check(label, layout, language)
            _draw(canvas, label, layout, position, language)
            written += 1
        canvas.showPage()
        if on_page:
            on_page(page, written)
    with font.embedding:
        canvas.save()
    return written


_LANG: dict[Language, str] = {"zh": "zh-CN", "en": "en"}


def _describe(canvas: Canvas, title: str) -> None:
    canvas.setTitle(title)
    canvas.setAuthor("Lotseal")
    canvas.setCreator("Lotseal")
    canvas.setSubject("")
    # Print dialogues shrink pages to the printer's margins unless the file asks them not to.
    canvas.setViewerPreference("PrintScaling", "None")


def _pages(labels: Iterable[Label], per_page: int, start: int) -> Iterator[Iterator[tuple[int, Label]]]:
    """Batches of (position on the page, label), each to be used up before the next one is asked for."""
    rest = iter(labels)
    for first in rest:
        yield zip(range(start, per_page), chain([first], islice(rest, per_page - start - 1)), strict=False)
        start = 0


def _text_left(layout: Layout) -> float:
    return layout.safe + layout.symbol + _GUTTER_MM


def _text_width(layout: Layout) -> float:
    """Width of the text column in points."""
    return (layout.label_width - layout.safe - _text_left(layout)) * POINT


def _draw(canvas: Canvas, label: Label, layout: Layout, position: int, language: Language) -> None:
    left, top = layout.corner(position)
    canvas.saveState()
    # From here on points, y downwards from the label's top left is written as -y.
    canvas.translate(left * POINT, (layout.page_height - top) * POINT)
    symbol = qr.make(label.uri)
    _draw_symbol(canvas, symbol, place(symbol, layout))
    _draw_text(canvas, label, layout, language)
    canvas.restoreState()


def _draw_symbol(canvas: Canvas, symbol: qr.Symbol, placed: Placed) -> None:
    canvas.saveState()
    canvas.translate(placed.left * POINT, -placed.top * POINT)
    canvas.scale(placed.module * POINT, -placed.module * POINT)
    path = canvas.beginPath()
    for rectangle in qr.rectangles(symbol):
        path.rect(*rectangle)
    # One fill for the whole symbol: single fills would leave hair-lines between neighbours on screens.
    canvas.drawPath(path, stroke=0, fill=1)
    canvas.restoreState()


def _draw_text(canvas: Canvas, label: Label, layout: Layout, language: Language) -> None:
    x, width = _text_left(layout) * POINT, _text_width(layout)
    for step, (text, size) in zip(_NAME_STEPS, _name_lines(label, width, language), strict=False):
        _text(canvas, x, _baseline(layout, step), text, size)
    captions = _CAPTIONS[language]
    _draw_value(canvas, "lot", label.lot, captions[0], x, _baseline(layout, _LOT_STEP), width)
    _draw_value(canvas, "expiry", label.expiry, captions[1], x, _baseline(layout, _EXPIRY_STEP), width)
    for step, row in zip(_SERIAL_STEPS, _serial_rows(label.serial), strict=False):
        _draw_serial(canvas, row, x, _baseline(layout, step), width)
    footer = cut(label.footer, _FOOTER_PT, layout.symbol * POINT)
    _text(canvas, layout.safe * POINT, _baseline(layout, _LAST_STEP), footer, _FOOTER_PT)


def _baseline(layout: Layout, step: int) -> float:
    """Points from the label's top edge, negative. The first line's capitals touch the safe margin, as does the last."""
    first = layout.safe * POINT + font.CAP_HEIGHT * _NAME_PT
    last = (layout.label_height - layout.safe) * POINT
    return -(first + step * (last - first) / _LAST_STEP)


def _name_lines(label: Label, width: float, language: Language) -> list[tuple[str, float]]:
    first, second = (label.name_zh, label.name_en) if language == "zh" else (label.name_en, label.name_zh)
    if not first.strip():
        first, second = second, ""
    lines = [(text, _NAME_PT) for text in wrap(first, _NAME_PT, width, 2)]
    lines += [(text, _SECOND_NAME_PT) for text in wrap(second, _SECOND_NAME_PT, width, len(_NAME_STEPS) - len(lines))]
    return lines


def _draw_value(
    canvas: Canvas, field: str, text: str, caption: str, x: float, baseline: float, width: float
) -> None:  # fmt: skip
    """Caption on the left, value on the right edge, so that both values end in one line."""
    size, scale = _fit_value(field, text, caption, width)
    _text(canvas, x, baseline, caption, _CAPTION_PT)
    _text(canvas, x + width - font.width(text, size) * scale, baseline, text, size, scale)


def _fit_value(field: str, text: str, caption: str, width: float) -> tuple[float, float]:
    room = width - font.width(caption + "  ", _CAPTION_PT)
    fitting = fit(text, _VALUE_PT, _SMALLEST_PT, _NARROWEST, room)
    if fitting is None:
        raise invalid(
            field,
            "label.text-length",
            say(
                "“%(value)s” is too long for the label and must not be cut; shorten it or use a larger label.",
                value=text,
            ),
        )
    return fitting


def _serial_rows(serial: str) -> list[list[str]]:
    groups = [serial[start : start + _GROUP] for start in range(0, len(serial), _GROUP)]
    return [groups[start : start + _GROUPS_IN_LINE] for start in range(0, len(groups), _GROUPS_IN_LINE)]


def _fit_serial(row: list[str], width: float) -> float:
    """Size of the serial's letters; the cells are the same for every letter, so only their number counts."""
    ems = sum(map(len, row)) * _CELL + (len(row) - 1) * _GROUP_GAP
    return min(_SERIAL_PT, width / ems)


def _draw_serial(canvas: Canvas, row: list[str], x: float, baseline: float, width: float) -> None:
    """Each letter stands in the middle of its cell, so that groups can be compared column by column."""
    size = _fit_serial(row, width)
    x -= _HANG * size
    for group in row:
        for character in group:
            natural = font.width(character, size)
            scale = min(1.0, _WIDEST * size / natural)
            _text(canvas, x + (_CELL * size - natural * scale) / 2, baseline, character, size, scale)
            x += _CELL * size
        x += _GROUP_GAP * size


def _text(canvas: Canvas, x: float, baseline: float, text: str, size: float, scale: float = 1.0) -> None:
    if not text:
        return
    line = canvas.beginText(x, baseline)
    line.setFont(font.NAME, size)
    if scale != 1.0:
        line.setHorizScale(scale * 100)
    line.textOut(text)
    if scale != 1.0:
        line.setHorizScale(100)
    canvas.drawText(line)
