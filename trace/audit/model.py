"""What an auditor is told."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Finding:
    """One difference. `rule` is a permanent word; `logged` and `recorded` are plain JSON, None where there is nothing.

    record.differs   a row says something else than its history
    record.missing   the log knows a thing that has no row
    record.unlogged  a row that the log knows nothing of
    record.unsound   a row that contradicts itself: a signature or a hash does not fit
    file.differs     the bytes in the storage are gone or are not those that were logged
    act.missing      an entry whose audit act is gone
    act.differs      an audit act that says something else than its entry
    act.unlogged     an audit act whose entry is not there
    entry.missing    an entry of the log that the store does not hold
    entry.differs    an entry of the store that is not the one in the log
    entry.unreadable an entry whose document does not say what such an act has to say
    head.differs     head or checkpoint of the store do not fit its entries
    """

    rule: str
    chain: str
    subject: str
    field: str
    logged: Any
    recorded: Any

    def document(self) -> dict[str, Any]:
        """As plain JSON."""
        return asdict(self)
