"""One label as a picture of one bit per dot, for thermal printers and for preview at true size."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files
from io import BytesIO

from PIL import Image, ImageDraw, ImageFont

from ... import static
from ..carriers.symbols import Carrier
from ..errors import invalid, say
from . import font
from .compose import Composer, Label, Piece
from .layouts import place
from .marks import mark

RESOLUTIONS = {203: 203.2, 300: 300.0, 600: 600.0}
"""What printers are called, and their true dots per inch: the first kind has 8 dots to the millimetre."""

MOST_MM = 210
"""Longest side of a single label; no desktop printer takes a larger one."""


def dot_mm(dpi: int) -> float:
    """Raises Invalid (`label.dpi`) for a resolution that label printers do not have."""
    if dpi not in RESOLUTIONS:
        raise invalid(
            "dpi",
            "label.dpi",
            say(
                "Label printers have %(words)s dots per inch; take one of these.",
                words=", ".join(map(str, RESOLUTIONS)),
            ),
        )
    return 25.4 / RESOLUTIONS[dpi]


def paint(
    label: Label, composer: Composer, dpi: int = 300, with_symbol: bool = True, carrier: Carrier = Carrier.QR
) -> Image.Image:
    """The label in mode "1", 0 is black, in whole dots of the printer, so each module is equally wide.

    Raises Invalid for a label that cannot be printed whole (see `compose` and `place`) and for labels over 210 mm.
    """
    dot = dot_mm(dpi)
    layout = composer.layout
    if max(layout.label_width, layout.label_height) > MOST_MM:
        raise invalid(
            "label_width", "label.too-large", say("A single label is at most %(most)s mm long.", most=MOST_MM)
        )
    image = Image.new("L", (round(layout.label_width / dot), round(layout.label_height / dot)), 255)
    dots_in_point = 25.4 / 72 / dot
    for piece in composer.pieces(label):
        _write(image, piece, dots_in_point)
    picture = image.point([0] * 128 + [255] * 128).convert("1", dither=Image.Dither.NONE)
    if with_symbol:
        symbol = mark(label.uri, carrier)
        placed = place(symbol, layout, dot, carrier)
        # A set bit is dark; Pillow's mode "1" means the opposite, which "1;I" says.
        dark = Image.frombytes("1", (symbol.side,) * 2, symbol.data, "raw", "1;I")
        side = round(placed.side / dot)
        corner = (round(placed.left / dot), round(placed.top / dot))
        picture.paste(dark.resize((side, side), Image.Resampling.NEAREST), corner)
    return picture


def _write(image: Image.Image, piece: Piece, dots_in_point: float) -> None:
    if not piece.text:
        return
    face = _face(round(piece.size * dots_in_point * 4) / 4)
    x, y = piece.x * dots_in_point, piece.y * dots_in_point
    if piece.scale == 1.0:
        ImageDraw.Draw(image).text((x, y), piece.text, font=face, fill=0, anchor="ls")
        return
    # Narrower letters: written at their natural width beside, then squeezed.
    above = round(face.size * 1.2)
    natural = Image.new("L", (max(1, round(face.getlength(piece.text)) + 2), round(above * 1.5)), 255)
    ImageDraw.Draw(natural).text((1, above), piece.text, font=face, fill=0, anchor="ls")
    narrow = natural.resize((max(1, round(natural.width * piece.scale)), natural.height), Image.Resampling.BOX)
    image.paste(narrow, (round(x), round(y) - above), narrow.point([255 - v for v in range(256)]))


@lru_cache(maxsize=64)
def _face(size: float) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(BytesIO((files(static) / "fonts" / f"{font.NAME}.ttf").read_bytes()), size)


def png(label: Label, composer: Composer, dpi: int = 300, carrier: Carrier = Carrier.QR) -> bytes:
    """The label as PNG with 1 bit per dot; the file says its true resolution."""
    out = BytesIO()
    paint(label, composer, dpi, carrier=carrier).save(out, format="PNG", optimize=True, dpi=(25.4 / dot_mm(dpi),) * 2)
    return out.getvalue()
