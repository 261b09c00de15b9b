from __future__ import annotations

import pytest

from lotseal.trace.labs.numbers import numbers_in


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("CMA 211300111111", {"211300111111"}),
        ("cma:2113 0011-1111", {"211300111111"}),
        ("211300111111", {"211300111111"}),
        ("CMA编号:211300111111", {"211300111111"}),
        ("CMA 260000DEMO01 / CNAS L00000-DEMO", {"260000DEMO01", "L00000DEMO"}),
        ("CMA 211300111111 CNAS L1234", {"211300111111", "L1234"}),
        ("CNAS l1234;CMA211300111111", {"211300111111", "L1234"}),
        ("NA TEST 000-DEMO1", {"000DEMO1"}),
        ("ILAC-MRA No. T 5678", {"T5678"}),
        ("ISO/IEC 17025:2017, CNAS L1234", {"L1234"}),
        ("GB/T 27025-2019 CNAS L1234", {"L1234"}),
        ("ISO/IEC 17025", set()),
        ("CMA", set()),
        ("L12", set()),
        ("accredited", set()),
        ("", set()),
    ],
)
def test_numbers_are_compared_without_scheme_spaces_and_signs(text: str, numbers: set[str]) -> None:
    assert numbers_in(text) == numbers


def test_a_number_says_the_same_when_it_is_read_again() -> None:
    for number in numbers_in("CMA 260000DEMO01 / CNAS L00000-DEMO"):
        assert numbers_in(number) == {number}
