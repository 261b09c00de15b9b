from __future__ import annotations

import random
import re
from collections.abc import Callable
from io import BytesIO
from xml.etree import ElementTree

import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFilter
from qrcode import util  # type: ignore[import-untyped]  # the package ships no types

from lotseal.trace.carriers import qr
from lotseal.trace.errors import Invalid

Reader = Callable[[Image.Image], list[str]]

SERIAL_LETTERS = "23456789ACDEFGHJKMNPQRTUVWXY"
SERIAL = "4K7QWAXY2MHTR9C3PDEF"
TIER_A = f"HTTPS://T.EXAMPLE.CN/01/09521321000018/21/{SERIAL}"
TIER_A_WITH_LOT = f"HTTPS://T.EXAMPLE.CN/01/09521321000018/10/L2611/21/{SERIAL}"
SIGNATURE = "".join(random.Random(7).choices("0123456789", k=155))


def tier_b(uri: str, key: str = "K") -> str:
    return f"{uri}?s={key}{SIGNATURE}"


def uri_of(length: int) -> str:
    """The dearest upper-case URI of this length: no run of digits in it that a numeric segment could shorten."""
    start = "HTTPS://T.EXAMPLE.CN/01/A/21/"
    letters = "ACDEFGHJKMNPQRTUVWXY"
    return start + "".join(letters[i % len(letters)] for i in range(length - len(start)))


def bits(cut: list[util.QRData], highest_version: int) -> int:
    buffer = util.BitBuffer()
    for segment in cut:
        buffer.put(segment.mode, 4)
        buffer.put(len(segment), util.length_in_bits(segment.mode, highest_version))
        segment.write(buffer)
    return len(buffer)


def image_of(symbol: qr.Symbol, module_px: int = 8) -> Image.Image:
    return Image.open(BytesIO(qr.png(symbol, module_px)))


def at_print_size(symbol: qr.Symbol, side_mm: float, pixels_per_mm: float = 5) -> Image.Image:
    """What a camera sees of a symbol of this size: grey steps, because its pixels do not fall on modules."""
    total = round((symbol.side + 2 * qr.QUIET_ZONE) * side_mm / symbol.side * pixels_per_mm)
    return image_of(symbol, 16).convert("L").resize((total, total), Image.Resampling.BOX)


def read_with_zxing(image: Image.Image) -> list[str]:
    found = zxingcpp.read_barcodes(image.convert("L"), text_mode=zxingcpp.TextMode.Plain)
    return [symbol.text for symbol in found]


def cheapest_by_trying_all(text: str, highest_version: int) -> int:
    """Bits of the cheapest cut, found by trying each end, each beginning and each mode of the last segment."""
    alphabets = {
        util.MODE_NUMBER: "0123456789",
        util.MODE_ALPHA_NUM: "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:",
        util.MODE_8BIT_BYTE: text,
    }
    best = [0]
    for end in range(1, len(text) + 1):
        best.append(
            min(
                best[start] + bits([util.QRData(text[start:end].encode(), mode, check_data=False)], highest_version)
                for start in range(end)
                for mode, alphabet in alphabets.items()
                if set(text[start:end]) <= set(alphabet)
            )
        )
    return best[-1]


@settings(max_examples=100, deadline=None)
@given(text=st.text("0123456789AZ:?aé中", min_size=1, max_size=24), top=st.sampled_from([9, 26, 40]))
def test_no_other_cut_into_segments_is_cheaper(text: str, top: int) -> None:
    assert bits(qr.segments(text, top), top) == cheapest_by_trying_all(text, top)


@pytest.mark.parametrize("text", ["A" * 6 + "1" * 13, "a" + "1" * 6 + "a", "1" * 13 + "A" + "1" * 13, "A" * 9 + "a"])
def test_long_runs_are_cut_as_cheaply_as_by_trying_all(text: str) -> None:
    assert bits(qr.segments(text), 9) == cheapest_by_trying_all(text, 9)


@given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
def test_the_segments_together_are_the_text(text: str) -> None:
    assert b"".join(segment.data for segment in qr.segments(text)) == text.encode()


def test_a_question_mark_does_not_push_the_whole_code_to_byte_mode() -> None:
    cut = qr.segments(tier_b(TIER_A))

    assert [segment.mode for segment in cut[-2:]] == [util.MODE_8BIT_BYTE, util.MODE_NUMBER]
    assert cut[-2].data == b"?s=K"
    assert cut[-1].data == SIGNATURE.encode()
    assert util.MODE_8BIT_BYTE not in [segment.mode for segment in cut[:-2]]


def test_no_text_has_no_segments() -> None:
    assert qr.segments("") == []


@pytest.mark.parametrize("uri", [TIER_A, TIER_A_WITH_LOT, uri_of(57)])
def test_a_tier_a_code_is_at_most_version_4(uri: str) -> None:
    assert qr.make(uri).version <= 4


@pytest.mark.parametrize("key", ["K", "7", "_"])
@pytest.mark.parametrize("uri", [TIER_A, TIER_A_WITH_LOT, uri_of(57)])
def test_a_tier_b_code_is_at_most_version_7(uri: str, key: str) -> None:
    assert qr.make(tier_b(uri, key)).version <= 7


def test_upper_case_uris_fit_up_to_90_characters_in_tier_a_and_73_in_tier_b() -> None:
    assert [qr.make(uri_of(length)).version for length in (90, 91)] == [4, 5]
    assert [qr.make(tier_b(uri_of(length))).version for length in (73, 74)] == [7, 8]


def test_the_same_text_gives_the_same_symbol() -> None:
    assert qr.make(TIER_A) == qr.make(TIER_A)


@pytest.mark.parametrize("level", ["L", "M", "Q", "H"])
@pytest.mark.parametrize("text", [TIER_A, tier_b(TIER_A), "1", "https://t.example.cn/01/09521321000018/10/l2611?a=b"])
def test_both_readers_read_exactly_the_text(text: str, level: qr.Level, read_with_zbar: Reader) -> None:
    image = image_of(qr.make(text, level))

    assert read_with_zxing(image) == [text]
    assert read_with_zbar(image) == [text]


@settings(max_examples=40, deadline=None)
@given(text=st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=120))
def test_any_printable_text_is_read_back_exactly(text: str) -> None:
    assert read_with_zxing(image_of(qr.make(text), 4)) == [text]


@pytest.mark.parametrize("text", ["批号：武夷山大红袍", "9" * 7089, "A" * 2000, "a" * 2000])
def test_long_and_chinese_texts_are_read_back_exactly(text: str) -> None:
    assert read_with_zxing(image_of(qr.make(text, "L"), 4)) == [text]


@pytest.mark.parametrize("blur", [0.0, 0.6])
@pytest.mark.parametrize(
    ("text", "side_mm"),
    [(TIER_A, 15), (TIER_A_WITH_LOT, 15), (uri_of(90), 15), (tier_b(TIER_A), 20), (tier_b(uri_of(73)), 20)],
)
def test_printed_codes_are_read_at_five_pixels_per_mm(
    text: str, side_mm: float, blur: float, read_with_zbar: Reader
) -> None:
    image = at_print_size(qr.make(text), side_mm).filter(ImageFilter.GaussianBlur(blur))

    assert read_with_zxing(image) == [text]
    assert read_with_zbar(image) == [text]


def test_random_serials_are_read_by_both_readers(read_with_zbar: Reader) -> None:
    chance = random.Random(20261122)
    for _ in range(40):
        serial = "".join(chance.choices(SERIAL_LETTERS, k=20))
        text = f"HTTPS://T.EXAMPLE.CN/01/09521321000018/10/L2611/21/{serial}"
        image = at_print_size(qr.make(text), 15)
        assert read_with_zxing(image) == read_with_zbar(image) == [text]


def test_a_text_that_no_symbol_can_carry_is_refused_with_its_length() -> None:
    with pytest.raises(Invalid, match="3000 characters") as refused:
        qr.make("a" * 3000, "L")
    assert refused.value.problems[0].rule == "qr.too-long"


def test_an_empty_text_is_refused() -> None:
    with pytest.raises(Invalid) as refused:
        qr.make("")
    assert refused.value.problems[0].rule == "qr.empty"


def test_the_rectangles_cover_exactly_the_dark_modules_and_do_not_overlap() -> None:
    symbol = qr.make(tier_b(TIER_A))
    covered = [
        (row + down, column + right)
        for column, row, width, height in qr.rectangles(symbol)
        for down in range(height)
        for right in range(width)
    ]

    assert len(covered) == len(set(covered))
    assert set(covered) == {
        (row, column) for row, modules in enumerate(symbol.modules) for column, dark in enumerate(modules) if dark
    }


def test_a_png_has_one_bit_per_pixel_whole_modules_and_no_metadata() -> None:
    symbol = qr.make(TIER_A)
    data = qr.png(symbol, module_px=3)
    image = Image.open(BytesIO(data))

    assert set(re.findall(rb"IHDR|IDAT|IEND|PLTE|tEXt|zTXt|iTXt|tIME|pHYs|eXIf|gAMA|iCCP", data)) == {
        b"IHDR",
        b"IDAT",
        b"IEND",
    }
    assert (image.mode, image.size) == ("1", ((symbol.side + 8) * 3,) * 2)
    assert image.getpixel((11, 11)) == 255
    assert image.getpixel((12, 12)) == 0


def test_a_png_without_quiet_zone_begins_with_the_symbol() -> None:
    symbol = qr.make(TIER_A)
    image = Image.open(BytesIO(qr.png(symbol, module_px=1, quiet_zone=0)))

    assert image.size == (symbol.side, symbol.side)
    assert image.getpixel((0, 0)) == 0


def drawn(svg: str) -> Image.Image:
    """The SVG's own path, painted module by module."""
    root = ElementTree.fromstring(svg)
    side = int(root.attrib["viewBox"].split()[2])
    image = Image.new("L", (side, side), 255)
    path = root.findall("{http://www.w3.org/2000/svg}path")[1].attrib["d"]
    for x, y, width, height in re.findall(r"M(\d+) (\d+)h(\d+)v(\d+)h-\d+z", path):
        image.paste(0, (int(x), int(y), int(x) + int(width), int(y) + int(height)))
    return image.resize((side * 8, side * 8), Image.Resampling.NEAREST)


def test_an_svg_reads_as_the_text_and_says_its_true_size() -> None:
    symbol = qr.make(tier_b(TIER_A))
    svg = qr.svg(symbol, module_mm=0.5)
    root = ElementTree.fromstring(svg)

    assert read_with_zxing(drawn(svg)) == [symbol.text]
    assert root.attrib["width"] == root.attrib["height"] == f"{qr.size_mm(symbol, 0.5):g}mm"
    assert root.attrib["shape-rendering"] == "crispEdges"
    assert root.attrib["viewBox"] == f"0 0 {symbol.side + 8} {symbol.side + 8}"


def test_an_svg_of_a_wished_width_has_that_width() -> None:
    assert 'width="30mm" height="30mm"' in qr.svg(qr.make(TIER_A), size_mm=30)


def test_an_svg_takes_one_kind_of_size_only() -> None:
    with pytest.raises(ValueError, match="not both"):
        qr.svg(qr.make(TIER_A), size_mm=30, module_mm=0.5)


@pytest.mark.parametrize("title", ["<img src=x onerror=alert(1)>", "a & b", "]]>", "tab\tand bell\x07 and \ud800"])
def test_the_title_of_an_svg_is_text_and_never_markup(title: str) -> None:
    root = ElementTree.fromstring(qr.svg(qr.make("A"), title=title))
    found = root.find("{http://www.w3.org/2000/svg}title")

    assert found is not None
    assert [child.tag.rpartition("}")[2] for child in root] == ["title", "path", "path"]
    assert found.text == re.sub("[\t\x07\ud800]", "\ufffd", title)


def test_the_title_of_an_svg_is_the_text_unless_another_is_given() -> None:
    assert "<title>A&amp;B</title>" in qr.svg(qr.make("A&B"))


def test_the_module_for_a_wished_size_gives_that_size() -> None:
    symbol = qr.make(TIER_A)

    assert qr.size_mm(symbol, 0.5) == (symbol.side + 8) * 0.5
    assert qr.size_mm(symbol, qr.module_mm_for(symbol, 30)) == pytest.approx(30)
