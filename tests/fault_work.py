"""Reports to upload, each with other bytes."""

from __future__ import annotations

from io import BytesIO

from reportlab.pdfgen.canvas import Canvas


def a_report(number: str) -> bytes:
    """A PDF of one page; the same number gives the same bytes."""
    out = BytesIO()
    canvas = Canvas(out, pagesize=(200, 200), invariant=True)
    canvas.drawString(20, 100, f"Report {number}: lead 0.9 mg/kg")
    canvas.save()
    return out.getvalue()
