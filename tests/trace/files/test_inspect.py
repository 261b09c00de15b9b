"""Uploads as suppliers and attackers send them: read, or refused with a rule and a mend, and nothing else.

The corpus is built here from nothing: with pikepdf, Pillow and reportlab, or byte by byte.
"""

from __future__ import annotations

import json
import os
import random
import re
import resource
import select
import struct
import subprocess
import sys
import zlib
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name, String
from PIL import Image
from reportlab.lib.pagesizes import A4
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

from lotseal.trace.errors import Invalid, Problem, Unavailable
from lotseal.trace.files import bounds, inspect, reading
from lotseal.trace.files.inspect import DocumentFacts, inspect_document, inspect_picture

Upload = Callable[[bytes], DocumentFacts]


def report(pages: int = 2) -> bytes:
    """A Chinese inspection report with a text layer."""
    pdfmetrics.registerFont(UnicodeCIDFont("STSong-Light"))
    target = BytesIO()
    canvas = Canvas(target, pagesize=A4, invariant=1)
    for page in range(1, pages + 1):
        canvas.setFont("STSong-Light", 18)
        canvas.drawString(60, 780, "检验报告 YX-2026-10-0417")
        canvas.setFont("STSong-Light", 11)
        for line in range(1, 31):
            canvas.drawString(60, 760 - line * 22, f"{line} 铅 0.{line} mg/kg 限量 5.0 mg/kg 结论 合格 第 {page} 页")
        canvas.showPage()
    canvas.save()
    return target.getvalue()


def pdf(
    change: Callable[[pikepdf.Pdf], None] = lambda pdf: None,
    *,
    pages: int = 1,
    box: tuple[float, ...] = (0, 0, 595, 842),
    encryption: pikepdf.Encryption | None = None,
    content: bytes = b"0.2 g 50 50 200 200 re f",
) -> bytes:
    """A small PDF of grey squares, after `change` has had its way with it."""
    with pikepdf.new() as document:
        for _ in range(pages):
            page = Dictionary(
                Type=Name.Page,
                MediaBox=Array(list(box)),
                Contents=document.make_stream(content),
                Resources=Dictionary(),
            )
            document.pages.append(pikepdf.Page(document.make_indirect(page)))
        change(document)
        target = BytesIO()
        if encryption is None:
            # Streams stay packed as they are, or the bombs would go off here.
            document.save(target, compress_streams=False, stream_decode_level=pikepdf.StreamDecodeLevel.none)
        else:
            document.save(target, encryption=encryption)
    return target.getvalue()


def javascript() -> Dictionary:
    return Dictionary(S=Name.JavaScript, JS=String("app.alert(1)"))


def to_an_address() -> Dictionary:
    return Dictionary(S=Name.URI, URI=String("https://example.com"))


def in_a_circle(document: pikepdf.Pdf) -> None:
    """Two places that lead to each other for ever."""
    first = document.make_indirect(Dictionary(S=Name.GoTo, D=String("x")))
    first.Next = document.make_indirect(Dictionary(S=Name.GoTo, D=String("y"), Next=first))
    document.Root.OpenAction = first


def from_elsewhere(key: str, value: object) -> Callable[[pikepdf.Pdf], None]:
    """A stream of the page with this entry."""

    def change(document: pikepdf.Pdf) -> None:
        stream = document.make_stream(b"")
        stream[key] = value
        document.pages[0].obj.Contents = stream

    return change


def in_catalogue(key: str, value: object) -> Callable[[pikepdf.Pdf], None]:
    def change(document: pikepdf.Pdf) -> None:
        document.Root[key] = value

    return change


def on_page(key: str, value: object) -> Callable[[pikepdf.Pdf], None]:
    def change(document: pikepdf.Pdf) -> None:
        document.pages[0].obj[key] = value

    return change


def with_annotation(**keys: Any) -> Callable[[pikepdf.Pdf], None]:
    def change(document: pikepdf.Pdf) -> None:
        note = Dictionary(Type=Name.Annot, Rect=Array([0, 0, 10, 10]), **keys)
        document.pages[0].obj.Annots = Array([document.make_indirect(note)])

    return change


def with_attachment(document: pikepdf.Pdf) -> None:
    document.attachments["payload.exe"] = b"MZ"


def inflating_stream(document: pikepdf.Pdf) -> None:
    """Page content of 700 MB, packed twice into a few kilobytes."""
    packer = zlib.compressobj(9)
    block = b" " * 1_000_000
    # A block after a full flush stands by itself, so the packed block can be repeated instead of packed again.
    start = packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH)
    again = packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH)
    packed = start + again * 699 + packer.flush()
    stream = document.make_stream(b"")
    stream.write(zlib.compress(packed, 9), filter=Array([Name.FlateDecode, Name.FlateDecode]))
    document.pages[0].obj.Contents = stream


def raw_pdf(body: bytes) -> bytes:
    """A PDF from hand-written objects, with a right table of their places."""
    data, places = b"%PDF-1.4\n", []
    for number, text in enumerate(body.split(b"\n---\n"), start=1):
        places.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, text)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    size = len(places) + 1
    return data + b"xref\n0 %d\n0000000000 65535 f \n%strailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (
        size,
        table,
        size,
        len(data),
    )


def page_bomb(side: int) -> bytes:
    """A few hundred bytes that ask for a page of that many points."""
    return raw_pdf(
        b"<</Type/Catalog/Pages 2 0 R>>\n---\n<</Type/Pages/Kids[3 0 R]/Count 1>>\n---\n"
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 %d %d]/Contents 4 0 R>>\n---\n<</Length 0>>\nstream\n\nendstream"
        % (side, side)
    )


def deeply_nested(depth: int) -> bytes:
    return raw_pdf(
        b"<</Type/Catalog/Pages 2 0 R/Deep " + b"[" * depth + b"]" * depth + b">>\n---\n"
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>\n---\n<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>"
    )


def picture(form: str, size: tuple[int, int] = (640, 480), mode: str = "RGB", **options: object) -> bytes:
    target = BytesIO()
    gradient = Image.linear_gradient("L").resize(size)
    gradient.convert(mode).save(target, form, **options)
    return target.getvalue()


def noise(size: int) -> bytes:
    """The same disorder every time."""
    return random.Random(7).randbytes(size)


def photo(form: str = "JPEG", size: tuple[int, int] = (1600, 1200)) -> bytes:
    """Noise, which no encoder can make small."""
    target = BytesIO()
    Image.frombytes("RGB", size, noise(size[0] * size[1] * 3)).save(target, form)
    return target.getvalue()


def jpeg_from_a_telephone() -> bytes:
    """200 by 100 pixels as stored, to be turned upright, with the place where it was taken."""
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "SecretCamera"
    exif.get_ifd(0x8825).update({1: "N", 2: (27.0, 45.0, 0.0), 3: "E", 4: (118.0, 2.0, 0.0)})
    return picture("JPEG", (200, 100), exif=exif)


def png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_bomb(side: int = 40_000) -> bytes:
    """A PNG that says it is `side` by `side` pixels and brings a few of them."""
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    pixels = zlib.compress(b"\0" * 100_000, 9)
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", pixels) + png_chunk(b"IEND", b"")


def png_with_script() -> bytes:
    whole = picture("PNG")
    script = png_chunk(b"tEXt", b"Comment\0<script>alert(1)</script>")
    return whole[:33] + script + whole[33:]


def moving_webp() -> bytes:
    frames = [Image.new("RGB", (40, 40), colour) for colour in ("red", "blue")]
    target = BytesIO()
    frames[0].save(target, "WEBP", save_all=True, append_images=frames[1:])
    return target.getvalue()


def mutations(data: bytes, number: int, seed: int) -> list[bytes]:
    """Copies with bytes changed, cut out, doubled or moved; the same ones for the same seed."""
    chance = random.Random(seed)
    return [_mutated(bytearray(data), chance) for _ in range(number)]


def _mutated(data: bytearray, chance: random.Random) -> bytes:
    for _ in range(chance.randint(1, 12)):
        at = chance.randrange(len(data))
        what = chance.randrange(5)
        if what == 0:
            data[at] = chance.randrange(256)
        elif what == 1:
            del data[at : at + chance.randrange(1, 40)]
        elif what == 2:
            data[at:at] = data[at : at + chance.randrange(1, 200)]
        elif what == 3:
            data[at:at] = chance.randbytes(chance.randrange(1, 20))
        else:
            data[at : at + 4] = chance.choice((b"9999", b"-1  ", b"null", b"<<<<", b"1e99"))
    return bytes(data)


# Every rule. Built when it is asked for, since some take a second.
REFUSED: dict[str, tuple[str, Callable[[], bytes]]] = {
    "empty": ("file.empty", lambda: b""),
    "over 20 MB": ("file.too-large", lambda: b"%PDF-1.4\n" + b" " * 20_000_000),
    "text": ("file.type", lambda: b"lead 0.9 mg/kg"),
    "random bytes": ("file.type", lambda: noise(5_000)),
    "EICAR-like text": ("file.type", lambda: b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + b"EICAR-LIKE-TEST-TEXT!$H+H*"),
    "GIF": ("file.type", lambda: picture("GIF")),
    "archive": ("file.type", lambda: b"PK\x03\x04" + bytes(100)),
    "SVG": ("file.type-program", lambda: b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'),
    "SVG with XML head": ("file.type-program", lambda: b'\xef\xbb\xbf<?xml version="1.0"?><svg onload="alert(1)"/>'),
    "HTML": ("file.type-program", lambda: b"\n<!DOCTYPE html><script>alert(1)</script>"),
    "script before a PDF": ("file.mixed", lambda: b"<script>alert(1)</script>" + pdf()),
    "script before a PNG": ("file.mixed", lambda: b"<script>alert(1)</script>" + picture("PNG")),
    "archive behind a PDF": ("file.mixed", lambda: pdf() + b"PK\x03\x04" + b"x" * 2_000),
    "small archive behind a PDF": ("file.mixed", lambda: pdf() + b"PK\x05\x06" + bytes(18)),
    "cut PDF": ("file.damaged", lambda: pdf()[:-200]),
    "cut report": ("file.damaged", lambda: report()[:2_000]),
    "PDF header alone": ("file.damaged", lambda: b"%PDF-1.7\n" + b"junk" * 100 + b"%%EOF"),
    "PDF without pages": ("file.damaged", lambda: pdf(pages=0)),
    "PDF with a broken table": ("file.damaged", lambda: page_bomb(595).replace(b"00000 n", b"0000x n")),
    "PDF whose table one reader mends and another does not": (
        "file.damaged",
        lambda: page_bomb(595).replace(b"00000 n \n", b"00000 n\n").replace(b"65535 f \n", b"65535 f\n"),
    ),
    "cut JPEG": ("file.damaged", lambda: photo()[:50_000]),
    "cut PNG": ("file.damaged", lambda: photo("PNG", (300, 300))[:50_000]),
    "cut WebP": ("file.damaged", lambda: picture("WEBP")[:-50]),
    "PNG header alone": ("file.damaged", lambda: b"\x89PNG\r\n\x1a\n"),
    "moving WebP": ("file.moving", moving_webp),
    "password": ("file.password", lambda: pdf(encryption=pikepdf.Encryption(user="geheim", owner="x"))),
    "201 pages": ("file.pages", lambda: pdf(pages=201)),
    "page of 14,400 points": ("file.page-size", lambda: page_bomb(14_400)),
    "page of 200,000 points": ("file.page-size", lambda: page_bomb(200_000)),
    "page of no size": ("file.page-size", lambda: page_bomb(0)),
    "page in large units": ("file.page-size", lambda: pdf(on_page("/UserUnit", 1_000))),
    "40,000 x 40,000 PNG": ("file.pixels", png_bomb),
    "7,000 x 7,000 PNG": ("file.pixels", lambda: png_bomb(7_000)),
    "inflating stream": ("file.too-complex", lambda: pdf(inflating_stream)),
    "too many values": ("file.too-complex", lambda: pdf(in_catalogue("/Many", Array([Dictionary()] * 610_000)))),
}

ACTIVE: dict[str, tuple[str, Callable[[], bytes]]] = {
    "script on opening": ("JavaScript, OpenAction", lambda: pdf(in_catalogue("/OpenAction", javascript()))),
    "script in the name tree": (
        "JavaScript",
        lambda: pdf(
            in_catalogue("/Names", Dictionary(JavaScript=Dictionary(Names=Array([String("a"), javascript()]))))
        ),
    ),
    "script of a page": ("JavaScript, OpenAction", lambda: pdf(on_page("/AA", Dictionary(O=javascript())))),
    "script of an annotation": (
        "JavaScript, OpenAction",
        lambda: pdf(with_annotation(Subtype=Name.Text, AA=Dictionary(E=javascript()))),
    ),
    "script in a chain": (
        "JavaScript",
        lambda: pdf(with_annotation(Subtype=Name.Link, A=Dictionary(S=Name.URI, URI=String("x"), Next=javascript()))),
    ),
    "script under an escaped name": (
        "JavaScript",
        lambda: raw_pdf(
            b"<</Type/Catalog/Pages 2 0 R/X<</S/J#61vaScript>>>>\n---\n<</Type/Pages/Kids[3 0 R]/Count 1>>\n---\n"
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>"
        ),
    ),
    "program": (
        "Launch",
        lambda: pdf(with_annotation(Subtype=Name.Link, A=Dictionary(S=Name.Launch, F=String("cmd.exe")))),
    ),
    "form that sends": (
        "SubmitForm",
        lambda: pdf(with_annotation(Subtype=Name.Text, A=Dictionary(S=Name.SubmitForm, F=String("http://x")))),
    ),
    "form that fetches": (
        "ImportData",
        lambda: pdf(with_annotation(Subtype=Name.Text, A=Dictionary(S=Name.ImportData, F=String("x.fdf")))),
    ),
    "attachment": ("EmbeddedFiles", lambda: pdf(with_attachment)),
    "attached note": ("EmbeddedFiles", lambda: pdf(with_annotation(Subtype=Name.FileAttachment))),
    "XFA form": ("XFA", lambda: pdf(in_catalogue("/AcroForm", Dictionary(Fields=Array([]), XFA=String("<xdp/>"))))),
    "rich media": ("RichMedia", lambda: pdf(with_annotation(Subtype=Name.RichMedia))),
    "printing on opening": (
        "OpenAction",
        lambda: pdf(in_catalogue("/OpenAction", Dictionary(S=Name.Named, N=Name.Print))),
    ),
}

ACTIVE |= {
    "address opened with the page": ("OpenAction", lambda: pdf(on_page("/AA", Dictionary(O=to_an_address())))),
    "address opened on printing": ("OpenAction", lambda: pdf(in_catalogue("/AA", Dictionary(WP=to_an_address())))),
    "address opened with its note": (
        "OpenAction",
        lambda: pdf(with_annotation(Subtype=Name.Link, AA=Dictionary(PO=to_an_address()))),
    ),
    "file of a server opened with the page": (
        "OpenAction",
        lambda: pdf(on_page("/AA", Dictionary(O=Dictionary(S=Name.GoToR, F=String("//server/share/x"))))),
    ),
    "address behind a place": (
        "OpenAction",
        lambda: pdf(in_catalogue("/OpenAction", Dictionary(S=Name.GoTo, D=String("x"), Next=to_an_address()))),
    ),
    "address in a row behind a place": (
        "OpenAction",
        lambda: pdf(in_catalogue("/OpenAction", Dictionary(S=Name.GoTo, Next=Array([String("x"), to_an_address()])))),
    ),
    "places in a circle": ("OpenAction", lambda: pdf(in_a_circle)),
    "page whose content lies elsewhere": ("ImportData", lambda: pdf(from_elsewhere("/F", String("http://x/y")))),
    "page of another file": ("ImportData", lambda: pdf(from_elsewhere("/Ref", Dictionary(F=String("x.pdf"), Page=0)))),
    "file that no name leads to": ("EmbeddedFiles", lambda: pdf(from_elsewhere("/Type", Name.EmbeddedFile))),
}

READ: dict[str, tuple[str, Callable[[], bytes]]] = {
    "report": ("pdf", report),
    "PDF with a link": (
        "pdf",
        lambda: pdf(with_annotation(Subtype=Name.Link, A=Dictionary(S=Name.URI, URI=String("https://example.com")))),
    ),
    "PDF that opens at a place": ("pdf", lambda: pdf(in_catalogue("/OpenAction", Array([0, Name.Fit])))),
    "PDF that goes to a place": (
        "pdf",
        lambda: pdf(in_catalogue("/OpenAction", Dictionary(S=Name.GoTo, D=String("x")))),
    ),
    "PDF that turns to a place by itself": (
        "pdf",
        lambda: pdf(on_page("/AA", Dictionary(O=Dictionary(S=Name.GoTo, D=Array([0, Name.Fit]))))),
    ),
    "PDF that goes to two places": (
        "pdf",
        lambda: pdf(in_catalogue("/OpenAction", Dictionary(S=Name.GoTo, Next=Dictionary(S=Name.GoTo)))),
    ),
    "PDF that only forbids copying": (
        "pdf",
        lambda: pdf(encryption=pikepdf.Encryption(user="", owner="x", allow=pikepdf.Permissions(extract=False))),
    ),
    "PDF with a stamp behind its end": ("pdf", lambda: pdf() + b"\n% printed by a printer\n"),
    # Both parsers take a box that is none as a sheet of US letter paper.
    "page box of words": ("pdf", lambda: pdf(on_page("/MediaBox", Array([Name.A, Name.B, Name.C, Name.D])))),
    "page box of two": ("pdf", lambda: pdf(on_page("/MediaBox", Array([0, 0])))),
    "narrow, long page": ("pdf", lambda: pdf(box=(0, 0, 40, 14_000))),
    "PNG": ("png", lambda: picture("PNG")),
    "PNG with a script in a comment": ("png", png_with_script),
    "grey PNG with transparency": ("png", lambda: picture("PNG", mode="LA")),
    "16-bit PNG": ("png", lambda: picture("PNG", mode="I;16")),
    "palette PNG": ("png", lambda: picture("PNG", mode="P")),
    "JPEG": ("jpeg", photo),
    "CMYK JPEG": ("jpeg", lambda: picture("JPEG", mode="CMYK")),
    "JPEG with a script behind it": ("jpeg", lambda: picture("JPEG") + b"<script>alert(1)</script>"),
    "WebP": ("webp", lambda: picture("WEBP")),
    "transparent WebP": ("webp", lambda: picture("WEBP", mode="RGBA")),
}


@pytest.fixture
def upload(tmp_path: Path) -> Upload:
    """Lay the bytes down and have them inspected; images go to `tmp_path / "out"`."""
    out = tmp_path / "out"
    out.mkdir()

    def inspected(data: bytes) -> DocumentFacts:
        (tmp_path / "upload").write_bytes(data)
        return inspect_document(tmp_path / "upload", out, original_name="report.pdf")

    return inspected


def problem(upload: Upload, data: bytes) -> Problem:
    with pytest.raises(Invalid) as caught:
        upload(data)
    (found,) = caught.value.problems
    assert found.field == "file"
    return found


def ask_child(data: bytes, folder: Path) -> dict[str, Any]:
    """The child's own answer, with the memory that it took."""
    path = folder / "upload"
    path.write_bytes(data)
    request = {"task": "document", "path": str(path), "kind": inspect._sniff(data)}
    done = subprocess.run(
        inspect.child_command(),
        input=json.dumps(request).encode() + b"\n",
        capture_output=True,
        check=False,
        cwd=folder,
        env={},
    )
    answer: dict[str, Any] = json.loads(done.stdout) if done.stdout else {"refused": "crash"}
    return answer | {"exit": done.returncode}


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_that_breaks_a_rule_is_refused_with_its_mend(name: str, upload: Upload, tmp_path: Path) -> None:
    rule, make = REFUSED[name]
    found = problem(upload, make())
    assert found.rule == rule
    assert re.search(r"\. (Print|Save|Upload|Open|Choose|A product)|upload", str(found.message))
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("name", ACTIVE)
def test_a_pdf_that_acts_by_itself_is_refused_and_told_what_acts(name: str, upload: Upload) -> None:
    words, make = ACTIVE[name]
    found = problem(upload, make())
    assert (found.rule, found.message.values["found"]) == ("file.active-content", words)


@pytest.mark.parametrize("name", READ)
def test_an_ordinary_file_is_read_and_drawn(name: str, upload: Upload) -> None:
    kind, make = READ[name]
    facts = upload(make())
    assert facts.kind == kind
    assert len(facts.page_images) == facts.pages
    for image in facts.page_images:
        assert image.media_type == "image/webp"
        assert image.size == image.path.stat().st_size <= 120_000
        with Image.open(image.path) as drawn:
            assert (drawn.format, drawn.size) == ("WEBP", (image.width, image.height))


def test_a_size_just_over_the_bound_does_not_read_like_one_within(upload: Upload) -> None:
    assert "20.1 MB" in str(problem(upload, b"%PDF-1.4\n".ljust(20_000_001)).message)
    assert "26.3 MB" in str(problem(upload, b"%PDF-1.4\n".ljust(25 * 1024 * 1024)).message)


@pytest.mark.parametrize("name", REFUSED | ACTIVE | READ)
def test_the_reading_itself_answers_for_every_file(name: str, tmp_path: Path) -> None:
    """The same corpus inside this process, where coverage sees it, without bombs and what never reaches a child."""
    wanted, make = (REFUSED | ACTIVE | READ)[name]
    if wanted in ("file.empty", "file.too-large", "file.too-complex", "file.mixed") or wanted.startswith("file.type"):
        pytest.skip("decided outside the child, or only within its bounds")
    data = make()
    (tmp_path / "upload").write_bytes(data)
    kind = inspect._sniff(data)
    assert kind is not None
    found = reading.answer({"task": "document", "path": str(tmp_path / "upload"), "kind": kind}, tmp_path)
    expected = "file.active-content" if name in ACTIVE else wanted if name in REFUSED else None
    assert found.get("refused") == expected


def test_a_chinese_report_gives_text_sizes_and_sharp_pages(upload: Upload) -> None:
    facts = upload(report())
    assert (facts.kind, facts.pages, facts.has_text_layer) == ("pdf", 2, True)
    assert facts.page_sizes_mm == ((210.0, 297.0), (210.0, 297.0))
    assert "检验报告 YX-2026-10-0417" in facts.text[0]
    assert "第 2 页" in facts.text[1]
    assert [image.path.name for image in facts.page_images] == ["page-1.webp", "page-2.webp"]
    assert all(image.width == 1_240 for image in facts.page_images)
    with Image.open(facts.page_images[0].path) as page:
        shades = page.convert("L").histogram()
    assert sum(shades[:60]) > 1_000 < sum(shades[250:])


def test_a_page_without_text_has_no_text_layer(upload: Upload) -> None:
    facts = upload(pdf())
    assert (facts.has_text_layer, facts.text) == (False, ("",))


def test_only_the_first_twenty_pages_are_drawn_and_all_are_counted(upload: Upload) -> None:
    facts = upload(pdf(pages=200))
    assert (facts.pages, len(facts.page_sizes_mm), len(facts.page_images)) == (200, 200, 20)


def test_text_is_cut_at_a_hundred_thousand_characters(upload: Upload) -> None:
    pages = [f"page {number} " + "lead 0.9 mg/kg " * 700 for number in range(20)]
    target = BytesIO()
    canvas = Canvas(target, pagesize=A4)
    for text in pages:
        lines = canvas.beginText(10, 830)
        lines.setFont("Helvetica", 2)
        for start in range(0, len(text), 200):
            lines.textLine(text[start : start + 200])
        canvas.drawText(lines)
        canvas.showPage()
    canvas.save()
    facts = upload(target.getvalue())
    assert 90_000 < sum(map(len, facts.text)) <= 100_000


def test_a_scan_of_noise_still_fits(upload: Upload) -> None:
    (image,) = upload(photo()).page_images
    assert image.size <= 120_000
    assert image.width >= 480


def test_a_telephone_picture_is_upright_and_tells_no_place(upload: Upload) -> None:
    data = jpeg_from_a_telephone()
    assert b"SecretCamera" in data
    (image,) = upload(data).page_images
    with Image.open(image.path) as drawn:
        assert drawn.size == (100, 200)
        assert dict(drawn.getexif()) == {}
        assert not {"exif", "xmp", "icc_profile"} & drawn.info.keys()
    assert b"SecretCamera" not in image.path.read_bytes()


def test_a_script_in_a_png_does_not_reach_the_image(upload: Upload) -> None:
    (image,) = upload(png_with_script()).page_images
    assert b"script" not in image.path.read_bytes()


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
def test_a_product_picture_is_drawn_small_and_large(form: str, tmp_path: Path) -> None:
    (tmp_path / "upload").write_bytes(photo(form))
    facts = inspect_picture(tmp_path / "upload", tmp_path)
    assert facts.kind == form.lower()
    assert facts.small.size == facts.small.path.stat().st_size <= 15_000
    assert facts.large.size == facts.large.path.stat().st_size <= 120_000
    assert max(facts.small.width, facts.small.height) <= 480


def test_a_plain_product_picture_keeps_its_pixels(tmp_path: Path) -> None:
    (tmp_path / "upload").write_bytes(picture("PNG", (1_600, 1_200)))
    facts = inspect_picture(tmp_path / "upload", tmp_path)
    assert (facts.small.width, facts.small.height) == (480, 360)
    assert (facts.large.width, facts.large.height) == (1_240, 930)


def test_a_pdf_is_no_product_picture(tmp_path: Path) -> None:
    (tmp_path / "upload").write_bytes(pdf())
    with pytest.raises(Invalid) as caught:
        inspect_picture(tmp_path / "upload", tmp_path)
    assert caught.value.problems[0].rule == "file.type-picture"


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("检验报告.PDF", "检验报告.pdf"),
        ("../../etc/passwd", "passwd.pdf"),
        ("C:\\reports\\r.pdf", "r.pdf"),
        ("invoice\u202efdp.exe", "invoicefdp.exe.pdf"),
        ('a"\r\nSet-Cookie: x.pdf', 'a"Set-Cookie: x.pdf'),
        ("\0\n", "file.pdf"),
        ("长" * 300 + ".pdf", "长" * 116 + ".pdf"),
    ],
)
def test_the_senders_file_name_is_made_harmless(sent: str, kept: str, tmp_path: Path) -> None:
    (tmp_path / "upload").write_bytes(pdf())
    assert inspect_document(tmp_path / "upload", tmp_path, original_name=sent).original_name == kept


def test_two_hundred_mutated_reports_are_read_or_refused_and_nothing_else(tmp_path: Path) -> None:
    def outcome(number: int, data: bytes) -> str:
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "upload").write_bytes(data)
        try:
            inspect_document(folder / "upload", folder, original_name="r.pdf")
        except Invalid as refused:
            return refused.problems[0].rule
        return "read"

    whole = [report(1), pdf(with_attachment), picture("PNG"), picture("JPEG"), picture("WEBP")]
    files = [copy for seed, data in enumerate(whole) for copy in mutations(data, 40, seed)]
    with ThreadPoolExecutor(4) as threads:
        outcomes = Counter(threads.map(outcome, range(len(files)), files))
    assert outcomes.total() == 200
    assert outcomes.keys() <= {
        "read", "file.damaged", "file.type", "file.mixed", "file.page-size", "file.active-content", "file.pixels",
        "file.too-complex", "file.moving", "file.password",
    }  # fmt: skip
    assert outcomes["file.damaged"] > 20


@pytest.mark.parametrize("depth", [100, 400, 5_000, 200_000])
def test_deep_nesting_is_read_or_refused_within_the_bounds(depth: int, tmp_path: Path) -> None:
    found = ask_child(deeply_nested(depth), tmp_path)
    assert found.get("refused") in (None, "file.damaged", "file.too-complex")
    assert found["peak_kib"] < 200_000


@pytest.mark.parametrize("name", ["page of 14,400 points", "page of 200,000 points", "40,000 x 40,000 PNG"])
def test_a_bomb_is_seen_before_memory_is_taken(name: str, tmp_path: Path) -> None:
    rule, make = REFUSED[name]
    data = make()
    assert len(data) < 1_000
    found = ask_child(data, tmp_path)
    assert found["refused"] == rule
    assert found["peak_kib"] < 100_000


def test_a_report_needs_far_less_memory_than_it_may_have(tmp_path: Path) -> None:
    found = ask_child(report(), tmp_path)
    assert found["pages"] == 2
    assert found["peak_kib"] < 160_000


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "LA", "P"])
def test_forty_million_pixels_fit_into_the_childs_memory(mode: str, tmp_path: Path) -> None:
    found = ask_child(picture("PNG", (8_000, 5_000), mode, compress_level=1), tmp_path)
    assert "refused" not in found
    assert found["peak_kib"] < 512 * 1_024


def test_an_inflating_stream_takes_nothing_from_the_parent(upload: Upload) -> None:
    data = pdf(inflating_stream)
    assert len(data) < 50_000
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert problem(upload, data).rule == "file.too-complex"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000


def one_page(name: str) -> str:
    """A line of Python that answers as for a PDF of one page with an image of that name."""
    facts = {"pages": 1, "sizes": [[210, 297]], "texts": [""], "images": [{"name": name, "width": 1, "height": 1}]}
    return f"print({json.dumps(facts)!r})"


CHILD_THAT = {
    "crashes": "import os; os.abort()",
    "is killed by the system": "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
    "says nothing": "",
    "talks rubbish": "print('rubbish')",
    "talks JSON that is no object": "print('[]')",
    "nests without end": "print('[' * 100_000)",
    "answers no facts": "print('{}')",
    "answers pages below zero": """print('{"pages": -1, "sizes": [], "texts": [], "images": []}')""",
    "answers words for numbers": """print('{"pages": "2", "sizes": 1, "texts": 2, "images": 3}')""",
    "answers numbers for text": """print('{"pages": 1, "sizes": [], "texts": [7], "images": []}')""",
    "answers sizes without end": """print('{"pages": 1, "sizes": [[1e999, 1]], "texts": [], "images": []}')""",
    "leaves pages out": """print('{"pages": 2, "sizes": [], "texts": [], "images": []}')""",
    "names a foreign file": one_page("/etc/passwd"),
    "names a missing file": one_page("page-1.webp"),
    "leaves a link": "import os; open('other', 'wb').write(b'RIFF1234WEBP'); os.symlink('other', 'page-1.webp'); "
    + one_page("page-1.webp"),
    "leaves a pipe": "import os; os.mkfifo('page-1.webp'); " + one_page("page-1.webp"),
    "leaves no WebP": "open('page-1.webp', 'w').write('<script>'); " + one_page("page-1.webp"),
    "leaves too large an image": "open('page-1.webp', 'wb').write(b'RIFF1234WEBP' * 20_000); "
    + one_page("page-1.webp"),
    "invents a rule": """print('{"refused": "<b>", "values": {"found": ["<b>"]}}')""",
    "has facts but a bad end": "import sys; print('{}'); sys.exit(3)",
}


@pytest.mark.parametrize("what", CHILD_THAT)
def test_a_child_that_misbehaves_is_a_file_that_cannot_be_read(
    what: str, upload: Upload, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inspect, "child_command", lambda: [sys.executable, "-I", "-c", CHILD_THAT[what]])
    found = problem(upload, pdf())
    assert found.rule == "file.too-complex"
    assert "<" not in str(found.message)


def test_a_child_that_never_ends_is_stopped_with_all_it_started(
    upload: Upload, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipe = tmp_path / "alive"
    os.mkfifo(pipe)
    # Parent and grandchild hold the pipe open for writing: it comes to its end when both are gone.
    script = f"import os, time; os.open({str(pipe)!r}, os.O_RDWR); os.fork(); time.sleep(600)"
    monkeypatch.setattr(inspect, "child_command", lambda: [sys.executable, "-I", "-c", script])
    monkeypatch.setattr(bounds, "CHILD_WALL_SECONDS", 1)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        assert problem(upload, pdf()).rule == "file.too-complex"
        assert select.select([reader], [], [], 5)[0] == [reader]
        assert os.read(reader, 1) == b""
    finally:
        os.close(reader)


def test_a_broken_installation_is_not_the_senders_fault(upload: Upload, monkeypatch: pytest.MonkeyPatch) -> None:
    for command in (["/nowhere/python"], [sys.executable, "-I", "-c", "raise SystemExit(70)"]):
        monkeypatch.setattr(inspect, "child_command", lambda command=command: command)
        with pytest.raises(Unavailable) as caught:
            upload(pdf())
        assert caught.value.problems[0].rule == "file.reader"


def test_no_more_than_two_children_at_once(upload: Upload, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inspect, "_WAIT_FOR_A_TURN_SECONDS", 0.01)
    with inspect._turns, inspect._turns, pytest.raises(Unavailable) as caught:
        upload(pdf())
    assert caught.value.problems[0].rule == "file.busy"
    assert upload(pdf()).pages == 1


PROBE = """
import json, os, resource, socket, sys
from lotseal.trace.files.child import bound_this_process
bound_this_process()
names = ("AS", "CPU", "FSIZE", "NOFILE", "CORE", "NPROC")
found = {name: resource.getrlimit(getattr(resource, "RLIMIT_" + name)) for name in names}
found["environment"] = dict(os.environ)
found["interfaces"] = [name for _, name in socket.if_nameindex()]
with open("/proc/self/status") as status:
    found["no_new_privs"] = "NoNewPrivs:\\t1" in status.read()
try:
    bytearray(600 << 20)
except MemoryError:
    found["memory"] = "bounded"
print(json.dumps(found))
"""


def test_the_child_has_given_up_what_no_parser_needs(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-I", "-c", PROBE], capture_output=True, check=True, env={}, cwd=tmp_path)
    found = json.loads(done.stdout)
    assert found["AS"] == [512 << 20] * 2
    assert found["CPU"] == [10, 10]
    assert found["FSIZE"] == [4 << 20] * 2
    assert found["NOFILE"] == [32, 32]
    assert found["CORE"] == found["NPROC"] == [0, 0]
    assert found["memory"] == "bounded"
    assert found["no_new_privs"]
    assert found["environment"].keys() <= {"LC_CTYPE"}
    # A fresh name space has nothing but the loopback; a kernel that forbids name spaces leaves the parent's.
    assert found["interfaces"] == ["lo"] or not name_spaces_allowed()


def name_spaces_allowed() -> bool:
    tried = "import ctypes, sys; c = ctypes.CDLL(None); sys.exit(c.unshare(0x40000000) and c.unshare(0x50000000) and 1)"
    return subprocess.run([sys.executable, "-I", "-c", tried], check=False).returncode == 0
