"""Single labels in ZPL II, the language of Zebra printers and of those that imitate them.

Texts go as a bitmap (`^GFA`) from the label font: printers have no Chinese one, and so a label looks the same on all of
them. The symbol goes either in the same bitmap, exactly as on sheets, or as data (`^BQN`) that the printer encodes:
then the label is short, and the size is what a symbol of one segment has, because that is what can be asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby

from PIL import Image
from qrcode import util  # type: ignore[import-untyped]  # the package ships no types

from ..carriers import qr
from ..carriers.symbols import Carrier
from ..errors import invalid, say
from .compose import Composer, Label
from .layouts import place
from .picture import dot_mm, paint

MOST_COPIES = 1000
_LARGEST_MAGNIFICATION = 10


class SymbolAs(StrEnum):
    """Permanent words."""

    BITMAP = "bitmap"
    DATA = "data"


def zpl(
    labels: Iterable[Label],
    composer: Composer,
    dpi: int = 203,
    symbol: SymbolAs = SymbolAs.BITMAP,
    copies: int = 1,
    carrier: Carrier = Carrier.QR,
) -> Iterator[str]:
    """One `^XA … ^XZ` for each label, in ASCII. As data goes a QR code only.

    Raises Invalid for labels that cannot be printed whole, for a symbol that is too large for the label and for copies
    outside 1 to 1,000.
    """
    if not 1 <= copies <= MOST_COPIES:
        raise invalid("copies", "label.copies", say("Print 1 to %(most)s copies of each label.", most=MOST_COPIES))
    for label in labels:
        picture = paint(label, composer, dpi, with_symbol=symbol == SymbolAs.BITMAP, carrier=carrier)
        parts = ["^XA^CI28^LH0,0", f"^PW{picture.width}^LL{picture.height}", _bitmap(picture)]
        if symbol == SymbolAs.DATA:
            parts.append(_data(label.uri, composer, dpi))
        parts += [f"^PQ{copies}"] * (copies > 1)
        yield "\n".join((*parts, "^XZ\n"))


def _bitmap(picture: Image.Image) -> str:
    """`^GFA` with its hexadecimal rows in the printer's own run-length form."""
    in_row = -(-picture.width // 8)
    # Pillow's black is 0, the printer's is 1; the bits that fill up a row stay white.
    data = picture.convert("L").point([1] + [0] * 255).tobytes()
    rows = []
    for at in range(0, len(data), picture.width):
        bits = data[at : at + picture.width].translate(_DIGITS).decode().ljust(8 * in_row, "0")
        rows.append(f"{int(bits, 2):0{2 * in_row}X}")
    total = in_row * picture.height
    return f"^FO0,0^GFA,{total},{total},{in_row},{compressed(rows)}^FS"


_DIGITS = bytes.maketrans(b"\0\1", b"01")


def compressed(rows: Iterable[str]) -> str:
    """Rows of hexadecimal digits in the run-length form of `^GF`: `:` repeats the row above, `,` and `!` fill the rest
    with 0 and F, `G` to `Y` count 1 to 19 and `g` to `z` 20 to 400 of the digit that follows."""
    done: list[str] = []
    above = ""
    for row in rows:
        done.append(":" if row == above else _row(row))
        above = row
    return "".join(done)


def _row(row: str) -> str:
    for digit, sign in (("0", ","), ("F", "!")):
        bare = row.rstrip(digit)
        if bare != row:
            return _counted(bare) + sign
    return _counted(row)


def _counted(digits: str) -> str:
    return "".join(_count(len(list(run))) + digit for digit, run in groupby(digits))


def _count(times: int) -> str:
    if times == 1:
        return ""
    twenties, ones = divmod(times, 20)
    # 400 is the largest single count; more of them are added up.
    signs = "z" * (twenties // 20)
    if twenties % 20:
        signs += chr(ord("f") + twenties % 20)
    if ones:
        signs += chr(ord("F") + ones)
    return signs


@dataclass(frozen=True)
class _Whole:
    """A symbol whose text is one segment, as a printer makes it."""

    text: str
    side: int


def _data(text: str, composer: Composer, dpi: int) -> str:
    """`^BQN` in manual mode: `A` for alphanumeric text, else bytes with their number, so the version is known before.

    `^BY` says a height of one dot, because printers move the symbol down by it.
    """
    if not text.isascii() or not text.isprintable():
        raise invalid(
            "uri",
            "label.symbol-data",
            say("A printer encodes ASCII characters only; print this code as bitmap."),
        )
    alphanumeric = re.fullmatch(r"[0-9A-Z $%*+\-./:]+", text)
    mode = util.MODE_ALPHA_NUM if alphanumeric else util.MODE_8BIT_BYTE
    version = qr.version_of([util.QRData(text.encode(), mode, check_data=False)], "M")
    dot = dot_mm(dpi)
    placed = place(_Whole(text, 17 + 4 * version), composer.layout, dot)
    dots = min(_LARGEST_MAGNIFICATION, round(placed.module / dot))
    head = "MM,A" if alphanumeric else f"MM,B{len(text):04}"
    x, y = round(placed.left / dot), round(placed.top / dot)
    return f"^BY2,3,1^FO{x},{y}^BQN,2,{dots}^FH_^FD{head}{escaped(text)}^FS"


def escaped(text: str) -> str:
    """Field data under `^FH_`: the two signs that begin commands, the mark itself and all beyond ASCII as `_XX`."""
    return "".join(chr(byte) if 32 <= byte < 127 and byte not in b"^~_" else f"_{byte:02X}" for byte in text.encode())
