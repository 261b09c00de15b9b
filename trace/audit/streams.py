"""Rows one after the other, however many there are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import TypeVar

from sqlalchemy import Select
from sqlalchemy.orm import Session

HANDFUL = 500

T = TypeVar("T")


def streamed(session: Session, query: Select[T]) -> Iterator[T]:
    """A handful in memory at a time. A reader that stops early leaves no cursor open."""
    with closing(session.scalars(query.execution_options(yield_per=HANDFUL))) as rows:
        yield from rows
