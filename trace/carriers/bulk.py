"""Pictures of whole runs of QR symbols: packed rows, PNG and SVG. How they are summed: linear.py, flatpng.py."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from . import flatpng, linear, qr


class Packed:
    """Rows of one bit per module (1 is dark, the highest bit on the left), each filled up to whole groups of bits."""

    def __init__(self, side: int, group: int) -> None:
        self._pad = -side % group
        self.row_bytes = (side + self._pad) // 8
        self.bytes = self.row_bytes * side

    def of(self, modules: linear.Modules) -> int:
        pad = bytes(self._pad)
        return int(b"".join(row + pad for row in modules).translate(_DIGITS), 2)


_DIGITS = bytes.maketrans(b"\0\1", b"01")


@dataclass(frozen=True)
class Bitmap:
    """A symbol without quiet zone: `data` has `row_bytes` for each row from the top, one bit per module, 1 is dark."""

    text: str
    side: int
    row_bytes: int
    data: bytes


def bitmaps(texts: Iterable[str], level: qr.Level = "M") -> Iterator[Bitmap]:
    """The symbols of a run as packed rows, filled up to whole bytes with light modules."""
    for text, side, kind, picture in linear.run(texts, lambda side: Packed(side, 8), level):
        yield Bitmap(text, side, kind.row_bytes, picture.to_bytes(kind.bytes, "big"))


def pngs(
    texts: Iterable[str],
    level: qr.Level = "M",
    module_px: int = 8,
    quiet_zone: int = qr.QUIET_ZONE,
    module_mm: float | None = None,
) -> Iterator[bytes]:
    """The symbols of a run as PNG with 1 bit per pixel; with `module_mm` the file says its true size."""

    def kind(side: int) -> flatpng.FlatPng:
        return flatpng.FlatPng(side, module_px, quiet_zone, module_mm)

    for _text, _side, png, picture in linear.run(texts, kind, level):
        yield png.file(picture)


def svgs(
    texts: Iterable[str],
    level: qr.Level = "M",
    module_mm: float = 0.5,
    quiet_zone: int = qr.QUIET_ZONE,
) -> Iterator[str]:
    """The symbols of a run as SVG at true size: one stroke of a module's width along each row.

    A row is written as runs (`h3`) and gaps (`m2 0`), looked up for 16 modules at a time. All of them are relative, so
    a run that crosses two groups is one straight line.
    """
    frames: dict[int, tuple[str, str, list[str]]] = {}
    for text, side, kind, picture in linear.run(texts, lambda side: Packed(side, 16), level):
        if side not in frames:
            starts = [f"M{quiet_zone} {row + quiet_zone}.5" for row in range(side)]
            frames[side] = (*_frame(side + 2 * quiet_zone, module_mm), starts)
        head, body, starts = frames[side]
        groups = struct.unpack(f">{kind.bytes // 2}H", picture.to_bytes(kind.bytes, "big"))
        yield "".join((head, qr.xml_text(text), body, _path(groups, starts), '"/></svg>\n'))


def _frame(side: int, module_mm: float) -> tuple[str, str]:
    """What stands before the title and what stands between it and the strokes."""
    total = f"{side * module_mm:.4g}mm"
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{total}" height="{total}" '
        f'viewBox="0 0 {side} {side}" shape-rendering="crispEdges"><title>'
    )
    return head, f'</title><path fill="#fff" d="M0 0h{side}v{side}h-{side}z"/><path stroke="#000" d="'


def _path(groups: Sequence[int], starts: list[str]) -> str:
    in_row = len(groups) // len(starts)
    parts = [""] * (len(starts) * (in_row + 1))
    parts[:: in_row + 1] = starts
    for n in range(in_row - 1):
        parts[n + 1 :: in_row + 1] = map(_STROKES.__getitem__, groups[n::in_row])
    parts[in_row :: in_row + 1] = map(_LAST_STROKES.__getitem__, groups[in_row - 1 :: in_row])
    return "".join(parts)


def _strokes(byte: int) -> str:
    """Runs and gaps of 8 modules."""
    bits, path = f"{byte:08b}", ""
    while bits:
        run = len(bits) - len(bits.lstrip(bits[0]))
        path += f"h{run}" if bits[0] == "1" else f"m{run} 0"
        bits = bits[run:]
    return path


def _without_last_gap(path: str) -> str:
    return path[: path.rindex("m")] if path.endswith(" 0") else path


_OF_BYTE = [_strokes(byte) for byte in range(256)]
_LAST_OF_BYTE = [_without_last_gap(path) for path in _OF_BYTE]


class _Strokes(dict[int, str]):
    """The strokes of 16 modules, each remembered; at the end of a row the last gap is left out."""

    def __init__(self, last: bool) -> None:
        super().__init__()
        self._last = last

    def __missing__(self, group: int) -> str:
        left, right = group >> 8, group & 255
        if not self._last:
            path = _OF_BYTE[left] + _OF_BYTE[right]
        else:
            path = _OF_BYTE[left] + _LAST_OF_BYTE[right] if right else _LAST_OF_BYTE[left]
        self[group] = path
        return path


_STROKES = _Strokes(last=False)
_LAST_STROKES = _Strokes(last=True)
