"""Everything at once: entries, acts, records."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...signing.vkeys import VerifierKey
from ..files.storage import LocalStorage
from ..keys.verifiers import log_keys_ever
from ..log.models import LogHead
from ..log.shelf import Shelf
from .entries import against_acts, against_tiles
from .model import Finding
from .records import against_records


def check(
    session: Session, shelf: Shelf, storage: LocalStorage, tell: Callable[[int], None] = lambda _done: None
) -> Iterator[Finding]:
    """Hold the store against the published log. `session` must be fresh and see one consistent state, as readers'
    sessions do; reads as it goes and keeps one history at a time. Raises `Unavailable` for files that do not open."""
    published = shelf.published()
    yield from against_tiles(session, shelf, published.size if published else 0, _log_keys(session))
    yield from against_acts(session)
    yield from against_records(session, storage, tell)


def _log_keys(session: Session) -> dict[str, VerifierKey]:
    origin = session.scalar(select(LogHead.origin))
    return log_keys_ever(session, origin) if origin else {}
