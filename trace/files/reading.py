"""Inside the child: from a request to its answer, whatever the parsers do."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from . import pdfs, pictures, symbols
from .bounds import Refused


def answer(request: Mapping[str, Any], folder: Path) -> dict[str, object]:
    """The facts of the file, or the rule it breaks. Every failure of a parser is a broken rule of the file."""
    try:
        return _read(request, folder)
    except Refused as refused:
        return {"refused": refused.rule, "values": refused.values}
    except (MemoryError, RecursionError):
        return {"refused": "file.too-complex", "values": {}}
    except Exception:
        # Hostile bytes can make a parser raise anything at all; that it did is the finding.
        return {"refused": "file.damaged", "values": {}}


def _read(request: Mapping[str, Any], folder: Path) -> dict[str, object]:
    path, kind = Path(request["path"]), request["kind"]
    if request["task"] == "picture":
        return pictures.read_picture(path, kind, folder)
    if request["task"] == "symbols":
        return symbols.read_symbols(path, kind)
    if request["task"] == "signatures":
        # Loaded only here: the library behind it takes longer to load than an ordinary upload to read.
        from . import signed

        return signed.read_signatures(path, request["roots"], request["at"])
    if kind == "pdf":
        return pdfs.read_document(path, folder)
    return pictures.read_document(path, kind, folder)
