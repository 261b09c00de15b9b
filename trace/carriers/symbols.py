"""Single symbols of every family that GS1 uses, as SVG and PNG at true size with quiet zone and human-readable line.

`qrcode` makes plain QR codes, the writer of zxing-cpp all others. Each symbol is read back before it is handed out,
and its symbology identifier is compared too: it tells a scanner whether to expect a Digital Link (plain mode, ]Q1, ]d1)
or an element string (FNC1 mode, ]Q3, ]d2, ]C1, ]e0).

What zxing-cpp 3.1 does not do: its writer knows the application identifiers and the lengths of their data, but neither
check digits nor dates nor which identifiers exclude each other, so check element strings before; its reader gives a
UPC-A as the EAN-13 with a leading zero (both are ]E0); composite symbols, add-ons and Digital Link compression are
not offered.

Sizes are from the GS1 General Specifications (5.12, symbol specification tables, general retail and distribution).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from importlib.resources import files
from io import BytesIO
from math import ceil

import zxingcpp
from PIL import Image, ImageDraw, ImageFont

from ... import static
from ..codes.gtin import check_digit
from ..errors import Invalid, invalid, say
from . import qr

Elements = Sequence[tuple[str, str]]
"""An element string as (application identifier, data), such as ("10", "L2611"), in printing order."""


class Carrier(StrEnum):
    """Permanent words."""

    QR = "qr"
    GS1_QR = "gs1-qr"
    DATA_MATRIX = "data-matrix"
    GS1_DATA_MATRIX = "gs1-data-matrix"
    GS1_128 = "gs1-128"
    EAN_13 = "ean-13"
    EAN_8 = "ean-8"
    UPC_A = "upc-a"
    ITF_14 = "itf-14"
    DATABAR_EXPANDED = "databar-expanded"


class Unreadable(RuntimeError):
    """A symbol just made does not read back as it should. Never expected."""


@dataclass(frozen=True)
class Family:
    """`identifier` is what a scanner must report. `quiet` is in modules on left and right; `height` of the bars in
    modules, or in mm (`height_mm`), none for square symbols; `digits` of a number, 0 for other content."""

    format: zxingcpp.BarcodeFormat
    identifier: str
    module_mm: float
    smallest_mm: float
    largest_mm: float
    quiet: tuple[int, int]
    height: float = 0.0
    height_mm: float = 0.0
    digits: int = 0
    elements: bool = False

    @property
    def square(self) -> bool:
        return not (self.height or self.height_mm)


_F = zxingcpp.BarcodeFormat

FAMILIES = {
    Carrier.QR: Family(_F.QRCode, "]Q1", 0.396, 0.25, 0.99, (4, 4)),
    Carrier.GS1_QR: Family(_F.QRCode, "]Q3", 0.396, 0.25, 0.99, (4, 4), elements=True),
    Carrier.DATA_MATRIX: Family(_F.DataMatrix, "]d1", 0.396, 0.25, 0.99, (1, 1)),
    Carrier.GS1_DATA_MATRIX: Family(_F.DataMatrix, "]d2", 0.396, 0.25, 0.99, (1, 1), elements=True),
    Carrier.GS1_128: Family(_F.Code128, "]C1", 0.495, 0.25, 1.016, (10, 10), height_mm=31.75, elements=True),
    Carrier.EAN_13: Family(_F.EAN13, "]E0", 0.33, 0.264, 0.66, (11, 7), height=69, digits=13),
    Carrier.EAN_8: Family(_F.EAN8, "]E4", 0.33, 0.264, 0.66, (7, 7), height=55, digits=8),
    Carrier.UPC_A: Family(_F.UPCA, "]E0", 0.33, 0.264, 0.66, (9, 9), height=69, digits=12),
    Carrier.ITF_14: Family(_F.ITF, "]I1", 0.495, 0.25, 1.016, (10, 10), height_mm=31.75, digits=14),
    Carrier.DATABAR_EXPANDED: Family(_F.DataBarExp, "]e0", 0.33, 0.264, 0.66, (1, 1), height=34, elements=True),
}

_LONGEST_GS1_128 = 48
"""Characters of data and separators, GS1 General Specifications 5.4.4.4."""

_GUARD = 5
"""Modules by which the guard bars of EAN and UPC reach below the others."""

_BEARER = 2
"""Modules of the bars above and below an ITF-14, which keep a slanted scan from reading a part of it."""

_LINE_MM = 2.6
"""Font size of the human-readable line under all but EAN and UPC symbols."""

_CELL = 0.68
"""Width of a character's cell in shares of the font size; the widest letter, W, fills it to the edge."""
_CSET_82 = re.compile(r"[!\"%&'()*+,\-./0-9:;<=>?A-Z_a-z]+")


@dataclass(frozen=True)
class Line:
    """Human-readable text in modules: each character stands in the middle of a cell, `y` is the baseline."""

    x: float
    y: float
    size: float
    cell: float
    text: str


@dataclass(frozen=True)
class Drawing:
    """A symbol at its true size: rectangles (x, y, width, height) and lines in modules, quiet zone included."""

    carrier: Carrier
    text: str
    module_mm: float
    width: float
    height: float
    bars: tuple[tuple[float, float, float, float], ...]
    lines: tuple[Line, ...]

    @property
    def size_mm(self) -> tuple[float, float]:
        return self.width * self.module_mm, self.height * self.module_mm


def draw(
    carrier: Carrier, content: str | Elements, module_mm: float | None = None, human_readable: bool = True
) -> Drawing:
    """The symbol of a text (QR, Data Matrix), of a number with its check digit (EAN, UPC, ITF) or of an element string.

    Raises Invalid for content that the family cannot carry and for modules outside its range; see the module's text
    for what is not checked. Raises Unreadable if the symbol does not read back with its identifier.
    """
    family = FAMILIES[carrier]
    module = family.module_mm if module_mm is None else module_mm
    if not family.smallest_mm <= module <= family.largest_mm:
        raise invalid(
            "module_mm",
            "carrier.module",
            say(
                "Modules of this symbol are %(least)s to %(most)s mm wide; take one of these.",
                least=f"{family.smallest_mm:g}",
                most=f"{family.largest_mm:g}",
            ),
        )
    text, rows = _symbol(carrier, family, content)
    _check(family, text, rows)
    if family.square:
        return _square(carrier, family, text, rows, module, content, human_readable)
    return _linear(carrier, family, text, rows, module, human_readable)


def matrix(carrier: Carrier, content: str | Elements) -> list[bytes]:
    """The rows of modules of a square symbol, 1 is dark, without quiet zone, read back. Raises as `draw` does."""
    family = FAMILIES[carrier]
    text, rows = _symbol(carrier, family, content)
    _check(family, text, rows)
    return rows


def _symbol(carrier: Carrier, family: Family, content: str | Elements) -> tuple[str, list[bytes]]:
    """The text as a reader gives it, and the rows of modules, 1 is dark, without quiet zone."""
    if family.elements:
        if isinstance(content, str):
            raise TypeError(f"{carrier} takes an element string as pairs")
        text = "".join(f"({ai}){data}" for ai, data in content)
        _check_elements(carrier, content)
        return text, _written(family, "".join(f"[{ai}]{data}" for ai, data in content), gs1=True, force_square=True)
    if not isinstance(content, str):
        raise TypeError(f"{carrier} takes a text")
    if family.digits:
        _check_number(family, content)
        return content, _written(family, content)
    if carrier == Carrier.QR:
        return content, list(qr.make(content).modules)
    if not content:
        raise invalid("text", "carrier.empty", say("A symbol needs a text; give at least one character."))
    # Without force_square the writer takes an oblong extension of Data Matrix that few scanners read.
    return content, _written(family, content, force_square=True)


def _check_number(family: Family, digits: str) -> None:
    if not (digits.isascii() and digits.isdigit() and len(digits) == family.digits):
        raise invalid(
            "text",
            "carrier.digits",
            say("This symbol carries %(count)s digits, check digit included; give exactly these.", count=family.digits),
        )
    right = check_digit(digits[:-1])
    if digits[-1] != right:
        raise invalid(
            "text",
            "carrier.check-digit",
            say("The last digit must be %(right)s; look for a slip in the number.", right=right),
        )


def _check_elements(carrier: Carrier, elements: Elements) -> None:
    if not elements:
        raise invalid("text", "carrier.empty", say("A symbol needs a text; give at least one character."))
    for ai, data in elements:
        if not re.fullmatch(r"[0-9]{2,4}", ai) or not _CSET_82.fullmatch(data):
            raise invalid(
                "text",
                "carrier.characters",
                say(
                    "The data of (%(ai)s) can have digits, Latin letters and the signs of GS1's set 82; "
                    "leave other characters out.",
                    ai=ai[:10],
                ),
            )
    # At most one separator after each element but the last.
    longest = sum(len(ai) + len(data) + 1 for ai, data in elements) - 1
    if carrier == Carrier.GS1_128 and longest > _LONGEST_GS1_128:
        raise _too_long()


def _too_long() -> Invalid:
    return invalid(
        "text",
        "carrier.too-long",
        say("This is too much for one symbol of this kind; leave elements out or take a Data Matrix or QR code."),
    )


def _written(family: Family, content: str, **options: bool) -> list[bytes]:
    try:
        barcode = zxingcpp.create_barcode(content, family.format, **options)
    except ValueError as error:
        if "too long" in str(error):
            raise _too_long() from error
        raise invalid(
            "text",
            "carrier.content",
            say(
                "This symbol cannot carry that content; check that each application identifier exists and that its "
                "data has the right length."
            ),
        ) from error
    pixels = memoryview(barcode.to_image(add_quiet_zones=False))  # type: ignore[arg-type]  # it has the buffer protocol
    data, width = pixels.tobytes().translate(_DARK), pixels.shape[1]  # type: ignore[index]  # two dimensions
    return [data[at : at + width] for at in range(0, len(data), width)]


_DARK = bytes([1] * 128 + [0] * 128)
"""From grey to modules."""


def _check(family: Family, text: str, rows: list[bytes]) -> None:
    """Read the bare symbol with a plain quiet zone and compare what it says."""
    scale, quiet = 4, 12
    bare = Image.frombytes("L", (len(rows[0]), len(rows)), b"".join(rows)).point([255, 0] + [0] * 254)
    image = Image.new("L", (bare.width + 2 * quiet, bare.height + 2 * quiet), 255)
    image.paste(bare, (quiet, quiet))
    image = image.resize((image.width * scale, image.height * scale), Image.Resampling.NEAREST)
    # Plain for what the symbol says, human-readable for the brackets around application identifiers.
    mode = zxingcpp.TextMode.HRI if family.elements else zxingcpp.TextMode.Plain
    found = zxingcpp.read_barcodes(image, zxingcpp.BarcodeFormats([family.format]), text_mode=mode)
    read = [(symbol.symbology_identifier, symbol.text) for symbol in found]
    expected = text.zfill(13) if family.format == _F.UPCA else text
    if read not in ([(family.identifier, expected)], [(family.identifier, text)]):
        raise Unreadable(f"the {family.format} of {text!r} reads as {read}")


def _square(
    carrier: Carrier,
    family: Family,
    text: str,
    rows: list[bytes],
    module: float,
    content: str | Elements,
    human_readable: bool,
) -> Drawing:
    """Under the symbol one line for each element, as the standard shows it; a text has no line of its own."""
    quiet, side = family.quiet[0], len(rows)
    size = _LINE_MM / module
    texts = [f"({ai}){data}" for ai, data in content] if human_readable and not isinstance(content, str) else []
    width = max([side + 2 * quiet, *(quiet + len(line) * size * _CELL for line in texts)])
    lines = tuple(
        Line(quiet, side + 2 * quiet + size * (n + 0.8), size, size * _CELL, line) for n, line in enumerate(texts)
    )
    height = side + 2 * quiet + size * 1.05 * len(texts)
    return Drawing(carrier, text, module, width, height, tuple(_rectangles(rows, quiet)), lines)


def _rectangles(rows: list[bytes], quiet: int) -> Iterator[tuple[float, float, float, float]]:
    symbol = qr.Symbol("", 0, "M", tuple(rows))
    for column, row, width, height in qr.rectangles(symbol):
        yield quiet + column, quiet + row, width, height


def _linear(
    carrier: Carrier, family: Family, text: str, rows: list[bytes], module: float, human_readable: bool
) -> Drawing:
    left, right = family.quiet
    height = family.height or family.height_mm / module
    bars = [(left + x, 0.0, width, height) for x, width in _runs(rows[0])]
    wide = len(rows[0])
    lines: tuple[Line, ...] = ()
    if family.digits in (8, 12, 13):
        guards = {left + x for x, _ in _runs(rows[-1])}
        bars = [(x, y, width, tall + _GUARD * (x in guards)) for x, y, width, tall in bars]
        bottom = height + _GUARD
        if human_readable:
            lines = _retail_lines(text, left, height)
            bottom = max(line.y for line in lines) + 1
    else:
        if carrier == Carrier.ITF_14:
            bars = [(x, _BEARER, width, tall) for x, _, width, tall in bars]
            bars += [(left, 0, wide, _BEARER), (left, _BEARER + height, wide, _BEARER)]
            height += 2 * _BEARER
        bottom = height
        if human_readable:
            lines = _wrapped_line(text, wide, left, height, _LINE_MM / module)
            bottom = lines[-1].y + lines[-1].size * 0.25
    return Drawing(carrier, text, module, left + wide + right, bottom, tuple(bars), lines)


def _runs(row: bytes) -> list[tuple[int, int]]:
    return [(found.start(), len(found[0])) for found in re.finditer(rb"\x01+", row)]


def _retail_lines(digits: str, left: float, height: float) -> tuple[Line, ...]:
    """Digits stand under their own bars, seven modules each; EAN-13 and UPC-A have single ones beside the guards."""
    size, cell, y = 10.0, 7.0, height + 8.6

    def line(x: float, text: str, small: float = 1.0) -> Line:
        return Line(left + x, y, size * small, cell * small, text)

    if len(digits) == 13:
        return line(-9, digits[0]), line(3, digits[1:7]), line(50, digits[7:])
    if len(digits) == 8:
        return line(3, digits[:4]), line(36, digits[4:])
    # The first and last digit of a UPC-A have tall bars like the guards, so the groups in between are of five.
    return line(-8, digits[0], 0.8), line(10, digits[1:6]), line(50, digits[6:11]), line(97, digits[11], 0.8)


def _wrapped_line(text: str, wide: float, left: float, height: float, size: float) -> tuple[Line, ...]:
    """In the middle under the bars, broken between elements where it is wider than they are."""
    rows = [""]
    for part in re.split(r"(?=\([0-9]{2,4}\))", text):
        if rows[-1] and (len(rows[-1]) + len(part)) * size * _CELL > wide:
            rows.append("")
        rows[-1] += part
    return tuple(
        Line(left + (wide - len(row) * size * _CELL) / 2, height + size * (n + 1), size, size * _CELL, row)
        for n, row in enumerate(rows)
    )


def svg(drawing: Drawing, title: str | None = None) -> str:
    """The symbol as SVG at true size; `title` is what assistive technology reads, without it the symbol's text."""
    width, height = drawing.size_mm
    path = "".join(f"M{x:g} {y:g}h{w:g}v{h:g}h-{w:g}z" for x, y, w, h in drawing.bars)
    lines = "".join(
        f'<text x="{_places(line)}" y="{line.y:.5g}" font-size="{line.size:.4g}">{qr.xml_text(line.text)}</text>'
        for line in drawing.lines
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{width:.5g}mm" height="{height:.5g}mm" '
        f'viewBox="0 0 {drawing.width:.6g} {drawing.height:.6g}" shape-rendering="crispEdges">'
        f"<title>{qr.xml_text(drawing.text if title is None else title)}</title>"
        f'<path fill="#fff" d="M0 0h{drawing.width:.6g}v{drawing.height:.6g}h-{drawing.width:.6g}z"/>'
        f'<path fill="#000" d="{path}"/>'
        f'<g font-family="\'Lotseal Label\',\'OCR-B\',monospace" text-anchor="middle" fill="#000">{lines}</g></svg>\n'
    )


def _places(line: Line) -> str:
    """One x for each character, so that no renderer's font changes the width."""
    return " ".join(f"{line.x + line.cell * (n + 0.5):.4g}" for n in range(len(line.text)))


def png(drawing: Drawing, dpi: int = 300) -> bytes:
    """The symbol as PNG with 1 bit per pixel: whole pixels per module, at least one, at about `dpi`.

    The file says its resolution (pHYs), with which it has its true size whatever the rounding.
    """
    if not 72 <= dpi <= 2400:
        raise invalid("dpi", "carrier.dpi", say("Take a resolution of 72 to 2400 dots per inch."))
    pixels = max(1, round(drawing.module_mm * dpi / 25.4))
    image = Image.new("L", (ceil(drawing.width * pixels), ceil(drawing.height * pixels)), 255)
    pen = ImageDraw.Draw(image)
    for x, y, width, height in drawing.bars:
        left, top, right, bottom = (round(edge * pixels) for edge in (x, y, x + width, y + height))
        pen.rectangle((left, top, right - 1, bottom - 1), fill=0)
    for line in drawing.lines:
        face = _face(max(4, round(line.size * pixels)))
        for n, character in enumerate(line.text):
            at = ((line.x + line.cell * (n + 0.5)) * pixels, line.y * pixels)
            pen.text(at, character, font=face, fill=0, anchor="ms")
    out = BytesIO()
    resolution = pixels * 25.4 / drawing.module_mm
    image.point([0] * 128 + [255] * 128).convert("1").save(out, format="PNG", optimize=True, dpi=(resolution,) * 2)
    return out.getvalue()


@lru_cache(maxsize=16)
def _face(pixels: int) -> ImageFont.FreeTypeFont:
    font = (files(static) / "fonts" / "LotsealLabel-Regular.ttf").read_bytes()
    return ImageFont.truetype(BytesIO(font), pixels)
