from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from makers import rules

from lotseal.signing.item import canonical_item_uri
from lotseal.trace.codes.lot import CSET82, read_lot
from lotseal.trace.errors import Invalid


def is_unfit_for_an_address(text: str) -> bool:
    """Dots alone, or slashes where the address of a code would be read in two ways."""
    padded = f"/{text}/"
    return text in (".", "..") or "//" in padded or "/10/" in padded[1:-1] or "/21/" in padded[1:-1]


lots = st.text(sorted(CSET82), min_size=1, max_size=20).filter(lambda text: not is_unfit_for_an_address(text))


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
        assert not 1 <= len(text) <= 20 or not set(text) <= CSET82 or is_unfit_for_an_address(text)
    else:
        canonical_item_uri("https://t.example.cn", "0" * 14, text, "A")


def test_a_lot_with_spaces_is_refused_with_its_mend() -> None:
    with pytest.raises(Invalid, match=r"Character 4 \(a space\).*without spaces") as error:
        read_lot("DHP 1")
    assert rules(error) == [("lot", "lot.characters")]


@pytest.mark.parametrize("text", ["/A", "A/", "A//B", "A/21/B", "A/10/B"])
def test_slashes_that_an_address_cannot_tell_apart_are_refused(text: str) -> None:
    with pytest.raises(Invalid) as error:
        read_lot(text)
    assert rules(error) == [("lot", "lot.slashes")]


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
