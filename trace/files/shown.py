"""Inside the child: what a file shows in one of its states, as the program draws it that makes our page images.

Two readers can disagree about what an update of a file says: one follows its tables, another one finds a fault in them
and looks for objects by itself. So a judgement about the tables alone does not say what people will see.
"""

from __future__ import annotations

import hashlib

import pypdfium2  # type: ignore[import-untyped]  # it ships no types

from . import bounds


class Shown:
    """The pages of a file and of its earlier states, each drawn once."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._states: dict[int, list[str]] = {}

    def same_since(self, end: int) -> bool:
        """Whether the first `end` bytes, taken as a file, show the same as the whole. False when either cannot be
        drawn."""
        before = self._pages(end)
        return bool(before) and before == self._pages(len(self._data))

    def _pages(self, end: int) -> list[str]:
        if end not in self._states:
            self._states[end] = _drawn(self._data[:end])
        return self._states[end]


def _drawn(data: bytes) -> list[str]:
    """A hash of the size, the text and the picture of each page; none when it is no PDF to that program."""
    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError:
        return []
    document.init_forms()
    try:
        return [_page(document, index) for index in range(len(document))]
    finally:
        document.close()


def _page(document: pypdfium2.PdfDocument, index: int) -> str:
    width, height = document.get_page_size(index)
    page = document[index]
    layer = page.get_textpage()
    text = layer.get_text_range()
    layer.close()
    # One pixel for each point: a digit is five pixels wide, and a change of it is seen in their greys.
    scale = min(1.0, bounds.PAGE_IMAGE_WIDTH / width, bounds.PAGE_IMAGE_HEIGHT / height)
    bitmap = page.render(scale=scale)
    found = hashlib.sha256(f"{width} {height} {bitmap.width} {bitmap.height}\n{text}\n".encode("utf-8", "replace"))
    found.update(bitmap.buffer)
    bitmap.close()
    page.close()
    return found.hexdigest()
