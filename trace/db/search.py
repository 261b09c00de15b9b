"""Search for a text in several columns."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, func, or_
from sqlalchemy.orm import InstrumentedAttribute


def containing(search: str, *columns: InstrumentedAttribute[Any]) -> ColumnElement[bool]:
    """Whether one of the columns holds the text, in any case. `%` and `_` mean themselves."""
    # PostgreSQL refuses a text with a NUL character; no column holds one.
    plain = search.replace("\0", "").lower()
    return or_(*(func.lower(column).contains(plain, autoescape=True) for column in columns))
