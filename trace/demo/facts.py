"""What a demo has to tell: links, accounts, batches. Written beside the demo without the passwords."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..errors import conflict, say

MARKER = "demo.json"
_FORMAT = 1


@dataclass(frozen=True)
class CodeFact:
    """A ready link. `state` is the verdict's word or `typed-with-mistake`; `serial` is None where there is none."""

    state: str
    url: str
    serial: str | None


@dataclass(frozen=True)
class AccountFact:
    """`password` is known only to the run that made the demo."""

    role: str
    login: str
    password: str | None


@dataclass(frozen=True)
class BatchFact:
    gtin: str
    lot: str
    state: str


@dataclass(frozen=True)
class DemoFacts:
    data: Path
    codes: tuple[CodeFact, ...]
    accounts: tuple[AccountFact, ...]
    batches: tuple[BatchFact, ...]

    def as_json(self) -> dict[str, Any]:
        return {
            "codes": [asdict(code) for code in self.codes],
            "accounts": [asdict(account) for account in self.accounts],
            "batches": [asdict(batch) for batch in self.batches],
            "data": str(self.data),
        }


def write_marker(folder: Path, facts: DemoFacts) -> None:
    """Leave the facts in the data folder, without passwords and without a path: the folder may be moved."""
    told = facts.as_json()
    del told["data"]
    for account in told["accounts"]:
        account["password"] = None
    text = json.dumps({"format": _FORMAT, **told}, ensure_ascii=False, indent=1) + "\n"
    descriptor = os.open(folder / MARKER, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)


def load(data: Path) -> DemoFacts | None:
    """The finished demo in this folder, its accounts without passwords; None when there is none.

    Raises `Conflict` when the marker is there and cannot be read.
    """
    data = data.expanduser().absolute()
    try:
        told = json.loads((data / MARKER).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError):
        raise _unreadable(data) from None
    try:
        return DemoFacts(
            data,
            tuple(CodeFact(**code) for code in told["codes"]),
            tuple(AccountFact(**account) for account in told["accounts"]),
            tuple(BatchFact(**batch) for batch in told["batches"]),
        )
    except (KeyError, TypeError):
        raise _unreadable(data) from None


def _unreadable(data: Path) -> Exception:
    return conflict(
        "demo.marker",
        say("The file %(path)s cannot be read. Remove the folder and build the demo anew.", path=data / MARKER),
        field="data",
    )
