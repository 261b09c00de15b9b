from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from makers import rules

from lotseal.signing.item import canonical_item_uri
from lotseal.trace.codes.lot import CSET82, read_lot
from lotseal.trace.errors import Invalid

lots = st.text(sorted(CSET82), min_size=1, max_size=20).filter(lambda text: text not in (".", ".."))


def test_the_character_set_has_eighty_two_characters() -> None:
    assert len(CSET82) == 82


@given(lots)
def test_every_lot_of_the_character_set_is_taken_and_fits_into_a_code(lot: str) -> None:
    assert read_lot(lot) == lot
    canonical_item_uri("https://t.example.cn", "0" * 14, lot, "A")


@given(st.text(max_size=25))
def test_a_lot_is_taken_exactly_when_a_code_can_carry_it(text: str) -> None:
    try:
        read_lot(text)
    except Invalid:
        assert not 1 <= len(text) <= 20 or not set(text) <= CSET82 or text in (".", "..")
    else:
        canonical_item_uri("https://t.example.cn", "0" * 14, text, "A")


def test_a_lot_with_spaces_is_refused_with_its_mend() -> None:
    with pytest.raises(Invalid, match=r"Character 4 \(a space\).*without spaces") as error:
        read_lot("DHP 1")
    assert rules(error) == [("lot", "lot.characters")]


@pytest.mark.parametrize(("text", "shown"), [("批1", "批"), ("A\x00", "U+0000"), ("A#", "#"), ("A\u200b", "U+200B")])
def test_another_character_is_shown_in_the_refusal(text: str, shown: str) -> None:
    with pytest.raises(Invalid) as error:
        read_lot(text)
    assert f"({shown})" in str(error.value)


@pytest.mark.parametrize("text", ["", "x" * 21])
def test_a_lot_has_one_to_twenty_characters(text: str) -> None:
    with pytest.raises(Invalid, match=f"this has {len(text)}") as error:
        read_lot(text)
    assert rules(error) == [("lot", "lot.length")]


@pytest.mark.parametrize("text", [".", ".."])
def test_dots_alone_are_refused_because_browsers_drop_them(text: str) -> None:
    with pytest.raises(Invalid) as error:
        read_lot(text)
    assert rules(error) == [("lot", "lot.dots")]
