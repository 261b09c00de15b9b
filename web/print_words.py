"""The words of print runs: what is made, with which symbol, and what scanning labels back has shown."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from flask_babel import lazy_gettext as _l

from .words import Label

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask_babel.speaklater import LazyString

OUTPUTS: Final[Mapping[str, LazyString]] = MappingProxyType(
    {
        "pdf": _l("Sheets as PDF"),
        "zpl": _l("Single labels as ZPL, drawn here"),
        "zpl-data": _l("Single labels as ZPL, symbol by the printer"),
        "png": _l("Single labels as PNG in a ZIP"),
        "csv": _l("Table for a printing house (CSV)"),
    }
)

CARRIERS: Final[Mapping[str, LazyString]] = MappingProxyType(
    {
        "qr": _l("QR code with the address"),
        "data-matrix": _l("Data Matrix with the address"),
        "gs1-data-matrix": _l("GS1 DataMatrix, numbers only"),
    }
)

FIELDS: Final[Mapping[str, LazyString]] = MappingProxyType(
    {
        "name": _l("Name"),
        "other-name": _l("Name in the other language"),
        "lot": _l("Batch number"),
        "expiry": _l("Best before"),
        "serial": _l("Serial number"),
        "host": _l("Web address"),
    }
)

VERIFICATIONS: Final[Mapping[str, Label]] = MappingProxyType(
    {
        "unverified": Label("question", "warn", _l("Not scanned back")),
        "verified": Label("check", "ok", _l("Scanned back")),
        "mismatch": Label("cross", "bad", _l("Wrong label scanned")),
    }
)
