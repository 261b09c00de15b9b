"""The table of Application Identifiers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotseal.trace.codes.ais import AI_SIZES, TABLE, leading
from lotseal.trace.codes.content import is_right, problem_with

FIXED_LINE = "00 01 02 03 11 12 13 15 16 17 20 410 411 412 413 414 415 416 417"
FIXED = set(FIXED_LINE.split())
KEYS_LINE = "00 01 253 255 401 402 414 415 417 8003 8004 8006 8010 8013 8017 8018"
KEYS = set(KEYS_LINE.split())


def test_exactly_the_identifiers_of_known_length_need_no_fnc1() -> None:
    measures = {ai for ai in TABLE if len(ai) == 4 and ai[:2] in ("31", "32", "33", "34", "35", "36")}
    assert {ai for ai, entry in TABLE.items() if entry.fixed} == FIXED | measures
    assert all(entry.least == entry.most for entry in TABLE.values() if entry.fixed)


def test_exactly_the_primary_keys_can_begin_a_digital_link() -> None:
    assert {ai for ai, entry in TABLE.items() if entry.is_key} == KEYS


def test_no_identifier_is_the_beginning_of_another() -> None:
    assert all(len(ai) == AI_SIZES[ai[:2]] for ai in TABLE)
    assert all(leading(ai + "xyz", 0) is TABLE[ai] for ai in TABLE)


def test_partners_and_qualifiers_are_in_the_table_or_match_something_in_it() -> None:
    answers = {name for entry in TABLE.values() for name in entry.answers_to}
    for entry in TABLE.values():
        named = (
            {ai for group in entry.needs for ai in group} | entry.never | {ai for row in entry.qualifiers for ai in row}
        )
        assert named <= answers, entry.ai


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ((), True),
        (("22", "10", "21"), True),
        (("22", "21"), True),
        (("235",), True),
        (("10", "22"), False),
        (("22", "235"), False),
        (("10", "10"), False),
    ],
)
def test_the_qualifiers_of_a_gtin_have_an_order(path: tuple[str, ...], allowed: bool) -> None:
    assert (path in TABLE["01"].paths) is allowed


@pytest.mark.parametrize(
    ("ai", "value", "rule", "position"),
    [
        ("00", "195212345678900006", None, 0),
        ("00", "195212345678900007", "csum.incorrect-check-digit", 18),
        ("01", "9521234543213", "ai.too-short", 14),
        ("01", "", "ai.empty", 1),
        ("10", "x" * 21, "ai.too-long", 21),
        ("253", "9521234000006", None, 0),
        ("253", "9521234000006A-1", None, 0),
        ("255", "9521234000006A", "csetnumeric.non-digit-character", 14),
        ("3912", "15612", None, 0),
        ("3912", "00012", "iso4217.not-iso4217", 1),
        ("3912", "156", "ai.too-short", 4),
        ("421", "156100000", None, 0),
        ("423", "156276", None, 0),
        ("423", "15627", "ai.too-short", 6),
        ("423", "156000", "iso3166.not-iso3166", 4),
        ("4309", "09000000001800000001", None, 0),
        ("4309", "09000000003600000001", "longitude.invalid-longitude", 11),
        ("4330", "000100-", None, 0),
        ("4330", "000100+", "hyphen.not-hyphen", 7),
        ("7007", "270101270131", None, 0),
        ("7007", "270101270132", "yymmdd.illegal-day", 11),
        ("7011", "2701012460", "hhmi.illegal-hour", 7),
        ("7040", "1ABC", None, 0),
        ("7040", "1AB=", "importeridx.invalid-import-idx-character", 4),
        ("8001", "00100000200330", "winding.invalid-winding-direction", 13),
        ("8001", "00100000200391", None, 0),
        ("8003", "19521234000006", "zero.not-zero", 1),
        ("8003", "09521234000006A", None, 0),
        ("8006", "095212345432130203", None, 0),
        ("8006", "095212345432130302", "pieceoftotal.piece-number-exceeds-total", 15),
        ("8008", "26013123", None, 0),
        ("8008", "260131235959", None, 0),
        ("8008", "2601312360", "mi.illegal-minute", 9),
        ("8010", "9521AB#/-", None, 0),
        ("8010", "9521ab", "cset39.invalid-cset39-character", 5),
        ("8011", "01", "nozeroprefix.illegal-zero-prefix", 1),
        ("8013", "9521Model22", "csumalpha.incorrect-check-pair", 10),
        ("8030", "QUJD", None, 0),
        ("8030", "QUJ=", "cset64.invalid-cset64-padding", 4),
        ("8043", "123456789012345678", None, 0),
        ("8043", "12345678901234567890", None, 0),
    ],
)
def test_a_value_fits_its_identifier_or_is_refused_with_rule_and_position(
    ai: str, value: str, rule: str | None, position: int
) -> None:
    found = problem_with(TABLE[ai], value)
    if rule is None:
        assert found is None
    else:
        assert found is not None
        assert (found.field, found.rule, found.message.values["position"]) == (ai, rule, position)


values = st.one_of(
    st.text(max_size=30),
    st.text("0123456789", max_size=35),
    st.from_regex(r"[0-9]{2,20}[A-Za-z0-9%/#=\-]{0,8}", fullmatch=True),
)


@given(st.sampled_from(sorted(TABLE)), values)
def test_the_quick_look_and_the_thorough_one_agree(ai: str, value: str) -> None:
    entry = TABLE[ai]
    assert is_right(entry, value) == (problem_with(entry, value) is None)


@given(st.data())
def test_the_quick_look_and_the_thorough_one_agree_on_values_of_the_right_form(data: st.DataObject) -> None:
    entry = TABLE[data.draw(st.sampled_from(sorted(TABLE)))]
    pattern = entry.has_form.__self__.pattern  # type: ignore[attr-defined]  # a bound method knows its object
    value = data.draw(st.from_regex(pattern, fullmatch=True))
    assert is_right(entry, value) == (problem_with(entry, value) is None)
