"""Files that people upload: a right report, and each kind of wrong one."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import pikepdf
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

FONT = Path(__file__).parents[2] / "static" / "fonts" / "LotsealLabel-Regular.ttf"


def report_pdf(number: str, lot: str) -> bytes:
    """A laboratory report of two pages, in the label font."""
    pdfmetrics.registerFont(TTFont("label", str(FONT)))
    sheet = io.BytesIO()
    canvas = Canvas(sheet, pagesize=A4)
    for page in (1, 2):
        canvas.setFont("label", 18)
        canvas.drawString(25 * mm, 260 * mm, f"检验报告 {number}")
        canvas.setFont("label", 11)
        canvas.drawString(25 * mm, 245 * mm, f"批号 {lot}")
        canvas.drawString(25 * mm, 235 * mm, "铅 0.9 mg/kg ≤ 5.0")
        canvas.drawString(25 * mm, 225 * mm, f"{page} / 2")
        canvas.showPage()
    canvas.save()
    return sheet.getvalue()


def locked_pdf() -> bytes:
    """A report that opens with a password only."""
    locked = io.BytesIO()
    with pikepdf.open(io.BytesIO(report_pdf("LOCKED", "X"))) as pdf:
        pdf.save(locked, encryption=pikepdf.Encryption(user="secret", owner="secret"))
    return locked.getvalue()


def huge_png(side: int = 40_000) -> bytes:
    """A small file that says that it is 40,000 × 40,000 pixels large; all of them are black."""
    rows = zlib.compress(bytes(side // 8 + 1) * 100)
    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", rows) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><script>alert(1)</script></svg>'


def scripted_pdf() -> bytes:
    """A report with a web page in front of it, for browsers that guess."""
    return b"<script>alert(1)</script>\n" + report_pdf("SCRIPT", "X")


def heavy_pdf() -> bytes:
    return report_pdf("HEAVY", "X") + bytes(25 * 1024 * 1024)
