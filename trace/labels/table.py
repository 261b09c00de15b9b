"""The labels of a run as CSV for a printing house that makes the symbols itself."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from io import TextIOWrapper
from typing import IO

from .compose import Label, Language

_HEADERS: dict[Language, tuple[str, ...]] = {
    "zh": ("序号", "二维码内容", "序列号", "中文品名", "英文品名", "批号", "有效期至", "网址"),
    "en": ("No.", "Code text", "Serial", "Chinese name", "English name", "Lot", "Best before", "Host"),
}
# What makes a spreadsheet take a cell for a formula, in its full-width forms too.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def write_csv(
    file: IO[bytes], labels: Iterable[Label], language: Language = "zh", *, bom: bool = True, guarded: bool = True
) -> int:
    """Write one line for each label (RFC 4180, UTF-8, CRLF) and return how many there were.

    `bom` lets spreadsheets see that it is UTF-8; without it machines read it more easily. `guarded` puts an apostrophe
    before a cell that a spreadsheet would run as a formula; switch it off only for machines, because a lot that begins
    with a hyphen is changed by it. The code's text never begins with such a sign.
    """
    text = TextIOWrapper(file, "utf-8-sig" if bom else "utf-8", newline="", write_through=True)
    try:
        writer = csv.writer(text)
        writer.writerow(_HEADERS[language])
        written = 0
        for written, label in enumerate(labels, 1):
            cells = (
                label.uri, label.serial, label.name_zh, label.name_en, label.lot, label.expiry, label.footer,
            )  # fmt: skip
            writer.writerow((written, *(map(_inert, cells) if guarded else cells)))
        return written
    finally:
        text.detach()


def _inert(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
