"""Inside the child: the codes on a photo."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import zxingcpp
from PIL import Image

from . import bounds
from .pictures import load

_F = zxingcpp.BarcodeFormat

# The carriers of GS1 identifiers. UPC-E is not among them: its eight digits would be taken for a GTIN-8.
_FORMATS = zxingcpp.BarcodeFormats(
    [
        _F.QRCode, _F.DataMatrix, _F.Code128, _F.EAN13, _F.EAN8, _F.UPCA, _F.ITF, _F.DataBarOmni, _F.DataBarLtd,
        _F.DataBarStk, _F.DataBarStkOmni, _F.DataBarExp, _F.DataBarExpStk,
    ]
)  # fmt: skip


def read_symbols(path: Path, kind: str) -> dict[str, object]:
    """What a scanner would send for each symbol: `symbols` is a list of texts with their symbology identifiers.
    Raises `Refused`."""
    image = load(path, kind, within=(bounds.SCAN_SIDE, bounds.SCAN_SIDE)).convert("L")
    for tried in _sizes(image):
        found = zxingcpp.read_barcodes(tried, formats=_FORMATS, text_mode=zxingcpp.TextMode.Plain)
        if found:
            return {
                "symbols": [
                    f"{symbol.symbology_identifier}{symbol.text}"[: bounds.MAX_SYMBOL_CHARACTERS]
                    for symbol in found[: bounds.MAX_SYMBOLS]
                ]
            }
    return {"symbols": []}


def _sizes(image: Image.Image) -> Iterator[Image.Image]:
    """A blurred or noisy photo often reads better when it is made smaller."""
    yield image
    for side in bounds.SMALLER_SCAN_SIDES:
        if max(image.size) > side:
            smaller = image.copy()
            smaller.thumbnail((side, side), Image.Resampling.BOX)
            yield smaller
