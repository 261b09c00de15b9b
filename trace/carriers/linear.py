"""QR symbols in bulk: all symbols of one run from a few hundred that are made the slow way.

The mathematics. Take two texts that are cut into the same segments (same modes, same lengths), put into the same
version, level and mask. Then everything that `qrcode` does to their data bits is addition modulo 2 or a fixed move:

* characters become bits: the *value* of a unit (two alphanumeric characters: 11 bits, three digits: 10 bits, a byte:
  8 bits) stands at a fixed place of the bit stream; headers, terminator and pad bytes are the same for both texts;
* Reed-Solomon codes are linear: the check words of the sum (XOR) of two messages are the sum of their check words;
* interleaving and placing move bits to fixed modules; masking adds a fixed pattern; finder, timing, format and version
  patterns do not depend on the data.

So the symbol is an affine function over GF(2) of its data bits: symbol(d) = constant XOR (sum of row[p] for every set
bit p of d), where row[p] is the difference between the symbol with bit p set and the one without. The rows depend on
version, level and p alone, not on the mask or the rest of the text. They are learned from `qrcode`'s own matrix and
check words, as `_Rows` tells, when a run first needs them, and kept for the life of the process.

An affine function of an affine function is affine, so a *picture* of the symbol (packed rows, PNG) can be summed
directly when it is made of the modules by copying and complementing bits alone; see `packed.py` and `flatpng.py`.
Summing is XOR of Python integers; a unit of up to 11 bits is looked up in two tables of at most 64 sums each.

The choice of the mask is not linear. ISO/IEC 18004 asks for the mask of lowest penalty as a matter of quality, every
mask decodes; here the run's first texts choose one mask for all.

The first symbol of each run and about one in a thousand are compared with `qrcode`'s and read back by zxing-cpp.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import Generic, Protocol, TypeVar

import zxingcpp
from PIL import Image
from qrcode import QRCode, base, util  # type: ignore[import-untyped]  # the package ships no types

from ..errors import Invalid
from . import qr

SAMPLE = 24
"""Texts from which a layout is learned. A shorter run is made by `qr.make`: learning would cost more."""

CHECKED_OF = 1024
"""One in so many symbols is compared with `qrcode` and read back, besides the first of the run and of each layout."""

HIGHEST_VERSION = 12
"""Larger symbols are made by `qr.make`: their tables would take more than some ten megabytes, and no label has them."""

_MASKS = range(8)
_MASK_SAMPLE = 2
_MOST_KNOWN = SAMPLE + 40
_LOW_BITS = 6
_LOW = (1 << _LOW_BITS) - 1

Modules = Sequence[bytes]
"""Rows of a symbol from the top, one byte per module: 1 is dark."""


class Picture(Protocol):
    """An affine function from the modules of symbols of one size to the bits of an integer."""

    def of(self, modules: Modules) -> int: ...


class Differs(RuntimeError):
    """A symbol made by summing is not the one that `qrcode` makes, or does not read back. Never expected."""


@dataclass(frozen=True)
class Segment:
    """Characters `start` to `end` of each text in one mode of `qrcode.util`."""

    mode: int
    start: int
    end: int


@dataclass(frozen=True)
class Layout:
    """What the texts of a run have in common; `prefix` is the same in all of them."""

    version: int
    level: qr.Level
    mask: int
    segments: tuple[Segment, ...]
    prefix: str

    @property
    def length(self) -> int:
        return self.segments[-1].end

    @property
    def side(self) -> int:
        return 17 + 4 * self.version

    def modules(self, text: str) -> tuple[bytes, ...]:
        """The slow way: the symbol that `qrcode` makes of `text` in this layout."""
        return qr.matrix(self.version, self.level, self._cut(text), self.mask)

    def _cut(self, text: str) -> list[util.QRData]:
        return [
            util.QRData(text[segment.start : segment.end].encode("ascii"), segment.mode, check_data=False)
            for segment in self.segments
        ]


@dataclass(frozen=True)
class Unit:
    """Characters `start` to `end`, whose value takes `width` bits of the data from bit `position` on."""

    start: int
    end: int
    position: int
    width: int
    values: dict[str, int]


_ALPHANUMERIC = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_TRIPLES = {f"{value:03}": value for value in range(1000)}
_PAIRS_OF_DIGITS = {f"{value:02}": value for value in range(100)}
_DIGITS = {f"{value}": value for value in range(10)}
_CHARACTERS = {character: value for value, character in enumerate(_ALPHANUMERIC)}
_PAIRS = {a + b: 45 * _CHARACTERS[a] + _CHARACTERS[b] for a in _ALPHANUMERIC for b in _ALPHANUMERIC}
_BYTES = {chr(value): value for value in range(128)}

# Mode -> number of characters -> bits and values.
_UNITS: dict[int, dict[int, tuple[int, dict[str, int]]]] = {
    util.MODE_NUMBER: {3: (10, _TRIPLES), 2: (7, _PAIRS_OF_DIGITS), 1: (4, _DIGITS)},
    util.MODE_ALPHA_NUM: {2: (11, _PAIRS), 1: (6, _CHARACTERS)},
    util.MODE_8BIT_BYTE: {1: (8, _BYTES)},
}


def units(layout: Layout) -> Iterator[Unit]:
    """Every unit of the layout's data, those of the prefix too, in order."""
    position = 0
    for segment in layout.segments:
        position += 4 + util.length_in_bits(segment.mode, layout.version)
        sizes = _UNITS[segment.mode]
        start = segment.start
        while start < segment.end:
            end = min(start + max(sizes), segment.end)
            width, values = sizes[end - start]
            yield Unit(start, end, position, width, values)
            position += width
            start = end


def layout_of(texts: Sequence[str], level: qr.Level = "M") -> Layout | None:
    """The layout that all these texts share; None if their lengths differ, if one is not ASCII, or for large symbols.

    The cut is the cheapest one for the most demanding text that could stand here: where the texts differ, a character
    counts as digit if all have digits there, as alphanumeric if all are that, else as byte.
    """
    first = texts[0] if texts else ""
    if not first or any(len(text) != len(first) or not text.isascii() for text in texts):
        return None
    try:
        version, cut = qr.plan("".join(map(_most_demanding, zip(*texts, strict=True))), level)
    except Invalid:
        return None
    if version > HIGHEST_VERSION:
        return None
    ends = [0]
    for segment in cut:
        ends.append(ends[-1] + len(segment.data))
    segments = tuple(Segment(s.mode, *ends[n : n + 2]) for n, s in enumerate(cut))
    layouts = [Layout(version, level, mask, segments, _common_prefix(texts)) for mask in _MASKS]
    return min(layouts, key=lambda layout: sum(_penalty(layout, text) for text in texts[:_MASK_SAMPLE]))


def _common_prefix(texts: Sequence[str]) -> str:
    # What the first and the last text in order share, all between them share.
    first, last = min(texts), max(texts)
    differing = (n for n, characters in enumerate(zip(first, last, strict=True)) if len(set(characters)) == 2)
    return first[: next(differing, len(first))]


def _most_demanding(characters: tuple[str, ...]) -> str:
    seen = set(characters)
    if len(seen) == 1:
        return characters[0]
    if seen <= _DIGITS.keys():
        return "0"
    return "A" if seen <= _CHARACTERS.keys() else "a"


def _penalty(layout: Layout, text: str) -> int:
    return int(util.lost_point([list(row) for row in layout.modules(text)]))


class _Rows:
    """The differences that single data bits make to symbols of one version and level, learned when first asked for.

    `qrcode` places the same codeword bits always on the same modules. Where each goes is asked with one symbol for each
    binary digit of their number: in symbol j those are set whose number has the digit j. After that the check words of
    a data bit, from `qrcode` too, tell the modules that it changes.
    """

    def __init__(self, version: int, level: qr.Level) -> None:
        self._version, self._level = version, level
        self._blocks = base.rs_blocks(version, qr.LEVELS[level])
        self._numbers = self._interleaved()
        self._ones = [self._checked(n, [255] * block.data_count) for n, block in enumerate(self._blocks)]
        self._modules = self._placed(8 * sum(block.total_count for block in self._blocks))
        self._learned: dict[int, tuple[bytes, ...]] = {}

    def __getitem__(self, position: int) -> tuple[bytes, ...]:
        if position not in self._learned:
            self._learned[position] = self._difference(position)
        return self._learned[position]

    def _difference(self, position: int) -> tuple[bytes, ...]:
        side = 17 + 4 * self._version
        codeword, bit = divmod(position, 8)
        block = 0
        while codeword >= self._blocks[block].data_count:
            codeword -= self._blocks[block].data_count
            block += 1
        changed = bytearray(side * side)
        for number, difference in zip(self._numbers[block], self._spread(block, codeword, 0x80 >> bit), strict=True):
            for place in range(8):
                if difference & (0x80 >> place):
                    changed[self._modules[8 * number + place]] = 1
        return tuple(bytes(changed[at : at + side]) for at in range(0, side * side, side))

    def _spread(self, block: int, codeword: int, bit: int) -> list[int]:
        """How data and check words of a block change with one bit. The rest is ones: `qrcode` cannot divide zeros."""
        flipped = [255] * self._blocks[block].data_count
        flipped[codeword] ^= bit
        return [one ^ other for one, other in zip(self._ones[block], self._checked(block, flipped), strict=True)]

    def _checked(self, block: int, data: list[int]) -> list[int]:
        buffer = util.BitBuffer()
        for word in data:
            buffer.put(word, 8)
        return list(util.create_bytes(buffer, [self._blocks[block]]))

    def _interleaved(self) -> list[list[int]]:
        """For each block the numbers that its data and check words have in the symbol (ISO/IEC 18004, 7.6)."""
        numbers: list[list[int]] = [[] for _ in self._blocks]
        counts = ([b.data_count for b in self._blocks], [b.total_count - b.data_count for b in self._blocks])
        number = 0
        for of_blocks in counts:
            for nth in range(max(of_blocks)):
                for block, count in enumerate(of_blocks):
                    if nth < count:
                        numbers[block].append(number)
                        number += 1
        return numbers

    def _placed(self, bits: int) -> dict[int, int]:
        """For each codeword bit its module, counted row by row."""
        plain = self._drawn([0] * (bits // 8))
        seen = [0] * len(plain)
        for digit in range(bits.bit_length()):
            # Numbers begin with 1, so that 0 means a module that no codeword bit drives.
            flags = "".join(str(number >> digit & 1) for number in range(1, bits + 1))
            drawn = self._drawn([int(flags[at : at + 8], 2) for at in range(0, bits, 8)])
            for module, (before, after) in enumerate(zip(plain, drawn, strict=True)):
                seen[module] |= (before ^ after) << digit
        return {number - 1: module for module, number in enumerate(seen) if number}

    def _drawn(self, codewords: list[int]) -> bytes:
        """`qrcode`'s own matrix of these codewords. The mask is the same for all."""
        code: QRCode[Image.Image] = QRCode(self._version, qr.LEVELS[self._level], mask_pattern=0)
        code.data_cache = codewords
        code.makeImpl(False, 0)
        return bytes(bool(module) for row in code.modules for module in row)


@cache
def _rows(version: int, level: qr.Level) -> _Rows:
    return _Rows(version, level)


class Summed:
    """Pictures of the symbols of one layout, by summing; `text` is any text that fits the layout."""

    def __init__(self, layout: Layout, picture: Picture, text: str) -> None:
        self.layout, self._picture = layout, picture
        rows = _rows(layout.version, layout.level)
        empty = picture.of([bytes(layout.side)] * layout.side)
        varying = [unit for unit in units(layout) if unit.end > len(layout.prefix)]
        self._start = varying[0].start if varying else layout.length
        self._fixed = layout.prefix[: self._start]
        self._tables: list[tuple[int, int, dict[str, int], list[int], list[int]]] = []
        for unit in varying:
            # The highest bit of a unit stands first in the data.
            sums = [picture.of(rows[unit.position + unit.width - 1 - bit]) ^ empty for bit in range(unit.width)]
            low, high = _all_sums(sums[:_LOW_BITS]), _all_sums(sums[_LOW_BITS:])
            self._tables.append((unit.start, unit.end, unit.values, low, high))
        self._constant = 0
        self._constant = (self(text) or 0) ^ picture.of(layout.modules(text))

    def __call__(self, text: str) -> int | None:
        """The picture of the symbol of `text`; None for a text that does not fit the layout."""
        if len(text) != self.layout.length or not text.startswith(self._fixed):
            return None
        picture = self._constant
        try:
            for start, end, values, low, high in self._tables:
                value = values[text[start:end]]
                picture ^= low[value & _LOW] ^ high[value >> _LOW_BITS]
        except KeyError:
            return None
        return picture

    def check(self, text: str, picture: int) -> None:
        """Raise Differs unless `picture` is that of `qrcode`'s symbol and the symbol reads as `text`."""
        modules = self.layout.modules(text)
        if picture != self._picture.of(modules):
            raise Differs(f"the summed symbol of {text!r} is not qrcode's")
        if read_back(modules) != text:
            raise Differs(f"the symbol of {text!r} does not read back")


def _all_sums(parts: list[int]) -> list[int]:
    """The XOR of every subset of `parts`: element v is the sum of the parts whose bit is set in v."""
    sums = [0]
    for part in parts:
        sums += [part ^ before for before in sums]
    return sums


def read_back(modules: Modules) -> str | None:
    """What another library than `qrcode` reads from the modules."""
    side = len(modules) + 2 * qr.QUIET_ZONE
    image = Image.new("L", (side, side), 255)
    dark = Image.frombytes("L", (len(modules),) * 2, b"".join(modules)).point([255, 0] + [0] * 254)
    image.paste(dark, (qr.QUIET_ZONE, qr.QUIET_ZONE))
    image = image.resize((side * 4, side * 4), Image.Resampling.NEAREST)
    found = zxingcpp.read_barcode(image, zxingcpp.BarcodeFormats([zxingcpp.BarcodeFormat.QRCode]), is_pure=True)
    return None if found is None else found.bytes.decode("ascii", "replace")


P = TypeVar("P", bound=Picture)


class _Learner(Generic[P]):
    """The texts of one length: learns their layout, then sums, and learns anew for one that does not fit."""

    def __init__(self, level: qr.Level, picture_for: Callable[[int], P]) -> None:
        self._level, self._picture_for = level, picture_for
        self._known: list[str] = []
        self._summed: Summed | None = None
        self._unchecked = True

    def learn(self, texts: Sequence[str]) -> None:
        self._known += texts
        layout = layout_of(self._known, self._level)
        self._summed = None if layout is None else Summed(layout, self._picture_for(layout.side), texts[0])
        self._unchecked = True

    def __call__(self, text: str) -> tuple[int, int] | None:
        """Side and picture of the symbol, or None where only `qr.make` helps."""
        picture = None if self._summed is None else self._summed(text)
        # A run that does not settle is no run of one layout; its texts are not kept for ever.
        if picture is None and len(self._known) < _MOST_KNOWN:
            self.learn([text])
            picture = None if self._summed is None else self._summed(text)
        if self._summed is None or picture is None:
            return None
        if self._unchecked or zlib.crc32(text.encode()) % CHECKED_OF == 0:
            self._summed.check(text, picture)
            self._unchecked = False
        return self._summed.layout.side, picture


def run(
    texts: Iterable[str], picture_for: Callable[[int], P], level: qr.Level = "M"
) -> Iterator[tuple[str, int, P, int]]:
    """Text, side, kind and picture of each symbol, in order; `picture_for(side)` gives the kind of picture.

    Texts of one length are taken for one layout. Those that no learned layout fits go through `qr.make`, so every text
    that has a symbol gets one. Raises Invalid as `qr.make` does, and Differs if a check fails.
    """
    kinds: dict[int, P] = {}

    def kind_for(side: int) -> P:
        if side not in kinds:
            kinds[side] = picture_for(side)
        return kinds[side]

    learners: dict[int, _Learner[P]] = {}
    rest = iter(texts)
    # Texts are taken in groups, so that a group of one new length can be learned before the first of it is made.
    while group := list(islice(rest, SAMPLE)):
        for length in {len(text) for text in group} - learners.keys():
            found = [text for text in group if len(text) == length]
            if len(found) >= SAMPLE // 2:
                learners[length] = _Learner(level, kind_for)
                learners[length].learn(found)
        for text in group:
            learned = learners[len(text)](text) if len(text) in learners else None
            if learned is None:
                symbol = qr.make(text, level)
                kind = kind_for(symbol.side)
                yield text, symbol.side, kind, kind.of(symbol.modules)
            else:
                yield text, learned[0], kinds[learned[0]], learned[1]
