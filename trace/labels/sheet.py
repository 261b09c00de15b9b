"""Label sheets as PDF: QR symbol at true size, product, lot, expiry and the serial that people type.

The symbols are summed (carriers/linear.py) and drawn as inline masks of one bit per module: a reader scales them
without blur, and a page takes a fifth of the room that paths take. What labels of one run share is drawn once and
repeated as text of the page; of the rest, the serial, each letter at each place is drawn once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice, repeat, tee
from typing import IO, Any

from reportlab.pdfgen.canvas import Canvas

from ..carriers import bulk
from ..carriers.symbols import Carrier
from ..errors import invalid, say
from . import font
from .compose import EVERYTHING, POINT, Composer, Field, Label, Language, Piece
from .layouts import (
    A4_3X8,
    SMALLEST_LARGE_SYMBOL_MM,
    SMALLEST_SYMBOL_MM,
    Layout,
    Placed,
    check_start,
    place,
)
from .marks import marks
from .stream import streamed_canvas

__all__ = [
    "A4_3X8",
    "POINT",
    "SMALLEST_LARGE_SYMBOL_MM",
    "SMALLEST_SYMBOL_MM",
    "Label",
    "Language",
    "Layout",
    "Placed",
    "check",
    "copied",
    "place",
    "write_sheet",
]

MOST_COPIES = 100


def check(
    label: Label, layout: Layout = A4_3X8, language: Language = "zh", fields: frozenset[Field] = EVERYTHING
) -> None:
    """Raise Invalid if the label cannot be printed whole; its symbol is checked when it is placed."""
    Composer(layout, language, fields).check(label)


def copied(labels: Iterable[Label], copies: int) -> Iterator[Label]:
    """Each label so many times, one after the other. Raises Invalid (`label.copies`) beyond 1 to 100."""
    if not 1 <= copies <= MOST_COPIES:
        raise invalid("copies", "label.copies", say("Print 1 to %(most)s copies of each label.", most=MOST_COPIES))
    return chain.from_iterable(repeat(label, copies) for label in labels)


def write_sheet(
    file: IO[bytes],
    labels: Iterable[Label],
    layout: Layout = A4_3X8,
    start: int = 0,
    on_page: Callable[[int, int], None] | None = None,
    *,
    language: Language = "zh",
    fields: frozenset[Field] = EVERYTHING,
    title: str = "Lotseal labels",
    carrier: Carrier = Carrier.QR,
) -> int:
    """Write the labels as PDF to a binary file, page by page, and return how many there were.

    `start` labels of the first page stay empty (they are already used up). `on_page(page, labels)` is told after each
    page how many pages and labels are in the file. Memory does not grow with the run, but for about 150 bytes a page.
    The same labels give the same bytes. Raises Invalid for a label that cannot be printed, for a start outside the
    page, for a label too small for the fields and for no labels at all.
    """
    check_start(start, layout)
    composer = Composer(layout, language, fields)
    rest = iter(labels)
    first = next(rest, None)
    if first is None:
        raise invalid("labels", "label.none", say("There are no labels to print; issue codes first."))
    font.register()
    canvas = streamed_canvas(file, (layout.page_width * POINT, layout.page_height * POINT), _LANG[language])
    _describe(canvas, title)
    drawing = _Drawing(canvas, composer, carrier)
    written = 0
    for page, batch in enumerate(_pages(_with_symbols(chain([first], rest), carrier), layout.per_page, start), 1):
        for position, (label, symbol) in batch:
            drawing.add(label, symbol, position)
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


_Printed = tuple[Label, bulk.Bitmap]


def _with_symbols(labels: Iterable[Label], carrier: Carrier) -> Iterator[_Printed]:
    # The second iterator is never more than one label ahead, so `tee` keeps one.
    ours, theirs = tee(labels)
    return zip(ours, marks(theirs, carrier), strict=True)


def _pages(labels: Iterable[_Printed], per_page: int, start: int) -> Iterator[Iterator[tuple[int, _Printed]]]:
    """Batches of (position on the page, label), each to be used up before the next one is asked for."""
    rest = iter(labels)
    for first in rest:
        yield zip(range(start, per_page), chain([first], islice(rest, per_page - start - 1)), strict=False)
        start = 0


class _Drawing:
    """Puts labels on the canvas's page, and remembers the drawing of what comes again."""

    def __init__(self, canvas: Canvas, composer: Composer, carrier: Carrier) -> None:
        self._canvas: Any = canvas
        self._composer = composer
        self._carrier = carrier
        self._shared: tuple[tuple[str, ...], str] = ((), "")
        self._letters: dict[tuple[int, str], str] = {}
        self._places: dict[int, str] = {}
        self._frames: dict[int, str] = {}

    def add(self, label: Label, symbol: bulk.Bitmap, position: int) -> None:
        shared = self._shared_text(label)
        serial = self._serial(label.serial)
        if symbol.side not in self._frames:
            placed = place(symbol, self._composer.layout, carrier=self._carrier)
            self._frames[symbol.side] = _frame(placed, symbol)
        if position not in self._places:
            left, top = self._composer.layout.corner(position)
            y = (self._composer.layout.page_height - top) * POINT
            self._places[position] = f"q 1 0 0 1 {left * POINT:.4f} {y:.4f} cm"
        # Pages close with showPage, which begins a new list.
        self._canvas._code.append(
            f"{self._places[position]} {self._frames[symbol.side]}\n{symbol.data.hex()}>\nEI Q\n{shared}{serial}Q"
        )

    def _shared_text(self, label: Label) -> str:
        key = (label.name_zh, label.name_en, label.lot, label.expiry, label.footer)
        if key != self._shared[0]:
            self._composer.check(label)
            self._shared = key, self._drawn(self._composer.fixed(label))
        return self._shared[1]

    def _serial(self, serial: str) -> str:
        try:
            return "".join(map(self._letters.__getitem__, enumerate(serial)))
        except KeyError:
            self._composer.check_serial(serial)
            for letter, piece in zip(enumerate(serial), self._composer.serial(serial), strict=False):
                if letter not in self._letters:
                    self._letters[letter] = self._drawn([piece])
            return "".join(self._letters.get(letter, "") for letter in enumerate(serial))

    def _drawn(self, pieces: Iterable[Piece]) -> str:
        """The operators for these texts; drawing them also tells the canvas which letters to embed."""
        before = len(self._canvas._code)
        for piece in pieces:
            _text(self._canvas, piece)
        drawn = "".join(f"{operators}\n" for operators in self._canvas._code[before:])
        del self._canvas._code[before:]
        return drawn


def _frame(placed: Placed, symbol: bulk.Bitmap) -> str:
    """From the label's corner to the first byte of the mask: its place and its size."""
    side = placed.side * POINT
    left, bottom = placed.left * POINT, -(placed.top + placed.side) * POINT
    return (
        f"q {side:.4f} 0 0 {side:.4f} {left:.4f} {bottom:.4f} cm "
        f"BI /W {symbol.side} /H {symbol.side} /BPC 1 /IM true /D [1 0] /F /AHx ID"
    )


def _text(canvas: Canvas, piece: Piece) -> None:
    if not piece.text:
        return
    line = canvas.beginText(piece.x, -piece.y)
    line.setFont(font.NAME, piece.size)
    if piece.scale != 1.0:
        line.setHorizScale(piece.scale * 100)
    line.textOut(piece.text)
    if piece.scale != 1.0:
        line.setHorizScale(100)
    canvas.drawText(line)
