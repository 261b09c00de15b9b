from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lotseal.trace.labels import font, typeset

ANY_NAME = st.text(st.sampled_from("武夷山大红袍（演示），。《》 100 gmLWwi-.…ABCabc%℃"), max_size=120)


@settings(deadline=None)
@given(text=ANY_NAME, width=st.floats(40, 200), lines=st.integers(1, 3))
def test_wrapped_lines_are_never_too_many_nor_too_wide(text: str, width: float, lines: int) -> None:
    wrapped = typeset.wrap(text, 9, width, lines)

    assert len(wrapped) <= lines
    assert all(font.width(line, 9) <= width for line in wrapped)


@settings(deadline=None)
@given(text=ANY_NAME)
def test_nothing_is_lost_when_there_is_room(text: str) -> None:
    assert "".join("".join(typeset.wrap(text, 9, 60, 100)).split()) == "".join(text.split())


def test_a_text_that_does_not_fit_ends_in_the_ellipsis_of_its_script() -> None:
    assert typeset.wrap("野生蓝莓干野生蓝莓干", 10, 60, 1) == ["野生蓝莓干…"]
    assert typeset.wrap("Dried wild blueberries", 10, 60, 1)[0].endswith("...")


def test_a_quantity_stays_with_its_unit() -> None:
    assert typeset.wrap("武夷山大红袍 100 g", 10, 80, 2) == ["武夷山大红袍", "100 g"]


def test_no_line_begins_with_closing_punctuation_or_ends_with_an_opening_bracket() -> None:
    assert typeset.wrap("一二三四（五六", 10, 51, 2) == ["一二三四", "（五六"]
    assert typeset.wrap("一二三四五，六", 10, 51, 2) == ["一二三四", "五，六"]


def test_a_word_longer_than_the_line_is_broken() -> None:
    lines = typeset.wrap("W" * 12, 10, 60, 3)

    assert "".join(lines) == "W" * 12
    assert len(lines) == 2


@pytest.mark.parametrize("text", ["", "   ", "\n\t"])
def test_an_empty_name_takes_no_line(text: str) -> None:
    assert typeset.wrap(text, 9, 100, 2) == []


def test_a_value_gets_smaller_before_it_gets_narrower_and_is_never_cut() -> None:
    natural = font.width("LOT-2026", 8)

    assert typeset.fit("LOT-2026", 8, 5, 0.7, natural) == (8, 1.0)
    assert typeset.fit("LOT-2026", 8, 5, 0.7, natural * 6 / 8) == pytest.approx((6, 1.0))
    assert typeset.fit("LOT-2026", 8, 5, 0.7, natural * 5 / 8 * 0.8) == pytest.approx((5, 0.8))
    assert typeset.fit("LOT-2026", 8, 5, 0.7, natural * 5 / 8 * 0.6) is None
