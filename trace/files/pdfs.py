"""Inside the child: look through a PDF for what acts by itself, then draw its pages and read its text layer."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pikepdf
import pypdfium2  # type: ignore[import-untyped]  # it ships no types

from . import bounds
from .bounds import Refused
from .pictures import Drawn, draw

# An action is a dictionary whose /S names its type (ISO 32000-2, 12.6.4). Links to a web page or to another page only
# act when a reader clicks on them and are left alone; they do not survive in the page images anyway.
_ACTIONS = {
    "/JavaScript": "JavaScript",
    "/Rendition": "RichMedia",
    "/RichMediaExecute": "RichMedia",
    "/Movie": "RichMedia",
    "/Sound": "RichMedia",
    "/Launch": "Launch",
    "/GoToE": "EmbeddedFiles",
    "/SubmitForm": "SubmitForm",
    "/ImportData": "ImportData",
}
_SUBTYPES = {
    "/FileAttachment": "EmbeddedFiles",
    "/RichMedia": "RichMedia",
    "/Movie": "RichMedia",
    "/Screen": "RichMedia",
    "/Sound": "RichMedia",
    "/3D": "RichMedia",
}
_KEYS = {
    "/JS": "JavaScript",
    "/JavaScript": "JavaScript",
    "/EmbeddedFiles": "EmbeddedFiles",
    "/EF": "EmbeddedFiles",
    "/XFA": "XFA",
    "/RichMediaContent": "RichMedia",
    "/ByteRange": "Signature",
}
_TYPES = {"/EmbeddedFile": "EmbeddedFiles"}
_MAX_CHAIN = 32
_END_OF_ARCHIVE = b"PK\5\6"
_SIGNATURE = "Signature"
"""Found on the same walk, yet nothing that acts: what is inside a signature dictionary (ISO 32000-2, 12.8.1)."""


def read_document(path: Path, folder: Path) -> dict[str, object]:
    """What is in the PDF, and page images in `folder`. Raises `Refused`."""
    _check_tail(path.read_bytes())
    pages, signed = _look(path)
    try:
        document = pypdfium2.PdfDocument(path)
    except pypdfium2.PdfiumError:
        raise Refused("file.damaged") from None
    # One reader that has to look for the objects by itself, or two that count different pages, would show different
    # reports to different people.
    if len(document) != len(pages) or not pypdfium2.raw.FPDF_DocumentHasValidCrossReferenceTable(document):
        raise Refused("file.damaged")
    # Fields that were filled in, and the seal of a digital signature, are drawn only with the form open.
    document.init_forms()
    sizes = [_shown_size(document, index, unit) for index, unit in enumerate(pages)]
    images = [_draw_page(document, index, folder) for index in range(min(len(pages), bounds.MAX_RENDERED_PAGES))]
    texts = _texts(document)
    return {
        "pages": len(pages),
        "sizes": sizes,
        "texts": texts,
        "images": [vars(image) for image in images],
        "signed": signed,
    }


def _check_tail(data: bytes) -> None:
    """A few stray bytes after the end are common; a second file (an archive, a web page) is refused."""
    end = data.rfind(b"%%EOF")
    if end < 0:
        raise Refused("file.damaged")
    tail = data[end + 5 :].translate(None, b" \t\r\n\f\0")
    # An archive is read from its end, and an empty one is shorter than many a stamp.
    if len(tail) > bounds.MAX_TRAILING_BYTES or _END_OF_ARCHIVE in data[end:]:
        raise Refused("file.mixed")


def _look(path: Path) -> tuple[list[float], bool]:
    """The size in 1/72 inch of the user unit of each page, and whether there is a signature; after every object has
    been looked at.

    Recovery is off: in a PDF that must be repaired first, one reader may find another report than the next.
    """
    try:
        with pikepdf.open(path, attempt_recovery=False, suppress_warnings=True) as pdf:
            count = len(pdf.pages)
            if count == 0:
                raise Refused("file.damaged")
            if count > bounds.MAX_PAGES:
                raise Refused("file.pages", pages=count)
            found = set(_active_content(pdf))
            signed = _SIGNATURE in found
            found.discard(_SIGNATURE)
            if found:
                raise Refused("file.active-content", found=[word for word in bounds.ACTIVE_CONTENT if word in found])
            return [_user_unit(page, number) for number, page in enumerate(pdf.pages, start=1)], signed
    except pikepdf.PasswordError:
        raise Refused("file.password") from None
    except pikepdf.PdfError:
        raise Refused("file.damaged") from None


def _active_content(pdf: pikepdf.Pdf) -> Iterator[str]:
    if _acts(pdf.Root.get("/OpenAction")):
        yield "OpenAction"
    values = 0
    for root in (pdf.trailer, *pdf.objects):
        waiting = [root]
        while waiting:
            value = waiting.pop()
            if isinstance(value, pikepdf.Dictionary | pikepdf.Stream):
                yield from _active_words(value)
                children = [child for _, child in value.items()]
            elif isinstance(value, pikepdf.Array):
                children = list(value)
            else:
                continue
            values += 1 + len(children)
            if values > bounds.MAX_PDF_VALUES:
                raise Refused("file.too-complex")
            # An indirect child has its own turn, which also makes an end of circles. Numbers are no pikepdf objects.
            waiting.extend(child for child in children if isinstance(child, pikepdf.Object) and not child.is_indirect)


def _active_words(value: pikepdf.Object) -> Iterator[str]:
    for key in _KEYS.keys() & set(value.keys()):
        yield _KEYS[key]
    for table, key in ((_ACTIONS, "/S"), (_SUBTYPES, "/Subtype"), (_TYPES, "/Type")):
        name = value.get(key)
        if isinstance(name, pikepdf.Name) and str(name) in table:
            yield table[str(name)]
    # What a page, a field or the document does when it is shown or left, without a click (12.6.3).
    triggers = value.get("/AA")
    if isinstance(triggers, pikepdf.Dictionary) and any(_acts(action) for _, action in triggers.items()):
        yield "OpenAction"
    # A stream whose data lie elsewhere (7.3.8.1), and a page of another file drawn into this one (8.10.4).
    if isinstance(value, pikepdf.Stream) and ("/F" in value or "/Ref" in value):
        yield "ImportData"


def _acts(action: object) -> bool:
    """Whether it does more than turn pages: a destination (array, name or string) and a GoTo do not, nor does a chain
    of them."""
    waiting = [action]
    for _ in range(_MAX_CHAIN):
        if not waiting:
            return False
        one = waiting.pop()
        if isinstance(one, pikepdf.Dictionary):
            if one.get("/S") != pikepdf.Name.GoTo:
                return True
            following = one.get("/Next")
            waiting += list(following) if isinstance(following, pikepdf.Array) else [following]
    return True


def _user_unit(page: pikepdf.Page, number: int) -> float:
    unit = _number(page.obj.get("/UserUnit", 1), number)
    for box in (page.mediabox, page.cropbox):
        try:
            left, bottom, right, top = (_number(value, number) for value in box.as_list())
        except (AttributeError, TypeError, ValueError):
            raise Refused("file.page-size", page=number) from None
        _check_size(abs(right - left) * unit, abs(top - bottom) * unit, number)
    return unit


def _number(value: object, page: int) -> float:
    try:
        number = float(value)  # type: ignore[arg-type]  # whatever it is, it is a number or refused
    except (TypeError, ValueError, OverflowError):
        raise Refused("file.page-size", page=page) from None
    if not math.isfinite(number):
        raise Refused("file.page-size", page=page)
    return number


def _check_size(width: float, height: float, page: int) -> None:
    for side in (width * bounds.MM_PER_POINT, height * bounds.MM_PER_POINT):
        if not bounds.MIN_PAGE_MM <= side <= bounds.MAX_PAGE_MM:
            raise Refused("file.page-size", page=page)


def _shown_size(document: pypdfium2.PdfDocument, index: int, unit: float) -> tuple[float, float]:
    """Width and height in mm as the page is shown: cropped and turned."""
    width, height = (side * unit for side in document.get_page_size(index))
    _check_size(width, height, index + 1)
    return round(width * bounds.MM_PER_POINT, 1), round(height * bounds.MM_PER_POINT, 1)


def _draw_page(document: pypdfium2.PdfDocument, index: int, folder: Path) -> Drawn:
    width, height = document.get_page_size(index)
    scale = min(bounds.PAGE_IMAGE_WIDTH / width, bounds.PAGE_IMAGE_HEIGHT / height, bounds.MAX_RENDER_DPI / 72)
    page = document[index]
    bitmap = page.render(scale=scale)
    try:
        return draw(bitmap.to_pil(), folder, f"page-{index + 1}.webp", at_most=bounds.PAGE_IMAGE_BYTES)
    finally:
        bitmap.close()
        page.close()


def _texts(document: pypdfium2.PdfDocument) -> list[str]:
    """The text layer page by page, until the bound is reached."""
    texts: list[str] = []
    left = bounds.MAX_TEXT_CHARACTERS
    for index in range(len(document)):
        if left <= 0:
            break
        page = document[index]
        layer = page.get_textpage()
        count = min(layer.count_chars(), left)
        text = _plain_text(layer.get_text_range(0, count))[:left] if count > 0 else ""
        layer.close()
        page.close()
        texts.append(text)
        left -= len(text)
    return texts


def _plain_text(text: str) -> str:
    """Lines end in a line feed; what cannot be printed (control and non-characters) is left out."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(character for character in lines if _readable(character))


def _readable(character: str) -> bool:
    return character in "\n\t" or character.isprintable() or unicodedata.category(character) == "Zs"
