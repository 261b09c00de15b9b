"""`lotseal code`: what a GS1 code says, in whatever form it comes. Needs no data folder."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

import click

from ...trace.carriers import symbols
from ...trace.carriers.contents import content_of
from ...trace.carriers.symbols import Carrier
from ...trace.codes.ais import TABLE
from ...trace.codes.content import problem
from ...trace.codes.digital_link import GS1_ROOT
from ...trace.codes.inspection import inspect as inspected
from ...trace.codes.inspection import refused
from ...trace.codes.model import MOST_CHARACTERS, Kind
from ...trace.codes.reading import read
from ...trace.errors import say
from .context import REFUSED, as_json, done, json_option, show, translated

_CHUNK = 1 << 16
_MOST_LINE = 6 * MOST_CHARACTERS + 4
"""A JSON string in which every character is written \\uXXXX, its quotes, and what a line may end with."""

_encode = json.JSONEncoder().encode


@click.group()
def code() -> None:
    """GS1 codes of any kind."""


@code.command("inspect")
@json_option
@click.option(
    "--kind",
    type=click.Choice([kind.value for kind in Kind]),
    default=None,
    help="Read it as this; otherwise the text itself tells.",
)
@click.option("--no-associations", is_flag=True, help="Do not check which identifiers stand together.")
@click.option("--jsonl", is_flag=True, help="Read JSON strings from stdin, one a line; answer with one object a line.")
@click.argument("text", required=False)
def inspect(text: str | None, kind: str | None, no_associations: bool, jsonl: bool) -> None:
    """Check a code and print it in all its forms. Exit code 1 when it breaks a rule."""
    if jsonl == (text is not None) or (jsonl and as_json()):
        raise click.UsageError("Give one TEXT, or --jsonl and lines on stdin.")
    chosen = Kind(kind) if kind else None
    if text is None:
        _answer_lines(chosen, associations=not no_associations)
    else:
        _answer(text, chosen, associations=not no_associations)


def _answer(text: str, kind: Kind | None, *, associations: bool) -> None:
    # Bytes of the command line that are no UTF-8 come as lone surrogates, which nothing can print.
    text = text.encode("utf-8", "replace").decode("utf-8")
    found = inspected(text, kind, associations=associations, words=translated)
    if as_json():
        done(found)
    elif found["ok"]:
        show(_for_people(found))
    else:
        for one in found["errors"]:
            where = f"({one['ai']}) " if one["ai"] else ""
            click.echo(_printable(f"{where}{one['message']} ({one['rule']})"), err=True)
    if not found["ok"]:
        click.get_current_context().exit(REFUSED)


def _for_people(found: dict[str, Any]) -> dict[str, Any]:
    values = {f"({ai}) {TABLE[ai].title}": value for ai, value in found["ai"]}
    forms = ("canonical", "bracketed", "element_string", "scan_data")
    return {"kind": found["kind"], **values, **{name: _printable(found[name] or "") for name in forms}}


def _printable(text: str) -> str:
    """Control characters as their symbols, GS as ␝: a symbol's text must not command the terminal."""
    return "".join(
        character if character.isprintable() else chr(0x2400 + ord(character)) if character < " " else "\ufffd"
        for character in text
    )


# --- symbols ----------------------------------------------------------------------------------------------------------


@code.command("draw")
@json_option
@click.option(
    "--carrier",
    type=click.Choice([carrier.value for carrier in Carrier]),
    default=Carrier.QR.value,
    show_default=True,
    help="The family of symbols.",
)
@click.option("--module", type=float, default=None, help="Width of a module in mm; otherwise the standard's.")
@click.option("--dpi", type=int, default=300, show_default=True, help="Resolution of the PNG.")
@click.option("--no-text", is_flag=True, help="Leave out the human-readable line.")
@click.option("--svg", type=click.Path(dir_okay=False, path_type=Path), default=None, help="Write an SVG to this file.")
@click.option("--png", type=click.Path(dir_okay=False, path_type=Path), default=None, help="Write a PNG to this file.")
@click.argument("text")
def draw(
    text: str, carrier: str, module: float | None, dpi: int, no_text: bool, svg: Path | None, png: Path | None
) -> None:
    """Draw the symbol of a code at its true size, after reading it back. TEXT is a GS1 code in any form."""
    understood = read(text)
    content = content_of(Carrier(carrier), understood.elements, understood.stem or GS1_ROOT)
    drawing = symbols.draw(Carrier(carrier), content, module, human_readable=not no_text)
    if svg:
        svg.write_text(symbols.svg(drawing), encoding="utf-8")
    if png:
        png.write_bytes(symbols.png(drawing, dpi))
    width, height = (round(edge, 2) for edge in drawing.size_mm)
    done(
        {"carrier": carrier, "text": drawing.text, "width_mm": width, "height_mm": height},
        say("%(said)s: %(width)s × %(height)s mm", said=drawing.text, width=f"{width:g}", height=f"{height:g}"),
    )


# --- many lines -------------------------------------------------------------------------------------------------------


def _answer_lines(kind: Kind | None, *, associations: bool) -> None:
    """One answer for each line, in order, and as soon as its line is there: a program may ask and wait."""
    for lines in _batches(sys.stdin.buffer):
        sys.stdout.buffer.write(b"".join([_line(line, kind, associations) for line in lines]))
        sys.stdout.buffer.flush()


def _batches(source: BinaryIO) -> Iterator[list[bytes]]:
    """The lines that have arrived so far, again and again. Of a line that is too long only its beginning is kept."""
    reader = cast(io.BufferedReader, source)
    rest = b""
    while chunk := reader.read1(_CHUNK):
        *lines, rest = (rest + chunk).split(b"\n")
        rest = rest[: _MOST_LINE + 1]
        if lines:
            yield lines
    if rest:
        yield [rest]


def _line(line: bytes, kind: Kind | None, associations: bool) -> bytes:
    text = _text_of(line)
    if isinstance(text, str):
        found = inspected(text, kind, associations=associations, words=translated)
    else:
        found = refused(None, kind, (text,), translated)
    return (_encode(found) + "\n").encode("ascii")


_NO_STRING = problem(None, "line.no-string", 1, say('A line must hold one JSON string, such as "(01)09521234543213".'))
_LONG_LINE = problem(None, "line.too-long", 1, say("This line is longer than any code can be."))


def _text_of(line: bytes) -> Any:
    """The string of a line, or the problem with it."""
    if len(line) > _MOST_LINE:
        return _LONG_LINE
    line = line.strip()
    # Only a string is looked into: JSON of other kinds can be nested without end.
    if not line.startswith(b'"'):
        return _NO_STRING
    try:
        return json.loads(line.decode("utf-8"))
    except ValueError:
        return _NO_STRING
