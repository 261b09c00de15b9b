"""QR symbols (ISO/IEC 18004, model 2) with the cheapest mix of segments, as matrix, PNG and SVG.

The `qrcode` package encodes, corrects and chooses the mask; this module decides how the text is cut into segments,
because that decides how small the symbol gets.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_left
from dataclasses import dataclass
from io import BytesIO
from typing import Literal
from xml.sax.saxutils import escape

from PIL import Image
from qrcode import QRCode, constants, util  # type: ignore[import-untyped]  # the package ships no types

from ..errors import Invalid, invalid, say

Level = Literal["L", "M", "Q", "H"]

QUIET_ZONE = 4
"""Light modules that the standard asks for on each side of the symbol."""

LEVELS = {
    "L": constants.ERROR_CORRECT_L,
    "M": constants.ERROR_CORRECT_M,
    "Q": constants.ERROR_CORRECT_Q,
    "H": constants.ERROR_CORRECT_H,
}
"""The name that `qrcode` has for each level."""
# The length field of a segment grows at versions 10 and 27, so each class of versions has its own cheapest cut.
_CLASS_TOPS = (9, 26, 40)
_MODES: tuple[int, ...] = (util.MODE_NUMBER, util.MODE_ALPHA_NUM, util.MODE_8BIT_BYTE)
_NUMERIC = frozenset("0123456789")
_ALPHANUMERIC = frozenset("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:")
# Bits are counted in sixths: a digit takes 10/3 bits and an alphanumeric character 11/2, and both stay whole.
_SIXTHS = 6


@dataclass(frozen=True)
class Symbol:
    """One QR symbol without its quiet zone.

    `modules` holds one `bytes` per row from the top, one byte per module from the left: 1 is dark, 0 is light.
    """

    text: str
    version: int
    level: Level
    modules: tuple[bytes, ...]

    @property
    def side(self) -> int:
        """Modules on each side, without the quiet zone: 17 + 4 × version."""
        return len(self.modules)


def segments(text: str, highest_version: int = 9) -> list[util.QRData]:
    """Cut `text` into the numeric, alphanumeric and byte (UTF-8) segments that take the fewest bits.

    A segment costs 4 bits for its mode, a length field whose width depends on the version class (`highest_version`
    names the class: 1–9, 10–26 or 27–40), and its content: 10 bits for three digits (4 and 7 for a rest of one and
    two), 11 bits for two alphanumeric characters (6 for a single one), 8 bits for each byte.

    Dynamic programming over the characters: for each position and each mode it keeps the cheapest way to arrive there
    with that mode open. A character either stays in the open segment or opens a new one, which first rounds the old one
    up to whole bits. Three modes and n characters make 9 n steps, and the last cheapest way, walked backwards, is the
    cut. So a single `?` in an upper-case URI costs a short byte segment and does not push the whole text to byte mode.
    """
    modes = _cheapest_modes(text, highest_version)
    cut: list[util.QRData] = []
    start = 0
    for position in range(1, len(text) + 1):
        if position == len(text) or modes[position] != modes[start]:
            cut.append(util.QRData(text[start:position].encode(), mode=modes[start], check_data=False))
            start = position
    return cut


def _cheapest_modes(text: str, highest_version: int) -> list[int]:
    heads = {mode: (4 + util.length_in_bits(mode, highest_version)) * _SIXTHS for mode in _MODES}
    arrived = dict(heads)  # cost in sixths of a bit of the cheapest way to here, by the mode that is open
    came_from: list[dict[int, int]] = []
    for character in text:
        costs = _character_costs(character)
        step: dict[int, int] = {}
        origin: dict[int, int] = {}
        for mode, cost in costs.items():
            best = arrived.get(mode)
            origin[mode] = mode
            for other, sofar in arrived.items():
                switched = -(-sofar // _SIXTHS) * _SIXTHS + heads[mode]
                if other != mode and came_from and (best is None or switched < best):
                    best, origin[mode] = switched, other
            if best is not None:
                step[mode] = best + cost
        arrived = step
        came_from.append(origin)
    if not text:
        return []
    # Ties go to the mode that comes first in _MODES, so that one text always gives one symbol.
    mode = min(arrived, key=lambda open_mode: -(-arrived[open_mode] // _SIXTHS))
    modes = [mode]
    for origin in reversed(came_from[1:]):
        mode = origin[mode]
        modes.append(mode)
    modes.reverse()
    return modes


def _character_costs(character: str) -> dict[int, int]:
    """Cost in sixths of a bit of the character in each mode that can hold it."""
    costs: dict[int, int] = {}
    if character in _NUMERIC:
        costs[util.MODE_NUMBER] = 20
    if character in _ALPHANUMERIC:
        costs[util.MODE_ALPHA_NUM] = 33
    costs[util.MODE_8BIT_BYTE] = 48 * len(character.encode())
    return costs


def make(text: str, level: Level = "M") -> Symbol:
    """The smallest QR symbol that holds `text` at this level of error correction.

    Text beyond ASCII goes in as UTF-8 without a mark for it, as all writers do; some readers guess another encoding for
    short ones, so a Digital Link percent-encodes it.

    Raises Invalid (`qr.empty`, `qr.too-long`) for a text that no symbol can carry.
    """
    version, cut = plan(text, level)
    return Symbol(text, version, level, matrix(version, level, cut))


def plan(text: str, level: Level = "M") -> tuple[int, list[util.QRData]]:
    """The smallest version that holds `text`, and its cut into segments; raises as `make` does."""
    if not text:
        raise invalid("text", "qr.empty", say("A QR code needs a text; give at least one character."))
    for top in _CLASS_TOPS:
        cut = segments(text, top)
        version = bisect_left(util.BIT_LIMIT_TABLE[LEVELS[level]], _bits(cut, top), 1)
        if version <= top:
            return version, cut
    raise _too_long(len(text), level)


def matrix(version: int, level: Level, cut: list[util.QRData], mask: int | None = None) -> tuple[bytes, ...]:
    """The modules that `qrcode` gives for these segments; without `mask` it takes the one of lowest penalty."""
    code: QRCode[Image.Image] = QRCode(version, LEVELS[level], border=QUIET_ZONE, mask_pattern=mask)
    for segment in cut:
        code.add_data(segment)
    code.make(fit=False)
    return tuple(bytes(bool(module) for module in row) for row in code.modules)


def version_of(cut: list[util.QRData], level: Level) -> int:
    """The smallest version that holds just these segments; raises as `make` does for a text that is too long."""
    for top in _CLASS_TOPS:
        version = bisect_left(util.BIT_LIMIT_TABLE[LEVELS[level]], _bits(cut, top), 1)
        if version <= top:
            return version
    raise _too_long(sum(len(segment.data) for segment in cut), level)


def _too_long(length: int, level: Level) -> Invalid:
    return invalid(
        "text",
        "qr.too-long",
        say(
            "The text of %(length)s characters does not fit into a QR code at level %(level)s; shorten it.",
            length=length,
            level=level,
        ),
    )


def _bits(cut: list[util.QRData], highest_version: int) -> int:
    buffer = util.BitBuffer()
    for segment in cut:
        buffer.put(segment.mode, 4)
        buffer.put(len(segment), util.length_in_bits(segment.mode, highest_version))
        segment.write(buffer)
    return len(buffer)


def size_mm(symbol: Symbol, module_mm: float, quiet_zone: int = QUIET_ZONE) -> float:
    """Width and height of the printed symbol in mm, quiet zone included."""
    return (symbol.side + 2 * quiet_zone) * module_mm


def module_mm_for(symbol: Symbol, total_mm: float, quiet_zone: int = QUIET_ZONE) -> float:
    """Module size in mm that makes the symbol with its quiet zone `total_mm` wide."""
    return total_mm / (symbol.side + 2 * quiet_zone)


def rectangles(symbol: Symbol) -> list[tuple[int, int, int, int]]:
    """The dark modules as few non-overlapping rectangles (column, row, width, height), in modules from top left.

    Runs of a row are merged, and a run that continues at the same place in the next rows becomes one tall rectangle.
    """
    done: list[tuple[int, int, int, int]] = []
    growing: dict[tuple[int, int], int] = {}  # (column, width) of a run -> row where it began
    for row, modules in enumerate((*symbol.modules, bytes(symbol.side))):
        runs = _runs(modules)
        for (column, width), top in list(growing.items()):
            if (column, width) not in runs:
                done.append((column, top, width, row - top))
                del growing[(column, width)]
        for run in runs:
            growing.setdefault(run, row)
    return done


def _runs(modules: bytes) -> dict[tuple[int, int], None]:
    runs: dict[tuple[int, int], None] = {}
    column = modules.find(1)
    while column >= 0:
        end = modules.find(0, column)
        end = len(modules) if end < 0 else end
        runs[(column, end - column)] = None
        column = modules.find(1, end)
    return runs


def png(symbol: Symbol, module_px: int = 8, quiet_zone: int = QUIET_ZONE) -> bytes:
    """The symbol as PNG with 1 bit per pixel, whole pixels per module and no metadata."""
    side = symbol.side + 2 * quiet_zone
    image = Image.new("1", (side, side), 1)
    dark = Image.frombytes("L", (symbol.side, symbol.side), b"".join(symbol.modules))
    image.paste(dark.point([1, 0] + [0] * 254, "1"), (quiet_zone, quiet_zone))
    image = image.resize((side * module_px, side * module_px), Image.Resampling.NEAREST)
    out = BytesIO()
    image.save(out, format="PNG", optimize=True)
    return out.getvalue()


def svg(
    symbol: Symbol,
    size_mm: float | None = None,
    module_mm: float | None = None,
    title: str | None = None,
    quiet_zone: int = QUIET_ZONE,
) -> str:
    """The symbol as SVG at true size: a white ground with the quiet zone and one path of dark modules.

    Give either `size_mm` (total width, quiet zone included) or `module_mm`; without both a module is 0.5 mm.
    `title` is what assistive technology reads; without it, the text of the symbol.
    """
    if size_mm is not None and module_mm is not None:
        raise ValueError("give size_mm or module_mm, not both")
    side = symbol.side + 2 * quiet_zone
    total = size_mm if size_mm is not None else side * (0.5 if module_mm is None else module_mm)
    path = "".join(
        f"M{column + quiet_zone} {row + quiet_zone}h{width}v{height}h-{width}z"
        for column, row, width, height in rectangles(symbol)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{total:.4g}mm" height="{total:.4g}mm" '
        f'viewBox="0 0 {side} {side}" shape-rendering="crispEdges">'
        f"<title>{xml_text(symbol.text if title is None else title)}</title>"
        f'<path fill="#fff" d="M0 0h{side}v{side}h-{side}z"/><path fill="#000" d="{path}"/></svg>\n'
    )


def xml_text(text: str) -> str:
    """XML 1.0 has no way to write most control characters, not even escaped; they show as U+FFFD."""
    if not text.isprintable():
        text = "".join("\ufffd" if unicodedata.category(c) in {"Cc", "Cs", "Cn"} else c for c in text)
    return escape(text)
