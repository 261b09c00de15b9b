"""The sentence for every rule that an upload can break. The rule words are permanent."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from ..errors import Invalid, Message, invalid, say
from . import bounds


def refusal(rule: str, values: Mapping[str, object] | None = None) -> Invalid:
    """The error for this rule, about the field `file`. `values` may come from the child: only known ones are used."""
    if rule in _WITH_VALUES:
        return invalid("file", rule, _WITH_VALUES[rule](values or {}))
    # A child that was taken over may answer any word.
    known = rule if rule in _FIXED else "file.too-complex"
    return invalid("file", known, _FIXED[known])


def _too_large(values: Mapping[str, object]) -> Message:
    size = _whole(values, "bytes")
    return say(
        "The file has %(size)s MB; at most %(limit)s MB are taken. Save it with smaller pictures or in two parts.",
        # Rounded up, so that no file that is refused seems to be within the bound.
        size=math.ceil(size / 100_000) / 10 if isinstance(size, int) else size,
        limit=bounds.MAX_FILE_BYTES // 1_000_000,
    )


def _active_content(values: Mapping[str, object]) -> Message:
    return say(
        "The PDF holds parts that act by themselves or carry other files: %(found)s. "
        "Print it to a new PDF, which leaves them out, and upload that.",
        found=", ".join(_known_words(values)),
    )


def _page_size(values: Mapping[str, object]) -> Message:
    return say(
        "Page %(page)s has a size that no report has; sides from 1 cm to 5 m are taken. "
        "Print it to a new PDF on A4 and upload that.",
        page=_whole(values, "page"),
    )


def _pages(values: Mapping[str, object]) -> Message:
    return say(
        "The PDF has %(pages)s pages; at most %(limit)s are taken. Upload it in parts.",
        pages=_whole(values, "pages"),
        limit=bounds.MAX_PAGES,
    )


def _pixels(values: Mapping[str, object]) -> Message:
    return say(
        "The picture has too many pixels; at most %(megapixels)s million are taken. Save it smaller and upload that.",
        megapixels=_whole(values, "megapixels"),
    )


_WITH_VALUES: Mapping[str, Callable[[Mapping[str, object]], Message]] = {
    "file.too-large": _too_large,
    "file.active-content": _active_content,
    "file.page-size": _page_size,
    "file.pages": _pages,
    "file.pixels": _pixels,
}

_FIXED = {
    "file.empty": say("The file is empty. Choose the report again and wait until it has been copied in full."),
    "file.type": say("This type of file is not taken. Upload a PDF, PNG, JPEG or WebP."),
    "file.type-picture": say("A product picture is a PNG, JPEG or WebP. Upload the picture itself, not a document."),
    "file.type-photo": say("A photo of a code is a PNG, JPEG or WebP. Take a photo and upload that, not a document."),
    "file.type-program": say(
        "SVG and HTML files can hold programs and are not taken. Save it as a PDF, PNG, JPEG or WebP and upload that."
    ),
    "file.mixed": say(
        "The file holds other data before its start or after its end. Print or save it to a new file and upload that."
    ),
    "file.damaged": say("The file is damaged or incomplete. Open it, save it as a new file and upload that."),
    "file.password": say("The PDF asks for a password. Save it without a password and upload that."),
    "file.moving": say("The picture moves or has several frames. Save one still picture and upload that."),
    "file.too-complex": say(
        "The file could not be read within the limits of time and memory. "
        "Print it to a new PDF with smaller pictures or fewer pages and upload that."
    ),
}


def _whole(values: Mapping[str, object], key: str) -> object:
    value = values.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**9 else "?"


def _known_words(values: Mapping[str, object]) -> list[str]:
    found = values.get("found")
    return [word for word in bounds.ACTIVE_CONTENT if isinstance(found, list) and word in found]
