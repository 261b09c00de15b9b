"""Stored files as answers: page images to look at, originals only as attachments that no browser runs."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import Response, abort, request, send_file

from ..trace.errors import Problem, Unavailable, invalid, say
from ..trace.files.models import StoredFile
from .caching import one_copy
from .system import system

MEDIA_TYPES = {"pdf": "application/pdf", "png": "image/png", "jpeg": "image/jpeg", "webp": "image/webp"}
KEPT = "public, max-age=31536000, immutable"


def stored_image(sha256: str, *, private: bool = False) -> Response:
    """An image that this service made itself, under an address that names its content."""
    response = send_file(stored_file(sha256), mimetype="image/webp", etag=sha256, conditional=True)
    response.headers["Cache-Control"] = "private, no-store" if private else KEPT
    return response if private else one_copy(response)


def stored_file(sha256: str) -> Path:
    """Where the bytes lie. Raises `Unavailable` when a row is there and its file is not."""
    if not system().storage.exists(sha256):
        sentence = say("The file behind this record is missing from the storage. Tell the operator; backups have it.")
        raise Unavailable(Problem(None, "file.lost", sentence))
    return system().storage.path(sha256)


def page_image(file: StoredFile, number: int, *, private: bool = False) -> Response:
    """Page `number` of a certificate, counted from 1."""
    if not 1 <= number <= len(file.page_images):
        abort(404)
    response = stored_image(file.page_images[number - 1]["sha256"], private=private)
    if not private:
        # A withdrawn report of a batch that was never released is not shown; so pages are kept for a day only.
        response.headers["Cache-Control"] = "public, max-age=86400"
    return response


def original(file: StoredFile) -> Response:
    """The bytes as they came: never shown inside a page, never run."""
    response = send_file(
        stored_file(file.sha256),
        mimetype=MEDIA_TYPES[file.kind],
        as_attachment=True,
        download_name=file.name,
        etag=file.sha256,
        conditional=True,
    )
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.headers["Cache-Control"] = "private, no-store"
    return response


@contextmanager
def uploaded(field: str) -> Iterator[tuple[Path, str]]:
    """The uploaded file of a form field as a temporary path and its name. Raises `Invalid` when none was chosen."""
    file = request.files.get(field)
    if file is None or not file.filename:
        raise invalid(field, "file.missing", say("Choose a file."))
    with tempfile.TemporaryDirectory(prefix="lotseal-") as folder:
        path = Path(folder) / "upload"
        file.save(path)
        yield path, file.filename
