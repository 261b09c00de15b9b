from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from makers import rules

from lotseal.trace.codes.gtin import check_digit, is_internal, printed, read_gtin
from lotseal.trace.errors import Invalid

bodies = st.sampled_from((7, 11, 12, 13)).flatmap(lambda size: st.text("0123456789", min_size=size, max_size=size))


@pytest.mark.parametrize(
    ("body", "digit"),
    # GS1 General Specifications 7.9.1, the worked example, and numbers off packs.
    [("629104150021", "3"), ("690123456789", "2"), ("9638507", "4"), ("61414100734", "9"), ("1061414100734", "6")],
)
def test_the_check_digit_is_that_of_the_standard(body: str, digit: str) -> None:
    assert check_digit(body) == digit


@given(bodies)
def test_every_right_number_is_read_as_fourteen_digits(body: str) -> None:
    number = body + check_digit(body)
    assert read_gtin(number) == number.zfill(14)
    assert read_gtin(read_gtin(number)) == number.zfill(14)


@given(bodies)
def test_every_single_wrong_digit_is_found(body: str) -> None:
    number = body + check_digit(body)
    for place, right in enumerate(number):
        for wrong in "0123456789".replace(right, ""):
            with pytest.raises(Invalid) as error:
                read_gtin(number[:place] + wrong + number[place + 1 :])
            assert rules(error) == [("gtin", "gtin.check-digit")]


@given(bodies)
def test_the_refusal_names_the_digit_that_would_fit(body: str) -> None:
    right = check_digit(body)
    with pytest.raises(Invalid, match=f"would end in {right}"):
        read_gtin(body + str((int(right) + 1) % 10))


@pytest.mark.parametrize(
    "text", ["6 901234 567892", "6901-2345-67892", " 6901234567892 ", "６９０１２３４５６７８９２"]
)
def test_spaces_hyphens_and_full_width_digits_are_forgiven(text: str) -> None:
    assert read_gtin(text) == "06901234567892"


@pytest.mark.parametrize("text", ["", "69012345678x2", "٦٩٠١٢٣٤٥", "6901234567892\x00", "½"])
def test_what_is_no_digits_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as error:
        read_gtin(text)
    assert rules(error) == [("gtin", "gtin.digits")]


@pytest.mark.parametrize("size", [1, 7, 9, 10, 11, 15, 100])
def test_other_lengths_are_refused_with_the_count(size: int) -> None:
    with pytest.raises(Invalid, match=f"this has {size}") as error:
        read_gtin("0" * size)
    assert rules(error) == [("gtin", "gtin.length")]


@pytest.mark.parametrize(
    ("gtin", "internal"),
    [("02012345678905", True), ("00212345678909", True), ("00412345678907", True), ("06901234567892", False)],
)
def test_numbers_for_restricted_circulation_are_known(gtin: str, internal: bool) -> None:
    assert is_internal(gtin) is internal


def test_people_see_thirteen_digits_where_the_number_has_a_leading_zero() -> None:
    assert printed("06901234567892") == "6901234567892"
    assert printed("16901234567899") == "16901234567899"
