"""The form for a print run: its choices, and one label at its true size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from flask import url_for
from flask_babel import get_locale
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from ...trace.errors import Invalid
from ...trace.items.models import CodeRun
from ...trace.labels import service as labels
from ...trace.labels.compose import Label
from ...trace.labels.layouts import LAYOUTS
from ...trace.labels.orders import OWN, SheetOrder
from ..errors import by_field
from ..i18n import sentence
from ..print_words import CARRIERS, FIELDS, OUTPUTS

CSS_PIXELS_PER_MM = 96 / 25.4

_TEXTS = (
    "output", "carrier", "layout", "language", "start", "first", "count", "copies", "dpi", "page_width", "page_height",
    "columns", "rows", "label_width", "label_height", "left", "top", "gap_x", "gap_y", "safe",
)  # fmt: skip


@dataclass(frozen=True)
class Preview:
    """One label as it will be printed: where its picture is, its size in CSS pixels and in words, and what its symbol
    needs and has. `url` is empty where the label cannot be drawn; `warnings` say why."""

    url: str
    width: int
    height: int
    measures: str
    needed: str
    available: str
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Printing:
    """What the form offers. `chosen` are the fields that are ticked."""

    outputs: list[tuple[str, str]]
    carriers: list[tuple[str, str]]
    layouts: list[tuple[str, str]]
    fields: list[tuple[str, str]]
    chosen: frozenset[str]
    preview: Preview | None


def raw_order(form: Mapping[str, str]) -> dict[str, str]:
    """The fields of an order from a form, in which the texts of the label are boxes to tick."""
    raw = {name: form[name] for name in _TEXTS if form.get(name)}
    raw.setdefault("language", str(get_locale())[:2])
    if isinstance(form, MultiDict) and "fields-shown" in form:
        raw["fields"] = ",".join(form.getlist("fields")) or "none"
    elif form.get("fields"):
        raw["fields"] = form["fields"]
    return raw


def printing(db: Session, run: CodeRun, form: Mapping[str, str]) -> Printing:
    label = labels.example(db, run)
    raw = raw_order(form)
    try:
        order = labels.read_sheet_order(raw, run)
    except Invalid as error:
        # What is wrong is said at its fields once the form is sent; here only that there is nothing to show.
        texts = tuple(text for texts in by_field(error).values() for text in texts)
        preview = Preview("", 0, 0, "", "", "", texts) if label and form else None
        return _offer(label, frozenset(raw.get("fields", "").split(",")), preview)
    preview = _preview(run, order, raw, label) if label and order.output != labels.Output.CSV else None
    return _offer(label, frozenset(order.fields), preview)


def _offer(label: Label | None, chosen: frozenset[str], preview: Preview | None) -> Printing:
    return Printing(
        [(word, str(text)) for word, text in OUTPUTS.items()],
        [(word, str(text)) for word, text in CARRIERS.items()],
        [*((name, _named(name, label)) for name in LAYOUTS), (OWN, _("Own measures"))],
        [(word, str(text)) for word, text in FIELDS.items()],
        chosen,
        preview,
    )


def _named(name: str, label: Label | None) -> str:
    """`A4, 3 × 8, 70 × 37 mm`, and a word when the QR code of this run would be too fine there."""
    paper = name.partition("-")[0]
    said = f"{'A4' if paper == 'a4' else paper.capitalize()}, {LAYOUTS[name].measures}"
    if label is None or labels.qr_fits(label, LAYOUTS[name]):
        return said
    return str(_("%(layout)s – too small for this QR code", layout=said))


def _preview(run: CodeRun, order: SheetOrder, raw: Mapping[str, str], label: Label) -> Preview:
    page = order.page
    measures = f"{page.label_width:g} × {page.label_height:g} mm"
    try:
        room = labels.room_on_label(order, label)
    except Invalid as error:
        return Preview("", 0, 0, measures, "", "", tuple(sentence(one.message) for one in error.problems))
    warnings = [sentence(room.warning)] if room.warning else []
    if not warnings:
        try:
            labels.refuse_unprintable(order, label)
        except Invalid as error:
            warnings = [sentence(one.message) for one in error.problems]
    return Preview(
        "" if warnings else _address(run, raw),
        round(page.label_width * CSS_PIXELS_PER_MM),
        round(page.label_height * CSS_PIXELS_PER_MM),
        measures,
        f"{room.needed:.1f}",
        f"{room.available:.1f}",
        tuple(warnings),
    )


def _address(run: CodeRun, raw: Mapping[str, str]) -> str:
    """The picture of one label as this order would print it."""
    return f"{url_for('labels.preview', ref=run.ref)}?{urlencode(raw)}"
