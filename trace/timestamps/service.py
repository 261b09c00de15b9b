"""One stamp from one authority, verified before it is believed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from cryptography.x509 import Certificate

from ...signing import timestamp
from ...signing.errors import SigningError
from ...signing.timestamp import Stamp
from .. import outbound
from ..errors import Message, Problem, Unavailable, say

TIMEOUT_S: Final = 20


def roots(path: Path) -> list[Certificate]:
    """The root certificates that the operator trusts for stamps. Raises `Unavailable` when the file has none."""
    try:
        with path.open("rb") as file:
            pem = file.read(timestamp.MAX_ROOTS + 1)
    except OSError as error:
        raise _bad_roots(path) from error
    try:
        return timestamp.parse_roots(pem)
    except SigningError as error:
        raise _bad_roots(path) from error


def stamp(data: bytes, url: str, trusted: Sequence[Certificate], *, timeout_s: float = TIMEOUT_S) -> Stamp:
    """A token over these bytes and its time.

    Raises `Invalid` for an unfit address, `Unavailable` when nobody answers, when the authority refuses, or when what
    it answers is not signed by one of the trusted roots for this very request.
    """
    request = timestamp.make_request(data)
    answer = outbound.post(
        url, request.der, media_type=timestamp.REQUEST_TYPE, limit=timestamp.MAX_RESPONSE, timeout_s=timeout_s
    )
    host = urlsplit(url).netloc
    if answer.status != 200 or answer.media_type != timestamp.RESPONSE_TYPE:
        raise _unavailable("timestamp.refused", say("The time-stamp authority %(host)s gave no stamp.", host=host))
    try:
        return timestamp.verify_response(answer.body, request, data, trusted)
    except SigningError as error:
        sentence = say(
            "The stamp of %(host)s does not verify (%(rule)s). Compare LOTSEAL_TSA_ROOTS with the authority's root.",
            host=host,
            rule=error.rule,
        )
        raise _unavailable(error.rule, sentence) from error


def _bad_roots(path: Path) -> Unavailable:
    sentence = say("The file %(path)s holds no root certificates in PEM form. Set LOTSEAL_TSA_ROOTS anew.", path=path)
    return _unavailable("timestamp.roots", sentence)


def _unavailable(rule: str, message: Message) -> Unavailable:
    return Unavailable(Problem(None, rule, message))
