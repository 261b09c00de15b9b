"""PNG files of QR symbols whose compressed data is itself an affine function of the modules.

A PNG is a zlib stream of rows, and compressing one is what costs most. But the rows of a symbol are so regular that
their compressed form (deflate, RFC 1951) can be written down at once:

* each row of modules is one row of pixels in literals, followed by a copy of it, `module_px` - 1 times: the same copy
  order after every row;
* a byte of a row belongs to one or two modules (from 8 pixels a module on), so only a few byte values occur. The block
  has its own Huffman code, in which these literals have codes of equal length with all other codes on one side, so
  that code(value) = prefix + index of the value. The values come in pairs v and 255 - v, sorted, so the indexes of a
  pair are complements too. Therefore code(a XOR b) = code(a) XOR code(b) XOR code(0) for all values that can meet in
  one place, and the whole stream of bits is affine in the modules, of a fixed length: linear.py can sum it.
  Below 8 pixels all 256 values get codes of 9 bits, and the index is the value itself.

Only the two check sums are computed for each file: Adler-32, which is not linear, and CRC-32.
"""

from __future__ import annotations

import struct
import zlib

from .linear import Modules

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_END_OF_BLOCK = 256
_LETTERS = bytes.maketrans(b"\0\1", b"LD")
_LIGHT = bytes.maketrans(b"\0\1", b"10")
_ORDER = (16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15)
_LONGEST_COPY = 258

MOST_PIXELS = 64
"""Pixels for a module; with them a symbol of version 12 is 4,672 pixels wide."""

MOST_QUIET = 100


class FlatPng:
    """PNG with 1 bit per pixel of symbols of one size.

    A picture is an integer whose bytes, lowest first, are the deflate stream and then the rows of the symbol with their
    quiet zones, one bit per module, from which the pixels for Adler-32 are looked up.
    """

    def __init__(self, side: int, module_px: int, quiet_zone: int, module_mm: float | None = None) -> None:
        if not (1 <= module_px <= MOST_PIXELS and 1 <= quiet_zone <= MOST_QUIET):
            raise ValueError(f"module_px is 1 to {MOST_PIXELS} and quiet_zone 1 to {MOST_QUIET}")
        self._px, self._quiet = module_px, quiet_zone
        width = (side + 2 * quiet_zone) * module_px
        self._row_bytes = 1 + -(-width // 8)  # the first byte names the row's filter: none
        self._row_groups = -(-(side + 2 * quiet_zone) // 8)
        self._pixels = self._tables()
        self._code = _Code(self._values(side), self._row_bytes, (module_px - 1) * self._row_bytes, self._pixels)
        white = self._code.row(self._packed(bytes(side))), self._code.row_length
        quiet_bits, quiet_length = _joined([white] * quiet_zone)
        self._bits_of_rows = side * self._code.row_length
        end_bits, end_length = self._code.end
        self._begin, self._begin_length = _joined([self._code.header, (quiet_bits, quiet_length)])
        self._end, end = _joined([(quiet_bits, quiet_length), (end_bits, end_length)])
        bits = self._begin_length + self._bits_of_rows + end
        self._deflated = -(-bits // 8)
        self._bytes = self._deflated + side * self._row_groups
        self._below = self._row(bytes(side)) * (module_px * quiet_zone)
        self._above = zlib.adler32(self._below)
        self._head = _SIGNATURE + _chunk(b"IHDR", struct.pack(">IIBBBBB", width, width, 1, 0, 0, 0, 0))
        if module_mm is not None:
            per_metre = round(1000 * module_px / module_mm)
            self._head += _chunk(b"pHYs", struct.pack(">IIB", per_metre, per_metre, 1))
        self._head += struct.pack(">I", 2 + self._deflated + 4)
        self._tail = _chunk(b"IEND", b"")

    def _row(self, modules: bytes) -> bytes:
        row = (b"L" * self._quiet + modules.translate(_LETTERS) + b"L" * self._quiet).decode()
        pixels = row.replace("L", "1" * self._px).replace("D", "0" * self._px)
        pixels += "1" * (-len(pixels) % 8)
        return b"\0" + int(pixels, 2).to_bytes(len(pixels) // 8, "big")

    def _packed(self, modules: bytes) -> bytes:
        """The row with its quiet zones, one bit per module, 0 is dark, filled up with light modules."""
        quiet = b"1" * self._quiet
        row = quiet + modules.translate(_LIGHT) + quiet
        return int(row.ljust(8 * self._row_groups, b"1"), 2).to_bytes(self._row_groups, "big")

    def _tables(self) -> list[list[bytes]]:
        """For each group of 8 modules in a row, what its 256 values are in pixels; the first with the filter's byte."""
        groups = [
            int("".join(bit * self._px for bit in f"{group:08b}"), 2).to_bytes(self._px, "big") for group in range(256)
        ]
        last = self._row_bytes - 1 - (self._row_groups - 1) * self._px
        tables = [[b"\0" + pixels for pixels in groups]]
        tables += [groups] * (self._row_groups - 2)
        tables += [[pixels[:last] for pixels in groups]]
        return tables

    def _values(self, side: int) -> set[int]:
        """Byte values that can occur in a row, closed under complement, 2 or at least 8 of them, a power of two."""
        if self._px < 8:
            return set(range(256))
        values = set()
        for modules in (bytes(side), b"\1" * side, (b"\0\1" * side)[:side], (b"\1\0" * side)[:side]):
            values |= set(self._row(modules))
        filling = iter(range(1, 255))
        while len(values) != 2 and (len(values) < 8 or len(values) & (len(values) - 1)):
            value = next(filling)
            values |= {value, 255 - value}
        return values

    def of(self, modules: Modules) -> int:
        packed = b"".join(map(self._packed, modules))
        bits = 0
        for row in range(len(modules) - 1, -1, -1):
            groups = packed[row * self._row_groups : (row + 1) * self._row_groups]
            bits = bits << self._code.row_length | self._code.row(groups)
        stream = self._begin | bits << self._begin_length | self._end << self._begin_length + self._bits_of_rows
        return stream | int.from_bytes(packed, "little") << 8 * self._deflated

    def file(self, picture: int) -> bytes:
        """The whole PNG file of a picture."""
        data = picture.to_bytes(self._bytes, "little")
        columns = [
            map(table.__getitem__, data[self._deflated + n :: self._row_groups]) for n, table in enumerate(self._pixels)
        ]
        rows = b"".join([row * self._px for row in map(b"".join, zip(*columns, strict=True))])
        adler = zlib.adler32(self._below, zlib.adler32(rows, self._above))
        chunk = b"".join((b"IDAT\x78\x01", data[: self._deflated], adler.to_bytes(4, "big")))
        return b"".join((self._head, chunk, zlib.crc32(chunk).to_bytes(4, "big"), self._tail))


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


_Bits = tuple[int, int]
"""Bits of a deflate stream, the first one lowest, and how many they are."""


def _joined(parts: list[_Bits]) -> _Bits:
    bits = length = 0
    for part, part_length in parts:
        bits |= part << length
        length += part_length
    return bits, length


class _Code:
    """One deflate block with its own Huffman code: rows of literals, each followed by the same copy of itself."""

    def __init__(self, values: set[int], distance: int, copied: int, tables: list[list[bytes]]) -> None:
        copies = _copies(copied)
        others = sorted({_END_OF_BLOCK, *(symbol for symbol, _, _ in copies)})
        literal_bits = len(values).bit_length()
        lengths = dict.fromkeys(values, literal_bits)
        # One half of the code space is for literals, the other for the at most three other symbols.
        for n, symbol in enumerate(reversed(others), 2):
            lengths[symbol] = min(n, len(others))
        codes = _huffman(lengths)
        distance_symbol, extra, extra_bits = _distance(distance)
        self._copy = _joined(
            [
                part
                for symbol, more, more_bits in copies
                for part in (codes[symbol], (more, more_bits), (0, 1), (extra, extra_bits))
            ]
        )
        self.end = codes[_END_OF_BLOCK]
        self.header = _header(lengths, distance_symbol)
        self.row_length = distance * literal_bits + self._copy[1]
        # For each group of 8 modules, the literals of each of its 256 values; groups of the same table share them.
        done: dict[int, list[_Bits]] = {}
        for table in tables:
            if id(table) not in done:
                done[id(table)] = [_joined([codes[byte] for byte in pixels]) for pixels in table]
        self._groups = [done[id(table)] for table in tables]

    def row(self, groups: bytes) -> int:
        """The bits of a row and its copy."""
        return _joined([*[table[group] for table, group in zip(self._groups, groups, strict=True)], self._copy])[0]


def _copies(total: int) -> list[tuple[int, int, int]]:
    """Length symbols, their extra bits and how many these are, of copies of `total` bytes: at most two kinds."""
    # No copy is shorter than 3 bytes, so the most are as long as leaves no rest, or one of at least 3.
    longest = next(length for length in range(_LONGEST_COPY, 2, -1) if total % length not in (1, 2))
    whole, rest = divmod(total, longest)
    return [_length(piece) for piece in [longest] * whole + [rest] * bool(rest)]


def _length(length: int) -> tuple[int, int, int]:
    """RFC 1951, 3.2.5: eight lengths with no extra bits, then four symbols for each further bit."""
    if length == _LONGEST_COPY:
        return 285, 0, 0
    return _logarithmic(length - 3, 4, 257)


def _distance(distance: int) -> tuple[int, int, int]:
    return _logarithmic(distance - 1, 2, 0)


def _logarithmic(value: int, in_octave: int, first: int) -> tuple[int, int, int]:
    extra = max(0, value.bit_length() - in_octave.bit_length())
    return first + extra * in_octave + (value >> extra), value & ((1 << extra) - 1), extra


def _huffman(lengths: dict[int, int]) -> dict[int, _Bits]:
    """Canonical codes (RFC 1951, 3.2.2), turned so that their first bit is the lowest."""
    codes: dict[int, _Bits] = {}
    code = last = 0
    for symbol, length in sorted(lengths.items(), key=lambda item: (item[1], item[0])):
        code <<= length - last
        codes[symbol] = int(f"{code:0{length}b}"[::-1], 2), length
        code, last = code + 1, length
    return codes


def _header(lengths: dict[int, int], distance_symbol: int) -> _Bits:
    """The last block, with its own codes (RFC 1951, 3.2.7); one distance has a code of one bit."""
    literals, distances = max(lengths) + 1, distance_symbol + 1
    table = [lengths.get(symbol, 0) for symbol in range(literals)] + [0] * distance_symbol + [1]
    runs = _zero_runs(table)
    used = {symbol for symbol, _, _ in runs}
    # Codes of 3 bits for up to 8 symbols: a full code, which zlib asks for.
    filled = used | set(list(set(_ORDER) - used)[: 8 - len(used)])
    codes = _huffman(dict.fromkeys(filled, 3))
    parts: list[_Bits] = [(1, 1), (2, 2), (literals - 257, 5), (distances - 1, 5), (len(_ORDER) - 4, 4)]
    parts += [(3 if symbol in filled else 0, 3) for symbol in _ORDER]
    for symbol, more, more_bits in runs:
        parts += [codes[symbol], (more, more_bits)]
    return _joined(parts)


def _zero_runs(table: list[int]) -> list[tuple[int, int, int]]:
    """The code lengths with runs of 11 to 138 zeros as symbol 18."""
    runs = []
    at = 0
    while at < len(table):
        zeros = 0
        while at + zeros < len(table) and table[at + zeros] == 0 and zeros < 138:
            zeros += 1
        runs.append((18, zeros - 11, 7) if zeros >= 11 else (table[at], 0, 0))
        at += zeros if zeros >= 11 else 1
    return runs
