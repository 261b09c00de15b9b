"""The only place that asks for the time."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> datetime:
    """This moment in UTC, to the microsecond, with its offset."""
    return datetime.now(UTC)
