"""What stands where on a label: pieces of text on one baseline grid, for sheets, pictures and thermal printers alike.

A label has the symbol on the left and, under it where there is room, the host; on the right three groups on one
baseline grid: up to three lines for the two names, lot and expiry, and the serial. Where the label is low, the grid has
fewer lines for names and smaller letters. All of it is black: small grey letters print as loose dots.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from ..errors import Invalid, invalid, say
from . import font
from .layouts import A4_3X8, Layout
from .typeset import cut, fit, wrap

Language = Literal["zh", "en"]

POINT = 72 / 25.4
"""Points in a millimetre."""

LONGEST_SERIAL = 20


class Field(StrEnum):
    """What can stand on a label beside its symbol. Permanent words."""

    NAME = "name"
    OTHER_NAME = "other-name"
    LOT = "lot"
    EXPIRY = "expiry"
    SERIAL = "serial"
    HOST = "host"


EVERYTHING = frozenset(Field)

_NAME_PT = 9.0
_SECOND_NAME_PT = 7.0
_CAPTION_PT = 5.2
_VALUE_PT = 7.8
_SERIAL_PT = 10.0
_FOOTER_PT = 6.5
_SMALLEST_PT = 5.0
_SMALLEST_CAPTION_PT = 4.0
_NARROWEST = 0.7
_EASY = 0.8
"""A value in this share of its wished size is easy to read."""
_SMALLEST_PAIR_PT = 6.0
"""Two groups of the serial stand in one line as long as its letters keep this size."""
# Distance of two lines at which the letters have their full size, below which names lose lines, and the least.
_FULL_PITCH_PT = 10.6
_NAMED_PITCH_PT = 7.0
_LEAST_PITCH_PT = 5.4
# Cells of the typed serial in shares of its font size. Letters that are wider than `_WIDEST` (M, Q, W) are drawn
# narrower, as in any typewriter face, and the first cell begins a little before the column so that the edges look even.
_CELL = 0.76
_WIDEST = 0.7
_HANG = 0.06
_GROUP_GAP = 0.6
_GROUP = 5
_GUTTER_MM = 0.6

# Longest first: the longest that leaves room for its value is taken.
_CAPTIONS: dict[Language, dict[str, tuple[str, ...]]] = {
    "zh": {"lot": ("批号 / Lot", "批号"), "expiry": ("有效期至 / Best before", "有效期至")},
    "en": {"lot": ("Lot / 批号", "Lot"), "expiry": ("Best before / 有效期至", "Best before", "Exp.")},
}


@dataclass(frozen=True)
class Label:
    """What one label says. `uri` is the text of the symbol, `expiry` a date already written out, `footer` a host."""

    uri: str
    name_zh: str
    name_en: str
    lot: str
    expiry: str
    serial: str
    footer: str = ""


@dataclass(frozen=True)
class Piece:
    """A text at a baseline, in points from the label's top left (y downwards); `scale` is its horizontal scale."""

    x: float
    y: float
    text: str
    size: float
    scale: float = 1.0


class Composer:
    """The grid of one layout, language and choice of fields.

    Raises Invalid (`label.fields`) if the label is too small for the fields.
    """

    def __init__(
        self, layout: Layout = A4_3X8, language: Language = "zh", fields: frozenset[Field] = EVERYTHING
    ) -> None:
        self.layout, self.language, self.fields = layout, language, fields
        self._left = (layout.safe + layout.symbol + _GUTTER_MM) * POINT
        self.width = (layout.label_width - layout.safe) * POINT - self._left
        self._groups_in_line = 2 if self._serial_size(2, _SERIAL_PT) >= _SMALLEST_PAIR_PT else 1
        footer_top = layout.label_height - layout.safe - font.CAP_HEIGHT * _FOOTER_PT / POINT
        self._host_below = footer_top >= layout.safe + layout.symbol
        self._name_lines = {0: 0, 1: 2, 2: 3}[len(fields & {Field.NAME, Field.OTHER_NAME})]
        while True:
            groups = self._groups()
            lines, parts = sum(groups), sum(map(bool, groups))
            self._steps = max(1, 2 * (lines - 1) + parts - 1)
            pitch = self._pitch(_NAME_PT)
            self._factor = min(1.0, pitch / _FULL_PITCH_PT)
            if pitch >= _NAMED_PITCH_PT or self._name_lines <= len(fields & {Field.NAME, Field.OTHER_NAME}):
                break
            self._name_lines -= 1
        if lines and (pitch < _LEAST_PITCH_PT or self.width < 4 * _SMALLEST_PT):
            raise invalid(
                "fields",
                "label.fields",
                say("The label is too small for these fields; choose fewer of them or a larger label."),
            )

    def _groups(self) -> tuple[int, int, int, int]:
        """Lines for names, values, serial and host."""
        serial = LONGEST_SERIAL // _GROUP // self._groups_in_line if Field.SERIAL in self.fields else 0
        host = int(Field.HOST in self.fields and not self._host_below)
        return self._name_lines, len(self.fields & {Field.LOT, Field.EXPIRY}), serial, host

    def _pitch(self, first_pt: float) -> float:
        height = (self.layout.label_height - 2 * self.layout.safe) * POINT - font.CAP_HEIGHT * first_pt
        return 2 * height / self._steps

    def _y(self, step: int) -> float:
        """The first line's capitals touch the safe margin, and the last line stands on it."""
        first = self.layout.safe * POINT + font.CAP_HEIGHT * _NAME_PT * self._factor
        last = (self.layout.label_height - self.layout.safe) * POINT
        return first + step * (last - first) / self._steps

    def _starts(self) -> tuple[int, int, int, int]:
        """The step of the grid on which each group begins: one step more than between lines parts the groups."""
        starts, step = [], 0
        for lines in self._groups():
            starts.append(step)
            step += 2 * lines + bool(lines)
        return starts[0], starts[1], starts[2], starts[3]

    def fixed(self, label: Label) -> Iterator[Piece]:
        """All but the serial: names, lot, expiry and host."""
        names, values, _, host = self._starts()
        for line, (text, size) in enumerate(self._names(label)):
            yield Piece(self._left, self._y(names + 2 * line), text, size)
        chosen = [field for field in ("lot", "expiry") if Field(field) in self.fields]
        for line, field in enumerate(chosen):
            yield from self._value(field, getattr(label, field), self._y(values + 2 * line))
        if Field.HOST in self.fields:
            size = _FOOTER_PT * self._factor
            if self._host_below:
                left, y, width = self.layout.safe * POINT, self._y(self._steps), self.layout.symbol * POINT
            else:
                left, y, width = self._left, self._y(host), self.width
            yield Piece(left, y, cut(label.footer, size, width), size)

    def _names(self, label: Label) -> list[tuple[str, float]]:
        zh_first = self.language == "zh"
        first, second = (label.name_zh, label.name_en) if zh_first else (label.name_en, label.name_zh)
        first, second = first * (Field.NAME in self.fields), second * (Field.OTHER_NAME in self.fields)
        if not first.strip():
            first, second = second, ""
        first_pt, second_pt = _NAME_PT * self._factor, _SECOND_NAME_PT * self._factor
        most = max(1, self._name_lines - 1) if second.strip() else self._name_lines
        lines = [(text, first_pt) for text in wrap(first, first_pt, self.width, min(2, most))] if most else []
        left = self._name_lines - len(lines)
        return lines + ([(text, second_pt) for text in wrap(second, second_pt, self.width, left)] if left else [])

    def _value(self, field: str, text: str, y: float) -> Iterator[Piece]:
        """Caption on the left, value on the right edge, so that both values end in one line."""
        caption_pt = max(_SMALLEST_CAPTION_PT, _CAPTION_PT * self._factor)
        wished = _VALUE_PT * self._factor
        fittings = []
        for caption in _CAPTIONS[self.language][field]:
            room = self.width - font.width(caption + "  ", caption_pt)
            fitting = fit(text, wished, _SMALLEST_PT, _NARROWEST, room) if room > 0 else None
            if fitting is not None:
                fittings.append((caption, *fitting))
        # A shorter caption rather than a value in small or narrow letters; else as much caption as there is room for.
        easy = [found for found in fittings if found[1] >= _EASY * wished and found[2] == 1.0]
        for caption, size, scale in (easy or fittings)[:1]:
            yield Piece(self._left, y, caption, caption_pt)
            yield Piece(self._left + self.width - font.width(text, size) * scale, y, text, size, scale)
            return
        raise invalid(
            field,
            "label.text-length",
            say(
                "“%(value)s” is too long for the label and must not be cut; shorten it or use a larger label.",
                value=text,
            ),
        )

    def _serial_size(self, groups: int, largest: float) -> float:
        """Size of the serial's letters; the cells are the same for every letter, so only their number counts."""
        return min(largest, self.width / (groups * _GROUP * _CELL + (groups - 1) * _GROUP_GAP))

    def serial_size(self) -> float:
        """Size in points of the typed serial's letters."""
        return self._serial_size(self._groups_in_line, _SERIAL_PT * self._factor)

    def serial(self, serial: str) -> Iterator[Piece]:
        """Each letter stands in the middle of its cell, so that groups can be compared column by column."""
        if Field.SERIAL not in self.fields:
            return
        in_line = self._groups_in_line * _GROUP
        for at, character in enumerate(serial):
            yield self.serial_letter(at // in_line, at % in_line, character)

    def serial_letter(self, line: int, cell: int, character: str) -> Piece:
        size = self.serial_size()
        natural = font.width(character, size)
        scale = min(1.0, _WIDEST * size / natural)
        x = self._left + size * (cell * _CELL + cell // _GROUP * _GROUP_GAP - _HANG)
        return Piece(
            x + (_CELL * size - natural * scale) / 2, self._y(self._starts()[2] + 2 * line), character, size, scale
        )

    def pieces(self, label: Label) -> list[Piece]:
        """Every text of the label, checked; raises Invalid as `check` does."""
        self.check(label)
        return [*self.fixed(label), *self.serial(label.serial)]

    def check(self, label: Label) -> None:
        """Raise Invalid if the label cannot be printed whole: characters the font lacks, or a text not to be cut.

        Names and footer are shortened with an ellipsis; lot, expiry date and serial never are.
        """
        for field in ("name_zh", "name_en", "lot", "expiry", "serial", "footer"):
            _check_characters(field, getattr(label, field))
        self.check_serial(label.serial)
        list(self.fixed(label))

    def check_serial(self, serial: str) -> None:
        _check_characters("serial", serial)
        if len(serial) > LONGEST_SERIAL:
            raise invalid(
                "serial",
                "label.serial-length",
                say("A serial on a label has at most %(most)s characters.", most=LONGEST_SERIAL),
            )


def usual_fields(layout: Layout, language: Language = "zh") -> frozenset[Field]:
    """As many fields as the label has room for; given up first: the other name, the host, the name, the expiry date.

    Raises Invalid (`label.fields`) if not even lot and serial fit.
    """
    fields = EVERYTHING
    for given_up in (Field.OTHER_NAME, Field.HOST, Field.NAME, Field.EXPIRY):
        try:
            return Composer(layout, language, fields).fields
        except Invalid:
            fields -= {given_up}
    return Composer(layout, language, fields).fields


def _check_characters(field: str, text: str) -> None:
    missing = font.covers(text)
    if missing:
        raise invalid(
            field,
            "label.characters",
            say(
                "The label font cannot print these characters: %(characters)s. Leave them out.",
                characters=" ".join(c if c.isprintable() else f"U+{ord(c):04X}" for c in missing[:10]),
            ),
        )
