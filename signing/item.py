"""Item codes: the canonical Digital Link, the tag of tier A, the signature of tier B, and serials that people type.

Tier A: a printed serial is 20 characters, 10 random ones and a tag of 10. The tag is a MAC over the canonical Digital
Link whose AI 21 is the random part alone, so it is bound to host, GTIN and lot too.

Tier B: the same Digital Link, with the full serial, carries `?s=` and 156 characters: one that names the key, then the
64-byte signature as 155 decimal digits, which a QR code packs densely.

A code that verifies proves that we issued this record. It proves nothing about the pack: a copied code verifies too.
"""

from __future__ import annotations

import hmac
import ipaddress
import re
import secrets
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from typing import Final
from urllib.parse import quote, unquote

from .context import Context
from .errors import BadSignature, Malformed, UnknownKey
from .keys import SIGNATURE_SIZE, PublicKey, Signer
from .secret import MacSecret

ALPHABET: Final = "23456789ACDEFGHJKMNPQRTUVWXY"
RANDOM_SIZE: Final = 10
TAG_SIZE: Final = 10
SERIAL_SIZE: Final = RANDOM_SIZE + TAG_SIZE

SIGNATURE_DIGITS: Final = 155
SIGNATURE_TEXT_SIZE: Final = 1 + SIGNATURE_DIGITS

# Scheme, a host of 253 characters, port, and two values of 20 characters that are all percent-encoded.
MAX_URI: Final = 512
MAX_BASE: Final = 270
MAX_TYPED: Final = 200

_SYMBOLS: Final = frozenset(ALPHABET)
_MISREAD: Final = {"S": "5", "B": "8", "Z": "2"}
# Chinese keyboards give an ideographic full stop for the dot.
_SEPARATORS: Final = frozenset("._\t\r\n\N{MINUS SIGN}\N{IDEOGRAPHIC FULL STOP}")
_GROUP: Final = 5

_CSET82: Final = re.compile(r"[!-\"%-?A-Z_a-z]{1,20}")
_GTIN14: Final = re.compile(r"[0-9]{14}")
_LABEL: Final = r"[A-Z0-9](?:[A-Z0-9-]{0,61}[A-Z0-9])?"
_BASE: Final = re.compile(rf"(HTTPS?)://({_LABEL}(?:\.{_LABEL})*)(?::([1-9][0-9]{{0,4}}))?")
_ITEM_URI: Final = re.compile(r"(HTTPS?://[^/]+)/01/([^/]+)(?:/10/([^/]+))?/21/([^/]+)")
_DEFAULT_PORT: Final = {"HTTP": 80, "HTTPS": 443}


# --- canonical Digital Link -------------------------------------------------------------------------------------------


def canonical_item_uri(base: str, gtin14: str, lot: str | None, serial: str) -> bytes:
    """The bytes that tags and signatures cover: `HTTPS://T.EXAMPLE.CN/01/{gtin14}/10/{lot}/21/{serial}`.

    `base` is scheme, host and optional port without a path, in any case (`https://t.example.cn`,
    `http://127.0.0.1:8000`). Lot and serial are plain text of GS1 character set 82, 1 to 20 characters (GS1 General
    Specifications figure 7.11-1); all but A-Z a-z 0-9 - . _ becomes %XX. The check digit of the GTIN is not looked at.
    Raises Malformed.
    """
    if _GTIN14.fullmatch(gtin14) is None:
        raise Malformed("uri.gtin", "a GTIN has 14 digits here")
    origin = _canonical_base(base)
    batch = "" if lot is None else f"/10/{_segment(lot, 'uri.lot')}"
    return f"{origin}/01/{gtin14}{batch}/21/{_segment(serial, 'uri.serial')}".encode("ascii")


@lru_cache(maxsize=64)
def _canonical_base(base: str) -> str:
    """One origin, one spelling: upper case, and no port where the scheme already means that port."""
    found = _BASE.fullmatch(base.upper()) if len(base) <= MAX_BASE and base.isascii() else None
    if found is None:
        raise Malformed("uri.base", "the base must be http or https, a host and an optional port, without a path")
    scheme, host, port = found.groups()
    if len(host) > 253:
        raise Malformed("uri.base", "the host is longer than 253 characters")
    if host.rpartition(".")[2].isdigit():
        _refuse_bad_address(host)
    if port is not None and int(port) > 65535:
        raise Malformed("uri.base", "the port is out of range")
    if port is not None and int(port) == _DEFAULT_PORT[scheme]:
        raise Malformed("uri.base", "leave out the port that the scheme already means")
    return found.group(0)


def _refuse_bad_address(host: str) -> None:
    try:
        ipaddress.IPv4Address(host)
    except ValueError as error:
        raise Malformed("uri.base", "a host that ends in digits must be an IPv4 address") from error


def _segment(value: str, rule: str) -> str:
    if _CSET82.fullmatch(value) is None:
        raise Malformed(rule, "1 to 20 characters of GS1 character set 82 are allowed")
    if value in (".", ".."):
        # Browsers remove such a path segment, however it is encoded, before the request leaves the phone.
        raise Malformed(rule, "a single dot or two dots cannot stand in a web address")
    return quote(value, safe="")


def _check_canonical(uri: bytes) -> str:
    """The serial inside canonical bytes; parse, print back, compare. Raises Malformed."""
    if len(uri) > MAX_URI:
        raise Malformed("uri.length", f"an item URI has at most {MAX_URI} bytes", limit=MAX_URI)
    found = _ITEM_URI.fullmatch(uri.decode("latin-1"))
    if found is None:
        raise Malformed("uri.canonical", "not a canonical item URI")
    base, gtin14, lot, serial = found.groups()
    plain_lot = None if lot is None else unquote(lot, "latin-1")
    plain_serial = unquote(serial, "latin-1")
    if canonical_item_uri(base, gtin14, plain_lot, plain_serial) != uri:
        raise Malformed("uri.canonical", "not a canonical item URI")
    return plain_serial


# --- tier A: random part and tag --------------------------------------------------------------------------------------


def new_serial_part() -> str:
    """Ten random characters of ALPHABET, 48 bits."""
    return "".join(secrets.choice(ALPHABET) for _ in range(RANDOM_SIZE))


def tag(secret: MacSecret, uri: bytes) -> str:
    """The ten tag characters for the canonical URI whose serial is the ten random ones. Raises Malformed.

    The whole 256-bit MAC is taken as one integer modulo 28**10. Because 2**256 is no multiple of 28**10, some tags are
    more likely than others, but only by a part of 28**10 / 2**256, which is below 2**-207: nothing a forger could use.
    Guessing a tag stays one in 28**10, about 48 bits. That is enough only because each guess must be asked on-line.
    """
    if not _is_serial(_check_canonical(uri), RANDOM_SIZE):
        raise Malformed("tag.random-part", f"the tagged serial must be {RANDOM_SIZE} characters of the alphabet")
    number = int.from_bytes(secret.mac(Context.ITEM_TAG, uri), "big")
    characters = []
    for _ in range(TAG_SIZE):
        number, digit = divmod(number, len(ALPHABET))
        characters.append(ALPHABET[digit])
    return "".join(reversed(characters))


def check_tag(secret: MacSecret, uri: bytes, candidate: str) -> None:
    """Compares in constant time. Raises Malformed or BadSignature."""
    if not _is_serial(candidate, TAG_SIZE):
        raise Malformed("tag.characters", f"a tag is {TAG_SIZE} characters of the alphabet")
    if not hmac.compare_digest(tag(secret, uri), candidate):
        raise BadSignature("tag.mismatch", "the tag does not fit this code")


def new_serial(secret: MacSecret, base: str, gtin14: str, lot: str | None) -> str:
    """A fresh printed serial: ten random characters and their tag. Raises Malformed."""
    part = new_serial_part()
    return part + tag(secret, canonical_item_uri(base, gtin14, lot, part))


def check_serial(secret: MacSecret, base: str, gtin14: str, lot: str | None, serial: str) -> None:
    """Check a printed serial of 20 characters against the record it claims. Raises Malformed or BadSignature."""
    if not _is_serial(serial, SERIAL_SIZE):
        raise Malformed("serial.form", f"a printed serial is {SERIAL_SIZE} characters of the alphabet")
    uri = canonical_item_uri(base, gtin14, lot, serial[:RANDOM_SIZE])
    check_tag(secret, uri, serial[RANDOM_SIZE:])


def is_printed_serial(text: str) -> bool:
    """Whether a serial has the form of ours: 20 characters of ALPHABET. Others may come from elsewhere."""
    return _is_serial(text, SERIAL_SIZE)


def _is_serial(text: str, size: int) -> bool:
    return len(text) == size and _SYMBOLS.issuperset(text)


# --- tier B: signature ------------------------------------------------------------------------------------------------


def sign_item(signer: Signer, key_char: str, uri: bytes) -> str:
    """The value of `?s=` for a canonical URI with the full serial. Raises Malformed."""
    if not _is_serial(key_char, 1):
        raise Malformed("signature.key", "the key character is not one of the alphabet")
    _check_canonical(uri)
    return format_signature(key_char, signer.sign(Context.ITEM, uri))


def format_signature(key_char: str, signature: bytes) -> str:
    return f"{key_char}{int.from_bytes(signature, 'big'):0{SIGNATURE_DIGITS}d}"


def parse_signature(text: str) -> tuple[str, bytes]:
    """Key character and 64 bytes. Exactly one spelling of each pair is accepted; all else raises Malformed."""
    if len(text) != SIGNATURE_TEXT_SIZE:
        raise Malformed("signature.length", f"a signature has {SIGNATURE_TEXT_SIZE} characters")
    key_char, digits = text[0], text[1:]
    if key_char not in _SYMBOLS:
        raise Malformed("signature.key", "the key character is not one of the alphabet")
    # isdigit alone would let Arabic-Indic and full-width digits pass, and int() reads them.
    if not (digits.isascii() and digits.isdigit()):
        raise Malformed("signature.digits", "a signature is written in decimal digits")
    number = int(digits)
    if number >= 1 << (8 * SIGNATURE_SIZE):
        raise Malformed("signature.size", f"the number does not fit in {SIGNATURE_SIZE} bytes")
    return key_char, number.to_bytes(SIGNATURE_SIZE, "big")


def verify_item(public_key: PublicKey, uri: bytes, signature: bytes) -> None:
    """Raises Malformed for a URI that is not canonical, BadSignature for a signature that does not fit."""
    _check_canonical(uri)
    public_key.verify(Context.ITEM, uri, signature)


def check_signature(keys: Mapping[str, PublicKey], uri: bytes, text: str) -> None:
    """Check the value of `?s=` with the key its first character names. Raises Malformed, UnknownKey, BadSignature.

    `keys` maps key characters to the keys that may sign for this GTIN at this time; the caller knows which.
    """
    key_char, signature = parse_signature(text)
    if key_char not in keys:
        raise UnknownKey("signature.unknown-key", "no key of this name signs item codes here", key=key_char)
    verify_item(keys[key_char], uri, signature)


# --- serials that people type -----------------------------------------------------------------------------------------


def normalise_typed_serial(text: str) -> str:
    """Read a serial as a person types it: 10 or 20 characters of ALPHABET. Raises Malformed.

    Lower case, full-width forms, spaces, dashes, dots and underscores are forgiven; S, B and Z, which never occur, are
    read as 5, 8 and 2. A refusal holds `character` as typed and `position`, 1-based and counted like the printed
    serial, that is without separators; a wrong length holds `length`.
    """
    if len(text) > MAX_TYPED:
        raise Malformed("serial.length", "too long for a serial", length=len(text))
    serial = ""
    for typed in text:
        if _is_separator(typed):
            continue
        character = _read_character(typed)
        if character is None:
            position = len(serial) + 1
            raise Malformed(
                "serial.character",
                f"character {position} of the serial cannot occur: {typed!r}",
                position=position,
                character=typed,
            )
        serial += character
    if len(serial) not in (RANDOM_SIZE, SERIAL_SIZE):
        raise Malformed("serial.length", f"a serial has {RANDOM_SIZE} or {SERIAL_SIZE} characters", length=len(serial))
    return serial


def group(serial: str) -> str:
    """`XXXXX-XXXXX-XXXXX-XXXXX`, as printed below the symbol (two groups for the random part). Raises Malformed."""
    if not (_is_serial(serial, SERIAL_SIZE) or _is_serial(serial, RANDOM_SIZE)):
        raise Malformed("serial.form", f"a serial is {RANDOM_SIZE} or {SERIAL_SIZE} characters of the alphabet")
    return "-".join(serial[i : i + _GROUP] for i in range(0, len(serial), _GROUP))


def _is_separator(typed: str) -> bool:
    """Also what a copied text brings along unseen: every kind of space and dash, and zero-width characters."""
    form = unicodedata.normalize("NFKC", typed)
    return form in _SEPARATORS or all(unicodedata.category(part) in ("Zs", "Pd", "Cf") for part in form)


def _read_character(typed: str) -> str | None:
    """One of ALPHABET, or None; read one by one, `ß` is refused, since its upper case `SS` is no single character."""
    form = unicodedata.normalize("NFKC", typed).upper()
    character = _MISREAD.get(form, form)
    return character if character in _SYMBOLS else None
