"""Label sheets against reportlab's QrCodeWidget, in one run on one core, and the memory of a large run.

    python bench/labels.py [--count 20000] [--rounds 3] [--large 100000] [--sample 4]

Both sides make A4 sheets of 24 labels with a QR code of tier A at the same size and level, two names (Chinese and
English), lot, expiry date, serial and host in the label font. The bulk side makes `--count` labels a round, learns its
tables anew in each and writes its file to memory; the other makes 48. Times are processor time of this process; the
ratio is that of the medians. A file of `--large` labels is written by a fresh process, whose largest resident memory
is taken, and all labels of `--sample` of its pages are read by two readers (zxing-cpp, zbar) at 300 dpi.

Limits: labels of one run have the same names, lot and date, as runs have; a file of single labels that differ in all of
them is about ten times slower. Reading every label back, which the service does, is not part of the time.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pypdfium2
import zxingcpp
from PIL import Image
from pyzbar import pyzbar
from reportlab.graphics import renderPDF
from reportlab.graphics.barcode.qr import QrCodeWidget
from reportlab.graphics.shapes import Drawing
from reportlab.pdfgen.canvas import Canvas

from lotseal.trace.carriers import linear
from lotseal.trace.labels import font
from lotseal.trace.labels.compose import POINT, Label
from lotseal.trace.labels.layouts import A4_3X8
from lotseal.trace.labels.sheet import write_sheet

LETTERS = "23456789ACDEFGHJKMNPQRTUVWXY"
OTHERS = 48
GOAL, GOAL_MB = 300, 300


def labels(count: int, seed: int = 1) -> Iterator[Label]:
    chance = random.Random(seed)
    for _ in range(count):
        serial = "".join(chance.choices(LETTERS, k=20))
        yield Label(
            uri=f"HTTPS://T.EXAMPLE.CN/01/09521321000018/10/L2611/21/{serial}",
            name_zh="武夷山大红袍（演示）100 g",
            name_en="Wuyi Da Hong Pao oolong tea (demo) 100 g",
            lot="L2611",
            expiry="2028-10-31",
            serial=serial,
            footer="t.example.cn",
        )


def ours(count: int) -> float:
    linear._rows.cache_clear()
    began = time.process_time()
    write_sheet(BytesIO(), labels(count))
    return count / (time.process_time() - began)


def theirs(count: int) -> float:
    """The usual way with reportlab: a widget in a drawing for each label, and strings."""
    font.register()
    began = time.process_time()
    canvas = Canvas(BytesIO(), pagesize=(A4_3X8.page_width * POINT, A4_3X8.page_height * POINT), pageCompression=1)
    for number, label in enumerate(labels(count)):
        left, top = A4_3X8.corner(number % A4_3X8.per_page)
        x, y = left * POINT, (A4_3X8.page_height - top) * POINT
        side = 22 * POINT
        widget = QrCodeWidget(label.uri, barLevel="M", barWidth=side, barHeight=side)
        drawing = Drawing(side, side)
        drawing.add(widget)
        renderPDF.draw(drawing, canvas, x + 4 * POINT, y - 4 * POINT - side)
        lines = (label.name_zh, label.name_en, f"批号 / Lot {label.lot}", f"有效期至 {label.expiry}", label.serial)
        for line, text in enumerate(lines, 1):
            canvas.setFont(font.NAME, 8)
            canvas.drawString(x + 30 * POINT, y - line * 12 - 8, text)
        canvas.drawString(x + 4 * POINT, y - 33 * POINT, label.footer)
        if number % A4_3X8.per_page == A4_3X8.per_page - 1:
            canvas.showPage()
    canvas.save()
    return count / (time.process_time() - began)


def large(path: Path, count: int) -> None:
    with path.open("wb") as file:
        write_sheet(file, labels(count, seed=2))
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def unread(path: Path, count: int, pages: int) -> int:
    """Labels of some pages that a reader did not read as printed."""
    expected = [label.uri for label in labels(count, seed=2)]
    missed = 0
    with pypdfium2.PdfDocument(path) as document:
        assert len(document) == -(-count // A4_3X8.per_page)
        for page in random.Random(3).sample(range(count // A4_3X8.per_page), pages):
            image = document[page].render(scale=300 / 72, grayscale=True).to_pil()
            for position in range(A4_3X8.per_page):
                wanted = [expected[page * A4_3X8.per_page + position]]
                cell = cut_out(image, position)
                missed += [symbol.text for symbol in zxingcpp.read_barcodes(cell)] != wanted
                read = pyzbar.decode(cell, symbols=[pyzbar.ZBarSymbol.QRCODE])
                missed += [symbol.data.decode() for symbol in read] != wanted
    return missed


def cut_out(page: Image.Image, position: int) -> Image.Image:
    left, top = A4_3X8.corner(position)
    edges = (left, top, left + A4_3X8.label_width, top + A4_3X8.label_height)
    return page.crop(tuple(round(edge / 25.4 * 300) for edge in edges))  # type: ignore[arg-type]  # four edges


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--large", type=int, default=100_000)
    parser.add_argument("--sample", type=int, default=4, help="pages of the large file to read back")
    parser.add_argument("--write", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.write:
        large(options.write, options.large)
        return
    rounds = [(theirs(OTHERS), ours(options.count)) for _ in range(options.rounds)]
    slow, fast = (statistics.median(column) for column in zip(*rounds, strict=True))
    with tempfile.TemporaryDirectory(prefix="lotseal-bench-") as folder:
        path = Path(folder) / "labels.pdf"
        command = [sys.executable, __file__, "--large", str(options.large), "--write", str(path)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        memory_mb = int(done.stdout) / 1024
        size_mb = path.stat().st_size / 1e6
        missed = unread(path, options.large, options.sample)
    print(f"{'QrCodeWidget':16}{slow:10.1f} labels/s")
    print(f"{'sheet':16}{fast:10.0f} labels/s   ratio {fast / slow:.0f} (goal {GOAL})")
    print(f"{options.large} labels: {memory_mb:.0f} MB of memory (goal {GOAL_MB}), file {size_mb:.1f} MB")
    print(f"{options.sample * A4_3X8.per_page} of them read back by two readers; not read: {missed}")
    passed = fast / slow >= GOAL and memory_mb <= GOAL_MB and not missed
    facts = {
        "bench": "labels", "ratio": round(fast / slow, 1), "labels_per_s": round(fast), "widget_per_s": round(slow, 1),
        "large": options.large, "memory_mb": round(memory_mb, 1), "file_mb": round(size_mb, 1), "unread": missed,
        "passed": passed,
    }  # fmt: skip
    print(json.dumps(facts))
    if not passed:
        sys.exit("a goal was missed")


if __name__ == "__main__":
    main()
