"""Many codes of one run: what `signing.item` makes one by one, from a plate on which all but the serial stands already.

Serials have letters only that stand for themselves in a web address. So the canonical Digital Links of a run differ in
their last characters alone, and are made by joining instead of by printing, checking and printing anew.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final

from .context import Context
from .item import ALPHABET, RANDOM_SIZE, TAG_SIZE, canonical_item_uri, format_signature, is_printed_serial
from .secret import MacSecret

_LETTERS: Final = len(ALPHABET)
_FAIR: Final = 256 - 256 % _LETTERS
"""Random bytes from here on are thrown away: with them some letters would come more often than others."""
_LETTER_OF: Final = bytes(ALPHABET[byte % _LETTERS].encode()[0] for byte in range(256))
_UNFAIR: Final = bytes(range(_FAIR, 256))
_PAIRS: Final = [first + second for first in ALPHABET for second in ALPHABET]
_TAGS: Final = _LETTERS**TAG_SIZE


class Plate:
    """What all codes of a run have in common: base, GTIN and lot (None when the link leaves it out).

    Raises Malformed as `canonical_item_uri` does."""

    __slots__ = ("_fields", "_prefix")

    def __init__(self, base: str, gtin14: str, lot: str | None) -> None:
        self._fields = base, gtin14, lot
        self._prefix = canonical_item_uri(base, gtin14, lot, ALPHABET[0])[:-1]

    def uri(self, serial: str) -> bytes:
        """The canonical Digital Link of any serial. Raises Malformed for one that no link can have."""
        if is_printed_serial(serial):
            return self._prefix + serial.encode("ascii")
        return canonical_item_uri(*self._fields, serial)

    def link(self, serial: str, letter: str | None = None, signature: bytes | None = None) -> bytes:
        """What the symbol says: the link, and for tier B the signature behind it."""
        uri = self.uri(serial)
        return uri + b"?s=" + format_signature(letter, signature).encode("ascii") if letter and signature else uri

    def serials(self, secret: MacSecret, count: int) -> Iterator[str]:
        """Fresh printed serials: ten random characters and their tag each."""
        mac, prefix = secret.mac, self._prefix
        for part in _random_parts(count):
            number = int.from_bytes(mac(Context.ITEM_TAG, prefix + part), "big") % _TAGS
            yield part.decode("ascii") + _tag_text(number)


@lru_cache(maxsize=64)
def plate(base: str, gtin14: str, lot: str | None) -> Plate:
    """The plate of a run, made once."""
    return Plate(base, gtin14, lot)


def _random_parts(count: int) -> Iterable[bytes]:
    """Ten letters each, every letter as likely as any other."""
    letters = b""
    while len(letters) < count * RANDOM_SIZE:
        letters += os.urandom(count * RANDOM_SIZE + 64).translate(_LETTER_OF, _UNFAIR)
    return (letters[start : start + RANDOM_SIZE] for start in range(0, count * RANDOM_SIZE, RANDOM_SIZE))


def _tag_text(number: int) -> str:
    """The number in the letters of the alphabet, two at a time."""
    pairs = len(_PAIRS)
    number, e = divmod(number, pairs)
    number, d = divmod(number, pairs)
    number, c = divmod(number, pairs)
    a, b = divmod(number, pairs)
    return _PAIRS[a] + _PAIRS[b] + _PAIRS[c] + _PAIRS[d] + _PAIRS[e]
