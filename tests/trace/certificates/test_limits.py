from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotseal.trace.certificates.limits import Span, judge, read_limit, read_result
from lotseal.trace.certificates.models import Outcome

numbers = st.decimals(min_value=0, max_value=10**6, places=3)
signs = st.sampled_from(["≤ ", "<= ", "< ", "≥ ", ">= ", "> ", ""])


@pytest.mark.parametrize(
    ("limit", "result", "outcome"),
    [
        ("≤ 5.0", "0.9", "pass"),
        ("≤5.0", "5.0", "pass"),
        ("<=5", "5.00", "pass"),
        ("＜5", "5", "fail"),
        ("< 5", "4.999", "pass"),
        ("≦ 5", "5.001", "fail"),
        ("5.0", "4", "pass"),
        ("5.0", "5.1", "fail"),
        ("≥ 10", "9.9", "fail"),
        ("≥ 10", "10", "pass"),
        ("≧10", "11", "pass"),
        ("> 10", "10", "fail"),
        ("5.0–8.0", "5.0", "pass"),
        ("5.0-8.0", "8.1", "fail"),
        ("5.0 ~ 8.0", "6", "pass"),
        ("5.0～8.0", "4.9", "fail"),
        ("5.0 to 8.0", "8", "pass"),
        ("5.0—8.0", "6", "pass"),
        ("8.0-5.0", "6", "undecided"),
        ("≤ 5.0", "< 0.01", "pass"),
        ("≤ 0.005", "<0.01", "undecided"),
        ("≤ 5.0", "＜０．０１", "pass"),
        ("≤ ５．０", "６", "fail"),
        ("≤ 5.0", "> 300", "fail"),
        ("≤ 300", "> 300", "fail"),
        ("≥ 300", "> 300", "pass"),
        ("≤ 1,000", "999", "pass"),
        ("≤ 1,000", "1,001", "fail"),
        ("≤ 5.0", "未检出", "pass"),
        ("≤ 5.0", "not detected", "pass"),
        ("≤ 5.0", "ND", "pass"),
        ("≤ 5.0", "N.D.", "pass"),
        ("≥ 5.0", "未检出", "undecided"),
        ("5.0–8.0", "未检出", "undecided"),
        ("0–8.0", "未检出", "pass"),
        ("不得检出", "未检出", "pass"),
        ("不得检出", "ND", "pass"),
        ("not detected", "0.01", "fail"),
        ("not detected in 25 g", "not detected", "pass"),
        ("未检出/25g", "未检出", "pass"),
        ("不得检出", "0", "undecided"),
        ("不得检出", "< 0.01", "undecided"),
        ("不得检出", "> 0", "undecided"),
        ("阴性", "阴性", "pass"),
        ("negative", "negative", "pass"),
        ("negative", "positive", "undecided"),
        ("normal", "normal", "undecided"),
        ("≤ 5.0", "正常", "undecided"),
        ("≤ 5.0", "", "undecided"),
        ("", "", "undecided"),
        ("≤ 5.0", "0.9 mg/kg", "undecided"),
        ("≤ 5.0", "1e9", "undecided"),
        ("≤ 5.0", "NaN", "undecided"),
        ("≤ 5.0", "1,5", "undecided"),
        ("≤ 5.0", "−1", "pass"),
        ("-2 - 2", "-1", "pass"),
        ("≤ 5.0", "<script>", "undecided"),
        ("ndx", "0.1", "undecided"),
        ("≤ 5.0", "9" * 50, "undecided"),
    ],
)
def test_each_notation_of_reports_is_compared(limit: str, result: str, outcome: str) -> None:
    assert judge(limit, result) == outcome


@given(numbers, numbers, numbers, signs)
def test_a_smaller_result_never_fails_an_upper_limit_that_a_greater_one_passes(
    limit: Decimal, first: Decimal, second: Decimal, sign: str
) -> None:
    low, high = sorted((first, second))
    upper = sign.strip() in ("≤", "<=", "<", "")
    easier, harder = (low, high) if upper else (high, low)
    text = f"{sign}{limit}"
    if judge(text, str(harder)) is Outcome.PASS:
        assert judge(text, str(easier)) is Outcome.PASS
    if judge(text, str(easier)) is Outcome.FAIL:
        assert judge(text, str(harder)) is Outcome.FAIL


@given(numbers, numbers, numbers)
def test_a_wider_limit_never_fails_what_a_narrower_one_passes(first: Decimal, second: Decimal, result: Decimal) -> None:
    narrow, wide = sorted((first, second))
    if judge(f"≤ {narrow}", str(result)) is Outcome.PASS:
        assert judge(f"≤ {wide}", str(result)) is Outcome.PASS


@given(numbers, numbers, signs)
def test_a_number_is_always_decided_as_arithmetic_says(limit: Decimal, result: Decimal, sign: str) -> None:
    holds = {
        "≤": result <= limit, "<=": result <= limit, "": result <= limit, "<": result < limit,
        "≥": result >= limit, ">=": result >= limit, ">": result > limit,
    }[sign.strip()]  # fmt: skip
    assert judge(f"{sign}{limit}", str(result)) == ("pass" if holds else "fail")


@given(numbers, numbers, numbers)
def test_a_bound_is_decided_only_when_every_number_behind_it_agrees(
    limit: Decimal, bound: Decimal, at: Decimal
) -> None:
    """«<0.01» stands for every smaller number: pass and fail must hold for each of them."""
    verdict = judge(f"≤ {limit}", f"<{bound}")
    if at < bound:
        if verdict is Outcome.PASS:
            assert at <= limit
        if verdict is Outcome.FAIL:
            assert at > limit


@given(st.text(max_size=30), st.text(max_size=30))
def test_whatever_stands_there_the_outcome_is_one_of_three(limit: str, result: str) -> None:
    assert judge(limit, result) in Outcome


@given(numbers, numbers)
def test_a_range_is_read_from_low_to_high(first: Decimal, second: Decimal) -> None:
    low, high = sorted((first, second))
    assert read_limit(f"{low}–{high}") == Span(low, high)
    if low != high:
        assert read_limit(f"{high}–{low}") is None


def test_a_bare_result_is_exactly_that_number() -> None:
    assert read_result("0.9") == Span(Decimal("0.9"), Decimal("0.9"))
