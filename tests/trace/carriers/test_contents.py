"""What each family of symbols carries of a code, and which families can."""

from __future__ import annotations

import pytest

from lotseal.trace.carriers.contents import carriers_of, content_of
from lotseal.trace.carriers.symbols import Carrier, draw
from lotseal.trace.errors import Invalid

GTIN = ("01", "09521321000018")
LOT = ("10", "L/1")


@pytest.mark.parametrize(
    ("gtin", "retail"),
    [
        ("00000095213217", Carrier.EAN_8),
        ("00036000291452", Carrier.UPC_A),
        ("09521321000018", Carrier.EAN_13),
        ("19521321000015", None),
    ],
)
def test_a_number_has_the_shortest_retail_symbol_that_holds_it(gtin: str, retail: Carrier | None) -> None:
    found = carriers_of((("01", gtin),))
    assert {Carrier.QR, Carrier.GS1_128, Carrier.ITF_14, Carrier.DATABAR_EXPANDED} < set(found)
    assert [one for one in found if one in (Carrier.EAN_8, Carrier.UPC_A, Carrier.EAN_13)] == (
        [retail] if retail else []
    )
    for carrier in found:
        assert draw(carrier, content_of(carrier, (("01", gtin),))).carrier == carrier


def test_plain_symbols_carry_the_link_and_gs1_symbols_the_elements() -> None:
    stem = "https://t.example.cn"
    assert content_of(Carrier.QR, (GTIN, LOT), stem) == f"{stem}/01/09521321000018/10/L%2F1"
    assert content_of(Carrier.GS1_128, (GTIN, LOT), stem) == (GTIN, LOT)


def test_what_a_family_cannot_carry_is_refused() -> None:
    with pytest.raises(Invalid) as number:
        content_of(Carrier.EAN_13, (GTIN, LOT))
    with pytest.raises(Invalid) as link:
        content_of(Carrier.DATA_MATRIX, (("02", GTIN[1]), ("37", "5")))
    with pytest.raises(Invalid):
        content_of(Carrier.ITF_14, ())  # scanned text that is no code
    assert (number.value.problems[0].rule, link.value.problems[0].rule) == ("carrier.number", "carrier.link")
    assert Carrier.ITF_14 not in carriers_of((GTIN, LOT))
    assert carriers_of((("02", GTIN[1]), ("37", "5"), ("00", "195212345678900006")))[0] == Carrier.QR
