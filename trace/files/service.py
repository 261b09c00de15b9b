"""Take an upload in: inspect it in the bounded child, store the bytes, and only then write its row."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..log import Actor
from .inspect import PageImage, inspect_document, inspect_picture
from .models import StoredFile
from .signatures import Root, Signatures, State, judge
from .storage import LocalStorage


@dataclass(frozen=True)
class TakenIn:
    """A file whose bytes are stored and whose row is still to be written."""

    sha256: str
    size: int
    kind: str
    name: str
    pages: int
    has_text_layer: bool
    page_images: list[dict[str, Any]]
    signatures: dict[str, Any] | None = None


def take_in_document(storage: LocalStorage, upload: Path, name: str, roots: Sequence[Root], *, at: datetime) -> TakenIn:
    """Inspect and store a certificate; signatures in it are judged against the pinned `roots`, certificates of signers
    for the moment `at`. Raises `Invalid` when it is refused; then nothing is stored."""
    with tempfile.TemporaryDirectory(prefix="lotseal-") as folder:
        facts = inspect_document(upload, Path(folder), original_name=name)
        stored = storage.put(upload)
        images = [_put(storage, image) for image in facts.page_images]
        # What was stored is judged, not what lies in somebody's folder.
        found = judge(storage.path(stored.sha256), roots, at=at) if facts.signed else Signatures(State.NONE)
    return TakenIn(
        stored.sha256,
        stored.size,
        facts.kind,
        facts.original_name,
        facts.pages,
        facts.has_text_layer,
        images,
        found.plain() if facts.kind == "pdf" else None,
    )


def look_at_document(upload: Path, name: str) -> None:
    """Inspect a certificate without storing it: raises `Invalid` as `take_in_document` would."""
    with tempfile.TemporaryDirectory(prefix="lotseal-") as folder:
        inspect_document(upload, Path(folder), original_name=name)


def take_in_picture(storage: LocalStorage, upload: Path) -> tuple[str, str]:
    """Inspect and store a product picture; SHA-256 of the small page picture and of the bytes as they came."""
    with tempfile.TemporaryDirectory(prefix="lotseal-") as folder:
        facts = inspect_picture(upload, Path(folder))
        original = storage.put(upload)
        return storage.put(facts.small.path).sha256, original.sha256


def _put(storage: LocalStorage, image: PageImage) -> dict[str, Any]:
    stored = storage.put(image.path)
    return {"sha256": stored.sha256, "width": image.width, "height": image.height, "size": stored.size}


def keep(session: Session, taken: TakenIn, *, by: Actor, at: datetime) -> StoredFile:
    """The row of a file that was taken in; the same bytes have one row."""
    row = session.scalar(select(StoredFile).where(StoredFile.sha256 == taken.sha256))
    if row is None:
        row = StoredFile(**vars(taken), added_at=at, added_by=by.name)
        session.add(row)
        session.flush()
    return row
