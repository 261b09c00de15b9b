from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from makers import rules

from lotseal.trace.errors import Invalid
from lotseal.trace.suppliers.licence import ALPHABET, check_character, read_credit_code

bodies = st.text(ALPHABET, min_size=17, max_size=17)


@given(bodies)
def test_the_check_character_is_that_of_the_standard(body: str) -> None:
    # GB 32100-2015, annex A: C18 = 31 - MOD(sum of Ci * Wi, 31), with 31 read as 0.
    total = sum(ALPHABET.index(character) * 3**place for place, character in enumerate(body))
    assert ALPHABET.index(check_character(body)) == (31 - total % 31) % 31


def test_a_published_number_is_taken() -> None:
    assert read_credit_code("91350100M000100Y43") == "91350100M000100Y43"


@given(bodies)
def test_every_right_code_is_taken(body: str) -> None:
    code = body + check_character(body)
    assert read_credit_code(code) == code
    assert read_credit_code(f" {code[:8].lower()} {code[8:]} ") == code


@given(bodies)
def test_every_single_wrong_character_is_found(body: str) -> None:
    code = body + check_character(body)
    for place, right in enumerate(code):
        for wrong in ALPHABET.replace(right, "")[::7]:
            with pytest.raises(Invalid) as error:
                read_credit_code(code[:place] + wrong + code[place + 1 :])
            assert rules(error) == [("licence", "licence.check")]


@pytest.mark.parametrize(
    "text", ["", "91350100M000100Y4", "91350100M000100Y433", "91350100I000100Y43", "９" * 18, "ß" * 9]
)
def test_another_form_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as error:
        read_credit_code(text)
    assert rules(error) == [("licence", "licence.form")]
