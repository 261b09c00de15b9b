"""Single labels: pictures and ZPL."""

from __future__ import annotations

import re
from dataclasses import replace
from io import BytesIO

import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops

from lotseal.trace.errors import Invalid
from lotseal.trace.labels import picture, zpl
from lotseal.trace.labels.compose import Composer, Field, Label
from lotseal.trace.labels.layouts import single
from lotseal.trace.labels.zpl import SymbolAs

TEA = Label(
    uri="HTTPS://T.EXAMPLE.CN/01/09521321000018/10/L2611/21/4K7QWAXY2MHTR9C3PDEF",
    name_zh="武夷山大红袍（演示）100 g",
    name_en="Wuyi Da Hong Pao oolong tea (demo) 100 g",
    lot="L2611",
    expiry="2028-10-31",
    serial="4K7QWAXY2MHTR9C3PDEF",
    footer="t.example.cn",
)
SIZES = [(70.0, 37.0), (50.0, 25.4), (100.0, 50.0)]


def read(image: Image.Image) -> list[str]:
    ground = Image.new("L", (image.width + 40, image.height + 40), 255)
    ground.paste(image.convert("L"), (20, 20))
    return [symbol.text for symbol in zxingcpp.read_barcodes(ground)]


def fields_of(label: str) -> dict[str, str]:
    """Command -> what follows it, of one label; a command that occurs twice is a mistake of the test."""
    commands = re.findall(r"\^([A-Z][A-Z0-9@])([^^]*)", label.replace("\n", ""))
    return dict(commands)


def bitmap_of(label: str) -> Image.Image:
    """Reads `^GFA` as the ZPL II guide tells."""
    total, size, in_row, data = fields_of(label)["GF"].removeprefix("A,").split(",", 3)
    assert total == size
    digits_in_row = 2 * int(in_row)
    rows: list[str] = []
    row, times = "", 0
    for sign in data:
        if sign == ":":
            assert not row
            rows.append(rows[-1])
        elif sign in ",!":
            rows.append(row.ljust(digits_in_row, "0" if sign == "," else "F"))
            row = ""
        elif "G" <= sign <= "Y":
            times += ord(sign) - ord("F")
        elif "g" <= sign <= "z":
            times += 20 * (ord(sign) - ord("f"))
        else:
            row += sign * max(1, times)
            times = 0
            if len(row) == digits_in_row:
                rows.append(row)
                row = ""
        assert len(row) <= digits_in_row
    raw = bytes.fromhex("".join(rows))
    assert len(raw) == int(total)
    whole = Image.frombytes("1", (8 * int(in_row), len(rows)), bytes(255 - byte for byte in raw))
    return whole.crop((0, 0, int(fields_of(label)["PW"]), len(rows)))


@pytest.mark.parametrize("dpi", [203, 300, 600])
@pytest.mark.parametrize("size", SIZES)
def test_a_picture_of_a_label_is_read_and_has_its_true_size(size: tuple[float, float], dpi: int) -> None:
    image = Image.open(BytesIO(picture.png(TEA, Composer(single(*size)), dpi)))

    assert read(image) == [TEA.uri]
    for pixels, resolution, mm in zip(image.size, image.info["dpi"], size, strict=True):
        assert pixels / resolution * 25.4 == pytest.approx(mm, abs=0.1)


def test_a_picture_keeps_its_safe_margin_clear() -> None:
    composer = Composer(single(70, 37))
    image = picture.paint(TEA, composer, 300).convert("L")
    box = ImageChops.invert(image).getbbox()
    margin = composer.layout.safe * 300 / 25.4

    assert box is not None
    assert min(box[0], box[1], image.width - box[2]) >= margin - 8  # Chinese is higher than capitals
    assert image.height - box[3] >= margin - 12  # descenders


def test_chinese_and_latin_texts_are_in_the_picture() -> None:
    composer = Composer(single(70, 37))
    with_name = picture.paint(TEA, composer, 300)
    without = picture.paint(replace(TEA, name_zh="", name_en=""), composer, 300)
    box = ImageChops.difference(with_name.convert("L"), without.convert("L")).getbbox()

    assert box is not None
    assert box[3] < with_name.height // 2 < box[2]


def test_a_long_lot_is_squeezed_and_stays_inside() -> None:
    composer = Composer(single(70, 37))
    image = picture.paint(replace(TEA, lot="W" * 20), composer, 203).convert("L")
    box = ImageChops.invert(image).getbbox()

    assert box is not None
    assert box[2] <= image.width - composer.layout.safe * 8 + 2


@pytest.mark.parametrize("dpi", [203, 300, 600])
@pytest.mark.parametrize("size", SIZES)
def test_the_bitmap_of_a_zpl_label_is_the_picture_and_is_read(size: tuple[float, float], dpi: int) -> None:
    composer = Composer(single(*size))
    (label,) = zpl.zpl([TEA], composer, dpi)
    bitmap = bitmap_of(label)

    assert bitmap.tobytes() == picture.paint(TEA, composer, dpi).tobytes()
    assert read(bitmap) == [TEA.uri]
    assert label.isascii()
    assert label.startswith("^XA")
    assert label.endswith("^XZ\n")
    assert fields_of(label)["LL"] == str(bitmap.height)


@given(rows=st.lists(st.text("0F17A", min_size=2, max_size=1200).filter(lambda row: len(row) % 2 == 0), max_size=5))
def test_rows_are_packed_and_unpacked_without_loss(rows: list[str]) -> None:
    if not rows:
        return
    width = max(map(len, rows))
    rows = [row.ljust(width, "0") for row in rows]
    label = (
        f"^PW{4 * width}^GFA,{width * len(rows) // 2},{width * len(rows) // 2},{width // 2},{zpl.compressed(rows)}^FS"
    )

    assert bitmap_of(label).tobytes() == bytes(255 - byte for byte in bytes.fromhex("".join(rows)))


def test_packing_makes_labels_a_fifth_as_long() -> None:
    composer = Composer(single(70, 37))
    (label,) = zpl.zpl([TEA], composer, 203)

    assert len(label) < 2 * 70 * 296 / 2.5


def unescaped(data: str) -> str:
    return re.sub(r"_([0-9A-F]{2})", lambda found: chr(int(found[1], 16)), data)


def test_a_symbol_as_data_is_exactly_the_code() -> None:
    (label,) = zpl.zpl([TEA], Composer(single(70, 37)), 203, SymbolAs.DATA)
    fields = fields_of(label)

    assert fields["FD"] == f"MM,A{TEA.uri}"
    assert re.fullmatch(r"N,2,\d", fields["BQ"])
    assert read(bitmap_of(label)) == []


@settings(deadline=None)
@given(text=st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=60))
def test_signs_that_mean_something_to_the_printer_are_escaped(text: str) -> None:
    (label,) = zpl.zpl([replace(TEA, uri=text)], Composer(single(100, 60)), 203, SymbolAs.DATA)
    data = fields_of(label)["FD"]
    head, content = (data[:4], data[4:]) if data.startswith("MM,A") else (data[:8], data[8:])

    assert not set(data) & set("^~")
    assert unescaped(content) == text
    assert head in ("MM,A", f"MM,B{len(text):04}")
    assert fields_of(label)["FH"] == "_"


def test_letters_beyond_ascii_are_escaped_byte_by_byte() -> None:
    assert zpl.escaped("茶^~_") == "_E8_8C_B6_5E_7E_5F"


def test_a_code_that_a_printer_cannot_encode_is_refused_with_the_mend() -> None:
    with pytest.raises(Invalid, match="print this code as bitmap"):
        list(zpl.zpl([replace(TEA, uri="https://t.example.cn/茶")], Composer(single(70, 37)), 203, SymbolAs.DATA))


def test_a_code_of_mixed_signs_goes_as_bytes_with_their_number_and_in_finer_modules() -> None:
    label = replace(TEA, uri=TEA.uri + "?s=K" + "7" * 155)
    (data,) = zpl.zpl([label], Composer(single(70, 37)), 203, SymbolAs.DATA)

    assert fields_of(data)["FD"] == f"MM,B0230{label.uri.replace('_', '_5F')}"
    assert fields_of(data)["BQ"] == "N,2,3"


def test_a_symbol_as_data_that_the_label_has_no_room_for_is_refused() -> None:
    label = replace(TEA, uri=TEA.uri + "?s=K" + "7" * 155)

    with pytest.raises(Invalid, match="too fine to scan"):
        list(zpl.zpl([label], Composer(single(50, 25.4)), 203, SymbolAs.DATA))


def test_copies_are_asked_of_the_printer() -> None:
    (label,) = zpl.zpl([TEA], Composer(single(70, 37)), copies=3)

    assert fields_of(label)["PQ"] == "3"


@pytest.mark.parametrize("copies", [0, 1001])
def test_copies_out_of_reason_are_refused(copies: int) -> None:
    with pytest.raises(Invalid, match="1 to 1000 copies"):
        list(zpl.zpl([TEA], Composer(single(70, 37)), copies=copies))


@pytest.mark.parametrize("dpi", [0, 96, 301])
def test_resolutions_that_no_label_printer_has_are_refused(dpi: int) -> None:
    with pytest.raises(Invalid, match="203, 300, 600"):
        picture.paint(TEA, Composer(single(70, 37)), dpi)


def test_a_single_label_has_a_largest_size() -> None:
    with pytest.raises(Invalid, match="at most 210 mm"):
        picture.paint(TEA, Composer(single(250, 100)), 203)


def test_characters_that_the_font_lacks_are_refused_here_too() -> None:
    with pytest.raises(Invalid, match="cannot print"):
        picture.paint(replace(TEA, name_zh="茶🍵"), Composer(single(70, 37)), 203)


def test_only_the_chosen_fields_are_drawn() -> None:
    nothing = Composer(single(70, 37), fields=frozenset())
    only_host = Composer(single(70, 37), fields=frozenset({Field.HOST}))

    assert ImageChops.invert(picture.paint(TEA, nothing, 203, with_symbol=False).convert("L")).getbbox() is None
    assert ImageChops.invert(picture.paint(TEA, only_host, 203, with_symbol=False).convert("L")).getbbox() is not None
