"""The few kinds of error that the business knows. How each becomes an answer is the front door's affair.

Every sentence is an English message id with named gaps, `say("… %(lot)s …", lot=lot)`, so that the front door can
translate it before it fills the gaps.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Message:
    """A translatable sentence: English text with `%(name)s` gaps, and what goes into the gaps."""

    text: str
    values: Mapping[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.text % self.values if self.values else self.text


class Fields(tuple[str, ...]):
    """Names of fields inside a sentence; a front door shows them in its reader's words."""

    __slots__ = ()

    def __str__(self) -> str:
        return ", ".join(self)


def say(text: str, **values: object) -> Message:
    """Mark `text` for translation and keep the values apart from it."""
    return Message(text, values)


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with an input.

    `field` names the input field (None: the whole request), `rule` is a permanent word such as `gtin.check-digit`,
    `message` says what is wrong and how to mend it.
    """

    field: str | None
    rule: str
    message: Message


class LotsealError(Exception):
    """What every error of the business has: one or more problems, each with a sentence for people."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("; ".join(str(problem.message) for problem in problems))
        self.problems = problems


class NotFound(LotsealError):
    """There is no such thing, or the asker may not know of it."""


class Forbidden(LotsealError):
    """The asker is known and may not do this."""


class Conflict(LotsealError):
    """The request fits the rules but not the present state."""


class Invalid(LotsealError):
    """The input breaks a rule; each problem names the field, the rule and the mend."""


class Unavailable(LotsealError):
    """It cannot be done just now (a key is locked, a store is down); asking again later may work."""


def invalid(field: str | None, rule: str, message: Message) -> Invalid:
    """The usual case: an input with one problem."""
    return Invalid(Problem(field, rule, message))


def conflict(rule: str, message: Message, field: str | None = None) -> Conflict:
    """A conflict with one problem."""
    return Conflict(Problem(field, rule, message))


def not_found(rule: str, message: Message) -> NotFound:
    """A missing thing, with one sentence."""
    return NotFound(Problem(None, rule, message))
