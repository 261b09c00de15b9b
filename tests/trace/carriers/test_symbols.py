from __future__ import annotations

import re
from io import BytesIO
from xml.etree import ElementTree

import pytest
import zxingcpp
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFilter
from pyzbar import pyzbar  # type: ignore[import-untyped]  # the package ships no types

from lotseal.trace.carriers import symbols
from lotseal.trace.carriers.symbols import FAMILIES, Carrier, draw, png, svg
from lotseal.trace.codes.gtin import check_digit
from lotseal.trace.errors import Invalid

LINK = "https://t.example.cn/01/09521321000018/10/L2611/21/4K7Q"
SHORT = [("01", "09521321000018"), ("10", "L2611")]
LONG = [*SHORT, ("21", "4K7QWAXY2MHTR9C3PDEF")]
CONTENT: dict[Carrier, str | symbols.Elements] = {
    Carrier.QR: LINK,
    Carrier.GS1_QR: LONG,
    Carrier.DATA_MATRIX: LINK,
    Carrier.GS1_DATA_MATRIX: LONG,
    Carrier.GS1_128: SHORT,
    Carrier.EAN_13: "9521321000018",
    Carrier.EAN_8: "95213217",
    Carrier.UPC_A: "036000291452",
    Carrier.ITF_14: "19521321000015",
    Carrier.DATABAR_EXPANDED: SHORT,
}
SAID = {
    Carrier.QR: (b"]Q1", LINK),
    Carrier.GS1_QR: (b"]Q3", "010952132100001810L2611\x1d214K7QWAXY2MHTR9C3PDEF"),
    Carrier.DATA_MATRIX: (b"]d1", LINK),
    Carrier.GS1_DATA_MATRIX: (b"]d2", "010952132100001810L2611\x1d214K7QWAXY2MHTR9C3PDEF"),
    Carrier.GS1_128: (b"]C1", "010952132100001810L2611"),
    Carrier.EAN_13: (b"]E0", "9521321000018"),
    Carrier.EAN_8: (b"]E4", "95213217"),
    Carrier.UPC_A: (b"]E0", "0036000291452"),
    Carrier.ITF_14: (b"]I1", "19521321000015"),
    Carrier.DATABAR_EXPANDED: (b"]e0", "010952132100001810L2611"),
}


def image_of(data: bytes) -> Image.Image:
    return Image.open(BytesIO(data)).convert("L")


def read(image: Image.Image) -> list[tuple[bytes, str]]:
    """With all formats open, as a scanner has them."""
    found = zxingcpp.read_barcodes(image)
    return [(symbol.symbology_identifier.encode(), symbol.bytes.decode()) for symbol in found]


def painted(text: str, pixels: int = 6) -> Image.Image:
    """The SVG's own rectangles, without its letters."""
    root = ElementTree.fromstring(text)
    width, height = (float(edge) * pixels for edge in root.attrib["viewBox"].split()[2:])
    image = Image.new("L", (round(width), round(height)), 255)
    path = root.findall("{http://www.w3.org/2000/svg}path")[1].attrib["d"]
    number = r"([\d.]+)"
    for found in re.findall(rf"M{number} {number}h{number}v{number}h-{number}z", path):
        x, y, w, h = (round(float(edge) * pixels) for edge in found[:4])
        image.paste(0, (x, y, x + w, y + h))
    return image


@pytest.mark.parametrize("carrier", Carrier)
def test_each_symbol_says_its_content_and_its_kind(carrier: Carrier) -> None:
    drawing = draw(carrier, CONTENT[carrier])

    assert read(image_of(png(drawing))) == [SAID[carrier]]
    assert read(painted(svg(drawing))) == [SAID[carrier]]


@pytest.mark.parametrize("carrier", Carrier)
@pytest.mark.parametrize("end", ["smallest", "largest"])
def test_the_smallest_and_the_largest_modules_are_read_after_blur(carrier: Carrier, end: str) -> None:
    module = FAMILIES[carrier].smallest_mm if end == "smallest" else FAMILIES[carrier].largest_mm
    image = image_of(png(draw(carrier, CONTENT[carrier], module), dpi=600))

    assert read(image.filter(ImageFilter.GaussianBlur(1.0))) == [SAID[carrier]]


@pytest.mark.parametrize(
    ("carrier", "kind"),
    [
        (Carrier.QR, "QRCODE"),
        (Carrier.GS1_128, "CODE128"),
        (Carrier.EAN_13, "EAN13"),
        (Carrier.EAN_8, "EAN8"),
        (Carrier.ITF_14, "I25"),
        (Carrier.DATABAR_EXPANDED, "DATABAR_EXP"),
    ],
)
def test_a_second_reader_reads_what_it_knows(carrier: Carrier, kind: str) -> None:
    image = image_of(png(draw(carrier, CONTENT[carrier]), dpi=600))
    found = pyzbar.decode(image, symbols=[getattr(pyzbar.ZBarSymbol, kind)])

    assert [symbol.data.decode().strip("\x1d") for symbol in found] == [SAID[carrier][1]]


@pytest.mark.parametrize("carrier", Carrier)
def test_pictures_have_the_true_size_of_the_drawing(carrier: Carrier) -> None:
    drawing = draw(carrier, CONTENT[carrier], FAMILIES[carrier].smallest_mm)
    image = Image.open(BytesIO(png(drawing, dpi=300)))
    root = ElementTree.fromstring(svg(drawing))

    for pixels, resolution, mm, attribute in zip(
        image.size, image.info["dpi"], drawing.size_mm, ("width", "height"), strict=True
    ):
        assert pixels / resolution * 25.4 == pytest.approx(mm, abs=0.4)
        assert float(root.attrib[attribute].removesuffix("mm")) == pytest.approx(mm, rel=1e-3)


def test_retail_symbols_have_the_nominal_size_of_the_standard() -> None:
    drawing = draw(Carrier.EAN_13, "9521321000018")

    assert drawing.size_mm[0] == pytest.approx(37.29, abs=0.01)
    assert drawing.size_mm[1] == pytest.approx(25.93, abs=0.5)


@pytest.mark.parametrize("carrier", Carrier)
def test_nothing_stands_in_the_quiet_zone_beside_the_bars(carrier: Carrier) -> None:
    left, right = FAMILIES[carrier].quiet
    drawing = draw(carrier, CONTENT[carrier], human_readable=False)

    assert min(x for x, _, _, _ in drawing.bars) >= left
    assert max(x + width for x, _, width, _ in drawing.bars) <= drawing.width - right


@pytest.mark.parametrize("carrier", [Carrier.DATA_MATRIX, Carrier.GS1_DATA_MATRIX])
def test_a_data_matrix_is_square(carrier: Carrier) -> None:
    drawing = draw(carrier, CONTENT[carrier], human_readable=False)

    assert drawing.width == drawing.height


@pytest.mark.parametrize("carrier", [Carrier.GS1_QR, Carrier.GS1_DATA_MATRIX, Carrier.GS1_128])
def test_the_human_readable_line_names_each_identifier_in_brackets(carrier: Carrier) -> None:
    drawing = draw(carrier, SHORT)

    assert "".join(line.text for line in drawing.lines) == "(01)09521321000018(10)L2611"
    assert draw(carrier, SHORT, human_readable=False).lines == ()


@pytest.mark.parametrize("carrier", [Carrier.EAN_13, Carrier.EAN_8, Carrier.UPC_A, Carrier.ITF_14])
def test_the_digits_of_a_number_stand_under_its_bars(carrier: Carrier) -> None:
    drawing = draw(carrier, CONTENT[carrier])

    assert "".join(line.text for line in drawing.lines) == CONTENT[carrier]
    assert all(line.x >= 0 and line.x + line.cell * len(line.text) <= drawing.width for line in drawing.lines)


@settings(max_examples=60, deadline=None)
@given(body=st.text("0123456789", min_size=12, max_size=12), carrier=st.sampled_from([Carrier.EAN_13, Carrier.ITF_14]))
def test_every_number_is_carried(body: str, carrier: Carrier) -> None:
    digits = body if carrier == Carrier.EAN_13 else "1" + body
    text = digits + check_digit(digits)

    assert read(image_of(png(draw(carrier, text)))) == [(FAMILIES[carrier].identifier.encode(), text)]


CSET_82 = st.text("!\"%&'()*+,-./0189:;<=>?AZ_az", min_size=1, max_size=20)


@settings(max_examples=60, deadline=None)
@given(
    lot=CSET_82,
    serial=CSET_82,
    carrier=st.sampled_from([Carrier.GS1_QR, Carrier.GS1_DATA_MATRIX, Carrier.DATABAR_EXPANDED]),
)
def test_every_sign_of_the_set_is_carried_and_parentheses_are_data(lot: str, serial: str, carrier: Carrier) -> None:
    elements = [("01", "09521321000018"), ("10", lot), ("21", serial)]
    # DataBar Expanded carries at most 41 letters; see the test of refusals.
    assume(carrier != Carrier.DATABAR_EXPANDED or len(lot) + len(serial) < 15)
    drawing = draw(carrier, elements)
    expected = f"010952132100001810{lot}\x1d21{serial}"
    found = zxingcpp.read_barcodes(image_of(png(drawing)), zxingcpp.BarcodeFormats([FAMILIES[carrier].format]))
    assert [symbol.bytes.decode() for symbol in found] == [expected]


@pytest.mark.parametrize(
    ("carrier", "content", "rule"),
    [
        (Carrier.EAN_13, "9521321000017", "carrier.check-digit"),
        (Carrier.EAN_13, "952132100001", "carrier.digits"),
        (Carrier.EAN_8, "９５２１３２１７", "carrier.digits"),
        (Carrier.UPC_A, "", "carrier.digits"),
        (Carrier.ITF_14, "1952132100001X", "carrier.digits"),
        (Carrier.DATA_MATRIX, "", "carrier.empty"),
        (Carrier.DATA_MATRIX, "a" * 3000, "carrier.too-long"),
        (Carrier.QR, "", "qr.empty"),
        (Carrier.GS1_128, [], "carrier.empty"),
        (Carrier.GS1_128, LONG + LONG, "carrier.too-long"),
        (Carrier.DATABAR_EXPANDED, [*LONG, ("240", "x" * 30)], "carrier.too-long"),
        (Carrier.GS1_QR, [("10", "茶")], "carrier.characters"),
        (Carrier.GS1_QR, [("10", "A[21]B")], "carrier.characters"),
        (Carrier.GS1_QR, [("10", "A\x1d21B")], "carrier.characters"),
        (Carrier.GS1_QR, [("10", "")], "carrier.characters"),
        (Carrier.GS1_QR, [("x", "1")], "carrier.characters"),
        (Carrier.GS1_DATA_MATRIX, [("10", "A" * 21)], "carrier.content"),
        (Carrier.GS1_DATA_MATRIX, [("9999", "A")], "carrier.content"),
    ],
)
def test_content_that_a_symbol_cannot_carry_is_refused(
    carrier: Carrier, content: str | symbols.Elements, rule: str
) -> None:
    with pytest.raises(Invalid) as refused:
        draw(carrier, content)
    assert refused.value.problems[0].rule == rule


def test_a_wrong_check_digit_is_refused_with_the_right_one() -> None:
    with pytest.raises(Invalid, match="must be 8"):
        draw(Carrier.EAN_13, "9521321000017")


@pytest.mark.parametrize("carrier", Carrier)
def test_modules_out_of_the_standard_s_range_are_refused_with_it(carrier: Carrier) -> None:
    for module in (0, FAMILIES[carrier].smallest_mm * 0.99, FAMILIES[carrier].largest_mm * 1.01, float("nan")):
        with pytest.raises(Invalid, match=f"{FAMILIES[carrier].smallest_mm:g} to {FAMILIES[carrier].largest_mm:g} mm"):
            draw(carrier, CONTENT[carrier], module)


@pytest.mark.parametrize("dpi", [0, 71, 2401])
def test_a_resolution_out_of_reason_is_refused(dpi: int) -> None:
    with pytest.raises(Invalid, match="72 to 2400"):
        png(draw(Carrier.EAN_13, "9521321000018"), dpi)


def test_a_text_and_an_element_string_are_not_mixed_up() -> None:
    with pytest.raises(TypeError):
        draw(Carrier.GS1_QR, LINK)
    with pytest.raises(TypeError):
        draw(Carrier.QR, LONG)


def test_a_symbol_in_the_wrong_mode_is_not_handed_out(monkeypatch: pytest.MonkeyPatch) -> None:
    written = symbols._written
    monkeypatch.setattr(symbols, "_written", lambda family, _content, **_options: written(family, "(10)L2611"))

    with pytest.raises(symbols.Unreadable, match="]Q1"):
        draw(Carrier.GS1_QR, [("10", "L2611")])


def test_a_symbol_that_says_something_else_is_not_handed_out(monkeypatch: pytest.MonkeyPatch) -> None:
    written = symbols._written
    monkeypatch.setattr(symbols, "_written", lambda family, content, **_options: written(family, content[4:]))

    with pytest.raises(symbols.Unreadable, match="reads as"):
        draw(Carrier.GS1_QR, SHORT)


def test_the_title_of_an_svg_is_text_and_never_markup() -> None:
    assert "<title>&lt;b&gt;</title>" in svg(draw(Carrier.DATA_MATRIX, "<b>"))
