from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotseal.trace.carriers import qr
from lotseal.trace.errors import Invalid
from lotseal.trace.labels.layouts import (
    A4_3X8,
    LAYOUTS,
    SMALLEST_MODULE_MM,
    Layout,
    place,
    read_layout,
    room,
    room_for,
    single,
)

OWN = {
    "page_width": "210", "page_height": "297", "columns": "3", "rows": "9", "label_width": "63.5",
    "label_height": "29.6", "left": "7.2", "top": "15.3", "gap_x": "2.5",
}  # fmt: skip


def own(**changed: str) -> Layout:
    return read_layout({**OWN, **changed})


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_named_layout_fits_its_page_and_is_in_the_middle_of_it(name: str) -> None:
    layout = LAYOUTS[name]
    right, bottom = layout.corner(layout.per_page - 1)

    assert layout.page_width - right - layout.label_width == pytest.approx(layout.left, abs=0.2)
    assert layout.page_height - bottom - layout.label_height == pytest.approx(layout.top, abs=0.6)
    assert name.endswith(f"{layout.columns}x{layout.rows}")


def test_a_layout_says_its_measures() -> None:
    assert A4_3X8.measures == "3 × 8, 70 × 37 mm"


def test_a_layout_of_one_s_own_is_read() -> None:
    layout = own()

    assert (layout.per_page, layout.corner(26)) == (27, pytest.approx((7.2 + 2 * 66, 15.3 + 8 * 29.6)))
    assert own(safe="3").safe == 3


@pytest.mark.parametrize(
    ("changed", "field", "message"),
    [
        ({"columns": "4"}, "page_width", "need 268.7 mm, the page has 210.0 mm"),
        ({"rows": "10"}, "page_height", "need 311.3 mm, the page has 297.0 mm"),
        ({"gap_y": "10"}, "page_height", "smaller gaps"),
        ({"columns": "2.5"}, "columns", "whole number"),
        ({"columns": "0"}, "columns", "at least 1"),
        ({"label_width": "abc"}, "label_width", "no number"),
        ({"label_width": ""}, "label_width", "Give a number"),
        ({"label_width": "-70"}, "label_width", "at least"),
        ({"left": "-1"}, "left", "at least 0"),
        ({"page_width": "100000"}, "page_width", "at most"),
        ({"safe": "15"}, "safe", "no room"),
    ],
)
def test_a_layout_that_cannot_be_is_refused_with_its_mend(changed: dict[str, str], field: str, message: str) -> None:
    with pytest.raises(Invalid, match=message) as refused:
        own(**changed)
    assert refused.value.problems[0].field == field


def test_all_missing_measures_are_named_at_once() -> None:
    with pytest.raises(Invalid) as refused:
        read_layout({})
    assert len(refused.value.problems) == 6


@given(version=st.integers(1, 12), layout=st.sampled_from(list(LAYOUTS.values())))
def test_a_symbol_is_placed_just_when_there_is_room(version: int, layout: Layout) -> None:
    symbol = qr.Symbol("x", version, "M", (bytes(17 + 4 * version),) * (17 + 4 * version))
    has = room(version, layout)
    if has.enough:
        placed = place(symbol, layout)
        assert placed.module >= SMALLEST_MODULE_MM
        assert placed.left >= 4 * placed.module - 1e-9
        assert placed.top + placed.side + 4 * placed.module <= layout.label_height + 1e-9
        assert has.needed <= placed.module * (symbol.side + 8) + 1e-9 <= has.available + 1e-6
        assert has.warning is None
    else:
        with pytest.raises(Invalid) as refused:
            place(symbol, layout)
        assert refused.value.problems[0].rule == "label.symbol-size"
        assert f"{has.needed:.1f} mm" in str(has.warning)
        assert f"{has.available:.1f} mm" in str(has.warning)


def test_a_signed_code_is_warned_of_on_a_low_label_and_not_on_the_usual_one() -> None:
    signed = "HTTPS://T.EXAMPLE.CN/01/09521321000018/21/4K7QWAXY2MHTR9C3PDEF?s=K" + "7" * 155

    assert str(room_for(signed, LAYOUTS["a4-4x10"]).warning) == (
        "The code needs 26.9 mm with its margin, the label has 24.8 mm. Use a larger label or a shorter code."
    )
    assert room_for(signed, A4_3X8).warning is None


def test_modules_are_whole_dots_of_the_printer() -> None:
    symbol = qr.make("HTTPS://T.EXAMPLE.CN/01/09521321000018/21/4K7QWAXY2MHTR9C3PDEF")
    for dot in (25.4 / 203.2, 25.4 / 300, 25.4 / 600):
        dots = place(symbol, single(70, 40), dot).module / dot
        assert dots == pytest.approx(round(dots))
