"""One accepted spelling each: base64url without padding (RFC 4648 section 5), base64 with padding, decimal."""

from __future__ import annotations

import base64
import binascii

from .errors import Malformed


def b64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def unb64url(text: object, size: int, rule: str) -> bytes:
    """Read exactly `size` bytes. Raises Malformed under `rule`.

    The printed-back comparison refuses padding, foreign characters and unused bits that are not zero, all of which
    Python's decoder lets pass.
    """
    if not isinstance(text, str) or len(text) != (size * 4 + 2) // 3 or not text.isascii():
        raise Malformed(rule, f"not base64url of {size} bytes")
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error as error:
        raise Malformed(rule, f"not base64url of {size} bytes") from error
    if len(data) != size or b64url(data) != text:
        raise Malformed(rule, f"not the one base64url spelling of {size} bytes")
    return data


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def unb64(text: str, rule: str, size: int | None = None) -> bytes:
    """Read standard base64 with its padding (RFC 4648 section 4), of exactly `size` bytes when told.

    Raises Malformed under `rule` for every other spelling. The caller has bounded the length of the text.
    """
    if size is not None and len(text) != (size + 2) // 3 * 4:
        raise Malformed(rule, f"not base64 of {size} bytes")
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except ValueError as error:
        # binascii.Error and UnicodeEncodeError are both ValueErrors.
        raise Malformed(rule, "not base64") from error
    if b64(data) != text or size not in (None, len(data)):
        raise Malformed(rule, "not the one base64 spelling of these bytes")
    return data


def undecimal(text: str, rule: str, limit: int) -> int:
    """Read an exact decimal from 0 to `limit`: no sign, no space, no leading zero. Raises Malformed under `rule`."""
    if not text.isascii() or not text.isdigit() or len(text) > len(str(limit)):
        raise Malformed(rule, f"not a decimal number up to {limit}")
    number = int(text)
    if str(number) != text or number > limit:
        raise Malformed(rule, f"not the one spelling of a number up to {limit}")
    return number
