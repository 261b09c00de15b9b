from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotseal.trace.codes.model import Kind
from lotseal.trace.codes.scanned import read_code
from lotseal.trace.errors import Invalid

ITEM = (("01", "09521321000018"), ("10", "A1"), ("21", "X7"))


@pytest.mark.parametrize(
    "text",
    [
        "010952132100001810A1\x1d21X7",
        "]d2010952132100001810A1\x1d21X7",
        "\x1d010952132100001810A1\x1d21X7",
        "(01)09521321000018(10)A1(21)X7\r\n",
        "https://id.gs1.org/01/09521321000018/10/A1/21/X7",
        "HTTPS://ID.GS1.ORG/01/09521321000018/10/A1/21/X7",
    ],
)
def test_readers_differ_in_what_they_hand_over(text: str) -> None:
    assert read_code(text).elements == ITEM


@pytest.mark.parametrize("text", ["9521321000018", "]E09521321000018", "09521321000018", " 9521321000018"])
def test_a_barcode_is_read_with_and_without_its_identifier(text: str) -> None:
    assert read_code(text).elements == ITEM[:1]


def test_a_upc_a_that_lost_its_zero_is_read() -> None:
    assert read_code("]E0036000291452").elements == (("01", "00036000291452"),)


def test_a_gtin_with_a_slip_keeps_its_mend_and_is_no_element_string() -> None:
    """4006381333932 could be read as (400) with an order number; whoever typed it meant a GTIN."""
    with pytest.raises(Invalid) as caught:
        read_code("4006381333932")
    assert caught.value.problems[0].rule == "gtin.check-digit"


def test_plain_text_in_a_symbol_is_no_refusal() -> None:
    code = read_code("]Q1hello")
    assert (code.kind, code.elements, code.text) == (Kind.SCAN_DATA, (), "hello")


@given(st.text(max_size=300))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        read_code(text)
    except Invalid as refused:
        problems = refused.problems
    else:
        return
    assert problems
