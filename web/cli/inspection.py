"""What `lotseal certificate inspect` finds in a file, as facts for programs and people."""

from __future__ import annotations

import errno
import hashlib
import os
import tempfile
from pathlib import Path
from typing import Any

from ...trace import clock
from ...trace.errors import Invalid, Problem, Unavailable, invalid, say
from ...trace.files import bounds, signatures
from ...trace.files.findings import Purpose
from ...trace.files.inspect import DocumentFacts, inspect_document, type_of
from ...trace.files.signatures import Root, Signatures, State
from ...trace.labs.roots import MOST_BYTES, ReadRoot, read_roots
from .context import translated

REFUSED_FILE = 3
"""The exit code for a refused file. Other commands mean «not available just now» by it; here the key `acceptable`
tells the two apart."""

ENDINGS = (".pem", ".crt", ".cer", ".der")

Facts = dict[str, Any]


def inspect(file: Path, folder: Path | None) -> Facts:
    """Facts of a regular file, also of one that is refused. Raises `Invalid` for a root that is none, and `Unavailable`
    also for a file or folder that cannot be read: programs then get a document, as a wrong usage would not give."""
    shown = os.fsencode(file.name).decode("utf-8", "replace")
    try:
        roots = roots_in(folder) if folder else []
        # A pipe or a device may never end, and nobody uploads one.
        if not file.is_file() and file.exists():
            raise OSError(errno.EINVAL, translated(say("not a regular file")), str(file))
        size = file.stat().st_size
        facts: Facts = {"file": shown, "size": size, "sha256": _sha256(file, size), "type": type_of(file)}
    except OSError as error:
        sentence = say(
            "The file %(path)s cannot be read: %(reason)s.", path=error.filename or file, reason=error.strerror or ""
        )
        raise Unavailable(Problem("file", "file.unreadable", sentence)) from error
    with tempfile.TemporaryDirectory(prefix="lotseal-") as name:
        # The parsers want a name that is text, which not every name is.
        link = Path(name) / "upload"
        link.symlink_to(file.absolute())
        try:
            found = inspect_document(link, Path(name), original_name=shown)
        except Invalid as error:
            return facts | _refused(error)
        return facts | _accepted(found, _signatures(link, found, roots))


def _sha256(file: Path, size: int) -> str | None:
    """None for a file that is refused for its size alone: it may have no end."""
    if size > bounds.MAX_FILE_BYTES:
        return None
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _signatures(file: Path, found: DocumentFacts, roots: list[Root]) -> Signatures:
    if found.kind != "pdf":
        return Signatures(State.IMPOSSIBLE)
    return signatures.judge(file, roots, at=clock.now()) if found.signed else Signatures(State.NONE)


def _accepted(found: DocumentFacts, seals: Signatures) -> Facts:
    return {
        "type": found.kind,
        "acceptable": True,
        "refused": None,
        "pages": found.pages,
        "page_sizes_mm": [list(size) for size in found.page_sizes_mm],
        "text": {
            "has_text_layer": found.has_text_layer,
            "pages_with_text": sum(1 for text in found.text if text.strip()),
            "characters": sum(len(text) for text in found.text),
        },
        "active_content": [],
        "signatures": seals.plain(),
    }


def _refused(error: Invalid) -> Facts:
    problem = error.problems[0]
    active = str(problem.message.values.get("found", "")).split(", ") if problem.rule == "file.active-content" else []
    refused = {"rule": problem.rule, "message": translated(problem.message), "active_content": active}
    return {
        "acceptable": False,
        "refused": refused,
        "pages": None,
        "page_sizes_mm": [],
        "text": None,
        "active_content": active,
        "signatures": None,
    }


def roots_in(folder: Path) -> list[Root]:
    """Every certificate in the folder, trusted for signatures and for time stamps. Raises `Invalid` that names a file
    which is none."""
    found: list[Root] = []
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in ENDINGS and path.is_file():
            found += [Root(root.der, purpose) for root in _read(path) for purpose in Purpose]
    if not found:
        raise invalid(
            "roots",
            "root.none",
            say("The folder holds no certificate. It takes files that end in .pem, .crt, .cer or .der."),
        )
    roots = list(dict.fromkeys(found))
    if len(roots) > bounds.MAX_ROOTS:
        most = bounds.MAX_ROOTS // len(Purpose)
        raise invalid(
            "roots", "root.too-many", say("The folder holds more than %(most)d certificates. Take some out.", most=most)
        )
    return roots


def _read(path: Path) -> list[ReadRoot]:
    try:
        with path.open("rb") as stream:
            return read_roots(stream.read(MOST_BYTES + 1))
    except Invalid:
        raise invalid(
            "roots", "root.unreadable", say("%(file)s is no certificate in PEM or DER.", file=path.name)
        ) from None
