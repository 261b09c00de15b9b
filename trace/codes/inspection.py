"""One code in all its forms, or what is wrong with it: the facts behind `lotseal code inspect`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..errors import Invalid, Message, Problem
from .digital_link import print_link
from .element_string import print_bracketed, print_element_string
from .model import Code, Kind
from .reading import kind_of, read
from .scan import print_scan_data

Words = Callable[[Message], str]


def inspect(text: str, kind: Kind | None = None, *, associations: bool = True, words: Words = str) -> dict[str, Any]:
    """Facts that fit into JSON: `input`, `ok`, `kind`, `ai` (pairs), `canonical`, `bracketed`, `element_string`,
    `scan_data` and `errors`. A form that does not exist is None. `words` makes sentences of messages."""
    try:
        code = read(text, kind, associations=associations)
    except Invalid as refusal:
        return refused(text, kind or kind_of(text), refusal.problems, words)
    return _understood(text, code)


def _understood(text: str, code: Code) -> dict[str, Any]:
    elements = code.elements
    return {
        "input": text,
        "ok": True,
        "kind": code.kind,
        "ai": elements,
        "canonical": print_link(elements, any_row=code.stem is not None) if elements else None,
        "bracketed": print_bracketed(elements) if elements else None,
        "element_string": print_element_string(elements) if elements else None,
        "scan_data": print_scan_data(code),
        "errors": [],
    }


def refused(text: str | None, kind: Kind | None, problems: Sequence[Problem], words: Words = str) -> dict[str, Any]:
    """The same facts for a text that is no code."""
    return {
        "input": text,
        "ok": False,
        "kind": kind,
        "ai": [],
        "canonical": None,
        "bracketed": None,
        "element_string": None,
        "scan_data": None,
        "errors": [
            {
                "ai": problem.field,
                "rule": problem.rule,
                "position": problem.message.values.get("position"),
                "message": words(problem.message),
            }
            for problem in problems
        ],
    }
