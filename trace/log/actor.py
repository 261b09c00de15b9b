"""Who acts."""

from __future__ import annotations

from typing import Protocol


class Actor(Protocol):
    """An account, or the command line of the operator."""

    @property
    def ref(self) -> str: ...

    @property
    def name(self) -> str: ...
