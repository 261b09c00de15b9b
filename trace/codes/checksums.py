"""Rules for check digits and check characters: GS1 keys, Global Model Numbers, IBANs."""

from __future__ import annotations

import re

from ..errors import say
from .charsets import cset82, csetnumeric
from .fault import Fault, fault
from .gtin import check_digit
from .lists import IBAN_COUNTRIES


def csum(data: str) -> Fault | None:
    """The last digit is the modulo-10 check digit of the others (General Specifications 7.9.1)."""
    if found := csetnumeric(data):
        return found
    if not data:
        return fault("too-short-for-check-digit", 1, say("There are no digits here. Copy the whole number."))
    digits = data.encode()
    # Every second digit from the right counts three times. The bytes are those of the characters: 0 is 48.
    threes, ones = digits[-2::-2], digits[-1::-2]
    if (3 * sum(threes) + sum(ones) - 48 * (3 * len(threes) + len(ones))) % 10 == 0:
        return None
    right = check_digit(data[:-1])
    return fault(
        "incorrect-check-digit",
        len(data),
        say(
            "The check digit %(given)s does not fit: these digits would end in %(right)s. "
            "Compare each digit with the printed number.",
            given=data[-1],
            right=right,
        ),
    )


# --- check characters of a Global Model Number (General Specifications 7.9.5) -----------------------------------------

_CSET82 = "!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
_VALUES = {character: value for value, character in enumerate(_CSET82)}
_CHECK_CHARACTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_MODULUS = 1021


def _primes(count: int) -> list[int]:
    found: list[int] = []
    candidate = 2
    while len(found) < count:
        if all(candidate % prime for prime in found):
            found.append(candidate)
        candidate += 1
    return found


# One prime for each character. A GMN has at most 23 in front of its check characters; the reference stops at 97.
_WEIGHTS = _primes(97)


def check_characters(body: str) -> str:
    """The two that belong behind `body`: at most 97 characters of character set 82."""
    total = sum(_VALUES[character] * weight for character, weight in zip(reversed(body), _WEIGHTS, strict=False))
    high, low = divmod(total % _MODULUS, 32)
    return _CHECK_CHARACTERS[high] + _CHECK_CHARACTERS[low]


def csumalpha(data: str) -> Fault | None:
    if len(data) < 2:
        return fault(
            "too-short-for-check-pair",
            1,
            say("This is too short to end in two check characters. Copy the whole number."),
        )
    if len(data) > len(_WEIGHTS) + 2:
        return fault(
            "too-long-for-check-pair-implementation",
            1,
            say("Check characters are defined for at most %(most)d characters.", most=len(_WEIGHTS) + 2),
        )
    if found := cset82(data[:-2]):
        return found
    right = check_characters(data[:-2])
    if data[-2:] == right:
        return None
    return fault(
        "incorrect-check-pair",
        len(data) - 1,
        say(
            "The check characters %(given)s do not fit: this would end in %(right)s. "
            "Compare each character with the printed one.",
            given=data[-2:],
            right=right,
        ),
    )


# --- IBAN (ISO 13616) -------------------------------------------------------------------------------------------------

_NOT_IBAN = re.compile(r"[^0-9A-Z]")
_SHORTEST_IBAN, _LONGEST_IBAN = 15, 34


def iban(data: str) -> Fault | None:
    if len(data) >= 4 and data[:2] not in IBAN_COUNTRIES:
        return fault(
            "illegal-iban-country-code",
            1,
            say("An IBAN begins with the two letters of a country; %(given)s is none.", given=data[:2]),
        )
    if len(data) > _LONGEST_IBAN:
        return fault(
            "iban-too-long",
            1,
            say("An IBAN has at most %(most)d characters; this has %(count)d.", most=_LONGEST_IBAN, count=len(data)),
        )
    if len(data) < _SHORTEST_IBAN:
        return fault(
            "iban-too-short",
            1,
            say(
                "An IBAN has at least %(least)d characters; this has %(count)d.", least=_SHORTEST_IBAN, count=len(data)
            ),
        )
    # As in the sum, country and check digits come last.
    if found := _NOT_IBAN.search(data, 4) or _NOT_IBAN.search(data):
        return fault(
            "invalid-iban-character",
            found.start() + 1,
            say("Character %(position)d cannot stand in an IBAN. Use capital letters and digits without spaces."),
        )
    right = f"{98 - _as_number(data[4:] + data[:2] + '00') % 97:02}"
    # 00, 01 and 99 also leave the right remainder, but the standard never gives them out.
    if data[2:4] != right:
        return fault(
            "incorrect-iban-checksum",
            3,
            say(
                "The check digits %(given)s of this IBAN do not fit: it would have %(right)s. Compare each character.",
                given=data[2:4],
                right=right,
            ),
        )
    return None


def _as_number(text: str) -> int:
    """Letters count as 10 (A) to 35 (Z)."""
    remainder = 0
    for character in text:
        value = int(character, 36)
        remainder = (remainder * (100 if value > 9 else 10) + value) % 97
    return remainder
