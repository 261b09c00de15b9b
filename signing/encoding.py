"""base64url without padding (RFC 4648 section 5, RFC 7515 section 2), one accepted spelling."""

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
