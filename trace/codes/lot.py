"""Batch or lot numbers, AI (10): 1 to 20 characters of GS1 character set 82 (General Specifications 3.4.1, 7.11)."""

from __future__ import annotations

import string

from ..errors import invalid, say

CSET82 = frozenset(string.ascii_letters + string.digits + "!\"%&'()*+,-./:;<=>?_")
MOST = 20


def read_lot(text: str) -> str:
    """Raises `Invalid` with rule `lot.length` or `lot.characters`; the latter names place and character."""
    if not 1 <= len(text) <= MOST:
        raise invalid(
            "lot",
            "lot.length",
            say("A lot number has 1 to %(most)d characters; this has %(count)d.", most=MOST, count=len(text)),
        )
    for position, character in enumerate(text, start=1):
        if character not in CSET82:
            shown = say("a space") if character.isspace() else f"U+{ord(character):04X}"
            raise invalid(
                "lot",
                "lot.characters",
                say(
                    "Character %(position)d (%(character)s) cannot stand in a lot number. "
                    "Use letters A–Z, digits and - / . _ without spaces.",
                    position=position,
                    character=character if character.isprintable() and not character.isspace() else shown,
                ),
            )
    if text.startswith("/") or text.endswith("/") or "//" in text or "/10/" in text or "/21/" in text:
        raise invalid(
            "lot",
            "lot.slashes",
            say("Slashes make this lot unreadable in a web address. Use / only once between other characters, or -."),
        )
    if text in (".", ".."):
        raise invalid(
            "lot", "lot.dots", say("A lot of dots alone cannot stand in a web address. Add a letter or digit.")
        )
    return text
