"""Element strings, unbracketed and bracketed."""

from __future__ import annotations

import pytest

from lotseal.trace.codes import element_string
from lotseal.trace.codes.element_string import print_bracketed, print_element_string
from lotseal.trace.errors import Invalid

GTIN = ("01", "09521234543213")


def refusal(text: str) -> tuple[str | None, str, object]:
    parse = element_string.parse_bracketed if text.startswith("(") else element_string.parse
    with pytest.raises(Invalid) as error:
        parse(text)
    first = error.value.problems[0]
    assert str(first.message)
    return first.field, first.rule, first.message.values["position"]


@pytest.mark.parametrize("fnc1", ["^", "\x1d"])
def test_fnc1_ends_values_of_open_length_and_may_end_others(fnc1: str) -> None:
    text = "^010952123454321310AB^17270131^21X^99y".replace("^", fnc1)
    elements = (GTIN, ("10", "AB"), ("17", "270131"), ("21", "X"), ("99", "y"))
    assert element_string.parse(text).elements == elements
    assert print_element_string(elements) == "^010952123454321310AB^1727013121X^99y"
    assert print_element_string(elements, "\x1d") == "\x1d010952123454321310AB\x1d1727013121X\x1d99y"


def test_more_identifiers_than_any_carrier_holds_are_refused() -> None:
    assert len(element_string.parse("^" + "99X^" * 64).elements) == 64
    assert refusal("^" + "99X^" * 65) == (None, "code.too-many-elements", 1)
    assert refusal("(99)X" * 65) == (None, "code.too-many-elements", 1)


def test_a_last_fnc1_is_allowed_and_not_printed() -> None:
    assert print_element_string(element_string.parse("^0109521234543213^99A^").elements) == "^010952123454321399A"


@pytest.mark.parametrize(
    ("text", "field", "rule", "position"),
    [
        ("", None, "element-string.no-fnc1", 1),
        ("0109521234543213", None, "element-string.no-fnc1", 1),
        ("^", None, "code.empty", 2),
        ("^^0109521234543213", None, "ai.unknown", 2),
        ("^04123", None, "ai.unknown", 2),
        ("^0109521234543213^3190000001", None, "ai.unknown", 19),
        ("^01095212345432", "01", "ai.too-short", 13),
        ("^01095212^345432", "01", "ai.too-short", 7),
        ("^0109521234543214", "01", "csum.incorrect-check-digit", 14),
        ("^010952123454321X", "01", "csetnumeric.non-digit-character", 14),
        ("^10", "10", "ai.empty", 1),
        ("^10^21X", "10", "ai.empty", 1),
        ("^10" + "x" * 21, "10", "ai.too-long", 21),
        ("^10A B", "10", "cset82.invalid-cset82-character", 2),
        ("^8", None, "ai.unknown", 2),
        ("^800", None, "ai.unknown", 2),
    ],
)
def test_an_unbracketed_string_is_refused_where_it_goes_wrong(
    text: str, field: str | None, rule: str, position: int
) -> None:
    assert refusal(text) == (field, rule, position)


def test_brackets_inside_a_value_are_escaped() -> None:
    elements = (GTIN, ("10", "A(1)"), ("21", ")("))
    text = r"(01)09521234543213(10)A\(1)(21))\("
    assert element_string.parse_bracketed(text).elements == elements
    assert print_bracketed(elements) == text


@pytest.mark.parametrize(
    ("text", "field", "rule", "position"),
    [
        ("(", None, "bracketed.no-ai", 1),
        ("()123", None, "bracketed.no-ai", 1),
        ("(1)123", None, "bracketed.no-ai", 1),
        ("(12345)123", None, "bracketed.no-ai", 1),
        ("(0A)123", None, "bracketed.no-ai", 1),
        ("(٠١)123", None, "bracketed.no-ai", 1),
        ("(01)09521234543213(10", None, "bracketed.no-ai", 19),
        ("(04)123", None, "ai.unknown", 2),
        ("(01)09521234543213(3196)1", None, "ai.unknown", 20),
        ("(10)(21)A", "10", "ai.empty", 1),
        ("(01)095212345432130", "01", "ai.too-long", 15),
        ("(10)A\\B", "10", "cset82.invalid-cset82-character", 2),
        ("(10)A^B", "10", "cset82.invalid-cset82-character", 2),
        ("(01)09521234543213 (10)A", "01", "ai.too-long", 15),
    ],
)
def test_a_bracketed_string_is_refused_where_it_goes_wrong(
    text: str, field: str | None, rule: str, position: int
) -> None:
    assert refusal(text) == (field, rule, position)


def test_text_before_the_first_bracket_is_refused() -> None:
    with pytest.raises(Invalid, match="At character 1 an AI"):
        element_string.parse_bracketed("x(01)09521234543213")


def test_all_wrong_values_are_told_at_once() -> None:
    with pytest.raises(Invalid) as error:
        element_string.parse_bracketed("(01)09521234543214(17)271301(10)ok")
    assert [problem.rule for problem in error.value.problems] == ["csum.incorrect-check-digit", "yymmd0.illegal-month"]
