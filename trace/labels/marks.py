"""The symbols that labels can carry, and what each of them says for an item."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import zxingcpp

from ..carriers import bulk
from ..carriers.symbols import FAMILIES, Carrier, matrix
from ..codes.digital_link import parse
from ..codes.element_string import GS, print_element_string
from .compose import Label

CARRIERS = (Carrier.QR, Carrier.DATA_MATRIX, Carrier.GS1_DATA_MATRIX)
"""What the labels of items offer. The first two say the item's address, the last one its identifiers alone."""

_DIGITS = bytes.maketrans(b"\0\1", b"01")


def says(uri: str, carrier: Carrier) -> str:
    """What a reader gets from the symbol of this item's address, FNC1 as GS."""
    if not FAMILIES[carrier].elements:
        return uri
    return print_element_string(parse(uri).elements, GS)[1:]


def mark(uri: str, carrier: Carrier) -> bulk.Bitmap:
    """The symbol as packed rows. Raises Invalid for an address that the carrier cannot hold."""
    if carrier == Carrier.QR:
        return next(bulk.bitmaps([uri]))
    rows = matrix(carrier, parse(uri).elements if FAMILIES[carrier].elements else uri)
    side = len(rows)
    row_bytes = -(-side // 8)
    pad = bytes(8 * row_bytes - side)
    bits = b"".join(row + pad for row in rows).translate(_DIGITS)
    return bulk.Bitmap(says(uri, carrier), side, row_bytes, int(bits, 2).to_bytes(row_bytes * side, "big"))


def marks(labels: Iterable[Label], carrier: Carrier) -> Iterator[bulk.Bitmap]:
    """The symbols of a run. QR codes are summed; others take about a thousandth of a second each."""
    uris = (label.uri for label in labels)
    return bulk.bitmaps(uris) if carrier == Carrier.QR else (mark(uri, carrier) for uri in uris)


def formats(carrier: Carrier) -> zxingcpp.BarcodeFormats:
    """For a reader that looks for this carrier only."""
    return zxingcpp.BarcodeFormats([FAMILIES[carrier].format])
