"""How facts look in the reader's language: days, moments, countries, quantities, serials, sizes."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal

from flask import Flask, url_for
from flask_babel import format_datetime, get_locale, get_timezone, gettext
from markupsafe import Markup, escape


def init_app(app: Flask) -> None:
    app.jinja_env.filters.update(
        day=day,
        when=when,
        country=country,
        quantity=quantity,
        serial_groups=serial_groups,
        bytes=size,
        fact=fact,
        tel=tel,
    )
    app.jinja_env.filters["date_of"] = date_of
    app.jinja_env.globals.update(picture_url=picture_url)


def _language() -> str:
    locale = get_locale()
    return "zh" if locale is not None and locale.language == "zh" else "en"


def day(value: date | None) -> str:
    """2026年11月22日 or 22 November 2026; day first and the month as a word, so nobody reads it the other way."""
    if value is None:
        return ""
    if _language() == "zh":
        return f"{value.year}年{value.month}月{value.day}日"
    return f"{value.day} {value.strftime('%B')} {value.year}"


def when(value: datetime) -> Markup:
    """A moment in the service's zone, named; scripts turn it into the reader's own."""
    zone = get_timezone()
    local = value.astimezone(zone)
    utc = value.astimezone(UTC).isoformat(timespec="seconds")
    return Markup('<time datetime="{}">{} {} <span class="zone">{}</span></time>').format(
        utc, day(local.date()), local.strftime("%H:%M"), _offset(local)
    )


def date_of(value: datetime) -> str:
    """The calendar day of a moment in the service's zone, for lists."""
    return day(value.astimezone(get_timezone()).date())


def _offset(local: datetime) -> str:
    minutes = int(local.utcoffset().total_seconds() // 60)  # type: ignore[union-attr]  # an aware time has an offset
    return f"UTC{minutes // 60:+d}" + (f":{minutes % 60:02d}" if minutes % 60 else "")


def fact(text: str, field: str) -> str:
    """A kept fact of a batch, as corrections hold it (plain text), in the reader's way."""
    if not text:
        return "—"
    if field in ("produced_on", "expires_on"):
        return day(date.fromisoformat(text))
    if field == "country":
        return country(text)
    return unit_name(text) if field == "unit" else text


def country(code: str) -> str:
    """The name of an ISO 3166-1 alpha-2 code."""
    locale = get_locale()
    return str(locale.territories.get(code, code)) if locale else code


def quantity(value: Decimal | None, unit: str) -> str:
    """A number with its unit, never one without the other."""
    if value is None:
        return ""
    number = f"{value.normalize():,f}" if value == value.to_integral() else f"{value.normalize():,}"
    return f"{number} {unit_name(unit)}"


def unit_name(unit: str) -> str:
    names = {"pcs": gettext("pieces"), "l": "L", "ml": "mL"}
    return str(names.get(unit, unit))


def serial_groups(serial: str) -> Markup:
    """Groups of five, as printed."""
    groups = (serial[start : start + 5] for start in range(0, len(serial), 5))
    return Markup(" ").join(Markup("<span>{}</span>").format(escape(group)) for group in groups)


def tel(text: str) -> str:
    """The number in a phone text as a dialable address part, or empty: «400-000-0003 (24 h)» is 4000000003."""
    found = re.match(r"\s*(\+?\d[\d \-/.]{2,24}\d)", text)
    return re.sub(r"[^\d+]", "", found.group(1)) if found else ""


def size(value: int) -> str:
    """Bytes as people say them, in decimal units."""
    if value < 1000:
        return f"{value} B"
    return f"{value / 1000:.0f} kB" if value < 1_000_000 else f"{value / 1_000_000:.1f} MB"


def picture_url(sha256: str) -> str:
    return url_for("media.picture", sha256=sha256)


def stamp(value: datetime) -> str:
    """A moment as plain text, for lists."""
    return str(format_datetime(value, "yyyy-MM-dd HH:mm"))
