"""The unified social credit code of firms in China (GB 32100-2015): 18 characters, the last one a check character."""

from __future__ import annotations

from ..errors import invalid, say

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def check_character(body: str) -> str:
    """The check character of the first 17 characters: weights are powers of 3 modulo 31 (GB 32100-2015, annex A)."""
    total = sum(ALPHABET.index(character) * pow(3, place, 31) for place, character in enumerate(body))
    return ALPHABET[-total % 31]


def read_credit_code(text: str) -> str:
    """Raises `Invalid` with rule `licence.form` or `licence.check`."""
    code = text.upper().replace(" ", "")
    if len(code) != 18 or any(character not in ALPHABET for character in code):
        raise invalid(
            "licence",
            "licence.form",
            say(
                "A unified social credit code has 18 digits and capital letters (no I, O, S, V, Z). "
                "Copy it from the licence."
            ),
        )
    right = check_character(code[:17])
    if code[17] != right:
        raise invalid(
            "licence",
            "licence.check",
            say(
                "The last character does not fit: these characters would end in %(right)s. Compare with the licence.",
                right=right,
            ),
        )
    return code
