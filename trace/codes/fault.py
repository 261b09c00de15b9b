"""What a content rule found wrong in one piece of data."""

from __future__ import annotations

from typing import NamedTuple

from ..errors import Message


class Fault(NamedTuple):
    """`reason` is the dictionary's word for it in kebab-case; `position` counts characters from 1 and names the first
    one at fault, or 1 when the data as a whole is (too short, not in the list)."""

    reason: str
    position: int
    message: Message

    def behind(self, count: int) -> Fault:
        """The same fault in data that stands behind `count` other characters."""
        return fault(self.reason, self.position + count, self.message) if count else self


def fault(reason: str, position: int, message: Message) -> Fault:
    """A fault whose sentence can show the position as `%(position)d`."""
    return Fault(reason, position, Message(message.text, {**message.values, "position": position}))


def shown(character: str) -> str:
    """A character as a sentence can show it: itself, or its Unicode number."""
    return character if character.isprintable() and not character.isspace() else f"U+{ord(character):04X}"
