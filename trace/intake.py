"""From what people type to facts: small readers that collect every problem before they refuse.

Each reader takes the field's name, returns the fact (or a placeholder after a problem), and `done()` raises `Invalid`
with all problems at once, so that a supplier learns everything that is missing in one go. Messages do not repeat the
field's name: the front door prints it, translated, beside them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import TypeVar

from .errors import Invalid, Message, Problem, say

S = TypeVar("S", bound=StrEnum)
T = TypeVar("T")

SYMBOLS_IN_TEXT = frozenset("°©®™№℃℉‰†‡§¶•·…–—‘’“”′″×÷±≤≥≠≈<>|~^`$¥€£¢+=")
MAX_NUMBER = Decimal(10) ** 12


class Intake:
    """Reads the fields of one request."""

    def __init__(self, raw: Mapping[str, str]) -> None:
        self._raw = raw
        self.problems: list[Problem] = []

    def refuse(self, field: str, rule: str, message: Message) -> None:
        """Note a problem of one's own."""
        self.problems.append(Problem(field, rule, message))

    def done(self) -> None:
        """Raises `Invalid` when anything was refused."""
        if self.problems:
            raise Invalid(*self.problems)

    def given(self, field: str) -> str:
        """The raw text without spaces around it; empty when it is missing."""
        return unicodedata.normalize("NFC", self._raw.get(field, "")).strip()

    def text(
        self, field: str, *, most: int = 200, required: bool = True, lines: bool = False, markup: bool = False
    ) -> str:
        """Text in Chinese or Latin writing. `lines` allows line breaks; `markup` allows < and >, for measured limits.

        Refused: control and direction marks, emoji, right-to-left writing (labels and reports cannot print them),
        and < > outside of measured values.
        """
        value = self.given(field)
        if not value:
            if required:
                self.refuse(field, "text.missing", say("Fill this in."))
            return ""
        if len(value) > most:
            self.refuse(
                field,
                "text.too-long",
                say("This has %(count)d characters. Shorten it to at most %(most)d.", count=len(value), most=most),
            )
            return ""
        for position, character in enumerate(value, start=1):
            if problem := _refused_character(character, lines=lines, markup=markup):
                self.refuse(field, problem[0], _with_place(problem[1], character, position))
                return ""
        return value

    def login(self, field: str) -> str:
        value = self.given(field).lower()
        if not re.fullmatch(r"[a-z0-9][a-z0-9._@+-]{2,119}", value):
            self.refuse(
                field,
                "login.characters",
                say("Take 3 to 120 characters from a–z, 0–9 and . _ @ + -, beginning with a letter or digit."),
            )
        return value

    def password(self, field: str, *, least: int) -> str:
        value = self._raw.get(field, "")
        # A lone surrogate has no bytes to hash.
        if not least <= len(value) <= 200 or any(unicodedata.category(character) == "Cs" for character in value):
            self.refuse(field, "password.length", say("Take a password of %(least)d to 200 characters.", least=least))
        return value

    def reference(self, field: str, *, required: bool = True) -> str | None:
        """A reference to another thing, chosen from a list."""
        value = self.given(field)
        if not value or not value.isprintable():
            if required or value:
                self.refuse(field, "choice.missing", say("Choose one from the list."))
            return None
        return value[:40]

    def choice(self, field: str, kind: type[S], *, default: S) -> S:
        value = self.given(field)
        if value not in {member.value for member in kind}:
            self.refuse(
                field,
                "choice.unknown",
                say("Choose one of: %(words)s.", words=", ".join(member.value for member in kind)),
            )
            return default
        return kind(value)

    def flag(self, field: str) -> bool:
        return self.given(field).lower() in ("1", "on", "true", "yes")

    def day(self, field: str, *, required: bool = True) -> date | None:
        """A calendar day as YYYY-MM-DD (also with / or .), between 1950 and 2150."""
        value = self.given(field)
        if not value:
            if required:
                self.refuse(field, "date.missing", say("Give a date as year-month-day, such as 2026-11-22."))
            return None
        found = re.fullmatch(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})", value)
        try:
            if found is None:
                raise ValueError
            day = date(*(int(part) for part in found.groups()))
            if not 1950 <= day.year <= 2150:
                raise ValueError
        except ValueError:
            self.refuse(
                field, "date.format", say("This is no calendar date. Write it as year-month-day, such as 2026-11-22.")
            )
            return None
        return day

    def number(
        self,
        field: str,
        *,
        required: bool = True,
        low: Decimal | None = None,
        high: Decimal = MAX_NUMBER,
        above: bool = False,
    ) -> Decimal | None:
        """A decimal number with a point, from `low` (not `low` itself when `above`) to `high`."""
        value = self.given(field)
        if not value:
            if required:
                self.refuse(field, "number.missing", say("Give a number."))
            return None
        try:
            if not re.fullmatch(r"[+-]?\d{1,15}(\.\d{1,9})?", value):
                raise InvalidOperation
            number = Decimal(value)
        except InvalidOperation:
            self.refuse(
                field, "number.format", say("This is no number. Write digits with a point, such as 1590 or 0.25.")
            )
            return None
        if low is not None and (number < low or (above and number == low)):
            sentence = (
                say("This must be more than %(low)s.", low=low)
                if above
                else say("This must be at least %(low)s.", low=low)
            )
            self.refuse(field, "number.too-low", sentence)
            return None
        if number > high:
            self.refuse(field, "number.too-high", say("This must be at most %(high)s.", high=high))
            return None
        return number

    def country(self, field: str, known: frozenset[str]) -> str:
        """An ISO 3166-1 alpha-2 code out of `known`."""
        value = self.given(field).upper()
        if value not in known:
            self.refuse(field, "country.unknown", say("Give the two-letter code of a country, such as CN or NO."))
            return ""
        return value

    def own(self, field: str, read: Callable[[str], T], *, placeholder: T, required: bool = True) -> T:
        """Any other reader of text that raises `Invalid`; its problems are noted under this field."""
        value = self.given(field)
        if not value:
            if required:
                self.refuse(field, "text.missing", say("Fill this in."))
            return placeholder
        try:
            return read(value)
        except Invalid as error:
            self.problems += [Problem(field, problem.rule, problem.message) for problem in error.problems]
            return placeholder


def _refused_character(character: str, *, lines: bool, markup: bool) -> tuple[str, str] | None:
    """The rule that a character breaks and its sentence, or None."""
    if lines and character in "\n\r\t":
        return None
    if character in "<>" and not markup:
        return "text.markup", _MARKUP.text
    if character in SYMBOLS_IN_TEXT:
        return None
    category = unicodedata.category(character)
    if unicodedata.bidirectional(character) in _RIGHT_TO_LEFT:
        return "text.right-to-left", _RTL.text
    if category in ("So", "Sk", "Cs", "Co", "Cn") or character in "\ufe0f\u200d":
        return "text.symbol", _SYMBOL.text
    if category in ("Cc", "Cf", "Zl", "Zp"):
        return "text.control", _CONTROL.text
    return None


_RIGHT_TO_LEFT = frozenset(("R", "AL", "AN", "RLE", "RLO", "RLI", "LRE", "LRO", "LRI", "PDF", "PDI", "FSI"))
_MARKUP = say("Character %(position)d is %(character)s. Leave out < and >: this text takes no markup.")
_RTL = say(
    "Character %(position)d (%(character)s) belongs to right-to-left writing, which labels cannot print. "
    "Write it in Chinese or Latin letters."
)
_SYMBOL = say(
    "Character %(position)d (%(character)s) is an emoji or symbol, which labels cannot print. "
    "Use letters, digits and ordinary punctuation."
)
_CONTROL = say("Character %(position)d (%(character)s) is invisible. Type the text anew instead of pasting it.")


def _with_place(text: str, character: str, position: int) -> Message:
    shown = character if character.isprintable() and unicodedata.bidirectional(character) not in _RIGHT_TO_LEFT else ""
    return Message(text, {"position": position, "character": f"{shown} U+{ord(character):04X}".strip()})
