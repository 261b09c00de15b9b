"""From a print run to its file: draw it, and read every symbol back that we drew ourselves."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_STORED, ZipFile, ZipInfo

import zxingcpp
from PIL import Image

from ..carriers.symbols import Carrier
from .compose import Composer, Field, Label
from .layouts import Layout
from .marks import formats, says
from .models import LabelSheet, Output
from .orders import Language, fields_of, page_of
from .picture import paint, png
from .readback import Unreadable, verify_sheet
from .sheet import copied, write_sheet
from .table import write_csv
from .zpl import SymbolAs, zpl

Tell = Callable[[int], None]
"""How many steps are done; each label is one to draw and one to read back."""

_EVERY = 24
"""Labels between two words about progress."""

READ_BACK = (Output.PDF, Output.ZPL, Output.PNG)
"""In the others there is no symbol of ours to read."""

ENDINGS = {Output.PDF: "pdf", Output.ZPL: "zpl", Output.ZPL_DATA: "zpl", Output.PNG: "zip", Output.CSV: "csv"}
MEDIA_TYPES = {"pdf": "application/pdf", "zpl": "text/plain", "zip": "application/zip", "csv": "text/csv"}


@dataclass(frozen=True)
class Plan:
    """A print run, freed from its store."""

    output: Output
    carrier: Carrier
    page: Layout
    language: Language
    fields: frozenset[Field]
    start: int
    copies: int
    dpi: int

    @property
    def composer(self) -> Composer:
        return Composer(self.page, self.language.value, self.fields)


def plan_of(sheet: LabelSheet) -> Plan:
    return Plan(
        Output(sheet.output),
        Carrier(sheet.carrier),
        page_of(sheet),
        Language(sheet.language),
        fields_of(sheet),
        sheet.start,
        sheet.copies,
        sheet.dpi or 300,
    )


def steps(plan: Plan, labels: int) -> int:
    """How many steps `write` tells of."""
    return 2 * labels * (plan.copies if plan.output == Output.PDF else 1)


def write(plan: Plan, labels: Sequence[Label], path: Path, tell: Tell) -> None:
    """Make the file. Raises Invalid for labels that cannot be printed, Unreadable for one that does not read back."""
    match plan.output:
        case Output.PDF:
            _write_sheets(plan, labels, path, tell)
        case Output.CSV:
            with path.open("wb") as file:
                write_csv(file, labels, plan.language.value)
        case Output.PNG:
            _write_pictures(plan, labels, path, tell)
        case _:
            _write_zpl(plan, labels, path, tell)


def _write_sheets(plan: Plan, labels: Sequence[Label], path: Path, tell: Tell) -> None:
    with path.open("wb") as file:
        written = write_sheet(
            file,
            copied(labels, plan.copies),
            plan.page,
            plan.start,
            lambda _page, done: tell(done),
            language=plan.language.value,
            fields=plan.fields,
            carrier=plan.carrier,
        )
    expected = (says(label.uri, plan.carrier) for label in copied(labels, plan.copies))
    verify_sheet(path, expected, plan.page, plan.start, lambda _page, done: tell(written + done), carrier=plan.carrier)


def _write_pictures(plan: Plan, labels: Sequence[Label], path: Path, tell: Tell) -> None:
    """One PNG for each label, named by its number and serial."""
    composer = plan.composer
    with ZipFile(path, "w", ZIP_STORED) as archive:
        for number, label in enumerate(labels, 1):
            picture = png(label, composer, plan.dpi, plan.carrier)
            with Image.open(BytesIO(picture)) as drawn:
                _read_back(drawn, label, plan.carrier, number)
            # A fixed time: the same labels give the same bytes.
            archive.writestr(ZipInfo(f"{number:06}-{label.serial}.png"), picture)
            _tell_sometimes(tell, number)


def _write_zpl(plan: Plan, labels: Sequence[Label], path: Path, tell: Tell) -> None:
    composer = plan.composer
    symbol = SymbolAs.DATA if plan.output == Output.ZPL_DATA else SymbolAs.BITMAP
    with path.open("w", encoding="ascii", newline="\n") as file:
        for number, (label, text) in enumerate(
            zip(labels, zpl(labels, composer, plan.dpi, symbol, plan.copies, plan.carrier), strict=True), 1
        ):
            if symbol == SymbolAs.BITMAP:
                _read_back(paint(label, composer, plan.dpi, carrier=plan.carrier), label, plan.carrier, number)
            file.write(text)
            _tell_sometimes(tell, number)


def _read_back(picture: Image.Image, label: Label, carrier: Carrier, number: int) -> None:
    found = zxingcpp.read_barcodes(picture.convert("L"), formats=formats(carrier), try_rotate=False)
    if [symbol.bytes for symbol in found] != [says(label.uri, carrier).encode()]:
        raise Unreadable(number, 1, 1)


def _tell_sometimes(tell: Tell, number: int) -> None:
    if number % _EVERY == 0:
        tell(2 * number)


def places(plan: Plan, number: int) -> Iterator[int]:
    """Page, row and column, from 1, of the first copy of this label on its sheets; nothing for single labels."""
    if plan.output == Output.PDF:
        page, place = divmod(plan.start + (number - 1) * plan.copies, plan.page.per_page)
        row, column = divmod(place, plan.page.columns)
        yield from (page + 1, row + 1, column + 1)
