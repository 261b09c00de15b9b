"""Reading a finished label sheet back with another library than the one that made its symbols.

The pages are rendered at 300 dpi, as a plain office printer would, and each label is cut out of the page and read on
its own, as a phone sees it. So a symbol at the wrong place, a wrong one, or one too many is found as well.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path

import pypdfium2  # type: ignore[import-untyped]  # the package ships no types
import zxingcpp
from PIL import Image

from ..carriers.symbols import Carrier
from ..errors import Problem, Unavailable, say
from .marks import formats
from .sheet import POINT, Layout

DPI = 300
_PIXELS_PER_MM = DPI / 25.4

# pdfium is not thread-safe.
_rendering = threading.Lock()


class Unreadable(Unavailable):
    """A label on the sheet does not read back as it should; page, row and column count from 1."""

    def __init__(self, page: int, row: int, column: int) -> None:
        super().__init__(
            Problem(
                "labels",
                "label.unreadable",
                say(
                    "The label on page %(page)s, row %(row)s, column %(column)s cannot be read back as printed, "
                    "so the sheet is not offered. Make the sheet again; if it happens again, report it.",
                    page=page,
                    row=row,
                    column=column,
                ),
            )
        )
        self.page, self.row, self.column = page, row, column


def verify_sheet(
    path: Path,
    expected: Iterable[str],
    layout: Layout,
    start: int = 0,
    on_page: Callable[[int, int], None] | None = None,
    *,
    carrier: Carrier = Carrier.QR,
) -> int:
    """Read every symbol of our own sheet at `path` and compare it with the texts that were to be printed, in order.

    Each label must hold exactly one symbol of this carrier with exactly its text; the places before `start` and after
    the last label must hold none; there must be no page too few or too many. Returns the number of labels read. Raises
    Unreadable for the first label that differs. `on_page(page, labels)` is told after each page.
    """
    texts = iter(expected)
    read = page = 0
    for page, image in enumerate(_pages(path, layout), 1):
        for position in range(layout.per_page):
            text = next(texts, None) if page > 1 or position >= start else None
            if _symbols(image, layout, position, carrier) != ([] if text is None else [text.encode()]):
                raise _unreadable(page, position, layout)
            read += text is not None
        if on_page:
            on_page(page, read)
    if next(texts, None) is not None:
        raise _unreadable(page + 1, 0, layout)
    return read


def _unreadable(page: int, position: int, layout: Layout) -> Unreadable:
    row, column = divmod(position, layout.columns)
    return Unreadable(page, row + 1, column + 1)


def _pages(path: Path, layout: Layout) -> Iterator[Image.Image]:
    """Each page in grey at 300 dpi. A file that cannot be rendered, or a page of another size, is unreadable."""
    number = 0
    try:
        with _rendering:
            document = pypdfium2.PdfDocument(path)
            pages = len(document)
        try:
            for number in range(pages):
                yield _render(document, number, layout)
        finally:
            with _rendering:
                document.close()
    except pypdfium2.PdfiumError as error:
        raise _unreadable(number + 1, 0, layout) from error


def _render(document: pypdfium2.PdfDocument, number: int, layout: Layout) -> Image.Image:
    with _rendering, closing(document[number]) as page:
        size = tuple(round(points / POINT, 1) for points in page.get_size())
        if size != (layout.page_width, layout.page_height):
            raise _unreadable(number + 1, 0, layout)
        # The copy outlives the bitmap, whose memory pdfium frees with the page.
        image: Image.Image = page.render(scale=DPI / 72, grayscale=True).to_pil().copy()
        return image


def _symbols(image: Image.Image, layout: Layout, position: int, carrier: Carrier) -> list[bytes]:
    left, top = layout.corner(position)
    box = (left, top, left + layout.label_width, top + layout.label_height)
    label = image.crop(tuple(round(edge * _PIXELS_PER_MM) for edge in box))  # type: ignore[arg-type]  # four edges
    kinds = formats(carrier)
    found = zxingcpp.read_barcodes(label, formats=kinds, try_rotate=False, try_invert=False, try_downscale=False)
    return [symbol.bytes for symbol in found]
