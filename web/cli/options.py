"""Options that are named like the fields they fill, and what of them was given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


def fields(**helps: str) -> Callable[[F], F]:
    """One text option per field: `name_zh="…"` becomes `--name-zh TEXT`. What a field needs is for the business to say,
    so none is required here and every problem is told at once."""

    def decorate(command: F) -> F:
        for name, text in reversed(helps.items()):
            command = click.option(f"--{name.replace('_', '-')}", name, default=None, metavar="TEXT", help=text)(
                command
            )
        return command

    return decorate


def given(raw: Mapping[str, object]) -> dict[str, str]:
    """The fields that were given; a flag that is set counts as `1`."""
    found = {}
    for name, value in raw.items():
        if value is True:
            found[name] = "1"
        elif value not in (None, False):
            found[name] = str(value)
    return found


def batch_arguments(command: F) -> F:
    """GTIN and LOT, in this order."""
    return click.argument("gtin", metavar="GTIN")(click.argument("lot", metavar="LOT")(command))


def search_options(command: F) -> F:
    """How a list is narrowed and bounded."""
    command = click.option(
        "--limit", type=click.IntRange(1, 10_000), default=100, show_default=True, help="At most so many."
    )(command)
    return click.option("--search", default="", metavar="TEXT", help="Only what contains this text.")(command)
