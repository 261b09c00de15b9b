from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotseal.signing.encoding import b64, b64url, unb64, unb64url, undecimal
from lotseal.signing.errors import Malformed


@given(st.binary(max_size=70))
def test_bytes_come_back_from_their_text(data: bytes) -> None:
    assert unb64url(b64url(data), len(data), "here") == data


@pytest.mark.parametrize(
    "text",
    ["AA==", "AB", "A", "A A", "A+", "AAA", "", "A=", "\uff21A", None, 7, b"AA"],
)
def test_only_one_spelling_of_a_zero_byte_is_accepted(text: object) -> None:
    assert unb64url("AA", 1, "here") == b"\0"
    with pytest.raises(Malformed) as refused:
        unb64url(text, 1, "here")
    assert refused.value.rule == "here"


def test_the_other_alphabet_of_base64_is_refused() -> None:
    assert unb64url("-_-_", 3, "here") == b"\xfb\xff\xbf"
    with pytest.raises(Malformed):
        unb64url("+/+/", 3, "here")


def test_an_over_long_text_is_refused_before_it_is_decoded() -> None:
    with pytest.raises(Malformed) as refused:
        unb64url("A" * 1_000_000, 1, "here")
    assert refused.value.message == "not base64url of 1 bytes"


@given(st.binary(max_size=70))
def test_bytes_come_back_from_padded_base64(data: bytes) -> None:
    assert unb64(b64(data), "here") == unb64(b64(data), "here", len(data)) == data


@pytest.mark.parametrize(
    "text", ["", "AA", "AA=", "AB==", "AA==\n", " AA==", "AA ==", "A===", "\uff21A==", "AAA=", "_w=="]
)
def test_only_one_padded_spelling_of_a_zero_byte_is_accepted(text: str) -> None:
    assert unb64("AA==", "here", 1) == b"\0"
    with pytest.raises(Malformed) as refused:
        unb64(text, "here", 1)
    assert refused.value.rule == "here"


@given(st.integers(0, 1_000))
def test_a_number_comes_back_from_its_text(number: int) -> None:
    assert undecimal(str(number), "here", 1_000) == number


@pytest.mark.parametrize(
    "text", ["", "00", "01", "+1", "-1", "1 ", " 1", "1_0", "1.0", "\u0663", "\u00b2", "1001", "9" * 5_000]
)
def test_only_one_spelling_of_a_number_within_its_bound_is_accepted(text: str) -> None:
    with pytest.raises(Malformed) as refused:
        undecimal(text, "here", 1_000)
    assert refused.value.rule == "here"
