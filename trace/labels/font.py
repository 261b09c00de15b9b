"""The label font: Latin and Chinese in one embeddable TrueType file (its story: static/fonts/README.md)."""

from __future__ import annotations

import threading
from functools import cache
from importlib.resources import files
from io import BytesIO

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

from ... import static

NAME = "LotsealLabel-Regular"

CAP_HEIGHT = 0.733
"""Height of a capital letter as a share of the font size."""

embedding = threading.Lock()
"""Held while a document embeds its subset: reportlab reads the one shared font file with one shared position."""

_loading = threading.Lock()


@cache
def _load() -> TTFont:
    # The bytes are handed over, not a path, so the font also loads from a zipped package and no path of this machine
    # can get into a document.
    font = TTFont(NAME, BytesIO((files(static) / "fonts" / f"{NAME}.ttf").read_bytes()))
    pdfmetrics.registerFont(font)
    return font


def register() -> TTFont:
    """Load the font and make it known to reportlab, once in the life of the process."""
    with _loading:
        return _load()


def covers(text: str) -> str:
    """The characters of `text` that the font cannot print, each once, in the order they appear; "" if it prints all.

    Control characters and line breaks count as not printable.
    """
    glyphs = register().face.charToGlyph
    return "".join(dict.fromkeys(c for c in text if ord(c) not in glyphs))


def width(text: str, size: float) -> float:
    """Width of `text` in points at this font size in points."""
    return float(register().stringWidth(text, size))
