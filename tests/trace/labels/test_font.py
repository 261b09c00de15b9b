from __future__ import annotations

import hashlib
from importlib.resources import files
from io import BytesIO

import pytest
from fontTools.ttLib import TTFont  # type: ignore[import-untyped]  # the package ships no types

from lotseal import static
from lotseal.trace.labels import font

FILE = files(static) / "fonts" / "LotsealLabel-Regular.ttf"


def hanzi(codec: str, first: int, last: int) -> str:
    pairs = (bytes([high, low]) for high in range(first, last) for low in range(0x40, 0xFF))
    decoded = (pair.decode(codec, "ignore") for pair in pairs)
    return "".join(character for character in decoded if len(character) == 1 and "一" <= character <= "鿿")


def test_the_font_prints_all_hanzi_of_gb_2312_and_common_traditional_ones() -> None:
    assert font.covers(hanzi("gb2312", 0xB0, 0xF8)) == ""
    assert font.covers(hanzi("big5", 0xA4, 0xC6)) == ""


@pytest.mark.parametrize(
    "text",
    [
        "武夷山大红袍(演示) 100 g",
        "堃喆镕囍玥",
        "≤ ≥ ± × ° ℃ µ μ ‰ № ½ ² ™ ® … — “” 「」 ￥ ＡＢＣ",
        "Crème brûlée Łódź šč",
        "あア",
    ],
)
def test_the_font_prints_names_units_and_european_letters(text: str) -> None:
    assert font.covers(text) == ""


def test_what_the_font_cannot_print_is_named_once_and_in_order() -> None:
    assert font.covers("茶🍵a🍵م\n") == "🍵م\n"


def test_the_font_is_registered_once() -> None:
    assert font.register() is font.register()


def test_digits_are_equally_wide_so_that_dates_and_lots_align() -> None:
    assert len({font.width(digit, 10) for digit in "0123456789"}) == 1


def test_the_font_has_its_own_name_and_the_licence_beside_it_names_the_copyright() -> None:
    names = TTFont(BytesIO(FILE.read_bytes()))["name"]
    licence = (files(static) / "fonts" / "OFL.txt").read_text("utf-8")

    assert [names.getDebugName(number) for number in (1, 6)] == ["Lotseal Label", "LotsealLabel-Regular"]
    for line in str(names.getDebugName(0)).split(" Latin Extended-A: "):
        assert line in licence
    assert "SIL OPEN FONT LICENSE Version 1.1" in licence


def test_the_font_may_be_embedded() -> None:
    assert TTFont(BytesIO(FILE.read_bytes()))["OS/2"].fsType == 0


def test_the_readme_says_how_large_the_font_is() -> None:
    text = (files(static) / "fonts" / "README.md").read_text("utf-8")

    assert f"{len(FILE.read_bytes()) / 1e6:.1f} MB" in text
    assert f"{len(font.register().face.charToGlyph):,} characters" in text
    assert hashlib.sha256(FILE.read_bytes()).hexdigest() in text
