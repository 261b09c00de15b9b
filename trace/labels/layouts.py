"""Sheets of labels and single labels, in mm: the common ones by name, own ones by their measures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from math import ceil
from typing import Protocol

from ..carriers import qr
from ..carriers.symbols import FAMILIES, Carrier
from ..errors import Message, invalid, say
from ..intake import Intake

DOT_MM = 25.4 / 300
"""Modules are whole dots of a 300 dpi printer (and of 600 and 1,200 dpi), so all of them print equally wide."""

SMALLEST_MODULE_MM = 0.33
SMALLEST_SYMBOL_MM = 15.0
SMALLEST_LARGE_SYMBOL_MM = 20.0
LARGE_FROM_VERSION = 5
"""Symbols up to version 4 (tier A) are at least 15 mm, larger ones (tier B) at least 20 mm, without quiet zone."""

_EPSILON = 1e-6


@dataclass(frozen=True)
class Layout:
    """A sheet of equal labels in mm. `safe` is the inner margin that a printer's drift may eat.

    `left` and `top` are the first label's corner, the gaps are between neighbours. `symbol` is the width for the dark
    square and the quiet zone on its right, counted from the safe margin.
    """

    page_width: float
    page_height: float
    columns: int
    rows: int
    label_width: float
    label_height: float
    left: float
    top: float
    safe: float
    symbol: float
    gap_x: float = 0.0
    gap_y: float = 0.0

    @property
    def per_page(self) -> int:
        return self.columns * self.rows

    @property
    def measures(self) -> str:
        """`3 × 8, 70 × 37 mm`: the same in every language."""
        return f"{self.columns} × {self.rows}, {self.label_width:g} × {self.label_height:g} mm"

    def corner(self, position: int) -> tuple[float, float]:
        """Left and top edge in mm, from the page's top left, of the label at this position (row by row, from 0)."""
        row, column = divmod(position, self.columns)
        return self.left + column * (self.label_width + self.gap_x), self.top + row * (self.label_height + self.gap_y)


def _sheet(
    page: tuple[float, float],
    grid: tuple[int, int],
    label: tuple[float, float],
    corner: tuple[float, float],
    gap: tuple[float, float] = (0, 0),
) -> Layout:
    """A layout with the usual inner measures for its label."""
    safe = 4.0 if label[1] >= 33 else 2.5 if label[1] >= 25 else 2.1
    symbol = min(25.5 if label[1] >= 33 else label[1] - safe, label[0] / 2)
    return Layout(*page, *grid, *label, *corner, safe, symbol, *gap)


def single(width: float, height: float) -> Layout:
    """One label as its own page, as a thermal printer has it."""
    return _sheet((width, height), (1, 1), (width, height), (0, 0))


def without_text(layout: Layout) -> Layout:
    """The same with the whole label for its symbol; the quiet zone on the right and below stays inside it."""
    room = min(layout.label_width, layout.label_height) - layout.safe
    return replace(layout, symbol=max(layout.symbol, room))


_A4, _LETTER = (210.0, 297.0), (215.9, 279.4)

A4_3X8 = _sheet(_A4, (3, 8), (70, 37), (0, 0.5))

LAYOUTS: Mapping[str, Layout] = {
    "a4-3x8": A4_3X8,
    "a4-2x7": _sheet(_A4, (2, 7), (99.1, 38.1), (4.65, 15.15), (2.5, 0)),
    "a4-3x7": _sheet(_A4, (3, 7), (63.5, 38.1), (7.25, 15.15), (2.5, 0)),
    "a4-4x10": _sheet(_A4, (4, 10), (48.5, 25.4), (8, 21.5)),
    "a4-4x11": _sheet(_A4, (4, 11), (48.5, 25.4), (8, 8.8)),
    "a4-5x13": _sheet(_A4, (5, 13), (38.1, 21.2), (4.75, 10.7), (2.5, 0)),
    "letter-2x5": _sheet(_LETTER, (2, 5), (101.6, 50.8), (3.97, 12.7), (4.76, 0)),
    "letter-3x10": _sheet(_LETTER, (3, 10), (66.675, 25.4), (4.7625, 12.7), (3.175, 0)),
}
"""Permanent words. The measures are those printed on the makers' packs (such as 3422, L7163, L7160, 3657, L7651 for A4
and 5163, 5160 for Letter)."""

_MEASURES: Mapping[str, tuple[int, int, bool]] = {
    # field: least, most, whether it must be given (else it is 0, or the usual safe margin)
    "page_width": (10, 1000, True),
    "page_height": (10, 1500, True),
    "columns": (1, 50, True),
    "rows": (1, 100, True),
    "label_width": (10, 1000, True),
    "label_height": (10, 1500, True),
    "left": (0, 1000, False),
    "top": (0, 1500, False),
    "gap_x": (0, 500, False),
    "gap_y": (0, 500, False),
    "safe": (1, 20, False),
}


def read_layout(raw: Mapping[str, str]) -> Layout:
    """A layout of one's own from fields named as those of Layout, in mm; `safe` has the usual size if it is empty.

    Raises Invalid for a field that is missing or out of its range, and for labels that do not fit on the page.
    """
    intake = Intake(raw)
    numbers = {field: _number(intake, field) for field in _MEASURES}
    for field in ("columns", "rows"):
        if numbers[field] != int(numbers[field]):
            intake.refuse(field, "number.whole", say("Give a whole number."))
    intake.done()
    layout = _sheet(
        (numbers["page_width"], numbers["page_height"]),
        (int(numbers["columns"]), int(numbers["rows"])),
        (numbers["label_width"], numbers["label_height"]),
        (numbers["left"], numbers["top"]),
        (numbers["gap_x"], numbers["gap_y"]),
    )
    if numbers["safe"]:
        layout = _with_safe(layout, numbers["safe"])
    _check_fits(layout)
    return layout


def _number(intake: Intake, field: str) -> float:
    low, high, required = _MEASURES[field]
    number = intake.number(field, required=required, low=Decimal(low), high=Decimal(high))
    return float(number) if number is not None else 0.0


def _with_safe(layout: Layout, safe: float) -> Layout:
    symbol = min(layout.symbol, layout.label_height - safe, layout.label_width - 2 * safe)
    if 2 * safe >= min(layout.label_width, layout.label_height):
        raise invalid("safe", "layout.safe", say("The margin leaves no room on the label; make it smaller."))
    return replace(layout, safe=safe, symbol=symbol)


def _check_fits(layout: Layout) -> None:
    """Raises Invalid (`layout.page`) that names needed and available mm."""
    right, bottom = layout.corner(layout.per_page - 1)
    for field, needed, available in (
        ("page_width", right + layout.label_width, layout.page_width),
        ("page_height", bottom + layout.label_height, layout.page_height),
    ):
        if needed > available + 0.05:  # makers round their measures to a tenth of a millimetre
            raise invalid(
                field,
                "layout.page",
                say(
                    "The labels need %(needed)s mm, the page has %(available)s mm. "
                    "Take fewer or smaller labels, smaller gaps, or a larger page.",
                    needed=f"{needed:.1f}",
                    available=f"{available:.1f}",
                ),
            )


def check_start(start: int, layout: Layout) -> None:
    """Raises Invalid (`label.start`) unless `start` labels, from 0, leave at least one place on the first sheet."""
    if not 0 <= start < layout.per_page:
        raise invalid(
            "start",
            "label.start",
            say("The first label is at position 1 to %(last)s of the sheet.", last=layout.per_page),
        )


@dataclass(frozen=True)
class Room:
    """Width in mm, with the quiet zone, that a symbol needs to be scanned well and that a label has for it."""

    needed: float
    available: float

    @property
    def enough(self) -> bool:
        return self.needed <= self.available + _EPSILON

    @property
    def warning(self) -> Message | None:
        """None if there is room enough."""
        if self.enough:
            return None
        return say(
            "The code needs %(needed)s mm with its margin, the label has %(available)s mm. "
            "Use a larger label or a shorter code.",
            needed=f"{self.needed:.1f}",
            available=f"{self.available:.1f}",
        )


def room(version: int, layout: Layout, dot_mm: float = DOT_MM) -> Room:
    """What a QR symbol of this version needs and what the label has, for printers with dots of this size."""
    return room_of(17 + 4 * version, layout, dot_mm)


def room_of(side: int, layout: Layout, dot_mm: float = DOT_MM, carrier: Carrier = Carrier.QR) -> Room:
    """The same for a square symbol of so many modules.

    Needed: modules of whole dots, at least 0.33 mm; for QR codes also a dark square of at least 15 mm up to version 4,
    else 20 mm. A Data Matrix is found by its solid edges, so only its modules count.
    """
    smallest = 0.0
    if FAMILIES[carrier].format == FAMILIES[Carrier.QR].format:
        smallest = SMALLEST_SYMBOL_MM if side < 17 + 4 * LARGE_FROM_VERSION else SMALLEST_LARGE_SYMBOL_MM
    dots = ceil(max(SMALLEST_MODULE_MM, smallest / side) / dot_mm - _EPSILON)
    with_quiet = side + 2 * FAMILIES[carrier].quiet[0]
    return Room(dots * dot_mm * with_quiet, _largest_module(side, layout, carrier) * with_quiet)


def room_for(text: str, layout: Layout, dot_mm: float = DOT_MM) -> Room:
    """The same for the QR code of a text; raises Invalid as `qr.make` does."""
    return room(qr.plan(text)[0], layout, dot_mm)


def _largest_module(side: int, layout: Layout, carrier: Carrier) -> float:
    """The quiet zone lies in the safe margin on the left and above, and inside the label below."""
    quiet = FAMILIES[carrier].quiet[0]
    beside = side + quiet
    largest = min(layout.symbol / beside, layout.safe / quiet, (layout.label_height - layout.safe) / beside)
    # The General Specifications end the range of a Data Matrix there; for QR codes of an address any size is read.
    return largest if carrier == Carrier.QR else min(largest, FAMILIES[carrier].largest_mm)


@dataclass(frozen=True)
class Placed:
    """Where a symbol's dark square lies on its label, in mm from the label's top left."""

    left: float
    top: float
    module: float
    side: float


class Sized(Protocol):
    """A square symbol in any form: its text and its modules on each side without quiet zone."""

    @property
    def text(self) -> str: ...

    @property
    def side(self) -> int: ...


def place(symbol: Sized, layout: Layout = A4_3X8, dot_mm: float = DOT_MM, carrier: Carrier = Carrier.QR) -> Placed:
    """The largest module of whole printer dots at which the symbol with its quiet zone stays inside the label.

    Raises Invalid (`label.symbol-size`) if that is less than `room_of` says it needs.
    """
    side = symbol.side
    has = room_of(side, layout, dot_mm, carrier)
    if not has.enough:
        raise invalid(
            "uri",
            "label.symbol-size",
            say(
                "The code of %(length)s characters would be too fine to scan on this label: it needs %(needed)s mm "
                "with its margin, the label has %(available)s mm. Use a larger label or a shorter code.",
                length=len(symbol.text),
                needed=f"{has.needed:.1f}",
                available=f"{has.available:.1f}",
            ),
        )
    module = int(_largest_module(side, layout, carrier) / dot_mm + _EPSILON) * dot_mm
    return Placed(layout.safe, layout.safe, module, module * side)
