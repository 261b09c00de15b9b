"""Scan data with symbology identifiers."""

from __future__ import annotations

import pytest

from lotseal.trace.codes import scan
from lotseal.trace.codes.model import Code, Kind
from lotseal.trace.errors import Invalid

GTIN = ("01", "09521234543213")


@pytest.mark.parametrize("symbology", ["]Q3", "]d2", "]C1", "]e0", "]J1"])
def test_symbols_in_fnc1_mode_carry_element_strings(symbology: str) -> None:
    text = f"{symbology}010952123454321310AB\x1d21X"
    code = scan.parse(text)
    assert (code.elements, code.symbology) == ((GTIN, ("10", "AB"), ("21", "X")), symbology)
    assert scan.print_scan_data(code) == text


@pytest.mark.parametrize(
    ("text", "gtin"),
    [
        ("]E09521234543213", "09521234543213"),
        ("]E00614141007349", "00614141007349"),
        ("]E496385074", "00000096385074"),
        ("]I119521234543210", "19521234543210"),
    ],
)
def test_symbols_of_digits_carry_a_gtin(text: str, gtin: str) -> None:
    code = scan.parse(text)
    assert code.elements == (("01", gtin),)
    assert scan.print_scan_data(code) == text


def test_the_composite_part_follows_as_its_own_packet() -> None:
    text = "]E09521234543213|]e010AB\x1d21X"
    code = scan.parse(text)
    assert code.elements == (GTIN, ("10", "AB"), ("21", "X"))
    assert scan.print_scan_data(code) == text


@pytest.mark.parametrize("symbology", ["]Q1", "]d1", "]J0"])
def test_plain_symbols_carry_any_text_or_a_digital_link(symbology: str) -> None:
    plain = scan.parse(f"{symbology}^ any text")
    assert (plain.elements, plain.text) == ((), "^ any text")
    assert scan.print_scan_data(plain) == f"{symbology}^ any text"
    link = scan.parse(f"{symbology}https://a.example/x/01/09521234543213?y=1")
    assert (link.elements, link.stem, link.extra) == ((GTIN,), "https://a.example/x", (("y", "1"),))
    assert scan.print_scan_data(link) == f"{symbology}https://a.example/x/01/09521234543213"


@pytest.mark.parametrize(
    ("text", "field", "rule", "position"),
    [
        ("", None, "scan.symbology", 1),
        ("]", None, "scan.symbology", 1),
        ("]X0123", None, "scan.symbology", 1),
        ("]C00109521234543213", None, "scan.symbology", 1),
        ("]Q3", None, "code.empty", 2),
        ("]e0", None, "code.empty", 2),
        ("]Q3\x1d0109521234543213", None, "scan.leading-fnc1", 4),
        ("]Q30109521234543213^10A", None, "scan.caret", 20),
        ("]Q30109521234543214", "01", "csum.incorrect-check-digit", 14),
        ("]E0952123454321", "01", "scan.digits", 13),
        ("]E095212345432133", "01", "scan.digits", 14),
        ("]E4", "01", "scan.digits", 1),
        ("]E095212345X3213", "01", "csetnumeric.non-digit-character", 10),
        ("]E09521234543214", "01", "csum.incorrect-check-digit", 14),
        ("]E09521234543213|]e0", None, "code.empty", 2),
        ("]Q1https://a.example/about", None, "link.no-key", 18),
    ],
)
def test_scan_data_are_refused_where_they_go_wrong(text: str, field: str | None, rule: str, position: int) -> None:
    with pytest.raises(Invalid) as error:
        scan.parse(text)
    first = error.value.problems[0]
    assert str(first.message)
    assert (first.field, first.rule) == (field, rule)
    if field or rule.startswith("scan."):
        assert first.message.values["position"] == position


@pytest.mark.parametrize(
    ("elements", "symbology", "printed"),
    [
        ((GTIN, ("10", "A")), None, "]Q3010952123454321310A"),
        ((GTIN, ("10", "A")), "]Q1", "]Q1https://id.gs1.org/01/09521234543213/10/A"),
        ((GTIN,), "]E0", "]E09521234543213"),
        ((("01", "19521234543210"),), "]E0", None),
        ((GTIN,), "]E4", None),
        ((("01", "00000096385074"),), "]E4", "]E496385074"),
        ((("00", "195212345678900006"),), "]E0", None),
        ((("10", "A"),), "]d1", None),
        ((GTIN,), "]X9", None),
        ((), "]Q3", None),
    ],
)
def test_a_code_is_printed_for_a_symbol_that_can_hold_it(
    elements: tuple[tuple[str, str], ...], symbology: str | None, printed: str | None
) -> None:
    assert scan.print_scan_data(Code(Kind.BRACKETED, elements), symbology) == printed


@pytest.mark.parametrize(
    ("symbol", "message", "sent"),
    [
        ("QR", "hello", "]Q1hello"),
        ("DM", r"\^hello", "]d1^hello"),
        ("DotCode", r"\\^hello", r"]J0\^hello"),
        ("QR", r"\hello", r"]Q1\hello"),
        ("QR", "^010952123454321310A^21B", "]Q3010952123454321310A\x1d21B"),
        ("QR", "^04", None),
        ("GS1_128_CCA", "^010952123454321310A", "]C1010952123454321310A"),
        ("GS1_128_CCC", "^010952123454321310A|^21B", "]e0010952123454321310A\x1d21B"),
        ("GS1_128_CCC", "^0109521234543213|^21B", "]e0010952123454321321B"),
        ("GS1_128_CCC", "0109521234543213", None),
        ("DataBarExpanded", "^010952123454321310A", "]e0010952123454321310A"),
        ("DataBarOmni", "09521234543213", "]e00109521234543213"),
        ("DataBarLimited", "^0109521234543213|^10A", "]e0010952123454321310A"),
        ("DataBarLimited", "29521234543217", None),
        ("EAN13", "^0109521234543213", "]E09521234543213"),
        ("EAN13", "9521234543213|^10A", "]E09521234543213|]e010A"),
        ("EAN13", "9521234543214", None),
        ("EAN13", "9521234543213|10A", None),
        ("UPCA", "614141007349", "]E00614141007349"),
        ("EAN8", "96385074", "]E496385074"),
        ("EAN8", "hello", None),
        ("NONE", "hello", None),
    ],
)
def test_what_a_scanner_sends_for_the_data_of_a_symbol(symbol: str, message: str, sent: str | None) -> None:
    assert scan.transmitted(symbol, message) == sent
