"""Canonical JSON (RFC 8785, JCS) and the hash of bytes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any, Final, cast

import rfc8785

from .errors import Malformed

MAX_BYTES: Final = 1_048_576
MAX_DEPTH: Final = 64

_Container = dict[Any, object] | list[object] | tuple[object, ...]


def canonical_json(obj: object) -> bytes:
    """The one byte form of a JSON value. Raises Malformed.

    Accepted are None, bool, int within ±(2**53 - 1), finite float, str without lone surrogates, list, tuple and dict
    with str keys, at most MAX_DEPTH levels deep and MAX_BYTES long.
    """
    _refuse_depth(obj)
    try:
        data = rfc8785.dumps(cast("Any", obj))
    except ValueError as error:
        # CanonicalizationError is a ValueError, and so is the UnicodeEncodeError of a lone surrogate in a key.
        raise Malformed("json.value", f"not a value of canonical JSON: {error}") from error
    if len(data) > MAX_BYTES:
        raise Malformed("json.size", f"canonical JSON is longer than {MAX_BYTES} bytes", limit=MAX_BYTES)
    return data


def parse_canonical(data: bytes) -> object:
    """Read JSON that is already canonical; any other spelling of the same value raises Malformed.

    Printing back is the whole check: it refuses spaces, other key orders, keys given twice, other escapes and other
    spellings of numbers at once. A whole float of 2**53 or more is refused too: the form prints it like an
    integer, and nothing tells the two apart on the way back.
    """
    if len(data) > MAX_BYTES:
        raise Malformed("json.size", f"canonical JSON is longer than {MAX_BYTES} bytes", limit=MAX_BYTES)
    try:
        value: object = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise Malformed("json.syntax", "not JSON in UTF-8") from error
    if canonical_json(value) != data:
        raise Malformed("json.canonical", "JSON is not in its canonical form")
    return value


def sha256_hex(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _refuse_depth(obj: object) -> None:
    """Walk level by level, so that a deep or circular value cannot exhaust the stack of the printer."""
    level = _containers([obj])
    for _ in range(MAX_DEPTH):
        if sum(map(len, level)) > MAX_BYTES:
            # Each value prints as one byte or more. Counting before walking on also ends the growth of a circular one.
            raise Malformed("json.size", f"canonical JSON is longer than {MAX_BYTES} bytes", limit=MAX_BYTES)
        level = [inner for outer in level for inner in _containers(_children(outer))]
    if level:
        raise Malformed("json.depth", f"JSON is nested deeper than {MAX_DEPTH} levels", limit=MAX_DEPTH)


def _containers(values: Iterable[object]) -> list[_Container]:
    return [value for value in values if isinstance(value, (dict, list, tuple))]


def _children(container: _Container) -> Iterable[object]:
    return container.values() if isinstance(container, dict) else container
