"""Global Trade Item Numbers (GS1 General Specifications, section 3.3.2) and restricted-circulation numbers (2.1.7)."""

from __future__ import annotations

import unicodedata

from ..errors import invalid, say

LENGTHS = (8, 12, 13, 14)


def check_digit(body: str) -> str:
    """The modulo-10 check digit (General Specifications 7.9.1) that belongs behind the ASCII digits of `body`."""
    digits = body.encode()
    # Every second digit from the right counts three times. The bytes are those of the characters: 0 is 48.
    threes, ones = digits[-1::-2], digits[-2::-2]
    return str((48 * (3 * len(threes) + len(ones)) - 3 * sum(threes) - sum(ones)) % 10)


def read_gtin(text: str) -> str:
    """The 14-digit form of a typed or scanned GTIN-8, -12, -13 or -14; spaces and hyphens are forgiven.

    Raises `Invalid` with rule `gtin.digits`, `gtin.length` or `gtin.check-digit`; the last one names the right digit.
    """
    digits = "".join(c for c in unicodedata.normalize("NFKC", text.strip()) if c not in " -")
    if not (digits.isascii() and digits.isdigit()):
        raise invalid("gtin", "gtin.digits", say("A GTIN has digits only. Copy the number under the bars."))
    if len(digits) not in LENGTHS:
        raise invalid(
            "gtin",
            "gtin.length",
            say(
                "A GTIN has 8, 12, 13 or 14 digits; this has %(count)d. Copy the number under the bars.",
                count=len(digits),
            ),
        )
    right = check_digit(digits[:-1])
    if digits[-1] != right:
        raise invalid(
            "gtin",
            "gtin.check-digit",
            say(
                "The check digit %(given)s does not fit: these digits would end in %(right)s. "
                "Compare each digit with the number under the bars.",
                given=digits[-1],
                right=right,
            ),
        )
    return digits.zfill(14)


def is_internal(gtin: str) -> bool:
    """Whether a 14-digit number is for restricted circulation (prefixes 02, 04, 20–29): not unique world-wide."""
    prefix = gtin[1:3]
    return prefix in ("02", "04") or prefix.startswith("2")


def printed(gtin: str) -> str:
    """The form people know from the pack: 13 digits where the number has a leading zero."""
    return gtin.removeprefix("0")
