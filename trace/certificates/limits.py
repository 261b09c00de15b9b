"""Compare a reported result with its limit: the outcome is computed, never typed.

Limits read: `≤ 5.0` (also <=, <, ≥, >=, >), a range `5.0–8.0`, a bare number (an upper limit), `not detected`
(also 未检出, 不得检出, ND). Results read: a number, `< 0.01` (below what the method can see), `> 300`, `not detected`.
Whatever cannot be compared is undecided, and a person decides.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal

from .models import Outcome

_NUMBER = r"([+-]?\d{1,12}(?:\.\d{1,9})?)"
_COMPARED = re.compile(rf"(<=|>=|<|>|)\s*{_NUMBER}")
_RANGE = re.compile(rf"{_NUMBER}\s*(?:-|~|to)\s*{_NUMBER}")
_ABSENT = re.compile(r"(nd|n\.d\.|not detected|absent|未检出|不得检出|阴性|negative)(\b|\s|/|in|$).*", re.IGNORECASE)


@dataclass(frozen=True)
class Span:
    """Numbers from `low` to `high`; an open end leaves its own value out; None is endless."""

    low: Decimal | None = None
    high: Decimal | None = None
    low_open: bool = False
    high_open: bool = False

    def inside(self, other: Span) -> bool:
        """Whether every number of this span lies in the other."""
        return self._low_fits(other) and self._high_fits(other)

    def _low_fits(self, other: Span) -> bool:
        if other.low is None:
            return True
        if self.low is None:
            return False
        return self.low > other.low or (self.low == other.low and (self.low_open or not other.low_open))

    def _high_fits(self, other: Span) -> bool:
        if other.high is None:
            return True
        if self.high is None:
            return False
        return self.high < other.high or (self.high == other.high and (self.high_open or not other.high_open))

    def apart(self, other: Span) -> bool:
        """Whether no number lies in both."""
        return _ends_before(self, other) or _ends_before(other, self)


def _ends_before(first: Span, second: Span) -> bool:
    if first.high is None or second.low is None:
        return False
    return first.high < second.low or (first.high == second.low and (first.high_open or second.low_open))


def judge(limit: str, result: str) -> Outcome:
    """pass when every value that the result allows is within the limit, fail when none is, else undecided."""
    if _is_absent(limit):
        return _judge_absence(result)
    allowed, found = read_limit(limit), read_result(result)
    if _is_absent(result):
        # Nothing was found: within any upper limit, undecided against a lower one.
        return Outcome.PASS if allowed and allowed.high is not None and not allowed.low else Outcome.UNDECIDED
    if allowed is None or found is None:
        return Outcome.UNDECIDED
    if found.inside(allowed):
        return Outcome.PASS
    return Outcome.FAIL if found.apart(allowed) else Outcome.UNDECIDED


def _judge_absence(result: str) -> Outcome:
    if _is_absent(result):
        return Outcome.PASS
    found = read_result(result)
    if found is None or found.low is None:
        return Outcome.UNDECIDED
    return Outcome.FAIL if found.low > 0 else Outcome.UNDECIDED


def read_limit(text: str) -> Span | None:
    """The allowed values, or None when the text says something else."""
    plain = _plain(text)
    if found := _RANGE.fullmatch(plain):
        low, high = (Decimal(number) for number in found.groups())
        return Span(low, high) if low <= high else None
    return _compared(plain, bare_is_most=True)


def read_result(text: str) -> Span | None:
    """The values that the result may stand for."""
    return _compared(_plain(text), bare_is_most=False)


def _compared(plain: str, *, bare_is_most: bool) -> Span | None:
    found = _COMPARED.fullmatch(plain)
    if found is None:
        return None
    sign, number = found.group(1), Decimal(found.group(2))
    match sign:
        case "<=" | "<":
            return Span(high=number, high_open=sign == "<")
        case ">=" | ">":
            return Span(low=number, low_open=sign == ">")
        case _:
            return Span(high=number) if bare_is_most else Span(number, number)


def _is_absent(text: str) -> bool:
    return _ABSENT.fullmatch(_plain(text)) is not None


def _plain(text: str) -> str:
    """One spelling for the signs that reports use: full-width forms, ≤ ≥ – — −, thousands commas."""
    plain = unicodedata.normalize("NFKC", text).strip()
    for sign, same in (("≤", "<="), ("≥", ">="), ("≦", "<="), ("≧", ">="), ("–", "-"), ("—", "-"), ("−", "-")):
        plain = plain.replace(sign, same)
    return re.sub(r"(?<=\d),(?=\d{3}\b)", "", plain)
