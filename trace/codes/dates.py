"""Rules for dates and times of day in AI values (General Specifications 7.12)."""

from __future__ import annotations

from collections.abc import Callable

from ..errors import Message, say
from .charsets import csetnumeric
from .fault import Fault, fault

_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def days_in(year: int, month: int) -> int:
    if month == 2 and (year % 4 or (year % 100 == 0 and year % 400)):
        return 28
    return _DAYS[month - 1]


_EVERY_YEAR = frozenset(f"{month:02}{day:02}" for month in range(1, 13) for day in range(1, days_in(2001, month) + 1))


def _date(data: str, *, size: int, day_needed: bool, message: Message) -> Fault | None:
    """A date whose last four digits are month and day. Two digits of the year mean 20xx: which century is meant changes
    no leap day that is still to be read."""
    if len(data) == size and data[-4:] in _EVERY_YEAR and data.isdigit() and data.isascii():
        return None
    if len(data) != size:
        return fault("date-too-short" if len(data) < size else "date-too-long", 1, message)
    if found := csetnumeric(data):
        return found
    year, month, day = int(data[:-4]), int(data[-4:-2]), int(data[-2:])
    if not 1 <= month <= 12:
        return fault(
            "illegal-month", size - 3, say("There is no month %(given)s; months run from 01 to 12.", given=data[-4:-2])
        )
    if (day == 0 and day_needed) or day > days_in(year if size == 8 else 2000 + year, month):
        return fault(
            "illegal-day", size - 1, say("This month has no day %(given)s. Compare the date.", given=data[-2:])
        )
    return None


_SHORT = say("A date here has six digits: year, month and day, such as 270131.")
_LONG = say("A date here has eight digits: year, month and day, such as 20270131.")


def yymmdd(data: str) -> Fault | None:
    return _date(data, size=6, day_needed=True, message=_SHORT)


def yymmd0(data: str) -> Fault | None:
    """Day 00 stands for the whole month."""
    return _date(data, size=6, day_needed=False, message=_SHORT)


def yyyymmdd(data: str) -> Fault | None:
    return _date(data, size=8, day_needed=True, message=_LONG)


def yyyymmd0(data: str) -> Fault | None:
    return _date(data, size=8, day_needed=False, message=_LONG)


def _two_digits(word: str, most: int, length: Message, range_: Message) -> Callable[[str], Fault | None]:
    def rule(data: str) -> Fault | None:
        if len(data) != 2:
            return fault(f"{word}-too-short" if len(data) < 2 else f"{word}-too-long", 1, length)
        if found := csetnumeric(data):
            return found
        return fault(f"illegal-{word}", 1, Message(range_.text, {"given": data})) if int(data) > most else None

    return rule


_TWO_DIGITS = say("Two digits belong here, such as 09.")
hh = _two_digits("hour", 23, _TWO_DIGITS, say("There is no hour %(given)s; hours run from 00 to 23."))
mi = _two_digits("minute", 59, _TWO_DIGITS, say("There is no minute %(given)s; minutes run from 00 to 59."))
ss = _two_digits("second", 59, _TWO_DIGITS, say("There is no second %(given)s; seconds run from 00 to 59."))


def hhmi(data: str) -> Fault | None:
    if len(data) != 4:
        return fault(
            "hour-with-minute-too-short" if len(data) < 4 else "hour-with-minute-too-long",
            1,
            say("A time here has four digits: hour and minute, such as 0930."),
        )
    if found := hh(data[:2]):
        return found
    found = mi(data[2:])
    return found and found.behind(2)


def mmoptss(data: str) -> Fault | None:
    """Minutes, and seconds when there are any. Older dictionaries have this rule for AI 8008."""
    if found := mi(data[:2]):
        return found
    if len(data) == 2:
        return None
    found = ss(data[2:])
    return found and found.behind(2)


def yymmddhh(data: str) -> Fault | None:
    """Older dictionaries have this rule for AI 8008."""
    if found := yymmdd(data[:6]):
        return found
    found = hh(data[6:])
    return found and found.behind(6)
