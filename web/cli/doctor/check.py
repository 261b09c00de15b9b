"""One line of `lotseal doctor`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ....trace.errors import Message


class Level(StrEnum):
    """How a line ends; only `bad` makes the command exit with 4."""

    OK = "ok"
    WARNING = "warning"
    BAD = "bad"


@dataclass(frozen=True)
class Check:
    """One line. `name` is a permanent word; the sentence of a line that is not ok says what to do."""

    name: str
    level: Level
    sentence: Message


def ok(name: str, sentence: Message) -> Check:
    """Nothing to do."""
    return Check(name, Level.OK, sentence)


def warn(name: str, sentence: Message) -> Check:
    """Worth a look; the sentence says what to do."""
    return Check(name, Level.WARNING, sentence)


def bad(name: str, sentence: Message) -> Check:
    """Must be mended; the sentence says how."""
    return Check(name, Level.BAD, sentence)
