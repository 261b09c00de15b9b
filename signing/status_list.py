"""The bits of a Bitstring Status List (W3C, version 1.0): one bit for each credential, 1 means revoked.

Bit 0 is the left-most bit of the first byte. Published is the GZIP of all bytes (RFC 1952) as multibase base64url
without padding: `uH4sIAAAAAAAC…`. The same bits always give the same text here: no time, no file name, no other level.
Lists of others are read whatever compressor made them.
"""

from __future__ import annotations

import struct
import zlib
from typing import Final

from .encoding import b64url, unb64url
from .errors import Malformed

SIZE: Final = 131_072
"""Bits of a new list: the least that the standard allows (section 2.2)."""
MAX_SIZE: Final = 64 * SIZE
MAX_CHARACTERS: Final = 2_000_000
"""Above what the largest list takes when nothing of it can be compressed."""

# No flags, time 0, slowest and best compression, system unknown (RFC 1952 section 2.3).
_HEADER: Final = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff"


def empty(size: int = SIZE) -> bytes:
    """A list of `size` bits, none of them set. Raises Malformed for a size that is not allowed."""
    data = bytes(size // 8)
    _check(data, whole=size % 8 == 0)
    return data


def get(bits: bytes, index: int) -> bool:
    """Raises Malformed for a place outside of the list."""
    _check_index(bits, index)
    return bool(bits[index // 8] >> (7 - index % 8) & 1)


def with_bit(bits: bytes, index: int) -> bytes:
    """The same list with this bit set. Raises Malformed for a place outside of the list."""
    _check_index(bits, index)
    changed = bytearray(bits)
    changed[index // 8] |= 1 << (7 - index % 8)
    return bytes(changed)


def encode(bits: bytes) -> str:
    """The text of the member encodedList. Raises Malformed for a length that is not allowed."""
    _check(bits)
    press = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    body = press.compress(bits) + press.flush()
    return "u" + b64url(_HEADER + body + struct.pack("<LL", zlib.crc32(bits), len(bits)))


def decode(text: object) -> bytes:
    """The bits of an encodedList. Raises Malformed; never unpacks more than the largest list."""
    if not isinstance(text, str) or not text.startswith("u") or len(text) > MAX_CHARACTERS:
        raise Malformed("status-list.text", "not multibase base64url of a status list")
    packed = unb64url(text[1:], (len(text) - 1) * 3 // 4, "status-list.text")
    unpack = zlib.decompressobj(16 + zlib.MAX_WBITS)
    try:
        bits = unpack.decompress(packed, MAX_SIZE // 8 + 1)
    except zlib.error as error:
        raise Malformed("status-list.gzip", "not GZIP") from error
    if len(bits) > MAX_SIZE // 8:
        raise Malformed("status-list.size", f"a status list has at most {MAX_SIZE} bits here", limit=MAX_SIZE)
    if not unpack.eof or unpack.unused_data or unpack.unconsumed_tail:
        raise Malformed("status-list.gzip", "not one whole GZIP member")
    _check(bits)
    return bits


def _check(bits: bytes, *, whole: bool = True) -> None:
    if not whole or not SIZE <= len(bits) * 8 <= MAX_SIZE:
        raise Malformed("status-list.size", f"a status list has {SIZE} to {MAX_SIZE} bits, in whole bytes")


def _check_index(bits: bytes, index: int) -> None:
    if not 0 <= index < len(bits) * 8:
        raise Malformed("status-list.index", "this place is outside of the status list")
