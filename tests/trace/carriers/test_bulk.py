from __future__ import annotations

import random
import re
import struct
import zlib
from collections.abc import Callable
from io import BytesIO
from xml.etree import ElementTree

import pytest
from PIL import Image, ImageFilter

from lotseal.trace.carriers import bulk, flatpng, linear, qr

Reader = Callable[[Image.Image], list[str]]

LETTERS = "23456789ACDEFGHJKMNPQRTUVWXY"


def texts(count: int, signed: bool = False) -> list[str]:
    chance = random.Random(4)
    done = []
    for _ in range(count):
        text = "HTTPS://T.EXAMPLE.CN/01/09521321000018/10/L2611/21/" + "".join(chance.choices(LETTERS, k=20))
        done.append(text + ("?s=K" + "".join(chance.choices("0123456789", k=155)) if signed else ""))
    return done


def image_of(data: bytes) -> Image.Image:
    image = Image.open(BytesIO(data))
    image.load()
    return image


def modules_of(image: Image.Image, module_px: int, quiet: int) -> tuple[bytes, ...]:
    """The symbol in the picture, after every pixel of each module was seen to be alike."""
    side = image.width // module_px
    small = image.resize((side, side), Image.Resampling.NEAREST)
    assert small.resize(image.size, Image.Resampling.NEAREST).tobytes() == image.tobytes()
    grey = small.convert("L")
    inner = grey.crop((quiet, quiet, side - quiet, side - quiet))
    ground = Image.new("L", grey.size, 255)
    ground.paste(inner, (quiet, quiet))
    assert ground.tobytes() == grey.tobytes(), "the quiet zone is white"
    data = inner.point([1] + [0] * 255).tobytes()
    return tuple(data[at : at + inner.width] for at in range(0, len(data), inner.width))


@pytest.mark.parametrize("module_px", [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 15, 16, 17, 24, 32, 63, 64])
@pytest.mark.parametrize("quiet", [1, 4])
def test_a_png_shows_the_symbol_in_whole_modules_at_any_scale(module_px: int, quiet: int) -> None:
    wanted = texts(24)
    layout = linear.layout_of(wanted)

    assert layout is not None
    for text, data in zip(wanted, bulk.pngs(wanted, module_px=module_px, quiet_zone=quiet), strict=True):
        assert modules_of(image_of(data), module_px, quiet) == layout.modules(text)


@pytest.mark.parametrize("side", [17 + 4 * version for version in range(1, 41)])
def test_a_png_of_every_size_is_a_sound_file(side: int) -> None:
    chance = random.Random(side)
    modules = [bytes(chance.choices((0, 1), k=side)) for _ in range(side)]
    kind = flatpng.FlatPng(side, 8, 4)

    assert modules_of(image_of(kind.file(kind.of(modules))), 8, 4) == tuple(modules)


def test_the_stream_of_a_png_is_affine_in_the_modules() -> None:
    chance = random.Random(3)
    for module_px in (3, 8, 10, 12):
        kind = flatpng.FlatPng(21, module_px, 4)
        one, other = ([bytes(chance.choices((0, 1), k=21)) for _ in range(21)] for _ in range(2))
        both = [bytes(a ^ b for a, b in zip(*rows, strict=True)) for rows in zip(one, other, strict=True)]
        none = [bytes(21)] * 21

        assert kind.of(both) == kind.of(one) ^ kind.of(other) ^ kind.of(none)


def test_a_png_is_small_and_its_check_sums_are_right() -> None:
    data = next(bulk.pngs(texts(1)))
    position, chunks = 8, []
    while position < len(data):
        length, name = struct.unpack(">I4s", data[position : position + 8])
        body = data[position + 8 : position + 8 + length]
        assert struct.unpack(">I", data[position + 8 + length :][:4])[0] == zlib.crc32(name + body)
        chunks.append((name, body))
        position += 12 + length

    assert [name for name, _ in chunks] == [b"IHDR", b"IDAT", b"IEND"]
    assert len(zlib.decompress(chunks[1][1])) == 41 * 8 * 42
    assert len(data) < 700


def test_a_png_of_known_module_says_its_true_size() -> None:
    image = image_of(next(bulk.pngs(texts(1), module_px=8, module_mm=0.508)))

    assert image.width / image.info["dpi"][0] * 25.4 == pytest.approx(41 * 0.508, rel=1e-4)


@pytest.mark.parametrize(("module_px", "quiet"), [(0, 4), (65, 4), (8, 0), (8, 101)])
def test_a_png_out_of_bounds_is_a_mistake_of_the_caller(module_px: int, quiet: int) -> None:
    with pytest.raises(ValueError, match="module_px is"):
        list(bulk.pngs(texts(1), module_px=module_px, quiet_zone=quiet))


def drawn(svg: str) -> Image.Image:
    """The strokes of the SVG, painted module by module."""
    root = ElementTree.fromstring(svg)
    side = int(root.attrib["viewBox"].split()[2])
    image = Image.new("L", (side, side), 255)
    x = y = 0
    path = root.findall("{http://www.w3.org/2000/svg}path")[1].attrib["d"]
    assert re.fullmatch(r"(M\d+ \d+\.5|m\d+ 0|h\d+)+", path)
    for command, number, second in re.findall(r"([Mmh])(\d+)(?: ([\d.]+))?", path):
        if command == "M":
            x, y = int(number), int(float(second))
        else:
            if command == "h":
                image.paste(0, (x, y, x + int(number), y + 1))
            x += int(number)
    return image


@pytest.mark.parametrize("signed", [False, True])
def test_an_svg_shows_the_symbol_and_says_its_true_size(signed: bool) -> None:
    wanted = texts(30, signed)
    layout = linear.layout_of(wanted[:24])

    assert layout is not None
    for text, svg in zip(wanted, bulk.svgs(wanted, module_mm=0.4), strict=True):
        root = ElementTree.fromstring(svg)
        assert modules_of(drawn(svg), 1, 4) == layout.modules(text)
        assert root.attrib["width"] == root.attrib["height"] == f"{(layout.side + 8) * 0.4:.4g}mm"
        assert root.attrib["shape-rendering"] == "crispEdges"


def test_the_title_of_a_bulk_svg_is_text_and_never_markup() -> None:
    svg = next(bulk.svgs(["<script>&"]))

    assert "<title>&lt;script&gt;&amp;</title>" in svg


@pytest.mark.parametrize(("signed", "side_mm"), [(False, 15), (True, 20)])
def test_summed_symbols_are_read_by_both_readers_at_print_size(
    signed: bool, side_mm: float, read_with_zbar: Reader
) -> None:
    wanted = texts(30, signed)
    for text, data in zip(wanted, bulk.pngs(wanted, module_px=16), strict=True):
        image = image_of(data).convert("L")
        pixels = round(side_mm * 5 * image.width / (image.width - 8 * 16))
        seen = image.resize((pixels, pixels), Image.Resampling.BOX).filter(ImageFilter.GaussianBlur(0.6))
        assert read_with_zbar(seen) == [text]
        assert linear.read_back(modules_of(image_of(data), 16, 4)) == text


def test_bulk_and_single_symbols_of_few_texts_are_the_same() -> None:
    (bitmap,) = bulk.bitmaps(["A1"])
    symbol = qr.make("A1")

    assert bitmap.data == b"".join(
        int("".join(map(str, row)).ljust(24, "0"), 2).to_bytes(3, "big") for row in symbol.modules
    )
