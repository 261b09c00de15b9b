from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from makers import rules

from lotseal.trace.batches.intake import read_batch
from lotseal.trace.certificates.service import read_certificate
from lotseal.trace.codes.gtin import read_gtin
from lotseal.trace.codes.lot import read_lot
from lotseal.trace.errors import Invalid
from lotseal.trace.intake import SYMBOLS_IN_TEXT, Intake
from lotseal.trace.items.service import read_order
from lotseal.trace.products.service import read_category, read_product
from lotseal.trace.suppliers.licence import read_credit_code
from lotseal.trace.suppliers.service import read_supplier

TODAY = date(2026, 11, 22)


class Colour(StrEnum):
    RED = "red"
    GREEN = "green"


def problem(read: Callable[[Intake], Any], value: str) -> tuple[str, str]:
    """The rule and the sentence of the one refusal of a value."""
    intake = Intake({"it": value})
    read(intake)
    with pytest.raises(Invalid) as error:
        intake.done()
    [found] = error.value.problems
    assert found.field == "it"
    return found.rule, str(found.message)


def text(intake: Intake) -> str:
    return intake.text("it")


@pytest.mark.parametrize(
    "value",
    ["武夷岩韵茶业", "Björn & Søn A/S", "ⅣŁódź", "Ἑλλάς", "茶(红)、10 °C, ≤ 5 %", "a" * 200, "日本 カタカナ", "한국"],
)
def test_chinese_latin_and_ordinary_signs_are_taken_as_they_are(value: str) -> None:
    intake = Intake({"it": f"  {value}\n"})
    assert intake.text("it") == value
    intake.done()


@pytest.mark.parametrize(
    ("value", "rule", "shown"),
    [
        ("茶🍵", "text.symbol", "Character 2 (🍵 U+1F375) is an emoji or symbol"),
        ("❤️", "text.symbol", "U+2764"),
        ("1️⃣", "text.symbol", "U+FE0F"),
        ("👨‍👩‍👧", "text.symbol", "U+1F468"),
        ("🇨🇳", "text.symbol", "U+1F1E8"),
        ("\ud800", "text.symbol", "U+D800"),
        ("\ue000", "text.symbol", "U+E000"),
        ("tea شاي", "text.right-to-left", "Character 5 (U+0634)"),
        ("שלום", "text.right-to-left", "U+05E9"),
        ("١٢", "text.right-to-left", "U+0661"),
        ("abc\u202edef", "text.right-to-left", "U+202E"),
        ("a\u2066b", "text.right-to-left", "U+2066"),
        ("a\u200bb", "text.control", "U+200B"),
        ("a\u200eb", "text.control", "U+200E"),
        ("a\ufeffb", "text.control", "U+FEFF"),
        ("a\x00b", "text.control", "U+0000"),
        ("a\x1bb", "text.control", "U+001B"),
        ("a\nb", "text.control", "U+000A"),
        ("a\u2028b", "text.control", "U+2028"),
        ("<img onerror=alert(1)>", "text.markup", "Character 1 is < U+003C"),
        ("a>b", "text.markup", "Leave out < and >"),
        ("x" * 201, "text.too-long", "This has 201 characters"),
        ("x" * 10_000, "text.too-long", "at most 200"),
        ("", "text.missing", "Fill this in"),
        (" \t\u3000", "text.missing", "Fill this in"),
    ],
)
def test_each_text_that_labels_cannot_print_is_refused_with_its_place(value: str, rule: str, shown: str) -> None:
    found, sentence = problem(text, value)
    assert (found, shown in sentence) == (rule, True), sentence


def test_a_refusal_shows_no_character_that_turns_the_line_around() -> None:
    assert "\u202e" not in problem(text, "abc\u202edef")[1]


def test_an_emoji_is_shown_and_named() -> None:
    assert "🍵 U+1F375" in problem(text, "🍵")[1]


def test_lines_may_break_where_the_field_says_so() -> None:
    assert Intake({"it": "one\r\ntwo\tthree"}).text("it", lines=True) == "one\r\ntwo\tthree"


def test_measured_values_may_hold_less_and_more() -> None:
    intake = Intake({"it": "<0.01 µg/kg"})
    assert intake.text("it", markup=True) == "<0.01 µg/kg"
    intake.done()


def test_two_spellings_of_one_letter_are_one() -> None:
    assert Intake({"it": "Bjo\u0308rn"}).text("it") == "Björn"


def test_what_is_not_required_may_be_missing() -> None:
    intake = Intake({})
    assert intake.text("it", required=False) == ""
    assert intake.day("it", required=False) is None
    assert intake.number("it", required=False) is None
    assert intake.reference("it", required=False) is None
    assert intake.own("it", read_lot, placeholder="", required=False) == ""
    intake.done()


@given(st.text(max_size=300))
def test_text_is_either_refused_or_safe_to_print(value: str) -> None:
    intake = Intake({"it": value})
    taken = intake.text("it", required=False)
    assert bool(intake.problems) != (taken == intake.given("it"))
    assert all(c.isprintable() or c in SYMBOLS_IN_TEXT or c == "\u3000" or c.isspace() for c in taken)
    assert "<" not in taken
    assert ">" not in taken
    taken.encode()


# --- numbers ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "number"),
    [("1590", "1590"), (" 0.25 ", "0.25"), ("+3", "3"), ("-0.5", "-0.5"), ("007", "7"), ("1590.50", "1590.50")],
)
def test_a_number_is_read_digit_by_digit(value: str, number: str) -> None:
    assert str(Intake({"it": value}).number("it")) == number


@pytest.mark.parametrize(
    "value",
    ["1,590", "1e3", "NaN", "Infinity", "-Infinity", "0x10", "1.", ".5", "1 590", "--1", "9" * 16, "½", "1_000", "十"],
)
def test_what_is_no_plain_number_is_refused(value: str) -> None:
    assert problem(lambda intake: intake.number("it"), value)[0] == "number.format"


@pytest.mark.parametrize(
    ("value", "rule", "shown"),
    [
        ("0", "number.too-low", "more than 0"),
        ("-1", "number.too-low", "more than 0"),
        ("101", "number.too-high", "at most 100"),
    ],
)
def test_a_number_out_of_its_range_is_refused_with_the_range(value: str, rule: str, shown: str) -> None:
    found, sentence = problem(lambda intake: intake.number("it", low=Decimal(0), high=Decimal(100), above=True), value)
    assert (found, shown in sentence) == (rule, True)


def test_both_ends_of_a_range_are_inside() -> None:
    for value in ("0", "100"):
        intake = Intake({"it": value})
        assert intake.number("it", low=Decimal(0), high=Decimal(100)) == Decimal(value)
        intake.done()


def test_a_missing_number_is_refused() -> None:
    assert problem(lambda intake: intake.number("it"), "")[0] == "number.missing"


# --- dates -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", ["2026-11-22", "2026/11/22", "2026.11.22", " 2026-11-22 "])
def test_a_day_is_read_in_the_usual_spellings(value: str) -> None:
    assert Intake({"it": value}).day("it") == TODAY


def test_a_day_with_single_digits_is_read() -> None:
    assert Intake({"it": "2026-1-2"}).day("it") == date(2026, 1, 2)


@pytest.mark.parametrize(
    "value",
    ["2026-02-29", "2026-13-01", "22.11.2026", "2026-11", "1949-12-31", "2151-01-01", "0000-00-00", "2026-11-22T00:00"],
)
def test_what_is_no_day_of_the_calendar_is_refused(value: str) -> None:
    rule, sentence = problem(lambda intake: intake.day("it"), value)
    assert rule == "date.format"
    assert "2026-11-22" in sentence


def test_a_missing_day_is_refused() -> None:
    assert problem(lambda intake: intake.day("it"), "")[0] == "date.missing"


@given(st.dates(min_value=date(1950, 1, 1), max_value=date(2150, 12, 31)))
def test_every_day_from_1950_to_2150_is_read_back(day: date) -> None:
    assert Intake({"it": day.isoformat()}).day("it") == day


# --- choices, logins, passwords, references --------------------------------------------------------------------------


def test_a_choice_is_one_of_the_words() -> None:
    assert Intake({"it": "green"}).choice("it", Colour, default=Colour.RED) is Colour.GREEN
    rule, sentence = problem(lambda intake: intake.choice("it", Colour, default=Colour.RED), "blue")
    assert rule == "choice.unknown"
    assert "red, green" in sentence


@pytest.mark.parametrize(
    ("value", "on"), [("1", True), ("on", True), ("TRUE", True), ("yes", True), ("", False), ("0", False)]
)
def test_a_flag_is_on_or_off(value: str, on: bool) -> None:
    assert Intake({"it": value}).flag("it") is on


@pytest.mark.parametrize("value", ["chen", "Chen@example.cn", "a1+b.c_d-e", "0" * 120])
def test_a_login_is_read_in_lower_case(value: str) -> None:
    intake = Intake({"it": value})
    assert intake.login("it") == value.lower()
    intake.done()


@pytest.mark.parametrize("value", ["", "ab", "a b", "陈", ".abc", "a" * 121, "a\x00bc", "chen\n1"])
def test_a_login_with_other_characters_is_refused(value: str) -> None:
    assert problem(lambda intake: intake.login("it"), value)[0] == "login.characters"


@pytest.mark.parametrize("value", ["", "x" * 11, "x" * 201, "\ud800" * 12])
def test_a_password_that_is_too_short_too_long_or_no_text_is_refused(value: str) -> None:
    assert problem(lambda intake: intake.password("it", least=12), value)[0] == "password.length"


def test_spaces_of_a_password_count() -> None:
    assert Intake({"it": " four words and one "}).password("it", least=12) == " four words and one "


@pytest.mark.parametrize("value", ["", "a\x00b", "a\nb", "\ud800"])
def test_a_reference_that_no_list_offers_is_refused(value: str) -> None:
    assert problem(lambda intake: intake.reference("it"), value)[0] == "choice.missing"


def test_a_country_has_a_known_code() -> None:
    assert Intake({"it": " cn "}).country("it", frozenset({"CN"})) == "CN"
    assert problem(lambda intake: intake.country("it", frozenset({"CN"})), "XX")[0] == "country.unknown"


def test_all_problems_are_told_at_once_and_in_order() -> None:
    intake = Intake({"a": "🍵", "b": "x"})
    intake.text("a")
    intake.number("b")
    intake.day("c")
    with pytest.raises(Invalid) as error:
        intake.done()
    assert rules(error) == [("a", "text.symbol"), ("b", "number.format"), ("c", "date.missing")]


# --- whatever people send, a form answers with its refusal -----------------------------------------------------------

FORMS: dict[str, tuple[Callable[[dict[str, str]], Any], tuple[str, ...]]] = {
    "batch": (
        read_batch,
        ("lot", "place", "country", "latitude", "longitude", "produced_on", "expires_on", "quantity", "unit", "inputs"),
    ),
    "supplier": (read_supplier, ("name_zh", "name_en", "country", "licence", "contact")),
    "product": (read_product, ("gtin", "name_zh", "name_en", "spec", "category", "after_sales_zh")),
    "category": (read_category, ("code", "name_zh", "name_en", "requires_lab_test")),
    "order": (read_order, ("count", "tier", "short")),
    "certificate": (
        lambda raw: read_certificate(raw, [raw], today=TODAY),
        ("number", "laboratory", "issued_on", "expires_on", "conclusion", "parameter", "limit", "result", "unit"),
    ),
    "gtin": (lambda raw: read_gtin(raw["it"]), ("it",)),
    "lot": (lambda raw: read_lot(raw["it"]), ("it",)),
    "licence": (lambda raw: read_credit_code(raw["it"]), ("it",)),
}

typed = st.one_of(
    st.text(max_size=40),
    st.text(alphabet="0123456789.-/+eE ０１٣²½", max_size=20),
    st.sampled_from(
        ["", "CN", "1", "pcs", "A", "2026-11-22", "pass", "<img onerror=alert(1)>", "x" * 10_000, "\x00", "\ud800"]
    ),
)


@pytest.mark.parametrize("form", FORMS)
@given(data=st.data())
@example(data=None)
def test_a_form_refuses_or_takes_and_never_breaks(form: str, data: st.DataObject | None) -> None:
    read, fields = FORMS[form]
    raw = {name: data.draw(typed) if data else "🍵" for name in fields}
    try:
        read(raw)
    except Invalid as error:
        refused = error.problems
    else:
        return
    assert refused
    for found in refused:
        assert "." in found.rule
        assert str(found.message)
